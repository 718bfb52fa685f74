/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/pieces_inside.h"

#include "base/buf.h"
#include "base/cancel.h"
#include "base/clock.h"

#include <string.h>

/* How often one who waits looks whether somebody has become slow. */
#define LOOK_NS 100000000L

/* Gaps. */

/* Puts a gap where it belongs and joins it with its neighbours. There is room: see reserve(). */
static void add_gap(struct blob *b, uint64_t from, uint64_t to)
{
	size_t i = 0;

	if (from >= to)
		return;
	while (i < b->count && b->gaps[i].to < from)
		i++;
	size_t end = i;
	for (; end < b->count && b->gaps[end].from <= to; end++) {
		from = b->gaps[end].from < from ? b->gaps[end].from : from;
		to = b->gaps[end].to > to ? b->gaps[end].to : to;
	}
	memmove(&b->gaps[i + 1], &b->gaps[end], (b->count - end) * sizeof(*b->gaps));
	b->gaps[i] = (struct gap){ from, to };
	b->count = b->count - (end - i) + 1;
}

void blob_pop(struct blob *b, uint64_t len)
{
	b->gaps[0].from += len;
	if (b->gaps[0].from < b->gaps[0].to)
		return;
	b->count--;
	memmove(&b->gaps[0], &b->gaps[1], b->count * sizeof(*b->gaps));
}

uint64_t blob_gaps(const struct blob *b)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < b->count; i++)
		sum += b->gaps[i].to - b->gaps[i].from;
	return sum;
}

/* Everybody who works could give a piece back as a gap of its own: what happens under way needs no memory then. */
static int reserve(struct pieces *p, struct blob *b, struct err *e)
{
	while (b->capacity < b->count + p->workers + 2)
		if (GROW(b->gaps, b->capacity, b->capacity, e))
			return -1;
	return 0;
}

struct pieces *pieces_new(const uint64_t *sizes, size_t count, size_t workers, bool limited, struct err *e)
{
	AUTO(pieces) p = calloc(1, sizeof(*p));

	if (!p) {
		err_memory(e);
		return NULL;
	}
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->changed, NULL);
	p->blobs = calloc(count + 1, sizeof(*p->blobs));
	p->hands = calloc(workers + 1, sizeof(*p->hands));
	if (!p->blobs || !p->hands) {
		err_memory(e);
		return NULL;
	}
	p->workers = workers;
	p->limited = limited;
	p->blob_count = count;
	for (size_t i = 0; i < count; i++) {
		p->blobs[i].size = sizes[i];
		if (reserve(p, &p->blobs[i], e))
			return NULL;
		add_gap(&p->blobs[i], 0, sizes[i]);
	}
	return TAKE(p);
}

void pieces_free(struct pieces *p)
{
	if (!p)
		return;
	for (size_t i = 0; p->blobs && i < p->blob_count; i++)
		free(p->blobs[i].gaps);
	free(p->blobs);
	free(p->hands);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

int pieces_have(struct pieces *p, size_t blob, uint64_t from, uint64_t to, struct err *e)
{
	struct blob *b = &p->blobs[blob];

	for (size_t i = 0; i < b->count; i++) {
		struct gap g = b->gaps[i];
		if (g.to <= from || g.from >= to)
			continue;
		b->count--;
		memmove(&b->gaps[i], &b->gaps[i + 1], (b->count - i) * sizeof(*b->gaps));
		if (reserve(p, b, e))
			return -1;
		add_gap(b, g.from, from < g.to ? from : g.to);
		add_gap(b, to > g.from ? to : g.from, g.to);
		i = (size_t)-1; /* the list is another one now */
	}
	return 0;
}

/* Looking. */

/* Of blobs first..end-1. Under the lock. */
static uint64_t missing(const struct pieces *p, size_t first, size_t end)
{
	uint64_t sum = 0;

	for (size_t i = first; i < end; i++)
		sum += blob_gaps(&p->blobs[i]);
	for (size_t w = 0; w < p->workers; w++) {
		const struct hand *h = &p->hands[w];
		if (h->busy && h->blob >= first && h->blob < end)
			sum += h->to - h->from;
	}
	return sum;
}

uint64_t pieces_missing(struct pieces *p, size_t blob)
{
	pthread_mutex_lock(&p->lock);
	uint64_t sum = blob == SIZE_MAX ? missing(p, 0, p->blob_count) : missing(p, blob, blob + 1);
	pthread_mutex_unlock(&p->lock);
	return sum;
}

uint64_t pieces_reach(struct pieces *p, size_t blob, uint64_t from)
{
	const struct blob *b = &p->blobs[blob];
	uint64_t reach;

	pthread_mutex_lock(&p->lock);
	reach = b->size;
	for (size_t i = 0; i < b->count; i++)
		if (b->gaps[i].to > from && b->gaps[i].from < reach)
			reach = b->gaps[i].from > from ? b->gaps[i].from : from;
	for (size_t w = 0; w < p->workers; w++) {
		const struct hand *h = &p->hands[w];
		if (h->busy && h->blob == blob && h->to > from && h->from < reach && h->from < h->to)
			reach = h->from > from ? h->from : from;
	}
	pthread_mutex_unlock(&p->lock);
	return reach;
}

/* Handing out. */

size_t pieces_busy(const struct pieces *p)
{
	size_t n = 0;

	for (size_t w = 0; w < p->workers; w++)
		n += p->hands[w].busy ? 1 : 0;
	return n;
}

int pieces_take(struct pieces *p, size_t worker, struct piece *out, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		if (atomic_load(&p->stopped))
			break;
		if (cancel_check(e)) {
			rc = -1;
			break;
		}
		if (pieces_give(p, worker, out)) {
			rc = 1;
			break;
		}
		if (!pieces_busy(p))
			break;
		clock_wait(&p->changed, &p->lock, LOOK_NS);
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

/* At work. */

uint64_t pieces_left(struct pieces *p, size_t worker)
{
	const struct hand *h = &p->hands[worker];

	pthread_mutex_lock(&p->lock);
	uint64_t left = h->busy && !atomic_load(&p->stopped) ? h->to - h->from : 0;
	pthread_mutex_unlock(&p->lock);
	return left;
}

uint64_t pieces_wrote(struct pieces *p, size_t worker, uint64_t len)
{
	struct hand *h = &p->hands[worker];

	pthread_mutex_lock(&p->lock);
	/* What another took over meanwhile is written twice, with the same bytes. */
	h->from = len < h->to - h->from ? h->from + len : h->to;
	h->got += len;
	h->last = clock_ns();
	uint64_t left = missing(p, h->blob, h->blob + 1);
	pthread_mutex_unlock(&p->lock);
	return left;
}

void pieces_rest(struct pieces *p, size_t worker, bool rests)
{
	struct hand *h = &p->hands[worker];

	pthread_mutex_lock(&p->lock);
	h->rests = rests;
	h->since = h->last = clock_ns();
	h->got = 0;
	pthread_mutex_unlock(&p->lock);
}

void pieces_rewind(struct pieces *p, size_t worker)
{
	pthread_mutex_lock(&p->lock);
	p->hands[worker].from = 0;
	pthread_mutex_unlock(&p->lock);
}

/* Under the lock. */
static void let_go(struct pieces *p, struct hand *h)
{
	struct blob *b = &p->blobs[h->blob];

	if (h->got)
		h->speed = (double)h->got / (double)(clock_ns() - h->since + 1);
	add_gap(b, h->from, h->to);
	b->active--;
	h->busy = false;
	pthread_cond_broadcast(&p->changed);
}

void pieces_drop(struct pieces *p, size_t worker)
{
	struct hand *h = &p->hands[worker];

	pthread_mutex_lock(&p->lock);
	if (h->busy)
		let_go(p, h);
	pthread_mutex_unlock(&p->lock);
}

bool pieces_take_rest(struct pieces *p, size_t worker)
{
	struct hand *me = &p->hands[worker];
	struct blob *b = &p->blobs[me->blob];
	bool foremost = true;

	pthread_mutex_lock(&p->lock);
	b->whole = true;
	for (size_t w = 0; w < p->workers; w++) {
		const struct hand *h = &p->hands[w];
		if (h != me && h->busy && h->blob == me->blob && h->from < h->to && h->from < me->from)
			foremost = false;
	}
	for (size_t i = 0; i < b->count; i++)
		foremost = foremost && b->gaps[i].from >= me->from;
	for (size_t w = 0; foremost && w < p->workers; w++) {
		struct hand *h = &p->hands[w];
		if (h == me || !h->busy || h->blob != me->blob)
			continue;
		h->to = h->from;
		atomic_store(&h->stop, true);
	}
	if (foremost) {
		b->count = 0;
		me->to = b->size;
	}
	pthread_mutex_unlock(&p->lock);
	return foremost;
}

void pieces_restart(struct pieces *p, size_t blob)
{
	struct blob *b = &p->blobs[blob];

	pthread_mutex_lock(&p->lock);
	for (size_t w = 0; w < p->workers; w++) {
		struct hand *h = &p->hands[w];
		if (!h->busy || h->blob != blob)
			continue;
		h->to = h->from;
		atomic_store(&h->stop, true);
	}
	b->whole = true;
	b->count = 0;
	add_gap(b, 0, b->size);
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}

void pieces_stop(struct pieces *p)
{
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->stopped, true);
	for (size_t w = 0; w < p->workers; w++)
		atomic_store(&p->hands[w].stop, true);
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
}
