/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the bytes of all threads together are due at the rate, to the nanosecond and without rounding that adds up;
 * idle time gives no more than the burst; a cancel ends a long wait. The clock is the test's own where time is counted.
 */
#include "base/cancel.h"
#include "stream/pace.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define BURST (PACE_BURST_MS * INT64_C(1000000))

struct dial {
	int64_t now;
	int64_t slept;
	int64_t longest;
	int64_t late; /* every sleep takes so much longer */
	int cancel_after;
};

static int64_t dial_now(void *ctx)
{
	return ((struct dial *)ctx)->now;
}

static void dial_sleep(void *ctx, int64_t ns)
{
	struct dial *d = ctx;

	assert_true(ns > 0);
	d->now += ns + d->late;
	d->slept += ns;
	if (ns > d->longest)
		d->longest = ns;
	if (d->cancel_after && --d->cancel_after == 0)
		cancel_request(15);
}

static struct pace *paced(struct dial *d, uint64_t rate)
{
	const struct pace_clock clock = { dial_now, dial_sleep, d };
	struct err e = { 0 };
	struct pace *p = pace_new(rate, &clock, &e);

	assert_non_null(p);
	return p;
}

/* Moves `count` pieces; the time it takes. */
static int64_t move(struct pace *p, struct dial *d, size_t piece, size_t count)
{
	int64_t start = d->now;
	struct err e = { 0 };

	for (size_t i = 0; i < count; i++)
		assert_int_equal(pace_wait(p, piece, &e), 0);
	return d->now - start;
}

static void exact(void **state)
{
	static const struct {
		uint64_t rate;
		size_t piece;
		size_t count;
		int64_t ns;
	} cases[] = {
		{ 1000, 1000, 10, 10 * SECOND },
		{ 1000, 1, 1000, SECOND },
		{ 1000000, 16384, 10000, 16384 * INT64_C(10000000) },
		{ 3, 1, 3, SECOND },
		{ 7, 1, 7000, 1000 * SECOND },
		{ 999999937, 1, 999999, 999999 },
		{ UINT64_C(10000000000), 1460, 1000000, 146000000 },
		{ 1000, (size_t)5 << 30, 1, (INT64_C(5) << 30) * 1000000 },
		{ INT64_MAX, (size_t)1 << 40, 1000, 119209 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dial d = { .now = 5 * SECOND };
		AUTO(pace) p = paced(&d, cases[i].rate);
		assert_int_equal(move(p, &d, cases[i].piece, cases[i].count), cases[i].ns);
		assert_true(d.longest <= SECOND / 10);
	}
}

static void idle_time_is_not_saved(void **state)
{
	struct dial d = { .now = SECOND };
	AUTO(pace) p = paced(&d, 1000000);

	(void)state;
	(void)move(p, &d, 1000, 100);
	d.now += 3600 * SECOND;
	assert_int_equal(move(p, &d, 1000, 10000), 10 * SECOND - BURST);
	/* Less than the burst is made up for in full. */
	d.now += BURST / 2;
	assert_int_equal(move(p, &d, 1000, 1000), SECOND - BURST / 2);
}

/* A sleep that ends late is not paid for twice. */
static void late_wakes_cost_nothing(void **state)
{
	struct dial d = { .now = SECOND, .late = 3000000 };
	AUTO(pace) p = paced(&d, 1000000);

	(void)state;
	int64_t took = move(p, &d, 10000, 1000);
	assert_true(took >= 10 * SECOND && took <= 10 * SECOND + d.late);
}

static void pieces(void **state)
{
	static const struct {
		uint64_t rate;
		size_t piece;
	} cases[] = { { 1000, 1024 },       { 81920, 1024 },       { 1000000, 12500 },
		      { 20971520, 262144 }, { 100000000, 262144 }, { INT64_MAX, 262144 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dial d = { 0 };
		AUTO(pace) p = paced(&d, cases[i].rate);
		assert_int_equal(pace_piece(p), cases[i].piece);
	}
	assert_int_equal(pace_wait(NULL, 1000000, NULL), 0);
}

static void *mover(void *ctx)
{
	struct err e = { 0 };

	for (int i = 0; i < 50; i++)
		if (pace_wait(ctx, 10000, &e))
			return ctx;
	return NULL;
}

/* The machine's clock, eight threads: 4 MB at 4 MB/s. */
static void together(void **state)
{
	struct err e = { 0 };
	AUTO(pace) p = pace_new(4000000, NULL, &e);
	pthread_t threads[8];
	struct timespec a;
	struct timespec b;
	void *failed;

	(void)state;
	assert_non_null(p);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, mover, p), 0);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	clock_gettime(CLOCK_MONOTONIC, &b);
	double took = difftime(b.tv_sec, a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
	/* The lower edge is exact; the upper one is the machine's load. */
	if (took < 0.89 || took > 3)
		fail_msg("4 MB at 4 MB/s took %.3f s", took);
}

/* Last: a cancel cannot be taken back. */
static void cancelled(void **state)
{
	struct dial d = { .cancel_after = 3 };
	AUTO(pace) p = paced(&d, 1000);
	struct err e = { 0 };

	(void)state;
	assert_int_equal(pace_wait(p, 1000000, &e), -1);
	assert_int_equal(e.kind, ERR_CANCELLED);
	assert_int_equal(d.slept, 3 * SECOND / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exact),    cmocka_unit_test(idle_time_is_not_saved),
		cmocka_unit_test(pieces),   cmocka_unit_test(late_wakes_cost_nothing),
		cmocka_unit_test(together), cmocka_unit_test(cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
