/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_DOCKER_PLAN_H
#define TARGET_DOCKER_PLAN_H

/* What of each image goes to a docker daemon, decided before anything is sent. */

#include "target/docker_check.h"

struct docker_plan {
	struct docker_kind kind;
	struct docker_want *wants; /* one an image of the request, in its order */
	size_t count;
};

/*
 * Platforms are chosen and the IDs to be expected worked out. One platform is sent of each image; a containerd store
 * and podman get an index whole, so that its digest survives, unless the request names a platform or a part of it is
 * not in the archive. ERR_ABSENT: the platform is not there. An image of one other platform is taken with a warning.
 */
struct docker_plan *docker_plan_new(const struct load_request *request, const struct docker_kind *kind, struct err *e);
void docker_plan_free(struct docker_plan *p);
OWNED(docker_plan)

#endif
