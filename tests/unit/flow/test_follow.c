/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever order a blob's pieces arrive in, the hash that follows them is that of the whole, and it never runs
 * ahead of what is there.
 */
#include "flow/follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define PIECES 64
#define PIECE 50000
#define PLACE 512

static uint8_t bytes[PIECES * PIECE];

static int setup(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = (uint8_t)(seed >> 16);
	}
	return 0;
}

/* The stretch without a hole, as pieces_reach() tells it; ctx is a flag a piece. */
static uint64_t reach(void *ctx, uint64_t from)
{
	const bool *there = ctx;
	uint64_t n = from / PIECE;

	while (n < PIECES && there[n])
		n++;
	return n * PIECE;
}

static void run(unsigned seed)
{
	struct err e = { 0 };
	bool there[PIECES] = { false };
	size_t order[PIECES];
	struct digest have;
	struct digest want;
	struct follow f = { 0 };
	AUTO(space) space = space_scratch(&e);
	const struct follow_place place = { space, PLACE, reach, there };
	bool all = false;

	assert_int_equal(follow_init(&f, &e), 0);
	for (size_t i = 0; i < PIECES; i++)
		order[i] = i;
	for (size_t i = PIECES; seed && i > 1; i--) {
		seed = seed * 1103515245u + 12345u;
		size_t k = (seed >> 8) % i;
		size_t t = order[k];
		order[k] = order[i - 1];
		order[i - 1] = t;
	}
	for (size_t i = 0; i < PIECES; i++) {
		uint64_t from = order[i] * PIECE;
		assert_int_equal(space_pwrite(space, bytes + from, PIECE, PLACE + from, &e), 0);
		there[order[i]] = true;
		assert_int_equal(follow_wrote(&f, &place, bytes + from, from, PIECE, &e), 0);
		assert_true(f.at <= reach(there, 0));
	}
	assert_int_equal(follow_finish(&f, &place, sizeof(bytes), &all, &e), 0);
	assert_true(all);
	assert_int_equal(follow_digest(&f, &have, &e), 0);
	assert_int_equal(digest_of(&want, bytes, sizeof(bytes), &e), 0);
	assert_true(digest_equal(&have, &want));
	/* And anew, from the disk alone. */
	assert_int_equal(f.at, 0);
	assert_int_equal(follow_finish(&f, &place, sizeof(bytes), &all, &e), 0);
	assert_int_equal(follow_digest(&f, &have, &e), 0);
	assert_true(digest_equal(&have, &want));
	follow_release(&f);
}

static void test_orders(void **state)
{
	(void)state;
	for (unsigned seed = 0; seed < 30; seed++)
		run(seed);
}

/* A hole stops it, and is told from the end. */
static void test_hole(void **state)
{
	struct err e = { 0 };
	struct follow f = { 0 };
	AUTO(space) space = space_scratch(&e);
	bool there[PIECES] = { true, true };
	const struct follow_place place = { space, 0, reach, there };
	bool all = true;

	(void)state;
	assert_int_equal(follow_init(&f, &e), 0);
	assert_int_equal(space_pwrite(space, bytes, 3 * PIECE, 0, &e), 0);
	assert_int_equal(follow_finish(&f, &place, 3 * PIECE, &all, &e), 0);
	assert_false(all);
	assert_int_equal(f.at, 2 * PIECE);
	assert_int_equal(follow_restart(&f, &e), 0);
	assert_int_equal(f.at, 0);
	follow_release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup(test_orders, setup), cmocka_unit_test(test_hole) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
