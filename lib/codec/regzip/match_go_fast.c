/* SPDX-License-Identifier: Apache-2.0 */
/* Go's compress/flate, level 1 (as ko, kaniko and crane use it). Checked with Go 1.19; the same in all to 1.26. */
#include "codec/regzip/match.h"

#define PIECE 65535u
#define SMALL 128u /* a last piece that is shorter is literals */
#define MARGIN 15u /* no match begins in the last bytes of a piece */
#define HASH_BITS 14
#define ORIGIN (1u << 17)

struct entry {
	uint32_t value;
	uint32_t position;
};

struct go_fast {
	uint64_t start; /* of the segment */
	uint64_t at;
	struct entry table[1u << HASH_BITS];
};

static void *fast_open(unsigned level, struct err *e)
{
	struct go_fast *g = calloc(1, sizeof(*g));

	(void)level;
	if (!g)
		err_memory(e);
	return g;
}

static int fast_begin(void *state, const struct raw_window *w, uint64_t history, uint64_t start)
{
	struct go_fast *g = state;

	(void)w;
	(void)history;
	g->start = g->at = start;
	return 0;
}

static void literals(const struct raw_window *w, uint64_t from, uint64_t to, struct tokens *out)
{
	for (; from < to; from++)
		tokens_put(out, *raw_at(w, from));
}

/* Enters four bytes; gives how far back the same four were, 0: nowhere. */
static uint32_t exchange(struct go_fast *g, uint64_t position, uint32_t value)
{
	struct entry *slot = &g->table[(value * 0x1e35a7bdu) >> (32 - HASH_BITS)];
	struct entry before = *slot;
	uint32_t now = (uint32_t)position + ORIGIN;
	uint32_t distance = now - before.position;

	*slot = (struct entry){ value, now };
	if (before.value != value || distance > TOKEN_MAX_DISTANCE || distance > position - g->start)
		return 0;
	return distance;
}

/* From `at` on, the first place whose four bytes were seen before. Returns its distance, 0: none before `limit`. */
static uint32_t search(struct go_fast *g, const struct raw_window *w, uint64_t *at, uint64_t limit)
{
	uint64_t next = *at;

	for (uint32_t skip = 32;;) {
		*at = next;
		next += skip >> 5;
		skip += skip >> 5;
		if (next > limit)
			return 0;
		uint32_t distance = exchange(g, *at, load32(raw_at(w, *at)));
		if (distance)
			return distance;
	}
}

/* Emits matches as long as one follows the other; returns where they end. */
static uint64_t matches(struct go_fast *g, const struct raw_window *w, uint64_t at, uint32_t distance, uint64_t end,
			struct tokens *out)
{
	for (;;) {
		uint64_t left = end - at;
		uint32_t max = left < TOKEN_MAX_LENGTH ? (uint32_t)left : TOKEN_MAX_LENGTH;
		const uint8_t *cur = raw_at(w, at);
		uint32_t length = 4 + common_length(cur + 4 - distance, cur + 4, max - 4);
		tokens_put(out, token_match(length, distance));
		at += length;
		if (at >= end - MARGIN)
			return at;
		cur = raw_at(w, at);
		exchange(g, at - 1, load32(cur - 1));
		distance = exchange(g, at, load32(cur));
		if (!distance)
			return at;
	}
}

static void encode_piece(struct go_fast *g, const struct raw_window *w, uint64_t end, struct tokens *out)
{
	uint64_t start = g->at;
	uint64_t said = start; /* everything before has its token */
	uint64_t at = start;
	size_t first = out->len;

	for (;;) {
		uint32_t distance = search(g, w, &at, end - MARGIN);
		if (!distance)
			break;
		literals(w, said, at, out);
		said = at = matches(g, w, at, distance, end, out);
		if (at >= end - MARGIN)
			break;
		at++;
	}
	literals(w, said, end, out);
	/* A piece that hardly shrinks is written as literals. */
	uint64_t length = end - start;
	if (out->len - first > length - (length >> 4)) {
		out->len = first;
		literals(w, start, end, out);
	}
}

static uint64_t fast_run(void *state, const struct raw_window *w, uint64_t end, bool final, struct tokens *out)
{
	struct go_fast *g = state;

	while (g->at < end && (final || end - g->at >= PIECE)) {
		uint64_t piece_end = end - g->at < PIECE ? end : g->at + PIECE;
		if (piece_end - g->at < SMALL)
			literals(w, g->at, piece_end, out);
		else
			encode_piece(g, w, piece_end, out);
		g->at = piece_end;
	}
	return g->at;
}

const struct finder_kind finder_go_fast = { fast_open, fast_begin, fast_run, free };
