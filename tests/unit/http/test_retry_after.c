/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: Retry-After in every form that servers send: never sooner than was asked, and nonsense is nothing. */
#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW INT64_C(784111777)

static void test_forms(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "0", 1 },
		{ "1", 1000 },
		{ "120", 120000 },
		{ "1.5", 1500 },
		{ "0.0001", 1 },
		{ "-5", 1 },
		{ "-0.5", 1 },
		{ "1000000000000", 1000000000000000 },
		{ "99999999999999999999999999", 1000000000000000 },
		{ "880.092\xc2\xb5s", 1 },
		{ "880.092us", 1 },
		{ "1500ms", 1500 },
		{ "1m30s", 90000 },
		{ "1h", 3600000 },
		{ "2.5s", 2500 },
		{ "Sun, 06 Nov 1994 08:50:37 GMT", 60000 },
		{ "Sunday, 06-Nov-94 08:50:37 GMT", 60000 },
		{ "Sun Nov  6 08:50:37 1994", 60000 },
		{ "Sun, 06 Nov 1994 08:49:36 GMT", 1 },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 1 },
		{ "soon", 0 },
		{ "in a minute or two", 0 },
		{ "12 parsecs", 0 },
		{ "12x", 0 },
		{ "s", 0 },
		{ "", 0 },
		{ "-", 0 },
		{ "0x10", 0 },
		{ "1e3", 0 },
		{ "inf", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_parse_retry_after(cases[i].text, NOW) != cases[i].ms)
			fail_msg("\"%s\" is %lld ms, expected %lld", cases[i].text,
				 (long long)http_parse_retry_after(cases[i].text, NOW), (long long)cases[i].ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_forms) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
