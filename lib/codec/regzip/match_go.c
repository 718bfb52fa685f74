/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's compress/flate, levels 2 to 9: hash chains over four bytes, lazy matching from level 4 on. Checked with Go 1.19
 * (Debian's), whose encoder is the same in all releases to 1.26.
 */
#include "codec/regzip/match.h"

#define HASH_BITS 17
#define LEAST 4 /* bytes of the shortest match */
#define AHEAD (LEAST + TOKEN_MAX_LENGTH)
#define FAR 4096 /* a match of four bytes may not lie farther back */
#define BUFFER (2 * TOKEN_MAX_DISTANCE)
#define ORIGIN (1u << 17) /* the first position: an empty table entry, 0, is then too far away from any */

struct level {
	unsigned lazy; /* 0: take every match at once */
	unsigned nice;
	unsigned chain;
	unsigned skip; /* not lazy: matches longer than this are not entered into the table */
};

static const struct level levels[10] = {
	[2] = { 0, 16, 8, 5 },     [3] = { 0, 32, 32, 6 },    [4] = { 4, 16, 16, 0 },      [5] = { 16, 32, 32, 0 },
	[6] = { 16, 128, 128, 0 }, [7] = { 32, 128, 256, 0 }, [8] = { 128, 258, 1024, 0 }, [9] = { 258, 258, 4096, 0 },
};

struct go {
	struct level level;
	uint64_t base; /* where the encoder's buffer begins: it slides by 32 KiB */
	uint64_t at;
	uint32_t length; /* of the match that begins one byte before */
	uint32_t distance;
	bool held; /* the byte before has no token yet */
	uint32_t previous[TOKEN_MAX_DISTANCE];
	uint32_t head[1u << HASH_BITS];
};

static void *go_open(unsigned level, struct err *e)
{
	struct go *g = calloc(1, sizeof(*g));

	if (!g)
		err_memory(e);
	else
		g->level = levels[level];
	return g;
}

static int go_begin(void *state, const struct raw_window *w, uint64_t history, uint64_t start)
{
	struct go *g = state;

	(void)w;
	(void)history;
	g->base = g->at = start;
	g->length = LEAST - 1;
	g->distance = 0;
	g->held = false;
	return 0;
}

/* Enters the position, and gives what had the same hash before. */
static uint32_t enter(struct go *g, const uint8_t *cur, uint64_t position)
{
	uint32_t hash = (__builtin_bswap32(load32(cur)) * 0x1e35a7bdu) >> (32 - HASH_BITS);
	uint32_t now = (uint32_t)position + ORIGIN;
	uint32_t before = g->head[hash];

	g->previous[now % TOKEN_MAX_DISTANCE] = before;
	g->head[hash] = now;
	return before;
}

/* The longest match along the chain from `candidate`, into g->length and g->distance. */
static void find(struct go *g, const uint8_t *cur, uint32_t candidate, uint64_t ahead)
{
	uint32_t now = (uint32_t)g->at + ORIGIN;
	uint32_t limit = ahead < TOKEN_MAX_LENGTH ? (uint32_t)ahead : TOKEN_MAX_LENGTH;
	uint32_t nice = limit < g->level.nice ? limit : g->level.nice;
	uint32_t reach = g->at - g->base < TOKEN_MAX_DISTANCE ? (uint32_t)(g->at - g->base) : TOKEN_MAX_DISTANCE;
	uint32_t best = LEAST - 1;
	uint32_t tail = load32(cur);

	for (unsigned tries = g->level.chain; tries > 0; tries--) {
		uint32_t distance = now - candidate;
		/* 0 wraps: it is refused as well. */
		if (distance - 1 >= reach)
			return;
		const uint8_t *old = cur - distance;
		/* What is longer agrees in the four bytes that end where it grows. */
		if (load32(old + best - 3) == tail) {
			uint32_t length = common_length(old, cur, limit);
			if (length > best && (length > LEAST || distance <= FAR)) {
				best = g->length = length;
				g->distance = distance;
				if (length >= nice)
					return;
				tail = load32(cur + best - 3);
			}
		}
		if (distance == TOKEN_MAX_DISTANCE)
			return;
		candidate = g->previous[candidate % TOKEN_MAX_DISTANCE];
	}
}

/* Enters the positions g->at + 1 up to (not including) `until`, and stands there. */
static void enter_until(struct go *g, const uint8_t *cur, uint64_t until, uint64_t no_hash)
{
	for (g->at++, cur++; g->at < until; g->at++, cur++)
		if (g->at < no_hash)
			enter(g, cur, g->at);
}

static void step_lazy(struct go *g, const uint8_t *cur, uint64_t end, struct tokens *out)
{
	uint64_t ahead = end - g->at;
	uint32_t length = g->length;
	uint32_t distance = g->distance;

	g->length = LEAST - 1;
	g->distance = 0;
	if (ahead >= LEAST) {
		uint32_t candidate = enter(g, cur, g->at);
		if (ahead > length && length < g->level.lazy)
			find(g, cur, candidate, ahead);
	}
	if (length >= LEAST && g->length <= length) {
		tokens_put(out, token_match(length, distance));
		enter_until(g, cur, g->at + length - 1, end - (LEAST - 1));
		g->held = false;
		g->length = LEAST - 1;
		return;
	}
	if (g->held)
		tokens_put(out, cur[-1]);
	g->at++;
	g->held = true;
}

static void step_at_once(struct go *g, const uint8_t *cur, uint64_t end, struct tokens *out)
{
	uint64_t ahead = end - g->at;

	g->length = LEAST - 1;
	if (ahead >= LEAST)
		find(g, cur, enter(g, cur, g->at), ahead);
	if (g->length < LEAST) {
		tokens_put(out, *cur);
		g->at++;
		return;
	}
	tokens_put(out, token_match(g->length, g->distance));
	if (g->length <= g->level.skip)
		enter_until(g, cur, g->at + g->length, end - (LEAST - 1));
	else
		g->at += g->length;
}

static uint64_t go_run(void *state, const struct raw_window *w, uint64_t end, bool final, struct tokens *out)
{
	struct go *g = state;

	for (;;) {
		uint64_t full = g->base + BUFFER;
		uint64_t until = end < full ? end : full;
		bool last = final && until == end;
		while (g->at < until && (last || until - g->at >= AHEAD)) {
			const uint8_t *cur = raw_at(w, g->at);
			if (g->level.lazy)
				step_lazy(g, cur, until, out);
			else
				step_at_once(g, cur, until, out);
		}
		/* The buffer slides when there is more for it. */
		if (last || end <= full)
			break;
		g->base += TOKEN_MAX_DISTANCE;
	}
	if (final && g->held) {
		tokens_put(out, *raw_at(w, g->at - 1));
		g->held = false;
	}
	return g->at;
}

const struct finder_kind finder_go = { go_open, go_begin, go_run, free };
