/* SPDX-License-Identifier: Apache-2.0 */
#include "target/registry_plan.h"

#include "base/text.h"
#include "registry/naming.h"
#include "target/result.h"

#include <stdio.h>
#include <string.h>

static int read_name(struct push_image *image, const char *registry, struct err *e)
{
	char shown[192];
	const char *name = image->load->name;

	if (!name)
		return err_set(e, ERR_USAGE,
			       "an image has no name, and a registry keeps none without; "
			       "give it one with --name");
	if (reference_parse(&image->reference, name, e))
		return -1;
	if (strcmp(image->reference.registry, registry) != 0)
		return err_set(e, ERR_USAGE,
			       "%s: is a name at %s, not at %s; a registry's host has a dot, a port or is localhost",
			       name, image->reference.registry, text_escape_str(shown, sizeof(shown), registry));
	return naming_check(&image->reference, e);
}

/* A registry takes images whole; of a named platform its manifest alone. */
static int choose(struct push_image *image, const struct load_request *r, struct err *e)
{
	const struct pack_image *from = image->load->image;
	ptrdiff_t manifest = (ptrdiff_t)from->preferred;

	if (r->platform) {
		manifest = pack_image_choose(from, r->platform, e);
		if (manifest < 0)
			return -1;
	}
	image->choice = (struct pack_choice){
		.image = from,
		.name = image->load->name,
		.whole = !r->platform,
		.manifest = (size_t)manifest,
	};
	image->root = r->platform ? from->manifests[manifest].blob : from->root;
	image->parts = pack_parts_of(r->supply.pack, &image->choice, e);
	return image->parts ? 0 : -1;
}

/* A digest in the name is not to be chosen: it is the root's or it does not resolve there. */
static void name_it(struct push_image *image, const struct load_request *r)
{
	const struct digest *root = &r->supply.pack->blobs[image->root].promise.digest;
	struct reference there = image->reference;
	char text[DIGEST_TEXT_SIZE];

	if (!there.has_digest) {
		(void)snprintf(image->selector, sizeof(image->selector), "%s", there.tag);
		(void)reference_text(&there, image->loaded_as);
		return;
	}
	if (!digest_equal(&there.digest, root))
		event_text(r->events, EVENT_WARNING,
			   "%s: this digest is not in %s and will not resolve; what is "
			   "there becomes %s",
			   image->load->name, r->supply.noun, digest_text(root, text));
	there.digest = *root;
	*there.tag = '\0';
	(void)reference_text(&there, image->loaded_as);
	(void)digest_text(root, image->selector);
}

struct push_plan *push_plan_new(const char *registry, const struct load_request *request, struct err *e)
{
	AUTO(push_plan) p = calloc(1, sizeof(*p));

	if (p)
		p->images = calloc(request->count + 1, sizeof(*p->images));
	if (!p || !p->images) {
		err_memory(e);
		return NULL;
	}
	p->request = request;
	p->count = request->count;
	for (size_t i = 0; i < p->count; i++) {
		struct push_image *image = &p->images[i];
		image->load = &request->images[i];
		image->tries = request->tries;
		if (read_name(image, registry, e))
			return NULL;
		if (choose(image, request, e)) {
			err_at(e, "%s", image->load->name);
			return NULL;
		}
		name_it(image, request);
	}
	return TAKE(p);
}

void push_plan_free(struct push_plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; p->images && i < p->count; i++)
		pack_parts_free(p->images[i].parts);
	free(p->images);
	free(p->blobs);
	free(p);
}

/* Which pairs of blob and repository there are. */

/* The key of a pair in a digestmap: the blob's digest is uniform, the repository's hash makes the pair so. */
static int pair_key(const struct digest *blob, const char *repository, struct digest *out, struct err *e)
{
	AUTO(hasher) h = hasher_new(e);

	if (!h || hasher_update(h, blob->raw, sizeof(blob->raw), e) ||
	    hasher_update(h, repository, strlen(repository), e))
		return -1;
	return hasher_finish(h, out, e);
}

static int add_pair(struct push_plan *p, struct digestmap *pairs, size_t image, size_t blob, struct err *e)
{
	const struct pack_blob *b = &p->request->supply.pack->blobs[blob];
	struct digest key;

	if (b->absent)
		return 0;
	if (pair_key(&b->promise.digest, p->images[image].reference.repository, &key, e))
		return -1;
	if (digestmap_get(pairs, &key) >= 0)
		return 0;
	if (digestmap_put(pairs, &key, p->blob_count, e) || GROW(p->blobs, p->blob_capacity, p->blob_count, e))
		return -1;
	p->blobs[p->blob_count++] = (struct push_blob){ .blob = blob, .image = image, .from = -1 };
	return 0;
}

/* Sorting needs the sizes. */
struct sortable {
	struct push_blob item;
	uint64_t size;
	bool later; /* not the first of its blob */
	size_t order;
};

static int compare(const void *a, const void *b)
{
	const struct sortable *x = a;
	const struct sortable *y = b;

	if (x->later != y->later)
		return x->later ? 1 : -1;
	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* Firsts before mounts, largest first, so that the last to finish is a small one. */
static int sort_pairs(struct push_plan *p, struct err *e)
{
	const struct pack *pack = p->request->supply.pack;
	AUTO_MEM struct sortable *items = calloc(p->blob_count + 1, sizeof(*items));
	AUTO_MEM ptrdiff_t *first = calloc(pack->blob_count + 1, sizeof(*first));

	if (!items || !first)
		return err_memory(e);
	for (size_t i = 0; i < p->blob_count; i++) {
		size_t blob = p->blobs[i].blob;
		items[i] = (struct sortable){ p->blobs[i], pack->blobs[blob].promise.size, first[blob] != 0, i };
		first[blob] = 1;
	}
	qsort(items, p->blob_count, sizeof(*items), compare);
	p->first_mount = p->blob_count;
	for (size_t i = 0; i < p->blob_count; i++) {
		p->blobs[i] = items[i].item;
		if (!items[i].later)
			first[p->blobs[i].blob] = (ptrdiff_t)i;
		else if (p->first_mount == p->blob_count)
			p->first_mount = i;
		p->blobs[i].from = items[i].later ? first[p->blobs[i].blob] : -1;
	}
	return 0;
}

/* An image that is there may have been signed since. */
static int add_referrers(struct push_plan *p, struct digestmap *pairs, size_t image, struct err *e)
{
	const struct pack_image *from = p->images[image].load->image;

	for (size_t i = 0; i < from->referrer_count; i++)
		for (size_t k = 0; k < from->referrers[i].part_count; k++)
			if (add_pair(p, pairs, image, from->referrers[i].parts[k], e))
				return -1;
	return 0;
}

int push_plan_blobs(struct push_plan *p, struct err *e)
{
	AUTO(digestmap) pairs = digestmap_new(e);

	if (!pairs)
		return -1;
	for (size_t i = 0; i < p->count; i++) {
		const struct pack_parts *parts = p->images[i].parts;
		for (size_t k = 0; !p->images[i].had && k < parts->data_count; k++)
			if (add_pair(p, pairs, i, parts->data[k], e))
				return -1;
		if (add_referrers(p, pairs, i, e))
			return -1;
	}
	return sort_pairs(p, e);
}
