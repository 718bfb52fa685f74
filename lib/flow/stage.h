/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_STAGE_H
#define FLOW_STAGE_H

/*
 * The archive while it is not complete: OUTPUT.part, and the journal beside it. What an earlier run left there is found
 * and used; what this one leaves is there for the next. Nothing stands under the final name before stage_seal().
 */

#include "flow/fill.h"
#include "flow/seal.h"
#include "pack/supply.h"

/* What a fetch moved, bytes of blobs. */
struct moved {
	uint64_t received; /* over the network */
	uint64_t reused;   /* from disk: an earlier run, another archive */
};

struct stage;

/* Takes the output's place, reserves its disk and writes everything that is in memory. All borrowed. ERR_LOCAL. */
struct stage *stage_open(const struct fetch_options *o, const struct layout *layout, struct err *e);

/* Every blob to its place: from disk what is there, the rest from the registries. */
int stage_fill(struct stage *s, const struct plan *plan, struct registries *registries, struct moved *moved,
	       struct err *e);

/* The same from an archive alone; what an earlier run left is not used. ERR_CORRUPT if a blob is not what it must be.
 */
int stage_copy(struct stage *s, const struct supply *from, struct err *e);

/* Sums and parity of chunks, fsync, reading back where that is wanted, the final names, fsync of the folder; the
 * journal goes. */
int stage_seal(struct stage *s, struct err *e);

/* The chunks' table, true after stage_seal(): borrowed. NULL: one file. */
const struct sums *stage_sums(const struct stage *s);

/* Without stage_seal(): what was downloaded stays for the next run, if it is worth anything. */
void stage_free(struct stage *s);
OWNED(stage)

#endif
