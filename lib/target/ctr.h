/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_CTR_H
#define TARGET_CTR_H

/*
 * containerd through its client, the little of `ctr` that a load needs, as it is the same from containerd 1.6 to 2.1:
 * images ls, images import, images rm, images label, content ls. Its API is gRPC; every node that has containerd has
 * the client, too, which fits its daemon.
 */

#include "base/digest.h"
#include "base/err.h"
#include "base/own.h"
#include "stream/source.h"

#include <stdbool.h>
#include <stddef.h>

struct ctr;

/*
 * `socket` NULL: the usual one (ctr_host.h). A daemon must answer there and a client be on this machine: ERR_NETWORK,
 * ERR_LOCAL with what to do.
 */
struct ctr *ctr_new(const char *socket, const char *space, struct err *e);
void ctr_free(struct ctr *c);
OWNED(ctr)

/* "/run/containerd/containerd.sock, namespace k8s.io", printable. */
const char *ctr_where(const struct ctr *c);

/* What stands there: the names, each once. */
struct ctr_image {
	char *name;
	struct digest digest; /* what it points at */
	bool pinned;          /* has the label that keeps the kubelet from removing it */
};
struct ctr_images {
	struct ctr_image *items;
	size_t count;
	size_t capacity;
	struct digestmap *by_name; /* sha256 of the name */
};
struct ctr_images *ctr_images(struct ctr *c, struct err *e);
void ctr_images_free(struct ctr_images *images);
OWNED(ctr_images)
/* NULL: there is none of this name. */
const struct ctr_image *ctr_images_find(const struct ctr_images *images, const char *name);

/*
 * The digests of all content that it has, as keys (their values mean nothing). containerd hashed each of them when it
 * came in, and has no content that is only half there.
 */
struct digestmap *ctr_content(struct ctr *c, struct err *e);

/*
 * `ctr images import` of a tar (borrowed). With every platform in it; `unpack`: into the snapshotter, too, as this
 * machine will run it. `seconds`: how long it may be silent. ERR_TARGET with what it said if it fails; that it does not
 * proves nothing.
 */
int ctr_import(struct ctr *c, struct source *tar, bool unpack, unsigned seconds, struct err *e);

/* Removes names, and what only they held. */
int ctr_remove(struct ctr *c, const char *const *names, size_t count, struct err *e);

#define CTR_PIN_LABEL "io.cri-containerd.pinned=pinned"
/* Gives the image the label that the kubelet's cleaning respects (containerd 1.7.3 and newer). */
int ctr_pin(struct ctr *c, const char *name, struct err *e);

#endif
