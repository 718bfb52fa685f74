/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: manifests and configurations give up what they name exactly and within bounds; artifacts are told from images
 * (row 33), foreign layers are marked (row 34).
 */
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
#define BLOB(type, more) "{\"mediaType\":\"" type "\",\"digest\":\"sha256:" HEX "\",\"size\":7" more "}"
#define MANIFEST(type, config, layers)                                                                                 \
	"{\"schemaVersion\":2,\"mediaType\":\"" type "\",\"config\":" config ",\"layers\":[" layers "]}"

static struct manifest *must_parse(const char *text)
{
	struct err e = { 0 };
	struct manifest *m = manifest_parse(text, strlen(text), &e);

	if (!m)
		fail_msg("%s: %s", text, e.text);
	return m;
}

static void image(void **state)
{
	AUTO(manifest)
	m = must_parse(MANIFEST(MEDIA_DOCKER_MANIFEST, BLOB(MEDIA_DOCKER_CONFIG, ""),
				BLOB(MEDIA_DOCKER_LAYER_GZIP, "") "," BLOB(
					"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
					",\"urls\":[\"https://x/y\"]") "," BLOB(MEDIA_OCI_LAYER_ZSTD, ",\"urls\":[]")));

	(void)state;
	assert_true(m->image);
	assert_int_equal(m->count, 3);
	assert_string_equal(m->config.media_type, MEDIA_DOCKER_CONFIG);
	assert_int_equal(m->config.promise.size, 7);
	assert_false(m->layers[0].foreign);
	assert_true(m->layers[1].foreign);
	assert_false(m->layers[2].foreign);
	manifest_free(NULL);
}

static void artifacts(void **state)
{
	static const struct {
		const char *text;
		bool image;
	} rows[] = {
		{ MANIFEST(MEDIA_OCI_MANIFEST, BLOB(MEDIA_OCI_CONFIG, ""), BLOB(MEDIA_OCI_LAYER_GZIP, "")), true },
		{ MANIFEST(MEDIA_OCI_MANIFEST, BLOB(MEDIA_OCI_CONFIG, ""), ""), true }, /* FROM scratch, labels only */
		{ "{\"schemaVersion\":2,\"config\":" BLOB(MEDIA_OCI_CONFIG, "") ",\"layers\":null}", true },
		{ "{\"schemaVersion\":2,\"config\":" BLOB(MEDIA_OCI_CONFIG, "") "}", true },
		/* old docker types, in schema 2 only */
		{ MANIFEST(MEDIA_DOCKER_MANIFEST, BLOB("application/octet-stream", ""),
			   BLOB(MEDIA_DOCKER_LAYER_GZIP, "")),
		  true },
		{ MANIFEST(MEDIA_OCI_MANIFEST, BLOB("application/octet-stream", ""), BLOB(MEDIA_OCI_LAYER_GZIP, "")),
		  false },
		/* Helm, ORAS, Docker plugin */
		{ MANIFEST(MEDIA_OCI_MANIFEST, BLOB("application/vnd.cncf.helm.config.v1+json", ""),
			   BLOB("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "")),
		  false },
		{ MANIFEST(MEDIA_OCI_MANIFEST, BLOB("application/vnd.oci.empty.v1+json", ""), BLOB("text/plain", "")),
		  false },
		{ MANIFEST(MEDIA_DOCKER_MANIFEST, BLOB("application/vnd.docker.plugin.v1+json", ""),
			   BLOB(MEDIA_DOCKER_LAYER_GZIP, "")),
		  false },
		/* a cosign signature and a BuildKit attestation: an image's config, but not its layers */
		{ MANIFEST(MEDIA_OCI_MANIFEST, BLOB(MEDIA_OCI_CONFIG, ""),
			   BLOB("application/vnd.dev.cosign.simplesigning.v1+json", "")),
		  false },
		{ MANIFEST(MEDIA_OCI_MANIFEST, BLOB(MEDIA_OCI_CONFIG, ""), BLOB("application/vnd.in-toto+json", "")),
		  false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO(manifest) m = must_parse(rows[i].text);

		if (m->image != rows[i].image)
			fail_msg("%s", rows[i].text);
	}
}

static void manifests_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "{\"schemaVersion\":2,\"manifests\":[]}", "it is an index" },
		{ "{\"schemaVersion\":1,\"fsLayers\":[]}", "schema 1" },
		{ "{\"schemaVersion\":2,\"layers\":[]}", "config: not a descriptor" },
		{ MANIFEST(MEDIA_OCI_MANIFEST, "\"x\"", ""), "config: not a descriptor" },
		{ MANIFEST(MEDIA_OCI_MANIFEST, "{}", ""), "config: \"mediaType\" is missing" },
		{ MANIFEST(MEDIA_OCI_MANIFEST, BLOB(MEDIA_OCI_CONFIG, ""), "3"), "1 of 1 layers: not a descriptor" },
		{ MANIFEST(MEDIA_OCI_MANIFEST, BLOB(MEDIA_OCI_CONFIG, ""), BLOB("a/b", ",\"urls\":[1]")),
		  "1 of 1 layers: \"urls\"" },
		{ MANIFEST(MEDIA_OCI_MANIFEST, BLOB(MEDIA_OCI_CONFIG, ""), BLOB("a/b", ",\"urls\":{}")),
		  "\"urls\" is not an array" },
		{ MANIFEST(MEDIA_OCI_MANIFEST, BLOB(MEDIA_OCI_CONFIG, ""), BLOB("a/b", ",\"URLs\":[\"x\"]")),
		  "which docker takes for" },
		{ "{\"config\":" BLOB(MEDIA_OCI_CONFIG, "") ",\"layers\":{}}", "not an array" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = { 0 };
		struct manifest *m = manifest_parse(rows[i][0], strlen(rows[i][0]), &e);

		if (m)
			fail_msg("accepted: %s", rows[i][0]);
		assert_int_equal(e.kind, ERR_CORRUPT);
		if (!strstr(e.text, rows[i][1]))
			fail_msg("\"%s\" is not in \"%s\"", rows[i][1], e.text);
	}
}

static void layer_edge(void **state)
{
	struct err e = { 0 };
	AUTO_BUF b = { 0 };

	(void)state;
	for (size_t n = LIMIT_LAYERS; n <= LIMIT_LAYERS + 1; n++) {
		buf_clear(&b);
		assert_int_equal(buf_puts(&b, "{\"config\":" BLOB(MEDIA_OCI_CONFIG, "") ",\"layers\":[", &e), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(buf_printf(&b, &e, "%s%s", i ? "," : "", BLOB(MEDIA_OCI_LAYER, "")), 0);
		assert_int_equal(buf_puts(&b, "]}", &e), 0);
		AUTO(manifest) m = manifest_parse(b.data, b.len, &e);
		assert_true((m != NULL) == (n == LIMIT_LAYERS));
	}
	assert_non_null(strstr(e.text, "1025 layers"));
	for (size_t n = LIMIT_LAYERS; n <= LIMIT_LAYERS + 1; n++) {
		buf_clear(&b);
		assert_int_equal(buf_puts(&b, "{\"rootfs\":{\"diff_ids\":[", &e), 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(buf_printf(&b, &e, "%s\"sha256:%s\"", i ? "," : "", HEX), 0);
		assert_int_equal(buf_puts(&b, "]}}", &e), 0);
		AUTO(config) c = config_parse(b.data, b.len, &e);
		assert_true((c != NULL) == (n == LIMIT_LAYERS));
	}
}

static void configs(void **state)
{
	static const char text[] =
		"{\"architecture\":\"arm64\",\"variant\":\"v8\",\"os\":\"linux\",\"created\":\"2024-01-02T03:04:05Z\","
		"\"config\":{\"Env\":[\"PATH=/"
		"\"],\"Labels\":{\"Maintainer\":\"a\",\"maintainer\":\"b\"},\"Volumes\":{\"/A\":{},"
		"\"/a\":{}}},\"history\":[{\"created_by\":\"x\",\"empty_layer\":true}],\"rootfs\":{\"type\":\"layers\","
		"\"diff_ids\":[\"sha256:" HEX "\",\"sha256:" HEX "\"]}}";
	struct err e = { 0 };
	AUTO(config) c = config_parse(text, sizeof(text) - 1, &e);
	char shown[PLATFORM_TEXT_SIZE];
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	assert_non_null(c);
	assert_string_equal(platform_text(&c->platform, shown), "linux/arm64");
	assert_int_equal(c->count, 2);
	assert_string_equal(digest_hex(&c->diff_ids[1], hex), HEX);
	assert_string_equal(c->created, "2024-01-02T03:04:05Z");
	static const char bare[] = "{\"rootfs\":{\"type\":\"layers\",\"diff_ids\":null},\"created\":null}";
	AUTO(config) none = config_parse(bare, sizeof(bare) - 1, &e);
	assert_non_null(none);
	assert_int_equal(none->count, 0);
	assert_null(none->created);
	assert_string_equal(none->platform.os, "");
	config_free(NULL);
}

static void configs_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "[]", "not a JSON object" },
		{ "{}", "\"rootfs\" is missing" }, /* application/vnd.oci.empty.v1+json */
		{ "{\"name\":\"chart\",\"version\":\"1\"}", "\"rootfs\" is missing" },
		{ "{\"rootfs\":[]}", "\"rootfs\"" },
		{ "{\"rootfs\":{\"diff_ids\":\"x\"}}", "\"diff_ids\" is not an array" },
		{ "{\"rootfs\":{\"diff_ids\":[1]}}", "not a string" },
		{ "{\"rootfs\":{\"diff_ids\":[null]}}", "not a string" },
		{ "{\"rootfs\":{\"diff_ids\":[\"sha256:" HEX "\",\"sha256:\"]}}", "2 of 2 diff_ids" },
		{ "{\"rootfs\":{\"diff_ids\":[\"" HEX "\"]}}", "1 of 1 diff_ids" },
		{ "{\"rootfs\":{\"Diff_Ids\":[\"sha256:" HEX "\"]}}", "which docker takes for" },
		{ "{\"RootFS\":{\"diff_ids\":[]},\"rootfs\":{\"diff_ids\":[]}}", "which docker takes for" },
		{ "{\"RootFS\":{\"diff_ids\":[]}}", "which docker takes for" },
		{ "{\"os\":7,\"rootfs\":{}}", "\"os\" is a whole number" },
		{ "{\"Architecture\":\"amd64\",\"rootfs\":{}}", "which docker takes for" },
		{ "{\"created\":7,\"rootfs\":{}}", "\"created\" is a whole number" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = { 0 };
		struct config *c = config_parse(rows[i][0], strlen(rows[i][0]), &e);

		if (c)
			fail_msg("accepted: %s", rows[i][0]);
		assert_int_equal(e.kind, ERR_CORRUPT);
		if (!strstr(e.text, rows[i][1]))
			fail_msg("\"%s\" is not in \"%s\"", rows[i][1], e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image),      cmocka_unit_test(artifacts), cmocka_unit_test(manifests_refused),
		cmocka_unit_test(layer_edge), cmocka_unit_test(configs),   cmocka_unit_test(configs_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
