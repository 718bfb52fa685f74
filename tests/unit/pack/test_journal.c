/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what was noted is read again; and a journal that was cut, altered or made up gives nothing that does not fit
 * together: no stretch outside its blob, no blob outside the file, no crash. Whether its bytes are there is for the CRC
 * to say.
 */
#include "codec/crc32c.h"
#include "pack/journal.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

static char path[] = "/tmp/imgpack-journal-XXXXXX";

static int setup(void **state)
{
	(void)state;
	strcpy(strrchr(path, '-') + 1, "XXXXXX"); /* NOLINT: a new name each time */
	int fd = mkstemp(path);

	return fd < 0 || close(fd) ? -1 : 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

/* A paper in memory and two blobs. */
static struct layout example(struct member members[3])
{
	memset(members, 0, 3 * sizeof(*members));
	members[0].bytes = "paper";
	members[1].promise.size = 1000;
	members[1].promise.digest.raw[0] = 1;
	members[1].data = 512;
	members[2].promise.size = 2000;
	members[2].promise.digest.raw[0] = 2;
	members[2].data = 2048;
	return (struct layout){ .members = members, .count = 3, .size = 5120, .id.raw = { 7 } };
}

static void write_example(void)
{
	struct member members[3];
	struct layout l = example(members);
	struct err e = { 0 };
	AUTO(journal) j = journal_open(path, &l, 0, false, &e);

	assert_non_null(j);
	assert_false(journal_is_worth_keeping(j));
	assert_int_equal(journal_note(j, 1, 0, 600, 0xdeadbeef, &e), 0);
	assert_int_equal(journal_note(j, 2, 100, 50, 1, &e), 0);
	assert_int_equal(journal_note(j, 1, 600, 400, 2, &e), 0);
	assert_true(journal_is_worth_keeping(j));
}

static void put(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static void test_round(void **state)
{
	AUTO_JOURNAL_READ r = { 0 };
	struct err e = { 0 };

	(void)state;
	write_example();
	assert_int_equal(journal_read(path, &r, &e), 1);
	assert_int_equal(r.id.raw[0], 7);
	assert_int_equal(r.size, 5120);
	assert_int_equal(r.blob_count, 3);
	assert_false(r.blobs[0].named);
	assert_int_equal(r.blobs[2].place, 2048);
	assert_int_equal(r.count, 3);
	assert_int_equal(r.stretches[0].crc, 0xdeadbeef);
	assert_int_equal(r.stretches[2].from, 600);
}

static void test_go_on_and_drop(void **state)
{
	struct member members[3];
	struct layout l = example(members);
	struct err e = { 0 };

	(void)state;
	write_example();
	{
		AUTO(journal) j = journal_open(path, &l, 0, true, &e);
		assert_true(journal_is_worth_keeping(j));
		assert_int_equal(journal_drop(j, 1, &e), 0);
		assert_int_equal(journal_note(j, 1, 7, 8, 9, &e), 0);
	}
	AUTO_JOURNAL_READ r = { 0 };
	assert_int_equal(journal_read(path, &r, &e), 1);
	assert_int_equal(r.count, 2);
	assert_int_equal(r.stretches[0].blob, 2);
	assert_int_equal(r.stretches[1].from, 7);
}

/* Cut at every byte: what is whole counts, what is cut does not, and the next line after it does. */
static void test_cut_anywhere(void **state)
{
	char whole[4096];
	struct err e = { 0 };

	(void)state;
	write_example();
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	size_t len = fread(whole, 1, sizeof(whole) - 1, f);
	(void)fclose(f);
	for (size_t cut = 0; cut <= len; cut++) {
		char part[4096];
		AUTO_JOURNAL_READ r = { 0 };
		memcpy(part, whole, cut);
		part[cut] = '\0';
		put(part);
		int rc = journal_read(path, &r, &e);
		assert_true(rc == 0 || rc == 1);
		assert_true(r.count <= 3);
		for (size_t i = 0; i < r.count; i++)
			assert_true(r.stretches[i].len == 600 || r.stretches[i].len == 50 || r.stretches[i].len == 400);
		if (cut == len)
			assert_int_equal(r.count, 3);
	}
}

static void test_nonsense(void **state)
{
#define HEAD                                                                                                           \
	"imgpack-journal 1 sha256:0700000000000000000000000000000000000000000000000000000000000000 5120 0\n"           \
	"blob 1 sha256:0100000000000000000000000000000000000000000000000000000000000000 1000 512\n"
	static const char *const lines[] = {
		"have 1 0 1001 00000000\n",
		"have 1 1001 1 00000000\n",
		"have 1 18446744073709551615 2 00000000\n",
		"have 1 500 18446744073709551615 00000000\n",
		"have 2 0 1 00000000\n",
		"have 0 0 1 00000000\n",
		"have 999999999999 0 1 00000000\n",
		"have 1 0 0 00000000\n",
		"have 1 0 1 0000000g\n",
		"have 1 0 1 000000000\n",
		"have 1 0 1 00\n",
		"have 1 0 1\n",
		"have 1 0 1 00000000",
		"have one 0 1 00000000\n",
		"blob 5 sha256:01 1 1\nhave 5 0 1 00000000\n",
		"blob 5 sha256:0100000000000000000000000000000000000000000000000000000000000000 5000 512\nhave 5 0 1 "
		"00000000\n",
		"blob 5 sha256:0100000000000000000000000000000000000000000000000000000000000000 1 99999\nhave 5 0 1 "
		"00000000\n",
		"blob 99999999 sha256:0100000000000000000000000000000000000000000000000000000000000000 1 1\n",
		"drop\n",
		"drop 77\n",
		"\n\n\n",
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[1024];
		AUTO_JOURNAL_READ r = { 0 };
		(void)snprintf(text, sizeof(text), "%s%s", HEAD, lines[i]);
		put(text);
		assert_int_equal(journal_read(path, &r, &e), 1);
		assert_int_equal(r.count, 0);
	}
	AUTO_JOURNAL_READ r = { 0 };
	put("imgpack-journal 2 sha256:0700 1\n");
	assert_int_equal(journal_read(path, &r, &e), 0);
	assert_int_equal(journal_read("/nowhere/journal", &r, &e), 0);
	assert_int_equal(journal_read("/tmp", &r, &e), -1);
}

/* RFC 3720, B.4. */
static void test_crc(void **state)
{
	char zeros[32] = { 0 };

	(void)state;
	assert_int_equal(crc32c(0, zeros, sizeof(zeros)), 0x8a9136aa);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
}

/* A new one that cannot be written leaves no file that would look like one. */
static void test_full_disk(void **state)
{
	struct member members[3];
	struct layout l = example(members);
	const struct rlimit most = { 20, RLIM_INFINITY };
	struct rlimit before;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &most), 0);
	assert_null(journal_open(path, &l, 0, false, &e));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_int_equal(e.sys, EFBIG);
	assert_int_equal(access(path, F_OK), -1);
	put(""); /* for the teardown */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round, setup, teardown),
		cmocka_unit_test_setup_teardown(test_go_on_and_drop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cut_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nonsense, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_disk, setup, teardown),
		cmocka_unit_test(test_crc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
