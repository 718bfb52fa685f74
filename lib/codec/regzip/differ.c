/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/regzip/differ.h"

#include "base/limits.h"

int differ_open(struct differ *d, const struct encoder *encoder, uint64_t segment, uint64_t start, size_t block,
		struct err *e)
{
	*d = (struct differ){ .block = block };
	if (predictor_open(&d->predictor, encoder, segment, e))
		return -1;
	differ_member(d, start, block);
	return 0;
}

void differ_member(struct differ *d, uint64_t start, size_t block)
{
	predictor_member(&d->predictor, start);
	d->position = start;
	d->token = 0;
	d->block = block;
	d->in_block = false;
}

static void begin_block(struct differ *d)
{
	if (d->in_block)
		return;
	d->in_block = true;
	d->tokens = 0;
	memset(&d->frequencies, 0, sizeof(d->frequencies));
	d->counted = UINT64_MAX;
	if (d->predictor.encoder->tree == TREE_KLAUSPOST)
		d->counted = predictor_piece_end(&d->predictor, d->position);
}

static enum header_source header_source(const struct differ *d, const struct block *real)
{
	struct tree_header h;
	struct code_lengths l;

	for (unsigned variant = 0; variant < TREE_VARIANTS; variant++) {
		/* What most blocks of this encoder have comes first. */
		unsigned v = d->predictor.encoder->tree == TREE_KLAUSPOST ? !variant : variant;
		if (tree_predict(d->predictor.encoder->tree, v, &d->frequencies, &h, &l))
			continue;
		if (h.bits == real->header.bits && !memcmp(h.bytes, real->header.bytes, (h.bits + 7) / 8))
			return v ? HEADER_VARIANT : HEADER_PREDICTED;
	}
	return HEADER_GIVEN;
}

static int end_block(struct differ *d, const struct block *real, struct err *e)
{
	struct recipe_block b = { .final = real->final, .type = real->type };
	uint32_t token;

	begin_block(d);
	d->in_block = false;
	d->block++;
	if (real->type == BLOCK_STORED) {
		d->position = real->start + real->length;
		/* What was predicted for it is of no use. */
		(void)predictor_token(&d->predictor, d->position, &token);
	} else if (d->tokens > LIMIT_BLOCK_TOKENS) {
		d->failed = "a block is too long";
		return 0;
	}
	if (real->type == BLOCK_DYNAMIC) {
		b.source = header_source(d, real);
		if (b.source == HEADER_GIVEN)
			b.header = real->header;
	}
	b.length = recipe_by_bytes(&b, d->predictor.encoder) ? real->length : d->tokens;
	return recipe_put_block(&d->writer, &b, e);
}

/* One real token. 0, or 1: the prediction has not come that far. */
static int compare(struct differ *d, uint32_t token, struct err *e)
{
	uint32_t guess;
	int known = predictor_token(&d->predictor, d->position, &guess);

	if (known < 0)
		return 1;
	begin_block(d);
	if (known && guess == token)
		recipe_predicted(&d->writer);
	else if (recipe_corrected(&d->writer, token, e))
		return -1;
	d->tokens++;
	if (d->position < d->counted)
		frequencies_add(&d->frequencies, token);
	d->position += token_length(token);
	return 0;
}

int differ_run(struct differ *d, const struct real *real, const struct raw_window *w, uint64_t end, bool final,
	       struct err *e)
{
	size_t waiting = real->tokens.len - real->tokens.first;
	const uint32_t *tokens = real->tokens.at + real->tokens.first;

	if (predictor_run(&d->predictor, w, end, final, e))
		return -1;
	for (; d->token < waiting && !d->failed; d->token++) {
		uint32_t token = tokens[d->token];
		int rc = token == TOKEN_BLOCK ? end_block(d, &real->blocks[d->block % LIMIT_BLOCKS_WAITING], e)
					      : compare(d, token, e);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
	return 0;
}

void differ_close(struct differ *d)
{
	if (d->predictor.encoder)
		predictor_close(&d->predictor);
	recipe_writer_release(&d->writer);
	*d = (struct differ){ 0 };
}
