/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: chunks are found by content whatever they are called and wherever they lie; what is missing is listed exactly;
 * which of several archives is meant is clear, or is asked.
 */
#include "chunks.h"

#define FIVE 5
#define EIGHT 8

static void test_whole(void **state)
{
	AUTO_CUT cut = { 0 };
	struct told told = { 0 };
	struct err e = { 0 };

	(void)state;
	empty_folder(dir);
	cut_make(&cut, 1, 250000, FIVE, "x.tar");
	put_all(&cut);
	put_file(dir, "readme.txt", "hello", 5);
	AUTO(chunkset) c = find_one(dir);
	assert_true(c->has_blocks);
	assert_true(gives_archive(c, &cut));
	assert_int_equal(chunkset_check(c, CHUNK_ALL, see, &told, NULL, &e), 0);
	assert_int_equal(told.count, 0);
	/* Any of the files leads to all of them. */
	for (size_t i = 0; i < FIVE; i++) {
		AUTO(chunkset) one = find_one(path_of(cut.sums.chunks[i].name));
		assert_true(gives_archive(one, &cut));
	}
	AUTO(chunkset) by_table = find_one(path_of("x.sha256"));
	assert_true(gives_archive(by_table, &cut));
	const char *readme = path_of("readme.txt");
	assert_null(find_in(&readme, 1, 0));
}

/* Heap's algorithm: each order of n names once. */
static bool next_order(size_t *order, size_t *stack, size_t n, size_t *i)
{
	while (*i < n) {
		if (stack[*i] >= *i) {
			stack[(*i)++] = 0;
			continue;
		}
		size_t other = *i % 2 ? stack[*i] : 0;
		size_t was = order[other];
		order[other] = order[*i];
		order[*i] = was;
		stack[*i]++;
		*i = 1;
		return true;
	}
	return false;
}

static void test_all_orders(void **state)
{
	static const char *const names[EIGHT] = { "X~1.TAR",   "x.tar.001", "x.tar.008", "x (1).bin",
						  "x.tar.002", "~",         "a b",       "x.tar.004.part" };
	size_t order[EIGHT], stack[EIGHT] = { 0 }, at = 1, done = 0, wrong = 0;
	char paths[EIGHT][128], kept[EIGHT][128];
	AUTO_CUT cut = { 0 };

	(void)state;
	empty_folder(dir);
	cut_make(&cut, 4, 30000, EIGHT, "x.tar");
	put_table(&cut, dir, "sums");
	/* The chunks themselves lie elsewhere; each order gives them new names by links. */
	char store[] = "/tmp/chunkset.XXXXXX";
	assert_non_null(mkdtemp(store));
	for (size_t i = 0; i < EIGHT; i++) {
		char name[16];
		order[i] = i;
		(void)snprintf(name, sizeof(name), "%zu", i);
		put_chunk(&cut, i, store, name);
		(void)snprintf(kept[i], sizeof(kept[i]), "%s/%zu", store, i);
		(void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", dir, names[i]);
	}
	const size_t step = getenv("IMGPACK_TEST_FEW") ? 40 : 1;
	do {
		if (done++ % step)
			continue;
		for (size_t i = 0; i < EIGHT; i++) {
			(void)unlink(paths[i]);
			assert_int_equal(link(kept[order[i]], paths[i]), 0);
		}
		AUTO(chunkset) c = find_one(dir);
		wrong += chunkset_missing(c) || !gives_archive(c, &cut);
	} while (next_order(order, stack, EIGHT, &at));
	print_message("%zu orders: %zu wrong\n", done, wrong);
	assert_int_equal(done, 40320);
	assert_int_equal(wrong, 0);
	empty_folder(store);
	rmdir(store);
}

/* Three sets that are called the same, some chunks of each, shuffled names: every set is found by any of its files. */
static unsigned chance(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245u + 12345u;
	return (*seed >> 16) % n;
}

static void check_set(const struct cut *cut, const bool *there, char paths[EIGHT][128], unsigned *wrong)
{
	AUTO_BUF list = { 0 };
	struct err e = { 0 };
	size_t any = 0;

	while (any < EIGHT && !there[any])
		any++;
	if (any == EIGHT)
		return;
	AUTO(chunkset) c = find_one(paths[any]);
	*wrong += !digest_equal(&c->sums.set, &cut->id);
	OK(chunkset_list_missing(c, &list, &e));
	bool complete = true;
	for (size_t i = 0; i < cut->sums.count; i++) {
		*wrong += (c->chunks[i].count > 0) != there[i];
		bool listed = list.data && strstr(list.data, cut->sums.chunks[i].name);
		*wrong += listed == there[i];
		complete = complete && there[i];
	}
	if (complete)
		*wrong += !gives_archive(c, cut);
	else
		*wrong += chunkset_space(c, &e) != NULL;
}

static void test_mixed(void **state)
{
	const unsigned rounds = getenv("IMGPACK_TEST_FEW") ? 100 : 2000;
	struct cut cuts[3] = { 0 };
	unsigned seed = 7, wrong = 0;

	(void)state;
	/* Two of them have the same chunk size, as stale chunks of another run would. */
	for (unsigned s = 0; s < 3; s++)
		cut_make(&cuts[s], 10 + s, s == 2 ? 20000 : 30000, 6 + (s == 1), "x.tar");
	for (unsigned round = 0; round < rounds; round++) {
		bool there[3][EIGHT] = { 0 };
		char paths[3][EIGHT][128];
		unsigned gaps = chance(&seed, 4);
		empty_folder(dir);
		for (unsigned s = 0; s < 3; s++) {
			char name[32];
			(void)snprintf(name, sizeof(name), "%u.sha256", s);
			put_table(&cuts[s], dir, name);
			for (size_t i = 0; i < cuts[s].sums.count; i++) {
				there[s][i] = gaps ? chance(&seed, 4 + 4 * gaps) > gaps : true;
				(void)snprintf(name, sizeof(name), "x.%u%u", chance(&seed, 10000),
					       s * EIGHT + (unsigned)i);
				(void)snprintf(paths[s][i], sizeof(paths[s][i]), "%s/%s", dir, name);
				if (there[s][i])
					put_chunk(&cuts[s], i, dir, name);
			}
		}
		for (unsigned s = 0; s < 3; s++)
			check_set(&cuts[s], there[s], paths[s], &wrong);
	}
	print_message("%u mixes of three sets: %u wrong\n", rounds, wrong);
	assert_int_equal(wrong, 0);
	for (unsigned s = 0; s < 3; s++)
		cut_release(&cuts[s]);
}

/* Without a table the TOC of the first chunk tells, as far as headers stand in the others, and then their numbers. */
static void test_no_table(void **state)
{
	AUTO_CUT cut = { 0 };
	struct err e = { 0 };

	(void)state;
	empty_folder(dir);
	cut_make(&cut, 5, 250000, FIVE, "x.tar");
	put_all(&cut);
	assert_int_equal(unlink(path_of("x.sha256")), 0);
	put_file(dir, "readme.txt", "hello", 5);
	for (int named = 0; named < 2; named++) {
		AUTO(chunkset) c = find_one(named ? path_of("x.tar.001") : dir);
		assert_false(c->has_blocks);
		assert_true(gives_archive(c, &cut));
	}
	assert_int_equal(unlink(path_of("x.tar.003")), 0);
	AUTO(chunkset) c = find_one(dir);
	assert_int_equal(chunkset_missing(c), 1);
	chunkset_refuse_missing(c, &e);
	assert_non_null(strstr(e.text, "x.tar.003"));
	assert_null(strstr(e.text, "x.tar.002"));
}

static void test_single(void **state)
{
	AUTO_CUT cut = { 0 };
	AUTO_CUT other = { 0 };
	struct chunkset *c = NULL;
	AUTO_MEM char *single = NULL;
	struct err e = { 0 };
	const char *paths[] = { dir };

	(void)state;
	empty_folder(dir);
	cut_make(&cut, 7, 20000, 2, "x.tar");
	cut_make(&other, 8, 20000, 2, "y.tar");
	/* Nothing, then one archive, then two. */
	assert_int_equal(chunkset_find(paths, 1, NULL, NULL, &c, &single, &e), 0);
	assert_null(single);
	put_file(dir, "x.tar", cut.tar.data, cut.tar.len);
	put_file(dir, "notes.txt", "hello", 5);
	assert_int_equal(chunkset_find(paths, 1, NULL, NULL, &c, &single, &e), 0);
	assert_string_equal(single, path_of("x.tar"));
	put_file(dir, "y.tar", other.tar.data, other.tar.len);
	assert_int_equal(chunkset_find(paths, 1, NULL, NULL, &c, &single, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	free(TAKE(single));
	assert_int_equal(chunkset_find(paths, 1, &other.id, NULL, &c, &single, &e), 0);
	assert_string_equal(single, path_of("y.tar"));
	/* Chunks of two archives, both complete: only the expected ID makes it clear. */
	empty_folder(dir);
	put_all(&cut);
	put_chunk(&other, 0, dir, "y.tar.001");
	put_chunk(&other, 1, dir, "y.tar.002");
	put_table(&other, dir, "y.sha256");
	assert_int_equal(chunkset_find(paths, 1, NULL, NULL, &c, &single, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.text, "x.tar"));
	assert_non_null(strstr(e.text, "y.tar"));
	assert_int_equal(chunkset_find(paths, 1, &cut.id, NULL, &c, &single, &e), 1);
	assert_true(gives_archive(c, &cut));
	chunkset_free(TAKE(c));
	/* One of them incomplete: the complete one is meant. */
	assert_int_equal(unlink(path_of("y.tar.002")), 0);
	assert_int_equal(chunkset_find(paths, 1, NULL, NULL, &c, &single, &e), 1);
	assert_true(gives_archive(c, &cut));
	chunkset_free(c);
}

/* Hundreds of chunks of zeros are all alike: each file serves for all of them, and the others find their places. */
static void test_alike(void **state)
{
	AUTO_CUT cut = { 0 };
	struct err e = { 0 };
	char name[32];

	(void)state;
	empty_folder(dir);
	cut_make(&cut, 20, 20000, 20, "x.tar");
	/* What a table says of bytes need not be an archive. */
	const size_t chunk = cut.sums.chunk;
	sums_release(&cut.sums);
	OK(buf_reserve(&cut.tar, 800 * chunk, &e));
	memset(cut.tar.data + 10 * chunk, 0, 800 * chunk);
	cut.tar.len = 810 * chunk;
	OK(sums_make(&cut.sums, "x.tar", &cut.id, cut.tar.len, chunk, 0, &e));
	for (size_t i = 0; i < cut.sums.count; i++)
		OK(digest_of(cut.sums.chunks[i].blocks, cut.tar.data + i * chunk, chunk, &e));
	for (size_t i = 0; i < cut.sums.count; i++) {
		(void)snprintf(name, sizeof(name), "%zu", cut.sums.count - i);
		put_chunk(&cut, i, dir, name);
	}
	put_table(&cut, dir, "x.sha256");
	AUTO(chunkset) c = find_one(dir);
	assert_int_equal(chunkset_missing(c), 0);
	assert_true(gives_archive(c, &cut));
	for (size_t i = 0; i < cut.sums.count; i++)
		assert_in_range(c->chunks[i].count, 1, 2);
	/* Without most of them it is whole all the same; without the others it is not. */
	for (size_t i = 2; i < 700; i++) {
		(void)snprintf(name, sizeof(name), "%zu", i);
		assert_int_equal(unlink(path_of(name)), 0);
	}
	AUTO(chunkset) fewer = find_one(dir);
	assert_true(gives_archive(fewer, &cut));
	assert_int_equal(unlink(path_of("810")), 0);
	AUTO(chunkset) none = find_one(dir);
	assert_int_equal(chunkset_missing(none), 1);
}

/* Three chunks whose first blocks are alike: the second one tells them apart. */
static void test_alike_at_first(void **state)
{
	const size_t chunk = SUMS_BLOCK + 4096;
	AUTO_CUT cut = { 0 };
	struct err e = { 0 };

	(void)state;
	empty_folder(dir);
	OK(buf_reserve(&cut.tar, 3 * chunk, &e));
	memset(cut.tar.data, 0, 3 * chunk);
	cut.tar.len = 3 * chunk;
	OK(sums_make(&cut.sums, "x.tar", &cut.id, cut.tar.len, chunk, 0, &e));
	for (size_t i = 0; i < 3; i++) {
		char *from = cut.tar.data + i * chunk;
		memset(from + SUMS_BLOCK, (int)i + 1, 4096);
		OK(digest_of(&cut.sums.chunks[i].blocks[0], from, SUMS_BLOCK, &e));
		OK(digest_of(&cut.sums.chunks[i].blocks[1], from + SUMS_BLOCK, 4096, &e));
	}
	put_table(&cut, dir, "x.sha256");
	put_chunk(&cut, 0, dir, "c");
	put_chunk(&cut, 1, dir, "a");
	put_chunk(&cut, 2, dir, "b");
	AUTO(chunkset) c = find_one(dir);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(c->chunks[i].count, 1);
	assert_true(gives_archive(c, &cut));
	assert_int_equal(unlink(path_of("b")), 0);
	AUTO(chunkset) fewer = find_one(dir);
	assert_int_equal(fewer->chunks[2].count, 0);
}

/* Found later, on another medium. */
static void test_add(void **state)
{
	AUTO_CUT cut = { 0 };
	struct err e = { 0 };
	char other[] = "/tmp/chunkset.XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(other));
	const char *paths[] = { other };
	empty_folder(dir);
	cut_make(&cut, 9, 250000, FIVE, "x.tar");
	put_table(&cut, dir, "x.sha256");
	put_chunk(&cut, 1, dir, "x.tar.002");
	AUTO(chunkset) c = find_one(dir);
	assert_int_equal(chunkset_missing(c), 4);
	assert_int_equal(chunkset_add(c, paths, 1, NULL, &e), 0);
	put_chunk(&cut, 0, other, "a");
	put_chunk(&cut, 3, other, "b");
	put_chunk(&cut, 4, other, "c");
	assert_int_equal(chunkset_add(c, paths, 1, NULL, &e), 3);
	put_chunk(&cut, 2, other, "d");
	assert_int_equal(chunkset_add(c, paths, 1, NULL, &e), 1);
	assert_true(gives_archive(c, &cut));
	/* Both folders at once give the same. */
	const char *both[] = { other, dir };
	AUTO(chunkset) again = find_in(both, 2, 1);
	assert_true(gives_archive(again, &cut));
	empty_folder(other);
	rmdir(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),    cmocka_unit_test(test_all_orders),     cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_no_table), cmocka_unit_test(test_single),         cmocka_unit_test(test_add),
		cmocka_unit_test(test_alike),    cmocka_unit_test(test_alike_at_first),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
