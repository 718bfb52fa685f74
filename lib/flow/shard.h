/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_SHARD_H
#define FLOW_SHARD_H

/*
 * --shard I/N: a list of images in N parts of about the same bytes, for N runs side by side. Pure: who has the same
 * list has the same parts, whatever order the list is in, so nobody has to tell anybody which part is whose.
 *
 * Longest first: the largest image that is left goes to the part that has the least; where bytes are equal the name
 * decides, and between parts the number of images, then the part's own number. So no part exceeds the mean by more than
 * the largest image. An image counts with all its layers: runs share none, so a layer in two parts is fetched by both.
 */

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

struct shard {
	size_t index; /* from 1 */
	size_t count; /* 0: the whole list */
};

struct shard_item {
	const char *name; /* no two are the same */
	uint64_t bytes;
};

/*
 * "2/4"; or "auto/4", which takes the number from `job_index`, JOB_COMPLETION_INDEX of Kubernetes' indexed Jobs: it
 * begins at 0. NULL: it is not set. At most LIMIT_SHARDS. ERR_USAGE.
 */
int shard_parse(struct shard *out, const char *text, const char *job_index, struct err *e);

/* of[i]: the part of items[i], from 1 to `shards`. */
int shard_split(size_t *of, const struct shard_item *items, size_t count, size_t shards, struct err *e);

/* Twelve hex digits that are the same if, and only if, names, bytes and `shards` are: runs can be compared by them. */
int shard_mark(char out[13], const struct shard_item *items, size_t count, size_t shards, struct err *e);

#endif
