/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/attached.h"

#include "base/limits.h"
#include "base/parallel.h"
#include "base/text.h"
#include "flow/ask.h"
#include "registry/referrers.h"

#include <stdio.h>
#include <string.h>

/* One digest that something may be attached to. */
struct subject {
	struct attached *image;
	struct digest digest;
	bool listed; /* the registry has the API, and said all it knows */
	struct descriptor *items;
	size_t count;
	size_t capacity;
};

/* One round: the same depth of all images. */
struct round {
	struct registries *registries;
	struct library *library;
	struct subject *subjects;
	size_t count;
	size_t capacity;
};

static void round_release(struct round *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->subjects[i].items);
	free(r->subjects);
}

static int add_subject(struct round *r, struct attached *image, const struct digest *d, struct err *e)
{
	if (GROW(r->subjects, r->capacity, r->count, e))
		return -1;
	r->subjects[r->count++] = (struct subject){ .image = image, .digest = *d };
	return 0;
}

static int add_image(struct round *r, struct attached *image, struct err *e)
{
	const struct digest *source = &image->choice->source->promise.digest;

	if (add_subject(r, image, source, e))
		return -1;
	for (size_t i = 0; i < image->choice->count; i++) {
		const struct chosen *c = &image->choice->items[i];
		const struct digest *d = &c->descriptor.promise.digest;
		if (c->manifest && c->manifest->image && !c->descriptor.attestation && !digest_equal(d, source) &&
		    add_subject(r, image, d, e))
			return -1;
	}
	return 0;
}

/* Lists. */

static int take_descriptor(void *ctx, const struct descriptor *d, struct err *e)
{
	struct subject *s = ctx;

	if (GROW(s->items, s->capacity, s->count, e))
		return -1;
	s->items[s->count++] = *d;
	return 0;
}

/* A mirror that does not know the question is passed over for the registry itself, as for a tag that it lacks. */
static int list_once(struct ask *a, struct registry_conn *conn, const char *repository, struct err *e)
{
	struct subject *s = a->ctx;

	s->count = 0;
	const int listed = registry_list_referrers(conn, repository, &s->digest, take_descriptor, s, e);
	if (listed)
		return listed < 0 ? -1 : 0;
	return err_set(e, ERR_ABSENT, "%s does not list referrers", registry_conn_host(conn));
}

static int list_turn_of(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct round *r = ctx;
	struct subject *s = &r->subjects[item];
	struct err why = { 0 };
	struct ask a = {
		.registry = s->image->registry,
		.repository = s->image->repository,
		.worker = worker,
		.what = s->image->noun,
		.attempt = list_once,
		.ctx = s,
		.by_tag = true,
	};

	s->listed = !ask(r->registries, &a, &why);
	if (s->listed || why.kind == ERR_ABSENT)
		return 0;
	if (e)
		*e = why;
	return err_at(e, "%s", s->image->noun);
}

/* Taking what was found. */

static bool has(const struct attached *a, const struct attachment *item)
{
	for (size_t i = 0; i < a->count; i++)
		if (a->items[i].paper == item->paper &&
		    (!strcmp(a->items[i].tag, item->tag) ||
		     (!*item->tag && digest_equal(&a->items[i].subject, &item->subject))))
			return true;
	return false;
}

static bool fits(uint64_t *all, uint64_t size)
{
	if (size > LIMIT_REFERRER_BYTES - *all)
		return false;
	*all += size;
	return true;
}

static int count_bytes(struct attached *a, const struct paper *paper, const struct manifest *m, struct err *e)
{
	char most[TEXT_SIZE_CAP];
	bool all = fits(&a->bytes, paper->promise.size) && fits(&a->bytes, m->config.promise.size);

	for (size_t i = 0; all && i < m->count; i++)
		all = fits(&a->bytes, m->layers[i].promise.size);
	return all ? 0
		   : err_set(e, ERR_USAGE, "has more than %s of signatures and other referrers; leave out --referrers",
			     text_size(most, LIMIT_REFERRER_BYTES));
}

static int take(const struct round *r, const struct subject *s, const struct paper *paper, const char *tag,
		struct err *e)
{
	struct attached *a = s->image;
	struct attachment item = { .paper = paper, .subject = s->digest };
	char text[DIGEST_TEXT_SIZE];

	digest_text(&paper->promise.digest, text);
	(void)snprintf(item.tag, sizeof(item.tag), "%s", tag);
	if (has(a, &item))
		return 0;
	if (paper->kind != PAPER_MANIFEST) {
		event_text(r->registries->events, EVENT_WARNING, "%s: its referrer %s is no manifest, and is left out",
			   a->noun, text);
		return 0;
	}
	AUTO(manifest) m = manifest_parse(paper->bytes.data, paper->bytes.len, e);
	if (!m)
		return err_at(e, "%s: referrer %s", a->noun, text);
	if (!*tag && !(m->has_subject && digest_equal(&m->subject, &s->digest))) {
		event_text(r->registries->events, EVENT_WARNING,
			   "%s: %s is listed as a referrer, but names another subject, and is left out", a->noun, text);
		return 0;
	}
	if (a->count >= LIMIT_REFERRERS)
		return err_set(e, ERR_USAGE, "%s: has more than %d referrers; leave out --referrers", a->noun,
			       LIMIT_REFERRERS);
	if (count_bytes(a, paper, m, e))
		return err_at(e, "%s", a->noun);
	if (GROW(a->items, a->capacity, a->count, e))
		return -1;
	a->items[a->count++] = item;
	return 0;
}

/* Tags. */

#define TAGS (REFERRERS_SUFFIXES + 1)

/* The fallback index stands for the list that the registry does not give. */
static int read_fallback(struct subject *s, const struct paper *paper, struct err *e)
{
	if (paper->kind != PAPER_INDEX)
		return 0;
	AUTO(index) x = index_parse(paper->bytes.data, paper->bytes.len, e);
	if (!x)
		return -1;
	for (size_t i = 0; i < x->count; i++)
		if (take_descriptor(s, &x->entries[i], e))
			return -1;
	return 0;
}

static int read_tags(struct round *r, struct err *e)
{
	AUTO_MEM struct order *orders = calloc(TAGS * r->count + 1, sizeof(*orders));
	AUTO_MEM char(*tags)[REFERRERS_TAG_SIZE] = calloc(TAGS * r->count + 1, sizeof(*tags));
	size_t n = 0;

	if (!orders || !tags)
		return err_memory(e);
	for (size_t i = 0; i < r->count; i++) {
		const struct subject *s = &r->subjects[i];
		for (size_t k = 0; k < TAGS - (size_t)s->listed; k++, n++)
			orders[n] = (struct order){
				.registry = s->image->registry,
				.repository = s->image->repository,
				.noun = s->image->noun,
				.optional = true,
				.tag = referrers_tag(&s->digest, k < REFERRERS_SUFFIXES ? referrers_suffixes[k] : "",
						     tags[n]),
			};
	}
	if (library_read(r->library, orders, n, e))
		return -1;
	n = 0;
	for (size_t i = 0; i < r->count; i++) {
		struct subject *s = &r->subjects[i];
		for (size_t k = 0; k < TAGS - (size_t)s->listed; k++, n++) {
			const struct paper *paper = orders[n].result;
			if (paper &&
			    (k < REFERRERS_SUFFIXES ? take(r, s, paper, tags[n], e) : read_fallback(s, paper, e)))
				return -1;
		}
	}
	return 0;
}

/* Manifests that lists name. */

static int compare(const void *a, const void *b)
{
	const struct descriptor *x = a;
	const struct descriptor *y = b;

	return digest_compare(&x->promise.digest, &y->promise.digest);
}

/* Sorted, so that the archive does not depend on the order in which a registry lists. */
static int keep_manifests(const struct round *r, struct subject *s, struct err *e)
{
	size_t kept = 0;
	char text[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < s->count; i++) {
		const struct descriptor *d = &s->items[i];
		if (!strcmp(d->media_type, MEDIA_OCI_MANIFEST) || !strcmp(d->media_type, MEDIA_DOCKER_MANIFEST))
			s->items[kept++] = *d;
		else
			event_text(r->registries->events, EVENT_WARNING,
				   "%s: its referrer %s is no manifest, and is left out", s->image->noun,
				   digest_text(&d->promise.digest, text));
	}
	s->count = kept;
	if (kept > LIMIT_REFERRERS)
		return err_set(e, ERR_USAGE, "%s: has more than %d referrers; leave out --referrers", s->image->noun,
			       LIMIT_REFERRERS);
	if (kept)
		qsort(s->items, kept, sizeof(*s->items), compare);
	return 0;
}

static int read_listed(struct round *r, struct err *e)
{
	size_t all = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (keep_manifests(r, &r->subjects[i], e))
			return -1;
		all += r->subjects[i].count;
	}
	AUTO_MEM struct order *orders = calloc(all + 1, sizeof(*orders));
	if (!orders)
		return err_memory(e);
	size_t n = 0;
	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; k < r->subjects[i].count; k++)
			orders[n++] = (struct order){ .registry = r->subjects[i].image->registry,
						      .repository = r->subjects[i].image->repository,
						      .noun = r->subjects[i].image->noun,
						      .optional = true,
						      .size_known = true,
						      .promise = r->subjects[i].items[k].promise };
	if (library_read(r->library, orders, n, e))
		return -1;
	n = 0;
	for (size_t i = 0; i < r->count; i++) {
		const struct subject *s = &r->subjects[i];
		for (size_t k = 0; k < s->count; k++, n++) {
			char text[DIGEST_TEXT_SIZE];
			if (!orders[n].result)
				event_text(r->registries->events, EVENT_WARNING,
					   "%s: its referrer %s is listed, but is not there, and is left out",
					   s->image->noun, digest_text(&s->items[k].promise.digest, text));
			else if (take(r, s, orders[n].result, "", e))
				return -1;
		}
	}
	return 0;
}

/* `first`: of each image the items that the round before has found; NULL: the images themselves. */
static int run_round(struct attached *images, size_t count, size_t *first, unsigned depth,
		     struct registries *registries, struct library *library, struct err *e)
{
	__attribute__((cleanup(round_release))) struct round r = { .registries = registries, .library = library };

	for (size_t i = 0; i < count; i++) {
		struct attached *a = &images[i];
		if (!depth && add_image(&r, a, e))
			return -1;
		for (size_t k = first[i]; depth && k < a->count; k++)
			if (add_subject(&r, a, &a->items[k].paper->promise.digest, e))
				return -1;
		first[i] = a->count;
	}
	return parallel_for(r.count, registries_workers(registries), list_turn_of, &r, e) || read_tags(&r, e) ||
			       read_listed(&r, e)
		       ? -1
		       : 0;
}

int attached_find(struct attached *images, size_t count, struct registries *registries, struct library *library,
		  struct err *e)
{
	AUTO_MEM size_t *first = calloc(count + 1, sizeof(*first));

	if (!first)
		return err_memory(e);
	for (unsigned depth = 0; depth < LIMIT_REFERRER_DEPTH; depth++)
		if (run_round(images, count, first, depth, registries, library, e))
			return -1;
	for (size_t i = 0; i < count; i++)
		event_text(registries->events, EVENT_DETAIL, "%s: %zu signatures and other referrers", images[i].noun,
			   images[i].count);
	return 0;
}

void attached_release(struct attached *a)
{
	free(a->items);
}

/* The pack. */

static ptrdiff_t add_paper(struct pack *pack, const struct paper *p, struct err *e)
{
	return pack_add_blob(pack, &p->promise, BLOB_MANIFEST, p->media_type, p->bytes.data, e);
}

int attached_add_papers(const struct attached *a, struct pack *pack, struct err *e)
{
	for (size_t i = 0; i < a->count; i++)
		if (add_paper(pack, a->items[i].paper, e) < 0)
			return -1;
	return 0;
}

int attached_add_to_pack(const struct attached *a, struct pack *pack, struct pack_image *image, struct err *e)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct attachment *item = &a->items[i];
		const ptrdiff_t blob = add_paper(pack, item->paper, e);
		if (blob < 0 || pack_image_add_referrer(pack, image, (size_t)blob, item->tag, &item->subject, e))
			return -1;
	}
	return 0;
}
