/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/pack.h"

#include <string.h>

/* Each blob that an image uses, with repetitions. */
typedef void blob_visit(void *ctx, const struct pack *p, size_t blob);

static void visit_blobs(const struct pack *p, const struct pack_image *image, blob_visit *visit, void *ctx)
{
	ptrdiff_t source = image->has_source ? pack_find_blob(p, &image->source.digest) : -1;

	visit(ctx, p, image->root);
	if (source >= 0)
		visit(ctx, p, (size_t)source);
	for (size_t i = 0; i < image->manifest_count; i++) {
		const struct pack_manifest *m = &image->manifests[i];
		visit(ctx, p, m->blob);
		visit(ctx, p, m->config);
		for (size_t k = 0; k < m->layer_count; k++)
			visit(ctx, p, m->layers[k]);
	}
}

/*
 * Counting each once: a bitmap over a window of blob numbers, which moves until all were seen. No memory is asked for,
 * so nothing can fail, and LIMIT_MEMBERS makes it eight windows at most.
 */
#define WINDOW 32768u
struct counting {
	size_t first;
	size_t last;
	size_t base;
	uint64_t bytes;
	uint8_t seen[WINDOW / 8];
};

static void visit_range(void *ctx, const struct pack *p, size_t blob)
{
	struct counting *c = ctx;

	(void)p;
	if (blob < c->first)
		c->first = blob;
	if (blob > c->last)
		c->last = blob;
}

static void visit_count(void *ctx, const struct pack *p, size_t blob)
{
	struct counting *c = ctx;

	if (blob < c->base || blob - c->base >= WINDOW)
		return;
	size_t bit = blob - c->base;
	uint8_t mask = (uint8_t)(1u << (bit % 8));
	if (c->seen[bit / 8] & mask)
		return;
	c->seen[bit / 8] |= mask;
	uint64_t size = p->blobs[blob].absent ? 0 : p->blobs[blob].promise.size;
	c->bytes = size > UINT64_MAX - c->bytes ? UINT64_MAX : c->bytes + size;
}

uint64_t pack_image_bytes(const struct pack *p, const struct pack_image *image)
{
	struct counting c = { .first = SIZE_MAX };

	visit_blobs(p, image, visit_range, &c);
	for (c.base = c.first; c.base <= c.last; c.base += WINDOW) {
		memset(c.seen, 0, sizeof(c.seen));
		visit_blobs(p, image, visit_count, &c);
	}
	return c.bytes;
}
