/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_GIVERS_H
#define FLOW_GIVERS_H

/*
 * Which places gave the bytes of one blob, and who is asked again when they are not the blob. Sets of places are bits,
 * as registries.h numbers them. `{0}` at first; the caller guards it.
 */

#include "flow/registries.h"

struct givers {
	uint32_t gave;
	bool disk;       /* an earlier run's bytes are in it */
	uint32_t barred; /* gave wrong bytes */
	uint32_t only;   /* if not 0: to be taken from these alone, to see who is wrong */
	unsigned wrong;  /* how often the digest was */
};

/* Places that are not to be asked for the blob now: for ask.barred. */
uint32_t givers_barred(const struct givers *g);

/* Puts "from HOST: " in front of the error, where one place gave all of it. */
void givers_name(const struct givers *g, const struct registries *r, size_t registry, struct err *why);

/*
 * All bytes are there and are not the blob, says *why. If one place gave all of them, it is wrong, and not asked for
 * this blob again (the registry itself is, twice: the way to it may have been it). If there were several, or an earlier
 * run, the blob is to be taken anew from one of them alone. False: nobody is left.
 */
bool givers_find_another(struct givers *g, struct registries *r, size_t registry, const struct err *why);

#endif
