/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/only.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* A block, put together and proved. */

static int make_room(struct only *o, struct only_worker *w, struct err *e)
{
	const size_t registries = o->registries->count + 1;

	if (!w->block)
		w->block = malloc(SUMS_BLOCK);
	if (!w->givers)
		w->givers = calloc(registries, sizeof(*w->givers));
	if (!w->barred)
		w->barred = calloc(registries, sizeof(*w->barred));
	return w->block && w->givers && w->barred ? 0 : err_memory(e);
}

/* Where in the archive the blocks end that follow block order[k] of the unit without a hole. */
static uint64_t reach(const struct only *o, const struct only_unit *u, size_t k)
{
	const struct wants *w = o->wants;
	uint64_t end = wants_offset(w, o->order[k]) + w->blocks[o->order[k]].size;

	while (++k < u->first + u->count && wants_offset(w, o->order[k]) == end)
		end += w->blocks[o->order[k]].size;
	return end;
}

/* 1: later, 0, -1. */
static int assemble(struct only *o, const struct only_unit *u, size_t k, size_t worker, struct err *e)
{
	const struct wanted_block *b = &o->wants->blocks[o->order[k]];
	const uint64_t off = wants_offset(o->wants, o->order[k]);
	const uint64_t end = reach(o, u, k);
	char *buf = o->workers[worker].block;
	int rc = 0;

	for (size_t done = 0; !rc && done < b->size;) {
		const struct member *m;
		uint64_t from;
		const size_t n = layout_part(o->layout, off + done, (size_t)b->size - done, buf + done, &m, &from);
		if (m) {
			const uint64_t to = end - m->data < m->promise.size ? end - m->data : m->promise.size;
			rc = only_take(o, worker, m, from, to, buf + done, n, e);
		}
		done += n;
	}
	return rc;
}

/* The blob's bytes may be what its Content-Encoding hides: then they are asked for once more. */
static bool try_decoding(struct only *o, const struct only_worker *w, size_t i)
{
	const uint64_t off = wants_offset(o->wants, i);
	const uint64_t end = off + o->wants->blocks[i].size;
	bool changed = false;

	for (size_t k = 0; w->encoded && k < o->layout->count; k++) {
		const struct member *m = &o->layout->members[k];
		if (m->bytes || m->data >= end || m->data + m->promise.size <= off)
			continue;
		changed = changed || !atomic_load(&o->decode[m->blob]);
		atomic_store(&o->decode[m->blob], true);
	}
	return changed;
}

/* Who gave the bytes of a block. */
struct blame {
	size_t givers;
	size_t mirrors;  /* of them, those that are not the registry itself: barred from now on */
	size_t registry; /* of the last one */
	size_t endpoint;
};

static struct blame bar_givers(struct only *o, struct only_worker *w)
{
	struct blame b = { 0 };

	for (size_t r = 0; r < o->registries->count; r++) {
		const size_t origin = registries_origin(o->registries, r);
		for (size_t i = 0; i < ENDPOINTS_MOST; i++) {
			const uint32_t bit = UINT32_C(1) << i;
			if (!(w->givers[r] & bit))
				continue;
			b.givers++;
			b.registry = r;
			b.endpoint = i;
			if (i == origin)
				continue;
			w->barred[r] |= bit;
			b.mirrors++;
		}
	}
	return b;
}

/* Nobody is left to ask, of a registry that is needed. */
static bool all_barred(const struct only *o, const struct only_worker *w)
{
	for (size_t r = 0; r < o->registries->count; r++) {
		const size_t count = o->registries->items[r]->count;
		const uint32_t all = count == 32 ? UINT32_MAX : (UINT32_C(1) << count) - 1;
		if (w->givers[r] && (w->barred[r] & all) == all)
			return true;
	}
	return false;
}

/*
 * The block is not what the list says. True: it is worth another try. A mirror whose bytes are in it is not asked for
 * this block again, and the registry itself twice: the way to it may have been it.
 */
static bool worth_another(struct only *o, struct only_worker *w, size_t i, struct err *wrong)
{
	if (try_decoding(o, w, i))
		return true;
	const struct blame b = bar_givers(o, w);
	if (b.givers == 1)
		err_at(wrong, "from %s",
		       registry_host(o->registries->items[b.registry]->endpoints[b.endpoint].registry));
	if (b.givers == 1 && b.mirrors)
		ask_leave(o->registries, b.registry, b.endpoint, wrong->text);
	if (!b.givers || (!b.mirrors && w->wrong++ >= WRONG_MOST))
		return false;
	if (all_barred(o, w))
		return false;
	event_text(o->events, EVENT_WARNING, "%s; it is fetched again", wrong->text);
	return true;
}

static int name_block(const struct only *o, size_t i, struct err *e)
{
	const struct wanted_block *b = &o->wants->blocks[i];
	char name[160];

	return err_at(e, "chunk %zu of %s, byte %" PRIu64, b->chunk + 1,
		      text_escape_str(name, sizeof(name), o->wants->archive), (uint64_t)b->block * SUMS_BLOCK);
}

/* 1: later, 0: it is in the blocks file, -1. */
static int fetch_block(struct only *o, const struct only_unit *u, size_t k, size_t worker, struct err *e)
{
	struct only_worker *w = &o->workers[worker];
	const size_t i = o->order[k];
	const struct wanted_block *b = &o->wants->blocks[i];
	char have[DIGEST_TEXT_SIZE];
	char want[DIGEST_TEXT_SIZE];
	struct digest d;

	memset(w->barred, 0, o->registries->count * sizeof(*w->barred));
	w->wrong = 0;
	for (;;) {
		struct err wrong = { 0 };
		memset(w->givers, 0, o->registries->count * sizeof(*w->givers));
		w->encoded = false;
		const int rc = assemble(o, u, k, worker, e);
		if (rc)
			return rc;
		if (digest_of(&d, w->block, (size_t)b->size, e))
			return -1;
		if (digest_equal(&d, &b->digest))
			return space_pwrite(o->space, w->block, (size_t)b->size, o->header + b->place, e);
		err_set(&wrong, ERR_CORRUPT, "the block has digest %s, expected %s", digest_text(&d, have),
			digest_text(&b->digest, want));
		source_free(TAKE(w->body));
		if (worth_another(o, w, i, &wrong))
			continue;
		if (e)
			*e = wrong;
		return -1;
	}
}

int only_fetch_unit(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct only *o = ctx;
	const struct only_unit *u = &o->units[item];
	const size_t first = o->order[u->first];
	uint64_t total = 0;
	uint64_t done = 0;
	bool later = false;
	int rc = 0;

	if (make_room(o, &o->workers[worker], e))
		return -1;
	for (size_t k = u->first; k < u->first + u->count; k++)
		total += o->wants->blocks[o->order[k]].size;
	event_begin(o->events, first, total, "chunk %zu", o->wants->blocks[first].chunk + 1);
	for (size_t k = u->first; rc >= 0 && k < u->first + u->count; k++) {
		rc = fetch_block(o, u, k, worker, e);
		later = later || rc > 0;
		o->later[o->order[k]] = rc > 0;
		if (rc < 0)
			name_block(o, o->order[k], e);
		done += o->wants->blocks[o->order[k]].size;
		if (!rc)
			event_progress(o->events, first, done, total);
	}
	source_free(TAKE(o->workers[worker].body));
	event_end(o->events, first, rc < 0 ? "failed" : later ? "later" : "done");
	return rc < 0 ? -1 : 0;
}
