/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/regzip/tree.h"

#define CODE_LENGTH_CODES 19
#define MAX_BITS 15
#define REPEAT 16     /* the length before, 3 to 6 times more */
#define ZEROS 17      /* 3 to 10 zeros */
#define MANY_ZEROS 18 /* 11 to 138 zeros */

void bits_put(struct bits *b, uint64_t value, unsigned count)
{
	b->more |= value << b->count;
	b->count += count;
	if (b->count < 32)
		return;
	for (unsigned i = 0; i < 4; i++)
		b->at[b->len++] = (uint8_t)(b->more >> (8 * i));
	b->more >>= 32;
	b->count -= 32;
}

void bits_align(struct bits *b)
{
	while (b->count) {
		b->at[b->len++] = (uint8_t)b->more;
		b->more >>= 8;
		b->count = b->count > 8 ? b->count - 8 : 0;
	}
}

void code_lengths_fixed(struct code_lengths *l)
{
	for (unsigned i = 0; i < 288; i++)
		l->literal[i] = i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8;
	memset(l->distance, 5, sizeof(l->distance));
}

void codes_assign(const uint8_t *lengths, unsigned count, uint16_t *codes)
{
	unsigned used[MAX_BITS + 1] = { 0 };
	uint32_t next[MAX_BITS + 1] = { 0 };

	for (unsigned i = 0; i < count; i++)
		used[lengths[i]]++;
	used[0] = 0;
	for (unsigned bits = 1; bits <= MAX_BITS; bits++)
		next[bits] = (next[bits - 1] + used[bits - 1]) << 1;
	for (unsigned i = 0; i < count; i++) {
		uint32_t code = lengths[i] ? next[lengths[i]]++ : 0;
		uint32_t turned = 0;
		for (unsigned k = 0; k < lengths[i]; k++)
			turned |= (code >> k & 1) << (lengths[i] - 1u - k);
		codes[i] = (uint16_t)turned;
	}
}

/* Code lengths in their run-length form. */
struct runs {
	uint8_t code[CODES_LITERAL + CODES_DISTANCE];
	uint8_t extra[CODES_LITERAL + CODES_DISTANCE];
	unsigned len;
	uint32_t frequency[CODE_LENGTH_CODES];
};

static void put_run(struct runs *r, unsigned code, unsigned extra)
{
	r->code[r->len] = (uint8_t)code;
	r->extra[r->len++] = (uint8_t)extra;
	r->frequency[code]++;
}

/* Go goes over both alphabets as one. */
static void runs_go(struct runs *r, const uint8_t *lengths, unsigned count)
{
	for (unsigned i = 0; i < count;) {
		unsigned value = lengths[i];
		unsigned n = 1;
		while (i + n < count && lengths[i + n] == value)
			n++;
		i += n;
		if (value) {
			put_run(r, value, 0);
			n--;
			while (n >= 3) {
				unsigned now = n < 6 ? n : 6;
				put_run(r, REPEAT, now - 3);
				n -= now;
			}
		} else {
			while (n >= 11) {
				unsigned now = n < 138 ? n : 138;
				put_run(r, MANY_ZEROS, now - 11);
				n -= now;
			}
			if (n >= 3) {
				put_run(r, ZEROS, n - 3);
				n = 0;
			}
		}
		while (n-- > 0)
			put_run(r, value, 0);
	}
}

/* zlib goes over each alphabet for itself, and closes a run as soon as it is full. */
static void runs_zlib(struct runs *r, const uint8_t *lengths, unsigned count)
{
	int before = -1;

	for (unsigned i = 0; i < count;) {
		unsigned value = lengths[i];
		unsigned most = value == 0 ? 138 : (int)value == before ? 6 : 7;
		unsigned least = value == 0 || (int)value == before ? 3 : 4;
		unsigned n = 1;
		while (n < most && i + n < count && lengths[i + n] == value)
			n++;
		i += n;
		if (n < least) {
			for (unsigned k = 0; k < n; k++)
				put_run(r, value, 0);
		} else if (value) {
			if ((int)value != before) {
				put_run(r, value, 0);
				n--;
			}
			put_run(r, REPEAT, n - 3);
		} else if (n <= 10) {
			put_run(r, ZEROS, n - 3);
		} else {
			put_run(r, MANY_ZEROS, n - 11);
		}
		before = (int)value;
	}
}

static void write_header(struct tree_header *h, const struct runs *r, const uint8_t *lengths, unsigned literals,
			 unsigned distances)
{
	struct bits b = { .at = h->bytes };
	uint16_t codes[CODE_LENGTH_CODES];
	unsigned named = CODE_LENGTH_CODES;

	while (named > 4 && !lengths[code_length_order[named - 1]])
		named--;
	codes_assign(lengths, CODE_LENGTH_CODES, codes);
	bits_put(&b, literals - 257, 5);
	bits_put(&b, distances - 1, 5);
	bits_put(&b, named - 4, 4);
	for (unsigned i = 0; i < named; i++)
		bits_put(&b, lengths[code_length_order[i]], 3);
	for (unsigned i = 0; i < r->len; i++) {
		static const uint8_t extra_bits[CODE_LENGTH_CODES] = { [REPEAT] = 2, [ZEROS] = 3, [MANY_ZEROS] = 7 };
		bits_put(&b, codes[r->code[i]], lengths[r->code[i]]);
		bits_put(&b, r->extra[i], extra_bits[r->code[i]]);
	}
	h->bits = (unsigned)b.len * 8 + b.count;
	bits_align(&b);
}

static void predict_zlib(const struct frequencies *f, struct tree_header *h, struct code_lengths *l)
{
	unsigned literals = lengths_zlib(f->literal, CODES_LITERAL, MAX_BITS, l->literal) + 1;
	unsigned distances = lengths_zlib(f->distance, CODES_DISTANCE, MAX_BITS, l->distance) + 1;
	uint8_t lengths[CODE_LENGTH_CODES];
	struct runs r = { .len = 0 };

	runs_zlib(&r, l->literal, literals);
	runs_zlib(&r, l->distance, distances);
	lengths_zlib(r.frequency, CODE_LENGTH_CODES, 7, lengths);
	write_header(h, &r, lengths, literals, distances);
}

static void predict_go(const struct frequencies *f, bool all, struct tree_header *h, struct code_lengths *l)
{
	struct frequencies mine = *f;
	unsigned literals = CODES_LITERAL;
	unsigned distances = CODES_DISTANCE;
	uint8_t both[CODES_LITERAL + CODES_DISTANCE];
	uint8_t lengths[CODE_LENGTH_CODES];
	struct runs r = { .len = 0 };

	while (distances > 0 && !mine.distance[distances - 1])
		distances--;
	if (!distances) {
		mine.distance[0] = 1;
		distances = 1;
		all = false;
	}
	while (!mine.literal[literals - 1])
		literals--;
	if (all) {
		literals = CODES_LITERAL;
		distances = CODES_DISTANCE;
	}
	lengths_go(mine.literal, CODES_LITERAL, MAX_BITS, l->literal);
	lengths_go(mine.distance, CODES_DISTANCE, MAX_BITS, l->distance);
	memcpy(both, l->literal, literals);
	memcpy(both + literals, l->distance, distances);
	runs_go(&r, both, literals + distances);
	lengths_go(r.frequency, CODE_LENGTH_CODES, 7, lengths);
	write_header(h, &r, lengths, literals, distances);
}

int tree_predict(enum tree tree, unsigned variant, const struct frequencies *f, struct tree_header *h,
		 struct code_lengths *l)
{
	struct frequencies with_end = *f;

	if (variant && tree != TREE_KLAUSPOST)
		return -1;
	with_end.literal[CODE_END] = 1;
	memset(l, 0, sizeof(*l));
	if (tree == TREE_ZLIB)
		predict_zlib(&with_end, h, l);
	else
		predict_go(&with_end, variant == 1, h, l);
	return 0;
}
