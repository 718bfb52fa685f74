/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/ours.h"

#include "base/limits.h"
#include "base/text.h"
#include "pack/blob_read.h"
#include "pack/papers.h"
#include "pack/tar_block.h"

#include <inttypes.h>
#include <string.h>

bool ours_detect(const char head[TAR_BLOCK])
{
	return !memcmp(head, TOC_NAME, sizeof(TOC_NAME));
}

/* The TOC's size stands in its header, eleven octal digits; the header must then be exactly ours. */
int ours_toc_size(const char head[TAR_BLOCK], uint64_t *out, struct err *e)
{
	char expected[TAR_BLOCK];
	uint64_t size = 0;

	for (size_t i = 124; i < 135; i++) {
		if (head[i] < '0' || head[i] > '7')
			return err_set(e, ERR_CORRUPT, "byte %zu, " TOC_NAME ": the header is damaged", i);
		size = size << 3 | (uint64_t)(head[i] - '0');
	}
	if (size > LIMIT_TOC)
		return err_set(e, ERR_CORRUPT, TOC_NAME " would have %" PRIu64 " bytes, the limit is %u", size,
			       LIMIT_TOC);
	tar_header(expected, TOC_NAME, size);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		if (head[i] != expected[i])
			return err_set(e, ERR_CORRUPT, "byte %zu, " TOC_NAME ": the header is damaged", i);
	*out = size;
	return 0;
}

/* The blobs in the TOC's order, each with its place; then those that are only relied on. */
static int add_blobs(struct pack *p, const struct toc *t, uint64_t at, struct err *e)
{
	for (size_t i = 0; i < t->member_count; i++) {
		const struct toc_member *m = &t->members[i];
		if (!strncmp(m->name, BLOB_FOLDER, strlen(BLOB_FOLDER))) {
			ptrdiff_t blob = pack_add_blob(p, &m->promise, BLOB_OTHER, NULL, NULL, e);
			if (blob < 0)
				return -1;
			p->blobs[blob].offset = at + TAR_BLOCK;
		}
		at += TAR_BLOCK + tar_padded(m->promise.size);
	}
	for (size_t i = 0; i < t->absent_count; i++) {
		ptrdiff_t blob = pack_add_blob(p, &t->absent[i], BLOB_OTHER, NULL, NULL, e);
		if (blob < 0)
			return -1;
		p->blobs[blob].absent = true;
	}
	return 0;
}

/* All entries of an image's indexes, nested ones included, so that a manifest's entry can be looked up. */
struct entries {
	struct descriptor *items;
	size_t count;
	size_t capacity;
	bool incomplete; /* an index names another one that is not in the archive */
};

static void entries_release(struct entries *all)
{
	free(all->items);
}
#define AUTO_ENTRIES __attribute__((cleanup(entries_release))) struct entries

static int add_index(struct pack_file *f, size_t blob, unsigned depth, struct entries *all, struct err *e)
{
	char digest[DIGEST_TEXT_SIZE];

	if (blob_read_paper(f, blob, BLOB_INDEX, LIMIT_MANIFEST, e))
		return -1;
	const struct pack_blob *b = &f->pack->blobs[blob];
	AUTO(index) x = index_parse(b->bytes, b->promise.size, e);
	if (!x)
		return err_at(e, "index %s", digest_text(&b->promise.digest, digest));
	for (size_t i = 0; i < x->count; i++) {
		const struct descriptor *d = &x->entries[i];
		if (GROW(all->items, all->capacity, all->count, e))
			return -1;
		all->items[all->count++] = *d;
		ptrdiff_t child = pack_find_blob(f->pack, &d->promise.digest);
		bool nested = !strcmp(d->media_type, MEDIA_OCI_INDEX) || !strcmp(d->media_type, MEDIA_DOCKER_LIST);
		if (!nested)
			continue;
		if (child < 0 || f->pack->blobs[child].absent) {
			all->incomplete = true;
			continue;
		}
		if (depth >= LIMIT_INDEX_NESTING)
			return err_set(e, ERR_CORRUPT, "indexes stand in each other more than %d deep",
				       LIMIT_INDEX_NESTING);
		if (pack_add_blob(f->pack, &d->promise, BLOB_INDEX, d->media_type, NULL, e) < 0 ||
		    add_index(f, (size_t)child, depth + 1, all, e))
			return -1;
	}
	return 0;
}

static const struct descriptor *entry_of(const struct entries *all, const struct digest *d)
{
	for (size_t i = 0; i < all->count; i++)
		if (digest_equal(&all->items[i].promise.digest, d))
			return &all->items[i];
	return NULL;
}

static int add_manifest(struct pack_file *f, struct pack_image *image, const struct toc_platform *tp,
			const struct entries *all, struct err *e)
{
	const struct descriptor *entry = entry_of(all, &tp->manifest);
	/* The TOC's word on the platform counts only where nothing in the archive could contradict it. */
	const struct platform *platform = entry ? &entry->platform : all->incomplete ? &tp->platform : NULL;
	if (entry && !entry->platform.os[0])
		platform = NULL; /* fetch takes the config's then */
	ptrdiff_t blob = pack_find_blob(f->pack, &tp->manifest);
	char digest[DIGEST_TEXT_SIZE];

	digest_text(&tp->manifest, digest);
	if (blob < 0)
		return err_set(e, ERR_CORRUPT, "manifest %s is not in the archive", digest);
	if (entry && pack_add_blob(f->pack, &entry->promise, BLOB_MANIFEST, entry->media_type, NULL, e) < 0)
		return -1;
	if (blob_read_paper(f, (size_t)blob, BLOB_MANIFEST, LIMIT_MANIFEST, e))
		return -1;
	if (blob_read_config(f, (size_t)blob, e) ||
	    pack_image_add_manifest(f->pack, image, (size_t)blob, platform, entry && entry->attestation, NULL, 0, e))
		return err_at(e, "manifest %s", digest);
	return 0;
}

/* The TOC must call a paper what the paper calls itself. */
static int check_type(const char *have, const char *said, struct err *e)
{
	char shown[MEDIA_TYPE_SIZE];

	if (!strcmp(have, said))
		return 0;
	return err_set(e, ERR_CORRUPT, TOC_NAME " calls it \"%s\", it is \"%s\"",
		       text_escape_str(shown, sizeof(shown), said), have);
}

/*
 * What the reference pointed at: the root itself, or the index that platforms were taken from, which stands beside
 * them. Only these bytes prove what the TOC says of it, so they must be there, and be of that type.
 */
static int add_source(struct pack_file *f, const struct toc_image *t, struct entries *all, struct err *e)
{
	char media_type[MEDIA_TYPE_SIZE];
	char digest[DIGEST_TEXT_SIZE];
	enum paper_kind kind;

	if (!t->has_source)
		return 0;
	ptrdiff_t blob = pack_find_blob(f->pack, &t->source.digest);
	if (blob < 0)
		return err_set(e, ERR_CORRUPT, "its source %s is not in the archive",
			       digest_text(&t->source.digest, digest));
	if (pack_add_blob(f->pack, &t->source, BLOB_OTHER, t->source_media_type, NULL, e) < 0 ||
	    blob_read_paper(f, (size_t)blob, BLOB_OTHER, LIMIT_MANIFEST, e) ||
	    paper_kind(f->pack->blobs[blob].bytes, (size_t)t->source.size, t->source_media_type, &kind, media_type, e))
		return -1;
	if (check_type(media_type, t->source_media_type, e))
		return -1;
	return kind == PAPER_INDEX && !digest_equal(&t->source.digest, &t->root) ? add_index(f, (size_t)blob, 1, all, e)
										 : 0;
}

/* Whose it is, is proved by the tag or by the manifest. */
static int add_referrers(struct pack_file *f, struct pack_image *image, const struct toc_image *t, struct err *e)
{
	char digest[DIGEST_TEXT_SIZE];

	for (size_t i = 0; i < t->referrer_count; i++) {
		const struct toc_referrer *r = &t->referrers[i];
		const ptrdiff_t blob = pack_find_blob(f->pack, &r->manifest);
		if (blob < 0)
			return err_set(e, ERR_CORRUPT, "referrer %s is not in the archive",
				       digest_text(&r->manifest, digest));
		if (blob_read_paper(f, (size_t)blob, BLOB_MANIFEST, LIMIT_MANIFEST, e) ||
		    pack_image_add_referrer(f->pack, image, (size_t)blob, r->tag, &r->subject, e))
			return -1;
	}
	return 0;
}

static int fill_image(struct pack_file *f, struct pack_image *image, const struct toc_image *t, struct err *e)
{
	AUTO_ENTRIES all = { 0 };
	ptrdiff_t root = pack_find_blob(f->pack, &t->root);
	char media_type[MEDIA_TYPE_SIZE];
	enum paper_kind kind;
	struct err none = { 0 };

	if (root < 0)
		return err_set(e, ERR_CORRUPT, "what it points at is not in the archive");
	const struct promise promise = f->pack->blobs[root].promise;
	if (pack_add_blob(f->pack, &promise, BLOB_OTHER, t->root_media_type, NULL, e) < 0 ||
	    blob_read_paper(f, (size_t)root, BLOB_OTHER, LIMIT_MANIFEST, e) ||
	    paper_kind(f->pack->blobs[root].bytes, promise.size, t->root_media_type, &kind, media_type, e) ||
	    check_type(media_type, t->root_media_type, e))
		return -1;
	image->root = (size_t)root;
	image->has_source = t->has_source;
	image->source = t->source;
	memcpy(image->source_media_type, t->source_media_type, sizeof(image->source_media_type));
	if ((kind == PAPER_INDEX && add_index(f, (size_t)root, 1, &all, e)) || add_source(f, t, &all, e))
		return -1;
	for (size_t i = 0; i < t->platform_count; i++)
		if (add_manifest(f, image, &t->platforms[i], &all, e))
			return -1;
	(void)pack_image_choose_preferred(image, &none); /* an artifact alone has none, and needs none */
	return add_referrers(f, image, t, e);
}

static int build_pack(struct pack_file *f, const struct toc *t, uint64_t at, struct err *e)
{
	if (add_blobs(f->pack, t, at, e))
		return -1;
	size_t known = f->pack->blob_count;
	for (size_t i = 0; i < t->image_count; i++) {
		struct pack_image *image = pack_add_image(f->pack, t->images[i].name, e);
		if (!image)
			return -1;
		if (fill_image(f, image, &t->images[i], e))
			return t->images[i].name ? err_at(e, "%s", t->images[i].name) : -1;
	}
	if (f->pack->blob_count == known)
		return 0;
	char digest[DIGEST_TEXT_SIZE];
	return err_set(e, ERR_CORRUPT, "%s is named by a manifest but is not in the archive",
		       digest_text(&f->pack->blobs[known].promise.digest, digest));
}

/* The file's size follows from the TOC: a cut copy is named as one before its members are missed. */
static int check_size(const struct pack_file *f, const struct toc *t, uint64_t at, struct err *e)
{
	const uint64_t size = space_size(f->space);
	const char *cut = NULL;
	size_t missing = 0;

	for (size_t i = 0; i < t->member_count; i++) {
		at += TAR_BLOCK + tar_padded(t->members[i].promise.size);
		if (at <= size)
			continue;
		cut = cut ? cut : t->members[i].name;
		missing++;
	}
	at += (uint64_t)2 * TAR_BLOCK;
	if (size == at)
		return 0;
	if (size > at)
		return err_set(e, ERR_CORRUPT,
			       "has %" PRIu64 " bytes, its " TOC_NAME " says %" PRIu64
			       "; something was added at its end",
			       size, at);
	if (!cut)
		return err_set(e, ERR_CORRUPT,
			       "ends at byte %" PRIu64 " of %" PRIu64 "; the copy was cut, copy it again", size, at);
	return err_set(e, ERR_CORRUPT,
		       "ends at byte %" PRIu64 " of %" PRIu64
		       ": %s and %zu members behind it are cut or missing; copy it again",
		       size, at, cut, missing - 1);
}

/* Laid out again, the pack must give the very TOC that it was made from. */
static int compare_toc(const struct buf *ours, const char *bytes, size_t size, struct err *e)
{
	size_t at = 0;
	char have[64];
	char want[64];

	while (at < size && at < ours->len && bytes[at] == ours->data[at])
		at++;
	if (at == size && at == ours->len)
		return 0;
	size_t from = at < 8 ? 0 : at - 8;
	return err_set(e, ERR_CORRUPT,
		       TOC_NAME
		       " does not say what the archive's own manifests say: at byte %zu \"%s\", expected \"%s\"",
		       at, text_escape(have, sizeof(have), bytes + from, size - from),
		       text_escape(want, sizeof(want), ours->data + from, ours->len - from));
}

int ours_open(struct pack_file *f, struct err *e)
{
	char head[TAR_BLOCK];
	uint64_t size = 0;

	if (space_pread(f->space, head, sizeof(head), 0, e) || ours_toc_size(head, &size, e))
		return -1;
	AUTO_MEM char *bytes = malloc(size + 1);
	if (!bytes)
		return err_memory(e);
	if (space_pread(f->space, bytes, size, TAR_BLOCK, e))
		return err_at(e, TOC_NAME);
	AUTO(toc) t = toc_parse(bytes, size, e);
	if (!t)
		return err_at(e, TOC_NAME);
	const uint64_t first = TAR_BLOCK + tar_padded(size);
	/* A pipe's size shows at its end. */
	if ((!f->pipe && check_size(f, t, first, e)) || build_pack(f, t, first, e))
		return -1;
	f->layout = layout_new(f->pack, NULL, e);
	if (!f->layout)
		return -1;
	return compare_toc(&f->layout->toc, bytes, size, e);
}
