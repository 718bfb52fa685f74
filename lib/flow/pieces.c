/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/pieces.h"

#include "base/buf.h"
#include "base/cancel.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

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

/* How often one who waits looks whether somebody has become slow. */
#define LOOK_NS 100000000L

struct gap {
	uint64_t from;
	uint64_t to;
};

/* What a blob lacks and nobody is at, in order. */
struct blob {
	uint64_t size;
	struct gap *gaps;
	size_t count;
	size_t capacity;
	size_t active; /* workers at it */
	uint64_t step; /* how large its pieces are; 0: not begun */
	bool whole;    /* is not cut */
};

struct hand {
	bool busy;
	bool rests;
	size_t blob;
	uint64_t from;
	uint64_t to;
	atomic_bool stop;
	int64_t since; /* when he took it */
	int64_t last;  /* when bytes came last */
	uint64_t got;  /* of this piece */
	double speed;  /* bytes a ns of his last piece; 0: none yet */
};

struct pieces {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct blob *blobs;
	size_t blob_count;
	struct hand *hands;
	size_t workers;
	atomic_bool stopped;
};

static int64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

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

static void pop_gap(struct blob *b, uint64_t len)
{
	b->gaps[0].from += len;
	if (b->gaps[0].from < b->gaps[0].to)
		return;
	b->count--;
	memmove(&b->gaps[0], &b->gaps[1], b->count * sizeof(*b->gaps));
}

static uint64_t gap_bytes(const struct blob *b)
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

struct pieces *pieces_new(const uint64_t *sizes, size_t count, size_t workers, struct err *e)
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

uint64_t pieces_missing(struct pieces *p, size_t blob)
{
	uint64_t sum = 0;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < p->blob_count; i++)
		if (blob == SIZE_MAX || blob == i)
			sum += gap_bytes(&p->blobs[i]);
	for (size_t w = 0; w < p->workers; w++)
		if (p->hands[w].busy && (blob == SIZE_MAX || p->hands[w].blob == blob))
			sum += p->hands[w].to - p->hands[w].from;
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

static size_t busy_workers(const struct pieces *p)
{
	size_t n = 0;

	for (size_t w = 0; w < p->workers; w++)
		n += p->hands[w].busy ? 1 : 0;
	return n;
}

/* How large the pieces of a blob are that is begun now: its share of the free workers, if there are more of them than
 * blobs. */
static uint64_t choose_step(const struct pieces *p, const struct blob *b)
{
	uint64_t own = gap_bytes(b);
	uint64_t waiting = 0;
	size_t others = 0;
	size_t free_workers = p->workers - busy_workers(p);

	for (size_t i = 0; i < p->blob_count; i++) {
		waiting += gap_bytes(&p->blobs[i]);
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
	h->since = h->last = now_ns();
	h->got = 0;
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
	pop_gap(b, len);
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
		return now - h->since > SILENT_NS ? 1e18 : 0;
	return (double)(h->to - h->from) / speed;
}

static bool give_from_slowest(struct pieces *p, size_t worker, struct piece *out)
{
	int64_t now = now_ns();
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
	if (now - slow->last > SILENT_NS)
		his = 0;
	uint64_t mid = slow->from + his;
	uint64_t end = slow->to;
	slow->to = mid;
	if (!his)
		atomic_store(&slow->stop, true);
	give(p, worker, slow->blob, mid, end, out);
	return true;
}

static void wait_a_little(struct pieces *p)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LOOK_NS;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	(void)pthread_cond_timedwait(&p->changed, &p->lock, &until);
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
		if (give_missing(p, worker, out) || give_from_slowest(p, worker, out)) {
			rc = 1;
			break;
		}
		if (!busy_workers(p))
			break;
		wait_a_little(p);
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

void pieces_wrote(struct pieces *p, size_t worker, uint64_t len)
{
	struct hand *h = &p->hands[worker];

	pthread_mutex_lock(&p->lock);
	/* What another took over meanwhile is written twice, with the same bytes. */
	h->from = len < h->to - h->from ? h->from + len : h->to;
	h->got += len;
	h->last = now_ns();
	pthread_mutex_unlock(&p->lock);
}

void pieces_rest(struct pieces *p, size_t worker, bool rests)
{
	struct hand *h = &p->hands[worker];

	pthread_mutex_lock(&p->lock);
	h->rests = rests;
	h->since = h->last = now_ns();
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
		h->speed = (double)h->got / (double)(now_ns() - h->since + 1);
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

bool pieces_stopped(const struct pieces *p)
{
	return atomic_load(&p->stopped);
}
