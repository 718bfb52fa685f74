/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decoder.h"

#include <lz4frame.h>
#include <stdlib.h>

/* The LZ4 frame format by liblz4: frames behind each other, skippable ones skipped, checksums compared where a frame
 * has one. A block has 4 MiB at most, and so has its memory. */

struct unlz4 {
	LZ4F_dctx *ctx;
	bool started;
	bool complete; /* at the end of a frame */
};

static void *unlz4_open(struct err *e)
{
	struct unlz4 *z = calloc(1, sizeof(*z));

	if (!z || LZ4F_isError(LZ4F_createDecompressionContext(&z->ctx, LZ4F_VERSION))) {
		free(z);
		err_memory(e);
		return NULL;
	}
	return z;
}

static int unlz4_step(void *state, struct piece *p, struct err *e)
{
	struct unlz4 *z = state;
	size_t in = p->in_len;
	size_t out = p->out_len;

	/* Without input at a frame's end liblz4 would begin to wait for another frame. */
	if (!in && (z->complete || !z->started))
		return 0;
	z->started = true;
	size_t left = LZ4F_decompress(z->ctx, p->out, &out, p->in, &in, NULL);
	if (LZ4F_isError(left))
		return err_set(e, ERR_CORRUPT, "%s", LZ4F_getErrorName(left));
	z->complete = left == 0;
	p->in += in;
	p->in_len -= in;
	p->out += out;
	p->out_len -= out;
	return 0;
}

static int unlz4_finish(void *state, struct err *e)
{
	const struct unlz4 *z = state;

	if (!z->started)
		return err_set(e, ERR_CORRUPT, "empty");
	return z->complete ? 0 : err_set(e, ERR_CORRUPT, "ends in the middle");
}

static void unlz4_close(void *state)
{
	struct unlz4 *z = state;

	if (!z)
		return;
	(void)LZ4F_freeDecompressionContext(z->ctx);
	free(z);
}

const struct decoder_kind decoder_lz4 = { unlz4_open, unlz4_step, unlz4_finish, unlz4_close };
