/* SPDX-License-Identifier: Apache-2.0 */
/*
 * klauspost/compress, level 1 (pgzip with BestSpeed; Go's level 1 from 1.27 on): one table over five bytes. Checked
 * with klauspost/compress 1.15.12 (Debian's).
 */
#include "codec/regzip/match.h"
#include "codec/regzip/match_pieces.h"

#define END UINT64_MAX
#define MARGIN 11u /* no match begins in the last bytes of a piece */

struct fast {
	struct pieces pieces;
	uint32_t table[1u << PIECES_TABLE_BITS];
};

static uint32_t *slot_of(struct fast *f, uint64_t value)
{
	return &f->table[((value << 24) * 889523592379ull) >> (64 - PIECES_TABLE_BITS)];
}

/* Puts `at` into the slot; gives how far back the four bytes were seen before, 0: nowhere. */
static uint32_t exchange(struct fast *f, const struct piece_run *r, uint32_t *slot, uint64_t at, uint64_t value,
			 int32_t reach)
{
	uint32_t distance = pieces_same(&f->pieces, r, at, *slot, value, reach);

	*slot = pieces_mark(&f->pieces, at);
	return distance;
}

/* From *at on, the first place with a match: its distance; 0: none before the margin. *next: where the search stood. */
static uint32_t search(struct fast *f, const struct piece_run *r, uint64_t *at, uint64_t *next)
{
	uint64_t value = load64(raw_at(r->w, *at));

	for (;;) {
		uint32_t *slot = slot_of(f, value);
		*next = *at + 2 + ((*at - r->said) >> 5);
		if (*next > r->end - MARGIN)
			return 0;
		uint64_t ahead = load64(raw_at(r->w, *next));
		uint32_t distance = exchange(f, r, slot, *at, value, TOKEN_MAX_DISTANCE - 1);
		slot = slot_of(f, ahead);
		if (!distance) {
			*at = (*next)++;
			distance = exchange(f, r, slot, *at, ahead, TOKEN_MAX_DISTANCE - 1);
			value = ahead >> 8;
		}
		if (distance) {
			*slot = pieces_mark(&f->pieces, *next);
			return distance;
		}
		*at = *next;
	}
}

/* Matches as long as one follows the other. Returns where the search goes on, END: the piece has no more. */
static uint64_t matches(struct fast *f, struct piece_run *r, uint64_t at, uint64_t next, uint32_t distance,
			struct tokens *out)
{
	for (;;) {
		uint64_t length = pieces_measure(r, at, distance, UINT32_MAX);
		at = pieces_emit(&f->pieces, r, at, distance, &length, out);
		if (next >= at)
			at = next + 1;
		if (at >= r->end - MARGIN) {
			if (at + length + 8 < r->end)
				*slot_of(f, load64(raw_at(r->w, at))) = pieces_mark(&f->pieces, at);
			return END;
		}
		uint64_t value = load64(raw_at(r->w, at - 2));
		*slot_of(f, value) = pieces_mark(&f->pieces, at - 2);
		value >>= 16;
		distance = exchange(f, r, slot_of(f, value), at, value, TOKEN_MAX_DISTANCE);
		if (!distance)
			return at + 1;
	}
}

static void encode(void *state, struct piece_run *r, struct tokens *out)
{
	struct fast *f = state;
	uint64_t at = r->at;
	uint64_t next;
	uint32_t distance;

	while (at != END && (distance = search(f, r, &at, &next)) != 0)
		at = matches(f, r, at, next, distance, out);
}

static void *fast_open(unsigned level, struct err *e)
{
	struct fast *f = calloc(1, sizeof(*f));

	(void)level;
	if (!f)
		err_memory(e);
	return f;
}

static int fast_begin(void *state, const struct raw_window *w, uint64_t history, uint64_t start)
{
	struct fast *f = state;

	return pieces_begin(&f->pieces, w, history, start, encode, f);
}

static uint64_t fast_run(void *state, const struct raw_window *w, uint64_t end, bool final, struct tokens *out)
{
	struct fast *f = state;

	return pieces_run(&f->pieces, w, end, final, out, encode, f);
}

const struct finder_kind finder_klauspost_fast = { fast_open, fast_begin, fast_run, free };
