/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_REGZIP_DIFFER_H
#define CODEC_REGZIP_DIFFER_H

/* One encoder's guess beside the real stream: what differs goes into the recipe. */

#include "codec/regzip/recipe.h"

#define TOKEN_BLOCK 0x40000000u /* in a queue of real tokens: a block is at its end here */

/* The real stream of a member, as far as it is not compared yet. */
struct real {
	struct tokens tokens; /* and TOKEN_BLOCK */
	struct block *blocks; /* LIMIT_BLOCKS_WAITING of them, a ring */
	size_t first;         /* numbers of blocks; the ring's place is the remainder */
	size_t count;         /* first + how many wait */
};

struct differ {
	struct predictor predictor;
	uint64_t position;
	size_t token; /* index into real->tokens.at, counted from its first */
	size_t block; /* number */
	struct frequencies frequencies;
	uint64_t counted; /* tokens from here on are not in the frequencies */
	uint64_t tokens;  /* of the block so far */
	bool in_block;
	const char *failed; /* it cannot be rebuilt at all, for this reason */
	struct recipe_writer writer;
};

int differ_open(struct differ *d, const struct encoder *encoder, uint64_t segment, uint64_t start, size_t block,
		struct err *e);
/* The next member, with the same encoder and segment. */
void differ_member(struct differ *d, uint64_t start, size_t block);
/* Compares as far as the raw bytes before `end` allow; `final`: the member ends there. */
int differ_run(struct differ *d, const struct real *real, const struct raw_window *w, uint64_t end, bool final,
	       struct err *e);
void differ_close(struct differ *d);

#endif
