/* SPDX-License-Identifier: Apache-2.0 */
/*
 * klauspost/compress' fast encoders: level 5 (pgzip's and so podman's, buildah's and skopeo's), level 6 (Go's from 1.27
 * on). A short table over four bytes and a long one over seven, which keeps two positions. Checked with
 * klauspost/compress 1.15.12 and pgzip 1.2.5 (Debian's).
 */
#include "codec/regzip/match.h"
#include "codec/regzip/match_pieces.h"

#define MARGIN 11u      /* no match begins in the last bytes of a piece */
#define NICE_LENGTH 30u /* level 5: after such a match the next one is not tried */

struct pair {
	uint32_t newest;
	uint32_t older;
};

struct klauspost {
	struct pieces pieces;
	bool six;
	uint32_t table4[1u << PIECES_TABLE_BITS];
	struct pair table7[1u << PIECES_TABLE_BITS];
};

/* A candidate: where a match would begin, how far back it lies, how long it is. 0: not measured. */
struct found {
	uint64_t at;
	uint32_t distance;
	uint64_t length;
};

static uint32_t hash4(uint64_t value)
{
	return ((uint32_t)value * 2654435761u) >> (32 - PIECES_TABLE_BITS);
}

static uint32_t hash7(uint64_t value)
{
	return (uint32_t)(((value << 8) * 58295818150454627ull) >> (64 - PIECES_TABLE_BITS));
}

static void enter7(struct klauspost *k, uint64_t value, uint64_t at)
{
	struct pair *slot = &k->table7[hash7(value)];

	*slot = (struct pair){ pieces_mark(&k->pieces, at), slot->newest };
}

static void enter4(struct klauspost *k, uint64_t value, uint64_t at)
{
	k->table4[hash4(value)] = pieces_mark(&k->pieces, at);
}

static void enter(struct klauspost *k, uint64_t value, uint64_t at)
{
	enter4(k, value, at);
	enter7(k, value, at);
}

static uint32_t same(const struct klauspost *k, const struct piece_run *r, uint64_t at, uint32_t mark, uint64_t value)
{
	return pieces_same(&k->pieces, r, at, mark, value, TOKEN_MAX_DISTANCE - 1);
}

static bool near(const struct klauspost *k, uint64_t at, uint32_t mark)
{
	return pieces_distance(&k->pieces, at, mark) < TOKEN_MAX_DISTANCE;
}

static void better(struct found *f, const struct piece_run *r, uint64_t at, uint32_t distance)
{
	uint64_t length = distance ? pieces_measure(r, at, distance, TOKEN_MAX_LENGTH) : 0;

	if (length > f->length)
		*f = (struct found){ at, distance, length };
}

/* A short match was found: the next byte's long ones may be better, and at level 6 the last distance again. */
static void found_short(const struct klauspost *k, const struct piece_run *r, struct found *f, uint64_t next,
			uint64_t value, uint64_t next_value, struct pair slot)
{
	f->length = pieces_measure(r, f->at, f->distance, TOKEN_MAX_LENGTH);
	if (k->six && pieces_reaches(&k->pieces, f->at + 1, r->repeat) &&
	    load32(raw_at(r->w, f->at + 1) - r->repeat) == (uint32_t)(value >> 8)) {
		uint64_t at = f->at + 1;
		uint64_t before = f->length;
		better(f, r, at, r->repeat);
		if (f->length > before)
			return;
	}
	uint64_t before = f->length;
	if (near(k, next, slot.newest)) {
		better(f, r, next, same(k, r, next, slot.newest, next_value));
		if (f->length == before || k->six)
			better(f, r, next, same(k, r, next, slot.older, next_value));
	}
}

/* From *at on, the first place with a match. False: none before the margin. *next: where the search stood. */
static bool search(struct klauspost *k, const struct piece_run *r, uint64_t *at, uint64_t *next, struct found *f)
{
	uint64_t limit = r->end - MARGIN;
	uint64_t value = load64(raw_at(r->w, *at));
	unsigned shift = k->six ? 7 : 6;

	*next = *at;
	for (;;) {
		*at = *next;
		*next = *at + 1 + ((*at - r->said) >> shift);
		if (*next > limit)
			return false;
		uint32_t mark = k->table4[hash4(value)];
		struct pair slot = k->table7[hash7(value)];
		uint64_t next_value = load64(raw_at(r->w, *next));
		enter(k, value, *at);
		uint32_t newest = same(k, r, *at, slot.newest, value);
		uint32_t older = near(k, *at, slot.newest) ? same(k, r, *at, slot.older, value) : 0;
		*f = (struct found){ *at, newest ? newest : older, 0 };
		if (f->distance) {
			enter(k, next_value, *next);
			if (newest && older) {
				f->length = pieces_measure(r, *at, newest, TOKEN_MAX_LENGTH);
				better(f, r, *at, older);
			}
			return true;
		}
		f->distance = same(k, r, *at, mark, value);
		if (f->distance) {
			slot = k->table7[hash7(next_value)];
			enter(k, next_value, *next);
			found_short(k, r, f, *next, value, next_value, slot);
			return true;
		}
		value = next_value;
	}
}

/* What the long table knows of the byte behind the match may be a longer one, from two bytes later on. */
static void look_behind(const struct klauspost *k, const struct piece_run *r, struct found *f)
{
	uint64_t behind = f->at + f->length;
	uint64_t at = f->at + 2;
	uint64_t length = f->length;

	if ((!k->six && length >= NICE_LENGTH) || behind >= r->end - MARGIN)
		return;
	struct pair slot = k->table7[hash7(load64(raw_at(r->w, behind)))];
	uint32_t marks[2] = { slot.newest, slot.older };
	if (!near(k, behind, slot.newest))
		return;
	for (int i = 0; i < (k->six ? 2 : 1); i++) {
		/* The encoder takes the second entry as if it stood behind what the first gave. */
		int64_t distance = pieces_distance(&k->pieces, behind, marks[i]) + (int64_t)(f->length - length);
		if (distance <= 0 || distance >= TOKEN_MAX_DISTANCE ||
		    !pieces_reaches(&k->pieces, at, (uint32_t)distance))
			continue;
		uint64_t longer = pieces_measure(r, at, (uint32_t)distance, UINT32_MAX);
		if (longer > f->length)
			*f = (struct found){ at, (uint32_t)distance, longer };
	}
}

static void enter_match5(struct klauspost *k, const struct piece_run *r, uint64_t start, uint64_t end)
{
	uint64_t i = start + 1;

	if (i >= end - 1)
		return;
	uint64_t value = load64(raw_at(r->w, i));
	enter(k, value, i);
	enter7(k, value >> 8, i + 1);
	enter4(k, value >> 16, i + 2);
	for (i += 4; i < end - 1; i += 3) {
		value = load64(raw_at(r->w, i));
		enter7(k, value, i);
		enter4(k, value >> 8, i + 1);
	}
}

/* The tables learn what the match covered. Returns false if the piece is at its end. */
static bool learn(struct klauspost *k, const struct piece_run *r, uint64_t start, uint64_t at, uint64_t next)
{
	if (at >= r->end - MARGIN) {
		for (uint64_t i = next + 1; k->six && i < r->end - 8; i += 2)
			enter(k, load64(raw_at(r->w, i)), i);
		return false;
	}
	if (k->six) {
		for (uint64_t i = next + 1; i < at - 1; i += 2) {
			uint64_t value = load64(raw_at(r->w, i));
			enter(k, value, i);
			enter7(k, value >> 8, i + 1);
		}
	} else {
		enter_match5(k, r, start, at);
		enter(k, load64(raw_at(r->w, at - 1)), at - 1);
	}
	return true;
}

static void encode(void *state, struct piece_run *r, struct tokens *out)
{
	struct klauspost *k = state;
	uint64_t at = r->at;
	uint64_t next;
	struct found f;

	while (search(k, r, &at, &next, &f)) {
		/* Not measured yet, or only as far as one token reaches. */
		if (f.length == 0 || f.length == TOKEN_MAX_LENGTH)
			f.length = pieces_measure(r, f.at, f.distance, UINT32_MAX);
		look_behind(k, r, &f);
		at = pieces_emit(&k->pieces, r, f.at, f.distance, &f.length, out);
		r->repeat = f.distance;
		if (next >= at)
			at = next + 1;
		if (!learn(k, r, at - f.length, at, next))
			break;
	}
}

static void *klauspost_open(unsigned level, struct err *e)
{
	struct klauspost *k = calloc(1, sizeof(*k));

	if (!k)
		err_memory(e);
	else
		k->six = level == 6;
	return k;
}

static int klauspost_begin(void *state, const struct raw_window *w, uint64_t history, uint64_t start)
{
	struct klauspost *k = state;

	return pieces_begin(&k->pieces, w, history, start, encode, k);
}

static uint64_t klauspost_run(void *state, const struct raw_window *w, uint64_t end, bool final, struct tokens *out)
{
	struct klauspost *k = state;

	return pieces_run(&k->pieces, w, end, final, out, encode, k);
}

const struct finder_kind finder_klauspost = { klauspost_open, klauspost_begin, klauspost_run, free };
