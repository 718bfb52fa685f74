/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/source.h"

#include "base/cancel.h"
#include "stream/sink.h"
#include "stream/space.h"

#include <string.h>

ssize_t source_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	return s->ops->read(s, buf, cap, e);
}

void source_free(struct source *s)
{
	if (s)
		s->ops->free(s);
}

/* Bytes in memory. */

struct memory {
	struct source base;
	const char *at;
	size_t left;
};

static ssize_t memory_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct memory *m = (struct memory *)s;
	size_t n = m->left < cap ? m->left : cap;

	(void)e;
	if (n)
		memcpy(buf, m->at, n);
	m->at += n;
	m->left -= n;
	return (ssize_t)n;
}

static void plain_free(struct source *s)
{
	free(s);
}

struct source *source_memory(const void *bytes, size_t len, struct err *e)
{
	static const struct source_ops ops = { memory_read, plain_free };
	struct memory *m = malloc(sizeof(*m));

	if (!m) {
		err_memory(e);
		return NULL;
	}
	*m = (struct memory){ { &ops }, bytes, len };
	return &m->base;
}

/* A part of a space. */

struct region {
	struct source base;
	struct space *space;
	uint64_t at;
	uint64_t left;
};

static ssize_t region_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct region *r = (struct region *)s;
	size_t n = r->left < cap ? (size_t)r->left : cap;

	if (n && space_pread(r->space, buf, n, r->at, e))
		return -1;
	r->at += n;
	r->left -= n;
	return (ssize_t)n;
}

struct source *source_space(struct space *space, uint64_t off, uint64_t len, struct err *e)
{
	static const struct source_ops ops = { region_read, plain_free };
	struct region *r = malloc(sizeof(*r));

	if (!r) {
		err_memory(e);
		return NULL;
	}
	*r = (struct region){ { &ops }, space, off, len };
	return &r->base;
}

/* Reading to the end. */

int source_slurp(struct source *s, size_t max, struct buf *out, struct err *e)
{
	char piece[16384];
	size_t total = 0;

	for (;;) {
		ssize_t n = source_read(s, piece, sizeof(piece), e);
		if (n < 0)
			return -1;
		if (n == 0)
			return buf_reserve(out, 0, e);
		total += (size_t)n;
		if (total > max)
			return err_set(e, ERR_CORRUPT, "larger than the limit of %zu bytes", max);
		if (buf_add(out, piece, (size_t)n, e))
			return -1;
	}
}

int source_drain(struct source *s, struct err *e)
{
	AUTO_MEM char *piece = malloc(PUMP_PIECE);
	ssize_t n;

	if (!piece)
		return err_memory(e);
	do {
		if (cancel_check(e))
			return -1;
		n = source_read(s, piece, PUMP_PIECE, e);
	} while (n > 0);
	return n < 0 ? -1 : 0;
}

int source_read_full(struct source *s, void *buf, size_t len, struct err *e)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = source_read(s, (char *)buf + have, len - have, e);
		if (n < 0)
			return -1;
		if (n == 0)
			return err_set(e, ERR_CORRUPT, "ended after %zu of %zu bytes", have, len);
		have += (size_t)n;
	}
	return 0;
}
