/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STREAM_PACE_H
#define STREAM_PACE_H

/*
 * A rate that several threads hold together. Who moves bytes says so and waits until they are due: the n-th byte is due
 * n/rate seconds after the first. Time in which nobody moved anything is not made up for later, except for the last
 * PACE_BURST_MS of it, so that a late wake-up costs no bandwidth.
 */

#include "base/err.h"
#include "base/own.h"

#include <stddef.h>
#include <stdint.h>

#define PACE_BURST_MS 100

/* Nanoseconds that only grow, and a sleep; tests bring their own. */
struct pace_clock {
	int64_t (*now)(void *ctx);
	void (*sleep)(void *ctx, int64_t ns);
	void *ctx;
};

struct pace;
/* `rate` in bytes a second, not 0. `clock` is copied; NULL: the machine's. */
struct pace *pace_new(uint64_t rate, const struct pace_clock *clock, struct err *e);
void pace_free(struct pace *p);
OWNED(pace)

/*
 * Thread-safe. Waits until `count` more bytes are due, the bytes of those who came before included. Moved at most this
 * much too early: what one call of each thread says. NULL: no limit. 0, or -1 with ERR_CANCELLED.
 */
int pace_wait(struct pace *p, size_t count, struct err *e);

/* Bytes that are well moved between two waits: some 12 ms of them, from 1 KiB to 256 KiB. Each connection is ahead by
 * so much, and by its buffers, so eight of them stay within what a second may hold. */
size_t pace_piece(const struct pace *p);

#endif
