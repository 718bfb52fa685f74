/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an index.json that others wrote comes out as it went in, with our images added under names that others find;
 * what could not be kept is refused.
 */
#include "target/oci_names.h"

#include "oci/manifest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define D(c) "sha256:" c c c c c c c c
#define ONE D("11111111")
#define TWO D("22222222")

static struct pack_blob blob_of(const char *digest)
{
	struct pack_blob b = { .promise.size = 7, .role = BLOB_MANIFEST, .media_type = MEDIA_OCI_MANIFEST };

	assert_int_equal(digest_parse(&b.promise.digest, digest, strlen(digest), NULL), 0);
	return b;
}

/* Adds `name` to `index`; what comes out must be `want`. */
static void add(const char *index, const char *name, const char *digest, const char *short_name, const char *want)
{
	const struct pack_blob root = blob_of(digest);
	struct reference r;
	struct err e = { 0 };
	const char *asked = NULL;
	AUTO_BUF out = { 0 };
	AUTO(oci_names) n = oci_names_parse(index, strlen(index), &e);

	if (!n)
		fail_msg("%s: %s", index, e.text);
	assert_int_equal(reference_parse(&r, name, &e), 0);
	assert_int_equal(oci_names_add(n, name, &r, &root, NULL, &asked, &e), 0);
	assert_string_equal(asked, short_name);
	assert_int_equal(oci_names_write(n, &out, &e), 0);
	assert_string_equal(out.data, want);
}

#define DESC(digest, full, ref)                                                                                        \
	"{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"" digest "\",\"size\":7,\"annotations\":{"             \
	"\"io.containerd.image.name\":\"" full "\",\"org.opencontainers.image.ref.name\":\"" ref "\"}}"
#define THEIRS(digest, ref)                                                                                            \
	"{\"digest\":\"" digest "\",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" ref "\"},\"x\":[1,"     \
	"-2,true,null,{}]}"

static void adding(void **state)
{
	(void)state;
	/* None yet, of every kind. */
	add("{\"manifests\":[]}", "h.io/a:1", ONE, "1", "{\"manifests\":[" DESC(ONE, "h.io/a:1", "1") "]}");
	add("{ }", "h.io/a:1", ONE, "1", "{\"manifests\":[" DESC(ONE, "h.io/a:1", "1") "]}");
	add("{\"manifests\":null}", "h.io/a:1", ONE, "1", "{\"manifests\":[" DESC(ONE, "h.io/a:1", "1") "]}");
	/* What is there stays, in its order, and so does what stands beside the list. */
	add("{\"a\":{\"b\":\"c\"},\"manifests\":[" THEIRS(TWO, "2") "],\"z\":[]}", "h.io/a:1", ONE, "1",
	    "{\"a\":{\"b\":\"c\"},\"manifests\":[" THEIRS(TWO, "2") "," DESC(ONE, "h.io/a:1", "1") "],\"z\":[]}");
	/* A tag that is taken. */
	add("{\"manifests\":[" THEIRS(TWO, "1") "]}", "h.io/a:1", ONE, "h.io/a:1",
	    "{\"manifests\":[" THEIRS(TWO, "1") "," DESC(ONE, "h.io/a:1", "h.io/a:1") "]}");
	/* By digest there is no tag. */
	add("{\"manifests\":[]}", "h.io/a@" ONE, ONE, "h.io/a@" ONE,
	    "{\"manifests\":[" DESC(ONE, "h.io/a@" ONE, "h.io/a@" ONE) "]}");
}

static void standing(void **state)
{
	(void)state;
	/* The same image: nothing changes, whatever it is asked for by. */
	add("{\"manifests\":[" DESC(ONE, "h.io/a:1", "mine") "]}", "h.io/a:1", ONE, "mine",
	    "{\"manifests\":[" DESC(ONE, "h.io/a:1", "mine") "]}");
	add("{\"manifests\":[" THEIRS(ONE, "h.io/a:1") "]}", "h.io/a:1", ONE, "h.io/a:1",
	    "{\"manifests\":[" THEIRS(ONE, "h.io/a:1") "]}");
	/* Another image of this name gives way, and its tag is free again. */
	add("{\"manifests\":[" DESC(TWO, "h.io/a:1", "1") "," THEIRS(TWO, "h.io/a:1") "]}", "h.io/a:1", ONE, "1",
	    "{\"manifests\":[" DESC(ONE, "h.io/a:1", "1") "]}");
}

static void finding(void **state)
{
	static const char index[] =
		"{\"manifests\":[7,{},{\"digest\":\"x\",\"annotations\":{\"io.containerd.image.name\":"
		"\"h.io/x:1\"}}," DESC(ONE, "h.io/a:1", "1") "]}";
	struct digest d;
	struct err e = { 0 };
	AUTO(oci_names) n = oci_names_parse(index, strlen(index), &e);

	(void)state;
	assert_non_null(n);
	assert_true(oci_names_find(n, "h.io/a:1", &d));
	assert_false(oci_names_find(n, "h.io/b:1", &d));
	assert_false(oci_names_find(n, "h.io/x:1", &d));
	assert_false(oci_names_changed(n));
}

static void refused(void **state)
{
	static const char *const bad[] = { "", "[]", "{", "{\"manifests\":{}}", "{\"manifests\":[],\"manifests\":[]}" };
	static const char real[] = "{\"manifests\":[],\"x\":1.5}";
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(oci_names_parse(bad[i], strlen(bad[i]), &e));
		assert_int_equal(e.kind, ERR_TARGET);
	}
	AUTO(oci_names) n = oci_names_parse(real, strlen(real), &e);
	assert_non_null(n);
	assert_int_equal(oci_names_write(n, &out, &e), -1);
	assert_int_equal(e.kind, ERR_TARGET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adding),
		cmocka_unit_test(standing),
		cmocka_unit_test(finding),
		cmocka_unit_test(refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
