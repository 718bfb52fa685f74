/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_REGZIP_MATCH_PIECES_H
#define CODEC_REGZIP_MATCH_PIECES_H

/* What klauspost/compress' fast encoders have in common: pieces of 65535 bytes, each with its own search. */

#include "codec/regzip/token.h"

#define PIECES_TABLE_BITS 15

struct pieces {
	uint64_t history; /* the encoder's buffer begins here */
	uint64_t at;
	uint32_t origin; /* added to positions; grows with each segment, so that entries of others are too far away */
};

/* One piece. */
struct piece_run {
	const struct raw_window *w;
	uint64_t end;
	uint64_t said;   /* everything before has its token */
	uint64_t at;     /* where the search begins */
	uint32_t repeat; /* distance of the match before */
};

typedef void pieces_encode_fn(void *state, struct piece_run *r, struct tokens *out);

/* A segment: what stands between `history` and `start` is encoded for the tables' sake. */
int pieces_begin(struct pieces *p, const struct raw_window *w, uint64_t history, uint64_t start,
		 pieces_encode_fn *encode, void *state);
uint64_t pieces_run(struct pieces *p, const struct raw_window *w, uint64_t end, bool final, struct tokens *out,
		    pieces_encode_fn *encode, void *state);
/*
 * Emits the literals up to a match and the match, which grows to the left as far as it can; *length grows with it.
 * Returns where it ends, which is where r->said then stands.
 */
uint64_t pieces_emit(const struct pieces *p, struct piece_run *r, uint64_t at, uint32_t distance, uint64_t *length,
		     struct tokens *out);

/* What the tables hold of a position. */
static inline uint32_t pieces_mark(const struct pieces *p, uint64_t position)
{
	return (uint32_t)position + p->origin;
}

static inline bool pieces_reaches(const struct pieces *p, uint64_t at, uint32_t distance)
{
	return distance > 0 && distance <= at - p->history;
}

/* From `mark` to `at`; below 0: it lies ahead. INT32_MAX: no byte of this segment. */
static inline int32_t pieces_distance(const struct pieces *p, uint64_t at, uint32_t mark)
{
	uint32_t distance = pieces_mark(p, at) - mark;

	return distance <= INT32_MAX && distance > at - p->history ? INT32_MAX : (int32_t)distance;
}

/* How far back `mark` lies of `at`, if that is at most `reach` and the same four bytes stand there; else 0. */
static inline uint32_t pieces_same(const struct pieces *p, const struct piece_run *r, uint64_t at, uint32_t mark,
				   uint64_t value, int32_t reach)
{
	int32_t distance = pieces_distance(p, at, mark);

	if (distance <= 0 || distance > reach || load32(raw_at(r->w, at) - distance) != (uint32_t)value)
		return 0;
	return (uint32_t)distance;
}

/* How long the bytes at `at` are the same as those before, at most `max`. */
static inline uint64_t pieces_measure(const struct piece_run *r, uint64_t at, uint32_t distance, uint32_t max)
{
	uint64_t left = r->end - at;
	const uint8_t *cur = raw_at(r->w, at);

	return common_length(cur - distance, cur, left < max ? (uint32_t)left : max);
}

#endif
