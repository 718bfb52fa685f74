/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/select.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

#include <inttypes.h>
#include <string.h>

/* What an image is made of. */

struct walk {
	const struct pack *p;
	const struct pack_image *image;
	struct pack_parts *parts;
	bool *seen; /* one a blob of the pack */
};

static int add_part(struct walk *w, size_t blob, bool paper, struct err *e)
{
	struct pack_parts *parts = w->parts;

	if (w->seen[blob])
		return 0;
	w->seen[blob] = true;
	if (paper) {
		if (GROW(parts->papers, parts->paper_capacity, parts->paper_count, e))
			return -1;
		parts->papers[parts->paper_count++] = blob;
	} else {
		if (GROW(parts->data, parts->data_capacity, parts->data_count, e))
			return -1;
		parts->data[parts->data_count++] = blob;
	}
	return 0;
}

static int add_manifest(struct walk *w, const struct pack_manifest *m, struct err *e)
{
	if (add_part(w, m->config, false, e))
		return -1;
	for (size_t i = 0; i < m->layer_count; i++)
		if (add_part(w, m->layers[i], false, e))
			return -1;
	return add_part(w, m->blob, true, e);
}

static const struct pack_manifest *manifest_at(const struct pack_image *image, size_t blob)
{
	for (size_t i = 0; i < image->manifest_count; i++)
		if (image->manifests[i].blob == blob)
			return &image->manifests[i];
	return NULL;
}

static bool is_index(const char *media_type)
{
	return !strcmp(media_type, MEDIA_OCI_INDEX) || !strcmp(media_type, MEDIA_DOCKER_LIST);
}

static bool is_manifest(const char *media_type)
{
	return !strcmp(media_type, MEDIA_OCI_MANIFEST) || !strcmp(media_type, MEDIA_DOCKER_MANIFEST);
}

static int add_index(struct walk *w, size_t blob, unsigned depth, struct err *e);

/*
 * One descriptor of an index. A manifest that the image does not know (absent, shipped earlier) and things of unknown
 * type are named all the same: who puts the index somewhere must see that they are needed.
 */
static int add_entry(struct walk *w, const struct descriptor *entry, unsigned depth, struct err *e)
{
	ptrdiff_t blob = pack_find_blob(w->p, &entry->promise.digest);

	if (blob < 0) {
		if (!w->parts->unknown++)
			w->parts->first_unknown = entry->promise.digest;
		return 0;
	}
	const struct pack_manifest *m = manifest_at(w->image, (size_t)blob);
	if (m)
		return add_manifest(w, m, e);
	if (is_index(entry->media_type) && !w->p->blobs[blob].absent)
		return add_index(w, (size_t)blob, depth + 1, e);
	return add_part(w, (size_t)blob, is_index(entry->media_type) || is_manifest(entry->media_type), e);
}

static int add_index(struct walk *w, size_t blob, unsigned depth, struct err *e)
{
	const struct pack_blob *b = &w->p->blobs[blob];
	char digest[DIGEST_TEXT_SIZE];

	if (w->seen[blob])
		return 0;
	digest_text(&b->promise.digest, digest);
	if (!b->bytes)
		return err_set(e, ERR_CORRUPT, "the index %s is not in the archive", digest);
	if (depth > LIMIT_INDEX_NESTING)
		return err_set(e, ERR_CORRUPT, "the index %s is nested more than %d deep", digest, LIMIT_INDEX_NESTING);
	AUTO(index) index = index_parse(b->bytes, (size_t)b->promise.size, e);
	if (!index)
		return err_at(e, "index %s", digest);
	for (size_t i = 0; i < index->count; i++)
		if (add_entry(w, &index->entries[i], depth, e))
			return err_at(e, "index %s", digest);
	return add_part(w, blob, true, e);
}

static int walk_choice(struct walk *w, const struct pack_choice *choice, struct err *e)
{
	const struct pack_image *image = choice->image;
	const struct pack_manifest *root;

	if (choice->manifest >= image->manifest_count || !image->manifests[choice->manifest].image)
		return err_set(e, ERR_USAGE, "what was chosen of the image is not a loadable image");
	w->image = image;
	if (!choice->whole)
		return add_manifest(w, &image->manifests[choice->manifest], e);
	root = manifest_at(image, image->root);
	for (size_t i = 0; i < image->manifest_count; i++)
		if (&image->manifests[i] != root && add_manifest(w, &image->manifests[i], e))
			return -1;
	return root ? add_manifest(w, root, e) : add_index(w, image->root, 0, e);
}

struct pack_parts *pack_parts_of(const struct pack *p, const struct pack_choice *choice, struct err *e)
{
	AUTO(pack_parts) parts = calloc(1, sizeof(*parts));
	AUTO_MEM bool *seen = calloc(p->blob_count + 1, sizeof(*seen));
	struct walk w = { .p = p, .parts = parts, .seen = seen };

	if (!parts || !seen) {
		err_memory(e);
		return NULL;
	}
	if (walk_choice(&w, choice, e))
		return NULL;
	return TAKE(parts);
}

void pack_parts_free(struct pack_parts *parts)
{
	if (!parts)
		return;
	free(parts->data);
	free(parts->papers);
	free(parts);
}

/* The new pack. */

struct selection {
	const struct pack *from;
	struct pack *to;
	bool *wanted;  /* one a blob of `from` */
	size_t *moved; /* its index in `to` */
};

/* Where the original index of a whole image stands, if it is another blob than the root and in the archive; else -1. */
static ptrdiff_t loose_source(const struct pack *p, const struct pack_image *image)
{
	ptrdiff_t blob = image->has_source ? pack_find_blob(p, &image->source.digest) : -1;

	return blob < 0 || (size_t)blob == image->root || p->blobs[blob].absent ? -1 : blob;
}

static int mark(struct selection *s, const struct pack_choice *choice, struct err *e)
{
	AUTO(pack_parts) parts = pack_parts_of(s->from, choice, e);
	char shown[LIMIT_REFERENCE];

	if (!parts)
		return choice->name ? err_at(e, "%s", text_escape_str(shown, sizeof(shown), choice->name)) : -1;
	for (size_t i = 0; i < parts->data_count; i++)
		s->wanted[parts->data[i]] = true;
	for (size_t i = 0; i < parts->paper_count; i++)
		s->wanted[parts->papers[i]] = true;
	ptrdiff_t source = choice->whole ? loose_source(s->from, choice->image) : -1;
	if (source >= 0)
		s->wanted[source] = true;
	return 0;
}

static int copy_blobs(struct selection *s, struct err *e)
{
	for (size_t i = 0; i < s->from->blob_count; i++) {
		const struct pack_blob *b = &s->from->blobs[i];
		if (!s->wanted[i])
			continue;
		ptrdiff_t at = pack_add_blob(s->to, &b->promise, b->role, b->media_type, b->bytes, e);
		if (at < 0)
			return -1;
		s->moved[i] = (size_t)at;
		s->to->blobs[at].absent = b->absent;
		s->to->blobs[at].offset = b->offset;
	}
	return 0;
}

/* *to is zero; what it holds after a failure is freed with the pack, so counts follow the allocations. */
static int copy_manifest(struct selection *s, struct pack_manifest *to, const struct pack_manifest *from, struct err *e)
{
	size_t diff_ids = from->diff_ids ? from->layer_count : 0;

	to->blob = s->moved[from->blob];
	to->platform = from->platform;
	to->image = from->image;
	to->config = s->moved[from->config];
	to->layers = calloc(from->layer_count + 1, sizeof(*to->layers));
	if (!to->layers)
		return err_memory(e);
	to->layer_count = from->layer_count;
	for (size_t i = 0; i < from->layer_count; i++)
		to->layers[i] = s->moved[from->layers[i]];
	if (!diff_ids)
		return 0;
	to->diff_ids = calloc(diff_ids, sizeof(*to->diff_ids));
	if (!to->diff_ids)
		return err_memory(e);
	memcpy(to->diff_ids, from->diff_ids, diff_ids * sizeof(*to->diff_ids));
	return 0;
}

static int copy_image(struct selection *s, const struct pack_choice *choice, struct err *e)
{
	const struct pack_image *from = choice->image;
	struct pack_image *to = pack_add_image(s->to, choice->name, e);
	size_t first = choice->whole ? 0 : choice->manifest;
	size_t count = choice->whole ? from->manifest_count : 1;

	if (!to)
		return -1;
	to->manifests = calloc(count, sizeof(*to->manifests));
	if (!to->manifests)
		return err_memory(e);
	to->manifest_count = to->manifest_capacity = count;
	for (size_t i = 0; i < count; i++)
		if (copy_manifest(s, &to->manifests[i], &from->manifests[first + i], e))
			return -1;
	to->root = s->moved[choice->whole ? from->root : from->manifests[first].blob];
	to->preferred = choice->whole ? choice->manifest : 0;
	if (choice->whole && from->has_source) {
		to->has_source = true;
		to->source = from->source;
		memcpy(to->source_media_type, from->source_media_type, sizeof(to->source_media_type));
	}
	return 0;
}

struct pack *pack_select(const struct pack *p, const struct pack_choice *choices, size_t count, struct err *e)
{
	AUTO(pack) to = pack_new(e);
	AUTO_MEM bool *wanted = calloc(p->blob_count + 1, sizeof(*wanted));
	AUTO_MEM size_t *moved = calloc(p->blob_count + 1, sizeof(*moved));
	struct selection s = { .from = p, .to = to, .wanted = wanted, .moved = moved };

	if (!to)
		return NULL;
	if (!wanted || !moved) {
		err_memory(e);
		return NULL;
	}
	for (size_t i = 0; i < count; i++)
		if (mark(&s, &choices[i], e))
			return NULL;
	if (copy_blobs(&s, e))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (copy_image(&s, &choices[i], e))
			return NULL;
	return TAKE(to);
}

/* Platforms. */

size_t pack_image_platforms(const struct pack_image *image)
{
	size_t n = 0;

	for (size_t i = 0; i < image->manifest_count; i++)
		n += image->manifests[i].image;
	return n;
}

static int list_platforms(const struct pack_image *image, struct buf *out, struct err *e)
{
	char text[PLATFORM_TEXT_SIZE];

	for (size_t i = 0; i < image->manifest_count; i++) {
		if (!image->manifests[i].image)
			continue;
		if (buf_printf(out, e, "%s%s", out->len ? ", " : "",
			       platform_text(&image->manifests[i].platform, text)))
			return -1;
	}
	return 0;
}

ptrdiff_t pack_image_choose(const struct pack_image *image, const struct platform *want, struct err *e)
{
	char wanted[PLATFORM_TEXT_SIZE];
	AUTO_BUF list = { 0 };
	ptrdiff_t best = -1;
	int best_score = 0;

	for (size_t i = 0; i < image->manifest_count; i++) {
		const struct pack_manifest *m = &image->manifests[i];
		int score = m->image ? platform_score(want, &m->platform) : 0;
		if (score > best_score) {
			best_score = score;
			best = (ptrdiff_t)i;
		}
	}
	if (best >= 0)
		return best;
	if (list_platforms(image, &list, e))
		return -1;
	return err_set(e, ERR_ABSENT, "the archive has no %s of it, only %s", platform_text(want, wanted),
		       list.len ? list.data : "what is no image");
}
