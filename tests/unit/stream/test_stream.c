/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the end of a verified stream is a verdict (short, long, other bytes are refused), pump() passes it on, and a
 * tap sees every byte.
 */
#include "stream/sink.h"
#include "stream/source.h"

#include "base/cancel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char text[] = "the bytes verified are the bytes loaded";
#define TEXT_LEN (sizeof(text) - 1)

static struct promise promise_of(const char *bytes, size_t len)
{
	struct promise p = { .size = len };

	assert_int_equal(digest_of(&p.digest, bytes, len, NULL), 0);
	return p;
}

static void test_verdicts(void **state)
{
	const struct promise good = promise_of(text, TEXT_LEN);
	char other[sizeof(text)];
	struct err e = { 0 };

	(void)state;
	memcpy(other, text, sizeof(text));
	other[5] ^= 1;
	AUTO(source) whole = source_verify(source_memory(text, TEXT_LEN, &e), &good, &e);
	assert_int_equal(source_drain(whole, &e), 0);
	assert_int_equal(e.kind, ERR_NONE);

	AUTO(source) cut = source_verify(source_memory(text, TEXT_LEN - 1, &e), &good, &e);
	assert_int_equal(source_drain(cut, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.text, "ended at 38 of 39"));

	AUTO(source) longer = source_verify(source_memory(text, TEXT_LEN + 1, &e), &good, &e);
	assert_int_equal(source_drain(longer, &e), -1);
	assert_non_null(strstr(e.text, "longer"));

	AUTO(source) changed = source_verify(source_memory(other, TEXT_LEN, &e), &good, &e);
	assert_int_equal(source_drain(changed, &e), -1);
	assert_non_null(strstr(e.text, "has digest sha256:"));
}

static void test_empty_blob(void **state)
{
	const struct promise nothing = promise_of("", 0);
	struct err e = { 0 };
	char byte;

	(void)state;
	AUTO(source) s = source_verify(source_memory("", 0, &e), &nothing, &e);
	assert_int_equal(source_read(s, &byte, 1, &e), 0);
	assert_int_equal(source_read(s, &byte, 1, &e), 0); /* the same again */
}

static void test_null_passes_through(void **state)
{
	const struct promise p = { 0 };

	(void)state;
	assert_null(source_verify(NULL, &p, NULL));
	assert_null(source_tap(NULL, NULL, NULL, NULL));
	source_free(NULL);
	sink_free(NULL);
}

static int count(void *ctx, const void *bytes, size_t len, struct err *e)
{
	(void)bytes;
	(void)e;
	*(size_t *)ctx += len;
	return 0;
}

static int refuse(void *ctx, const void *bytes, size_t len, struct err *e)
{
	(void)ctx;
	(void)bytes;
	(void)len;
	return err_set(e, ERR_TARGET, "no more");
}

static void test_tap(void **state)
{
	struct err e = { 0 };
	size_t seen = 0;
	AUTO_BUF out = { 0 };

	(void)state;
	AUTO(source) s = source_tap(source_memory(text, TEXT_LEN, &e), count, &seen, &e);
	assert_int_equal(source_slurp(s, 1000, &out, &e), 0);
	assert_int_equal(seen, TEXT_LEN);
	assert_memory_equal(out.data, text, TEXT_LEN);
	AUTO(source) no = source_tap(source_memory(text, TEXT_LEN, &e), refuse, NULL, &e);
	assert_int_equal(source_drain(no, &e), -1);
	assert_int_equal(e.kind, ERR_TARGET);
}

static void test_slurp_bound(void **state)
{
	struct err e = { 0 };
	AUTO_BUF exact = { 0 };
	AUTO_BUF over = { 0 };

	(void)state;
	AUTO(source) a = source_memory(text, TEXT_LEN, &e);
	assert_int_equal(source_slurp(a, TEXT_LEN, &exact, &e), 0);
	AUTO(source) b = source_memory(text, TEXT_LEN, &e);
	assert_int_equal(source_slurp(b, TEXT_LEN - 1, &over, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static void test_read_full(void **state)
{
	char buf[sizeof(text)];
	struct err e = { 0 };

	(void)state;
	AUTO(source) s = source_memory(text, TEXT_LEN, &e);
	assert_int_equal(source_read_full(s, buf, TEXT_LEN, &e), 0);
	assert_int_equal(source_read_full(s, buf, 1, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static void test_cancel_stops_the_pump(void **state)
{
	struct err e = { 0 };

	(void)state;
	AUTO(source) s = source_memory(text, TEXT_LEN, &e);
	AUTO(sink) out = sink_fd(1, &e);
	cancel_request(2);
	assert_int_equal(pump(s, out, &e), -1);
	assert_int_equal(e.kind, ERR_CANCELLED);
	assert_int_equal(err_exit_code(&e), 130);
	assert_int_equal(source_drain(s, &e), -1);
	cancel_request(0);
	assert_int_equal(source_drain(s, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_empty_blob),
		cmocka_unit_test(test_tap),
		cmocka_unit_test(test_null_passes_through),
		cmocka_unit_test(test_slurp_bound),
		cmocka_unit_test(test_read_full),
		cmocka_unit_test(test_cancel_stops_the_pump),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
