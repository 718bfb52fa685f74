/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: index, manifest and configuration readers stand any bytes, agree with paper_kind(), and no Content-Type can
 * make the same bytes another kind of paper (CVE-2021-41190).
 */
#include "base/limits.h"
#include "oci/manifest.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_kinds(const char *bytes, size_t size, bool index, bool manifest)
{
	static const char *const headers[] = { NULL,
					       MEDIA_OCI_INDEX,
					       MEDIA_OCI_MANIFEST,
					       MEDIA_DOCKER_LIST "; charset=utf-8",
					       MEDIA_DOCKER_MANIFEST,
					       MEDIA_DOCKER_SCHEMA1,
					       MEDIA_DOCKER_SCHEMA1_SIGNED,
					       "application/json" };
	int seen = -1;

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		enum paper_kind kind;
		char type[MEDIA_TYPE_SIZE];
		struct err e = { 0 };

		if (paper_kind(bytes, size, headers[i], &kind, type, &e)) {
			assert(e.kind == ERR_CORRUPT);
			continue;
		}
		assert(strlen(type) > 0);
		assert(seen == -1 || seen == (int)kind);
		seen = (int)kind;
	}
	assert(!(index && manifest));
	if (index)
		assert(seen == PAPER_INDEX);
	if (manifest)
		assert(seen == PAPER_MANIFEST);
}

static void check_descriptor(const struct descriptor *d)
{
	char text[PLATFORM_TEXT_SIZE];
	size_t len = strnlen(d->media_type, MEDIA_TYPE_SIZE);

	assert(len > 0 && len < MEDIA_TYPE_SIZE);
	assert(d->promise.size <= INT64_MAX);
	for (const char *p = platform_text(&d->platform, text); *p; p++)
		assert(*p > 0x20 && *p < 0x7F);
	(void)layer_coding(d->media_type);
}

static void check_choice(const struct index *x)
{
	static const char *const wants[] = { "linux/amd64", "linux/arm64/v9.3", "linux/arm", "windows/amd64" };

	for (size_t i = 0; i < sizeof(wants) / sizeof(wants[0]); i++) {
		struct platform want;
		struct err e = { 0 };

		assert(platform_parse(&want, wants[i], NULL) == 0);
		ptrdiff_t at = index_choose(x, &want, &e);
		assert(at < (ptrdiff_t)x->count);
		if (at < 0)
			assert(e.kind == ERR_ABSENT);
		else
			assert(!x->entries[at].attestation);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	AUTO(index) x = index_parse(bytes, size, NULL);
	AUTO(manifest) m = manifest_parse(bytes, size, NULL);
	AUTO(config) c = config_parse(bytes, size, NULL);

	check_kinds(bytes, size, x != NULL, m != NULL);
	if (x) {
		assert(x->count <= LIMIT_INDEX_ENTRIES);
		for (size_t i = 0; i < x->count; i++)
			check_descriptor(&x->entries[i]);
		check_choice(x);
	}
	if (m) {
		assert(m->count <= LIMIT_LAYERS);
		check_descriptor(&m->config);
		for (size_t i = 0; i < m->count; i++)
			check_descriptor(&m->layers[i]);
	}
	if (c)
		assert(c->count <= LIMIT_LAYERS && (c->count == 0) == (c->diff_ids == NULL));
	return 0;
}
