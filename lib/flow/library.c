/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/library.h"

#include "base/limits.h"
#include "base/parallel.h"
#include "codec/codec.h"
#include "flow/ask.h"

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

/* One paper being asked for. */
struct errand {
	const struct order *order;
	struct paper *paper;
	struct registries *registries;
	bool origin_known; /* what the registry itself says of the tag */
	struct digest origin;
};

/* As it came if that is what its digest says, else with the coding undone that the answer names. */
static int undo_coding(const struct promise *promise, const char *coding, struct buf *bytes, struct err *e)
{
	AUTO_BUF decoded = { 0 };
	struct digest d;

	if (digest_of(&d, bytes->data, bytes->len, e))
		return -1;
	if (digest_equal(&d, &promise->digest))
		return 0;
	AUTO(source)
	s = source_verify(
		source_decode(source_memory(bytes->data, bytes->len, e), coding_of_http(coding), LIMIT_CONFIG, e),
		promise, e);
	if (!s || source_slurp(s, LIMIT_CONFIG, &decoded, e))
		return err_hint(e, "it came with Content-Encoding %s although it was asked to come without", coding);
	buf_clear(bytes);
	return buf_add(bytes, decoded.data, decoded.len, e);
}

/* A config that was not what was promised: once more, and as it comes, if it comes encoded. *why stands if it does not.
 */
static int read_encoded_config(struct errand *x, struct registry_conn *c, const char *repository, const struct err *why,
			       struct err *e)
{
	const struct promise *promise = &x->order->promise;
	struct blob_range got;
	AUTO(source) s = registry_open_range(c, repository, promise, 0, promise->size, &got, e);

	if (!s)
		return -1;
	if (!got.encoded) {
		if (e)
			*e = *why;
		return -1;
	}
	buf_clear(&x->paper->bytes);
	return source_slurp(s, LIMIT_CONFIG, &x->paper->bytes, e) ||
			       undo_coding(promise, got.coding, &x->paper->bytes, e)
		       ? -1
		       : 0;
}

static int read_config(struct errand *x, struct registry_conn *c, const char *repository, struct err *e)
{
	struct err why = { 0 };
	AUTO(source) s = registry_open_blob(c, repository, &x->order->promise, &why);

	x->paper->promise = x->order->promise;
	if (s && !source_slurp(s, LIMIT_CONFIG, &x->paper->bytes, &why))
		return 0;
	if (why.kind == ERR_CORRUPT) {
		source_free(TAKE(s)); /* one answer at a time */
		return read_encoded_config(x, c, repository, &why, e);
	}
	if (e)
		*e = why;
	return -1;
}

/* A mirror whose tag points elsewhere lags behind, or lies; the registry's own word counts, and the difference is said.
 */
static int read_manifest_again(struct errand *x, struct registry_conn *c, const char *repository, const char *mirror,
			       char content_type[128], struct err *e)
{
	char theirs[DIGEST_TEXT_SIZE];
	char own[DIGEST_TEXT_SIZE];
	const char *host = x->registries->items[x->order->registry]->host;

	event_text(x->registries->events, EVENT_WARNING, "%s: the mirror %s has %s, %s itself has %s, which is taken",
		   x->order->noun, mirror, digest_text(&x->paper->promise.digest, theirs), host,
		   digest_text(&x->origin, own));
	buf_clear(&x->paper->bytes);
	return registry_get_manifest(c, repository, own, &x->paper->bytes, &x->paper->promise.digest, content_type, e);
}

static void count_manifest(struct registries *r, struct endpoint *ep)
{
	pthread_mutex_lock(&r->lock);
	ep->manifests++;
	pthread_mutex_unlock(&r->lock);
}

static int read_manifest(struct ask *a, struct registry_conn *c, const char *repository, struct err *e)
{
	struct errand *x = a->ctx;
	struct paper *p = x->paper;
	const struct order *o = x->order;
	char text[DIGEST_TEXT_SIZE];
	char content_type[128] = "";
	const char *selector = o->tag ? o->tag : digest_text(&o->promise.digest, text);
	struct endpoint *ep = &x->registries->items[o->registry]->endpoints[a->endpoint];

	if (registry_get_manifest(c, repository, selector, &p->bytes, &p->promise.digest, content_type, e))
		return -1;
	count_manifest(x->registries, ep);
	if (x->origin_known && !ep->origin && !digest_equal(&p->promise.digest, &x->origin) &&
	    read_manifest_again(x, c, repository, registry_host(ep->registry), content_type, e))
		return -1;
	p->promise.size = p->bytes.len;
	if (!o->tag && o->size_known && p->promise.size != o->promise.size)
		return err_set(e, ERR_CORRUPT, "%s: has %zu bytes, its index promises %llu", selector, p->bytes.len,
			       (unsigned long long)o->promise.size);
	return paper_kind(p->bytes.data, p->bytes.len, content_type, &p->kind, p->media_type, e);
}

static int read_once(struct ask *a, struct registry_conn *c, const char *repository, struct err *e)
{
	struct errand *x = a->ctx;

	buf_clear(&x->paper->bytes);
	return x->order->config ? read_config(x, c, repository, e) : read_manifest(a, c, repository, e);
}

/*
 * Where mirrors answer for the tags, the registry itself is asked what it thinks, by HEAD, which no quota counts. One
 * that cannot be reached (that is why there are mirrors) is asked once.
 */
static int ask_origin(struct errand *x, size_t worker, struct err *e)
{
	struct registries *r = x->registries;
	struct family *f = r->items[x->order->registry];
	const size_t origin = registries_origin(r, x->order->registry);
	struct err failure = { 0 };

	if (!x->order->tag || f->count < 2 || origin == ENDPOINTS_MOST)
		return 0;
	pthread_mutex_lock(&r->lock);
	const bool silent = f->origin_silent;
	pthread_mutex_unlock(&r->lock);
	struct registry_conn *c = silent ? NULL : registries_connection(r, x->order->registry, origin, worker, e);
	if (!c)
		return silent ? 0 : -1;
	int has = registry_has_manifest(c, x->order->repository, x->order->tag, &x->origin, &failure);
	x->origin_known = has > 0;
	if (has >= 0 || failure.kind == ERR_DENIED)
		return 0;
	if (failure.kind != ERR_NETWORK) {
		if (e)
			*e = failure;
		return -1;
	}
	pthread_mutex_lock(&r->lock);
	const bool first = !f->origin_silent;
	f->origin_silent = true;
	pthread_mutex_unlock(&r->lock);
	if (first)
		event_text(r->events, EVENT_NOTE,
			   "%s itself cannot be asked, so what its mirrors say of tags is not compared (%s)", f->host,
			   failure.text);
	return 0;
}

static int run_errand(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct round *r = ctx;
	const struct order *o = r->errands[item];
	AUTO(paper) p = calloc(1, sizeof(*p));
	struct errand x = { .order = o, .paper = p, .registries = r->library->registries };
	struct ask a = {
		.registry = o->registry,
		.repository = o->repository,
		.worker = worker,
		.what = o->noun,
		.attempt = read_once,
		.ctx = &x,
		.by_tag = o->tag != NULL,
	};
	struct err why = { 0 };

	if (!p)
		return err_memory(e);
	if (buf_reserve(&p->bytes, 0, &why) || ask_origin(&x, worker, &why) || ask(x.registries, &a, &why)) {
		if (o->optional && why.kind == ERR_ABSENT)
			return 0;
		if (e)
			*e = why;
		return err_at(e, "%s", o->noun);
	}
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
	if (o->tag && o->optional)
		return count;
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
