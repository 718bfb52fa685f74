/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "codec/decoder.h"

#include <lzma.h>
#include <stdlib.h>

/* The .xz format by liblzma: streams behind each other, zero padding between them, every check compared. */

struct unxz {
	lzma_stream stream;
	bool complete;
};

static void *unxz_open(struct err *e)
{
	struct unxz *x = calloc(1, sizeof(*x));

	/* A stream whose check this liblzma does not know could not be proved: it is refused. */
	if (!x || lzma_stream_decoder(&x->stream, LIMIT_XZ_MEMORY, LZMA_CONCATENATED | LZMA_TELL_UNSUPPORTED_CHECK) !=
			  LZMA_OK) {
		free(x);
		err_memory(e);
		return NULL;
	}
	return x;
}

static int refuse(lzma_ret verdict, struct err *e)
{
	switch (verdict) {
	case LZMA_MEM_ERROR:
		return err_memory(e);
	case LZMA_MEMLIMIT_ERROR:
		return err_set(e, ERR_CORRUPT, "needs more than %u MiB of memory to unpack", LIMIT_XZ_MEMORY >> 20);
	case LZMA_UNSUPPORTED_CHECK:
	case LZMA_OPTIONS_ERROR:
		return err_set(e, ERR_CORRUPT, "uses a feature that this liblzma does not know");
	case LZMA_FORMAT_ERROR:
		return err_set(e, ERR_CORRUPT, "the header is not xz's");
	default:
		return err_set(e, ERR_CORRUPT, "damaged (liblzma says %d)", (int)verdict);
	}
}

static int unxz_step(void *state, struct piece *p, struct err *e)
{
	struct unxz *x = state;

	if (x->complete)
		return p->in_len ? err_set(e, ERR_CORRUPT, "other bytes follow the end") : 0;
	x->stream.next_in = p->in;
	x->stream.avail_in = p->in_len;
	x->stream.next_out = p->out;
	x->stream.avail_out = p->out_len;
	lzma_ret verdict = lzma_code(&x->stream, p->last ? LZMA_FINISH : LZMA_RUN);
	p->in += p->in_len - x->stream.avail_in;
	p->in_len = x->stream.avail_in;
	p->out += p->out_len - x->stream.avail_out;
	p->out_len = x->stream.avail_out;
	if (verdict == LZMA_STREAM_END)
		x->complete = true;
	else if (verdict == LZMA_BUF_ERROR && p->last)
		return 0; /* nothing moves any more: unxz_finish() says why */
	else if (verdict != LZMA_OK && verdict != LZMA_BUF_ERROR)
		return refuse(verdict, e);
	return 0;
}

static int unxz_finish(void *state, struct err *e)
{
	struct unxz *x = state;

	if (!x->complete)
		return err_set(e, ERR_CORRUPT, "ends in the middle");
	return 0;
}

static void unxz_close(void *state)
{
	struct unxz *x = state;

	if (!x)
		return;
	lzma_end(&x->stream);
	free(x);
}

const struct decoder_kind decoder_xz = { unxz_open, unxz_step, unxz_finish, unxz_close };
