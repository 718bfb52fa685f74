/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: several files are one space: bytes go to the file and the place that the whole says, wherever it is cut; all
 * files get their names, or none; and what an earlier run left, cut so or otherwise, is found again.
 */
#include "stream/space.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char folder[64];
static char path[96];

static int setup(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/imgpack-chunks-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/x.tar", folder);
	return 0;
}

/* The names in the folder that contain `part`; removed if asked. */
static size_t names(const char *part, bool removing)
{
	DIR *d = opendir(folder);
	const struct dirent *entry;
	size_t n = 0;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.' || !strstr(entry->d_name, part))
			continue;
		n++;
		if (removing)
			assert_int_equal(unlinkat(dirfd(d), entry->d_name, 0), 0);
	}
	closedir(d);
	return n;
}

static int teardown(void **state)
{
	(void)state;
	names("", true);
	return rmdir(folder);
}

/* The bytes that the whole has at `at`. */
static char byte_at(uint64_t at)
{
	return (char)('a' + at % 23);
}

static void fill(struct space *s, uint64_t size, size_t step)
{
	char buf[64];
	struct err e = { 0 };

	/* From the end, in steps that do not fit the chunks. */
	for (uint64_t end = size; end;) {
		const size_t n = end < step ? (size_t)end : step;
		for (size_t i = 0; i < n; i++)
			buf[i] = byte_at(end - n + i);
		assert_int_equal(space_pwrite(s, buf, n, end - n, &e), 0);
		end -= n;
	}
}

static void expect(struct space *s, uint64_t size, size_t step)
{
	char buf[64];
	struct err e = { 0 };

	assert_int_equal(space_size(s), size);
	for (uint64_t at = 0; at + step <= size; at++) {
		assert_int_equal(space_pread(s, buf, step, at, &e), 0);
		for (size_t i = 0; i < step; i++)
			assert_int_equal(buf[i], byte_at(at + i));
	}
	assert_int_equal(space_pread(s, buf, 2, size - 1, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static struct space *reopen(uint64_t size, uint64_t chunk, struct err *e)
{
	const size_t count = space_chunk_count(size, chunk);
	char **paths = calloc(count, sizeof(*paths));

	assert_non_null(paths);
	for (size_t i = 0; i < count; i++) {
		paths[i] = space_chunk_name(path, i + 1, count, e);
		assert_non_null(paths[i]);
	}
	struct space *s = space_open_files((const char *const *)paths, count, e);
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
	return s;
}

static void test_cuts(void **state)
{
	(void)state;
	for (uint64_t size = 1; size < 40; size++) {
		for (uint64_t chunk = 1; chunk < 42; chunk += 3) {
			struct err e = { 0 };
			AUTO(space) s = space_stage_chunks(path, size, chunk, &e);
			assert_non_null(s);
			assert_int_equal(space_reserve(s, size, &e), 0);
			fill(s, size, 7);
			assert_int_equal(space_pwrite(s, "x", 1, size, &e), -1);
			assert_int_equal(names(".part", false), space_chunk_count(size, chunk));
			assert_int_equal(space_commit(s, &e), 0);
			assert_null(space_part(s));
			AUTO(space) back = reopen(size, chunk, &e);
			assert_non_null(back);
			expect(back, size, size < 9 ? (size_t)size : 9);
			assert_int_equal(names("", true), (size + chunk - 1) / chunk);
		}
	}
}

static void test_names(void **state)
{
	struct err e = { 0 };

	(void)state;
	static const struct {
		size_t number, count;
		const char *name;
	} cases[] = { { 1, 1, "x.001" },        { 999, 999, "x.999" }, { 1, 1000, "x.0001" },
		      { 1000, 1000, "x.1000" }, { 7, 9999, "x.0007" }, { 7, 10000, "x.00007" } };
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_MEM char *name = space_chunk_name("x", cases[i].number, cases[i].count, &e);
		assert_string_equal(name, cases[i].name);
	}
	assert_int_equal(space_chunk_count(0, 0), 1);
	assert_int_equal(space_chunk_count(10, 0), 1);
	assert_int_equal(space_chunk_count(10, 10), 1);
	assert_int_equal(space_chunk_count(11, 10), 2);
	assert_int_equal(space_chunk_count(UINT64_C(1) << 32, (UINT64_C(1) << 32) - 1), 2);
}

/* Without a commit nothing stays; with space_keep() the next run finds all of it, and it is locked meanwhile. */
static void test_keep(void **state)
{
	struct err e = { 0 };

	(void)state;
	struct space *s = space_stage_chunks(path, 30, 8, &e);
	assert_int_equal(space_reserve(s, 30, &e), 0);
	space_free(s);
	assert_int_equal(names("", false), 0);

	s = space_stage_chunks(path, 30, 8, &e);
	assert_int_equal(space_reserve(s, 30, &e), 0);
	fill(s, 30, 5);
	assert_null(space_stage_chunks(path, 30, 8, &e));
	assert_non_null(strstr(e.text, "another imgpack"));
	space_keep(s);
	space_free(s);
	assert_int_equal(names(".part", false), 4);

	AUTO(space) again = space_stage_chunks(path, 30, 8, &e);
	assert_true(space_was_there(again));
	assert_int_equal(space_reserve(again, 30, &e), 0);
	expect(again, 30, 9);
	/* One file that is in another's hands: the others stay as they were. */
	space_keep(again);
}

/* Cut otherwise than before: what was there is put aside, and can be read. */
static void test_aside(void **state)
{
	struct err e = { 0 };

	(void)state;
	struct space *s = space_stage_chunks(path, 30, 8, &e);
	assert_int_equal(space_reserve(s, 30, &e), 0);
	fill(s, 30, 5);
	space_keep(s);
	space_free(s);

	AUTO(space) other = space_stage_chunks(path, 30, 20, &e);
	assert_true(space_was_there(other));
	assert_int_equal(space_set_aside(other, 30, 8, &e), 0);
	assert_false(space_was_there(other));
	assert_int_equal(names(".part.old", false), 4);
	AUTO(space) aside = space_open_aside(other, 30, 8, &e);
	assert_non_null(aside);
	expect(aside, 30, 9);
	space_drop_aside(other, 30, 8);
	assert_int_equal(names(".part.old", false), 0);
	assert_int_equal(names(".part", false), 2);
}

/* A folder where a chunk belongs: nothing is made, and what an earlier run left stays. */
static void test_in_the_way(void **state)
{
	struct err e = { 0 };
	char name[128];

	(void)state;
	struct space *s = space_stage_chunks(path, 16, 8, &e);
	assert_int_equal(space_reserve(s, 16, &e), 0);
	fill(s, 16, 5);
	space_keep(s);
	space_free(s);
	(void)snprintf(name, sizeof(name), "%s.003", path);
	assert_int_equal(mkdir(name, 0755), 0);
	assert_null(space_stage_chunks(path, 30, 8, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_non_null(strstr(e.text, "x.tar.003"));
	assert_int_equal(names(".part", false), 2);
	assert_int_equal(rmdir(name), 0);
}

/* An error of one of several files says which. */
static void test_which(void **state)
{
	struct err e = { 0 };

	(void)state;
	AUTO(space) s = space_stage_chunks(path, 16, 8, &e);
	assert_int_equal(space_reserve(s, 16, &e), 0);
	fill(s, 16, 5);
	assert_int_equal(space_commit(s, &e), 0);
	AUTO(space) back = reopen(16, 8, &e);
	char buf[4];
	AUTO_MEM char *first = space_chunk_name(path, 1, 2, &e);
	assert_int_equal(truncate(first, 3), 0);
	assert_int_equal(space_pread(back, buf, 4, 2, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.text, "x.tar.001"));
	assert_int_equal(unlink(first), 0);
	assert_null(reopen(16, 8, &e));
	assert_non_null(strstr(e.text, "x.tar.001"));
}

/* A range has one file behind it, or none that could be handed to the kernel. */
static void test_file_range(void **state)
{
	struct err e = { 0 };
	char one[128];
	char two[128];
	const char *const paths[] = { one, two };
	char have[4] = "";
	uint64_t at = 0;
	int fd = -1;

	(void)state;
	(void)snprintf(one, sizeof(one), "%s/one", folder);
	(void)snprintf(two, sizeof(two), "%s/two", folder);
	for (size_t i = 0; i < 2; i++) {
		FILE *f = fopen(paths[i], "w");
		assert_non_null(f);
		assert_true(fputs(i ? "defgh" : "abc", f) >= 0);
		assert_int_equal(fclose(f), 0);
	}
	AUTO(space) s = space_open_files(paths, 2, &e);
	assert_non_null(s);
	assert_true(space_file_range(s, 4, 3, &fd, &at));
	assert_int_equal(at, 1);
	assert_int_equal(pread(fd, have, 3, (off_t)at), 3);
	assert_string_equal(have, "efg");
	assert_true(space_file_range(s, 0, 3, &fd, &at));
	assert_true(space_file_range(s, 3, 5, &fd, &at));
	assert_int_equal(at, 0);
	assert_false(space_file_range(s, 2, 2, &fd, &at));
	assert_false(space_file_range(s, 3, 6, &fd, &at));
	assert_false(space_file_range(s, 9, 1, &fd, &at));
	assert_false(space_file_range(s, UINT64_MAX, 2, &fd, &at));
	(void)unlink(one);
	(void)unlink(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_aside, setup, teardown),
		cmocka_unit_test_setup_teardown(test_in_the_way, setup, teardown),
		cmocka_unit_test_setup_teardown(test_which, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_range, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
