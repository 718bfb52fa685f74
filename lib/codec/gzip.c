/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/gzip_header.h"
#include "codec/isal.h"

#include <stdlib.h>

/*
 * RFC 1952: ISA-L inflates and compares each member's CRC-32 and length. The headers are read here, and what stands
 * behind a member is judged here: another member, zeros (tape and disk blocks are padded so), or an error.
 */

enum where {
	AT_START, /* of the first member: something must come */
	IN_HEADER,
	IN_MEMBER, /* deflate data and trailer */
	BETWEEN,   /* behind a complete member */
	PADDING    /* zeros to the end */
};

struct gzip {
	enum where where;
	struct gzip_header header;
	struct inflate_state inflate;
};

static void *gzip_open(struct err *e)
{
	struct gzip *g = calloc(1, sizeof(*g));

	if (!g)
		err_memory(e);
	return g;
}

static void start_member(struct gzip *g)
{
	g->header = (struct gzip_header){ 0 };
	g->where = IN_HEADER;
}

static int header_step(struct gzip *g, struct piece *p, struct err *e)
{
	bool complete = false;

	for (; p->in_len && !complete; p->in++, p->in_len--)
		if (gzip_header_take(&g->header, *p->in, &complete, e))
			return -1;
	if (complete) {
		isal_inflate_init(&g->inflate);
		g->inflate.crc_flag = ISAL_GZIP_NO_HDR_VER;
		g->where = IN_MEMBER;
	}
	return 0;
}

static int inflate_step(struct gzip *g, struct piece *p, struct err *e)
{
	if (isal_step(&g->inflate, p, e))
		return -1;
	if (g->inflate.block_state == ISAL_BLOCK_FINISH)
		g->where = BETWEEN;
	return 0;
}

/* A member's first byte, or padding. */
static int between_step(struct gzip *g, struct piece *p, struct err *e)
{
	if (!p->in_len)
		return 0;
	if (*p->in == 0x1f) {
		start_member(g);
		return 0;
	}
	if (*p->in)
		return err_set(e, ERR_CORRUPT, "other bytes follow the end");
	g->where = PADDING;
	return 0;
}

static int padding_step(struct piece *p, struct err *e)
{
	for (; p->in_len; p->in++, p->in_len--)
		if (*p->in)
			return err_set(e, ERR_CORRUPT, "other bytes follow the end");
	return 0;
}

static int gzip_step(void *state, struct piece *p, struct err *e)
{
	struct gzip *g = state;

	if (g->where == AT_START && p->in_len)
		start_member(g);
	while (g->where == BETWEEN && p->in_len)
		if (between_step(g, p, e))
			return -1;
	if (g->where == PADDING)
		return padding_step(p, e);
	if (g->where == IN_HEADER && header_step(g, p, e))
		return -1;
	if (g->where == IN_MEMBER)
		return inflate_step(g, p, e);
	return 0;
}

static int gzip_finish(void *state, struct err *e)
{
	struct gzip *g = state;

	if (g->where == AT_START)
		return err_set(e, ERR_CORRUPT, "empty");
	if (g->where == IN_HEADER || g->where == IN_MEMBER)
		return err_set(e, ERR_CORRUPT, "ends in the middle");
	return 0;
}

const struct decoder_kind decoder_gzip = { gzip_open, gzip_step, gzip_finish, free };
