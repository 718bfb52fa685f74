/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: every missing byte is handed out, to one worker at a time, and nothing is called complete that is not; whatever
 * order the workers come in, drop, take over and begin anew. A model (one flag a byte) is held against the bookkeeping.
 */
#include "flow/pieces.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MB (UINT64_C(1) << 20)

static struct piece take(struct pieces *p, size_t worker)
{
	struct err e = { 0 };
	struct piece piece = { 0 };

	assert_int_equal(pieces_take(p, worker, &piece, &e), 1);
	return piece;
}

static void finish(struct pieces *p, size_t worker)
{
	pieces_wrote(p, worker, pieces_left(p, worker));
	pieces_drop(p, worker);
}

static bool dropped;

/* Worker 1 lets go after six seconds, longer than a silence is let be. */
static void *drop_later(void *pieces)
{
	const struct timespec six = { 6, 0 };

	(void)nanosleep(&six, NULL);
	dropped = true;
	pieces_drop(pieces, 1);
	return NULL;
}

/* As many blobs as workers: nobody is cut. */
static void test_whole_blobs(void **state)
{
	const uint64_t sizes[] = { 60 * MB, 50 * MB, 40 * MB, 30 * MB };
	struct err e = { 0 };
	AUTO(pieces) p = pieces_new(sizes, 4, 3, false, &e);
	struct piece piece = { 0 };

	(void)state;
	for (size_t w = 0; w < 3; w++) {
		piece = take(p, w);
		assert_int_equal(piece.blob, w);
		assert_int_equal(piece.from, 0);
		assert_int_equal(piece.to, sizes[w]);
	}
	finish(p, 2);
	assert_int_equal(take(p, 2).blob, 3);
	for (size_t w = 0; w < 3; w++)
		finish(p, w);
	assert_int_equal(pieces_missing(p, SIZE_MAX), 0);
	assert_int_equal(pieces_take(p, 0, &piece, &e), 0);
}

/* One blob and eight workers: equal parts, in order. */
static void test_one_blob_is_cut(void **state)
{
	const uint64_t size = 60000000;
	struct err e = { 0 };
	AUTO(pieces) p = pieces_new(&size, 1, 8, false, &e);
	uint64_t next = 0;

	(void)state;
	for (size_t w = 0; w < 8; w++) {
		struct piece piece = take(p, w);
		assert_int_equal(piece.from, next);
		assert_true(piece.to - piece.from <= size / 8 + 1);
		next = piece.to;
	}
	assert_int_equal(next, size);
	/* The stretch without a hole ends where the foremost stands. */
	finish(p, 1);
	assert_int_equal(pieces_reach(p, 0, 0), 0);
	finish(p, 0);
	assert_int_equal(pieces_reach(p, 0, 0), 2 * (size / 8));
	for (size_t w = 2; w < 8; w++)
		finish(p, w);
	assert_int_equal(pieces_reach(p, 0, 0), size);
}

/* A large one is cut small enough that what is ahead of its hash stays in memory. */
static void test_large_pieces_are_bounded(void **state)
{
	const uint64_t size = UINT64_C(100) << 30;
	struct err e = { 0 };
	AUTO(pieces) p = pieces_new(&size, 1, 4, false, &e);

	(void)state;
	for (size_t w = 0; w < 4; w++) {
		struct piece piece = take(p, w);
		assert_true(piece.to - piece.from <= 64 * MB);
		assert_int_equal(piece.from, w * 64 * MB);
	}
}

static void test_what_is_there_is_not_fetched(void **state)
{
	const uint64_t size = 10 * MB;
	struct err e = { 0 };
	AUTO(pieces) p = pieces_new(&size, 1, 1, false, &e);

	(void)state;
	assert_int_equal(pieces_have(p, 0, 0, MB, &e), 0);
	assert_int_equal(pieces_have(p, 0, 3 * MB, 4 * MB, &e), 0);
	assert_int_equal(pieces_have(p, 0, MB / 2, 2 * MB, &e), 0); /* overlaps */
	assert_int_equal(pieces_missing(p, 0), 7 * MB);
	assert_int_equal(pieces_reach(p, 0, 0), 2 * MB);
	struct piece first = take(p, 0);
	assert_int_equal(first.from, 2 * MB);
	assert_int_equal(first.to, 3 * MB);
	finish(p, 0);
	struct piece second = take(p, 0);
	assert_int_equal(second.from, 4 * MB);
	assert_int_equal(second.to, size);
	pieces_wrote(p, 0, MB);
	pieces_drop(p, 0);
	assert_int_equal(pieces_missing(p, 0), 5 * MB);
	assert_int_equal(take(p, 0).from, 5 * MB);
}

/* A server without ranges: the foremost takes all of it, the others are told to stop. */
static void test_no_ranges(void **state)
{
	const uint64_t size = 40 * MB;
	struct err e = { 0 };
	AUTO(pieces) p = pieces_new(&size, 1, 4, false, &e);
	struct piece piece[4];

	(void)state;
	for (size_t w = 0; w < 4; w++)
		piece[w] = take(p, w);
	assert_false(pieces_take_rest(p, 2));
	pieces_drop(p, 2);
	pieces_wrote(p, 0, MB);
	assert_true(pieces_take_rest(p, 0));
	assert_int_equal(pieces_left(p, 0), 39 * MB);
	assert_true(atomic_load(piece[1].stop));
	assert_int_equal(pieces_left(p, 1), 0);
	pieces_drop(p, 1);
	pieces_drop(p, 3);
	finish(p, 0);
	assert_int_equal(pieces_missing(p, 0), 0);
}

static void test_restart(void **state)
{
	const uint64_t size = 8 * MB;
	struct err e = { 0 };
	AUTO(pieces) p = pieces_new(&size, 1, 2, false, &e);
	struct piece other = { 0 };

	(void)state;
	take(p, 0);
	other = take(p, 1);
	finish(p, 0);
	pieces_restart(p, 0);
	assert_true(atomic_load(other.stop));
	assert_int_equal(pieces_left(p, 1), 0);
	pieces_drop(p, 1);
	assert_int_equal(pieces_missing(p, 0), size);
	struct piece all = take(p, 0);
	assert_int_equal(all.from, 0);
	assert_int_equal(all.to, size);
}

static void test_stop(void **state)
{
	const uint64_t size = MB;
	struct err e = { 0 };
	AUTO(pieces) p = pieces_new(&size, 1, 2, false, &e);
	struct piece piece = take(p, 0);

	(void)state;
	pieces_stop(p);
	assert_true(atomic_load(piece.stop));
	assert_int_equal(pieces_left(p, 0), 0);
	pieces_drop(p, 0);
	assert_int_equal(pieces_take(p, 1, &piece, &e), 0);
	assert_int_equal(pieces_missing(p, SIZE_MAX), MB);
}

/* One who is silent is relieved once; if his relief is silent, too, the far side is, and nobody waits in circles. */
static void test_silence_is_relieved_once(void **state)
{
	const uint64_t size = 8 * MB;
	struct err e = { 0 };
	AUTO(pieces) p = pieces_new(&size, 1, 3, false, &e);
	struct piece first;
	struct piece second = { 0 };
	struct piece third = { 0 };

	(void)state;
	assert_int_equal(pieces_have(p, 0, 0, 6 * MB, &e), 0);
	first = take(p, 0);
	assert_int_equal(first.to, 7 * MB);
	second = take(p, 1);
	finish(p, 1);
	/* Some four seconds later. */
	second = take(p, 1);
	assert_int_equal(second.from, first.from);
	assert_int_equal(second.to, first.to);
	assert_true(atomic_load(first.stop));
	pieces_drop(p, 0);
	/* The third waits in vain until the second gives up. */
	pthread_t late;
	assert_int_equal(pthread_create(&late, NULL, drop_later, p), 0);
	third = take(p, 2);
	assert_int_equal(pthread_join(late, NULL), 0);
	assert_false(atomic_load(third.stop));
	assert_int_equal(third.from, first.from);
	assert_true(dropped);
}

/* Where all share one rate, being slow is no reason: the same as above, and nobody is relieved. */
static void test_a_limit_is_nobodys_fault(void **state)
{
	const uint64_t size = 8 * MB;
	struct err e = { 0 };
	AUTO(pieces) p = pieces_new(&size, 1, 2, true, &e);
	struct piece first;
	pthread_t late;

	(void)state;
	first = take(p, 0);
	(void)take(p, 1);
	finish(p, 0);
	dropped = false;
	assert_int_equal(pthread_create(&late, NULL, drop_later, p), 0);
	struct piece again = take(p, 0);
	assert_int_equal(pthread_join(late, NULL), 0);
	assert_true(dropped);
	assert_int_equal(again.from, first.to);
}

/* Seeded chaos against a flag a byte. */
static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8;
}

#define CHAOS_SIZE 5000000
#define CHAOS_WORKERS 5

static void chaos(unsigned seed)
{
	static bool there[CHAOS_SIZE];
	const uint64_t size = CHAOS_SIZE;
	struct err e = { 0 };
	AUTO(pieces) p = pieces_new(&size, 1, CHAOS_WORKERS, false, &e);
	uint64_t at[CHAOS_WORKERS];
	bool busy[CHAOS_WORKERS] = { false };

	memset(there, 0, sizeof(there));
	for (unsigned step = 0; pieces_missing(p, 0); step++) {
		size_t w = next_random(&seed) % CHAOS_WORKERS;
		assert_true(step < 100000);
		if (!busy[w]) {
			/* Only when something is left does pieces_take() come back at once. */
			uint64_t held = 0;
			for (size_t o = 0; o < CHAOS_WORKERS; o++)
				held += busy[o] ? pieces_left(p, o) : 0;
			if (held == pieces_missing(p, 0))
				continue;
			at[w] = take(p, w).from;
			busy[w] = true;
			continue;
		}
		uint64_t n = next_random(&seed) % 200000 + 1;
		if (n > pieces_left(p, w))
			n = pieces_left(p, w);
		for (uint64_t i = 0; i < n; i++) {
			assert_false(there[at[w] + i]); /* nobody fetches twice */
			there[at[w] + i] = true;
		}
		pieces_wrote(p, w, n);
		at[w] += n;
		if (!pieces_left(p, w) || next_random(&seed) % 4 == 0) {
			pieces_drop(p, w);
			busy[w] = false;
		}
		uint64_t reach = 0;
		while (reach < size && there[reach])
			reach++;
		assert_int_equal(pieces_reach(p, 0, 0), reach);
	}
	for (size_t i = 0; i < CHAOS_SIZE; i++)
		assert_true(there[i]);
}

static void test_chaos(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++)
		chaos(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_blobs),
		cmocka_unit_test(test_one_blob_is_cut),
		cmocka_unit_test(test_large_pieces_are_bounded),
		cmocka_unit_test(test_what_is_there_is_not_fetched),
		cmocka_unit_test(test_no_ranges),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_silence_is_relieved_once),
		cmocka_unit_test(test_a_limit_is_nobodys_fault),
		cmocka_unit_test(test_chaos),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
