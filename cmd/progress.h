/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_PROGRESS_H
#define CMD_PROGRESS_H

/*
 * What the library's events look like on standard error. On a terminal: a line for each running item and one for the
 * whole work, drawn at most ten times a second, never wider than the window, gone at the end. Elsewhere: plain lines,
 * one when a work starts, one for each finished item, and the totals every ten seconds. Notes and warnings in both.
 */

#include "base/err.h"
#include "base/events.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where it is drawn, and the clock; a test brings its own. All are called under the progress's lock. */
struct progress_screen {
	uint64_t (*now)(void *ctx); /* milliseconds that only grow */
	void (*size)(void *ctx, unsigned *columns, unsigned *rows);
	void (*write)(void *ctx, const char *bytes, size_t len);
	void *ctx;
};

/* Standard error and the monotonic clock. */
extern const struct progress_screen progress_stderr;

struct progress_options {
	bool terminal; /* draw; otherwise plain lines */
	bool silent;   /* neither bars nor plain lines, but notes (--no-progress) */
	bool quiet;    /* warnings alone (-q) */
	bool verbose;  /* details too (-v) */
	bool colour;
};

struct progress;
struct progress *progress_new(const struct progress_options *options, const struct progress_screen *screen,
			      struct err *e);

/* For struct events: `ctx` is the progress. Thread-safe. */
void progress_event(void *ctx, const struct event *ev);

/* To be called now and then while no event may come: redraws what has changed, and once a second the rate. Thread-safe.
 */
void progress_tick(struct progress *p);

/* Clears what is drawn. Work that starts later is drawn again. Thread-safe. */
void progress_finish(struct progress *p);

void progress_free(struct progress *p);
OWNED(progress)

/* A thread that ticks ten times a second until it is freed. No thread, no harm: NULL is allowed everywhere. */
struct ticker;
struct ticker *ticker_new(struct progress *p /* borrowed */);
void ticker_free(struct ticker *t);
OWNED(ticker)

#endif
