/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_STANDING_H
#define FLOW_STANDING_H

/*
 * The inside of ask.h: which place is asked next, and what a failure means for it. Everything but standing_bar() is
 * called under registries.lock.
 */

#include "flow/ask.h"

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)

/* What one ask() knows about the places, beside what the whole run knows. */
struct search {
	struct registries *r;
	struct family *family;
	struct ask *ask;
	struct patience own;
	struct patience *patience;
	int64_t rest_until[ENDPOINTS_MOST];
	unsigned tries;
	unsigned wrong;     /* times that the registry itself gave other bytes than promised */
	struct err failure; /* of the registry itself, else of the last place */
	bool from_origin;
};

/*
 * The first place that may be asked now; with none, ENDPOINTS_MOST, and *wake is when one may be (0: none is left at
 * all). The weak ones are looked at when no good one is left.
 */
size_t standing_choose(const struct search *s, int64_t now, int64_t *wake);

/*
 * Place i has failed at what was begun at `started`. 0: there may be more to try, -1: *failure is final whatever else
 * is there.
 */
int standing_judge(struct search *s, size_t i, int64_t started, struct err *failure);

/* Place i is not asked for this any more. */
void standing_bar(struct search *s, size_t i);

#endif
