/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zlib's deflate_fast (levels 1 to 3) and deflate_slow (4 to 9), with a window of 32 KiB and memory level 8; GNU gzip
 * and busybox are the same. pigz runs it over segments that begin with the 32 KiB before as a dictionary. Checked with
 * zlib 1.2.13, pigz 2.6, GNU gzip 1.12.
 */
#include "codec/regzip/match.h"

#define LEAST 3
#define AHEAD (TOKEN_MAX_LENGTH + LEAST + 1)
#define REACH (TOKEN_MAX_DISTANCE - AHEAD)
#define FAR 4096 /* a match of three bytes may not lie farther back */
#define BUFFER (2 * TOKEN_MAX_DISTANCE)
#define HASH_MASK 0x7fffu
#define ORIGIN                                                                                                         \
	(1u << 17)  /* added to positions at each segment: entries of others, and empty ones, are too far away         \
		     */
#define LAZY_FROM 4 /* level */

struct level {
	unsigned good; /* with a match this long, only a quarter of the chain is searched */
	unsigned lazy; /* fast: matches longer than this are not entered into the table */
	unsigned nice;
	unsigned chain;
};

static const struct level levels[10] = {
	[1] = { 4, 4, 8, 4 },      [2] = { 4, 5, 16, 8 },        [3] = { 4, 6, 32, 32 },
	[4] = { 4, 4, 16, 16 },    [5] = { 8, 16, 32, 32 },      [6] = { 8, 16, 128, 128 },
	[7] = { 8, 32, 128, 256 }, [8] = { 32, 128, 258, 1024 }, [9] = { 32, 258, 258, 4096 },
};

struct zlib {
	struct level level;
	bool lazy;
	uint64_t base; /* where the encoder's buffer begins: it slides by 32 KiB */
	uint64_t at;
	uint64_t dictionary; /* bytes from here to `start` are still to be entered */
	uint64_t start;      /* of the segment */
	uint32_t origin;
	uint32_t length;   /* of the match that begins one byte before */
	uint32_t distance; /* of it, from where it begins */
	bool held;
	uint32_t previous[TOKEN_MAX_DISTANCE];
	uint32_t head[HASH_MASK + 1];
};

static void *zlib_open(unsigned level, struct err *e)
{
	struct zlib *z = calloc(1, sizeof(*z));

	if (!z) {
		err_memory(e);
		return NULL;
	}
	z->level = levels[level];
	z->lazy = level >= LAZY_FROM;
	return z;
}

static int zlib_begin(void *state, const struct raw_window *w, uint64_t history, uint64_t start)
{
	struct zlib *z = state;

	(void)w;
	z->base = z->dictionary = history;
	z->at = z->start = start;
	z->origin += ORIGIN;
	z->length = LEAST - 1;
	z->distance = 0;
	z->held = false;
	return 0;
}

static uint32_t enter(struct zlib *z, const uint8_t *cur, uint64_t position)
{
	uint32_t hash = ((uint32_t)cur[0] << 10 ^ (uint32_t)cur[1] << 5 ^ cur[2]) & HASH_MASK;
	uint32_t now = (uint32_t)position + z->origin;
	uint32_t before = z->head[hash];

	z->previous[now % TOKEN_MAX_DISTANCE] = before;
	z->head[hash] = now;
	return before;
}

/* A match longer than `best` along the chain from `candidate`: its length and *distance; else `best`. */
static uint32_t find(const struct zlib *z, const uint8_t *cur, uint32_t candidate, uint64_t ahead, uint32_t best,
		     uint32_t *distance)
{
	uint32_t now = (uint32_t)z->at + z->origin;
	uint64_t before = z->at - z->base;
	uint32_t limit = ahead < TOKEN_MAX_LENGTH ? (uint32_t)ahead : TOKEN_MAX_LENGTH;
	uint32_t nice = ahead < z->level.nice ? (uint32_t)ahead : z->level.nice;
	unsigned tries = best >= z->level.good ? z->level.chain >> 2 : z->level.chain;
	/* The buffer's first byte is position 0, which means "none" there. */
	uint32_t reach = before > REACH ? REACH : before ? (uint32_t)before - 1 : 0;
	uint32_t back = now - candidate;

	/* The head of the chain may lie one byte farther back than what follows it. */
	while (back - 1 < reach) {
		const uint8_t *old = cur - back;
		if (best < limit && old[best] == cur[best] && old[best - 1] == cur[best - 1] && old[0] == cur[0] &&
		    old[1] == cur[1]) {
			uint32_t length = common_length(old, cur, limit);
			if (length > best) {
				best = length;
				*distance = back;
				if (best >= nice)
					break;
			}
		}
		candidate = z->previous[candidate % TOKEN_MAX_DISTANCE];
		back = now - candidate;
		if (!--tries || back == REACH)
			break;
	}
	return best;
}

/* Enters the positions behind z->at, `count` of them, as far as three bytes are there; stands on the last. */
static void enter_next(struct zlib *z, const uint8_t *cur, uint32_t count, uint64_t end)
{
	while (count--) {
		z->at++;
		cur++;
		if (z->at + LEAST <= end)
			enter(z, cur, z->at);
	}
}

static void step_lazy(struct zlib *z, const uint8_t *cur, uint64_t end, struct tokens *out)
{
	uint64_t ahead = end - z->at;
	uint32_t length = z->length;
	uint32_t distance = z->distance;

	z->length = LEAST - 1;
	if (ahead >= LEAST) {
		uint32_t candidate = enter(z, cur, z->at);
		if (length < z->level.lazy) {
			uint32_t longest = find(z, cur, candidate, ahead, length, &z->distance);
			/* What is not longer than the match before does not count; its length decides nothing. */
			z->length = longest;
			if (longest == LEAST && z->distance > FAR)
				z->length = LEAST - 1;
		}
	}
	if (length >= LEAST && z->length <= length) {
		tokens_put(out, token_match(length, distance));
		enter_next(z, cur, length - 2, end);
		z->at++;
		z->held = false;
		z->length = LEAST - 1;
		return;
	}
	if (z->held)
		tokens_put(out, cur[-1]);
	z->held = true;
	z->at++;
}

static void step_fast(struct zlib *z, const uint8_t *cur, uint64_t end, struct tokens *out)
{
	uint64_t ahead = end - z->at;
	uint32_t distance = 0;
	uint32_t length = LEAST - 1;

	if (ahead >= LEAST)
		length = find(z, cur, enter(z, cur, z->at), ahead, LEAST - 1, &distance);
	if (length < LEAST) {
		tokens_put(out, *cur);
		z->at++;
		return;
	}
	tokens_put(out, token_match(length, distance));
	if (length <= z->level.lazy && ahead - length >= LEAST) {
		enter_next(z, cur, length - 1, end);
		z->at++;
	} else {
		z->at += length;
	}
}

static uint64_t zlib_run(void *state, const struct raw_window *w, uint64_t end, bool final, struct tokens *out)
{
	struct zlib *z = state;

	/* A dictionary's last two bytes are hashed with the first of the data. */
	for (; z->dictionary < z->start && z->dictionary + LEAST <= end; z->dictionary++)
		enter(z, raw_at(w, z->dictionary), z->dictionary);
	for (;;) {
		uint64_t full = z->base + BUFFER;
		uint64_t until = end < full ? end : full;
		bool last = final && until == end;
		while (z->at < until && (last || until - z->at >= AHEAD)) {
			const uint8_t *cur = raw_at(w, z->at);
			if (z->lazy)
				step_lazy(z, cur, until, out);
			else
				step_fast(z, cur, until, out);
		}
		if (last || end <= full)
			break;
		z->base += TOKEN_MAX_DISTANCE;
	}
	if (final && z->held) {
		tokens_put(out, *raw_at(w, z->at - 1));
		z->held = false;
	}
	return z->at;
}

const struct finder_kind finder_zlib = { zlib_open, zlib_begin, zlib_run, free };
