/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_REGZIP_REBUILD_H
#define CODEC_REGZIP_REBUILD_H

/*
 * A layer's gzip, byte for byte, from its raw bytes and a recipe of a few kilobytes.
 *
 * source_simulate() goes over a gzip stream once: it gives the raw bytes and finds the recipe on the way.
 * source_rebuild() goes back. Both are filters on the belt; their memory is a few MiB whatever the layer's size
 * (RAW_WINDOW, LIMIT_BLOCK_TOKENS, LIMIT_RECIPE).
 *
 * Which encoders are known, and which of their releases were looked at, stands in the match_*.c files. For other
 * encoders simulation ends without a recipe, and the layer stays as it is.
 */

#include "base/buf.h"
#include "stream/source.h"

/*
 * A recipe larger than this part of the gzip bytes is given up: the encoder is another one, and the corrections would
 * eat what the recipe is for. A little is always allowed, since small layers have headers too.
 */
#define SIMULATION_SHARE 2000  /* 1/2000: 0.05 % */
#define SIMULATION_ALLOWED 512 /* bytes */

/* What a simulation came to. A struct of zeros is ready. */
struct simulated {
	bool good;         /* recipe rebuilds the stream; else `why` says why not */
	struct buf recipe; /* owned by the caller of source_simulate() */
	char why[128];
	const char *encoder; /* of the last member; NULL: none */
	uint64_t corrections;
	uint64_t raw;
	uint64_t gzip;
};

/*
 * The raw bytes of the gzip stream `inner` (taken; NULL passes through), checked as source_decode() checks them. *out
 * (borrowed until the source is freed) is filled when the stream has ended well. Its recipe is proved only when
 * source_rebuild() has given the original's digest.
 */
struct source *source_simulate(struct source *inner, struct simulated *out, struct err *e);
void simulated_release(struct simulated *s);

/*
 * The gzip bytes of the raw bytes `raw` (taken; NULL passes through) by `recipe` (borrowed). ERR_CORRUPT: the recipe is
 * damaged, or not of these bytes. The end is no proof that it was the right one: source_verify() belongs behind.
 */
struct source *source_rebuild(struct source *raw, const void *recipe, size_t len, struct err *e);

#endif
