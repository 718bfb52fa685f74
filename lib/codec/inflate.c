/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/isal.h"

#include <stdlib.h>

/*
 * HTTP's "deflate" (RFC 9110 8.4.1.2) is RFC 1950's zlib format, and from servers that misread the name it is bare RFC
 * 1951. The first byte tells: zlib's says method 8 and a window, which as the start of a bare stream would be a stored
 * block with nonsense behind it.
 */

struct inflate {
	bool begun;
	bool complete;
	struct inflate_state state;
};

static void *inflate_open(struct err *e)
{
	struct inflate *i = calloc(1, sizeof(*i));

	if (!i)
		err_memory(e);
	return i;
}

static void begin(struct inflate *i, uint8_t first)
{
	isal_inflate_init(&i->state);
	i->state.crc_flag = (first & 0x0f) == 8 && first >> 4 <= 7 ? ISAL_ZLIB : ISAL_DEFLATE;
	i->begun = true;
}

static int inflate_step(void *state, struct piece *p, struct err *e)
{
	struct inflate *i = state;

	if (i->complete && p->in_len)
		return err_set(e, ERR_CORRUPT, "other bytes follow the end");
	if (!i->begun && !p->in_len)
		return 0;
	if (!i->begun)
		begin(i, *p->in);
	if (isal_step(&i->state, p, e))
		return -1;
	i->complete = i->state.block_state == ISAL_BLOCK_FINISH;
	return 0;
}

static int inflate_finish(void *state, struct err *e)
{
	const struct inflate *i = state;

	return i->complete ? 0 : err_set(e, ERR_CORRUPT, i->begun ? "ends in the middle" : "empty");
}

const struct decoder_kind decoder_inflate = { inflate_open, inflate_step, inflate_finish, free };
