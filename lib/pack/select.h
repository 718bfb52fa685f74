/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_SELECT_H
#define PACK_SELECT_H

/*
 * A part of a pack: some of its images, under other names, whole or narrowed to one platform. And what an image is made
 * of, in the order in which it can be put somewhere else.
 */

#include "base/err.h"
#include "base/own.h"
#include "pack/pack.h"

#include <stdbool.h>
#include <stddef.h>

/* What of an image is meant. */
struct pack_choice {
	const struct pack_image *image; /* of the pack it is chosen from; borrowed during the call */
	const char *name;               /* its new name, copied; NULL: nameless */
	bool whole;      /* keep the root: everything it names, every platform. False: one manifest becomes the root */
	size_t manifest; /* image->manifests[]: the new root; of a whole image: the preferred one. An image's */
};

/*
 * A new pack with the chosen images and nothing else: their blobs in the old order, with offset, bytes, media type and
 * `absent` copied, so that pack_file_blob() of the old pack's file reads them. An image that is kept whole keeps its
 * source (and the loose index blob, if it is there); a narrowed one has none. ERR_USAGE: two equal names, or a manifest
 * that is no image; ERR_CORRUPT: an index of a whole image is not in memory or nests too deep.
 */
struct pack *pack_select(const struct pack *p, const struct pack_choice *choices, size_t count, struct err *e);

/*
 * The blobs of a choice (its name is not looked at), each once, as indexes into p->blobs.
 * data: configs, layers and whatever else an index names; papers: manifests and indexes, children before what names
 * them, the root last. Absent blobs are listed as well.
 */
struct pack_parts {
	size_t *data;
	size_t data_count;
	size_t *papers;
	size_t paper_count;
	size_t unknown; /* things that an index names and of which the pack knows nothing: a sparse index */
	struct digest first_unknown;
	/* Private to select.c. */
	size_t data_capacity;
	size_t paper_capacity;
};
struct pack_parts *pack_parts_of(const struct pack *p, const struct pack_choice *choice, struct err *e);
void pack_parts_free(struct pack_parts *parts);
OWNED(pack_parts)

/*
 * The manifest of `image` that serves `want` best (platform_score(); of equals the first), or -1 with ERR_ABSENT and a
 * text that lists the platforms there are.
 */
ptrdiff_t pack_image_choose(const struct pack_image *image, const struct platform *want, struct err *e);

/* How many of its manifests are images (attestations and artifacts are not). */
size_t pack_image_platforms(const struct pack_image *image);

#endif
