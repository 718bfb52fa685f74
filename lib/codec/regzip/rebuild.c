/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/regzip/rebuild.h"

#include "base/limits.h"
#include "codec/regzip/block_write.h"
#include "codec/regzip/recipe.h"
#include "stream/sink.h"

#include <isa-l/crc.h>

#define BLOCK_EXTRA 64 /* bytes beside header and tokens */

enum { NEXT_MEMBER, NEXT_BLOCK, NEXT_PADDING, AT_END };

struct rebuild {
	struct source base;
	struct source *inner;
	struct recipe_reader recipe;
	struct recipe_block block;
	struct predictor predictor;
	const struct encoder *encoder;
	struct raw_window window;
	uint64_t position; /* of the next token */
	uint64_t member_end;
	uint64_t member_start;
	uint32_t crc;
	int state;
	struct tokens tokens; /* of the block at work */
	struct frequencies frequencies;
	uint64_t gap; /* tokens as predicted before the next correction */
	uint32_t correction;
	uint64_t corrections; /* that are still to come, the one above counted */
	uint8_t *out;
	size_t out_cap;
	size_t out_at;
	struct bits bits; /* out, and what does not make a byte yet */
	struct err why;
};

/* Another piece of raw bytes, never beyond the member. */
static int read_raw(struct rebuild *r, struct err *e)
{
	uint64_t keep = r->position;

	if (r->predictor.at < keep + RAW_HISTORY)
		keep = r->predictor.at > RAW_HISTORY ? r->predictor.at - RAW_HISTORY : 0;
	size_t room = raw_forget(&r->window, keep);
	uint64_t left = r->member_end - raw_end(&r->window);
	if (room > left)
		room = (size_t)left;
	if (room > PUMP_PIECE)
		room = PUMP_PIECE;
	if (!room)
		return err_set(e, ERR_CORRUPT, "the gzip recipe asks for more than the layer has");
	uint8_t *to = r->window.bytes + r->window.len;
	ssize_t n = source_read(r->inner, to, room, e);
	if (n < 0)
		return -1;
	if (n == 0)
		return err_set(e, ERR_CORRUPT, "the layer is shorter than its gzip recipe says");
	r->crc = crc32_gzip_refl(r->crc, to, (uint64_t)n);
	r->window.len += (size_t)n;
	/* At once, and what is not needed is forgotten: stored blocks ask for no tokens, however many there are. */
	uint32_t token;
	uint64_t end = raw_end(&r->window);
	if (predictor_run(&r->predictor, &r->window, end, end == r->member_end, e))
		return -1;
	(void)predictor_token(&r->predictor, r->position, &token);
	return 0;
}

static int no_token(struct err *e)
{
	return err_set(e, ERR_CORRUPT, "the gzip recipe is not of this layer");
}

static int predicted(struct rebuild *r, uint32_t *token, struct err *e)
{
	for (;;) {
		int known = predictor_token(&r->predictor, r->position, token);
		if (known > 0)
			return 0;
		if (known == 0)
			return no_token(e);
		if (raw_end(&r->window) == r->member_end)
			return no_token(e);
		if (read_raw(r, e))
			return -1;
	}
}

static int next_correction(struct rebuild *r, struct err *e)
{
	if (!r->corrections)
		return 0;
	return recipe_next_correction(&r->recipe, &r->gap, &r->correction, e);
}

static int next_token(struct rebuild *r, uint32_t *token, struct err *e)
{
	if (!r->corrections)
		return predicted(r, token, e);
	if (r->gap) {
		r->gap--;
		return predicted(r, token, e);
	}
	*token = r->correction;
	if (*token == RECIPE_LITERAL) {
		if (r->position == r->member_end)
			return no_token(e);
		while (raw_end(&r->window) == r->position)
			if (read_raw(r, e))
				return -1;
		*token = *raw_at(&r->window, r->position);
	}
	r->corrections--;
	return next_correction(r, e);
}

/* The block's tokens, and how often each code stands in it. */
static int gather(struct rebuild *r, struct err *e)
{
	bool by_bytes = recipe_by_bytes(&r->block, r->encoder);
	uint64_t start = r->position;
	uint64_t counted = r->encoder->tree == TREE_KLAUSPOST ? predictor_piece_end(&r->predictor, start) : UINT64_MAX;

	r->tokens.first = r->tokens.len = 0;
	r->corrections = r->block.corrections;
	memset(&r->frequencies, 0, sizeof(r->frequencies));
	if (next_correction(r, e))
		return -1;
	while ((by_bytes ? r->position - start : r->tokens.len) < r->block.length) {
		uint32_t token;
		if (next_token(r, &token, e))
			return -1;
		if (token_length(token) > r->member_end - r->position)
			return no_token(e);
		if (r->tokens.len == LIMIT_BLOCK_TOKENS)
			return err_set(e, ERR_CORRUPT, "the gzip recipe has a block that is too long");
		if (r->tokens.len == r->tokens.cap && tokens_reserve(&r->tokens, 16384, e))
			return -1;
		tokens_put(&r->tokens, token);
		if (r->position < counted)
			frequencies_add(&r->frequencies, token);
		r->position += token_length(token);
	}
	if (r->corrections || (by_bytes && r->position - start != r->block.length))
		return no_token(e);
	return 0;
}

/* Room for `more` bytes behind what is written. */
static int reserve(struct rebuild *r, size_t more, struct err *e)
{
	if (r->bits.len + more > r->out_cap) {
		size_t cap = (r->bits.len + more) * 3 / 2;
		uint8_t *out = realloc(r->out, cap);
		if (!out)
			return err_memory(e);
		r->out = out;
		r->out_cap = cap;
	}
	r->bits.at = r->out;
	return 0;
}

static int write_bytes(struct rebuild *r, const void *bytes, size_t len, struct err *e)
{
	if (reserve(r, len + BLOCK_EXTRA, e))
		return -1;
	memcpy(r->out + r->bits.len, bytes, len);
	r->bits.len += len;
	return 0;
}

static int write_stored(struct rebuild *r, struct err *e)
{
	uint64_t left = r->block.length;

	if (left > r->member_end - r->position)
		return no_token(e);
	if (reserve(r, BLOCK_EXTRA, e))
		return -1;
	bits_align(&r->bits);
	bits_put(&r->bits, left, 16);
	bits_put(&r->bits, left ^ 0xffff, 16);
	while (left) {
		uint64_t have = raw_end(&r->window) - r->position;
		size_t now = (size_t)(have < left ? have : left);
		if (!now && read_raw(r, e))
			return -1;
		if (write_bytes(r, raw_at(&r->window, r->position), now, e))
			return -1;
		r->position += now;
		left -= now;
	}
	return 0;
}

/* The header as predicted or given, and the code lengths that it names. */
static int block_header(struct rebuild *r, struct code_lengths *l, struct err *e)
{
	struct tree_header *h = &r->block.header;

	if (r->block.type == BLOCK_FIXED) {
		h->bits = 0;
		code_lengths_fixed(l);
		return 0;
	}
	if (r->block.source == HEADER_GIVEN) {
		struct bit_reader b;
		bits_open_memory(&b, h->bytes, (h->bits + 7) / 8);
		return tree_read(&b, l, e);
	}
	return tree_predict(r->encoder->tree, r->block.source == HEADER_VARIANT, &r->frequencies, h, l);
}

static int write_tokens(struct rebuild *r, struct err *e)
{
	struct code_lengths lengths;

	if (gather(r, e) || block_header(r, &lengths, e) || reserve(r, block_room(r->tokens.len), e))
		return -1;
	return block_write(&r->bits, &r->block.header, &lengths, &r->tokens) ? no_token(e) : 0;
}

/* Anew for each member, as the simulation had it: what tables remember of a member before must not matter. */
static int open_predictor(struct rebuild *r, struct err *e)
{
	const struct recipe_member *m = &r->recipe.member;

	predictor_close(&r->predictor);
	r->encoder = m->encoder;
	if (predictor_open(&r->predictor, m->encoder, m->segment, e))
		return -1;
	predictor_member(&r->predictor, r->position);
	return 0;
}

static int next_member(struct rebuild *r, struct err *e)
{
	int more = recipe_next_member(&r->recipe, e);

	if (more < 0)
		return -1;
	if (!more) {
		uint8_t byte;
		ssize_t n = source_read(r->inner, &byte, 1, e);
		if (n < 0)
			return -1;
		if (n > 0)
			return err_set(e, ERR_CORRUPT, "the layer is longer than its gzip recipe says");
		r->state = NEXT_PADDING;
		return 0;
	}
	if (open_predictor(r, e))
		return -1;
	r->member_start = r->position;
	if (r->recipe.member.length > INT64_MAX - r->position)
		return no_token(e);
	r->member_end = r->position + r->recipe.member.length;
	r->crc = 0;
	r->state = NEXT_BLOCK;
	return write_bytes(r, r->recipe.member.header, r->recipe.member.header_len, e);
}

static int member_trailer(struct rebuild *r, struct err *e)
{
	if (r->position != r->member_end)
		return no_token(e);
	bits_align(&r->bits);
	if (reserve(r, BLOCK_EXTRA, e))
		return -1;
	bits_put(&r->bits, r->crc, 32);
	bits_put(&r->bits, (uint32_t)(r->member_end - r->member_start), 32);
	r->state = NEXT_MEMBER;
	return 0;
}

static int next_block(struct rebuild *r, struct err *e)
{
	if (!r->block.times && recipe_next_block(&r->recipe, &r->block, e))
		return -1;
	r->block.times--;
	if (reserve(r, BLOCK_EXTRA, e))
		return -1;
	bits_put(&r->bits, (r->block.final ? 1u : 0u) | (unsigned)r->block.type << 1, 3);
	if (r->block.type == BLOCK_STORED ? write_stored(r, e) : write_tokens(r, e))
		return -1;
	return r->block.final ? member_trailer(r, e) : 0;
}

static int padding(struct rebuild *r, struct err *e)
{
	static const uint8_t zeros[4096];
	size_t now = r->recipe.padding < sizeof(zeros) ? (size_t)r->recipe.padding : sizeof(zeros);

	r->recipe.padding -= now;
	if (!now)
		r->state = AT_END;
	return write_bytes(r, zeros, now, e);
}

static int advance(struct rebuild *r, struct err *e)
{
	switch (r->state) {
	case NEXT_MEMBER:
		return next_member(r, e);
	case NEXT_BLOCK:
		return next_block(r, e);
	default:
		return padding(r, e);
	}
}

static ssize_t rebuild_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct rebuild *r = (struct rebuild *)s;

	while (r->out_at == r->bits.len && r->state != AT_END && r->why.kind == ERR_NONE) {
		r->out_at = r->bits.len = 0;
		(void)advance(r, &r->why);
	}
	if (r->why.kind != ERR_NONE) {
		if (e)
			*e = r->why;
		return -1;
	}
	size_t n = r->bits.len - r->out_at < cap ? r->bits.len - r->out_at : cap;
	if (n)
		memcpy(buf, r->out + r->out_at, n);
	r->out_at += n;
	return (ssize_t)n;
}

static void rebuild_free(struct source *s)
{
	struct rebuild *r = (struct rebuild *)s;

	source_free(r->inner);
	predictor_close(&r->predictor);
	raw_release(&r->window);
	tokens_release(&r->tokens);
	free(r->out);
	free(r);
}

struct source *source_rebuild(struct source *raw, const void *recipe, size_t len, struct err *e)
{
	static const struct source_ops ops = { rebuild_read, rebuild_free };

	if (!raw)
		return NULL;
	struct rebuild *r = calloc(1, sizeof(*r));
	if (!r) {
		source_free(raw);
		err_memory(e);
		return NULL;
	}
	r->base.ops = &ops;
	r->inner = raw;
	if (recipe_open(&r->recipe, recipe, len, e) || raw_open(&r->window, e)) {
		rebuild_free(&r->base);
		return NULL;
	}
	return &r->base;
}
