/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_HAVE_H
#define TARGET_HAVE_H

/*
 * What a target has already, for pack/inventory.h. Nothing is changed there, and what is in use is not disturbed. What
 * goes away there later is not in the list's power: `load` looks again.
 */

#include "base/err.h"
#include "base/events.h"
#include "http/http.h"
#include "pack/inventory.h"

#include <stddef.h>

/* What was looked through, for the person. */
struct have_found {
	char where[256];  /* "unix:///var/run/docker.sock" */
	const char *kind; /* "docker with a graph driver": borrowed, static */
	size_t images;
};

/*
 * docker at `host` (NULL: the environment's), through its Engine API.
 *
 * With a graph driver it keeps no blobs: its chains are added, of every image and all below it (RootFS.Layers of
 * /images/{id}/json; layers of images in the list are always whole).
 * With the containerd store its API names manifests but not what they are made of, so the images are exported through
 * the socket (GET /images/get) and the members' names are taken: blobs that are there, and no others. The bytes are
 * read and forgotten. An image that cannot be exported is a warning, and left out.
 */
int target_docker_have(const char *host, struct http *http, struct inventory *v, const struct events *events,
		       struct have_found *found, struct err *e);

/*
 * podman: its service or, where none runs, `podman info` says where its store is. podman looks layers up by the digest
 * of the compressed blob that they came from, or of the tar inside; the store's layers.json has both. ERR_LOCAL: the
 * store is not on this machine, or not for this user.
 */
int target_podman_have(struct http *http, struct inventory *v, const struct events *events, struct have_found *found,
		       struct err *e);

/* containerd at `socket` (NULL: the usual one): what `ctr content ls` has in the namespace. Whole blobs only. */
int target_containerd_have(const char *socket, const char *space, struct inventory *v, struct have_found *found,
			   struct err *e);

/* The folder of an OCI image layout: the files blobs/sha256/<hex>. Their bytes are not read. ERR_LOCAL. */
int target_oci_have(const char *folder, struct inventory *v, struct have_found *found, struct err *e);

#endif
