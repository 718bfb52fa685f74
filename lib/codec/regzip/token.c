/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/regzip/token.h"

#include <stdlib.h>

const uint16_t length_base[29] = { 3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
				   31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258 };
const uint8_t length_extra[29] = {
	0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0
};
const uint16_t distance_base[30] = { 1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
				     33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
				     1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577 };
const uint8_t distance_extra[30] = { 0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
				     6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13 };
const uint8_t code_length_order[19] = { 16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15 };

/* Codes double their reach every 2 (distances) or 4 (lengths): the highest bits of the number are the code. */
unsigned token_length_code(uint32_t token)
{
	uint32_t n = token >> 16 & 0xff;

	if (n < 8)
		return n;
	if (n == TOKEN_MAX_LENGTH - TOKEN_MIN_LENGTH)
		return 28;
	unsigned top = 31u - (unsigned)__builtin_clz(n);
	return 4 * (top - 1) + (n >> (top - 2) & 3);
}

unsigned token_distance_code(uint32_t token)
{
	uint32_t n = token & 0x7fff;

	if (n < 4)
		return n;
	unsigned top = 31u - (unsigned)__builtin_clz(n);
	return 2 * top + (n >> (top - 1) & 1);
}

void frequencies_add(struct frequencies *f, uint32_t token)
{
	if (token & TOKEN_MATCH) {
		f->literal[CODE_END + 1 + token_length_code(token)]++;
		f->distance[token_distance_code(token)]++;
	} else {
		f->literal[token & 0xff]++;
	}
}

int tokens_reserve(struct tokens *t, size_t count, struct err *e)
{
	if (t->first && (t->first == t->len || t->cap - t->len < count)) {
		memmove(t->at, t->at + t->first, (t->len - t->first) * sizeof(*t->at));
		t->len -= t->first;
		t->first = 0;
	}
	if (t->cap - t->len >= count)
		return 0;
	size_t cap = t->len + count + t->len / 2;
	uint32_t *at = realloc(t->at, cap * sizeof(*at));
	if (!at)
		return err_memory(e);
	t->at = at;
	t->cap = cap;
	return 0;
}

void tokens_release(struct tokens *t)
{
	free(t->at);
	*t = (struct tokens){ 0 };
}

int raw_open(struct raw_window *w, struct err *e)
{
	*w = (struct raw_window){ .bytes = malloc(RAW_WINDOW) };
	return w->bytes ? 0 : err_memory(e);
}

size_t raw_forget(struct raw_window *w, uint64_t from)
{
	/* Moving costs: it is put off until there is much to forget. */
	if (from > w->start && from - w->start >= RAW_WINDOW / 4) {
		size_t gone = (size_t)(from - w->start);
		if (gone > w->len)
			gone = w->len;
		memmove(w->bytes, w->bytes + gone, w->len - gone);
		w->start += gone;
		w->len -= gone;
	}
	return RAW_WINDOW - w->len;
}

void raw_release(struct raw_window *w)
{
	free(w->bytes);
	*w = (struct raw_window){ 0 };
}
