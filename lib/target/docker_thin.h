/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_DOCKER_THIN_H
#define TARGET_DOCKER_THIN_H

/*
 * A thin archive and a docker daemon. Whatever store it has, a daemon knows unpacked layers by their chain ID (OCI
 * image specification, "Layer ChainID"): a layer together with all below it. It reads none that it knows, so an absent
 * layer is no trouble if an image of the daemon begins with the same diff IDs up to it. On top of others it is another
 * layer, and its blob is needed: docker's graph driver has none; the containerd store may have it, which its API does
 * not tell, but what it exports does.
 */

#include "target/docker_plan.h"

/*
 * Asks the daemon for its images (GET /images/json, each of them, and of a containerd store GET /images/get of those
 * that have a layer in question) until every absent layer of the plan's images that are not `had` is accounted for.
 * Nothing is asked if none is absent. ERR_TARGET, with all that lack named (lacking.h).
 */
int docker_check_thin(struct docker *d, const struct docker_plan *plan, const struct load_request *request,
		      struct err *e);

#endif
