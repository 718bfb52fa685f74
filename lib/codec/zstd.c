/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decoder.h"

#include <stdlib.h>
#include <zstd.h>

/* RFC 8878 by libzstd: frames behind each other, skippable ones skipped, checksums compared where a frame has one. */

/* What zstd's own program takes without being asked: 128 MiB of window at most. */
#define WINDOW_LOG_MAX 27

struct unzstd {
	ZSTD_DCtx *ctx;
	bool started;
	bool complete; /* at the end of a frame, with everything flushed */
};

static void unzstd_close(void *state)
{
	struct unzstd *z = state;

	if (!z)
		return;
	ZSTD_freeDCtx(z->ctx);
	free(z);
}

static void *unzstd_open(struct err *e)
{
	struct unzstd *z = calloc(1, sizeof(*z));

	if (!z || !(z->ctx = ZSTD_createDCtx()) ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(z->ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX))) {
		unzstd_close(z);
		err_memory(e);
		return NULL;
	}
	return z;
}

static int unzstd_step(void *state, struct piece *p, struct err *e)
{
	struct unzstd *z = state;
	ZSTD_inBuffer in = { p->in, p->in_len, 0 };
	ZSTD_outBuffer out = { p->out, p->out_len, 0 };

	/* Without input at a frame's end libzstd would begin to wait for another frame. */
	if (!p->in_len && (z->complete || !z->started))
		return 0;
	z->started = true;
	size_t left = ZSTD_decompressStream(z->ctx, &out, &in);
	if (ZSTD_isError(left))
		return err_set(e, ERR_CORRUPT, "%s", ZSTD_getErrorName(left));
	z->complete = left == 0;
	p->in += in.pos;
	p->in_len -= in.pos;
	p->out += out.pos;
	p->out_len -= out.pos;
	return 0;
}

static int unzstd_finish(void *state, struct err *e)
{
	struct unzstd *z = state;

	if (!z->started)
		return err_set(e, ERR_CORRUPT, "empty");
	if (!z->complete)
		return err_set(e, ERR_CORRUPT, "ends in the middle");
	return 0;
}

const struct decoder_kind decoder_zstd = { unzstd_open, unzstd_step, unzstd_finish, unzstd_close };
