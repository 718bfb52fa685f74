/* SPDX-License-Identifier: Apache-2.0 */
#include "target/node_names.h"

#include <stdio.h>
#include <string.h>

struct naming {
	const struct load_request *request;
	const struct takes *takes;
	struct node_names *names;
};

/* A name that is there already is left as it is: two tags of one image make the same names by digest. */
static int add(const struct naming *m, size_t take, const char *name, const struct pack_choice *choice,
	       const struct digest *points_at, bool alias, struct err *e)
{
	struct node_names *n = m->names;
	struct digest key;

	if (digest_of(&key, name, strlen(name), e))
		return -1;
	if (digestmap_get(n->seen, &key) >= 0)
		return 0;
	if (GROW(n->items, n->capacity, n->count, e) || digestmap_put(n->seen, &key, n->count, e))
		return -1;
	char *copy = strdup(name);
	if (!copy)
		return err_memory(e);
	n->items[n->count] = (struct node_name){
		.name = copy, .take = take, .choice = *choice, .digest = *points_at, .alias = alias
	};
	n->items[n->count++].choice.name = copy;
	return 0;
}

static int add_digest(const struct naming *m, size_t take, const struct digest *named, const struct pack_choice *choice,
		      const struct digest *points_at, struct err *e)
{
	struct reference r = m->takes->items[take].reference;
	char text[REFERENCE_TEXT_SIZE];

	r.tag[0] = '\0';
	r.has_digest = true;
	r.digest = *named;
	return add(m, take, reference_text(&r, text), choice, points_at, true, e);
}

static int add_image(const struct naming *m, size_t take, struct err *e)
{
	const struct take *t = &m->takes->items[take];
	const struct pack *p = m->request->supply.pack;
	const struct pack_image *image = t->load->image;
	const struct digest *root = take_digest(m->request, t);

	if (add_digest(m, take, root, &t->choice, root, e))
		return -1;
	if (t->here >= 0 && image->manifests[t->here].blob != t->root && t->choice.whole) {
		const struct digest *d = &p->blobs[image->manifests[t->here].blob].promise.digest;
		const struct pack_choice manifest = { .image = image, .manifest = (size_t)t->here };
		if (add_digest(m, take, d, &manifest, d, e))
			return -1;
	}
	/* Loaded as one manifest, or as some of its platforms: by the digest of its index it is found all the same. */
	if (image->root != t->root && add_digest(m, take, &p->blobs[image->root].promise.digest, &t->choice, root, e))
		return -1;
	return image->has_source ? add_digest(m, take, &image->source.digest, &t->choice, root, e) : 0;
}

struct node_names *node_names_new(const struct load_request *r, const struct takes *t, struct err *e)
{
	AUTO(node_names) n = calloc(1, sizeof(*n));
	const struct naming m = { r, t, n };

	if (!n) {
		err_memory(e);
		return NULL;
	}
	n->seen = digestmap_new(e);
	if (!n->seen)
		return NULL;
	/* What people asked for comes first: no alias of another image takes its place. */
	for (size_t i = 0; i < t->count; i++)
		if (add(&m, i, t->items[i].load->name, &t->items[i].choice, take_digest(r, &t->items[i]), false, e))
			return NULL;
	for (size_t i = 0; i < t->count; i++)
		if (add_image(&m, i, e))
			return NULL;
	return TAKE(n);
}

void node_names_free(struct node_names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->count; i++)
		free(n->items[i].name);
	free(n->items);
	digestmap_free(n->seen);
	free(n);
}

struct pack *node_names_pack(const struct load_request *r, const struct node_names *n, const bool *wanted,
			     struct err *e)
{
	AUTO_MEM struct pack_choice *choices = calloc(n->count + 1, sizeof(*choices));
	size_t count = 0;

	if (!choices) {
		err_memory(e);
		return NULL;
	}
	for (size_t i = 0; i < n->count; i++)
		if (!wanted || wanted[n->items[i].take])
			choices[count++] = n->items[i].choice;
	return pack_select(r->supply.pack, choices, count, e);
}
