/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_PLAN_H
#define FLOW_PLAN_H

/*
 * The plan of a fetch: references become a pack, that is every blob with its digest and size, and where each comes
 * from. Only papers are downloaded for it (indexes, manifests, configurations: a few KB), each once.
 */

#include "flow/flow.h"
#include "flow/have.h"
#include "flow/registries.h"
#include "pack/pack.h"

/* Where a blob is downloaded from: a repository of one of the run's registries. */
struct blob_home {
	size_t registry;
	const char *repository; /* borrowed from the plan */
};

struct plan {
	struct pack *pack;
	struct blob_home *homes;  /* one a blob of the pack */
	uint64_t paper_bytes;     /* downloaded so far */
	struct left_out left_out; /* marked absent in the pack: the other side has them */
	/* Private to plan.c. */
	struct wanted *wanted;
	size_t wanted_count;
	struct attached *attached; /* one each */
	size_t home_capacity;
	struct library *library;
};

/*
 * Without an image if options->shard has none: then there is nothing to write.
 * ERR_USAGE for bad references (before any connection), ERR_ABSENT for what does not exist.
 */
struct plan *plan_new(const struct fetch_options *o, struct registries *registries, struct err *e);
void plan_free(struct plan *p);
OWNED(plan)

#endif
