/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STREAM_FEED_H
#define STREAM_FEED_H

/*
 * Bytes that come once: a pipe, a socket. Its beginning can be looked at like a file, and is kept for that; then all of
 * it is read front to back, the beginning included; or, instead of that, put into a scratch space.
 */

#include "base/err.h"
#include "base/own.h"
#include "stream/space.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct feed;

/* `fd` is borrowed. Of its beginning `most` bytes are kept at most. */
struct feed *feed_new(int fd, size_t most, struct err *e);
void feed_free(struct feed *f);
OWNED(feed)

/*
 * Exactly len bytes at off, before the first feed_read(). ERR_CORRUPT: it ends before; ERR_LOCAL, e->sys EFBIG: so much
 * is not kept (nothing was lost: feed_read() and feed_spool() may follow).
 */
int feed_pread(struct feed *f, void *buf, size_t len, uint64_t off, struct err *e);

/* The next bytes, from the first one on: more than 0, 0 = its end, or -1. */
ssize_t feed_read(struct feed *f, void *buf, size_t cap, struct err *e);

/* How many bytes feed_read() has given. */
uint64_t feed_at(const struct feed *f);

/* All of it, to its end, in a scratch space; before the first feed_read(). */
struct space *feed_spool(struct feed *f, struct err *e);

/* The beginning as a space to be read from; its size is not known. The feed is borrowed. */
struct space *space_feed(struct feed *f, struct err *e);

#endif
