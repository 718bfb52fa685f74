/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_DOCKER_CHECK_H
#define TARGET_DOCKER_CHECK_H

/* What shall stand in docker after a load, and what stands there. */

#include "oci/reference.h"
#include "pack/select.h"
#include "target/docker_api.h"
#include "target/target.h"

#include <stdbool.h>

/* One image of a request. */
struct docker_want {
	const struct load_image *load;
	struct pack_choice choice;       /* what of it is sent */
	const struct pack_manifest *run; /* what the daemon will run of it: its layers are what inspect lists */
	struct digest id;                /* what its ID will be in the daemon's store */
	struct digest root;            /* of the manifest or index that is sent: what the registry had under its name */
	bool tagged;                   /* the name is NAME:TAG; else it is by digest, or there is none */
	struct reference reference;    /* of the name, if there is one */
	char ask[REFERENCE_TEXT_SIZE]; /* what inspect is asked for: the name, or the ID */
	bool had;                      /* it stands there already */
};

/* What GET /images/{name}/json shows. */
struct docker_seen {
	bool there;
	struct digest id;
	bool layers_equal; /* RootFS.Layers are the diff IDs */
	size_t layer_count;
	bool tag_there;    /* RepoTags has the name */
	bool digest_there; /* RepoDigests has the name */
	bool root_there;   /* RepoDigests has the name's repository with want->root */
};

/* Looks. ERR_TARGET if the daemon answers what no docker would. */
int docker_look(struct docker *d, const struct docker_want *want, struct docker_seen *seen, struct err *e);

/* True if the image stands there as it shall, under its name. */
bool docker_is_right(const struct docker_want *want, const struct docker_seen *seen);

/* The error that names what was expected and what is there; for a `seen` that is not right. Returns -1. */
int docker_mismatch(const struct docker_want *want, const struct docker_seen *seen, struct err *e);

#endif
