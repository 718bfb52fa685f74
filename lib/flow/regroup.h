/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_REGROUP_H
#define FLOW_REGROUP_H

/* What another program's archive holds, as a pack that can be written as ours. */

#include "base/events.h"
#include "flow/names.h"
#include "pack/pack.h"

/*
 * A new pack with the images of `from` and nothing that none of them needs: papers in front, then configurations, then
 * layers, as fetch orders them. Blobs have the offsets that they have in `from`. An index of which not everything is in
 * the archive cannot be a root (formats.md: sparse indexes load nowhere surely): its one platform becomes the root, or
 * a new index of those that are there; it stands beside them as the source, and `events` hears of it. Borrowed all.
 */
struct pack *regroup(const struct pack *from, const struct names *names, const struct events *events, struct err *e);

#endif
