/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/foreign.h"

#include "base/limits.h"
#include "base/text.h"
#include "oci/json.h"
#include "oci/reference.h"
#include "pack/blob_read.h"

#include <string.h>

/* An OCI image layout (1.0) in a tar: index.json names what is there, blobs/sha256/<hex> hold it. */

static int add_blobs(struct pack_file *f, const struct members *m, struct err *e)
{
	for (size_t i = 0; i < m->count; i++) {
		const struct tar_member *t = &m->items[i];
		struct promise promise = { .size = t->size };
		if (t->target || !text_starts(t->name, BLOB_FOLDER) ||
		    !digest_parse_hex(&promise.digest, t->name + strlen(BLOB_FOLDER),
				      strlen(t->name) - strlen(BLOB_FOLDER)))
			continue;
		ptrdiff_t blob = pack_add_blob(f->pack, &promise, BLOB_OTHER, NULL, NULL, e);
		if (blob < 0)
			return -1;
		f->pack->blobs[blob].offset = t->offset;
	}
	return 0;
}

static bool all_there(const struct pack *p, const struct manifest *m)
{
	if (pack_find_blob(p, &m->config.promise.digest) < 0)
		return false;
	for (size_t i = 0; i < m->count; i++)
		if (pack_find_blob(p, &m->layers[i].promise.digest) < 0)
			return false;
	return true;
}

/*
 * One manifest of an image. *complete says whether all of it is in the archive: a platform that is not is no error as
 * long as another one is (a sparse index, as docker saves what it pulled).
 */
static int add_manifest(struct pack_file *f, struct pack_image *image, const struct promise *promise,
			const char *media_type, const struct platform *platform, bool attestation, bool *complete,
			struct err *e)
{
	ptrdiff_t blob = pack_find_blob(f->pack, &promise->digest);
	char digest[DIGEST_TEXT_SIZE];

	*complete = false;
	digest_text(&promise->digest, digest);
	if (blob < 0)
		return 0;
	if (pack_add_blob(f->pack, promise, BLOB_MANIFEST, media_type, NULL, e) < 0 ||
	    blob_read_paper(f, (size_t)blob, BLOB_MANIFEST, LIMIT_MANIFEST, e))
		return -1;
	AUTO(manifest) m = manifest_parse(f->pack->blobs[blob].bytes, promise->size, e);
	if (!m)
		return err_at(e, "manifest %s", digest);
	if (!all_there(f->pack, m))
		return 0;
	*complete = true;
	if (blob_read_config(f, (size_t)blob, e) ||
	    pack_image_add_manifest(f->pack, image, (size_t)blob, platform, attestation, NULL, 0, e))
		return err_at(e, "manifest %s", digest);
	return 0;
}

static int add_index(struct pack_file *f, struct pack_image *image, size_t blob, unsigned depth, size_t *missing,
		     struct err *e)
{
	if (depth > LIMIT_INDEX_NESTING)
		return err_set(e, ERR_CORRUPT, "indexes stand in each other more than %d deep", LIMIT_INDEX_NESTING);
	if (blob_read_paper(f, blob, BLOB_INDEX, LIMIT_MANIFEST, e))
		return -1;
	AUTO(index) x = index_parse(f->pack->blobs[blob].bytes, f->pack->blobs[blob].promise.size, e);
	if (!x)
		return -1;
	for (size_t i = 0; i < x->count; i++) {
		const struct descriptor *d = &x->entries[i];
		const struct platform *platform = d->platform.os[0] ? &d->platform : NULL;
		ptrdiff_t child = pack_find_blob(f->pack, &d->promise.digest);
		bool complete = child >= 0;
		bool nested = !strcmp(d->media_type, MEDIA_OCI_INDEX) || !strcmp(d->media_type, MEDIA_DOCKER_LIST);
		if (nested && complete && add_index(f, image, (size_t)child, depth + 1, missing, e))
			return -1;
		if (!nested &&
		    add_manifest(f, image, &d->promise, d->media_type, platform, d->attestation, &complete, e))
			return -1;
		*missing += !complete;
	}
	return 0;
}

struct root {
	struct promise promise;
	const char *media_type;
	const char *name; /* or NULL */
};

/* containerd's name, else the reference if it is more than a tag. */
static const char *name_of(const struct jval *annotations)
{
	const char *full = jval_text(jval_get(annotations, "io.containerd.image.name"));
	const char *reference = jval_text(jval_get(annotations, "org.opencontainers.image.ref.name"));

	if (full)
		return full;
	return reference && strpbrk(reference, ":/") ? reference : NULL;
}

static int read_root(const struct jval *entry, struct root *r, struct err *e)
{
	static const char *const names[] = { "mediaType", "digest", "size", "annotations", "platform" };

	*r = (struct root){ .media_type = "" };
	if (jval_check_names(entry, names, sizeof(names) / sizeof(names[0]), e) ||
	    jval_get_text(entry, "mediaType", false, &r->media_type, e) ||
	    jval_get_digest(entry, "digest", true, &r->promise.digest, e) ||
	    jval_get_u64(entry, "size", true, &r->promise.size, e))
		return -1;
	r->name = name_of(jval_get(entry, "annotations"));
	return 0;
}

static int add_root(struct pack_file *f, const struct root *r, struct err *e)
{
	char digest[DIGEST_TEXT_SIZE];
	char media_type[MEDIA_TYPE_SIZE];
	struct err none = { 0 };
	enum paper_kind kind;
	struct pack_image *image;
	bool complete = true;
	size_t missing = 0;
	ptrdiff_t blob = pack_find_blob(f->pack, &r->promise.digest);

	digest_text(&r->promise.digest, digest);
	if (blob < 0)
		return err_set(e, ERR_CORRUPT, "index.json names %s, which is not in the archive", digest);
	if (pack_add_blob(f->pack, &r->promise, BLOB_OTHER, r->media_type, NULL, e) < 0 ||
	    blob_read_paper(f, (size_t)blob, BLOB_OTHER, LIMIT_MANIFEST, e) ||
	    paper_kind(f->pack->blobs[blob].bytes, r->promise.size, r->media_type, &kind, media_type, e))
		return err_at(e, "%s", digest);
	if (kind == PAPER_SCHEMA1)
		return err_set(e, ERR_CORRUPT, "%s is a docker schema 1 manifest", digest);
	if (foreign_add_image(f, r->name, &image, e))
		return -1;
	if (!image)
		return 0; /* its name was taken by one before it */
	image->root = (size_t)blob;
	if (kind == PAPER_INDEX ? add_index(f, image, (size_t)blob, 1, &missing, e)
				: add_manifest(f, image, &r->promise, media_type, NULL, false, &complete, e))
		return err_at(e, "%s", digest);
	if (pack_image_choose_preferred(image, &none) && (!complete || missing))
		return err_set(e, ERR_CORRUPT, "%s: no platform of it is complete in the archive",
			       image->name ? image->name : digest);
	if (missing)
		return pack_file_doubt(f, e, "%s: %zu of what its index names is not in the archive",
				       image->name ? image->name : digest, missing);
	return 0;
}

/* docker's manifest.json may know names where index.json has none: by the config, which both mention. */
static int borrow_names(struct pack_file *f, const struct members *m, struct err *e)
{
	const struct tar_member *t = members_find(m, "manifest.json");
	AUTO_BUF bytes = { 0 };

	if (!t)
		return 0;
	if (foreign_read(f, t, LIMIT_PAPER, &bytes, e))
		return -1;
	AUTO(jdoc) doc = jdoc_parse(bytes.data, bytes.len, e);
	if (!doc)
		return err_at(e, "manifest.json");
	for (size_t i = 0; i < f->pack->image_count; i++) {
		struct pack_image *image = &f->pack->images[i];
		if (image->name || image->preferred >= image->manifest_count ||
		    !image->manifests[image->preferred].image)
			continue;
		char path[MEMBER_NAME_SIZE];
		blob_member_name(&f->pack->blobs[image->manifests[image->preferred].config].promise.digest, path);
		for (size_t k = 0; k < jval_count(jdoc_root(doc)); k++) {
			const struct jval *entry = jval_at(jdoc_root(doc), k);
			const char *config = jval_text(jval_get(entry, "Config"));
			const char *tag = jval_text(jval_at(jval_get(entry, "RepoTags"), 0));
			struct reference r;
			char name[REFERENCE_TEXT_SIZE];
			if (!config || !tag || strcmp(config, path) != 0 || reference_parse(&r, tag, NULL))
				continue;
			image->name = strdup(reference_local_name(&r, name));
			if (!image->name)
				return err_memory(e);
			break;
		}
	}
	return 0;
}

int oci_layout_open(struct pack_file *f, const struct members *m, struct err *e)
{
	AUTO_BUF bytes = { 0 };

	f->origin = ORIGIN_OCI;
	f->format = members_find(m, "manifest.json") ? "docker save (OCI layout)" : "OCI archive";
	if (foreign_read(f, members_find(m, "index.json"), LIMIT_PAPER, &bytes, e) || add_blobs(f, m, e))
		return -1;
	AUTO(jdoc) doc = jdoc_parse(bytes.data, bytes.len, e);
	if (!doc)
		return err_at(e, "index.json");
	static const char *const names[] = { "manifests" };
	if (jval_check_names(jdoc_root(doc), names, 1, e))
		return err_at(e, "index.json");
	const struct jval *manifests = jval_get(jdoc_root(doc), "manifests");
	if (!jval_is_array(manifests) || jval_count(manifests) > LIMIT_IMAGES)
		return err_set(e, ERR_CORRUPT, "index.json: no list of at most %d manifests", LIMIT_IMAGES);
	for (size_t i = 0; i < jval_count(manifests); i++) {
		struct root r;
		if (read_root(jval_at(manifests, i), &r, e) || add_root(f, &r, e))
			return err_at(e, "index.json: entry %zu", i + 1);
	}
	return borrow_names(f, m, e);
}
