/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/sums.h"

#include "base/cancel.h"
#include "base/own.h"

#define PIECE (128u << 10)

/* A chunk as its bytes pass, in pieces that do not cross a block's end. */
struct pass {
	struct hasher *whole;
	struct hasher *block;
	char *buf;
};

static int add(struct sums_file *f, const struct pass *p, uint64_t at, size_t len, struct err *e)
{
	const uint64_t end = at + len;

	if (hasher_update(p->block, p->buf, len, e) || hasher_update(p->whole, p->buf, len, e))
		return -1;
	if (end % SUMS_BLOCK && end != f->size)
		return 0;
	return hasher_finish(p->block, &f->blocks[at / SUMS_BLOCK], e);
}

int sums_fill(struct sums *s, size_t chunk, struct space *archive, struct err *e)
{
	struct sums_file *f = &s->chunks[chunk];
	AUTO(hasher) whole = hasher_new(e);
	AUTO(hasher) block = hasher_new(e);
	AUTO_MEM char *buf = malloc(PIECE);
	const struct pass p = { whole, block, buf };

	if (!whole || !block)
		return -1;
	if (!buf)
		return err_memory(e);
	for (uint64_t at = 0; at < f->size;) {
		const size_t len = f->size - at < PIECE ? (size_t)(f->size - at) : PIECE;
		if (cancel_check(e) || space_pread(archive, buf, len, (uint64_t)chunk * s->chunk + at, e) ||
		    add(f, &p, at, len, e))
			return -1;
		at += len;
	}
	return hasher_finish(whole, &f->digest, e);
}
