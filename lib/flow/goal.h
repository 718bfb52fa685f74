/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_GOAL_H
#define FLOW_GOAL_H

/* Where a copy goes, known before anything is asked: TARGET of --to, DST, or what the rules of --map make of each name.
 */

#include "flow/flow.h"
#include "flow/maps.h"
#include "flow/place.h"
#include "oci/reference.h"

struct goal {
	struct place place;                       /* a registry; of several the first */
	bool several;                             /* rules lead to more than one */
	char rename[2 * REFERENCE_TEXT_SIZE + 1]; /* "SRC=DST" of a DST that is a repository, or "" */
};

/*
 * Reads it. ERR_USAGE: it is no registry, DST is no repository, a name that no rule is for, or a password and several
 * registries, of which it can belong to one.
 */
int goal_find(struct goal *g, const struct copy_options *o, const struct maps *maps, struct err *e);

#endif
