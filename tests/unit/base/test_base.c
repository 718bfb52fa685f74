/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the floor holds: errors grow from the inside out and are cut, never overrun; digests are read strictly; maps,
 * bufs and the parallel loop keep their contracts.
 */
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/parallel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_err_grows(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, ERR_CORRUPT, "body ended at %d of %d bytes", 512, 4096), -1);
	assert_int_equal(err_at(&e, "layer %d of %d", 2, 5), -1);
	assert_int_equal(err_at(&e, "quay.io/x:1"), -1);
	assert_int_equal(err_hint(&e, "try again"), -1);
	assert_string_equal(e.text, "quay.io/x:1: layer 2 of 5: body ended at 512 of 4096 bytes; try again");
	assert_int_equal(err_exit_code(&e), 1);
	assert_int_equal(err_sys(&e, ERR_LOCAL, ENOSPC, "cannot write"), -1);
	assert_string_equal(e.text, "cannot write: No space left on device");
	assert_int_equal(e.sys, ENOSPC);
	assert_int_equal(err_set(NULL, ERR_LOCAL, "x") + err_at(NULL, "x") + err_hint(NULL, "x") + err_memory(NULL),
			 -4);
}

static void test_err_is_cut(void **state)
{
	struct err e = { 0 };
	char big[2000];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	err_set(&e, ERR_USAGE, "%s", big);
	err_at(&e, "%s", big);
	err_hint(&e, "%s", big);
	err_sys(&e, ERR_LOCAL, EIO, "%s", big);
	assert_int_equal(strlen(e.text), sizeof(e.text) - 1);
}

static void test_digest_strict(void **state)
{
	static const char good[] = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
	static const char *const bad[] = {
		"",
		"sha256:",
		"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"sha256:E3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85",
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b8555",
		"SHA256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		"sha256:../../../etc/passwd0000000000000000000000000000000000000000000000",
		"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b85\n",
		"sha512:"
		"cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931"
		"bd47417a"
		"81a538327af927da3e",
	};
	struct digest d;
	struct digest empty;
	char text[DIGEST_TEXT_SIZE];
	char small[13];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(digest_parse(&d, good, strlen(good), &e), 0);
	assert_string_equal(digest_text(&d, text), good);
	assert_string_equal(digest_short(&d, small), "e3b0c44298fc");
	assert_int_equal(digest_of(&empty, "", 0, &e), 0);
	assert_true(digest_equal(&d, &empty));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		e.kind = ERR_NONE;
		assert_int_equal(digest_parse(&d, bad[i], strlen(bad[i]), &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
}

static void test_map(void **state)
{
	struct err e = { 0 };

	(void)state;
	AUTO(digestmap) m = digestmap_new(&e);
	for (size_t i = 0; i < 5000; i++) {
		struct digest d = { { (uint8_t)i, (uint8_t)(i >> 8) } }; /* many share a slot */
		assert_int_equal(digestmap_get(m, &d), -1);
		assert_int_equal(digestmap_put(m, &d, i, &e), 0);
	}
	for (size_t i = 0; i < 5000; i++) {
		struct digest d = { { (uint8_t)i, (uint8_t)(i >> 8) } };
		assert_int_equal(digestmap_get(m, &d), i);
	}
}

static void test_buf(void **state)
{
	AUTO_BUF b = { 0 };
	struct err e = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_printf(&b, &e, "%d,", i), 0);
	assert_int_equal(strlen(b.data), b.len);
	assert_int_equal(buf_reserve(&b, SIZE_MAX - 10, &e), -1);
	buf_clear(&b);
	assert_int_equal(buf_puts(&b, "x", &e), 0);
	char *taken = buf_take(&b);
	assert_string_equal(taken, "x");
	free(taken);
	assert_null(b.data);
}

struct turns {
	atomic_size_t done;
	size_t fail_at;
};

static int turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct turns *t = ctx;

	assert_true(worker < 8);
	atomic_fetch_add(&t->done, 1);
	return item == t->fail_at ? err_set(e, ERR_NETWORK, "turn %zu", item) : 0;
}

static void test_parallel(void **state)
{
	struct err e = { 0 };

	(void)state;
	for (size_t threads = 0; threads <= 8; threads++) {
		struct turns all = { .fail_at = SIZE_MAX };
		assert_int_equal(parallel_for(1000, threads, turn, &all, &e), 0);
		assert_int_equal(all.done, 1000);
		struct turns some = { .fail_at = 10 };
		assert_int_equal(parallel_for(1000, threads, turn, &some, &e), -1);
		assert_string_equal(e.text, "turn 10");
		assert_true(some.done >= 11);
	}
	assert_int_equal(parallel_for(0, 4, turn, NULL, &e), 0);
	assert_true(parallel_cpus() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err_grows),     cmocka_unit_test(test_err_is_cut),
		cmocka_unit_test(test_digest_strict), cmocka_unit_test(test_map),
		cmocka_unit_test(test_buf),           cmocka_unit_test(test_parallel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
