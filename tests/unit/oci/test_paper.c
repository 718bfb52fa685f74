/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no paper that two programs could take for two things is accepted (S18, CVE-2021-41190): 36 combinations of
 * Content-Type, mediaType and keys, and the many legal forms that registries serve. Media types of layers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oci/manifest.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What a row expects. */
#define NO (-1)

static void kind_is(const char *body, const char *header, int want, const char *want_type)
{
	enum paper_kind kind = (enum paper_kind)77;
	char type[MEDIA_TYPE_SIZE] = "kept";
	struct err e = { 0 };
	int rc = paper_kind(body, strlen(body), header, &kind, type, &e);

	if ((rc == 0) != (want != NO))
		fail_msg("%s with %s: %s", body, header ? header : "no header", rc ? e.text : "accepted");
	if (want == NO) {
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_string_equal(type, "kept");
		assert_int_equal(kind, 77);
		return;
	}
	assert_int_equal(kind, want);
	assert_string_equal(type, want_type);
}

/* Three headers x three mediaTypes x four sets of keys. */
static void combinations(void **state)
{
	static const char *const headers[] = { NULL, MEDIA_OCI_INDEX, MEDIA_OCI_MANIFEST };
	static const char *const types[] = { "", "\"mediaType\":\"" MEDIA_OCI_INDEX "\",",
					     "\"mediaType\":\"" MEDIA_OCI_MANIFEST "\"," };
	static const char *const keys[] = { "\"manifests\":[]", "\"layers\":[],\"config\":{}",
					    "\"manifests\":[],\"layers\":[]", "\"x\":1" };
	size_t accepted = 0;

	(void)state;
	for (size_t h = 0; h < 3; h++) {
		for (size_t t = 0; t < 3; t++) {
			for (size_t k = 0; k < 4; k++) {
				char body[256];
				/* 1: index, 2: manifest; 0: says nothing */
				size_t by_keys = k < 2 ? k + 1 : 0;
				bool agree = !(h && t && h != t) && !(by_keys && h && by_keys != h) &&
					     !(by_keys && t && by_keys != t);
				bool said = by_keys || t;
				size_t all = t ? t : by_keys;
				bool good = agree && said && k != 2;

				(void)snprintf(body, sizeof(body), "{\"schemaVersion\":2,%s%s}", types[t], keys[k]);
				if (all == 1)
					kind_is(body, headers[h], good ? PAPER_INDEX : NO, MEDIA_OCI_INDEX);
				else
					kind_is(body, headers[h], good ? PAPER_MANIFEST : NO, MEDIA_OCI_MANIFEST);
				accepted += good;
			}
		}
	}
	/* by hand: 4 of index keys, 4 of manifest keys, 4 of a mediaType without keys */
	assert_int_equal(accepted, 12);
}

#define INDEX_KEYS "\"schemaVersion\":2,\"manifests\":[]"
#define MANIFEST_KEYS "\"schemaVersion\":2,\"config\":{},\"layers\":[]"
#define TYPE(t) "\"mediaType\":\"" t "\","

static void legal(void **state)
{
	static const struct {
		const char *body, *header;
		enum paper_kind kind;
		const char *type;
	} rows[] = {
		{ "{" TYPE(MEDIA_DOCKER_MANIFEST) MANIFEST_KEYS "}", MEDIA_DOCKER_MANIFEST, PAPER_MANIFEST,
		  MEDIA_DOCKER_MANIFEST },
		{ "{" TYPE(MEDIA_DOCKER_MANIFEST) MANIFEST_KEYS "}", NULL, PAPER_MANIFEST, MEDIA_DOCKER_MANIFEST },
		{ "{" TYPE(MEDIA_DOCKER_LIST) INDEX_KEYS "}", MEDIA_DOCKER_LIST, PAPER_INDEX, MEDIA_DOCKER_LIST },
		{ "{" TYPE(MEDIA_OCI_MANIFEST) MANIFEST_KEYS "}", MEDIA_OCI_MANIFEST, PAPER_MANIFEST,
		  MEDIA_OCI_MANIFEST },
		{ "{" TYPE(MEDIA_OCI_INDEX) INDEX_KEYS "}", MEDIA_OCI_INDEX, PAPER_INDEX, MEDIA_OCI_INDEX },
		/* row 19: parameters, other case, spaces, generic types */
		{ "{" TYPE(MEDIA_OCI_INDEX) INDEX_KEYS "}", MEDIA_OCI_INDEX "; charset=utf-8", PAPER_INDEX,
		  MEDIA_OCI_INDEX },
		{ "{" TYPE(MEDIA_OCI_INDEX) INDEX_KEYS "}", " Application/VND.oci.image.index.v1+JSON ;q=1",
		  PAPER_INDEX, MEDIA_OCI_INDEX },
		{ "{" TYPE(MEDIA_OCI_INDEX) INDEX_KEYS "}", "application/json", PAPER_INDEX, MEDIA_OCI_INDEX },
		{ "{" TYPE(MEDIA_OCI_INDEX) INDEX_KEYS "}", "text/plain; charset=utf-8", PAPER_INDEX, MEDIA_OCI_INDEX },
		{ "{" TYPE(MEDIA_OCI_INDEX) INDEX_KEYS "}", "", PAPER_INDEX, MEDIA_OCI_INDEX },
		{ "{" TYPE(MEDIA_OCI_INDEX) INDEX_KEYS "}", ";;;", PAPER_INDEX, MEDIA_OCI_INDEX },
		/* no mediaType: the header says which family */
		{ "{" MANIFEST_KEYS "}", MEDIA_OCI_MANIFEST, PAPER_MANIFEST, MEDIA_OCI_MANIFEST },
		{ "{" MANIFEST_KEYS "}", MEDIA_DOCKER_MANIFEST "; charset=x", PAPER_MANIFEST, MEDIA_DOCKER_MANIFEST },
		{ "{" INDEX_KEYS "}", MEDIA_DOCKER_LIST, PAPER_INDEX, MEDIA_DOCKER_LIST },
		{ "{" MANIFEST_KEYS "}", "application/octet-stream", PAPER_MANIFEST, MEDIA_OCI_MANIFEST },
		{ "{" INDEX_KEYS "}", NULL, PAPER_INDEX, MEDIA_OCI_INDEX },
		{ "{\"mediaType\":\"\"," INDEX_KEYS "}", NULL, PAPER_INDEX, MEDIA_OCI_INDEX },
		{ "{\"mediaType\":null," INDEX_KEYS "}", NULL, PAPER_INDEX, MEDIA_OCI_INDEX },
		/* Go's null is Go's absent */
		{ "{\"layers\":null,\"config\":null," INDEX_KEYS "}", NULL, PAPER_INDEX, MEDIA_OCI_INDEX },
		{ "{" TYPE(MEDIA_OCI_INDEX) "\"schemaVersion\":2,\"manifests\":null}", NULL, PAPER_INDEX,
		  MEDIA_OCI_INDEX },
		{ "{\"manifests\":[]}", NULL, PAPER_INDEX, MEDIA_OCI_INDEX },
		/* schema 1 is known by name, so that the error can name it */
		{ "{\"schemaVersion\":1,\"fsLayers\":[],\"history\":[]}", NULL, PAPER_SCHEMA1, MEDIA_DOCKER_SCHEMA1 },
		{ "{\"schemaVersion\":1,\"fsLayers\":[],\"signatures\":[{}]}", NULL, PAPER_SCHEMA1,
		  MEDIA_DOCKER_SCHEMA1_SIGNED },
		{ "{\"schemaVersion\":1,\"fsLayers\":[],\"signatures\":[{}]}",
		  MEDIA_DOCKER_SCHEMA1_SIGNED "; charset=utf-8", PAPER_SCHEMA1, MEDIA_DOCKER_SCHEMA1_SIGNED },
		{ "{" TYPE(MEDIA_DOCKER_SCHEMA1) "\"schemaVersion\":1,\"fsLayers\":[]}", MEDIA_DOCKER_SCHEMA1,
		  PAPER_SCHEMA1, MEDIA_DOCKER_SCHEMA1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		kind_is(rows[i].body, rows[i].header, (int)rows[i].kind, rows[i].type);
}

static void ambiguous(void **state)
{
	static const char *const rows[][2] = {
		/* both families' words for one thing */
		{ "{" TYPE(MEDIA_OCI_MANIFEST) MANIFEST_KEYS "}", MEDIA_DOCKER_MANIFEST },
		{ "{" TYPE(MEDIA_DOCKER_LIST) INDEX_KEYS "}", MEDIA_OCI_INDEX "; charset=utf-8" },
		{ "{" TYPE(MEDIA_OCI_MANIFEST) MANIFEST_KEYS "}", MEDIA_DOCKER_SCHEMA1 },
		{ "{" MANIFEST_KEYS "}", MEDIA_DOCKER_SCHEMA1_SIGNED },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", MEDIA_OCI_MANIFEST },
		/* keys of two */
		{ "{" INDEX_KEYS ",\"config\":{}}", NULL },
		{ "{" INDEX_KEYS ",\"layers\":[]}", NULL },
		{ "{" INDEX_KEYS ",\"fsLayers\":[]}", NULL },
		{ "{" MANIFEST_KEYS ",\"fsLayers\":[]}", NULL },
		{ "{" TYPE(MEDIA_OCI_INDEX) INDEX_KEYS ",\"config\":\"x\"}", MEDIA_OCI_INDEX },
		/* the same, hidden from those who look for the exact name: Go finds them */
		{ "{" INDEX_KEYS ",\"Layers\":[]}", NULL },
		{ "{" MANIFEST_KEYS ",\"Manifests\":[]}", NULL },
		{ "{" MANIFEST_KEYS ",\"manife\xC5\xBFts\":[]}", NULL },
		{ "{\"MediaType\":\"" MEDIA_OCI_INDEX "\"," MANIFEST_KEYS "}", NULL },
		{ "{\"Layers\":[],\"Config\":{}}", NULL },
		{ "{\"schemaVersion\":2,\"manifests\":[],\"manifests\":[]}", NULL },
		/* versions */
		{ "{\"schemaVersion\":1,\"manifests\":[]}", NULL },
		{ "{\"schemaVersion\":3,\"config\":{},\"layers\":[]}", NULL },
		{ "{\"schemaVersion\":2,\"fsLayers\":[]}", NULL },
		{ "{\"schemaVersion\":\"2\",\"manifests\":[]}", NULL },
		{ "{\"schemaVersion\":2.0,\"manifests\":[]}", NULL },
		/* other things */
		{ "{" TYPE("application/vnd.oci.artifact.manifest.v1+json") "\"blobs\":[]}", NULL },
		{ "{" TYPE("Application/vnd.oci.image.index.v1+json") INDEX_KEYS "}", NULL },
		{ "{" TYPE(MEDIA_OCI_INDEX "; charset=utf-8") INDEX_KEYS "}", NULL },
		{ "{" TYPE(MEDIA_OCI_CONFIG) "\"layers\":[]}", NULL },
		{ "{\"mediaType\":5," INDEX_KEYS "}", NULL },
		{ "{}", NULL },
		{ "{}", MEDIA_OCI_INDEX },
		{ "{\"errors\":[{\"code\":\"DENIED\"}]}", MEDIA_OCI_MANIFEST },
		{ "[]", NULL },
		{ "", NULL },
		{ "<html>", "text/html" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		kind_is(rows[i][0], rows[i][1], NO, NULL);
}

static void layer_codings(void **state)
{
	static const struct {
		const char *type;
		enum layer_coding coding;
	} rows[] = {
		{ MEDIA_OCI_LAYER, LAYER_TAR },
		{ MEDIA_OCI_LAYER_GZIP, LAYER_GZIP },
		{ MEDIA_OCI_LAYER_ZSTD, LAYER_ZSTD },
		{ MEDIA_DOCKER_LAYER, LAYER_TAR },
		{ MEDIA_DOCKER_LAYER_GZIP, LAYER_GZIP },
		{ "application/vnd.docker.image.rootfs.diff.tar.zstd", LAYER_ZSTD },
		{ "application/vnd.docker.image.rootfs.foreign.diff.tar", LAYER_TAR },
		{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", LAYER_GZIP },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar", LAYER_TAR },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", LAYER_GZIP },
		{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", LAYER_ZSTD },
		{ MEDIA_OCI_LAYER_GZIP "; x=y", LAYER_GZIP },
		{ "Application/vnd.OCI.image.layer.v1.tar+GZIP", LAYER_GZIP },
		{ MEDIA_OCI_LAYER_GZIP "+encrypted", LAYER_UNKNOWN },
		{ MEDIA_OCI_LAYER "+xz", LAYER_UNKNOWN },
		{ MEDIA_OCI_LAYER "gzip", LAYER_UNKNOWN },
		{ MEDIA_OCI_CONFIG, LAYER_UNKNOWN },
		{ "application/vnd.in-toto+json", LAYER_UNKNOWN },
		{ "application/vnd.cncf.helm.chart.content.v1.tar+gzip", LAYER_UNKNOWN },
		{ "", LAYER_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (layer_coding(rows[i].type) != rows[i].coding)
			fail_msg("%s: %d", rows[i].type, (int)layer_coding(rows[i].type));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(combinations),
		cmocka_unit_test(legal),
		cmocka_unit_test(ambiguous),
		cmocka_unit_test(layer_codings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
