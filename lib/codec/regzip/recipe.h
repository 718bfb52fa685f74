/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_REGZIP_RECIPE_H
#define CODEC_REGZIP_RECIPE_H

/*
 * The recipe: what makes the gzip stream out of the raw bytes. Numbers are LEB128 in their shortest form ("n").
 *
 *     "IGR" 1                              mark, version
 *     members, each:
 *       flags   1: a member; 2: header as in the one before; 4: encoder and segment as in the one before
 *       n, header                          gzip header, unless flag 2
 *       n encoder, n segment               unless flag 4; match.h's number; bytes of a segment, 0: not cut
 *       n raw bytes
 *       blocks up to the final one, each:
 *         shape  bit 0: final; 1-2: type (RFC 1951, 3.2.3); 3-4: header: 0, 1: tree_predict()'s variant, 2: given;
 *                5: has corrections; 6: stands several times
 *         n length                         raw bytes of a stored block, and where the encoder cuts by bytes; else
 * tokens n times - 2                      with bit 6: so many times in all n, header bits                   with a
 * given header: their number, then they themselves n, (n gap, n token)...           with bit 5: how many; tokens as
 * predicted before it; 0: literal, else 1 + (length - 3) * 32768 + distance - 1 0, n zeros behind the last member
 *
 * CRC-32 and length of each member are computed. The recipe's own integrity is the caller's matter (its digest stands
 * in the TOC), and so is the verdict: the rebuilt bytes have the original's digest, or they are nothing.
 */

#include "base/buf.h"
#include "codec/regzip/match.h"
#include "codec/regzip/parser.h"

enum header_source { HEADER_PREDICTED = 0, HEADER_VARIANT = 1, HEADER_GIVEN = 2 };

struct recipe_member {
	const uint8_t *header; /* in the recipe */
	size_t header_len;
	const struct encoder *encoder;
	uint64_t segment;
	uint64_t length; /* raw bytes */
};

struct recipe_block {
	bool final;
	enum block_type type;
	enum header_source source;
	uint64_t length;
	uint64_t times;            /* at least 1 */
	struct tree_header header; /* HEADER_GIVEN */
	uint64_t corrections;
};

/* The numbers of the format. */
#define RECIPE_MARK "IGR\1"
#define RECIPE_MARK_LENGTH 4
#define RECIPE_MEMBER 1u
#define RECIPE_SAME_HEADER 2u
#define RECIPE_SAME_ENCODER 4u
#define RECIPE_FINAL 1u
#define RECIPE_CORRECTED 0x20u
#define RECIPE_REPEATED 0x40u

/* True if the block's length counts raw bytes. */
bool recipe_by_bytes(const struct recipe_block *b, const struct encoder *encoder);

/* Writing: of one member, whose raw length is known only when it is complete. */
struct recipe_writer {
	struct buf body;
	struct buf corrections;   /* of the block at work */
	uint64_t count;           /* of them */
	uint64_t gap;             /* tokens as predicted since the last one */
	struct recipe_block last; /* not written yet, since it may come again */
	uint64_t cost;            /* corrections and headers that had to be given */
};

/* A token that is as predicted, and one that is not. */
static inline void recipe_predicted(struct recipe_writer *w)
{
	w->gap++;
}
int recipe_corrected(struct recipe_writer *w, uint32_t token, struct err *e);
/* The block's own fields are filled in; its corrections are those since the block before. */
int recipe_put_block(struct recipe_writer *w, const struct recipe_block *b, struct err *e);
/* The member as a whole, to the end of the recipe. `before`: the member before, NULL: none. Resets the writer. */
int recipe_put_member(struct buf *recipe, struct recipe_writer *w, const struct recipe_member *m,
		      const struct recipe_member *before, struct err *e);
int recipe_put_end(struct buf *recipe, uint64_t padding, struct err *e);
void recipe_writer_release(struct recipe_writer *w);

/* Reading. The bytes are borrowed. */
struct recipe_reader {
	const uint8_t *at;
	const uint8_t *end;
	struct recipe_member member;
	uint64_t padding;
};

/* ERR_CORRUPT unless the whole of it is well formed. */
int recipe_open(struct recipe_reader *r, const void *bytes, size_t len, struct err *e);
/* 1: r->member is the next one. 0: there is none, and r->padding is known. */
int recipe_next_member(struct recipe_reader *r, struct err *e);
int recipe_next_block(struct recipe_reader *r, struct recipe_block *b, struct err *e);
#define RECIPE_LITERAL 0u
/* As often as the block has corrections. *token RECIPE_LITERAL: the raw byte. */
int recipe_next_correction(struct recipe_reader *r, uint64_t *gap, uint32_t *token, struct err *e);

#endif
