/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: origins differ where a secret must not travel, redirects resolve as RFC 3986 says and never leave http(s), and
 * no spelling of a private address gets past http_host_is_private_literal().
 */
#include "unit/http/server.h"

static void same_origin(void **state)
{
	static const struct {
		const char *a;
		const char *b;
		bool same;
	} cases[] = {
		{ "https://quay.io/v2/", "https://quay.io/x?y#z", true },
		{ "https://quay.io/", "https://QUAY.IO:443/", true },
		{ "http://quay.io:80/", "http://quay.io", true },
		{ "https://[::1]:5000/", "https://[::1]:5000/x", true },
		{ "https://quay.io/", "https://user:pw@quay.io/", true },
		{ "https://quay.io/", "http://quay.io/", false },
		{ "https://quay.io/", "http://quay.io:443/", false },
		{ "https://quay.io/", "https://quay.io:8443/", false },
		{ "https://quay.io/", "https://cdn.quay.io/", false },
		{ "https://quay.io/", "https://quay.io./", false },
		{ "https://quay.io/", "https://quay.io.evil.example/", false },
		{ "https://quay.io/", "https://quay.io@evil.example/", false },
		{ "https://quay.io/", "https://evil.example/quay.io", false },
		{ "https://quay.io/", "https://evil.example#@quay.io/", false },
		{ "https://quay.io/", "https://evil.example\\@quay.io/", false },
		{ "https://quay.io/", "https://evil.example%2f@quay.io.example/", false },
		{ "https://quay.io/", "//quay.io/", false },
		{ "https://quay.io/", "", false },
		{ "ftp://quay.io/", "ftp://quay.io/", false },
		{ "", "", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (http_same_origin(cases[i].a, cases[i].b) != cases[i].same ||
		    http_same_origin(cases[i].b, cases[i].a) != cases[i].same)
			fail_msg("%s and %s", cases[i].a, cases[i].b);
}

static void resolve(void **state)
{
	static const char base[] = "https://r.example:5000/v2/x/blobs/uploads/1?_state=a&b=c";
	static const struct {
		const char *location;
		const char *result; /* NULL: refused */
	} cases[] = {
		{ "https://s3.example/b?sig=a%2Fb&x=%20", "https://s3.example/b?sig=a%2Fb&x=%20" },
		{ "/v2/y", "https://r.example:5000/v2/y" },
		{ "/v2/y?z=1", "https://r.example:5000/v2/y?z=1" },
		{ "2?_state=d", "https://r.example:5000/v2/x/blobs/uploads/2?_state=d" },
		{ "../uploads2/3", "https://r.example:5000/v2/x/blobs/uploads2/3" },
		{ "./3", "https://r.example:5000/v2/x/blobs/uploads/3" },
		{ "/a/./b/../c", "https://r.example:5000/a/c" },
		{ "?q=1", "https://r.example:5000/v2/x/blobs/uploads/1?q=1" },
		{ "//cdn.example/y", "https://cdn.example/y" },
		{ "/a#fragment", "https://r.example:5000/a" },
		{ "http://plain.example/", "http://plain.example/" },
		{ "https://user:pw@other.example/y", "https://other.example/y" },
		{ "/with space/\xc3\xa9", "https://r.example:5000/with%20space/%c3%a9" },
		{ "HTTPS://UP.example/Y", "https://UP.example/Y" },
		{ "ftp://r.example/", NULL },
		{ "file:///etc/passwd", NULL },
		{ "javascript:alert(1)", NULL },
		{ "https://", NULL },
		{ "http://a b/", NULL },
		{ "https://r.example:99999/", NULL },
		{ "/a\r\nX: y", NULL },
		{ "/a\\b", NULL },
		{ "\\\\evil.example/", NULL },
		{ "https://r.example/\x01", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };
		AUTO_BUF out = { 0 };
		int failed = http_resolve_url(base, cases[i].location, &out, &e);
		if (!cases[i].result) {
			if (!failed)
				fail_msg("\"%s\" gave %s", cases[i].location, out.data);
			assert_int_equal(e.kind, ERR_NETWORK);
			assert_int_equal(out.len, 0);
			continue;
		}
		if (failed)
			fail_msg("%s: %s", cases[i].location, e.text);
		assert_string_equal(out.data, cases[i].result);
	}
}

static void resolve_hides_queries(void **state)
{
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	(void)state;
	assert_int_equal(http_resolve_url("https://a/", "ftp://x/y?sig=canary", &out, &e), -1);
	assert_lacks(e.text, "canary");
	assert_int_equal(http_resolve_url("https://a/", "ftp://canary:canary@x/y", &out, &e), -1);
	assert_lacks(e.text, "canary");
	/* Credentials of the base do not travel along. */
	assert_int_equal(http_resolve_url("https://canary:canary@a/", "/b", &out, &e), 0);
	assert_string_equal(out.data, "https://a/b");
}

static void origin(void **state)
{
	static const char *const cases[][2] = {
		{ "https://quay.io/v2/?a=b", "https://quay.io" },
		{ "HTTPS://QUAY.io:443", "https://quay.io" },
		{ "http://user:canary@quay.io:5000/x", "http://quay.io:5000" },
		{ "http://[FD00::1]:80/", "http://[fd00::1]" },
		{ "https://[::1]:80/", "https://[::1]:80" },
		{ "https://10.1/", "https://10.0.0.1" },
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_BUF out = { 0 };
		assert_int_equal(http_origin(cases[i][0], &out, &e), 0);
		assert_string_equal(out.data, cases[i][1]);
	}
	AUTO_BUF out = { 0 };
	assert_int_equal(http_origin("quay.io", &out, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_int_equal(http_origin("https://canary@/", &out, &e), -1);
	assert_lacks(e.text, "canary");
	assert_null(out.data);
}

static void escape(void **state)
{
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	(void)state;
	assert_int_equal(http_escape("aZ09-._~", &out, &e), 0);
	assert_int_equal(http_escape("", &out, &e), 0);
	assert_int_equal(http_escape("sha256:a/b c%&=+\xc3\xa9\n", &out, &e), 0);
	assert_string_equal(out.data, "aZ09-._~sha256%3Aa%2Fb%20c%25%26%3D%2B%C3%A9%0A");
}

static void private_literals(void **state)
{
	static const char *const yes[] = {
		"127.0.0.1",
		"127.255.255.255",
		"127.1",
		"0x7f.1",
		"0x7f000001",
		"2130706433",
		"017700000001",
		"0177.0.0.1",
		"10.0.0.0",
		"10.255.255.255",
		"10.1",
		"0xa.0.0.1",
		"167772161",
		"172.16.0.0",
		"172.31.255.255",
		"0xac.16.1",
		"192.168.0.0",
		"192.168.255.255",
		"192.168.1",
		"0xc0a80001",
		"169.254.169.254",
		"0xA9FEA9FE",
		"2852039166",
		"169.254.43518",
		"100.64.0.0",
		"100.127.255.255",
		"0.0.0.0",
		"0",
		"0.255.255.255",
		"0x0",
		"1",
		"127.0.0.1.",
		"%31%32%37.0.0.1",
		"\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1",
		"[::1]",
		"[::]",
		"[0:0:0:0:0:0:0:1]",
		"[fe80::1]",
		"[febf:ffff::1]",
		"[fe80::1%25eth0]",
		"[fc00::1]",
		"[fdff:ffff::]",
		"[::ffff:127.0.0.1]",
		"[::ffff:7f00:1]",
		"[::ffff:10.0.0.1]",
		"[::ffff:a9fe:a9fe]",
		"[::127.0.0.1]",
		"[64:ff9b::a9fe:a9fe]",
		"[::ffff:0.0.0.0]",
		"user:pw@127.0.0.1",
	};
	static const char *const no[] = {
		"8.8.8.8",        "126.255.255.255",  "128.0.0.0",          "9.255.255.255",     "11.0.0.0",
		"172.15.255.255", "172.32.0.0",       "192.167.255.255",    "192.169.0.0",       "169.253.255.255",
		"169.255.0.0",    "100.63.255.255",   "100.128.0.0",        "1.0.0.0",           "16777216",
		"134744072",      "quay.io",          "localhost",          "127.0.0.1.example", "10.example",
		"a10.0.0.1",      "[2001:db8::1]",    "[fec0::1]",          "[fe7f::1]",         "[fbff::1]",
		"[fe00::1]",      "[::ffff:8.8.8.8]", "[64:ff9b::808:808]", "[::1:0:0:1]",       "127.0.0.1@quay.io",
	};
	char url[128];

	(void)state;
	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		snprintf(url, sizeof(url), "https://%s%s/x", yes[i], i % 2 ? ":5000" : "");
		if (!http_host_is_private_literal(url))
			fail_msg("%s is private", url);
	}
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		snprintf(url, sizeof(url), "http://%s%s/127.0.0.1", no[i], i % 2 ? ":5000" : "");
		if (http_host_is_private_literal(url))
			fail_msg("%s is not private", url);
	}
	assert_false(http_host_is_private_literal(""));
	assert_false(http_host_is_private_literal("127.0.0.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_origin), cmocka_unit_test(resolve), cmocka_unit_test(resolve_hides_queries),
		cmocka_unit_test(origin),      cmocka_unit_test(escape),  cmocka_unit_test(private_literals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
