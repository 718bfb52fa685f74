/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/papers.h"

#include "pack/toc_text.h"

#include <string.h>

int papers_oci_layout(struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "imageLayoutVersion");
	jout_text(&j, "1.0.0");
	jout_end(&j);
	return jout_finish(&j, e);
}

/* The tag in a full name: behind the last colon of the last path component; NULL if it is by digest or has none. */
static const char *name_tag(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash ? slash + 1 : name;
	const char *colon = strrchr(last, ':');

	if (strchr(name, '@') || !colon || !colon[1])
		return NULL;
	return colon + 1;
}

static bool loadable(const struct pack_image *image)
{
	return image->preferred < image->manifest_count && image->manifests[image->preferred].image;
}

/* index.json */

static void put_annotations(struct jout *j, const char *name, bool only)
{
	/* skopeo, oras and umoci find an image by this; among several a tag alone would find the first that has it. */
	const char *ref = only ? name_tag(name) : name;

	jout_key(j, "annotations");
	jout_object(j);
	jout_key(j, "io.containerd.image.name");
	jout_text(j, name);
	if (ref) {
		jout_key(j, "org.opencontainers.image.ref.name");
		jout_text(j, ref);
	}
	jout_end(j);
}

static int put_descriptor(struct jout *j, const struct pack *p, const struct pack_image *image, bool only,
			  struct err *e)
{
	const struct pack_blob *root = &p->blobs[image->root];
	char text[DIGEST_TEXT_SIZE];

	if (!*root->media_type)
		return err_set(e, ERR_CORRUPT, "%s has no media type, so index.json cannot name it",
			       digest_text(&root->promise.digest, text));
	descriptor_begin(j, root->media_type, &root->promise);
	if (image->name)
		put_annotations(j, image->name, only);
	/* Where the root is a manifest it is the preferred one, there is no other. */
	const struct pack_manifest *m = &image->manifests[image->preferred];
	if (m->blob == image->root)
		platform_put(j, &m->platform);
	jout_end(j);
	return 0;
}

int papers_index(const struct pack *p, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);
	size_t count = 0;

	for (size_t i = 0; i < p->image_count; i++)
		count += loadable(&p->images[i]);
	index_begin(&j);
	for (size_t i = 0; i < p->image_count; i++)
		if (loadable(&p->images[i]) && put_descriptor(&j, p, &p->images[i], count == 1, e))
			return -1;
	index_end(&j);
	return jout_finish(&j, e);
}

/*
 * manifest.json. Images with the same preferred manifest are one entry: they are chained, in order, so that the whole
 * stays linear. `first` and `last` are by blob, `next` by image; all count from 1, 0 is none.
 */
struct chains {
	size_t *first;
	size_t *last;
	size_t *next;
};

static int chain_images(const struct pack *p, struct chains *c, struct err *e)
{
	c->first = calloc(p->blob_count + 1, sizeof(*c->first));
	c->last = calloc(p->blob_count + 1, sizeof(*c->last));
	c->next = calloc(p->image_count + 1, sizeof(*c->next));
	if (!c->first || !c->last || !c->next)
		return err_memory(e);
	for (size_t i = 0; i < p->image_count; i++) {
		if (!loadable(&p->images[i]))
			continue;
		size_t blob = p->images[i].manifests[p->images[i].preferred].blob;
		if (c->first[blob])
			c->next[c->last[blob] - 1] = i + 1;
		else
			c->first[blob] = i + 1;
		c->last[blob] = i + 1;
	}
	return 0;
}

static void chains_release(struct chains *c)
{
	free(c->first);
	free(c->last);
	free(c->next);
}

/* RepoTags: the names that have a tag, or null. */
static void put_tags(struct jout *j, const struct pack *p, const struct chains *c, size_t first)
{
	bool open = false;

	for (size_t at = first; at; at = c->next[at - 1]) {
		const char *name = p->images[at - 1].name;
		if (!name || !name_tag(name))
			continue;
		if (!open)
			jout_array(j);
		open = true;
		jout_text(j, name);
	}
	if (open)
		jout_end(j);
	else
		jout_null(j);
}

static void put_blob_name(struct jout *j, const struct pack *p, size_t blob)
{
	char name[MEMBER_NAME_SIZE];

	jout_text(j, blob_member_name(&p->blobs[blob].promise.digest, name));
}

static void put_entry(struct jout *j, const struct pack *p, const struct chains *c, size_t image)
{
	const struct pack_manifest *m = &p->images[image].manifests[p->images[image].preferred];

	jout_object(j);
	jout_key(j, "Config");
	put_blob_name(j, p, m->config);
	jout_key(j, "RepoTags");
	put_tags(j, p, c, image + 1);
	jout_key(j, "Layers");
	jout_array(j);
	for (size_t i = 0; i < m->layer_count; i++)
		put_blob_name(j, p, m->layers[i]);
	jout_end(j);
	jout_end(j);
}

int papers_docker_manifest(const struct pack *p, struct buf *out, struct err *e)
{
	__attribute__((cleanup(chains_release))) struct chains c = { 0 };
	struct jout j = jout_begin(out);

	if (chain_images(p, &c, e))
		return -1;
	jout_array(&j);
	for (size_t i = 0; i < p->image_count; i++) {
		const struct pack_image *image = &p->images[i];
		if (loadable(image) && c.first[image->manifests[image->preferred].blob] == i + 1)
			put_entry(&j, p, &c, i);
	}
	jout_end(&j);
	return jout_finish(&j, e);
}
