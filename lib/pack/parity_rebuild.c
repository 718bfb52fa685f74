/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/parity_inside.h"

#include "base/cancel.h"
#include "base/limits.h"
#include "base/parallel.h"
#include "base/text.h"
#include "codec/erasure.h"

#include <pthread.h>
#include <string.h>

/* The files at one block position: those that are read, as many as there are chunks, and those that are rebuilt. */
struct pattern {
	size_t have[ERASURE_MAX];
	size_t want[LIMIT_PARITY];
	size_t count; /* of want */
};

/* A thread's own. Neighbours mostly miss the same files, so the last code is kept. */
struct hand {
	uint8_t *memory; /* a piece for each file */
	struct hasher *hashers[LIMIT_PARITY];
	struct pattern last;
	struct erasure *code;
};

struct rebuild {
	const struct sums *sums;
	const struct parity_source *source;
	const struct events *events;
	struct hand *hands;
	size_t piece;
	pthread_mutex_t lock; /* guards done */
	uint64_t done;
};

static const struct sums_file *file_at(const struct sums *s, size_t file)
{
	return file < s->count ? &s->chunks[file] : &s->parity[file - s->count];
}

/* A short last chunk has no block here: it counts as zeros, which nobody can lose. */
static bool is_good(const struct sums *s, const struct parity_source *source, size_t file, size_t block)
{
	return block >= sums_blocks(file_at(s, file)) || source->is_good(source->ctx, file, block);
}

static bool is_beyond(const struct sums *s, const struct parity_source *source, size_t block)
{
	size_t good = 0;

	for (size_t i = 0; i < s->count + s->parity_count && good < s->count; i++)
		if (is_good(s, source, i, block))
			good++;
	return good < s->count;
}

size_t parity_beyond(const struct sums *s, const struct parity_source *source)
{
	size_t beyond = 0;

	for (size_t b = 0; b < sums_blocks(&s->chunks[0]); b++)
		if (is_beyond(s, source, b))
			beyond++;
	return beyond;
}

static void look(const struct rebuild *r, size_t block, struct pattern *p)
{
	const struct sums *s = r->sums;
	size_t have = 0;

	*p = (struct pattern){ 0 };
	for (size_t i = 0; i < s->count + s->parity_count; i++) {
		if (!is_good(s, r->source, i, block))
			p->want[p->count++] = i;
		else if (have < s->count)
			p->have[have++] = i;
	}
}

static int prepare_code(const struct rebuild *r, struct hand *h, const struct pattern *p, struct err *e)
{
	const struct sums *s = r->sums;

	if (h->code && !memcmp(p, &h->last, sizeof(*p)))
		return 0;
	erasure_free(h->code);
	h->code = erasure_new(s->count, s->parity_count, p->have, p->want, p->count, e);
	h->last = *p;
	return h->code ? 0 : -1;
}

/* How many of the bytes at..at+len of its block a file has. */
static size_t within(const struct rebuild *r, size_t file, size_t block, size_t at, size_t len)
{
	const struct sums_file *f = file_at(r->sums, file);
	const uint64_t size = block < sums_blocks(f) ? sums_block_size(f, block) : 0;

	if (at >= size)
		return 0;
	return size - at < len ? (size_t)(size - at) : len;
}

static int rebuild_piece(const struct rebuild *r, struct hand *h, size_t block, size_t at, size_t len, struct err *e)
{
	const struct pattern *p = &h->last;
	const struct parity_source *source = r->source;
	const size_t count = r->sums->count;
	uint8_t *pieces[ERASURE_MAX];

	for (size_t i = 0; i < count + p->count; i++)
		pieces[i] = h->memory + i * r->piece;
	for (size_t i = 0; i < count; i++) {
		const size_t n = within(r, p->have[i], block, at, len);
		if (n && source->read(source->ctx, p->have[i], block, pieces[i], at, n, e))
			return -1;
		memset(pieces[i] + n, 0, len - n);
	}
	erasure_run(h->code, pieces, pieces + count, len);
	for (size_t i = 0; i < p->count; i++) {
		const size_t n = within(r, p->want[i], block, at, len);
		if (n && (hasher_update(h->hashers[i], pieces[count + i], n, e) ||
			  source->give(source->ctx, p->want[i], block, pieces[count + i], at, n, e)))
			return -1;
	}
	return 0;
}

static int compare(const struct rebuild *r, struct hand *h, size_t block, struct err *e)
{
	char shown[256];

	for (size_t i = 0; i < h->last.count; i++) {
		const struct sums_file *f = file_at(r->sums, h->last.want[i]);
		struct digest d;
		if (hasher_finish(h->hashers[i], &d, e))
			return -1;
		if (!digest_equal(&d, &f->blocks[block]))
			return err_set(e, ERR_CORRUPT, "block %zu of %s was rebuilt and is not what the table says",
				       block + 1, text_escape_str(shown, sizeof(shown), f->name));
	}
	return 0;
}

static int rebuild_position(void *ctx, size_t block, size_t worker, struct err *e)
{
	struct rebuild *r = ctx;
	struct hand *h = &r->hands[worker];
	const size_t size = (size_t)sums_block_size(&r->sums->chunks[0], block);
	struct pattern p;

	look(r, block, &p);
	if (p.count) {
		if (prepare_code(r, h, &p, e))
			return -1;
		for (size_t at = 0; at < size; at += r->piece)
			if (cancel_check(e) ||
			    rebuild_piece(r, h, block, at, size - at < r->piece ? size - at : r->piece, e))
				return -1;
		if (compare(r, h, block, e))
			return -1;
	}
	pthread_mutex_lock(&r->lock);
	r->done += size;
	event_progress(r->events, 0, r->done, r->sums->chunks[0].size);
	pthread_mutex_unlock(&r->lock);
	return 0;
}

static int prepare(struct rebuild *r, size_t threads, struct err *e)
{
	const size_t files = r->sums->count + r->sums->parity_count;

	r->hands = calloc(threads, sizeof(*r->hands));
	if (!r->hands)
		return err_memory(e);
	for (size_t i = 0; i < threads; i++) {
		struct hand *h = &r->hands[i];
		if (!(h->memory = malloc(files * r->piece)))
			return err_memory(e);
		for (size_t k = 0; k < r->sums->parity_count; k++)
			if (!(h->hashers[k] = hasher_new(e)))
				return -1;
	}
	return 0;
}

static void release(struct rebuild *r, size_t threads)
{
	for (size_t i = 0; r->hands && i < threads; i++) {
		struct hand *h = &r->hands[i];
		for (size_t k = 0; k < r->sums->parity_count; k++)
			hasher_free(h->hashers[k]);
		erasure_free(h->code);
		free(h->memory);
	}
	free(r->hands);
	pthread_mutex_destroy(&r->lock);
}

int parity_rebuild(const struct sums *s, const struct parity_source *source, const struct events *events, struct err *e)
{
	const size_t blocks = sums_blocks(&s->chunks[0]);
	const size_t threads = parity_threads() < blocks ? parity_threads() : blocks;
	struct rebuild r = { .sums = s,
			     .source = source,
			     .events = events,
			     .piece = parity_piece(s->count + s->parity_count),
			     .lock = PTHREAD_MUTEX_INITIALIZER };
	const size_t beyond = parity_beyond(s, source);

	if (r.piece > s->chunks[0].size)
		r.piece = (size_t)s->chunks[0].size;
	if (beyond)
		return err_set(e, ERR_CORRUPT, "at %zu of %zu places more is lost than the parity files bring back",
			       beyond, blocks);
	if (!s->parity_count)
		return 0;
	event_emit(events,
		   &(struct event){ .kind = EVENT_PLAN, .total = s->chunks[0].size, .count = 1, .text = "rebuilding" });
	event_begin(events, 0, s->chunks[0].size, "the lost blocks");
	int rc = prepare(&r, threads, e) || parallel_for(blocks, threads, rebuild_position, &r, e) ? -1 : 0;
	event_end(events, 0, rc ? "failed" : "done");
	release(&r, threads);
	return rc;
}
