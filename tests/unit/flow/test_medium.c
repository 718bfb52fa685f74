/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: 40 file names are judged as FAT, exFAT and Windows judge them, and a file that FAT cannot hold is refused with
 * what to do.
 */
#include "flow/medium.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_names(void **state)
{
	static const char *const refused[] = { "a<b",    "a>b",    "a:b.tar", "a\"b",     "a\\b",     "a|b",     "a?",
					       "*.tar",  "x\nb",   "x\tb",    "x\x01",    "x\x7f",    "x.",      "x ",
					       "x.tar.", "con",    "CON.tar", "prn.tar",  "aux",      "nul.tar", "NUL",
					       "com1",   "com9.x", "lpt1",    "LPT9.tar", "d/aux.tar" };
	static const char *const taken[] = { "x.tar",    "console.tar", "com0.tar",     "com10.tar", "lpt.tar",
					     "auxx",     "nul1.tar",    ".x",           "x y.tar",   "x+1=2.tar",
					     "d:/x.tar", "a&b'c.tar",   "\xc3\xa9.tar", "con-1.tar" };

	(void)state;
	assert_int_equal(sizeof(refused) / sizeof(refused[0]) + sizeof(taken) / sizeof(taken[0]), 40);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (!medium_refuses_name(refused[i]))
			fail_msg("taken: %s", refused[i]);
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		if (medium_refuses_name(taken[i]))
			fail_msg("refused: %s", taken[i]);
}

static void test_fat(void **state)
{
	const struct medium fat = { .fat = true, .removable = true };
	const struct medium disk = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(medium_check(&fat, "x.tar", UINT32_MAX, false, NULL, &e), 0);
	assert_int_equal(medium_check(&disk, "x.tar", UINT64_C(1) << 40, false, NULL, &e), 0);
	assert_int_equal(medium_check(&fat, "x.tar", UINT64_C(1) << 32, false, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_non_null(strstr(e.text, "--split fat32"));
	e = (struct err){ 0 };
	assert_int_equal(medium_check(&fat, "x.tar", UINT64_C(1) << 32, true, NULL, &e), -1);
	assert_non_null(strstr(e.text, "smaller chunks: --split fat32"));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_names), cmocka_unit_test(test_fat) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
