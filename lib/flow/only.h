/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_ONLY_H
#define FLOW_ONLY_H

/*
 * The inside of flow_fetch_only(): a list's blocks, several at once. Each is put together in its worker's memory, from
 * what the layout knows and from ranges of blobs, proved by the list's digest, and written to its place in the blocks
 * file.
 */

#include "flow/ask.h"
#include "flow/plan.h"
#include "pack/layout.h"
#include "pack/wants.h"
#include "stream/space.h"

#include <stdatomic.h>

/* Blocks that one worker fetches one behind the other: order[first..first+count-1]. */
struct only_unit {
	size_t first;
	size_t count;
};

/* What one worker has. Freed by only_worker_release(). */
struct only_worker {
	char *block; /* SUMS_BLOCK bytes */
	/* An answer that goes on: the next byte it gives is byte `at` of the blob. */
	struct source *body;
	const struct member *member;
	uint64_t at, end;
	bool whole; /* it gives all of the blob: what stands between two blocks is dropped */
	size_t endpoint;
	/* Of the block at hand, a set for each registry. */
	uint32_t *givers;
	uint32_t *barred;
	bool encoded;   /* some of it came with a Content-Encoding */
	unsigned wrong; /* times that registries themselves gave other bytes */
};

struct only {
	const struct wants *wants;
	const struct plan *plan;
	const struct layout *layout;
	struct registries *registries;
	const struct events *events;
	struct space *space; /* the blocks file, and where its blocks begin */
	uint64_t header;
	size_t *order; /* wants->blocks[] that are to be fetched now */
	size_t order_count;
	struct only_unit *units;
	size_t unit_count;
	bool *later;         /* one a block: its place sends all of a blob whatever is asked */
	bool whole;          /* second pass: then all of it is read */
	atomic_bool *decode; /* one a blob: it comes encoded, and its bytes are what is inside */
	struct only_worker *workers;
	size_t worker_count;
	_Atomic uint64_t received;
};

/* One unit, as parallel_for() calls it; `ctx` is the struct only. */
int only_fetch_unit(void *ctx, size_t item, size_t worker, struct err *e);
void only_worker_release(struct only_worker *w);

/*
 * buf[0..len) of the blob `m` from byte `from` on, from wherever it may be had. 1: not now, its place knows no ranges
 * (only->whole is false); 0; -1. `to`: how far on in the blob bytes are wanted soon.
 */
int only_take(struct only *o, size_t worker, const struct member *m, uint64_t from, uint64_t to, char *buf, size_t len,
	      struct err *e);

#endif
