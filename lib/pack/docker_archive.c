/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/foreign.h"

#include "base/cancel.h"
#include "base/limits.h"
#include "base/text.h"
#include "codec/codec.h"
#include "oci/json.h"
#include "pack/blob_read.h"

#include <string.h>

/*
 * docker's own archive: manifest.json is [{"Config","RepoTags","Layers"}] with paths into the tar. It carries no
 * manifest of the registry, so one is made here, in memory, from the config and the layers as they stand in the tar.
 */

struct entry {
	const struct jval *value;
	struct buf config; /* bytes */
	struct promise config_promise;
	bool config_named; /* its member's name claims its digest, and rightly */
	struct promise *layers;
	enum coding *codings;
	size_t count;
};

static void entry_release(struct entry *en)
{
	buf_release(&en->config);
	free(en->layers);
	free(en->codings);
}
#define AUTO_ENTRY __attribute__((cleanup(entry_release))) struct entry

/* The member that a path of manifest.json means. */
static const struct tar_member *member_of(const struct members *m, const struct jval *path, struct err *e)
{
	const char *text = jval_text(path);
	char shown[160];
	const struct tar_member *t = text ? members_find(m, text) : NULL;

	if (t)
		return t;
	if (!text)
		err_set(e, ERR_CORRUPT, "manifest.json: a path is no text");
	else
		err_set(e, ERR_CORRUPT, "manifest.json names %s, which is not in the archive as a file",
			text_escape_str(shown, sizeof(shown), text));
	return NULL;
}

/* A digest that the member's name claims: <hex>, <hex>.json, <hex>.tar.gz or sha256:<hex> as its last part. */
static bool claimed_digest(const char *name, struct digest *out)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash ? slash + 1 : name;

	if (text_starts(last, "sha256:"))
		last += 7;
	size_t len = strcspn(last, ".");
	return (!last[len] || !strcmp(last + len, ".json") || !strcmp(last + len, ".tar.gz") ||
		!strcmp(last + len, ".tar")) &&
	       digest_parse_hex(out, last, len);
}

static int read_config(struct pack_file *f, const struct members *m, struct entry *en, struct err *e)
{
	const struct tar_member *t = member_of(m, jval_get(en->value, "Config"), e);
	struct digest claimed;
	char have[DIGEST_TEXT_SIZE];
	char shown[160];

	if (!t || foreign_read(f, t, LIMIT_CONFIG, &en->config, e) ||
	    digest_of(&en->config_promise.digest, en->config.data, en->config.len, e))
		return -1;
	en->config_promise.size = en->config.len;
	en->config_named = claimed_digest(t->name, &claimed);
	if (en->config_named && !digest_equal(&claimed, &en->config_promise.digest))
		return err_set(e, ERR_CORRUPT, "%s has digest %s", text_escape_str(shown, sizeof(shown), t->name),
			       digest_text(&en->config_promise.digest, have));
	return 0;
}

static int feed_hasher(void *ctx, const void *bytes, size_t len, struct err *e)
{
	if (cancel_check(e))
		return -1;
	return hasher_update(ctx, bytes, len, e);
}

/*
 * The digest of a compressed layer about which the archive claims none: computed, which proves nothing by itself, so
 * its content is compared with the diff ID on the way.
 */
static int prove_layer(struct pack_file *f, const struct tar_member *t, enum coding coding,
		       const struct digest *diff_id, struct digest *out, struct err *e)
{
	AUTO(hasher) stored = hasher_new(e);
	AUTO(hasher) content = hasher_new(e);
	struct digest have;
	char a[DIGEST_TEXT_SIZE];
	char b[DIGEST_TEXT_SIZE];

	if (!stored || !content)
		return -1;
	struct source *bytes = source_tap(source_space(f->space, t->offset, t->size, e), feed_hasher, stored, e);
	AUTO(source) s = source_tap(source_decode(bytes, coding, UINT64_MAX, e), feed_hasher, content, e);
	if (!s || source_drain(s, e) || hasher_finish(content, &have, e) || hasher_finish(stored, out, e))
		return -1;
	if (digest_equal(&have, diff_id))
		return 0;
	return err_set(e, ERR_CORRUPT, "its content has diff ID %s, the image's config promises %s",
		       digest_text(&have, a), digest_text(diff_id, b));
}

/*
 * What the layer's digest must be, without reading it where that can be known: an uncompressed one has its diff ID, a
 * compressed one what its name says. Verifying proves it either way.
 */
static int promise_layer(struct pack_file *f, const struct tar_member *t, const struct digest *diff_id,
			 struct promise *out, enum coding *coding, struct err *e)
{
	char head[16] = { 0 };
	size_t n = t->size < sizeof(head) ? (size_t)t->size : sizeof(head);

	if (space_pread(f->space, head, n, t->offset, e))
		return -1;
	out->size = t->size;
	*coding = coding_detect(head, n);
	if (*coding == CODING_NONE) {
		out->digest = *diff_id;
		return 0;
	}
	if (*coding != CODING_GZIP && *coding != CODING_ZSTD)
		return err_set(e, ERR_CORRUPT, "is compressed with %s", coding_name(*coding));
	/* Some programs name a layer by what it unpacks to. */
	struct digest claimed;
	if (!claimed_digest(t->name, &claimed) || digest_equal(&claimed, diff_id))
		return prove_layer(f, t, *coding, diff_id, &out->digest, e);
	out->digest = claimed;
	return 0;
}

static int read_layers(struct pack_file *f, const struct members *m, struct entry *en, struct err *e)
{
	const struct jval *layers = jval_get(en->value, "Layers");
	char shown[160];

	AUTO(config) config = config_parse(en->config.data, en->config.len, e);
	if (!config)
		return -1;
	en->count = jval_count(layers);
	if (en->count != config->count || en->count > LIMIT_LAYERS)
		return err_set(e, ERR_CORRUPT, "manifest.json lists %zu layers, the config has %zu diff IDs", en->count,
			       config->count);
	en->layers = calloc(en->count + 1, sizeof(*en->layers));
	en->codings = calloc(en->count + 1, sizeof(*en->codings));
	if (!en->layers || !en->codings)
		return err_memory(e);
	for (size_t i = 0; i < en->count; i++) {
		const struct tar_member *t = member_of(m, jval_at(layers, i), e);
		if (!t)
			return -1;
		if (promise_layer(f, t, &config->diff_ids[i], &en->layers[i], &en->codings[i], e))
			return err_at(e, "%s", text_escape_str(shown, sizeof(shown), t->name));
		ptrdiff_t blob = pack_add_blob(f->pack, &en->layers[i], BLOB_LAYER, NULL, NULL, e);
		if (blob < 0)
			return -1;
		f->pack->blobs[blob].offset = t->offset;
	}
	return 0;
}

static int write_manifest(const struct entry *en, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "schemaVersion");
	jout_u64(&j, 2);
	jout_key(&j, "mediaType");
	jout_text(&j, MEDIA_OCI_MANIFEST);
	jout_key(&j, "config");
	descriptor_begin(&j, MEDIA_OCI_CONFIG, &en->config_promise);
	jout_end(&j);
	jout_key(&j, "layers");
	jout_array(&j);
	for (size_t i = 0; i < en->count; i++) {
		descriptor_begin(&j,
				 en->codings[i] == CODING_GZIP   ? MEDIA_OCI_LAYER_GZIP
				 : en->codings[i] == CODING_ZSTD ? MEDIA_OCI_LAYER_ZSTD
								 : MEDIA_OCI_LAYER,
				 &en->layers[i]);
		jout_end(&j);
	}
	jout_end(&j);
	jout_end(&j);
	return jout_finish(&j, e);
}

/* One name (NULL: none) of the entry. */
static int add_image(struct pack_file *f, const struct entry *en, const char *name, size_t manifest, struct err *e)
{
	struct pack_image *image;

	if (foreign_add_image(f, name, manifest, &image, e))
		return -1;
	if (!image)
		return 0; /* its name was taken by one before it */
	if (pack_image_add_manifest(f->pack, image, manifest, NULL, false, en->config.data, en->config.len, e))
		return -1;
	return pack_image_choose_preferred(image, e);
}

static int add_entry(struct pack_file *f, const struct members *m, const struct jval *value, struct err *e)
{
	static const char *const names[] = { "Config", "RepoTags", "Layers" };
	AUTO_ENTRY en = { .value = value };
	AUTO_BUF bytes = { 0 };
	struct promise promise;
	char text[DIGEST_TEXT_SIZE];

	if (jval_check_names(value, names, 3, e) || read_config(f, m, &en, e) || read_layers(f, m, &en, e) ||
	    write_manifest(&en, &bytes, e) || digest_of(&promise.digest, bytes.data, bytes.len, e))
		return -1;
	promise.size = bytes.len;
	ptrdiff_t manifest = pack_add_blob(f->pack, &promise, BLOB_MANIFEST, MEDIA_OCI_MANIFEST, bytes.data, e);
	if (manifest < 0)
		return -1;
	const struct jval *tags = jval_get(value, "RepoTags");
	if (!jval_count(tags) && add_image(f, &en, NULL, (size_t)manifest, e))
		return -1;
	for (size_t i = 0; i < jval_count(tags); i++)
		if (add_image(f, &en, jval_text(jval_at(tags, i)), (size_t)manifest, e))
			return -1;
	const char *first = jval_text(jval_at(tags, 0));
	char shown[160];
	text_escape_str(shown, sizeof(shown), first ? first : "an image without a name");
	if (!en.config_named &&
	    pack_file_doubt(f, e, "%s: nothing in the archive says the digest of its configuration", shown))
		return -1;
	return pack_file_doubt(
		f, e, "%s: the archive carries no manifest of the registry; its digest %s was made up by imgpack",
		shown, digest_text(&promise.digest, text));
}

int docker_archive_open(struct pack_file *f, const struct members *m, struct err *e)
{
	AUTO_BUF bytes = { 0 };

	f->origin = ORIGIN_DOCKER_ARCHIVE;
	f->format = "docker archive";
	if (foreign_read(f, members_find(m, "manifest.json"), LIMIT_PAPER, &bytes, e))
		return -1;
	AUTO(jdoc) doc = jdoc_parse(bytes.data, bytes.len, e);
	if (!doc)
		return err_at(e, "manifest.json");
	const struct jval *root = jdoc_root(doc);
	if (!jval_is_array(root) || jval_count(root) > LIMIT_IMAGES)
		return err_set(e, ERR_CORRUPT, "manifest.json: no list of at most %d images", LIMIT_IMAGES);
	for (size_t i = 0; i < jval_count(root); i++)
		if (add_entry(f, m, jval_at(root, i), e))
			return err_at(e, "image %zu of %zu", i + 1, jval_count(root));
	return 0;
}
