/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_USES_H
#define PACK_USES_H

/* What is known of a blob beside its promise: whose it is, and what its content must be. */

#include "pack/pack.h"

struct blob_use {
	const struct digest *diff_id; /* of a layer, or NULL; borrowed from the pack */
	const char *image;            /* the first that uses it, or NULL; borrowed from the pack */
	bool disagree;                /* two configs promise different diff IDs of one layer */
};

/* Fills uses[], zeroed, one a blob of the pack. */
void blob_uses_note(const struct pack *p, struct blob_use *uses);

/* ERR_CORRUPT unless `have` is the diff ID that is promised (u->diff_id is not NULL). */
int blob_use_check(const struct blob_use *u, const struct digest *have, struct err *e);

#endif
