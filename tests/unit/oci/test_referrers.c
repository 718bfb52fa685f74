/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an entry comes into a fallback index once, behind what others have put there, of which nothing changes; what is
 * no index is not touched. Tags are cosign's exactly.
 */
#include "base/limits.h"
#include "oci/manifest.h"
#include "oci/referrers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define EMPTY "{\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"sha256:" HEX "\",\"size\":2}"
#define MANIFEST(more)                                                                                                 \
	"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST "\"," more "\"config\":" EMPTY                      \
	",\"layers\":[" EMPTY "],\"subject\":" EMPTY "}"
#define THEIRS "{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"sha256:" HEX "\",\"size\":9,\"x\":[1,null]}"

static int merge(const char *old, const char *manifest, struct buf *out, struct err *e)
{
	buf_clear(out);
	return referrers_merge(old, old ? strlen(old) : 0, manifest, strlen(manifest), out, e);
}

static void grows(void **state)
{
	static const char manifest[] = MANIFEST("\"artifactType\":\"application/x\",\"annotations\":{\"a\":\"b\"},");
	AUTO_BUF first = { 0 };
	AUTO_BUF out = { 0 };
	struct err e = { 0 };
	char entry[512];
	char want[1024];
	char text[DIGEST_TEXT_SIZE];
	struct digest d;

	(void)state;
	assert_int_equal(digest_of(&d, manifest, strlen(manifest), &e), 0);
	(void)snprintf(entry, sizeof(entry),
		       "{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":%zu,"
		       "\"artifactType\":\"application/x\",\"annotations\":{\"a\":\"b\"}}",
		       digest_text(&d, text), strlen(manifest));
	assert_int_equal(merge(NULL, manifest, &first, &e), 1);
	(void)snprintf(want, sizeof(want),
		       "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX "\",\"manifests\":[%s]}", entry);
	assert_string_equal(first.data, want);
	assert_int_equal(merge(first.data, manifest, &out, &e), 0);
	assert_int_equal(out.len, 0);
	/* Theirs stays in its place and its words, the index's own keys too. */
	assert_int_equal(merge("{\"schemaVersion\": 2, \"manifests\": [" THEIRS "], \"annotations\": {\"k\": \"v\"}}",
			       manifest, &out, &e),
			 1);
	(void)snprintf(want, sizeof(want),
		       "{\"schemaVersion\":2,\"manifests\":[" THEIRS ",%s],\"annotations\":{\"k\":\"v\"}}", entry);
	assert_string_equal(out.data, want);
	/* Without a type of its own it has its config's. */
	assert_int_equal(merge(NULL, MANIFEST(""), &out, &e), 1);
	assert_non_null(strstr(out.data, "\"artifactType\":\"application/vnd.oci.empty.v1+json\"}"));
}

static void untouched(void **state)
{
	static const char *const olds[] = { "",       "[]",
					    "{",      MANIFEST(""),
					    "<html>", "{\"schemaVersion\":2,\"manifests\":[{\"size\":1.5}]}" };
	AUTO_BUF out = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(olds) / sizeof(olds[0]); i++) {
		struct err e = { 0 };
		assert_int_equal(merge(olds[i], MANIFEST(""), &out, &e), -1);
		assert_int_equal(e.kind, ERR_TARGET);
	}
	struct err e = { 0 };
	assert_int_equal(merge(NULL, "{}", &out, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static void tags(void **state)
{
	struct digest d, other = { { 0 } };
	char tag[REFERRERS_TAG_SIZE];

	(void)state;
	assert_true(digest_parse_hex(&d, HEX, strlen(HEX)));
	assert_string_equal(referrers_tag(&d, "", tag), "sha256-" HEX);
	assert_false(referrers_tag_valid(tag, &d));
	assert_string_equal(referrers_tag(&d, ".sbom", tag), "sha256-" HEX ".sbom");
	assert_true(referrers_tag_valid(tag, &d));
	assert_false(referrers_tag_valid(tag, &other));
	assert_true(referrers_tag_valid("sha256-" HEX ".sig", &d));
	assert_true(referrers_tag_valid("sha256-" HEX ".att", &d));
	assert_false(referrers_tag_valid("sha256-" HEX ".sigx", &d));
	assert_false(referrers_tag_valid("sha256:" HEX ".sig", &d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows),
		cmocka_unit_test(untouched),
		cmocka_unit_test(tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
