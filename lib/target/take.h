/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_TAKE_H
#define TARGET_TAKE_H

/*
 * What of an image is taken by a target that keeps images as the registry had them: containerd, k3s, an OCI folder. An
 * index is taken whole, with every platform and its attestations, so that its digest survives; never with holes, since
 * the importers of containerd fail on those.
 */

#include "oci/reference.h"
#include "pack/select.h"
#include "target/target.h"

#include <stdbool.h>
#include <stddef.h>

/* True if the target has this blob already. */
typedef bool take_has_fn(void *ctx, const struct digest *d);

struct take {
	const struct load_image *load;
	struct reference reference; /* of its name */
	struct pack_choice choice;
	struct pack_parts *parts; /* owned: everything it is made of */
	size_t root;              /* blob of the pack: what its name will point at */
	ptrdiff_t here;           /* manifests[] of the image that this machine would run; -1: none of them */
};

struct takes {
	struct take *items; /* one an image of the request, in its order */
	size_t count;
};

/*
 * Decides for every image of the request: the platform that the request names; else all of it, if the archive and the
 * target together have every part; else this machine's platform, or the only one there is. `has` NULL: the target has
 * nothing. ERR_USAGE: an image without a name. ERR_ABSENT: no such platform. ERR_TARGET: parts are in neither (a thin
 * archive, loaded where its base is not); all of them are named (lacking.h, which `where` is for).
 */
struct takes *takes_new(const struct load_request *request, take_has_fn *has, void *ctx, const char *where,
			struct err *e);
void takes_free(struct takes *t);
OWNED(takes)

/* The digest of what the image's name will point at. */
const struct digest *take_digest(const struct load_request *r, const struct take *t);

#endif
