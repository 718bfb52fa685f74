/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/pieces_inside.h"

#include "base/clock.h"

/* Who gets what. */

/* No piece is cut smaller, none of a blob that is cut is larger: requests cost a round trip, and what is written ahead
 * of the hash is read again, best from the page cache. */
#define PIECE_LEAST (1u << 20)
#define PIECE_MOST (64u << 20)

/* Taking over costs a connection: only from one who needs longer than this for what he has left, */
#define SLOW_NS INT64_C(2000000000)
/* or than this if he is about as fast as who would take over, */
#define LONG_NS INT64_C(10000000000)
/* and all of it from one who has not got a byte for so long. */
#define SILENT_NS INT64_C(4000000000)
#define TAKE_OVER_LEAST PIECE_LEAST

/* How large the pieces of a blob are that is begun now: its share of the free workers, if there are more of them than
 * blobs. */
static uint64_t choose_step(const struct pieces *p, const struct blob *b)
{
	uint64_t own = blob_gaps(b);
	uint64_t waiting = 0;
	size_t others = 0;
	size_t free_workers = p->workers - pieces_busy(p);

	for (size_t i = 0; i < p->blob_count; i++) {
		waiting += blob_gaps(&p->blobs[i]);
		others += p->blobs[i].count && &p->blobs[i] != b ? 1 : 0;
	}
	if (b->whole || others + 1 >= free_workers || !waiting)
		return b->size ? b->size : 1;
	/* Rounded, at least one. */
	uint64_t parts = (uint64_t)((double)own / (double)waiting * (double)free_workers + 0.5);
	if (parts <= 1)
		return b->size ? b->size : 1;
	uint64_t step = (own + parts - 1) / parts;
	return step < PIECE_LEAST ? PIECE_LEAST : step > PIECE_MOST ? PIECE_MOST : step;
}

static void give(struct pieces *p, size_t worker, size_t blob, uint64_t from, uint64_t to, struct piece *out)
{
	struct hand *h = &p->hands[worker];

	h->busy = true;
	h->blob = blob;
	h->from = from;
	h->to = to;
	h->since = h->last = clock_ns();
	h->got = 0;
	h->rescued = false;
	atomic_store(&h->stop, false);
	p->blobs[blob].active++;
	*out = (struct piece){ blob, from, to, &h->stop };
}

static void give_first_gap(struct pieces *p, size_t worker, size_t blob, struct piece *out)
{
	struct blob *b = &p->blobs[blob];
	struct gap g = b->gaps[0];
	uint64_t len = g.to - g.from;

	if (!b->step || b->whole)
		b->step = choose_step(p, b);
	/* The rest goes along rather than being a crumb of its own. */
	if (len > b->step && len - b->step >= PIECE_LEAST / 2)
		len = b->step;
	blob_pop(b, len);
	give(p, worker, blob, g.from, g.from + len, out);
}

/* A blob that nobody is at, else one that may have one more. */
static bool give_missing(struct pieces *p, size_t worker, struct piece *out)
{
	size_t best = p->blob_count;

	for (size_t i = 0; i < p->blob_count; i++) {
		const struct blob *b = &p->blobs[i];
		if (!b->count || (b->whole && b->active))
			continue;
		/* One that was cut is gone on with first: what is ahead of its hash stays little. */
		if (b->active && b->step && b->step < b->size) {
			best = i;
			break;
		}
		if (best == p->blob_count || (!b->active && p->blobs[best].active))
			best = i;
	}
	if (best == p->blob_count)
		return false;
	give_first_gap(p, worker, best, out);
	return true;
}

/* How long the hand will need for what it has left, ns. */
static double ahead(const struct hand *h, int64_t now)
{
	double speed = h->got ? (double)h->got / (double)(now - h->since + 1) : 0;

	if (speed <= 0)
		return now - h->since > SILENT_NS && !h->rescued ? 1e18 : 0;
	return (double)(h->to - h->from) / speed;
}

static bool give_from_slowest(struct pieces *p, size_t worker, struct piece *out)
{
	int64_t now = clock_ns();
	double longest = (double)SLOW_NS;
	struct hand *slow = NULL;

	for (size_t w = 0; w < p->workers; w++) {
		struct hand *h = &p->hands[w];
		if (!h->busy || h->rests || p->blobs[h->blob].whole || h->to - h->from < TAKE_OVER_LEAST ||
		    ahead(h, now) <= longest)
			continue;
		longest = ahead(h, now);
		slow = h;
	}
	if (!slow)
		return false;
	uint64_t left = slow->to - slow->from;
	uint64_t his = left / 2;
	double my_speed = p->hands[worker].speed;
	double his_speed = (double)slow->got / (double)(now - slow->since + 1);
	/* Where all are slow alike (a slow disk), only what is worth a new connection. */
	if (my_speed < his_speed * 1.5 && longest < (double)LONG_NS)
		return false;
	if (my_speed > 0)
		his = (uint64_t)((double)left * (his_speed / (his_speed + my_speed)));
	const bool silent = now - slow->last > SILENT_NS;
	if (silent)
		his = 0;
	uint64_t mid = slow->from + his;
	uint64_t end = slow->to;
	slow->to = mid;
	if (!his)
		atomic_store(&slow->stop, true);
	give(p, worker, slow->blob, mid, end, out);
	p->hands[worker].rescued = silent;
	return true;
}

bool pieces_give(struct pieces *p, size_t worker, struct piece *out)
{
	return give_missing(p, worker, out) || (!p->limited && give_from_slowest(p, worker, out));
}
