/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_NODE_NAMES_H
#define TARGET_NODE_NAMES_H

/*
 * Under which names a Kubernetes node must know an image. The kubelet asks containerd for exactly what the pod says:
 * NAME:TAG, or REPOSITORY@sha256:<digest>, and a name by digest is found only where it was stored as a name of its own.
 * So beside its own name an image gets, by digest: what that name points at; of an index, this machine's manifest; and
 * of a single manifest, the index that it came from, whose digest is what registries show and people pin.
 */

#include "target/take.h"

struct node_name {
	char *name; /* owned */
	size_t take;
	struct pack_choice choice; /* its name is the one above */
	struct digest digest;      /* of what it points at */
	bool alias;                /* it was made here */
};

struct node_names {
	struct node_name *items; /* each name once; an image's own before its aliases */
	size_t count;
	size_t capacity;
	struct digestmap *seen; /* sha256 of the names */
};

struct node_names *node_names_new(const struct load_request *r, const struct takes *t, struct err *e);
void node_names_free(struct node_names *n);
OWNED(node_names)

/* The names of those images for which wanted[take] is true (NULL: of all), as a pack. */
struct pack *node_names_pack(const struct load_request *r, const struct node_names *n, const bool *wanted,
			     struct err *e);

#endif
