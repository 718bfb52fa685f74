/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: parts of a list are the same whatever order the list is in; each image is in exactly one; none exceeds the mean
 * by more than the largest image; and what is no I/N is refused.
 */
#include "base/limits.h"
#include "base/own.h"
#include "flow/shard.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MOST 300

static uint64_t state;

static uint64_t next(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 33;
}

static void fill(struct shard_item *items, char names[][16], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(names[i], 16, "image-%zu", i);
		/* several of one size, some without any */
		items[i] = (struct shard_item){ names[i], next() % 4 ? next() % 50 * 1000003 : 0 };
	}
}

static void shuffle(struct shard_item *items, size_t count)
{
	for (size_t i = count; i > 1; i--) {
		const size_t k = next() % i;
		const struct shard_item swap = items[i - 1];
		items[i - 1] = items[k];
		items[k] = swap;
	}
}

static size_t find(const struct shard_item *items, size_t count, const char *name)
{
	size_t i = 0;

	while (i < count && strcmp(items[i].name, name) != 0)
		i++;
	assert_true(i < count);
	return i;
}

static void check_balance(const struct shard_item *items, const size_t *of, size_t count, size_t shards)
{
	uint64_t sums[20] = { 0 }, total = 0, largest = 0;
	size_t images[20] = { 0 };

	for (size_t i = 0; i < count; i++) {
		assert_in_range(of[i], 1, shards);
		sums[of[i] - 1] += items[i].bytes;
		images[of[i] - 1]++;
		total += items[i].bytes;
		largest = items[i].bytes > largest ? items[i].bytes : largest;
	}
	for (size_t s = 0; s < shards; s++) {
		assert_true(sums[s] <= total / shards + largest);
		/* nobody idles while there is enough for all */
		assert_true(images[s] > 0 || count < shards || total == 0);
	}
}

static void splits(void **unused)
{
	struct shard_item items[MOST], other[MOST];
	char names[MOST][16];
	size_t of[MOST], of_other[MOST];
	char mark[13], mark_other[13];

	(void)unused;
	state = 5;
	for (size_t round = 0; round < 200; round++) {
		const size_t count = next() % MOST, shards = 1 + next() % 19;
		fill(items, names, count);
		memcpy(other, items, sizeof(other));
		shuffle(other, count);
		assert_int_equal(shard_split(of, items, count, shards, NULL), 0);
		assert_int_equal(shard_split(of_other, other, count, shards, NULL), 0);
		for (size_t i = 0; i < count; i++)
			assert_int_equal(of[i], of_other[find(other, count, items[i].name)]);
		check_balance(items, of, count, shards);
		assert_int_equal(shard_mark(mark, items, count, shards, NULL), 0);
		assert_int_equal(shard_mark(mark_other, other, count, shards, NULL), 0);
		assert_string_equal(mark, mark_other);
		assert_int_equal(shard_mark(mark_other, other, count, shards + 1, NULL), 0);
		assert_string_not_equal(mark, mark_other);
		if (!count)
			continue;
		other[0].bytes++;
		assert_int_equal(shard_mark(mark_other, other, count, shards, NULL), 0);
		assert_string_not_equal(mark, mark_other);
	}
}

/* What the parts are must not change between releases: runs of two may work side by side. */
static void known(void **unused)
{
	const struct shard_item items[] = {
		{ "a", 10 }, { "b", 40 }, { "c", 30 }, { "d", 20 }, { "e", 10 }, { "f", 0 }
	};
	const size_t want[] = { 1, 1, 2, 2, 1, 2 };
	size_t of[6];

	(void)unused;
	assert_int_equal(shard_split(of, items, 6, 2, NULL), 0);
	assert_memory_equal(of, want, sizeof(want));
}

static void parses(void **unused)
{
	static const char *const bad[] = { "",     "1",     "/",         "1/",     "/2",    "0/2",
					   "3/2",  "-1/2",  "1/0",       "1/2/3",  "a/2",   "1/b",
					   "1 /2", "01x/2", "4097/4097", "1/4097", "AUTO/2" };
	static const char *const bad_index[] = { NULL, "", "2", "x", "-1", "99999999999999999999" };
	struct shard s = { 7, 7 };
	struct err e = { 0 };

	(void)unused;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(shard_parse(&s, bad[i], "0", &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
	for (size_t i = 0; i < sizeof(bad_index) / sizeof(*bad_index); i++)
		assert_int_equal(shard_parse(&s, "auto/2", bad_index[i], &e), -1);
	assert_int_equal(s.index, 7);
	assert_int_equal(shard_parse(&s, "2/4", NULL, &e), 0);
	assert_int_equal(s.index, 2);
	assert_int_equal(s.count, 4);
	assert_int_equal(shard_parse(&s, "auto/2", "0", &e), 0);
	assert_int_equal(s.index, 1);
	assert_int_equal(shard_parse(&s, "auto/2", "1", &e), 0);
	assert_int_equal(s.index, 2);
	assert_int_equal(shard_parse(&s, "4096/4096", NULL, &e), 0);
	assert_int_equal(s.count, LIMIT_SHARDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits),
		cmocka_unit_test(known),
		cmocka_unit_test(parses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
