/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/codec.h"
#include "pack/pipe.h"
#include "pack/uses.h"

#include <string.h>

/* The blob that passes: its bytes as they are for who reads it, its content's hash beside. */

struct raw {
	struct source base;
	struct pack_pipe *pipe;
};

static ssize_t raw_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct pack_pipe *p = ((struct raw *)s)->pipe;
	size_t n = p->head_len - p->head_at;

	if (!n)
		return pipe_take_some(p, buf, cap, e);
	if (n > cap)
		n = cap;
	memcpy(buf, p->head + p->head_at, n);
	p->head_at += n;
	return (ssize_t)n;
}

static void plain_free(struct source *s)
{
	free(s);
}

static struct source *raw_new(struct pack_pipe *p, struct err *e)
{
	static const struct source_ops ops = { raw_read, plain_free };
	struct raw *r = malloc(sizeof(*r));

	if (!r) {
		err_memory(e);
		return NULL;
	}
	*r = (struct raw){ { &ops }, p };
	return &r->base;
}

/*
 * One reading feeds two: the decoder pulls the bytes as stored, which are kept until they were given on, and what it
 * makes of them goes through the hash. The end is given only when the content was right.
 */
#define PIECE (64u << 10)

struct beside {
	struct source base;
	struct source *decoder;
	struct hasher *content;
	const struct blob_use *use;
	struct buf stored;
	size_t given;
	bool ended;
	char piece[PIECE];
};

static int keep(void *ctx, const void *bytes, size_t len, struct err *e)
{
	return buf_add(&((struct beside *)ctx)->stored, bytes, len, e);
}

static int decode_more(struct beside *b, struct err *e)
{
	struct digest d;

	ssize_t n = source_read(b->decoder, b->piece, sizeof(b->piece), e);
	if (n > 0)
		return hasher_update(b->content, b->piece, (size_t)n, e);
	if (n < 0 || hasher_finish(b->content, &d, e) || blob_use_check(b->use, &d, e))
		return -1;
	b->ended = true;
	return 0;
}

static ssize_t beside_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct beside *b = (struct beside *)s;

	if (b->given == b->stored.len) {
		buf_clear(&b->stored);
		b->given = 0;
	}
	while (!b->stored.len && !b->ended)
		if (decode_more(b, e))
			return -1;
	size_t n = b->stored.len - b->given;
	if (n > cap)
		n = cap;
	if (n)
		memcpy(buf, b->stored.data + b->given, n);
	b->given += n;
	return (ssize_t)n;
}

static void beside_free(struct source *s)
{
	struct beside *b = (struct beside *)s;

	source_free(b->decoder);
	hasher_free(b->content);
	buf_release(&b->stored);
	free(b);
}

/* Takes `inner`. */
static struct source *beside_new(struct source *inner, enum coding coding, const struct blob_use *use, struct err *e)
{
	static const struct source_ops ops = { beside_read, beside_free };
	struct beside *b = inner ? calloc(1, sizeof(*b)) : NULL;

	if (!b) {
		source_free(inner);
		err_memory(e);
		return NULL;
	}
	b->base.ops = &ops;
	b->use = use;
	b->content = hasher_new(e);
	b->decoder = source_decode(source_tap(inner, keep, b, e), coding, UINT64_MAX, e);
	if (b->content && b->decoder)
		return &b->base;
	beside_free(&b->base);
	return NULL;
}

/* What the walk wants to know: that somebody has begun, and that he came to the end. */
struct guard {
	struct source base;
	struct source *inner;
	struct pack_pipe *pipe;
};

static ssize_t guard_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	const struct guard *g = (struct guard *)s;
	struct err why = { 0 };

	g->pipe->touched = true;
	ssize_t n = source_read(g->inner, buf, cap, &why);
	g->pipe->proved = g->pipe->proved || n == 0;
	if (n < 0 && e)
		*e = why;
	if (n < 0)
		g->pipe->broken = why;
	return n;
}

static void guard_free(struct source *s)
{
	source_free(((struct guard *)s)->inner);
	free(s);
}

static struct source *guard_new(struct source *inner, struct pack_pipe *p, struct err *e)
{
	static const struct source_ops ops = { guard_read, guard_free };
	struct guard *g = inner ? malloc(sizeof(*g)) : NULL;

	if (!inner)
		return NULL;
	if (!g) {
		source_free(inner);
		err_memory(e);
		return NULL;
	}
	*g = (struct guard){ { &ops }, inner, p };
	return &g->base;
}

/* The content is proved where it can be: other codings than these three are for the digest alone, as in a file. */
static struct source *proving(struct pack_pipe *p, const struct pack_blob *b, struct err *e)
{
	const struct blob_use *use = p->content ? &p->uses[b - p->file->pack->blobs] : NULL;

	if (!use || !use->diff_id)
		return source_verify(raw_new(p, e), &b->promise, e);
	while (p->head_len < sizeof(p->head) && p->left) {
		ssize_t n = pipe_take_some(p, p->head + p->head_len, sizeof(p->head) - p->head_len, e);
		if (n <= 0)
			return NULL;
		p->head_len += (size_t)n;
	}
	enum coding coding = coding_detect(p->head, p->head_len);
	if (coding == CODING_NONE && blob_use_check(use, &b->promise.digest, e))
		return NULL;
	struct source *stored = source_verify(raw_new(p, e), &b->promise, e);
	return coding == CODING_GZIP || coding == CODING_ZSTD ? beside_new(stored, coding, use, e) : stored;
}

struct source *pipe_source(struct pack_pipe *p, struct err *e)
{
	const struct member *m = &p->file->layout->members[p->next - 1];
	const struct pack_blob *b = &p->file->pack->blobs[m->blob];

	return guard_new(proving(p, b, e), p, e);
}
