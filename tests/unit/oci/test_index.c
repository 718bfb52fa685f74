/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: an index gives up its entries exactly and within bounds, and the right one is chosen (row 29 of the quirks). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "oci/manifest.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define ENTRY(more) "{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"sha256:" HEX "\",\"size\":5" more "}"
#define ON(os, arch, variant)                                                                                          \
	",\"platform\":{\"os\":\"" os "\",\"architecture\":\"" arch "\",\"variant\":\"" variant "\"}"
#define INDEX(entries) "{\"schemaVersion\":2,\"manifests\":[" entries "]}"
#define ATTESTED                                                                                                       \
	",\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\",\"vnd.docker.reference.digest\":"    \
	"\"sha256:" HEX "\"}"

static struct index *must_parse(const char *text)
{
	struct err e = { 0 };
	struct index *x = index_parse(text, strlen(text), &e);

	if (!x)
		fail_msg("%s: %s", text, e.text);
	return x;
}

static void entries(void **state)
{
	AUTO(index)
	x = must_parse(INDEX(ENTRY(ON("linux", "amd64", "")) "," ENTRY(ON("linux", "arm64", "v8")) "," ENTRY(
		ON("unknown", "unknown", "") ATTESTED) "," ENTRY("")));
	char text[PLATFORM_TEXT_SIZE];
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	assert_int_equal(x->count, 4); /* the same digest four times is legal */
	assert_string_equal(x->entries[0].media_type, MEDIA_OCI_MANIFEST);
	assert_int_equal(x->entries[0].promise.size, 5);
	assert_string_equal(digest_hex(&x->entries[3].promise.digest, hex), HEX);
	assert_string_equal(platform_text(&x->entries[1].platform, text), "linux/arm64");
	assert_false(x->entries[0].attestation);
	assert_true(x->entries[2].attestation);
	assert_true(platform_is_unknown(&x->entries[2].platform));
	assert_string_equal(x->entries[3].platform.os, "");
	AUTO(index) empty = must_parse("{\"schemaVersion\":2,\"manifests\":[]}");
	assert_int_equal(empty->count, 0);
	index_free(NULL);
}

static void refused(void **state)
{
	static const char *const rows[][2] = {
		{ "{\"schemaVersion\":2,\"config\":{},\"layers\":[]}", "it is a manifest" },
		{ "{\"schemaVersion\":2,\"manifests\":{}}", "not an array" },
		{ "{\"schemaVersion\":2,\"manifests\":\"x\"}", "not an array" },
		{ INDEX("1"), "1 of 1 index entries: not a descriptor" },
		{ INDEX("null"), "1 of 1 index entries: not a descriptor" },
		{ INDEX(ENTRY("") ",[]"), "2 of 2 index entries: not a descriptor" },
		{ INDEX("{\"digest\":\"sha256:" HEX "\",\"size\":5}"), "\"mediaType\" is missing" },
		{ INDEX("{\"mediaType\":\"\",\"digest\":\"sha256:" HEX "\",\"size\":5}"), "\"mediaType\"" },
		{ INDEX("{\"mediaType\":\"a\\nb\",\"digest\":\"sha256:" HEX "\",\"size\":5}"), "a\\x0ab" },
		{ INDEX("{\"mediaType\":\"a\\u202eb\",\"digest\":\"sha256:" HEX "\",\"size\":5}"), "a\\u{202e}b" },
		{ INDEX("{\"mediaType\":\"a/b\",\"size\":5}"), "\"digest\" is missing" },
		{ INDEX("{\"mediaType\":\"a/b\",\"digest\":\"sha256:../../etc/passwd\",\"size\":5}"), "\"digest\": " },
		{ INDEX("{\"mediaType\":\"a/b\",\"digest\":\"md5:" HEX "\",\"size\":5}"), "\"digest\": " },
		{ INDEX("{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX "\"}"), "\"size\" is missing" },
		{ INDEX("{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX "\",\"size\":-1}"), "\"size\" is -1" },
		{ INDEX("{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX "\",\"size\":1e3}"),
		  "\"size\" is a number with" },
		{ INDEX("{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX "\",\"size\":\"5\"}"),
		  "\"size\" is a string" },
		{ INDEX("{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX "\",\"size\":9223372036854775808}"),
		  "too big" },
		{ INDEX(ENTRY(",\"Size\":6")), "which docker takes for" },
		{ INDEX("{\"mediaType\":\"a/b\",\"Digest\":\"sha256:" HEX "\",\"size\":5}"), "which docker takes for" },
		{ INDEX(ENTRY(",\"platform\":7")), "\"platform\": " },
		{ INDEX(ENTRY(",\"platform\":{\"os\":\"a\\nb\"}")), "\"platform\": " },
		{ INDEX(ENTRY(",\"Platform\":{\"os\":\"linux\"}")), "which docker takes for" },
		{ INDEX(ENTRY(",\"annotations\":[]")), "\"annotations\"" },
		{ INDEX(ENTRY(",\"urls\":\"x\"")), "\"urls\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = { 0 };
		struct index *x = index_parse(rows[i][0], strlen(rows[i][0]), &e);

		if (x)
			fail_msg("accepted: %s", rows[i][0]);
		assert_int_equal(e.kind, ERR_CORRUPT);
		if (!strstr(e.text, rows[i][1]))
			fail_msg("\"%s\" is not in \"%s\"", rows[i][1], e.text);
	}
}

static void edges(void **state)
{
	struct err e = { 0 };
	AUTO_BUF b = { 0 };

	(void)state;
	for (size_t n = LIMIT_INDEX_ENTRIES; n <= LIMIT_INDEX_ENTRIES + 1; n++) {
		buf_clear(&b);
		assert_int_equal(buf_puts(&b, "{\"manifests\":[", &e), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(buf_printf(&b, &e, "%s%s", i ? "," : "", ENTRY("")), 0);
		assert_int_equal(buf_puts(&b, "]}", &e), 0);
		AUTO(index) x = index_parse(b.data, b.len, &e);
		assert_true((x != NULL) == (n == LIMIT_INDEX_ENTRIES));
	}
	assert_string_equal(e.text, "1025 index entries, at most 1024 are allowed");
	/* the largest size */
	AUTO(index)
	x = must_parse(INDEX("{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX "\",\"size\":9223372036854775807}"));
	assert_true(x->entries[0].promise.size == INT64_MAX);
	/* the longest media type, and one more */
	char type[MEDIA_TYPE_SIZE + 1];
	memset(type, 'm', sizeof(type));
	for (size_t len = MEDIA_TYPE_SIZE - 1; len <= MEDIA_TYPE_SIZE; len++) {
		buf_clear(&b);
		assert_int_equal(buf_printf(&b, &e,
					    "{\"manifests\":[{\"mediaType\":\"%.*s\",\"digest\":\"sha256:" HEX
					    "\",\"size\":0}]}",
					    (int)len, type),
				 0);
		AUTO(index) y = index_parse(b.data, b.len, &e);
		assert_true((y != NULL) == (len < MEDIA_TYPE_SIZE));
	}
}

static void chosen(void **state)
{
	static const char many[] = INDEX(ENTRY(ON("unknown", "unknown", "") ATTESTED) "," ENTRY(ON("linux", "arm", "v5")) "," ENTRY(
		ON("linux", "arm",
		   "v7")) "," ENTRY(ON("linux", "386",
				       "")) "," ENTRY(ON("linux", "amd64",
							 "")) "," ENTRY(ON("linux", "amd64",
									   "v3")) "," ENTRY(ON("linux", "amd64",
											       "")) "," ENTRY(ON("linu"
														 "x",
														 "arm6"
														 "4",
														 "") ATTESTED));
	static const struct {
		const char *want;
		ptrdiff_t at;
	} rows[] = {
		{ "linux/amd64", 4 }, /* the first of two equals, not the 386 before it */
		{ "linux/amd64/v4", 5 }, { "linux/amd64/v2", 4 }, { "linux/386", 3 },        { "linux/arm/v7", 2 },
		{ "linux/arm/v6", 1 },   { "linux/arm64", 2 }, /* an attestation is never an image */
		{ "linux/s390x", -1 },   { "windows/amd64", -1 }, { "unknown/unknown", -1 },
	};
	AUTO(index) x = must_parse(many);

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct platform want;
		struct err e = { 0 };

		assert_int_equal(platform_parse(&want, rows[i].want, &e), 0);
		ptrdiff_t at = index_choose(x, &want, &e);
		if (at != rows[i].at)
			fail_msg("%s: %td", rows[i].want, at);
		assert_int_equal(e.kind, at < 0 ? ERR_ABSENT : ERR_NONE);
	}
	struct platform want;
	struct err e = { 0 };
	assert_int_equal(platform_parse(&want, "linux/s390x", &e), 0);
	assert_int_equal(index_choose(x, &want, &e), -1);
	assert_string_equal(e.text,
			    "no image for linux/s390x: there is linux/arm/v5, linux/arm/v7, linux/386, linux/amd64, "
			    "linux/amd64/v3");
}

static void chosen_without_platform(void **state)
{
	struct platform want;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(platform_parse(&want, "linux/amd64", &e), 0);
	AUTO(index) fallback = must_parse(INDEX(ENTRY("") "," ENTRY("") "," ENTRY(ON("linux", "s390x", ""))));
	assert_int_equal(index_choose(fallback, &want, &e), 0);
	AUTO(index) better = must_parse(INDEX(ENTRY("") "," ENTRY(ON("linux", "386", ""))));
	assert_int_equal(index_choose(better, &want, &e), 1);
	/* neither a chart nor a signature is an image, whatever platform it claims */
	AUTO(index)
	artifacts = must_parse(
		INDEX("{\"mediaType\":\"application/vnd.cncf.helm.config.v1+json\",\"digest\":\"sha256:" HEX
		      "\",\"size\":5" ON("linux", "amd64", "") "}"));
	assert_int_equal(index_choose(artifacts, &want, &e), -1);
	assert_string_equal(e.text, "no image for linux/amd64: the index names no image at all");
	AUTO(index) empty = must_parse(INDEX(""));
	assert_int_equal(index_choose(empty, &want, &e), -1);
}

/* More platforms than the message can hold: it is cut between two, and says so. */
static void long_list(void **state)
{
	struct platform want;
	struct err e = { 0 };
	AUTO_BUF b = { 0 };

	(void)state;
	assert_int_equal(buf_puts(&b, "{\"manifests\":[", &e), 0);
	for (int i = 0; i < 200; i++)
		assert_int_equal(buf_printf(&b, &e,
					    "%s{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"sha256:" HEX
					    "\",\"size\":1,\"platform\":{\"os\":\"linux\",\"architecture\":\"cpu%d\"}}",
					    i ? "," : "", i),
				 0);
	assert_int_equal(buf_puts(&b, "]}", &e), 0);
	AUTO(index) x = must_parse(b.data);
	assert_int_equal(platform_parse(&want, "linux/amd64", &e), 0);
	assert_int_equal(index_choose(x, &want, &e), -1);
	assert_true(strlen(e.text) < sizeof(e.text) - 1);
	assert_non_null(strstr(e.text, "linux/cpu9, linux/cpu10, "));
	assert_string_equal(e.text + strlen(e.text) - 5, ", ...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries),
		cmocka_unit_test(refused),
		cmocka_unit_test(edges),
		cmocka_unit_test(chosen),
		cmocka_unit_test(chosen_without_platform),
		cmocka_unit_test(long_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
