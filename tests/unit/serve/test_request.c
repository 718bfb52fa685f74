/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what a request asks for is read from its path and its Range header as the specifications say, whatever the
 * repository is called; and what fits nowhere is nothing, never something else.
 */
#include "serve/listen.h"
#include "serve/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void paths(void **state)
{
	static const struct {
		const char *path;
		enum ask_kind kind;
		enum ask_fault fault;
		const char *name;
		const char *tag;
	} cases[] = {
		{ "/", ASK_PAGE, ASK_GOOD, "", "" },
		{ "/healthz", ASK_HEALTH, ASK_GOOD, "", "" },
		{ "/metrics", ASK_METRICS, ASK_GOOD, "", "" },
		{ "/v2", ASK_BASE, ASK_GOOD, "", "" },
		{ "/v2/", ASK_BASE, ASK_GOOD, "", "" },
		{ "/v2/_catalog", ASK_CATALOG, ASK_GOOD, "", "" },
		{ "/v2/a/tags/list", ASK_TAGS, ASK_GOOD, "a", "" },
		{ "/v2/tags/list/tags/list", ASK_TAGS, ASK_GOOD, "tags/list", "" },
		{ "/v2/library/nginx/manifests/1.27", ASK_MANIFEST, ASK_GOOD, "library/nginx", "1.27" },
		{ "/v2/docker.io/library/nginx/manifests/1", ASK_MANIFEST, ASK_GOOD, "docker.io/library/nginx", "1" },
		{ "/v2/h:5000/x/manifests/1", ASK_MANIFEST, ASK_GOOD, "h:5000/x", "1" },
		{ "/v2/a/manifests/b/manifests/1", ASK_MANIFEST, ASK_GOOD, "a/manifests/b", "1" },
		{ "/v2/a/manifests/.no-tag", ASK_MANIFEST, ASK_GOOD, "a", "" },
		{ "/v2/a/manifests/sha256:" HEX, ASK_MANIFEST, ASK_GOOD, "a", "" },
		{ "/v2/a/manifests/sha256:12", ASK_MANIFEST, ASK_BAD_DIGEST, "a", "" },
		{ "/v2/a/blobs/sha256:" HEX, ASK_BLOB, ASK_GOOD, "a", "" },
		{ "/v2/a/blobs/1", ASK_BLOB, ASK_BAD_DIGEST, "a", "" },
		{ "/v2/a/referrers/sha256:" HEX, ASK_REFERRERS, ASK_GOOD, "a", "" },
		{ "/v2/A/manifests/1", ASK_MANIFEST, ASK_BAD_NAME, NULL, "1" },
		{ "/v2/../x/manifests/1", ASK_MANIFEST, ASK_BAD_NAME, NULL, "1" },
		{ "/v2//manifests/1", ASK_MANIFEST, ASK_BAD_NAME, "", "1" },
		{ "/v2/a/manifests/", ASK_NOTHING, ASK_GOOD, "", "" },
		{ "/v2/a/manifests/1/2", ASK_NOTHING, ASK_GOOD, "", "" },
		{ "/v2/a/blobs/uploads/", ASK_NOTHING, ASK_GOOD, "", "" },
		{ "/v1/", ASK_NOTHING, ASK_GOOD, "", "" },
		{ "", ASK_NOTHING, ASK_GOOD, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ask a;
		ask_parse(&a, cases[i].path);
		if (a.kind != cases[i].kind || a.fault != cases[i].fault || strcmp(a.tag, cases[i].tag) != 0 ||
		    (cases[i].name && strcmp(a.name, cases[i].name) != 0))
			fail_msg("%s: kind %d, fault %d, name %s, tag %s", cases[i].path, a.kind, a.fault, a.name,
				 a.tag);
	}
}

/* A name may be as long as two repositories' and not longer. */
static void long_names(void **state)
{
	char path[2048];
	struct ask a;

	(void)state;
	for (size_t len = 1; len < 1500; len += 7) {
		(void)snprintf(path, sizeof(path), "/v2/%0*d/manifests/1", (int)len, 0);
		ask_parse(&a, path);
		assert_int_equal(a.kind, ASK_MANIFEST);
		assert_int_equal(a.fault == ASK_GOOD, len <= LIMIT_REPOSITORY);
	}
}

static void ranges(void **state)
{
	static const struct {
		const char *header;
		enum range_kind kind;
		uint64_t from, len;
	} cases[] = {
		{ NULL, RANGE_ALL, 0, 0 },
		{ "bytes=0-0", RANGE_PART, 0, 1 },
		{ "bytes=0-99", RANGE_PART, 0, 100 },
		{ "bytes=0-100", RANGE_PART, 0, 100 },
		{ "bytes=99-", RANGE_PART, 99, 1 },
		{ "bytes=10-18446744073709551615", RANGE_PART, 10, 90 },
		{ "bytes=-1", RANGE_PART, 99, 1 },
		{ "bytes=-1000", RANGE_PART, 0, 100 },
		{ "bytes=100-", RANGE_BAD, 0, 0 },
		{ "bytes=100-200", RANGE_BAD, 0, 0 },
		{ "bytes=-0", RANGE_BAD, 0, 0 },
		{ "bytes=5-4", RANGE_ALL, 0, 0 },
		{ "bytes=-", RANGE_ALL, 0, 0 },
		{ "bytes=", RANGE_ALL, 0, 0 },
		{ "bytes=1-2,4-5", RANGE_ALL, 0, 0 },
		{ "bytes=a-b", RANGE_ALL, 0, 0 },
		{ "bytes=0-18446744073709551616", RANGE_ALL, 0, 0 },
		{ "lines=0-1", RANGE_ALL, 0, 0 },
	};
	uint64_t from = 0;
	uint64_t len = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		from = len = 0;
		enum range_kind kind = range_parse(cases[i].header, 100, &from, &len);
		if (kind != cases[i].kind || from != cases[i].from || len != cases[i].len)
			fail_msg("%s: %d %llu+%llu", cases[i].header, kind, (unsigned long long)from,
				 (unsigned long long)len);
	}
	assert_int_equal(range_parse("bytes=0-", 0, &from, &len), RANGE_BAD);
}

static void etags(void **state)
{
	(void)state;
	assert_false(etag_matches(NULL, "sha256:ab"));
	assert_false(etag_matches("sha256:ab", "sha256:ab"));
	assert_false(etag_matches("\"sha256:abc\"", "sha256:ab"));
	assert_true(etag_matches("\"sha256:ab\"", "sha256:ab"));
	assert_true(etag_matches("W/\"x\", W/\"sha256:ab\"", "sha256:ab"));
	assert_true(etag_matches("*", "sha256:ab"));
}

static void addresses(void **state)
{
	static const struct {
		const char *text;
		const char *host;
		const char *port;
	} good[] = {
		{ "127.0.0.1:5000", "127.0.0.1", "5000" },
		{ ":443", "", "443" },
		{ "registry.local", "registry.local", "5000" },
		{ "[::1]:80", "::1", "80" },
		{ "[fe80::1]", "fe80::1", "5000" },
		{ "0.0.0.0:0", "0.0.0.0", "0" },
	};
	static const char *const bad[] = { "",        "1:2:3", "::1", "[::1",       "[::1]x",
					   "h:65536", "h:",    "h:x", "http://h:1", "h/p:1" };
	struct listen_address a;
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(listen_parse(&a, good[i].text, &e), 0);
		assert_string_equal(a.host, good[i].host);
		assert_string_equal(a.port, good[i].port);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!listen_parse(&a, bad[i], &e) || e.kind != ERR_USAGE)
			fail_msg("\"%s\" is taken for an address", bad[i]);
	assert_int_equal(listen_parse(&a, "127.1.2.3", &e), 0);
	assert_true(listen_is_local(&a));
	assert_int_equal(listen_parse(&a, ":1", &e), 0);
	assert_false(listen_is_local(&a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths), cmocka_unit_test(long_names), cmocka_unit_test(ranges),
		cmocka_unit_test(etags), cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
