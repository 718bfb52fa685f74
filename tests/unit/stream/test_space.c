/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: commit or vanish. Nothing stands under the final name before space_commit(), an existing file is untouched
 * until then, and nothing is left behind without it.
 */
#include "stream/sink.h"
#include "stream/space.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static char folder[64];
static char path[96];

static int setup(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/imgpack-space-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/x.tar", folder);
	return 0;
}

/* Names in the folder, each removed. */
static size_t sweep(void)
{
	DIR *d = opendir(folder);
	const struct dirent *entry;
	size_t n = 0;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		if (entry->d_name[0] == '.')
			continue;
		n++;
		assert_int_equal(unlinkat(dirfd(d), entry->d_name, 0), 0);
	}
	closedir(d);
	return n;
}

static int teardown(void **state)
{
	(void)state;
	sweep();
	return rmdir(folder);
}

static void write_file(const char *bytes)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fputs(bytes, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
}

static void expect_file(const char *bytes)
{
	struct err e = { 0 };
	char have[64] = "";
	AUTO(space) s = space_open(path, &e);

	assert_non_null(s);
	assert_int_equal(space_size(s), strlen(bytes));
	assert_int_equal(space_pread(s, have, strlen(bytes), 0, &e), 0);
	assert_string_equal(have, bytes);
}

static struct space *stage(const char *where, uint64_t size, struct err *e)
{
	AUTO(space) s = space_stage(where, e);

	return s && !space_reserve(s, size, e) ? TAKE(s) : NULL;
}

static void test_commit(void **state)
{
	struct err e = { 0 };
	struct stat st;

	(void)state;
	AUTO(space) s = stage(path, 6, &e);
	assert_non_null(s);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(space_pwrite(s, "def", 3, 3, &e), 0);
	assert_int_equal(space_pwrite(s, "abc", 3, 0, &e), 0);
	assert_int_equal(space_pwrite(s, "x", 1, 6, &e), -1); /* past the plan */
	assert_int_equal(space_commit(s, &e), 0);
	expect_file("abcdef");
	assert_int_equal(stat(path, &st), 0);
	mode_t mask = umask(0);
	umask(mask);
	assert_int_equal(st.st_mode & 07777, 0666 & ~mask);
	assert_int_equal(sweep(), 1);
}

static void test_vanish(void **state)
{
	struct err e = { 0 };

	(void)state;
	struct space *s = stage(path, 6, &e);
	assert_non_null(s);
	space_free(s);
	assert_int_equal(sweep(), 0);
}

static void test_old_file_stays(void **state)
{
	struct err e = { 0 };

	(void)state;
	write_file("old");
	assert_int_equal(chmod(path, 0640), 0);
	struct space *s = stage(path, 3, &e);
	assert_non_null(s);
	assert_int_equal(space_pwrite(s, "new", 3, 0, &e), 0);
	expect_file("old");
	space_free(s);
	expect_file("old");
	AUTO(space) again = stage(path, 3, &e);
	assert_int_equal(space_pwrite(again, "new", 3, 0, &e), 0);
	assert_int_equal(space_commit(again, &e), 0);
	expect_file("new");
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_refused_places(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(symlink("elsewhere", path), 0);
	assert_null(stage(path, 3, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_null(stage(path, 3, &e));
	assert_null(space_open(path, &e));
	assert_non_null(strstr(e.text, "regular file"));
	assert_null(stage("/nowhere/x.tar", 3, &e));
	assert_null(space_open(folder, &e));
}

static void name_part(char out[PATH_MAX])
{
	assert_true(snprintf(out, PATH_MAX, "%s.part", path) < PATH_MAX);
}

/* What an earlier run left was longer: nothing of it stands behind the new end. */
static void test_shorter(void **state)
{
	struct err e = { 0 };

	(void)state;
	struct space *first = stage(path, 6, &e);
	assert_non_null(first);
	assert_int_equal(space_pwrite(first, "abcdef", 6, 0, &e), 0);
	space_keep(first);
	space_free(first);

	AUTO(space) second = space_stage(path, &e);
	assert_true(space_was_there(second));
	assert_int_equal(space_reserve(second, 3, &e), 0);
	assert_int_equal(space_commit(second, &e), 0);
	expect_file("abc");
}

/* What a run leaves is found by the next one, and nobody else is at it meanwhile. */
static void test_keep(void **state)
{
	struct err e = { 0 };
	char part[PATH_MAX];
	char aside[PATH_MAX];
	struct stat st;

	(void)state;
	name_part(part);
	struct space *first = stage(path, 3, &e);
	assert_non_null(first);
	assert_false(space_was_there(first));
	assert_string_equal(space_part(first), part);
	assert_null(space_stage(path, &e));
	assert_non_null(strstr(e.text, "another imgpack"));
	assert_int_equal(stat(part, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(space_pwrite(first, "abc", 3, 0, &e), 0);
	space_keep(first);
	space_free(first);

	struct space *second = space_stage(path, &e);
	assert_true(space_was_there(second));
	assert_int_equal(space_reserve(second, 6, &e), 0);
	char buf[3];
	assert_int_equal(space_pread(second, buf, 3, 0, &e), 0);
	assert_memory_equal(buf, "abc", 3);
	assert_true(snprintf(aside, sizeof(aside), "%s.part.old", path) > 0);
	assert_int_equal(space_set_aside(second, 0, 0, &e), 0);
	assert_false(space_was_there(second));
	assert_int_equal(stat(aside, &st), 0);
	assert_int_equal(st.st_size, 6);
	space_free(second);
	assert_int_equal(unlink(aside), 0);
	assert_int_equal(sweep(), 0);
}

/* Links, folders and pipes under the temporary name are refused, and left as they are. */
static void test_planted(void **state)
{
	struct err e = { 0 };
	char part[PATH_MAX];
	struct stat st;

	(void)state;
	name_part(part);
	assert_int_equal(symlink("elsewhere", part), 0);
	assert_null(space_stage(path, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_non_null(strstr(e.text, "in the way"));
	assert_int_equal(unlink(part), 0);
	assert_int_equal(mkdir(part, 0700), 0);
	assert_null(space_stage(path, &e));
	assert_int_equal(rmdir(part), 0);
	assert_int_equal(mkfifo(part, 0600), 0);
	assert_null(space_stage(path, &e));
	assert_non_null(strstr(e.text, "in the way"));
	assert_int_equal(unlink(part), 0);
	write_file("precious");
	assert_int_equal(link(path, part), 0);
	assert_null(space_stage(path, &e));
	expect_file("precious");
	assert_int_equal(lstat(part, &st), 0);
	assert_int_equal(unlink(part), 0);
}

static void test_no_room(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(stage(path, UINT64_C(1) << 60, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_non_null(strstr(e.text, "needs"));
	assert_int_equal(sweep(), 0);
}

static void test_short_read(void **state)
{
	struct err e = { 0 };
	char buf[8];

	(void)state;
	write_file("abc");
	AUTO(space) s = space_open(path, &e);
	assert_int_equal(space_pread(s, buf, 8, 0, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	AUTO(source) part = source_space(s, 1, 2, &e);
	assert_int_equal(source_read(part, buf, sizeof(buf), &e), 2);
	assert_memory_equal(buf, "bc", 2);
	assert_int_equal(source_read(part, buf, sizeof(buf), &e), 0);
}

static void test_sink_region(void **state)
{
	struct err e = { 0 };

	(void)state;
	AUTO(space) s = space_scratch(&e);
	assert_non_null(s);
	AUTO(source) src = source_memory("hello", 5, &e);
	AUTO(sink) small = sink_space(s, 0, 4, &e);
	assert_int_equal(pump(src, small, &e), -1);
	AUTO(source) again = source_memory("hello", 5, &e);
	AUTO(sink) fits = sink_space(s, 2, 5, &e);
	assert_int_equal(pump(again, fits, &e), 0);
	assert_int_equal(space_size(s), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_commit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vanish, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_file_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_places, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shorter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_planted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_short_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sink_region, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
