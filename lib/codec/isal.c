/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/isal.h"

#include <limits.h>

static int refuse(int verdict, struct err *e)
{
	if (verdict == ISAL_INCORRECT_CHECKSUM)
		return err_set(e, ERR_CORRUPT, "the checksum or length is wrong");
	return err_set(e, ERR_CORRUPT, "damaged (inflate says %d)", verdict);
}

int isal_step(struct inflate_state *state, struct piece *p, struct err *e)
{
	/* ISA-L counts in 32 bits. */
	uint32_t in = p->in_len < INT_MAX ? (uint32_t)p->in_len : INT_MAX;
	uint32_t out = p->out_len < INT_MAX ? (uint32_t)p->out_len : INT_MAX;

	/* ISA-L takes a pointer to bytes that it does not change. */
	state->next_in = (uint8_t *)(uintptr_t)p->in;
	state->avail_in = in;
	state->next_out = p->out;
	state->avail_out = out;
	int verdict = isal_inflate(state);
	if (verdict < 0)
		return refuse(verdict, e);
	if (state->avail_in > in)
		return err_set(e, ERR_LOCAL, "ISA-L gave back more than it was given");
	p->in += in - state->avail_in;
	p->in_len -= in - state->avail_in;
	p->out += out - state->avail_out;
	p->out_len -= out - state->avail_out;
	return 0;
}
