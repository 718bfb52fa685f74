/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/regzip/recipe.h"

static int put(struct buf *b, uint64_t value, struct err *e)
{
	uint8_t bytes[10];
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		bytes[len++] = (uint8_t)(value | 0x80);
	bytes[len++] = (uint8_t)value;
	return buf_add(b, bytes, len, e);
}

bool recipe_by_bytes(const struct recipe_block *b, const struct encoder *encoder)
{
	return b->type == BLOCK_STORED || encoder->tree == TREE_KLAUSPOST;
}

int recipe_corrected(struct recipe_writer *w, uint32_t token, struct err *e)
{
	uint64_t code = RECIPE_LITERAL;

	if (token & TOKEN_MATCH)
		code = (uint64_t)(token_length(token) - TOKEN_MIN_LENGTH) * TOKEN_MAX_DISTANCE + token_distance(token);
	if (put(&w->corrections, w->gap, e) || put(&w->corrections, code, e))
		return -1;
	w->gap = 0;
	w->count++;
	w->cost++;
	return 0;
}

/* The block that waits, now that it is known how often it comes. */
static int flush(struct recipe_writer *w, struct err *e)
{
	const struct recipe_block *b = &w->last;

	if (!b->times)
		return 0;
	unsigned shape = (b->final ? RECIPE_FINAL : 0) | (unsigned)b->type << 1 | (unsigned)b->source << 3 |
			 (b->corrections ? RECIPE_CORRECTED : 0) | (b->times > 1 ? RECIPE_REPEATED : 0);
	if (put(&w->body, shape, e) || put(&w->body, b->length, e))
		return -1;
	if (b->times > 1 && put(&w->body, b->times - 2, e))
		return -1;
	if (b->source == HEADER_GIVEN &&
	    (put(&w->body, b->header.bits, e) || buf_add(&w->body, b->header.bytes, (b->header.bits + 7) / 8, e)))
		return -1;
	w->last.times = 0;
	return 0;
}

static bool comes_again(const struct recipe_block *last, const struct recipe_block *b)
{
	return last->times && last->final == b->final && last->type == b->type && last->source == b->source &&
	       last->length == b->length && last->source != HEADER_GIVEN && !last->corrections;
}

int recipe_put_block(struct recipe_writer *w, const struct recipe_block *b, struct err *e)
{
	uint64_t count = w->count;

	w->count = 0;
	w->gap = 0;
	if (b->source == HEADER_GIVEN)
		w->cost++;
	if (!count && comes_again(&w->last, b)) {
		w->last.times++;
		return 0;
	}
	if (flush(w, e))
		return -1;
	w->last = *b;
	w->last.times = 1;
	w->last.corrections = count;
	if (!count)
		return 0;
	/* The corrections follow at once. */
	if (flush(w, e) || put(&w->body, count, e) || buf_add(&w->body, w->corrections.data, w->corrections.len, e))
		return -1;
	buf_clear(&w->corrections);
	return 0;
}

int recipe_put_member(struct buf *recipe, struct recipe_writer *w, const struct recipe_member *m,
		      const struct recipe_member *before, struct err *e)
{
	unsigned flags = RECIPE_MEMBER;

	if (!before && buf_add(recipe, RECIPE_MARK, RECIPE_MARK_LENGTH, e))
		return -1;
	if (before && before->header_len == m->header_len && !memcmp(before->header, m->header, m->header_len))
		flags |= RECIPE_SAME_HEADER;
	if (before && before->encoder == m->encoder && before->segment == m->segment)
		flags |= RECIPE_SAME_ENCODER;
	if (put(recipe, flags, e))
		return -1;
	if (!(flags & RECIPE_SAME_HEADER) &&
	    (put(recipe, m->header_len, e) || buf_add(recipe, m->header, m->header_len, e)))
		return -1;
	if (!(flags & RECIPE_SAME_ENCODER) && (put(recipe, m->encoder->id, e) || put(recipe, m->segment, e)))
		return -1;
	if (put(recipe, m->length, e) || flush(w, e) || buf_add(recipe, w->body.data, w->body.len, e))
		return -1;
	buf_clear(&w->body);
	return 0;
}

int recipe_put_end(struct buf *recipe, uint64_t padding, struct err *e)
{
	return put(recipe, 0, e) || put(recipe, padding, e) ? -1 : 0;
}

void recipe_writer_release(struct recipe_writer *w)
{
	buf_release(&w->body);
	buf_release(&w->corrections);
}
