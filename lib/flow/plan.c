/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/plan.h"

#include "base/limits.h"
#include "flow/attached.h"
#include "flow/choice.h"
#include "flow/library.h"
#include "flow/maps.h"
#include "oci/reference.h"

#include <stdio.h>
#include <string.h>

/* One reference on its way into the pack. */
struct wanted {
	struct reference reference;
	struct reference place;                 /* where it is fetched from: what a rule made of the reference */
	char name[REFERENCE_TEXT_SIZE];         /* under which it will be known */
	char noun[2 * REFERENCE_TEXT_SIZE + 8]; /* as errors call it */
	size_t registry;
	const struct paper *source; /* what the reference points at */
	struct choice *choice;
};

/* References. */

/* Where it is fetched from. The archive and the errors keep the name that was asked for. */
static int find_place(struct wanted *w, const struct maps *maps, const struct events *events, struct err *e)
{
	struct rule_found rule;
	char asked[REFERENCE_TEXT_SIZE], place[REFERENCE_TEXT_SIZE];
	int rc = maps_find(maps, &w->reference, &w->place, &rule, e);

	if (rc < 0)
		return -1;
	reference_familiar(&w->reference, asked);
	if (!rc) {
		(void)snprintf(w->noun, sizeof(w->noun), "%s", asked);
		return 0;
	}
	reference_text(&w->place, place);
	(void)snprintf(w->noun, sizeof(w->noun), "%s (at %s)", asked, place);
	event_text(events, EVENT_DETAIL, "%s is fetched from %s (%s:%zu)", asked, place, rule.file, rule.line);
	return 0;
}

static int read_reference(struct wanted *w, const char *text, const struct maps *maps, const struct events *events,
			  struct registries *registries, struct err *e)
{
	if (reference_parse(&w->reference, text, e) || find_place(w, maps, events, e))
		return -1;
	reference_local_name(&w->reference, w->name);
	ptrdiff_t registry = registries_add(registries, w->place.registry, e);
	if (registry < 0)
		return -1;
	w->registry = (size_t)registry;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct wanted *const *x = a;
	const struct wanted *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	return order ? order : (*x > *y) - (*x < *y);
}

/* The same reference twice is once; two that would carry one name are an error. Marks what is dropped by an empty name.
 */
static int drop_repeated(struct plan *p, struct err *e)
{
	AUTO_MEM struct wanted **sorted = calloc(p->wanted_count + 1, sizeof(*sorted));
	char a[REFERENCE_TEXT_SIZE];
	char b[REFERENCE_TEXT_SIZE];

	if (!sorted)
		return err_memory(e);
	for (size_t i = 0; i < p->wanted_count; i++)
		sorted[i] = &p->wanted[i];
	qsort(sorted, p->wanted_count, sizeof(struct wanted *), compare_names);
	for (size_t i = 1, first = 0; i < p->wanted_count; i++) {
		if (strcmp(sorted[first]->name, sorted[i]->name) != 0) {
			first = i;
			continue;
		}
		reference_text(&sorted[first]->reference, a);
		reference_text(&sorted[i]->reference, b);
		if (strcmp(a, b) != 0)
			return err_set(e, ERR_USAGE, "%s and %s would both be named %s; fetch them into two archives",
				       a, b, sorted[first]->name);
		sorted[i]->registry = SIZE_MAX;
	}
	size_t kept = 0;
	for (size_t i = 0; i < p->wanted_count; i++)
		if (p->wanted[i].registry != SIZE_MAX)
			p->wanted[kept++] = p->wanted[i];
	p->wanted_count = kept;
	return 0;
}

static int read_references(struct plan *p, const struct fetch_options *o, struct registries *registries, struct err *e)
{
	AUTO(maps) maps = maps_new(o->maps, e);

	if (!maps)
		return -1;
	if (!o->reference_count)
		return err_set(e, ERR_USAGE, "no image is named");
	if (o->reference_count > LIMIT_IMAGES)
		return err_set(e, ERR_USAGE, "%zu images; an archive holds at most %d", o->reference_count,
			       LIMIT_IMAGES);
	p->wanted = calloc(o->reference_count, sizeof(*p->wanted));
	if (!p->wanted)
		return err_memory(e);
	p->wanted_count = o->reference_count;
	for (size_t i = 0; i < p->wanted_count; i++)
		if (read_reference(&p->wanted[i], o->references[i], maps, o->events, registries, e))
			return -1;
	if (drop_repeated(p, e))
		return -1;
	return registries_check_credential(registries, e);
}

/* Papers, in rounds: what the references point at; then, as long as there are new ones, what indexes point at; configs.
 */

static int read_sources(struct plan *p, struct err *e)
{
	AUTO_MEM struct order *orders = calloc(p->wanted_count, sizeof(*orders));

	if (!orders)
		return err_memory(e);
	for (size_t i = 0; i < p->wanted_count; i++) {
		const struct wanted *w = &p->wanted[i];
		orders[i] = (struct order){ .registry = w->registry,
					    .repository = w->place.repository,
					    .noun = w->noun,
					    .tag = w->place.has_digest ? NULL : w->place.tag,
					    .promise.digest = w->place.digest };
	}
	if (library_read(p->library, orders, p->wanted_count, e))
		return -1;
	for (size_t i = 0; i < p->wanted_count; i++)
		p->wanted[i].source = orders[i].result;
	return 0;
}

static int choose_all(struct plan *p, const struct fetch_options *o, struct err *e)
{
	for (size_t i = 0; i < p->wanted_count; i++) {
		struct wanted *w = &p->wanted[i];
		const struct choice_options options = {
			.platforms = o->platforms,
			.platform_count = o->platform_count,
			.whole = o->all_platforms || (w->reference.has_digest && !o->platform_count),
		};
		w->choice = choice_new(w->source, &options, e);
		if (!w->choice)
			return err_at(e, "%s", w->noun);
	}
	return 0;
}

/* Which round of downloads; each fills a list with the papers of this kind that are still unread. */
typedef int list_unread(struct wanted *w, struct order **orders, size_t *count, size_t *capacity, struct err *e);

static int add_order(const struct wanted *w, const struct promise *promise, bool config, struct order **orders,
		     size_t *count, size_t *capacity, struct err *e)
{
	if (GROW(*orders, *capacity, *count, e))
		return -1;
	(*orders)[(*count)++] = (struct order){ .registry = w->registry,
						.repository = w->place.repository,
						.noun = w->noun,
						.config = config,
						.size_known = true,
						.promise = *promise };
	return 0;
}

static int list_manifests(struct wanted *w, struct order **orders, size_t *count, size_t *capacity, struct err *e)
{
	for (size_t i = 0; i < w->choice->count; i++)
		if (!w->choice->items[i].paper &&
		    add_order(w, &w->choice->items[i].descriptor.promise, false, orders, count, capacity, e))
			return -1;
	return 0;
}

static int list_configs(struct wanted *w, struct order **orders, size_t *count, size_t *capacity, struct err *e)
{
	for (size_t i = 0; i < w->choice->count; i++) {
		const struct chosen *c = &w->choice->items[i];
		if (c->manifest && c->manifest->image &&
		    add_order(w, &c->manifest->config.promise, true, orders, count, capacity, e))
			return -1;
	}
	return 0;
}

/* Reads what `list` names for all references at once; *any says whether there was something. */
static int read_round(struct plan *p, list_unread *list, bool *any, struct err *e)
{
	AUTO_MEM struct order *orders = NULL;
	size_t count = 0;
	size_t capacity = 0;

	for (size_t i = 0; i < p->wanted_count; i++)
		if (list(&p->wanted[i], &orders, &count, &capacity, e))
			return -1;
	*any = count > 0;
	if (count && library_read(p->library, orders, count, e))
		return -1;
	/* The list is walked again in the same order, so that each choice finds its result. */
	size_t next = 0;
	for (size_t i = 0; i < p->wanted_count; i++) {
		struct wanted *w = &p->wanted[i];
		size_t before = w->choice->count;
		for (size_t k = 0; k < before; k++) {
			bool asked = list == list_manifests
					     ? !w->choice->items[k].paper
					     : w->choice->items[k].manifest && w->choice->items[k].manifest->image;
			if (asked && choice_take(w->choice, k, orders[next++].result, e))
				return err_at(e, "%s", w->noun);
		}
	}
	return 0;
}

static int read_papers(struct plan *p, struct err *e)
{
	bool any;

	do {
		if (read_round(p, list_manifests, &any, e))
			return -1;
	} while (any);
	return read_round(p, list_configs, &any, e);
}

/* The shard. */

/* What an image is when it is fetched alone. */
static uint64_t image_bytes(const struct wanted *w)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < w->choice->count; i++) {
		const struct chosen *c = &w->choice->items[i];
		bytes += c->descriptor.promise.size + (c->manifest ? c->manifest->config.promise.size : 0);
		for (size_t k = 0; c->manifest && k < c->manifest->count; k++)
			bytes += c->manifest->layers[k].promise.size;
	}
	return bytes;
}

/* Keeps the images of this run's part. */
static int keep_shard(struct plan *p, const struct fetch_options *o, struct err *e)
{
	AUTO_MEM struct shard_item *items = calloc(p->wanted_count + 1, sizeof(*items));
	AUTO_MEM size_t *of = calloc(p->wanted_count + 1, sizeof(*of));
	const size_t all = p->wanted_count;
	char mark[13];

	if (!items || !of)
		return err_memory(e);
	for (size_t i = 0; i < all; i++)
		items[i] = (struct shard_item){ p->wanted[i].name, image_bytes(&p->wanted[i]) };
	if (shard_mark(mark, items, all, o->shard.count, e) || shard_split(of, items, all, o->shard.count, e))
		return -1;
	p->wanted_count = 0;
	for (size_t i = 0; i < all; i++) {
		if (of[i] == o->shard.index)
			p->wanted[p->wanted_count++] = p->wanted[i];
		else
			choice_free(p->wanted[i].choice);
	}
	event_text(o->events, EVENT_NOTE, "shard %zu of %zu: %zu of %zu images (split %s, the same in every shard)",
		   o->shard.index, o->shard.count, p->wanted_count, all, mark);
	return 0;
}

/* The pack. */

/* Blobs that the last image added come from its repository. */
static int note_homes(struct plan *p, const struct wanted *w, size_t before, struct err *e)
{
	for (size_t i = before; i < p->pack->blob_count; i++) {
		if (GROW(p->homes, p->home_capacity, i, e))
			return -1;
		p->homes[i] = (struct blob_home){ w->registry, w->place.repository };
	}
	return 0;
}

/*
 * The papers of all images stand in front of the first layer: so who reads the archive from a pipe knows everything
 * about it, and has asked its target, before a large blob comes by.
 */
static int add_papers(struct plan *p, const struct wanted *w, struct err *e)
{
	size_t before = p->pack->blob_count;

	if (choice_add_papers(w->choice, p->pack, p->library, e) ||
	    attached_add_papers(&p->attached[w - p->wanted], p->pack, e))
		return err_at(e, "%s", w->noun);
	return note_homes(p, w, before, e);
}

static int add_image(struct plan *p, struct wanted *w, struct err *e)
{
	size_t before = p->pack->blob_count;
	struct pack_image *image = pack_add_image(p->pack, w->name, e);

	if (!image)
		return -1;
	image->has_source = true;
	image->source = w->source->promise;
	(void)snprintf(image->source_media_type, sizeof(image->source_media_type), "%s", w->source->media_type);
	if (choice_add_to_pack(w->choice, p->pack, image, p->library, e) ||
	    attached_add_to_pack(&p->attached[w - p->wanted], p->pack, image, e))
		return err_at(e, "%s", w->noun);
	return note_homes(p, w, before, e);
}

/* The images as what they have attached sees them; nothing is asked for if it is not wanted. */
static int find_attached(struct plan *p, const struct fetch_options *o, struct registries *registries, struct err *e)
{
	p->attached = calloc(p->wanted_count + 1, sizeof(*p->attached));
	if (!p->attached)
		return err_memory(e);
	for (size_t i = 0; i < p->wanted_count; i++) {
		const struct wanted *w = &p->wanted[i];
		p->attached[i] = (struct attached){
			.registry = w->registry, .repository = w->place.repository, .noun = w->noun, .choice = w->choice
		};
	}
	return o->referrers ? attached_find(p->attached, p->wanted_count, registries, p->library, e) : 0;
}

struct plan *plan_new(const struct fetch_options *o, struct registries *registries, struct err *e)
{
	AUTO(plan) p = calloc(1, sizeof(*p));

	if (!p) {
		err_memory(e);
		return NULL;
	}
	AUTO(have) have = have_new(o->have, o->events, e);
	if (!have)
		return NULL;
	p->pack = pack_new(e);
	p->library = library_new(registries, e);
	if (!p->pack || !p->library || read_references(p, o, registries, e) || read_sources(p, e) ||
	    choose_all(p, o, e) || read_papers(p, e) || (o->shard.count && keep_shard(p, o, e)) ||
	    find_attached(p, o, registries, e))
		return NULL;
	for (size_t i = 0; i < p->wanted_count; i++)
		if (choice_check_platform(p->wanted[i].choice, o, p->wanted[i].noun, e) ||
		    add_papers(p, &p->wanted[i], e))
			return NULL;
	for (size_t i = 0; i < p->wanted_count; i++) {
		if (add_image(p, &p->wanted[i], e))
			return NULL;
		choice_say(p->wanted[i].choice, p->pack, &p->pack->images[i], p->wanted[i].reference.has_digest,
			   p->wanted[i].noun, o->events);
	}
	if (have_leave_out(have, p->pack, &p->left_out, e))
		return NULL;
	p->paper_bytes = library_bytes(p->library);
	return TAKE(p);
}

void plan_free(struct plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->wanted_count; i++)
		choice_free(p->wanted[i].choice);
	for (size_t i = 0; p->attached && i < p->wanted_count; i++)
		attached_release(&p->attached[i]);
	free(p->attached);
	free(p->wanted);
	library_free(p->library);
	pack_free(p->pack);
	free(p->homes);
	free(p);
}
