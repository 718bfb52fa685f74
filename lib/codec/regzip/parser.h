/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_REGZIP_PARSER_H
#define CODEC_REGZIP_PARSER_H

/*
 * A gzip stream (RFC 1951, RFC 1952) taken apart: headers, blocks, tokens, and the raw bytes. It checks what a decoder
 * checks: CRC-32, length, nothing but zeros behind the last member. In pieces: a step needs PARSER_ROOM bytes of room
 * in the window and gives at most as many raw bytes, whatever the input does.
 */

#include "base/own.h"
#include "codec/gzip_header.h"
#include "codec/regzip/bit_reader.h"

#define PARSER_ROOM ((size_t)1 << 16)
#define PARSER_HEADER 1024 /* bytes of a gzip header that are kept; a longer one cannot be rebuilt */

enum parsed {
	PARSED_FAILED = -1,
	PARSED_MEMBER,     /* a member began: header[] is what it began with */
	PARSED_BYTES,      /* a part of a block: tokens, or bytes of a stored block */
	PARSED_BLOCK,      /* the block is complete: block is what it was */
	PARSED_MEMBER_END, /* and checked */
	PARSED_END         /* of the stream; `padding` zeros stood behind the last member */
};

enum block_type { BLOCK_STORED, BLOCK_FIXED, BLOCK_DYNAMIC };

struct block {
	enum block_type type;
	bool final;
	uint64_t start;            /* raw position */
	uint64_t length;           /* raw bytes */
	struct tree_header header; /* of a dynamic one */
};

struct parser {
	struct bit_reader reader;
	int state;
	struct block block;
	struct huffman literals;
	struct huffman distances;
	uint64_t stored; /* bytes of a stored block that are still to come */
	uint64_t member; /* where the member's raw bytes begin */
	uint32_t crc;
	uint64_t padding;
	uint8_t header[PARSER_HEADER];
	size_t header_len;
	/* Not NULL: what the stream has that no encoder makes, so that it cannot be rebuilt. It is decoded all the
	 * same. */
	const char *unusual;
};

/* `inner` is borrowed. */
int parser_open(struct parser *p, struct source *inner, struct err *e);
void parser_close(struct parser *p);
/* Appends to the window and to `out` (NULL: the tokens are not wanted). After PARSED_FAILED or PARSED_END: not again.
 */
enum parsed parser_step(struct parser *p, struct raw_window *w, struct tokens *out, struct err *e);

#endif
