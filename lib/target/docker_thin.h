/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_DOCKER_THIN_H
#define TARGET_DOCKER_THIN_H

/*
 * A thin archive and a docker daemon. Whatever store it has, a daemon knows unpacked layers by their chain ID (OCI
 * image specification, "Layer ChainID"): a layer together with all below it. It reads none that it knows, so an absent
 * layer is no trouble if an image of the daemon begins with the same diff IDs up to it; else it is, even if the daemon
 * has the same layer on top of others.
 */

#include "target/docker_plan.h"

/*
 * Asks the daemon for its images (GET /images/json, and each of them) until every absent layer of the plan's images
 * that are not `had` is accounted for. Nothing is asked if none is absent. ERR_TARGET, with all that lack named
 * (lacking.h).
 */
int docker_check_thin(struct docker *d, const struct docker_plan *plan, const struct load_request *request,
		      struct err *e);

#endif
