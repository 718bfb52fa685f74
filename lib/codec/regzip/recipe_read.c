/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "codec/regzip/recipe.h"

static int wrong(struct err *e, const char *what)
{
	err_set(e, ERR_CORRUPT, "the gzip recipe %s", what);
	return -1;
}

/* At most `max`, in its shortest form. */
static int take(struct recipe_reader *r, uint64_t max, uint64_t *value, struct err *e)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 63; shift += 7) {
		if (r->at == r->end)
			return wrong(e, "ends in the middle");
		uint8_t byte = *r->at++;
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		if ((byte == 0 && shift > 0) || v > max)
			return wrong(e, "has a number that is out of range");
		*value = v;
		return 0;
	}
	return wrong(e, "has a number that is out of range");
}

static int take_bytes(struct recipe_reader *r, size_t len, const uint8_t **bytes, struct err *e)
{
	if ((size_t)(r->end - r->at) < len)
		return wrong(e, "ends in the middle");
	*bytes = r->at;
	r->at += len;
	return 0;
}

static int take_gzip_header(struct recipe_reader *r, struct err *e)
{
	uint64_t len = 0;

	if (take(r, PARSER_HEADER, &len, e) || take_bytes(r, (size_t)len, &r->member.header, e))
		return -1;
	r->member.header_len = (size_t)len;
	return 0;
}

static int take_encoder(struct recipe_reader *r, struct err *e)
{
	uint64_t id = 0;

	if (take(r, UINT8_MAX, &id, e) || take(r, INT64_MAX, &r->member.segment, e))
		return -1;
	r->member.encoder = encoder_by_id((unsigned)id);
	if (!r->member.encoder)
		return wrong(e, "names an encoder that this imgpack does not know; a newer imgpack may");
	return 0;
}

int recipe_next_member(struct recipe_reader *r, struct err *e)
{
	uint64_t flags = 0;

	if (take(r, RECIPE_MEMBER | RECIPE_SAME_HEADER | RECIPE_SAME_ENCODER, &flags, e))
		return -1;
	if (!flags) {
		if (take(r, INT64_MAX, &r->padding, e))
			return -1;
		return r->at == r->end ? 0 : wrong(e, "has bytes behind its end");
	}
	if (!(flags & RECIPE_MEMBER) || ((flags & RECIPE_SAME_HEADER) && !r->member.header) ||
	    ((flags & RECIPE_SAME_ENCODER) && !r->member.encoder))
		return wrong(e, "has a member that cannot be");
	if (!(flags & RECIPE_SAME_HEADER) && take_gzip_header(r, e))
		return -1;
	if (!(flags & RECIPE_SAME_ENCODER) && take_encoder(r, e))
		return -1;
	return take(r, INT64_MAX, &r->member.length, e) ? -1 : 1;
}

/* A header that is given must be one, and as long as it says. */
static int take_tree_header(struct recipe_reader *r, struct tree_header *h, struct err *e)
{
	const uint8_t *bytes = NULL;
	uint64_t bits = 0;

	if (take(r, TREE_HEADER_BITS, &bits, e) || take_bytes(r, (size_t)(bits + 7) / 8, &bytes, e))
		return -1;
	memcpy(h->bytes, bytes, (size_t)(bits + 7) / 8);
	h->bits = (unsigned)bits;
	struct bit_reader b;
	struct code_lengths l;
	bits_open_memory(&b, h->bytes, (size_t)(bits + 7) / 8);
	if (tree_read(&b, &l, e))
		return err_at(e, "the gzip recipe");
	if ((unsigned)(b.at * 8) - (unsigned)b.count != h->bits)
		return wrong(e, "has a block header of another length");
	return 0;
}

static int take_shape(struct recipe_reader *r, struct recipe_block *b, uint64_t *shape, struct err *e)
{
	if (take(r, 0x7f, shape, e))
		return -1;
	b->final = *shape & RECIPE_FINAL;
	b->type = *shape >> 1 & 3;
	b->source = *shape >> 3 & 3;
	b->times = 1;
	b->corrections = 0;
	bool dynamic = b->type == BLOCK_DYNAMIC;
	bool again = *shape & RECIPE_REPEATED;
	if (b->type > BLOCK_DYNAMIC || b->source > HEADER_GIVEN || (b->source && !dynamic) ||
	    (b->type == BLOCK_STORED && (*shape & RECIPE_CORRECTED)) ||
	    (again && ((*shape & RECIPE_CORRECTED) || b->source == HEADER_GIVEN || b->final)) ||
	    (b->source == HEADER_VARIANT && r->member.encoder->tree != TREE_KLAUSPOST))
		return wrong(e, "has a block that cannot be");
	return 0;
}

int recipe_next_block(struct recipe_reader *r, struct recipe_block *b, struct err *e)
{
	uint64_t shape = 0;

	if (take_shape(r, b, &shape, e))
		return -1;
	/* By bytes, 258 go into one token; how many tokens there are is looked at when they are made. */
	uint64_t most = b->type == BLOCK_STORED                 ? UINT16_MAX
			: recipe_by_bytes(b, r->member.encoder) ? (uint64_t)LIMIT_BLOCK_TOKENS * TOKEN_MAX_LENGTH
								: LIMIT_BLOCK_TOKENS;
	if (take(r, most, &b->length, e))
		return -1;
	if (shape & RECIPE_REPEATED) {
		if (take(r, INT64_MAX / 2, &b->times, e))
			return -1;
		b->times += 2;
	}
	if (b->source == HEADER_GIVEN && take_tree_header(r, &b->header, e))
		return -1;
	if (!(shape & RECIPE_CORRECTED))
		return 0;
	if (take(r, LIMIT_BLOCK_TOKENS, &b->corrections, e))
		return -1;
	return b->corrections ? 0 : wrong(e, "has a block that cannot be");
}

int recipe_next_correction(struct recipe_reader *r, uint64_t *gap, uint32_t *token, struct err *e)
{
	uint64_t code = 0;

	if (take(r, LIMIT_BLOCK_TOKENS, gap, e) ||
	    take(r, (uint64_t)(TOKEN_MAX_LENGTH - TOKEN_MIN_LENGTH + 1) * TOKEN_MAX_DISTANCE, &code, e))
		return -1;
	*token = RECIPE_LITERAL;
	if (code)
		*token = token_match((uint32_t)((code - 1) / TOKEN_MAX_DISTANCE) + TOKEN_MIN_LENGTH,
				     (uint32_t)((code - 1) % TOKEN_MAX_DISTANCE) + 1);
	return 0;
}

/* Goes through it once. */
static int check(struct recipe_reader r, struct err *e)
{
	struct recipe_block b;
	int more;

	while ((more = recipe_next_member(&r, e)) > 0) {
		do {
			uint64_t gap;
			uint32_t token;
			if (recipe_next_block(&r, &b, e))
				return -1;
			while (b.corrections--)
				if (recipe_next_correction(&r, &gap, &token, e))
					return -1;
		} while (!b.final);
	}
	return more;
}

int recipe_open(struct recipe_reader *r, const void *bytes, size_t len, struct err *e)
{
	struct recipe_reader fresh = { .at = bytes, .end = (const uint8_t *)bytes + len };
	const uint8_t *mark = NULL;

	if (len > LIMIT_RECIPE)
		return wrong(e, "is too large");
	if (take_bytes(&fresh, RECIPE_MARK_LENGTH, &mark, e))
		return -1;
	if (memcmp(mark, RECIPE_MARK, RECIPE_MARK_LENGTH) != 0)
		return wrong(e, "is of an unknown kind or version");
	if (check(fresh, e))
		return -1;
	*r = fresh;
	return 0;
}
