/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the file and the bytes of every change and every cut are named, under the right name and under another; nothing
 * damaged passes; of two copies the good one serves. IMGPACK_TEST_FULL=1 takes every byte where otherwise every
 * sixteenth is changed, and every length where otherwise every sixty-fourth is cut to.
 */
#include "chunks.h"

#define FIVE 5

/* What nobody can tell from any other file, if its name does not say it: less than a header's name. */
#define STUMP sizeof(TOC_NAME)

/*
 * Found by name, or by what is left over, although nothing in it is right; and never taken for good. A stump under
 * another name is a chunk that is missing, and that one alone.
 */
static void check_bad(const struct cut *cut, size_t bad, uint64_t at, uint64_t len, bool stump)
{
	struct told told = { 0 };
	struct err e = { 0 };
	AUTO(chunkset) c = find_one(dir);

	if (stump && chunkset_missing(c) == 1) {
		assert_int_equal(c->chunks[bad].count, 0);
		assert_int_equal(chunkset_check(c, CHUNK_ALL, see, &told, NULL, &e), -1);
		assert_false(gives_archive(c, cut));
		return;
	}
	assert_int_equal(chunkset_missing(c), 0);
	assert_int_equal(chunkset_check(c, CHUNK_ALL, see, &told, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(told.file, bad);
	assert_int_equal(told.count, 1);
	assert_true(told.from <= at && at + len <= told.from + told.len);
	assert_non_null(strstr(e.text, chunkset_path(c, bad)));
	assert_false(gives_archive(c, cut));
}

static void test_every_byte(void **state)
{
	const size_t step = getenv("IMGPACK_TEST_FULL") ? 1 : getenv("IMGPACK_TEST_FEW") ? 256 : 16;
	AUTO_CUT cut = { 0 };
	size_t wrong = 0, done = 0;

	(void)state;
	empty_folder(dir);
	cut_make(&cut, 2, 250000, FIVE, "x.tar");
	put_all(&cut);
	AUTO(chunkset) c = find_one(dir);
	for (size_t i = 0; i < FIVE; i++) {
		int fd = open(path_of(cut.sums.chunks[i].name), O_RDWR);
		const char *bytes = cut.tar.data + i * cut.sums.chunk;
		assert_true(fd >= 0);
		for (size_t at = i; at < cut.sums.chunks[i].size; at += step) {
			struct told told = { 0 };
			struct err e = { 0 };
			char flipped = (char)(bytes[at] ^ (1 << at % 8));
			assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
			wrong += !chunkset_check(c, CHUNK_ALL, see, &told, NULL, &e) || told.count != 1 ||
				 told.file != i || at < told.from || at >= told.from + told.len;
			/* The TOC and what stands around it are what finding looks at. */
			if (at % (step * 97) == i || (i == 0 && at < 4096))
				check_bad(&cut, i, at, 1, false);
			assert_int_equal(pwrite(fd, &bytes[at], 1, (off_t)at), 1);
			done++;
		}
		assert_int_equal(close(fd), 0);
	}
	print_message("%zu changes: %zu not named right\n", done, wrong);
	assert_int_equal(wrong, 0);
}

static void test_every_cut(void **state)
{
	const size_t step = getenv("IMGPACK_TEST_FULL") ? 1 : getenv("IMGPACK_TEST_FEW") ? 1024 : 64;
	AUTO_CUT cut = { 0 };

	(void)state;
	for (int renamed = 0; renamed < 2; renamed++) {
		empty_folder(dir);
		sums_release(&cut.sums);
		buf_release(&cut.tar);
		cut_make(&cut, 3, 250000, FIVE, "x.tar");
		put_all(&cut);
		for (size_t i = 0; i < FIVE; i++) {
			const char *name = cut.sums.chunks[i].name;
			if (renamed) {
				char old[512];
				(void)snprintf(old, sizeof(old), "%s/%s", dir, name);
				name = "A~1.BIN";
				assert_int_equal(rename(old, path_of(name)), 0);
			}
			for (size_t len = cut.sums.chunks[i].size - 1 - i;; len -= step) {
				assert_int_equal(truncate(path_of(name), (off_t)len), 0);
				check_bad(&cut, i, len, 1, renamed && len < STUMP);
				if (len < step)
					break;
			}
			assert_int_equal(unlink(path_of(name)), 0);
			put_chunk(&cut, i, dir, cut.sums.chunks[i].name);
		}
	}
}

/* A damaged copy beside a good one: the archive is whole. */
static void test_copies(void **state)
{
	AUTO_CUT cut = { 0 };
	struct told told = { 0 };
	struct err e = { 0 };

	(void)state;
	empty_folder(dir);
	cut_make(&cut, 6, 9 << 20, 2, "x.tar");
	put_all(&cut);
	/* Its first block is right, so it is as sure as the good one, and comes before it. */
	put_chunk(&cut, 1, dir, "a copy");
	int fd = open(path_of("a copy"), O_RDWR);
	assert_int_equal(pwrite(fd, "x", 1, SUMS_BLOCK + 10), 1);
	close(fd);
	AUTO(chunkset) c = find_one(dir);
	assert_int_equal(c->chunks[1].count, 2);
	assert_false(gives_archive(c, &cut));
	assert_int_equal(chunkset_check(c, CHUNK_ALL, see, &told, NULL, &e), 0);
	assert_int_equal(told.count, 0);
	assert_true(gives_archive(c, &cut));
	/* Alone it is damaged, in its second block. */
	assert_int_equal(unlink(path_of("x.tar.002")), 0);
	AUTO(chunkset) alone = find_one(dir);
	assert_int_equal(chunkset_check(alone, CHUNK_ALL, see, &told, NULL, &e), -1);
	assert_int_equal(told.from, SUMS_BLOCK);
	assert_non_null(strstr(e.text, "read twice, the same both times"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_every_cut),
		cmocka_unit_test(test_copies),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
