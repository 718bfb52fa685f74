/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_FILL_H
#define FLOW_FILL_H

/* The middle of a fetch: blobs from their registries to their places in the archive, several at once. */

#include "base/events.h"
#include "flow/plan.h"
#include "flow/registries.h"
#include "pack/layout.h"
#include "stream/space.h"

/* Bytes that fill() downloads. */
uint64_t fill_bytes(const struct layout *l);

/*
 * Downloads every member that is not in memory into `space` at its offset, proved against its digest and length,
 * largest first. ERR_ as the registry gives them, with "sha256:0123abcd4567 (layer)" in front.
 */
int fill(const struct plan *plan, const struct layout *layout, struct registries *registries, struct space *space,
	 const struct events *events, struct err *e);

#endif
