/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_TARGET_H
#define TARGET_TARGET_H

/*
 * Where a load ends, and a copy. A target is handed images and a supply of their blobs, of which each is proved when it
 * has been read to its end, and must end with the images under their names, or with an error that says what stands
 * there now. Success is what the target shows
 * afterwards, never what it said on the way.
 */

#include "base/err.h"
#include "base/events.h"
#include "base/own.h"
#include "http/http.h"
#include "pack/supply.h"
#include "registry/credentials.h"

#include <stdbool.h>
#include <stdint.h>

struct load_image {
	const struct pack_image *image; /* borrowed */
	const char *name;               /* what it shall be called there, fully qualified; borrowed. NULL: nameless */
};

struct load_request {
	struct supply supply; /* the images' pack, and where its blobs' bytes come from */
	struct load_image *images;
	size_t count;
	const struct platform
		*platform;   /* of several, load this one; NULL: all (registry), the daemon's own (docker) */
	bool replace;        /* may move a tag that points elsewhere */
	bool plan_only;      /* a registry is only asked: the result says what would be sent */
	bool create_project; /* projects that a Harbor lacks are made (a registry's load) */
	size_t connections;  /* at once, at most */
	struct http *http;   /* borrowed */
	const struct credential *credential; /* --username; or NULL */
	bool plain_http;                     /* the target registry is named by --plain-http */
	bool pin;                            /* containerd: keep the kubelet from removing the images */
	unsigned daemon_seconds; /* how long docker may be silent while it unpacks; 0: by the size of what was sent */
	unsigned tries;          /* of one thing that the network breaks; 0: LIMIT_PUSH_TRIES */
	const struct events *events;
};

/* What stands at the target afterwards, one an image, in the request's order. */
struct loaded {
	char *loaded_as;      /* full name there */
	struct digest digest; /* root digest (registry), image ID (docker) */
	bool had_it;          /* it stood there already, nothing was sent for it */
};
struct load_result {
	struct loaded *images;
	size_t count;
	uint64_t sent_bytes;
	uint64_t skipped_bytes; /* blobs that were there */
	size_t referrers;       /* signatures and the like that stand there, too; of a registry */
};
void load_result_free(struct load_result *r);
OWNED(load_result)

/*
 * docker, through its Engine API: `host` is DOCKER_HOST's form (unix:///path, tcp://host:port), NULL: the environment's
 * or /var/run/docker.sock. Only /_ping, /version, /info, /images/load, /images/json and /images/{name}/json
 * are used.
 */
struct load_result *target_docker_load(const char *host, const struct load_request *request, struct err *e);

/* True if a daemon answers there. *where names the socket for the message (at least 256 bytes). */
bool target_docker_answers(const char *host, struct http *http, char where[256]);

/*
 * podman, through its service, which answers docker's API: at $CONTAINER_HOST, else at the socket of this user's podman
 * or root's. It gets one image at a time, because of several in one tar it forgets the registry's digests. ERR_NETWORK:
 * no service runs; the message says how to start one.
 */
struct load_result *target_podman_load(const struct load_request *request, struct err *e);
bool target_podman_answers(struct http *http, char where[256]);

/*
 * containerd, through its own client, `ctr` or `k3s ctr`. `socket` NULL: $CONTAINERD_ADDRESS, else containerd's own,
 * else that of k3s and RKE2.
 */
bool target_containerd_answers(const char *socket, char where[256]);

/*
 * Its images get the names by digest that the kubelet asks for, too, and all of the archive's platforms. Afterwards it
 * is asked for every name and every blob. What a failed load has left is removed again, or said.
 */
struct load_result *target_containerd_load(const char *socket, const char *space, const struct load_request *request,
					   struct err *e);

/*
 * k3s and RKE2: one tar in the folder out of which they take images (NULL: k3s' own), named by the archive's ID. It is
 * there whole, or not at all.
 */
struct load_result *target_k3s_load(const char *folder, const struct load_request *request, struct err *e);

/*
 * An OCI image layout (OCI image specification 1.1), made or added to. Blobs that it has are proved and kept, every
 * other image in it stays, other writers of imgpack are waited for. At no time is it invalid, whenever the power fails.
 */
struct load_result *target_oci_load(const char *folder, const struct load_request *request, struct err *e);

/* A registry: `registry` is HOST[:PORT]; the images' names start with it already. */
struct load_result *target_registry_load(const char *registry, const struct load_request *request, struct err *e);

#endif
