/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decoder.h"

#include <isa-l/igzip_lib.h>
#include <limits.h>
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
	uint32_t in = p->in_len < INT_MAX ? (uint32_t)p->in_len : INT_MAX;
	uint32_t out = p->out_len < INT_MAX ? (uint32_t)p->out_len : INT_MAX;

	if (i->complete && p->in_len)
		return err_set(e, ERR_CORRUPT, "other bytes follow the end");
	if (!i->begun && !in)
		return 0;
	if (!i->begun)
		begin(i, *p->in);
	/* ISA-L takes a pointer to bytes that it does not change. */
	i->state.next_in = (uint8_t *)(uintptr_t)p->in;
	i->state.avail_in = in;
	i->state.next_out = p->out;
	i->state.avail_out = out;
	int verdict = isal_inflate(&i->state);
	if (verdict < 0)
		return err_set(e, ERR_CORRUPT, "damaged (inflate says %d)", verdict);
	if (i->state.avail_in > in)
		return err_set(e, ERR_LOCAL, "ISA-L gave back more than it was given");
	p->in += in - i->state.avail_in;
	p->in_len -= in - i->state.avail_in;
	p->out += out - i->state.avail_out;
	p->out_len -= out - i->state.avail_out;
	i->complete = i->state.block_state == ISAL_BLOCK_FINISH;
	return 0;
}

static int inflate_finish(void *state, struct err *e)
{
	const struct inflate *i = state;

	return i->complete ? 0 : err_set(e, ERR_CORRUPT, i->begun ? "ends in the middle" : "empty");
}

const struct decoder_kind decoder_inflate = { inflate_open, inflate_step, inflate_finish, free };
