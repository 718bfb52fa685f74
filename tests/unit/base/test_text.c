/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: nothing foreign reaches a terminal raw (S30, all 256 bytes and the Unicode cases), cut texts stay whole
 * characters, sizes round to three digits at every unit, numbers are read strictly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static void escape_is(const char *in, size_t len, const char *want)
{
	char out[256];

	assert_string_equal(text_escape(out, sizeof(out), in, len), want);
}
#define ESCAPE_IS(in, want) escape_is((in), sizeof(in) - 1, (want))

static void every_byte(void **state)
{
	(void)state;
	for (unsigned b = 0; b < 256; b++) {
		char in = (char)b;
		char out[16];

		text_escape(out, sizeof(out), &in, 1);
		for (const char *p = out; *p; p++)
			assert_true(*p >= 0x20 && *p < 0x7F);
		if (b >= 0x20 && b < 0x7F && b != '\\')
			assert_true(out[0] == in && out[1] == '\0');
		else
			assert_int_equal(out[0], '\\');
	}
}

static void hidden_characters(void **state)
{
	static const struct {
		const char *in, *want;
	} rows[] = {
		{ "\xC2\x9B", "\\u{9b}" },             /* C1: CSI */
		{ "\xC2\x85", "\\u{85}" },             /* C1: next line */
		{ "\xC2\xAD", "\\u{ad}" },             /* soft hyphen */
		{ "\xD8\x9C", "\\u{61c}" },            /* Arabic letter mark */
		{ "\xE2\x80\x8B", "\\u{200b}" },       /* zero-width space */
		{ "\xE2\x80\x8D", "\\u{200d}" },       /* joiner */
		{ "\xE2\x80\x8E", "\\u{200e}" },       /* left-to-right mark */
		{ "\xE2\x80\xA8", "\\u{2028}" },       /* line separator */
		{ "\xE2\x80\xAE", "\\u{202e}" },       /* right-to-left override */
		{ "\xE2\x81\xA0", "\\u{2060}" },       /* word joiner */
		{ "\xE2\x81\xA6", "\\u{2066}" },       /* isolate */
		{ "\xE2\x81\xAF", "\\u{206f}" },       /* deprecated format character */
		{ "\xEF\xBB\xBF", "\\u{feff}" },       /* byte-order mark */
		{ "\xEF\xB8\x8F", "\\u{fe0f}" },       /* variation selector */
		{ "\xEF\xBF\xBE", "\\u{fffe}" },       /* no character */
		{ "\xF3\xA0\x81\x81", "\\u{e0041}" },  /* tag A */
		{ "\xC0\x80", "\\xc0\\x80" },          /* overlong NUL */
		{ "\xE0\x80\xAF", "\\xe0\\x80\\xaf" }, /* overlong slash */
		{ "\xED\xA0\x80", "\\xed\\xa0\\x80" }, /* surrogate */
		{ "\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80" },
		{ "\xF8\x88\x80\x80\x80", "\\xf8\\x88\\x80\\x80\\x80" },
		{ "\xE2\x80", "\\xe2\\x80" }, /* cut */
		{ "\xE2x", "\\xe2x" },        /* the byte behind a broken start survives */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		escape_is(rows[i].in, strlen(rows[i].in), rows[i].want);
}

static void ordinary_text_stays(void **state)
{
	char out[8];

	(void)state;
	ESCAPE_IS("", "");
	ESCAPE_IS("nginx:1.25", "nginx:1.25");
	ESCAPE_IS("gr\xC3\xBC\xC3\x9F \xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x90\xB3",
		  "gr\xC3\xBC\xC3\x9F \xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x90\xB3");
	ESCAPE_IS("a\\x1b", "a\\\\x1b"); /* what looks escaped was not */
	ESCAPE_IS("a\0b\r\n\x1b[31m", "a\\x00b\\x0d\\x0a\\x1b[31m");
	assert_string_equal(text_escape_str(out, sizeof(out), NULL), "");
	assert_string_equal(text_escape_str(out, sizeof(out), "ab"), "ab");
}

static void cut_texts(void **state)
{
	/* A mix of characters that take 1, 2, 4 and 8 bytes when shown. */
	static const char in[] = "ab\xC3\xBC\x1b\xE2\x80\xAE\\z";
	char whole[64];
	char out[64];

	(void)state;
	text_escape(whole, sizeof(whole), in, sizeof(in) - 1);
	size_t need = strlen(whole) + 1;
	for (size_t cap = 5; cap <= sizeof(out); cap++) {
		memset(out, '#', sizeof(out));
		text_escape(out, cap, in, sizeof(in) - 1);
		size_t n = strlen(out);
		assert_true(n < cap);
		for (size_t i = cap; i < sizeof(out); i++)
			assert_int_equal(out[i], '#');
		if (cap >= need) {
			assert_string_equal(out, whole);
			continue;
		}
		assert_true(n >= 3 && strcmp(out + n - 3, "...") == 0);
		assert_memory_equal(out, whole, n - 3);
		/* never inside a character or an escape */
		assert_true(n == 3 || n == 4 || n == 5 || n == 7 || n == 11 || n == 19 || n == 21);
	}
	assert_string_equal(text_escape(out, 5, "abcd", 4), "abcd");
	assert_string_equal(text_escape(out, 5, "abcde", 5), "a...");
}

static void sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *want;
	} rows[] = {
		{ 0, "0 B" },
		{ 999, "999 B" },
		{ 1000, "1.00 kB" },
		{ 1004, "1.00 kB" },
		{ 1005, "1.01 kB" },
		{ 9994, "9.99 kB" },
		{ 9995, "10.0 kB" },
		{ 99949, "99.9 kB" },
		{ 99950, "100 kB" },
		{ 999499, "999 kB" },
		{ 999500, "1.00 MB" },
		{ 12345678, "12.3 MB" },
		{ 4290000000u, "4.29 GB" },
		{ 4294967296u, "4.29 GB" },
		{ 1000000000000u, "1.00 TB" },
		{ 999999999999999u, "1.00 PB" },
		{ UINT64_MAX, "18.4 EB" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[TEXT_SIZE_CAP];
		assert_string_equal(text_size(out, rows[i].bytes), rows[i].want);
	}
}

static void durations(void **state)
{
	char out[TEXT_DURATION_CAP];

	(void)state;
	assert_string_equal(text_duration(out, 0), "0s");
	assert_string_equal(text_duration(out, 8), "8s");
	assert_string_equal(text_duration(out, 59), "59s");
	assert_string_equal(text_duration(out, 60), "1m00s");
	assert_string_equal(text_duration(out, 185), "3m05s");
	assert_string_equal(text_duration(out, 3599), "59m59s");
	assert_string_equal(text_duration(out, 7860), "2h11m");
	assert_string_equal(text_duration(out, UINT64_MAX), "5124095576030431h00m");
}

static void numbers(void **state)
{
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1 ", "1e3", "0x1", "1.0", "18446744073709551616", "99999999999999999999"
	};
	uint64_t n = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(text_parse_u64(bad[i], strlen(bad[i]), UINT64_MAX, &n));
	assert_false(text_parse_u64("1\0002", 3, UINT64_MAX, &n));
	assert_false(text_parse_u64("101", 3, 100, &n));
	assert_int_equal(n, 7);
	assert_true(text_parse_u64("100", 3, 100, &n));
	assert_int_equal(n, 100);
	assert_true(text_parse_u64("0", 1, 0, &n));
	assert_int_equal(n, 0);
	assert_true(text_parse_u64("18446744073709551615", 20, UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	assert_true(text_parse_u64("123456", 3, UINT64_MAX, &n)); /* len decides, not a NUL */
	assert_int_equal(n, 123);
}

static void columns(void **state)
{
	(void)state;
	assert_int_equal(text_columns(""), 0);
	assert_int_equal(text_columns("abc"), 3);
	assert_int_equal(text_columns("gr\xC3\xBC\xC3\x9F"), 4);
	assert_int_equal(text_columns("\xE6\x97\xA5\xE6\x9C\xAC"), 4); /* two wide ones */
	assert_int_equal(text_columns("e\xCC\x81"), 1);                /* e and a combining accent */
	assert_int_equal(text_columns("\xFF\xFE"), 2);
}

static void utf8_lengths(void **state)
{
	uint32_t c = 0;

	(void)state;
	assert_int_equal(text_utf8("", 0, &c), 0);
	assert_int_equal(text_utf8("a", 1, &c), 1);
	assert_int_equal(c, 'a');
	assert_int_equal(text_utf8("\xC2\x80", 2, &c), 2);
	assert_int_equal(c, 0x80);
	assert_int_equal(text_utf8("\xE0\xA0\x80", 3, &c), 3);
	assert_int_equal(c, 0x800);
	assert_int_equal(text_utf8("\xF4\x8F\xBF\xBF", 4, &c), 4);
	assert_int_equal(c, 0x10FFFF);
	assert_int_equal(text_utf8("\xF4\x8F\xBF\xBF", 3, &c), 0);
	assert_int_equal(text_utf8("\xED\x9F\xBF", 3, &c), 3); /* the last one before the surrogates */
	assert_int_equal(text_utf8("\xED\xBF\xBF", 3, &c), 0);
}

static void small_helpers(void **state)
{
	char *secret = strdup("hunter2");

	(void)state;
	assert_non_null(secret);
	text_wipe_free(secret);
	text_wipe_free(NULL);
	assert_true(text_starts("docker://x", "docker://"));
	assert_true(text_starts("x", ""));
	assert_false(text_starts("", "x"));
	assert_false(text_starts("doc", "docker"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte),
		cmocka_unit_test(hidden_characters),
		cmocka_unit_test(ordinary_text_stays),
		cmocka_unit_test(cut_texts),
		cmocka_unit_test(sizes),
		cmocka_unit_test(durations),
		cmocka_unit_test(numbers),
		cmocka_unit_test(columns),
		cmocka_unit_test(utf8_lengths),
		cmocka_unit_test(small_helpers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
