/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STREAM_SOURCE_H
#define STREAM_SOURCE_H

/*
 * The belt's pulling end. A source gives bytes in order; the end of the stream is the verdict: source_read() returns 0
 * only when every check stacked on the source has passed. A reader that stops early has proved nothing.
 *
 * Filters take their inner source (and free it, on failure too; a NULL inner passes through as NULL), so a chain is one
 * expression and needs one test:
 *
 *     AUTO(source) s = source_verify(source_space(space, off, len, e), &promise, e);
 *     if (!s || pump(s, sink, e))
 */

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/own.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct source;

/* What a kind of source implements; `struct source` is the first member of its own struct. */
struct source_ops {
	/* More than 0 bytes into buf (cap > 0), 0 = complete and proved, -1 = failed. After 0 or -1: the same again. */
	ssize_t (*read)(struct source *s, void *buf, size_t cap, struct err *e);
	void (*free)(struct source *s);
};

struct source {
	const struct source_ops *ops;
};

ssize_t source_read(struct source *s, void *buf, size_t cap, struct err *e);
void source_free(struct source *s);
OWNED(source)

/* `len` bytes in memory, borrowed until the source is freed. */
struct source *source_memory(const void *bytes, size_t len, struct err *e);

/* Bytes off..off+len-1 of a space, borrowed until the source is freed. */
struct space;
struct source *source_space(struct space *space, uint64_t off, uint64_t len, struct err *e);

/*
 * Passes the bytes of `inner` (taken) on and gives the end only after exactly promise->size bytes with promise->digest;
 * else ERR_CORRUPT, "body ended at 512 of 4096 bytes" or "has digest sha256:..., expected sha256:...". Never gives more
 * than promise->size bytes.
 */
struct source *source_verify(struct source *inner, const struct promise *promise, struct err *e);

/*
 * Passes the bytes of `inner` (taken) on and calls seen(ctx, len) for every piece: progress, hashing on the side. A
 * negative return of seen() fails the read with the *e it filled.
 */
typedef int source_tap_fn(void *ctx, const void *bytes, size_t len, struct err *e);
struct source *source_tap(struct source *inner, source_tap_fn *seen, void *ctx, struct err *e);

/* Reads to the end into *out (appended). More than `max` bytes: ERR_CORRUPT. */
int source_slurp(struct source *s, size_t max, struct buf *out, struct err *e);

/* Reads to the end and forgets the bytes: the verdict alone. */
int source_drain(struct source *s, struct err *e);

/* Reads exactly len bytes; an earlier end is ERR_CORRUPT. */
int source_read_full(struct source *s, void *buf, size_t len, struct err *e);

#endif
