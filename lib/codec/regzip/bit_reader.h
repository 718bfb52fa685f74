/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_REGZIP_BIT_READER_H
#define CODEC_REGZIP_BIT_READER_H

/* Bits of a deflate stream, out of a source or out of memory, and the Huffman codes in them. */

#include "codec/regzip/tree.h"
#include "stream/source.h"

struct bit_reader {
	struct source *inner; /* borrowed; NULL: memory alone */
	uint8_t *buffer;      /* owned; NULL: memory alone */
	const uint8_t *bytes; /* what is there */
	size_t at;
	size_t len;
	bool ended; /* nothing comes behind `len` */
	uint64_t bits;
	int count;           /* of valid bits; below 0: more were taken than there are */
	struct bits *record; /* bits_take() writes here too; NULL: nowhere */
};

int bits_open(struct bit_reader *r, struct source *inner, struct err *e);
void bits_open_memory(struct bit_reader *r, const uint8_t *bytes, size_t len);
void bits_close(struct bit_reader *r);

/* After it at least 56 bits can be taken, or the stream is at its end. */
int bits_fill(struct bit_reader *r, struct err *e);
/* Up to 32 bits. ERR_CORRUPT: the stream ends before. */
int bits_take(struct bit_reader *r, unsigned count, uint32_t *value, struct err *e);
/* Goes on to the next whole byte; *zero: what was skipped were zeros. */
void bits_skip_to_byte(struct bit_reader *r, bool *zero);
/* Whole bytes, at most `len`, from a byte's boundary. Returns how many; 0: the stream is at its end. */
ssize_t bits_bytes(struct bit_reader *r, void *to, size_t len, struct err *e);

#define HUFFMAN_FAST 11 /* bits that one look decodes */
#define HUFFMAN_MAX 15

struct huffman {
	uint16_t fast[1u << HUFFMAN_FAST]; /* symbol << 4 | length; 0: longer, or none */
	uint16_t used[HUFFMAN_MAX + 1];
	uint16_t symbols[288];
};

/* ERR_CORRUPT: the lengths are no code; one that is incomplete is one only as zlib takes it. */
int huffman_build(struct huffman *h, const uint8_t *lengths, unsigned count, struct err *e);
/* The next symbol, -1: no such code. The caller has filled, and looks at r->count afterwards. */
int huffman_decode_long(const struct huffman *h, struct bit_reader *r);
static inline int huffman_decode(const struct huffman *h, struct bit_reader *r)
{
	unsigned f = h->fast[r->bits & ((1u << HUFFMAN_FAST) - 1)];

	if (!f)
		return huffman_decode_long(h, r);
	r->bits >>= f & 15;
	r->count -= (int)(f & 15);
	return (int)(f >> 4);
}

/* The header of a dynamic block, behind its first three bits. */
int tree_read(struct bit_reader *r, struct code_lengths *l, struct err *e);

#endif
