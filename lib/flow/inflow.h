/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_INFLOW_H
#define FLOW_INFLOW_H

/*
 * The blobs of a plan straight from their registries, as a supply: what `copy` sends on. A source goes on where it was
 * when its connection breaks, at whatever place has the blob, with ask.h's patience: so an upload that reads from it
 * need not begin anew. Nothing is kept: memory is what is on its way.
 */

#include "flow/plan.h"
#include "pack/supply.h"

struct inflow;

/* All borrowed for its life. Workers are those of the registries. */
struct inflow *inflow_new(const struct plan *plan, struct registries *registries, const struct events *events,
			  struct err *e);
void inflow_free(struct inflow *f);
OWNED(inflow)

/* Thread-safe; borrowed from the inflow. */
struct supply inflow_supply(struct inflow *f);

#endif
