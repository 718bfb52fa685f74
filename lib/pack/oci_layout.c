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

/* The blob if the archive holds it, else -1. */
static ptrdiff_t find_present(const struct pack *p, const struct digest *d)
{
	ptrdiff_t blob = pack_find_blob(p, d);

	return blob >= 0 && !p->blobs[blob].absent ? blob : -1;
}

/* Foreign layers (Windows base images) are left out by most programs: they come from elsewhere. */
static const struct descriptor *first_missing(const struct pack *p, const struct manifest *m)
{
	if (find_present(p, &m->config.promise.digest) < 0)
		return &m->config;
	for (size_t i = 0; i < m->count; i++)
		if (!m->layers[i].foreign && find_present(p, &m->layers[i].promise.digest) < 0)
			return &m->layers[i];
	return NULL;
}

/* What pack_image_add_manifest() added from the descriptors alone is not in the archive. */
static int mark_absent(struct pack_file *f, const struct manifest *m, struct err *e)
{
	char text[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < m->count; i++) {
		ptrdiff_t blob = pack_find_blob(f->pack, &m->layers[i].promise.digest);
		if (blob < 0 || f->pack->blobs[blob].offset || f->pack->blobs[blob].absent)
			continue;
		f->pack->blobs[blob].absent = true;
		if (pack_file_doubt(f, e, "the foreign layer %s is not in the archive",
				    digest_text(&m->layers[i].promise.digest, text)))
			return -1;
	}
	return 0;
}

/* One reading of a layout. */
struct reading {
	struct pack_file *f;
	size_t visits; /* entries of indexes looked at, all images together */
	/* Of the image that is being read: */
	struct pack_image *image;
	size_t missing;           /* things that its indexes name and that are not there, or not whole */
	struct digest first_lack; /* the first blob that lacked */
};

static void note_missing(struct reading *r, const struct digest *d)
{
	if (!r->missing++)
		r->first_lack = *d;
}

/*
 * One manifest of an image. If not all of it is in the archive, that is noted and is no error: as long as another
 * platform is complete it is a sparse index, as docker itself saves what it pulled.
 */
static int add_manifest(struct reading *r, const struct descriptor *d, const char *media_type, struct err *e)
{
	struct pack *p = r->f->pack;
	ptrdiff_t blob = find_present(p, &d->promise.digest);
	const struct platform *platform = d->platform.os[0] ? &d->platform : NULL;

	if (blob < 0) {
		note_missing(r, &d->promise.digest);
		return 0;
	}
	if (pack_add_blob(p, &d->promise, BLOB_MANIFEST, media_type, NULL, e) < 0 ||
	    blob_read_paper(r->f, (size_t)blob, BLOB_MANIFEST, LIMIT_MANIFEST, e))
		return -1;
	AUTO(manifest) m = manifest_parse(p->blobs[blob].bytes, (size_t)d->promise.size, e);
	if (!m)
		return -1;
	const struct descriptor *lacking = first_missing(p, m);
	if (lacking) {
		note_missing(r, &lacking->promise.digest);
		return 0;
	}
	if (blob_read_config(r->f, (size_t)blob, e) ||
	    pack_image_add_manifest(p, r->image, (size_t)blob, platform, d->attestation, NULL, 0, e))
		return -1;
	return mark_absent(r->f, m, e);
}

static bool names_index(const struct descriptor *d)
{
	return !strcmp(d->media_type, MEDIA_OCI_INDEX) || !strcmp(d->media_type, MEDIA_DOCKER_LIST);
}

static int add_index(struct reading *r, size_t blob, unsigned depth, struct err *e);

static int add_entry(struct reading *r, const struct descriptor *d, unsigned depth, struct err *e)
{
	char digest[DIGEST_TEXT_SIZE];

	/* A few papers that name each other a thousand times must not cost a million readings (promises, S22). */
	if (++r->visits > LIMIT_INDEX_VISITS)
		return err_set(e, ERR_CORRUPT, "its indexes have more than %d entries", LIMIT_INDEX_VISITS);
	digest_text(&d->promise.digest, digest);
	if (!names_index(d))
		return add_manifest(r, d, d->media_type, e) ? err_at(e, "manifest %s", digest) : 0;
	ptrdiff_t blob = find_present(r->f->pack, &d->promise.digest);
	if (blob < 0) {
		note_missing(r, &d->promise.digest);
		return 0;
	}
	if (depth >= LIMIT_INDEX_NESTING)
		return err_set(e, ERR_CORRUPT, "indexes stand in each other more than %d deep", LIMIT_INDEX_NESTING);
	if (pack_add_blob(r->f->pack, &d->promise, BLOB_INDEX, d->media_type, NULL, e) < 0 ||
	    add_index(r, (size_t)blob, depth + 1, e))
		return err_at(e, "index %s", digest);
	return 0;
}

static int add_index(struct reading *r, size_t blob, unsigned depth, struct err *e)
{
	if (blob_read_paper(r->f, blob, BLOB_INDEX, LIMIT_MANIFEST, e))
		return -1;
	const struct pack_blob *b = &r->f->pack->blobs[blob];
	AUTO(index) x = index_parse(b->bytes, (size_t)b->promise.size, e);
	if (!x)
		return -1;
	for (size_t i = 0; i < x->count; i++)
		if (add_entry(r, &x->entries[i], depth, e))
			return -1;
	return 0;
}

/* One descriptor of index.json. */
struct root {
	struct promise promise;
	char media_type[MEDIA_TYPE_SIZE];
	const char *name; /* or NULL */
	const char *tag;  /* where there is no name: what stands there instead, or NULL */
};

/* containerd's name, else the reference if it is more than a tag. */
static void read_names(const struct jval *annotations, struct root *r)
{
	const char *full = jval_text(jval_get(annotations, "io.containerd.image.name"));
	const char *reference = jval_text(jval_get(annotations, "org.opencontainers.image.ref.name"));
	const bool is_name = reference && strpbrk(reference, ":/");

	r->name = full ? full : is_name ? reference : NULL;
	r->tag = r->name ? NULL : reference;
}

static int read_root(const struct jval *entry, struct root *r, struct err *e)
{
	static const char *const names[] = { "mediaType", "digest", "size", "annotations", "platform" };
	const char *media_type = "";

	*r = (struct root){ 0 };
	if (jval_check_names(entry, names, sizeof(names) / sizeof(names[0]), e) ||
	    jval_get_text(entry, "mediaType", false, &media_type, e) ||
	    jval_get_digest(entry, "digest", true, &r->promise.digest, e) ||
	    jval_get_u64(entry, "size", true, &r->promise.size, e))
		return -1;
	if (strlen(media_type) >= sizeof(r->media_type))
		return err_set(e, ERR_CORRUPT, "its media type is longer than %zu bytes", sizeof(r->media_type) - 1);
	memcpy(r->media_type, media_type, strlen(media_type));
	read_names(jval_get(entry, "annotations"), r);
	return 0;
}

/* The image's papers, into r->image. */
static int fill_image(struct reading *r, const struct root *root, size_t blob, enum paper_kind kind,
		      const char *media_type, struct err *e)
{
	const struct descriptor d = { .promise = root->promise };
	struct err none = { 0 };
	char digest[DIGEST_TEXT_SIZE];
	char lack[DIGEST_TEXT_SIZE];
	const char *noun = r->image->name ? r->image->name : digest_text(&root->promise.digest, digest);

	r->missing = 0;
	if (kind == PAPER_INDEX ? add_index(r, blob, 1, e) : add_manifest(r, &d, media_type, e))
		return err_at(e, "%s", noun);
	/* An artifact alone has no preferred manifest, and needs none. */
	const bool loadable = !pack_image_choose_preferred(r->image, &none);
	if (!r->missing)
		return 0;
	if (loadable)
		return pack_file_doubt(r->f, e, "%s: %zu of the things that its index names are not in the archive",
				       noun, r->missing);
	digest_text(&r->first_lack, lack);
	if (kind == PAPER_INDEX)
		return err_set(e, ERR_CORRUPT,
			       "%s: no platform of it is complete in the archive; the first thing that lacks is %s",
			       noun, lack);
	return err_set(e, ERR_CORRUPT, "%s: %s is named but not in the archive", noun, lack);
}

/*
 * A chart, a file, a signature: hauls and mirrors carry them beside images. No target of ours can take one by itself.
 * 1: it is one, and that is said; 0; -1.
 */
static int pass_artifact(struct reading *r, const struct root *root, size_t blob, struct err *e)
{
	const struct pack_blob *b = &r->f->pack->blobs[blob];
	char shown[160];
	char digest[DIGEST_TEXT_SIZE];

	digest_text(&root->promise.digest, digest);
	AUTO(manifest) m = manifest_parse(b->bytes, (size_t)b->promise.size, e);
	if (!m)
		return err_at(e, "manifest %s", digest);
	if (m->image)
		return 0;
	return pack_file_doubt(r->f, e, "%s is an artifact (a chart, a signature), not an image: it is left out",
			       root->name ? text_escape_str(shown, sizeof(shown), root->name) : digest)
		       ? -1
		       : 1;
}

static int add_root(struct reading *r, const struct root *root, struct err *e)
{
	struct pack *p = r->f->pack;
	char digest[DIGEST_TEXT_SIZE];
	char media_type[MEDIA_TYPE_SIZE];
	enum paper_kind kind;
	ptrdiff_t blob = find_present(p, &root->promise.digest);

	digest_text(&root->promise.digest, digest);
	if (blob < 0)
		return err_set(e, ERR_CORRUPT, "index.json names %s, which is not in the archive", digest);
	if (pack_add_blob(p, &root->promise, BLOB_OTHER, root->media_type, NULL, e) < 0 ||
	    blob_read_paper(r->f, (size_t)blob, BLOB_OTHER, LIMIT_MANIFEST, e) ||
	    paper_kind(p->blobs[blob].bytes, (size_t)root->promise.size, root->media_type, &kind, media_type, e))
		return err_at(e, "%s", digest);
	if (kind == PAPER_SCHEMA1)
		return err_set(e, ERR_CORRUPT, "%s is a docker schema 1 manifest", digest);
	int artifact = kind == PAPER_MANIFEST ? pass_artifact(r, root, (size_t)blob, e) : 0;
	if (artifact)
		return artifact < 0 ? -1 : 0;
	if (pack_add_blob(p, &root->promise, kind == PAPER_INDEX ? BLOB_INDEX : BLOB_MANIFEST, media_type, NULL, e) <
		    0 ||
	    foreign_add_image(r->f, root->name, (size_t)blob, &r->image, e))
		return -1;
	return r->image ? fill_image(r, root, (size_t)blob, kind, media_type, e)
			: 0; /* NULL: its name was taken before */
}

/* The names that docker's manifest.json has for this config: its first free one for the image, one more image for
 * others. */
static int borrow_from(struct reading *r, const struct jval *entry, size_t at, struct err *e)
{
	const struct pack_image *image = &r->f->pack->images[at];
	const struct pack_blob *b = &r->f->pack->blobs[image->root];
	const struct jval *tags = jval_get(entry, "RepoTags");
	struct root root = { .promise = b->promise };
	struct reference parsed;
	char name[REFERENCE_TEXT_SIZE];

	memcpy(root.media_type, b->media_type, sizeof(root.media_type));
	for (size_t i = 0; i < jval_count(tags); i++) {
		root.name = jval_text(jval_at(tags, i));
		if (!root.name || reference_parse(&parsed, root.name, NULL) ||
		    foreign_find_image(r->f->pack, reference_local_name(&parsed, name)))
			continue;
		if (r->f->pack->images[at].name) {
			if (add_root(r, &root, e))
				return -1;
			continue;
		}
		r->f->pack->images[at].name = strdup(name);
		if (!r->f->pack->images[at].name)
			return err_memory(e);
	}
	return 0;
}

/* docker's manifest.json may know names where index.json has none: by the config, which both mention. */
static int borrow_names(struct reading *r, const struct jval *docker, struct err *e)
{
	const size_t count = r->f->pack->image_count;
	char path[MEMBER_NAME_SIZE];

	for (size_t i = 0; i < count; i++) {
		const struct pack_image *image = &r->f->pack->images[i];
		if (image->name || image->preferred >= image->manifest_count ||
		    !image->manifests[image->preferred].image)
			continue;
		size_t config = image->manifests[image->preferred].config;
		blob_member_name(&r->f->pack->blobs[config].promise.digest, path);
		for (size_t k = 0; k < jval_count(docker); k++) {
			const char *named = jval_text(jval_get(jval_at(docker, k), "Config"));
			if (named && !strcmp(named, path) && borrow_from(r, jval_at(docker, k), i, e))
				return -1;
		}
	}
	return 0;
}

static int read_docker_names(struct reading *r, const struct members *m, struct err *e)
{
	const struct tar_member *t = members_find(m, DOCKER_MANIFEST_NAME);
	AUTO_BUF bytes = { 0 };

	if (!t)
		return 0;
	if (foreign_read(r->f, t, LIMIT_PAPER, &bytes, e))
		return -1;
	AUTO(jdoc) doc = jdoc_parse(bytes.data, bytes.len, e);
	if (!doc || borrow_names(r, jdoc_root(doc), e))
		return err_at(e, DOCKER_MANIFEST_NAME);
	return 0;
}

static int check_version(struct pack_file *f, const struct members *m, struct err *e)
{
	AUTO_BUF bytes = { 0 };
	const char *version = NULL;
	char shown[64];

	if (foreign_read(f, members_find(m, OCI_LAYOUT_NAME), LIMIT_PAPER, &bytes, e))
		return -1;
	AUTO(jdoc) doc = jdoc_parse(bytes.data, bytes.len, e);
	if (!doc || jval_get_text(jdoc_root(doc), "imageLayoutVersion", true, &version, e))
		return err_at(e, OCI_LAYOUT_NAME);
	if (strcmp(version, "1.0.0") != 0)
		return err_set(e, ERR_CORRUPT, OCI_LAYOUT_NAME ": version \"%s\" is unknown, only 1.0.0 is",
			       text_escape_str(shown, sizeof(shown), version));
	return 0;
}

static int add_roots(struct reading *r, const struct jval *index, struct err *e)
{
	static const char *const names[] = { "manifests" };
	const struct jval *manifests = jval_get(index, "manifests");
	char shown[160];

	if (jval_check_names(index, names, 1, e))
		return -1;
	if (!jval_is_array(manifests) || !jval_count(manifests) || jval_count(manifests) > LIMIT_IMAGES)
		return err_set(e, ERR_CORRUPT, "has no list of 1 to %d manifests", LIMIT_IMAGES);
	for (size_t i = 0; i < jval_count(manifests); i++) {
		struct root root;
		if (read_root(jval_at(manifests, i), &root, e) || add_root(r, &root, e))
			return err_at(e, "entry %zu", i + 1);
		if (root.tag &&
		    pack_file_doubt(r->f, e, "\"%s\" is only a tag, not a name: the image is left without one",
				    text_escape_str(shown, sizeof(shown), root.tag)))
			return -1;
	}
	return 0;
}

int oci_layout_open(struct pack_file *f, const struct members *m, struct err *e)
{
	struct reading r = { .f = f };
	AUTO_BUF bytes = { 0 };

	f->origin = ORIGIN_OCI;
	f->docker_papers = members_find(m, DOCKER_MANIFEST_NAME) != NULL;
	f->format = f->docker_papers ? "docker save (OCI layout)" : "OCI archive";
	if (check_version(f, m, e) || foreign_read(f, members_find(m, INDEX_NAME), LIMIT_PAPER, &bytes, e) ||
	    add_blobs(f, m, e))
		return -1;
	AUTO(jdoc) doc = jdoc_parse(bytes.data, bytes.len, e);
	if (!doc || add_roots(&r, jdoc_root(doc), e))
		return err_at(e, INDEX_NAME);
	return read_docker_names(&r, m, e);
}
