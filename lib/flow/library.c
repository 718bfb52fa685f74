/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/library.h"

#include "base/limits.h"
#include "base/parallel.h"

#include <stdio.h>
#include <string.h>

struct library {
	struct registries *registries;
	struct paper **papers;
	size_t count;
	size_t capacity;
	struct digestmap *by_digest; /* complete papers alone */
	uint64_t downloaded;
};

struct library *library_new(struct registries *registries, struct err *e)
{
	AUTO(library) l = calloc(1, sizeof(*l));

	if (!l) {
		err_memory(e);
		return NULL;
	}
	l->registries = registries;
	l->by_digest = digestmap_new(e);
	if (!l->by_digest)
		return NULL;
	return TAKE(l);
}

static void paper_free(struct paper *p)
{
	if (!p)
		return;
	buf_release(&p->bytes);
	free(p);
}
OWNED(paper)

void library_free(struct library *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->count; i++)
		paper_free(l->papers[i]);
	free(l->papers);
	digestmap_free(l->by_digest);
	free(l);
}

uint64_t library_bytes(const struct library *l)
{
	return l->downloaded;
}

static const struct paper *find(const struct library *l, const struct digest *d)
{
	ptrdiff_t i = digestmap_get(l->by_digest, d);

	return i < 0 ? NULL : l->papers[i];
}

/* Takes the paper; gives the one that stands for its digest, which may be an equal one that was there. */
static const struct paper *shelve(struct library *l, struct paper *taken, struct err *e)
{
	AUTO(paper) p = taken;
	const struct paper *there = find(l, &p->promise.digest);

	if (there)
		return there;
	if (GROW(l->papers, l->capacity, l->count, e) || digestmap_put(l->by_digest, &p->promise.digest, l->count, e))
		return NULL;
	return l->papers[l->count++] = TAKE(p);
}

const struct paper *library_add(struct library *l, enum paper_kind kind, const char *media_type, const char *bytes,
				size_t len, struct err *e)
{
	AUTO(paper) p = calloc(1, sizeof(*p));

	if (!p) {
		err_memory(e);
		return NULL;
	}
	p->kind = kind;
	(void)snprintf(p->media_type, sizeof(p->media_type), "%s", media_type);
	p->promise.size = len;
	if (buf_add(&p->bytes, bytes, len, e) || digest_of(&p->promise.digest, bytes, len, e))
		return NULL;
	return shelve(l, TAKE(p), e);
}

/* What one round downloads: orders that ask for the same thing share one errand. */
struct round {
	struct library *library;
	struct order **errands;
	struct paper **results; /* one an errand */
};

static int read_config(struct registry_conn *c, const struct order *o, struct paper *p, struct err *e)
{
	AUTO(source) s = registry_open_blob(c, o->repository, &o->promise, e);

	p->promise = o->promise;
	return s ? source_slurp(s, LIMIT_CONFIG, &p->bytes, e) : -1;
}

static int read_manifest(struct registry_conn *c, const struct order *o, struct paper *p, struct err *e)
{
	char text[DIGEST_TEXT_SIZE];
	char content_type[128] = "";
	const char *selector = o->tag ? o->tag : digest_text(&o->promise.digest, text);

	if (registry_get_manifest(c, o->repository, selector, &p->bytes, &p->promise.digest, content_type, e))
		return -1;
	p->promise.size = p->bytes.len;
	if (!o->tag && o->size_known && p->promise.size != o->promise.size)
		return err_set(e, ERR_CORRUPT, "%s: has %zu bytes, its index promises %llu", selector, p->bytes.len,
			       (unsigned long long)o->promise.size);
	return paper_kind(p->bytes.data, p->bytes.len, content_type, &p->kind, p->media_type, e);
}

static int run_errand(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct round *r = ctx;
	const struct order *o = r->errands[item];
	AUTO(paper) p = calloc(1, sizeof(*p));

	if (!p)
		return err_memory(e);
	struct registry_conn *c = registries_connection(r->library->registries, o->registry, worker, e);
	if (!c || buf_reserve(&p->bytes, 0, e) || (o->config ? read_config(c, o, p, e) : read_manifest(c, o, p, e)))
		return err_at(e, "%s", o->noun);
	r->results[item] = TAKE(p);
	return 0;
}

static bool same_tag(const struct order *a, const struct order *b)
{
	return b->tag && a->registry == b->registry && !strcmp(a->repository, b->repository) && !strcmp(a->tag, b->tag);
}

/* The errand that serves `o` too, or count. Digests go through the map, tags (as many as a person typed) are compared.
 */
static size_t find_errand(const struct round *r, size_t count, const struct digestmap *asked, const struct order *o)
{
	if (!o->tag) {
		ptrdiff_t i = digestmap_get(asked, &o->promise.digest);
		return i < 0 ? count : (size_t)i;
	}
	for (size_t i = 0; i < count; i++)
		if (same_tag(o, r->errands[i]))
			return i;
	return count;
}

int library_read(struct library *l, struct order *orders, size_t count, struct err *e)
{
	AUTO_MEM struct order **errands = calloc(count + 1, sizeof(*errands));
	AUTO_MEM struct paper **results = calloc(count + 1, sizeof(struct paper *));
	AUTO_MEM size_t *errand_of = calloc(count + 1, sizeof(*errand_of));
	AUTO(digestmap) asked = digestmap_new(e);
	struct round r = { l, errands, results };
	size_t n = 0;

	if (!asked)
		return -1;
	if (!errands || !results || !errand_of)
		return err_memory(e);
	for (size_t i = 0; i < count; i++) {
		orders[i].result = orders[i].tag ? NULL : find(l, &orders[i].promise.digest);
		if (orders[i].result)
			continue;
		errand_of[i] = find_errand(&r, n, asked, &orders[i]);
		if (errand_of[i] < n)
			continue;
		if (!orders[i].tag && digestmap_put(asked, &orders[i].promise.digest, n, e))
			return -1;
		errands[n++] = &orders[i];
	}
	int failed = parallel_for(n, registries_workers(l->registries), run_errand, &r, e);
	/* Even after a failure each paper is shelved, so that it is freed. */
	AUTO_MEM const struct paper **shelved = calloc(n + 1, sizeof(struct paper *));
	for (size_t i = 0; i < n; i++) {
		if (!results[i])
			continue;
		l->downloaded += results[i]->bytes.len;
		const struct paper *p = shelve(l, TAKE(results[i]), failed ? NULL : e);
		if (shelved)
			shelved[i] = p;
		failed = failed || !p ? -1 : 0;
	}
	if (failed)
		return -1;
	if (!shelved)
		return err_memory(e);
	for (size_t i = 0; i < count; i++)
		if (!orders[i].result)
			orders[i].result = shelved[errand_of[i]];
	return 0;
}
