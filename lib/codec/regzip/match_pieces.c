/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/regzip/match_pieces.h"

#include <stdlib.h>

#define PIECE 65535u
#define ORIGIN (1u << 17)
#define SMALL 128u          /* a last piece that is shorter is literals */
#define LEAST 13u           /* so is any that is shorter than this */
#define BUFFER (5u * PIECE) /* when it would overflow, the last 32 KiB are kept */

static void literals(const struct raw_window *w, uint64_t from, uint64_t to, struct tokens *out)
{
	for (; from < to; from++)
		tokens_put(out, *raw_at(w, from));
}

static void encode_piece(const struct raw_window *w, uint64_t start, uint64_t end, struct tokens *out,
			 pieces_encode_fn *encode, void *state)
{
	struct piece_run r = { w, end, start, start, 1 };
	uint64_t length = end - start;
	size_t first = out->len;

	if (length >= LEAST)
		encode(state, &r, out);
	literals(w, r.said, end, out);
	/* A piece that hardly shrinks is written as literals. */
	if (out->len - first > length - (length >> 4)) {
		out->len = first;
		literals(w, start, end, out);
	}
}

int pieces_begin(struct pieces *p, const struct raw_window *w, uint64_t history, uint64_t start,
		 pieces_encode_fn *encode, void *state)
{
	struct tokens dropped = { 0 };

	p->history = history;
	p->at = start;
	p->origin += ORIGIN;
	if (history == start)
		return 0;
	if (tokens_reserve(&dropped, (size_t)(start - history) + 2, NULL))
		return -1;
	encode_piece(w, history, start, &dropped, encode, state);
	tokens_release(&dropped);
	return 0;
}

uint64_t pieces_run(struct pieces *p, const struct raw_window *w, uint64_t end, bool final, struct tokens *out,
		    pieces_encode_fn *encode, void *state)
{
	while (p->at < end && (final || end - p->at >= PIECE)) {
		uint64_t piece_end = end - p->at < PIECE ? end : p->at + PIECE;
		if (piece_end - p->at < SMALL) {
			literals(w, p->at, piece_end, out);
		} else {
			if (piece_end - p->history > BUFFER)
				p->history = p->at - TOKEN_MAX_DISTANCE;
			encode_piece(w, p->at, piece_end, out, encode, state);
		}
		p->at = piece_end;
	}
	return p->at;
}

/* A long match in pieces of at most 258, none of them shorter than 3. */
static void emit_match(uint64_t length, uint32_t distance, struct tokens *out)
{
	while (length > 0) {
		uint64_t now = length;
		if (now > TOKEN_MAX_LENGTH)
			now = length > TOKEN_MAX_LENGTH + TOKEN_MIN_LENGTH ? TOKEN_MAX_LENGTH
									   : TOKEN_MAX_LENGTH - TOKEN_MIN_LENGTH;
		tokens_put(out, token_match((uint32_t)now, distance));
		length -= now;
	}
}

uint64_t pieces_emit(const struct pieces *p, struct piece_run *r, uint64_t at, uint32_t distance, uint64_t *length,
		     struct tokens *out)
{
	const uint8_t *cur = raw_at(r->w, at);

	while (at - distance > p->history && at > r->said && cur[-1] == *(cur - distance - 1)) {
		at--;
		cur--;
		++*length;
	}
	literals(r->w, r->said, at, out);
	emit_match(*length, distance, out);
	r->said = at + *length;
	return r->said;
}
