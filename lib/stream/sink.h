/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STREAM_SINK_H
#define STREAM_SINK_H

/* The belt's pushing end, and the only copy loop. */

#include "stream/source.h"

struct sink;

struct sink_ops {
	/* All bytes or an error. */
	int (*write)(struct sink *s, const void *bytes, size_t len, struct err *e);
	void (*free)(struct sink *s);
};

struct sink {
	const struct sink_ops *ops;
};

int sink_write(struct sink *s, const void *bytes, size_t len, struct err *e);
void sink_free(struct sink *s);
OWNED(sink)

/* Writes into off..off+len-1 of a space (borrowed), front to back. One byte more is ERR_CORRUPT. */
struct sink *sink_space(struct space *space, uint64_t off, uint64_t len, struct err *e);

/* Writes to a descriptor (borrowed, not closed): a pipe, standard output. */
struct sink *sink_fd(int fd, struct err *e);

/* Moves everything from src (borrowed) to dst (borrowed), to the source's verdict. Checks cancel_check() on the way. */
int pump(struct source *src, struct sink *dst, struct err *e);

/* The belt's piece: how much is moved at once. */
#define PUMP_PIECE (128u << 10)

#endif
