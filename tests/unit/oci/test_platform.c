/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: platforms are written, normalised and preferred as containerd does it; foreign ones cannot carry junk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oci/platform.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct platform p(const char *text)
{
	struct platform out;
	struct err e = { 0 };

	if (platform_parse(&out, text, &e))
		fail_msg("%s: %s", text, e.text);
	return out;
}

static void written(void **state)
{
	static const char *const rows[][2] = {
		{ "linux/amd64", "linux/amd64" },
		{ "Linux/AMD64", "linux/amd64" },
		{ "linux/x86_64", "linux/amd64" },
		{ "linux/x86-64", "linux/amd64" },
		{ "linux/amd64/v1", "linux/amd64" },
		{ "linux/amd64/v3", "linux/amd64/v3" },
		{ "linux/aarch64", "linux/arm64" },
		{ "linux/arm64/v8", "linux/arm64" },
		{ "linux/arm64/8", "linux/arm64" },
		{ "linux/arm64/v9", "linux/arm64/v9" },
		{ "linux/arm64/v9.2", "linux/arm64/v9.2" },
		{ "linux/arm", "linux/arm/v7" },
		{ "linux/arm/7", "linux/arm/v7" },
		{ "linux/arm/v6", "linux/arm/v6" },
		{ "linux/arm/5", "linux/arm/v5" },
		{ "linux/armhf", "linux/arm/v7" },
		{ "linux/armel", "linux/arm/v6" },
		{ "linux/armv7l", "linux/arm/v7" },
		{ "linux/i386", "linux/386" },
		{ "linux/i686", "linux/386" },
		{ "linux/ppc64el", "linux/ppc64le" },
		{ "linux/riscv64", "linux/riscv64" },
		{ "linux/s390x", "linux/s390x" },
		{ "linux/loongarch64", "linux/loong64" },
		{ "macos/arm64", "darwin/arm64" },
		{ "windows/amd64", "windows/amd64" },
		{ "wasi/wasm32", "wasi/wasm32" },
	};
	static const char *const bad[] = { "",
					   "linux",
					   "arm64",
					   "linux/",
					   "/amd64",
					   "linux//v7",
					   "linux/arm/",
					   "linux/arm/v7/",
					   "linux/arm/v7/x",
					   "linux/*",
					   "linux/am d",
					   "linux/\r\n",
					   "linux/\xC3\xA4",
					   "linux/a%20",
					   "linux,arm64",
					   "linux/abcdefghijklmnopqrstuvwxyz0123456789" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char out[PLATFORM_TEXT_SIZE];
		struct platform x = p(rows[i][0]);
		struct platform again = p(rows[i][1]);

		assert_string_equal(platform_text(&x, out), rows[i][1]);
		assert_true(platform_equal(&x, &again));
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct platform x = { .os = "kept" };
		struct err e = { 0 };

		assert_int_equal(platform_parse(&x, bad[i], &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_non_null(strstr(e.text, "OS/ARCH"));
		assert_string_equal(x.os, "kept");
	}
}

static int from_json(struct platform *out, const char *text, struct err *e)
{
	AUTO(jdoc) d = jdoc_parse(text, strlen(text), e);

	assert_non_null(d);
	return platform_from_json(out, jval_at(jdoc_root(d), 0), e);
}

static void read_from_json(void **state)
{
	static const char *const bad[] = {
		"[1]",
		"[\"linux\"]",
		"[[]]",
		"[{\"os\":1}]",
		"[{\"architecture\":[]}]",
		"[{\"variant\":{}}]",
		"[{\"os.version\":10}]",
		"[{\"os\":\"linux\\n\"}]",
		"[{\"os\":\"\\u001b[31m\"}]",
		"[{\"architecture\":\"a/b\"}]",
		"[{\"architecture\":\"\\u202e\"}]",
		"[{\"os.version\":\"a\\u0007\"}]",
		"[{\"os\":\"01234567890123456789012345678901\"}]", /* 32, and NUL does not fit */
		"[{\"variant\":\"01234567890123456789012345678901\"}]",
		"[{\"os.version\":\"0123456789012345678901234567890123456789012345678901234567890123\"}]",
		"[{\"OS\":\"linux\",\"architecture\":\"amd64\"}]", /* Go reads it, so we must not overlook it */
		"[{\"o\\u017f\":\"linux\"}]",
	};
	struct platform x;
	struct err e = { 0 };
	char out[PLATFORM_TEXT_SIZE];

	(void)state;
	assert_int_equal(
		from_json(&x, "[{\"os\":\"Linux\",\"architecture\":\"aarch64\",\"variant\":\"v8\",\"features\":[1]}]",
			  &e),
		0);
	assert_string_equal(platform_text(&x, out), "linux/arm64");
	assert_int_equal(
		from_json(&x, "[{\"os\":\"darwin\",\"architecture\":\"arm64\",\"os.version\":\"macOS 12.6\"}]", &e), 0);
	assert_string_equal(x.os_version, "macOS 12.6");
	assert_int_equal(from_json(&x, "[{\"os\":\"0123456789012345678901234567890\"}]", &e), 0);
	assert_int_equal(from_json(&x, "[{\"os\":\"linux\",\"architecture\":\"arm\",\"variant\":null}]", &e), 0);
	assert_string_equal(platform_text(&x, out), "linux/arm/v7");
	assert_int_equal(from_json(&x, "[null]", &e), 0);
	assert_string_equal(platform_text(&x, out), "unknown/unknown");
	assert_false(platform_is_unknown(&x));
	assert_int_equal(from_json(&x, "[]", &e), 0);
	assert_string_equal(x.os, "");
	assert_int_equal(from_json(&x, "[{\"os\":\"unknown\",\"architecture\":\"unknown\"}]", &e), 0);
	assert_true(platform_is_unknown(&x));
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct platform kept = { .os = "kept" };

		e = (struct err){ 0 };
		if (from_json(&kept, bad[i], &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_string_equal(kept.os, "kept");
	}
}

/* Each row: what is wanted, then what serves it, best first. All that is in no place of the row must score 0. */
static void order(void **state)
{
	static const char *const all[] = {
		"linux/amd64",      "linux/amd64/v2",      "linux/amd64/v3",   "linux/amd64/v4",   "linux/386",
		"linux/arm/v5",     "linux/arm/v6",        "linux/arm/v7",     "linux/arm/v8",     "linux/arm64",
		"linux/arm64/v8.1", "linux/arm64/v8.5",    "linux/arm64/v8.6", "linux/arm64/v8.7", "linux/arm64/v9",
		"linux/arm64/v9.1", "linux/arm64/v9.2",    "linux/riscv64",    "linux/ppc64le",    "linux/s390x",
		"windows/amd64",    "darwin/arm64",        "unknown/unknown",  "linux/amd64/x",    "linux/arm64/v10",
		"linux/arm/v4",     "linux/riscv64/rva23",
	};
	static const char *const rows[][16] = {
		{ "linux/amd64", "linux/amd64", "linux/386" },
		{ "linux/amd64/v3", "linux/amd64/v3", "linux/amd64/v2", "linux/amd64", "linux/386" },
		{ "linux/386", "linux/386" },
		{ "linux/arm/v7", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5" },
		{ "linux/arm/v6", "linux/arm/v6", "linux/arm/v5" },
		{ "linux/arm/v5", "linux/arm/v5" },
		{ "linux/arm/v8", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5" },
		{ "linux/arm64", "linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5" },
		{ "linux/arm64/v8.1", "linux/arm64/v8.1", "linux/arm64", "linux/arm/v8", "linux/arm/v7", "linux/arm/v6",
		  "linux/arm/v5" },
		{ "linux/arm64/v9", "linux/arm64/v9", "linux/arm64/v8.5", "linux/arm64/v8.1", "linux/arm64",
		  "linux/arm/v8", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5" },
		{ "linux/arm64/v9.2", "linux/arm64/v9.2", "linux/arm64/v9.1", "linux/arm64/v9", "linux/arm64/v8.7",
		  "linux/arm64/v8.6", "linux/arm64/v8.5", "linux/arm64/v8.1", "linux/arm64", "linux/arm/v8",
		  "linux/arm/v7", "linux/arm/v6", "linux/arm/v5" },
		{ "linux/riscv64", "linux/riscv64" },
		{ "linux/amd64/x", "linux/amd64/x", "linux/386" },
		{ "windows/amd64", "windows/amd64" },
		{ "darwin/arm64", "darwin/arm64" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct platform want = p(rows[i][0]);

		for (size_t k = 0; k < COUNT(all); k++) {
			struct platform have = p(all[k]);
			size_t place = 0;

			for (size_t n = 1; n < COUNT(rows[i]) && rows[i][n]; n++)
				if (strcmp(rows[i][n], all[k]) == 0)
					place = n;
			int score = platform_score(&want, &have);
			if ((place == 0) != (score == 0))
				fail_msg("want %s, have %s: %d", rows[i][0], all[k], score);
			if (place < 2)
				continue;
			struct platform better = p(rows[i][place - 1]);
			if (platform_score(&want, &better) <= score)
				fail_msg("want %s: %s is not before %s", rows[i][0], rows[i][place - 1], all[k]);
		}
	}
}

static void windows_builds(void **state)
{
	struct platform want = p("windows/amd64");
	struct platform have = p("windows/amd64");

	(void)state;
	(void)snprintf(have.os_version, sizeof(have.os_version), "10.0.17763.1");
	assert_true(platform_score(&want, &have) > 0); /* nothing asked for */
	(void)snprintf(want.os_version, sizeof(want.os_version), "10.0.17763.9999");
	assert_true(platform_score(&want, &have) > 0); /* the fourth number is a patch */
	(void)snprintf(want.os_version, sizeof(want.os_version), "10.0.17763");
	assert_true(platform_score(&want, &have) > 0);
	(void)snprintf(want.os_version, sizeof(want.os_version), "10.0.1776");
	assert_int_equal(platform_score(&want, &have), 0);
	(void)snprintf(want.os_version, sizeof(want.os_version), "10.0.20348.1");
	assert_int_equal(platform_score(&want, &have), 0);
	have.os_version[0] = '\0';
	assert_true(platform_score(&want, &have) > 0);
	/* elsewhere the version is only a remark */
	want = p("linux/amd64");
	have = p("linux/amd64");
	(void)snprintf(have.os_version, sizeof(have.os_version), "Ubuntu 22.04");
	(void)snprintf(want.os_version, sizeof(want.os_version), "Debian 12");
	assert_true(platform_score(&want, &have) > 0);
	assert_false(platform_equal(&want, &have));
}

static void nothing_fits_nothing(void **state)
{
	struct platform empty = { 0 };
	struct platform linux_only = { .os = "linux" };

	(void)state;
	assert_int_equal(platform_score(&empty, &empty), 0);
	assert_int_equal(platform_score(&linux_only, &linux_only), 0);
}

static void this_machine(void **state)
{
	struct platform x = platform_default();
	char out[PLATFORM_TEXT_SIZE];
	struct platform again = p(platform_text(&x, out));

	(void)state;
	assert_string_equal(x.os, "linux");
	assert_true(x.architecture[0] != '\0');
	assert_true(platform_equal(&x, &again));
#if defined(__x86_64__)
	assert_string_equal(out, "linux/amd64");
#elif defined(__aarch64__)
	assert_string_equal(out, "linux/arm64");
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written),
		cmocka_unit_test(read_from_json),
		cmocka_unit_test(order),
		cmocka_unit_test(windows_builds),
		cmocka_unit_test(nothing_fits_nothing),
		cmocka_unit_test(this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
