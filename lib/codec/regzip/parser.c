/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/regzip/parser.h"

#include <isa-l/crc.h>

enum { AT_MEMBER, AT_BLOCK, IN_STORED, IN_TOKENS, AT_TRAILER, AT_NEXT };

#define STEP_TOKENS 16384 /* a step's most */

int parser_open(struct parser *p, struct source *inner, struct err *e)
{
	memset(p, 0, sizeof(*p));
	return bits_open(&p->reader, inner, e);
}

void parser_close(struct parser *p)
{
	bits_close(&p->reader);
}

static enum parsed cut(struct err *e)
{
	return err_set(e, ERR_CORRUPT, "the stream ends in the middle");
}

static enum parsed read_member(struct parser *p, const struct raw_window *w, struct err *e)
{
	struct gzip_header h = { 0 };
	bool complete = false;

	p->header_len = 0;
	while (!complete) {
		uint8_t byte;
		ssize_t n = bits_bytes(&p->reader, &byte, 1, e);
		if (n < 0)
			return PARSED_FAILED;
		if (n == 0)
			return cut(e);
		if (gzip_header_take(&h, byte, &complete, e))
			return PARSED_FAILED;
		if (p->header_len < PARSER_HEADER)
			p->header[p->header_len++] = byte;
		else
			p->unusual = "a very long gzip header";
	}
	p->member = raw_end(w);
	p->crc = 0;
	p->state = AT_BLOCK;
	return PARSED_MEMBER;
}

static int read_stored(struct parser *p, struct err *e)
{
	bool zero;
	uint32_t length;
	uint32_t inverse;

	bits_skip_to_byte(&p->reader, &zero);
	if (!zero)
		p->unusual = "padding that is not zero";
	if (bits_take(&p->reader, 16, &length, e) || bits_take(&p->reader, 16, &inverse, e))
		return -1;
	if (length != (inverse ^ 0xffff))
		return err_set(e, ERR_CORRUPT, "a stored block's length is wrong");
	p->stored = length;
	p->state = IN_STORED;
	return 0;
}

static int build(struct parser *p, const struct code_lengths *l, struct err *e)
{
	p->state = IN_TOKENS;
	return huffman_build(&p->literals, l->literal, 288, e) || huffman_build(&p->distances, l->distance, 32, e) ? -1
														   : 0;
}

static int read_dynamic(struct parser *p, struct err *e)
{
	struct bits record = { .at = p->block.header.bytes };
	struct code_lengths l;

	p->reader.record = &record;
	int rc = tree_read(&p->reader, &l, e);
	p->reader.record = NULL;
	if (rc)
		return -1;
	p->block.header.bits = (unsigned)record.len * 8 + record.count;
	bits_align(&record);
	return build(p, &l, e);
}

static int read_block(struct parser *p, const struct raw_window *w, struct err *e)
{
	struct code_lengths l;
	uint32_t head;

	if (bits_take(&p->reader, 3, &head, e))
		return -1;
	p->block.final = head & 1;
	p->block.type = head >> 1;
	p->block.start = raw_end(w);
	p->block.header.bits = 0;
	switch (head >> 1) {
	case BLOCK_STORED:
		return read_stored(p, e);
	case BLOCK_FIXED:
		code_lengths_fixed(&l);
		return build(p, &l, e);
	case BLOCK_DYNAMIC:
		return read_dynamic(p, e);
	default:
		return err_set(e, ERR_CORRUPT, "a block has an unknown type");
	}
}

static enum parsed block_end(struct parser *p, const struct raw_window *w)
{
	p->block.length = raw_end(w) - p->block.start;
	p->state = p->block.final ? AT_TRAILER : AT_BLOCK;
	return PARSED_BLOCK;
}

static enum parsed step_stored(struct parser *p, struct raw_window *w, struct err *e)
{
	size_t want = p->stored < PARSER_ROOM ? (size_t)p->stored : PARSER_ROOM;

	if (!want)
		return block_end(p, w);
	ssize_t n = bits_bytes(&p->reader, w->bytes + w->len, want, e);
	if (n < 0)
		return PARSED_FAILED;
	if (n == 0)
		return cut(e);
	w->len += (size_t)n;
	p->stored -= (size_t)n;
	return PARSED_BYTES;
}

static void copy_match(uint8_t *to, uint32_t distance, uint32_t length)
{
	const uint8_t *from = to - distance;

	if (distance >= length)
		memcpy(to, from, length);
	else
		for (uint32_t i = 0; i < length; i++)
			to[i] = from[i];
}

/* The rest of a match whose length code is `symbol`. */
static int read_match(struct parser *p, struct raw_window *w, unsigned symbol, uint32_t *token, struct err *e)
{
	struct bit_reader *r = &p->reader;

	symbol -= CODE_END + 1;
	if (symbol > 28)
		return err_set(e, ERR_CORRUPT, "a length has no meaning");
	if (bits_fill(r, e))
		return -1;
	uint32_t length = length_base[symbol] + (uint32_t)(r->bits & ((1u << length_extra[symbol]) - 1));
	r->bits >>= length_extra[symbol];
	r->count -= length_extra[symbol];
	if (length == TOKEN_MAX_LENGTH && symbol != 28)
		p->unusual = "a length of 258 in its long form";
	int code = huffman_decode(&p->distances, r);
	if (code < 0 || code > 29)
		return err_set(e, ERR_CORRUPT, "a distance has no meaning");
	uint32_t distance = distance_base[code] + (uint32_t)(r->bits & ((1u << distance_extra[code]) - 1));
	r->bits >>= distance_extra[code];
	r->count -= distance_extra[code];
	if (r->count < 0)
		return cut(e);
	if (distance > raw_end(w) - p->member)
		return err_set(e, ERR_CORRUPT, "a distance reaches before the beginning");
	copy_match(w->bytes + w->len, distance, length);
	w->len += length;
	*token = token_match(length, distance);
	return 0;
}

static enum parsed step_tokens(struct parser *p, struct raw_window *w, struct tokens *out, struct err *e)
{
	struct bit_reader *r = &p->reader;
	size_t full = w->len + PARSER_ROOM - TOKEN_MAX_LENGTH;

	if (out && tokens_reserve(out, STEP_TOKENS, e))
		return PARSED_FAILED;
	for (unsigned i = 0; i < STEP_TOKENS && w->len < full; i++) {
		if (r->count < HUFFMAN_MAX && bits_fill(r, e))
			return PARSED_FAILED;
		int symbol = huffman_decode(&p->literals, r);
		uint32_t token = (uint32_t)symbol;
		if (symbol < 0)
			return err_set(e, ERR_CORRUPT, "a word is no code");
		if (r->count < 0)
			return cut(e);
		if (symbol == CODE_END)
			return block_end(p, w);
		if (symbol < CODE_END)
			w->bytes[w->len++] = (uint8_t)symbol;
		else if (read_match(p, w, (unsigned)symbol, &token, e))
			return PARSED_FAILED;
		if (out)
			tokens_put(out, token);
	}
	return PARSED_BYTES;
}

static enum parsed read_trailer(struct parser *p, const struct raw_window *w, struct err *e)
{
	uint32_t crc;
	uint32_t length;
	bool zero;

	bits_skip_to_byte(&p->reader, &zero);
	if (!zero)
		p->unusual = "padding that is not zero";
	if (bits_take(&p->reader, 32, &crc, e) || bits_take(&p->reader, 32, &length, e))
		return PARSED_FAILED;
	if (crc != p->crc)
		return err_set(e, ERR_CORRUPT, "the checksum is wrong");
	if (length != (uint32_t)(raw_end(w) - p->member))
		return err_set(e, ERR_CORRUPT, "the length is wrong");
	p->state = AT_NEXT;
	return PARSED_MEMBER_END;
}

/* Behind a member: another one, or zeros to the end. */
static enum parsed read_next(struct parser *p, const struct raw_window *w, struct err *e)
{
	for (;;) {
		uint8_t byte;
		ssize_t n = bits_bytes(&p->reader, &byte, 1, e);
		if (n < 0)
			return PARSED_FAILED;
		if (n == 0)
			return PARSED_END;
		if (byte != 0 && p->padding == 0) {
			p->reader.at--;
			return read_member(p, w, e);
		}
		if (byte != 0)
			return err_set(e, ERR_CORRUPT, "bytes stand behind the end");
		p->padding++;
	}
}

enum parsed parser_step(struct parser *p, struct raw_window *w, struct tokens *out, struct err *e)
{
	size_t before = w->len;
	enum parsed what = PARSED_FAILED;

	if (p->state == AT_BLOCK && read_block(p, w, e))
		return PARSED_FAILED;
	switch (p->state) {
	case AT_MEMBER:
		return read_member(p, w, e);
	case IN_STORED:
		what = step_stored(p, w, e);
		break;
	case IN_TOKENS:
		what = step_tokens(p, w, out, e);
		break;
	case AT_TRAILER:
		return read_trailer(p, w, e);
	default:
		return read_next(p, w, e);
	}
	p->crc = crc32_gzip_refl(p->crc, w->bytes + before, w->len - before);
	return what;
}
