/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_REGROUP_H
#define FLOW_REGROUP_H

/* What another program's archive holds, as a pack that can be written as ours. */

#include "base/events.h"
#include "flow/names.h"
#include "pack/pack.h"

/* Everything that an image's indexes name is in the pack, or shipped earlier (false in *whole: a sparse index). */
int regroup_is_whole(const struct pack *p, const struct pack_image *image, bool *whole, struct err *e);

/*
 * A new pack with the images of `from` and nothing that none of them needs: papers in front, then configurations, then
 * layers, as fetch orders them. Blobs have the offsets that they have in `from`. An index of which not everything is in
 * the archive cannot be a root (formats.md: sparse indexes load nowhere surely): its one platform becomes the root, or
 * a new index of those that are there; it stands beside them as the source. What is no image (a chart of a hauler haul)
 * is left out. `events` hears of both. Borrowed all. ERR_ABSENT: there is no image.
 */
struct pack *regroup(const struct pack *from, const struct names *names, const struct events *events, struct err *e);

#endif
