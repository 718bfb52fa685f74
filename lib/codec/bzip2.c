/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decoder.h"

#include <bzlib.h>
#include <limits.h>
#include <stdlib.h>

/* bzip2 by libbz2: streams behind each other, as its own program takes them; the CRC of each block is compared. */

struct unbz {
	bz_stream stream;
	bool open;  /* stream is in use */
	bool begun; /* a stream was seen */
};

static bool next_stream(struct unbz *b)
{
	b->stream = (bz_stream){ 0 };
	b->open = BZ2_bzDecompressInit(&b->stream, 0, 0) == BZ_OK;
	return b->open;
}

static void *unbz_open(struct err *e)
{
	struct unbz *b = calloc(1, sizeof(*b));

	if (!b || !next_stream(b)) {
		free(b);
		err_memory(e);
		return NULL;
	}
	return b;
}

static unsigned int at_most(size_t n)
{
	return n > UINT_MAX ? UINT_MAX : (unsigned int)n;
}

static int refuse(int verdict, struct err *e)
{
	switch (verdict) {
	case BZ_MEM_ERROR:
		return err_memory(e);
	case BZ_DATA_ERROR_MAGIC:
		return err_set(e, ERR_CORRUPT, "other bytes follow the end, or the header is not bzip2's");
	default:
		return err_set(e, ERR_CORRUPT, "damaged (libbz2 says %d)", verdict);
	}
}

static int unbz_step(void *state, struct piece *p, struct err *e)
{
	struct unbz *b = state;
	const unsigned int in = at_most(p->in_len);
	const unsigned int out = at_most(p->out_len);

	if (!b->open && in && !next_stream(b))
		return err_memory(e);
	if (!b->open)
		return 0;
	b->begun = b->begun || in;
	/* libbz2 does not write there; its interface has no const. */
	b->stream.next_in = (char *)(uintptr_t)p->in;
	b->stream.avail_in = in;
	b->stream.next_out = (char *)p->out;
	b->stream.avail_out = out;
	int verdict = BZ2_bzDecompress(&b->stream);
	p->in += in - b->stream.avail_in;
	p->in_len -= in - b->stream.avail_in;
	p->out += out - b->stream.avail_out;
	p->out_len -= out - b->stream.avail_out;
	if (verdict == BZ_STREAM_END) {
		b->open = false;
		verdict = BZ2_bzDecompressEnd(&b->stream);
	}
	return verdict == BZ_OK ? 0 : refuse(verdict, e);
}

static int unbz_finish(void *state, struct err *e)
{
	const struct unbz *b = state;

	return b->open ? err_set(e, ERR_CORRUPT, b->begun ? "ends in the middle" : "empty") : 0;
}

static void unbz_close(void *state)
{
	struct unbz *b = state;

	if (b && b->open)
		(void)BZ2_bzDecompressEnd(&b->stream);
	free(b);
}

const struct decoder_kind decoder_bzip2 = { unbz_open, unbz_step, unbz_finish, unbz_close };
