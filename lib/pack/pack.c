/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/pack.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *blob_role_text(enum blob_role role)
{
	switch (role) {
	case BLOB_INDEX:
		return "index";
	case BLOB_MANIFEST:
		return "manifest";
	case BLOB_CONFIG:
		return "config";
	case BLOB_LAYER:
		return "layer";
	case BLOB_OTHER:
		break;
	}
	return "blob";
}

struct pack *pack_new(struct err *e)
{
	AUTO(pack) p = calloc(1, sizeof(*p));

	if (!p) {
		err_memory(e);
		return NULL;
	}
	p->by_digest = digestmap_new(e);
	if (!p->by_digest)
		return NULL;
	p->by_name = digestmap_new(e);
	if (!p->by_name)
		return NULL;
	return TAKE(p);
}

static void manifest_release(struct pack_manifest *m)
{
	free(m->layers);
	free(m->diff_ids);
}

static void image_release(struct pack_image *image)
{
	for (size_t i = 0; i < image->manifest_count; i++)
		manifest_release(&image->manifests[i]);
	for (size_t i = 0; i < image->referrer_count; i++)
		free(image->referrers[i].parts);
	free(image->referrers);
	free(image->manifests);
	free(image->name);
}

void pack_free(struct pack *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->image_count; i++)
		image_release(&p->images[i]);
	for (size_t i = 0; i < p->blob_count; i++)
		free(p->blobs[i].bytes);
	free(p->images);
	free(p->blobs);
	digestmap_free(p->by_digest);
	digestmap_free(p->by_name);
	free(p);
}

ptrdiff_t pack_find_blob(const struct pack *p, const struct digest *d)
{
	return digestmap_get(p->by_digest, d);
}

static char *copy_bytes(const char *bytes, uint64_t size, struct err *e)
{
	char *copy = size < SIZE_MAX ? malloc((size_t)size + 1) : NULL;

	if (!copy) {
		err_memory(e);
		return NULL;
	}
	if (size)
		memcpy(copy, bytes, (size_t)size);
	copy[size] = '\0';
	return copy;
}

/* A blob that is there already learns what this use knows about it. */
static int blob_meet(struct pack_blob *b, const struct pack_blob *use, const char *bytes, struct err *e)
{
	char text[DIGEST_TEXT_SIZE];

	if (b->promise.size != use->promise.size)
		return err_set(e, ERR_CORRUPT, "%s is promised with %" PRIu64 " and with %" PRIu64 " bytes",
			       digest_text(&b->promise.digest, text), b->promise.size, use->promise.size);
	if (bytes && !b->bytes) {
		b->bytes = copy_bytes(bytes, b->promise.size, e);
		if (!b->bytes)
			return -1;
	}
	if (b->role == BLOB_OTHER)
		b->role = use->role;
	if (!*b->media_type)
		memcpy(b->media_type, use->media_type, sizeof(b->media_type));
	return 0;
}

static int blob_append(struct pack *p, const struct pack_blob *blob, const char *bytes, struct err *e)
{
	struct pack_blob b = *blob;

	if (p->blob_count >= LIMIT_MEMBERS)
		return err_set(e, ERR_USAGE, "more than %d blobs in one archive; make several archives", LIMIT_MEMBERS);
	if (GROW(p->blobs, p->blob_capacity, p->blob_count, e))
		return -1;
	if (bytes) {
		b.bytes = copy_bytes(bytes, b.promise.size, e);
		if (!b.bytes)
			return -1;
	}
	if (digestmap_put(p->by_digest, &b.promise.digest, p->blob_count, e)) {
		free(b.bytes);
		return -1;
	}
	p->blobs[p->blob_count++] = b;
	return 0;
}

ptrdiff_t pack_add_blob(struct pack *p, const struct promise *promise, enum blob_role role, const char *media_type,
			const char *bytes, struct err *e)
{
	struct pack_blob blob = { .promise = *promise, .role = role };
	char text[DIGEST_TEXT_SIZE];
	size_t type_len = media_type ? strlen(media_type) : 0;

	if (type_len >= sizeof(blob.media_type))
		return err_set(e, ERR_CORRUPT, "%s has a media type of %zu bytes, at most %zu are allowed",
			       digest_text(&promise->digest, text), type_len, sizeof(blob.media_type) - 1);
	if (promise->size > INT64_MAX)
		return err_set(e, ERR_CORRUPT, "%s is promised with %" PRIu64 " bytes, more than a file can have",
			       digest_text(&promise->digest, text), promise->size);
	if (type_len)
		memcpy(blob.media_type, media_type, type_len);

	ptrdiff_t at = digestmap_get(p->by_digest, &promise->digest);
	if (at >= 0)
		return blob_meet(&p->blobs[at], &blob, bytes, e) ? -1 : at;
	if (blob_append(p, &blob, bytes, e))
		return -1;
	return (ptrdiff_t)p->blob_count - 1;
}

struct pack_image *pack_add_image(struct pack *p, const char *name, struct err *e)
{
	AUTO_MEM char *copy = NULL;
	struct digest key;
	char shown[LIMIT_REFERENCE];

	if (p->image_count >= LIMIT_IMAGES) {
		err_set(e, ERR_USAGE, "more than %d images in one archive; make several archives", LIMIT_IMAGES);
		return NULL;
	}
	if (GROW(p->images, p->image_capacity, p->image_count, e))
		return NULL;
	if (name) {
		if (digest_of(&key, name, strlen(name), e))
			return NULL;
		if (digestmap_get(p->by_name, &key) >= 0) {
			err_set(e, ERR_USAGE, "%s: is named twice", text_escape_str(shown, sizeof(shown), name));
			return NULL;
		}
		copy = strdup(name);
		if (!copy) {
			err_memory(e);
			return NULL;
		}
		if (digestmap_put(p->by_name, &key, p->image_count, e))
			return NULL;
	}
	struct pack_image *image = &p->images[p->image_count++];
	*image = (struct pack_image){ .name = TAKE(copy) };
	return image;
}

/* The config as a blob; with its bytes if they were given. They must be what the manifest promises. */
static ptrdiff_t add_config(struct pack *p, const struct descriptor *config, const char *bytes, size_t len,
			    struct err *e)
{
	char have[DIGEST_TEXT_SIZE];
	struct digest d;

	if (bytes) {
		if (len != config->promise.size)
			return err_set(e, ERR_CORRUPT, "has %zu bytes, expected %" PRIu64, len, config->promise.size);
		if (digest_of(&d, bytes, len, e))
			return -1;
		if (!digest_equal(&d, &config->promise.digest))
			return err_set(e, ERR_CORRUPT, "has digest %s", digest_text(&d, have));
	}
	return pack_add_blob(p, &config->promise, BLOB_CONFIG, config->media_type, bytes, e);
}

/* Takes platform and diff IDs from an image's configuration. */
static int read_config(struct pack *p, struct pack_manifest *m, struct err *e)
{
	const struct pack_blob *b = &p->blobs[m->config];

	if (!b->bytes)
		return err_set(e, ERR_USAGE, "its bytes are not there");
	AUTO(config) c = config_parse(b->bytes, (size_t)b->promise.size, e);
	if (!c)
		return -1;
	if (c->count != m->layer_count)
		return err_set(e, ERR_CORRUPT, "names %zu diff IDs, but the manifest has %zu layers", c->count,
			       m->layer_count);
	m->platform = c->platform;
	m->diff_ids = TAKE(c->diff_ids);
	return 0;
}

static int add_layers(struct pack *p, struct pack_manifest *m, const struct manifest *parsed, struct err *e)
{
	m->layers = calloc(parsed->count ? parsed->count : 1, sizeof(*m->layers));
	if (!m->layers)
		return err_memory(e);
	for (size_t i = 0; i < parsed->count; i++) {
		const struct descriptor *layer = &parsed->layers[i];
		ptrdiff_t at = pack_add_blob(p, &layer->promise, BLOB_LAYER, layer->media_type, NULL, e);
		if (at < 0)
			return err_at(e, "layer %zu of %zu", i + 1, parsed->count);
		m->layers[i] = (size_t)at;
	}
	return 0;
}

static int fill_manifest(struct pack *p, struct pack_manifest *m, const struct platform *platform, bool attestation,
			 const char *config_bytes, size_t config_len, struct err *e)
{
	char text[DIGEST_TEXT_SIZE];
	const struct pack_blob *b = &p->blobs[m->blob];

	if (!b->bytes)
		return err_set(e, ERR_USAGE, "its bytes are not there");
	AUTO(manifest) parsed = manifest_parse(b->bytes, (size_t)b->promise.size, e);
	if (!parsed)
		return -1;
	m->image = parsed->image && !attestation;
	m->layer_count = parsed->count;
	ptrdiff_t config = add_config(p, &parsed->config, config_bytes, config_len, e);
	if (config < 0)
		return err_at(e, "config %s", digest_text(&parsed->config.promise.digest, text));
	m->config = (size_t)config;
	if (m->image && read_config(p, m, e))
		return err_at(e, "config %s", digest_text(&parsed->config.promise.digest, text));
	if (platform && (*platform->os || *platform->architecture))
		m->platform = *platform;
	return add_layers(p, m, parsed, e);
}

int pack_image_add_manifest(struct pack *p, struct pack_image *image, size_t manifest_blob,
			    const struct platform *platform, bool attestation, const char *config_bytes,
			    size_t config_len, struct err *e)
{
	struct pack_manifest m = { .blob = manifest_blob };
	char text[DIGEST_TEXT_SIZE];

	if (image->manifest_count >= LIMIT_INDEX_ENTRIES)
		return err_set(e, ERR_CORRUPT, "has more than %d manifests", LIMIT_INDEX_ENTRIES);
	if (GROW(image->manifests, image->manifest_capacity, image->manifest_count, e))
		return -1;
	if (fill_manifest(p, &m, platform, attestation, config_bytes, config_len, e)) {
		manifest_release(&m);
		return err_at(e, "manifest %s", digest_text(&p->blobs[manifest_blob].promise.digest, text));
	}
	image->manifests[image->manifest_count++] = m;
	return 0;
}

/* How gladly docker's manifest.json names it: plain linux/amd64, linux/amd64 of some level, another image, no image. */
static int preference(const struct pack_manifest *m)
{
	if (!m->image)
		return 0;
	if (strcmp(m->platform.os, "linux") != 0 || strcmp(m->platform.architecture, "amd64") != 0)
		return 1;
	return *m->platform.variant ? 2 : 3;
}

int pack_image_choose_preferred(struct pack_image *image, struct err *e)
{
	size_t best = 0;
	int best_preference = 0;

	for (size_t i = 0; i < image->manifest_count; i++) {
		int here = preference(&image->manifests[i]);
		if (here > best_preference) {
			best = i;
			best_preference = here;
		}
	}
	if (!best_preference)
		return err_set(e, ERR_ABSENT, "has no image manifest, so nothing that docker could load");
	image->preferred = best;
	return 0;
}
