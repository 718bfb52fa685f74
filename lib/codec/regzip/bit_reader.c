/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/regzip/bit_reader.h"

#include "stream/sink.h"

#include <stdlib.h>

int bits_open(struct bit_reader *r, struct source *inner, struct err *e)
{
	*r = (struct bit_reader){ .inner = inner, .buffer = malloc(PUMP_PIECE + sizeof(uint64_t)) };
	r->bytes = r->buffer;
	return r->buffer ? 0 : err_memory(e);
}

void bits_open_memory(struct bit_reader *r, const uint8_t *bytes, size_t len)
{
	*r = (struct bit_reader){ .bytes = bytes, .len = len, .ended = true };
}

void bits_close(struct bit_reader *r)
{
	free(r->buffer);
	*r = (struct bit_reader){ 0 };
}

static int ended_early(struct err *e)
{
	err_set(e, ERR_CORRUPT, "the stream ends in the middle");
	return -1;
}

/* At least eight bytes in the buffer, unless the stream is at its end. */
static int more(struct bit_reader *r, struct err *e)
{
	while (!r->ended && r->len - r->at < sizeof(uint64_t)) {
		memmove(r->buffer, r->buffer + r->at, r->len - r->at);
		r->len -= r->at;
		r->at = 0;
		ssize_t n = source_read(r->inner, r->buffer + r->len, PUMP_PIECE, e);
		if (n < 0)
			return -1;
		r->ended = n == 0;
		r->len += (size_t)n;
	}
	return 0;
}

int bits_fill(struct bit_reader *r, struct err *e)
{
	if (r->count < 0)
		return ended_early(e);
	if (r->len - r->at < sizeof(uint64_t) && more(r, e))
		return -1;
	if (r->len - r->at >= sizeof(uint64_t)) {
		unsigned whole = (63u - (unsigned)r->count) >> 3;
		r->bits |= load64(r->bytes + r->at) << r->count;
		r->at += whole;
		r->count += (int)(whole * 8);
		/* Bits above the count are the next ones: reading them again changes nothing. */
		return 0;
	}
	while (r->count <= 56 && r->at < r->len) {
		r->bits |= (uint64_t)r->bytes[r->at++] << r->count;
		r->count += 8;
	}
	return 0;
}

int bits_take(struct bit_reader *r, unsigned count, uint32_t *value, struct err *e)
{
	if (r->count < (int)count && bits_fill(r, e))
		return -1;
	if (r->count < (int)count)
		return ended_early(e);
	*value = (uint32_t)(r->bits & (((uint64_t)1 << count) - 1));
	r->bits >>= count;
	r->count -= (int)count;
	if (r->record)
		bits_put(r->record, *value, count);
	return 0;
}

void bits_skip_to_byte(struct bit_reader *r, bool *zero)
{
	int pad = r->count & 7;

	*zero = (r->bits & ((1u << pad) - 1)) == 0;
	r->bits >>= pad;
	r->count -= pad;
}

ssize_t bits_bytes(struct bit_reader *r, void *to, size_t len, struct err *e)
{
	/* What was filled in goes back. */
	r->at -= (size_t)(r->count >> 3);
	r->bits = 0;
	r->count = 0;
	if (r->at == r->len && more(r, e))
		return -1;
	size_t n = r->len - r->at < len ? r->len - r->at : len;
	if (n)
		memcpy(to, r->bytes + r->at, n);
	r->at += n;
	return (ssize_t)n;
}

int huffman_build(struct huffman *h, const uint8_t *lengths, unsigned count, struct err *e)
{
	uint16_t first[HUFFMAN_MAX + 2] = { 0 };
	uint16_t codes[288];
	int left = 1;
	unsigned longest = 0;

	memset(h, 0, sizeof(*h));
	for (unsigned i = 0; i < count; i++)
		h->used[lengths[i]]++;
	h->used[0] = 0;
	for (unsigned bits = 1; bits <= HUFFMAN_MAX; bits++) {
		left = (left << 1) - h->used[bits];
		if (left < 0)
			return err_set(e, ERR_CORRUPT, "a Huffman code has too many short words");
		first[bits + 1] = (uint16_t)(first[bits] + h->used[bits]);
		if (h->used[bits])
			longest = bits;
	}
	if (left > 0 && longest > 1)
		return err_set(e, ERR_CORRUPT, "a Huffman code is incomplete");
	codes_assign(lengths, count, codes);
	for (unsigned i = 0; i < count; i++) {
		unsigned bits = lengths[i];
		if (!bits)
			continue;
		h->symbols[first[bits]++] = (uint16_t)i;
		for (unsigned k = codes[i]; bits <= HUFFMAN_FAST && k < (1u << HUFFMAN_FAST); k += 1u << bits)
			h->fast[k] = (uint16_t)(i << 4 | bits);
	}
	return 0;
}

int huffman_decode_long(const struct huffman *h, struct bit_reader *r)
{
	int code = 0;
	int first = 0;
	int index = 0;
	uint64_t bits = r->bits;

	for (int length = 1; length <= HUFFMAN_MAX; length++) {
		code |= (int)(bits & 1);
		bits >>= 1;
		int n = h->used[length];
		if (code - first < n) {
			r->bits >>= length;
			r->count -= length;
			return h->symbols[index + code - first];
		}
		index += n;
		first = (first + n) << 1;
		code <<= 1;
	}
	return -1;
}

/* One code-length symbol bit by bit, so that what is recorded is what was taken. */
static int take_symbol(struct bit_reader *r, const struct huffman *h, struct err *e)
{
	if (r->count < HUFFMAN_MAX && bits_fill(r, e))
		return -1;
	uint64_t bits = r->bits;
	int before = r->count;
	int symbol = huffman_decode(h, r);
	if (symbol < 0)
		return err_set(e, ERR_CORRUPT, "a block header has a word that is no code");
	if (r->count < 0)
		return ended_early(e);
	unsigned used = (unsigned)(before - r->count);
	if (r->record)
		bits_put(r->record, bits & ((1u << used) - 1), used);
	return symbol;
}

/* How often, and what. */
static int take_run(struct bit_reader *r, int symbol, uint8_t before, uint8_t *value, uint32_t *times, struct err *e)
{
	static const unsigned bits[] = { 2, 3, 7 };
	static const unsigned least[] = { 3, 3, 11 };

	*value = symbol == 16 ? before : 0;
	if (bits_take(r, bits[symbol - 16], times, e))
		return -1;
	*times += least[symbol - 16];
	return 0;
}

static int read_lengths(struct bit_reader *r, const struct huffman *h, uint8_t *lengths, unsigned count, struct err *e)
{
	for (unsigned i = 0; i < count;) {
		int symbol = take_symbol(r, h, e);
		uint32_t times = 1;
		uint8_t value = (uint8_t)symbol;
		if (symbol < 0)
			return -1;
		if (symbol == 16 && i == 0)
			return err_set(e, ERR_CORRUPT, "a block header repeats what is not there");
		if (symbol >= 16 && take_run(r, symbol, i ? lengths[i - 1] : 0, &value, &times, e))
			return -1;
		if (times > count - i)
			return err_set(e, ERR_CORRUPT, "a block header has too many lengths");
		memset(lengths + i, value, times);
		i += times;
	}
	return 0;
}

int tree_read(struct bit_reader *r, struct code_lengths *l, struct err *e)
{
	uint8_t lengths[CODES_LITERAL + CODES_DISTANCE + 2] = { 0 };
	uint8_t order[19] = { 0 };
	struct huffman h;
	uint32_t literals = 0;
	uint32_t distances = 0;
	uint32_t named = 0;

	if (bits_take(r, 5, &literals, e) || bits_take(r, 5, &distances, e) || bits_take(r, 4, &named, e))
		return -1;
	literals += 257;
	distances += 1;
	if (literals > CODES_LITERAL || distances > CODES_DISTANCE)
		return err_set(e, ERR_CORRUPT, "a block header names too many codes");
	for (unsigned i = 0; i < named + 4; i++) {
		uint32_t length = 0;
		if (bits_take(r, 3, &length, e))
			return -1;
		order[code_length_order[i]] = (uint8_t)length;
	}
	if (huffman_build(&h, order, 19, e) || read_lengths(r, &h, lengths, literals + distances, e))
		return -1;
	if (!lengths[CODE_END])
		return err_set(e, ERR_CORRUPT, "a block has no code for its end");
	memset(l, 0, sizeof(*l));
	memcpy(l->literal, lengths, literals);
	memcpy(l->distance, lengths + literals, distances);
	return 0;
}
