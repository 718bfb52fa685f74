/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/regroup.h"

#include "oci/json.h"
#include "pack/select.h"

#include <stdio.h>
#include <string.h>

/* One image on its way. */
struct moving {
	const struct pack_image *image;
	bool left_out;            /* it is no image: there is nothing to do for it */
	struct pack_parts *parts; /* owned */
	bool whole;               /* all that its root names is there */
	struct buf index;         /* of several platforms of one that is not whole: the new root */
	struct promise index_promise;
};

struct regrouping {
	const struct pack *from;
	struct pack *to;
	struct moving *images;
};

static void release(struct regrouping *g)
{
	for (size_t i = 0; g->images && i < g->from->image_count; i++) {
		pack_parts_free(g->images[i].parts);
		buf_release(&g->images[i].index);
	}
	free(g->images);
	pack_free(g->to);
}
#define AUTO_REGROUPING __attribute__((cleanup(release))) struct regrouping

static bool is_manifest_of(const struct pack_image *image, size_t blob)
{
	for (size_t i = 0; i < image->manifest_count; i++)
		if (image->manifests[i].blob == blob)
			return true;
	return false;
}

/* Each manifest that an index of it names is one of the image's, that is: there, with all its layers. */
static bool is_whole(const struct pack *p, const struct moving *m)
{
	if (m->parts->unknown)
		return false;
	for (size_t i = 0; i < m->parts->paper_count; i++) {
		const size_t blob = m->parts->papers[i];
		if (p->blobs[blob].absent || (p->blobs[blob].role != BLOB_INDEX && !is_manifest_of(m->image, blob)))
			return false;
	}
	for (size_t i = 0; i < m->parts->data_count; i++)
		if (p->blobs[m->parts->data[i]].absent && p->blobs[m->parts->data[i]].role != BLOB_LAYER)
			return false;
	return true;
}

int regroup_is_whole(const struct pack *p, const struct pack_image *image, bool *whole, struct err *e)
{
	const struct pack_choice all = { .image = image, .whole = true, .manifest = image->preferred };
	AUTO(pack_parts) parts = pack_image_platforms(image) ? pack_parts_of(p, &all, e) : NULL;
	const struct moving m = { .image = image, .parts = parts };

	if (!parts)
		return pack_image_platforms(image) ? -1 : 0;
	*whole = is_whole(p, &m);
	return 0;
}

/* An index of the platforms that are there. */
static int write_index(const struct pack *p, struct moving *m, struct err *e)
{
	struct jout j = jout_begin(&m->index);

	index_begin(&j);
	for (size_t i = 0; i < m->image->manifest_count; i++) {
		const struct pack_manifest *pm = &m->image->manifests[i];
		if (!pm->image)
			continue;
		descriptor_begin(&j, p->blobs[pm->blob].media_type, &p->blobs[pm->blob].promise);
		platform_put(&j, &pm->platform);
		jout_end(&j);
	}
	index_end(&j);
	if (jout_finish(&j, e) || digest_of(&m->index_promise.digest, m->index.data, m->index.len, e))
		return -1;
	m->index_promise.size = m->index.len;
	return 0;
}

static const char *noun_of(const struct pack_image *image)
{
	return image->name ? image->name : "an image without a name";
}

static int look(const struct pack *p, struct moving *m, const struct events *events, struct err *e)
{
	const size_t platforms = pack_image_platforms(m->image);
	const struct pack_choice all = { .image = m->image, .whole = true, .manifest = m->image->preferred };
	char text[DIGEST_TEXT_SIZE];

	m->left_out = !platforms;
	if (m->left_out) {
		event_text(events, EVENT_WARNING,
			   "%s is an artifact (a chart, a signature), not an image: it is left out", noun_of(m->image));
		return 0;
	}
	m->parts = pack_parts_of(p, &all, e);
	if (!m->parts)
		return -1;
	m->whole = is_whole(p, m);
	if (m->whole)
		return 0;
	event_text(events, EVENT_WARNING,
		   "%s: only some of what its index names is in the archive, so %s will not resolve on the other side",
		   noun_of(m->image), digest_text(&p->blobs[m->image->root].promise.digest, text));
	return platforms > 1 ? write_index(p, m, e) : 0;
}

static int add_blob(struct regrouping *g, size_t blob, struct err *e)
{
	const struct pack_blob *b = &g->from->blobs[blob];

	return pack_add_blob(g->to, &b->promise, b->role, b->media_type, b->bytes, e) < 0 ? -1 : 0;
}

static int add_papers(struct regrouping *g, const struct moving *m, struct err *e)
{
	if (m->index.len && pack_add_blob(g->to, &m->index_promise, BLOB_INDEX, MEDIA_OCI_INDEX, m->index.data, e) < 0)
		return -1;
	if (add_blob(g, m->image->root, e))
		return -1;
	for (size_t i = 0; m->whole && i < m->parts->paper_count; i++)
		if (add_blob(g, m->parts->papers[i], e))
			return -1;
	for (size_t i = 0; i < m->image->manifest_count; i++)
		if ((m->whole || m->image->manifests[i].image) && add_blob(g, m->image->manifests[i].blob, e))
			return -1;
	return 0;
}

static int add_configs(struct regrouping *g, const struct moving *m, struct err *e)
{
	for (size_t i = 0; i < m->image->manifest_count; i++)
		if ((m->whole || m->image->manifests[i].image) && add_blob(g, m->image->manifests[i].config, e))
			return -1;
	return 0;
}

static int add_root(struct regrouping *g, const struct moving *m, struct pack_image *to, struct err *e)
{
	const struct pack_blob *root = &g->from->blobs[m->image->root];
	const struct pack_blob *only = &g->from->blobs[m->image->manifests[m->image->preferred].blob];
	const struct promise *promise = m->whole ? &root->promise : m->index.len ? &m->index_promise : &only->promise;
	ptrdiff_t blob = pack_find_blob(g->to, &promise->digest);

	if (blob < 0)
		return err_set(e, ERR_CORRUPT, "its root is not in the archive");
	to->root = (size_t)blob;
	if (m->whole)
		return 0;
	to->has_source = true;
	to->source = root->promise;
	(void)snprintf(to->source_media_type, sizeof(to->source_media_type), "%s", root->media_type);
	return 0;
}

static int add_image(struct regrouping *g, const struct moving *m, const char *name, struct err *e)
{
	struct pack_image *to = pack_add_image(g->to, name, e);
	struct err none = { 0 };

	if (!to || add_root(g, m, to, e))
		return -1;
	for (size_t i = 0; i < m->image->manifest_count; i++) {
		const struct pack_manifest *pm = &m->image->manifests[i];
		if (!m->whole && !pm->image)
			continue;
		ptrdiff_t blob = pack_find_blob(g->to, &g->from->blobs[pm->blob].promise.digest);
		if (blob < 0 || pack_image_add_manifest(g->to, to, (size_t)blob, &pm->platform, !pm->image, NULL, 0, e))
			return -1;
	}
	(void)pack_image_choose_preferred(to, &none);
	for (size_t i = 0; m->whole && i < m->parts->data_count; i++)
		if (add_blob(g, m->parts->data[i], e))
			return -1;
	return 0;
}

/* Where the bytes are, of all that is not made here. */
static void take_places(struct regrouping *g)
{
	for (size_t i = 0; i < g->to->blob_count; i++) {
		struct pack_blob *b = &g->to->blobs[i];
		ptrdiff_t old = pack_find_blob(g->from, &b->promise.digest);
		if (old < 0)
			continue;
		b->offset = g->from->blobs[old].offset;
		b->absent = g->from->blobs[old].absent;
	}
}

static int each(struct regrouping *g, int (*add)(struct regrouping *, const struct moving *, struct err *),
		struct err *e)
{
	for (size_t i = 0; i < g->from->image_count; i++)
		if (!g->images[i].left_out && add(g, &g->images[i], e))
			return -1;
	return 0;
}

struct pack *regroup(const struct pack *from, const struct names *names, const struct events *events, struct err *e)
{
	AUTO_REGROUPING g = { .from = from, .to = pack_new(e) };

	g.images = calloc(from->image_count + 1, sizeof(*g.images));
	if (!g.to)
		return NULL;
	if (!g.images) {
		err_memory(e);
		return NULL;
	}
	for (size_t i = 0; i < from->image_count; i++) {
		g.images[i].image = &from->images[i];
		if (look(from, &g.images[i], events, e)) {
			err_at(e, "%s", noun_of(&from->images[i]));
			return NULL;
		}
	}
	if (each(&g, add_papers, e) || each(&g, add_configs, e))
		return NULL;
	for (size_t i = 0; i < from->image_count; i++)
		if (!g.images[i].left_out && add_image(&g, &g.images[i], names->items[i], e))
			return NULL;
	if (!g.to->image_count) {
		err_set(e, ERR_ABSENT, "there is no image in it, only artifacts");
		return NULL;
	}
	take_places(&g);
	return TAKE(g.to);
}
