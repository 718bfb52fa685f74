/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_REGZIP_TREE_H
#define CODEC_REGZIP_TREE_H

/*
 * The header of a dynamic block (RFC 1951, 3.2.7): how an encoder makes it from the block's own frequencies. Each
 * family has its own way to limit code lengths and to write runs, and ties are broken in its own order. Checked with
 * what match.h's finders are checked with.
 */

#include "base/buf.h"
#include "codec/regzip/match.h"

#define TREE_HEADER_BITS (14 + 19 * 3 + (CODES_LITERAL + CODES_DISTANCE) * 14)
#define TREE_HEADER_BYTES ((TREE_HEADER_BITS + 7) / 8)

/* Bits as they stand in the stream, the first in the lowest place. */
struct bits {
	uint8_t *at;
	size_t len;    /* whole bytes written */
	uint64_t more; /* behind them */
	unsigned count;
};

/* The caller has the room: bits of a block header, or of tokens. count at most 32. */
void bits_put(struct bits *b, uint64_t value, unsigned count);
/* Zeros up to the next whole byte. */
void bits_align(struct bits *b);

struct tree_header {
	uint8_t bytes[TREE_HEADER_BYTES + 8];
	unsigned bits;
};

struct code_lengths {
	uint8_t literal[288];
	uint8_t distance[32];
};

/* RFC 1951, 3.2.6. */
void code_lengths_fixed(struct code_lengths *l);

#define TREE_VARIANTS 2
/*
 * The header and the code lengths that the encoder makes. variant 1: klauspost's writer names all codes once there is
 * any match, unless it knows that nothing follows. -1: this encoder has no such variant.
 */
int tree_predict(enum tree tree, unsigned variant, const struct frequencies *f, struct tree_header *h,
		 struct code_lengths *l);

/* Code lengths with at most `max` bits from frequencies; each gives 0 for what does not occur. */
void lengths_go(const uint32_t *frequency, unsigned count, unsigned max, uint8_t *lengths);
/* Returns the highest code that has a length (zlib gives one to at least two). */
unsigned lengths_zlib(const uint32_t *frequency, unsigned count, unsigned max, uint8_t *lengths);

/* The codes of RFC 1951, 3.2.2, with the first bit lowest. */
void codes_assign(const uint8_t *lengths, unsigned count, uint16_t *codes);

#endif
