/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PACK_SAMPLE_H
#define TESTS_PACK_SAMPLE_H

/*
 * Small, true images for the tests of pack/: manifests and configs whose digests are right, layers whose bytes a store
 * gives. Included by one test program each; every helper fails the test by itself.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "oci/manifest.h"
#include "pack/layout.h"
#include "pack/pack.h"
#include "pack/papers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNUSED __attribute__((unused))

#define OK(call)                                                                                                       \
	do {                                                                                                           \
		struct err *ok_e_ = &sample_err;                                                                       \
		ok_e_->text[0] = '\0';                                                                                 \
		if (call) {                                                                                            \
			fail_msg("%s: %s", #call, ok_e_->text);                                                        \
		}                                                                                                      \
	} while (0)

static struct err sample_err UNUSED;

/* The bytes behind the blobs that a pack does not hold. */
struct store {
	struct {
		struct promise promise;
		char *bytes;
	} * items;
	size_t count;
	size_t capacity;
};

UNUSED static void store_release(struct store *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->items[i].bytes);
	free(s->items);
	*s = (struct store){ 0 };
}

UNUSED static struct promise promise_of(const void *bytes, size_t len)
{
	struct promise p = { .size = len };

	OK(digest_of(&p.digest, bytes, len, &sample_err));
	return p;
}

UNUSED static struct promise store_add(struct store *s, const void *bytes, size_t len)
{
	struct promise p = promise_of(bytes, len);

	OK(GROW(s->items, s->capacity, s->count, &sample_err));
	s->items[s->count].promise = p;
	s->items[s->count].bytes = malloc(len + 1);
	assert_non_null(s->items[s->count].bytes);
	memcpy(s->items[s->count].bytes, bytes, len);
	s->count++;
	return p;
}

/* layout_open_blob: ctx is the store. */
UNUSED static struct source *store_open(void *ctx, const struct pack_blob *blob, struct err *e)
{
	struct store *s = ctx;

	for (size_t i = 0; i < s->count; i++)
		if (digest_equal(&s->items[i].promise.digest, &blob->promise.digest))
			return source_verify(source_memory(s->items[i].bytes, (size_t)s->items[i].promise.size, e),
					     &blob->promise, e);
	err_set(e, ERR_ABSENT, "not in the store");
	return NULL;
}

/* Layer number `n`: about 40 bytes times `n`, never a whole block for every n. */
UNUSED static struct promise sample_layer(struct store *s, unsigned n)
{
	AUTO_BUF b = { 0 };

	for (unsigned i = 0; i <= n % 64; i++)
		OK(buf_printf(&b, &sample_err, "layer %u, line %u of the sample\n", n, i));
	return store_add(s, b.data, b.len);
}

UNUSED static void put_descriptor_text(struct buf *b, const char *type, const struct promise *p)
{
	char text[DIGEST_TEXT_SIZE];

	OK(buf_printf(b, &sample_err, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%" PRIu64 "}", type,
		      digest_text(&p->digest, text), p->size));
}

/* The config of an image: `platform` is what stands in front of rootfs, "\"os\":\"linux\",\"architecture\":\"amd64\"".
 */
UNUSED static void sample_config(struct buf *b, const char *platform, const struct promise *layers, size_t count)
{
	char text[DIGEST_TEXT_SIZE];

	OK(buf_printf(b, &sample_err, "{%s,\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[", platform));
	for (size_t i = 0; i < count; i++)
		OK(buf_printf(b, &sample_err, "%s\"%s\"", i ? "," : "", digest_text(&layers[i].digest, text)));
	OK(buf_puts(b, "]}}", &sample_err));
}

UNUSED static void sample_manifest(struct buf *b, const char *config_type, const struct promise *config,
				   const struct promise *layers, size_t count)
{
	OK(buf_puts(b, "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"config\":", &sample_err));
	put_descriptor_text(b, config_type, config);
	OK(buf_puts(b, ",\"layers\":[", &sample_err));
	for (size_t i = 0; i < count; i++) {
		if (i)
			OK(buf_puts(b, ",", &sample_err));
		put_descriptor_text(b, MEDIA_OCI_LAYER, &layers[i]);
	}
	OK(buf_puts(b, "]}", &sample_err));
}

#define AMD64 "\"architecture\":\"amd64\",\"os\":\"linux\""
#define ARM64 "\"architecture\":\"arm64\",\"os\":\"linux\""

/* Adds a manifest with these layers to the image; its blob. */
UNUSED static size_t sample_add_manifest(struct pack *p, struct pack_image *image, const char *platform,
					 const struct promise *layers, size_t count)
{
	AUTO_BUF config = { 0 };
	AUTO_BUF manifest = { 0 };

	sample_config(&config, platform, layers, count);
	struct promise cp = promise_of(config.data, config.len);
	sample_manifest(&manifest, MEDIA_OCI_CONFIG, &cp, layers, count);
	struct promise mp = promise_of(manifest.data, manifest.len);
	ptrdiff_t blob = pack_add_blob(p, &mp, BLOB_MANIFEST, MEDIA_OCI_MANIFEST, manifest.data, &sample_err);
	assert_true(blob >= 0);
	OK(pack_image_add_manifest(p, image, (size_t)blob, NULL, false, config.data, config.len, &sample_err));
	return (size_t)blob;
}

/* An image of one platform whose root is its manifest. */
UNUSED static struct pack_image *sample_image(struct pack *p, const char *name, const char *platform,
					      const struct promise *layers, size_t count)
{
	struct pack_image *image = pack_add_image(p, name, &sample_err);

	assert_non_null(image);
	image->root = sample_add_manifest(p, image, platform, layers, count);
	OK(pack_image_choose_preferred(image, &sample_err));
	image->has_source = true;
	image->source = p->blobs[image->root].promise;
	(void)snprintf(image->source_media_type, sizeof(image->source_media_type), "%s", MEDIA_OCI_MANIFEST);
	return image;
}

/* An image of amd64 and arm64 behind an index, both with the given layers. */
UNUSED static struct pack_image *sample_index(struct pack *p, const char *name, const struct promise *layers,
					      size_t count)
{
	static const char *const platforms[] = { ARM64, AMD64 };
	AUTO_BUF index = { 0 };
	AUTO(pack) draft = pack_new(&sample_err);
	struct pack_image *image;

	assert_non_null(draft);
	image = pack_add_image(draft, NULL, &sample_err);
	assert_non_null(image);
	OK(buf_puts(&index, "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX "\",\"manifests\":[", &sample_err));
	for (size_t i = 0; i < 2; i++) {
		size_t blob = sample_add_manifest(draft, image, platforms[i], layers, count);
		char text[DIGEST_TEXT_SIZE];
		OK(buf_printf(&index, &sample_err,
			      "%s{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":%" PRIu64
			      ",\"platform\":{%s}}",
			      i ? "," : "", digest_text(&draft->blobs[blob].promise.digest, text),
			      draft->blobs[blob].promise.size, platforms[i]));
	}
	OK(buf_puts(&index, "]}", &sample_err));

	struct promise ip = promise_of(index.data, index.len);
	ptrdiff_t root = pack_add_blob(p, &ip, BLOB_INDEX, MEDIA_OCI_INDEX, index.data, &sample_err);
	assert_true(root >= 0);
	image = pack_add_image(p, name, &sample_err);
	assert_non_null(image);
	image->root = (size_t)root;
	for (size_t i = 0; i < 2; i++)
		(void)sample_add_manifest(p, image, platforms[i], layers, count);
	OK(pack_image_choose_preferred(image, &sample_err));
	image->has_source = true;
	image->source = ip;
	(void)snprintf(image->source_media_type, sizeof(image->source_media_type), "%s", MEDIA_OCI_INDEX);
	return image;
}

/* A manifest of one layer that refers to `subject`: by itself, or (`tag`) says nothing. Its blob. */
UNUSED static size_t sample_referrer(struct pack *p, struct store *s, const struct promise *subject, bool tag)
{
	AUTO_BUF manifest = { 0 };
	char text[DIGEST_TEXT_SIZE];
	const char *payload = digest_text(&subject->digest, text);
	const struct promise layer = store_add(s, payload, strlen(payload));
	const struct promise config = store_add(s, "{}", 2);

	sample_manifest(&manifest, "application/vnd.oci.empty.v1+json", &config, &layer, 1);
	if (!tag) {
		manifest.data[--manifest.len] = '\0';
		OK(buf_puts(&manifest, ",\"subject\":", &sample_err));
		put_descriptor_text(&manifest, MEDIA_OCI_MANIFEST, subject);
		OK(buf_puts(&manifest, "}", &sample_err));
	}
	const struct promise mp = promise_of(manifest.data, manifest.len);
	const ptrdiff_t blob = pack_add_blob(p, &mp, BLOB_MANIFEST, MEDIA_OCI_MANIFEST, manifest.data, &sample_err);
	assert_true(blob >= 0);
	return (size_t)blob;
}

/* The whole tar of a layout, as its source gives it. */
UNUSED static void sample_tar(const struct layout *l, struct store *s, struct buf *out)
{
	AUTO(source) src = layout_source(l, store_open, s, &sample_err);

	assert_non_null(src);
	OK(source_slurp(src, 1u << 30, out, &sample_err));
}

#endif
