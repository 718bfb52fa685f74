/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/pace.h"

#include "base/cancel.h"
#include "base/clock.h"

#include <assert.h>
#include <pthread.h>
#include <time.h>

#define SECOND INT64_C(1000000000)
#define BURST ((int64_t)PACE_BURST_MS * 1000000)

/* How long one sleep lasts at most, so that a cancel is seen. */
#define SLICE (SECOND / 10)

/* Of one step of the arithmetic: times a billion it still fits. */
#define STEP ((size_t)1 << 30)

struct pace {
	uint64_t rate;
	struct pace_clock clock;
	pthread_mutex_t lock;
	int64_t due;   /* when the last byte that was announced is due */
	uint64_t rest; /* of the division behind `due`, in bytes times ns: nothing is lost to rounding */
};

static int64_t machine_now(void *ctx)
{
	(void)ctx;
	return clock_ns();
}

/* A signal may end it early: the caller looks at the clock again. */
static void machine_sleep(void *ctx, int64_t ns)
{
	const struct timespec ts = { ns / SECOND, ns % SECOND };

	(void)ctx;
	(void)nanosleep(&ts, NULL);
}

struct pace *pace_new(uint64_t rate, const struct pace_clock *clock, struct err *e)
{
	static const struct pace_clock machine = { machine_now, machine_sleep, NULL };
	AUTO_MEM struct pace *p = calloc(1, sizeof(*p));

	assert(rate);
	if (!p || pthread_mutex_init(&p->lock, NULL)) {
		err_memory(e);
		return NULL;
	}
	p->rate = rate;
	p->clock = clock ? *clock : machine;
	p->due = p->clock.now(p->clock.ctx);
	return TAKE(p);
}

void pace_free(struct pace *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p);
}

size_t pace_piece(const struct pace *p)
{
	uint64_t piece = p->rate / 80;

	return piece < 1024 ? 1024 : piece > (256u << 10) ? 256u << 10 : (size_t)piece;
}

/* Books the bytes; when they are due. */
static int64_t book(struct pace *p, size_t count)
{
	pthread_mutex_lock(&p->lock);
	int64_t earliest = p->clock.now(p->clock.ctx) - BURST;
	if (p->due < earliest) {
		p->due = earliest;
		p->rest = 0;
	}
	while (count) {
		size_t step = count < STEP ? count : STEP;
		uint64_t product = step * (uint64_t)SECOND + p->rest;
		p->due += (int64_t)(product / p->rate);
		p->rest = product % p->rate;
		count -= step;
	}
	int64_t due = p->due;
	pthread_mutex_unlock(&p->lock);
	return due;
}

int pace_wait(struct pace *p, size_t count, struct err *e)
{
	if (!p)
		return 0;
	int64_t due = book(p, count);
	for (;;) {
		int64_t left = due - p->clock.now(p->clock.ctx);
		if (left <= 0)
			return 0;
		if (cancel_check(e))
			return -1;
		p->clock.sleep(p->clock.ctx, left < SLICE ? left : SLICE);
	}
}
