/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_EVENTS_H
#define BASE_EVENTS_H

/*
 * How the library speaks: it never prints and never exits. Progress and notes leave through one struct, so the same
 * code serves a progress bar, a log in cron and a test. `emit` is called from several threads at once; the receiver
 * locks. An EVENT_PLAN of nothing (no bytes, no items, no text) says that the work is over and what follows is none
 * that has an end. Every text is printable (foreign bytes already escaped) and lives only during the call.
 */

#include <stdint.h>

enum event_kind {
	EVENT_NOTE,     /* `text`: worth a line unless -q */
	EVENT_DETAIL,   /* `text`: worth a line with -v */
	EVENT_WARNING,  /* `text`: always shown */
	EVENT_PLAN,     /* `total` bytes and `count` items of a long work are about to move; `text` names the work */
	EVENT_BEGIN,    /* item `id` starts; `text` names it ("sha256:0123abcd4567 layer"), `total` bytes */
	EVENT_PROGRESS, /* item `id`: `done` of `total` bytes */
	EVENT_END       /* item `id` is complete; `text` says how ("done", "already there", "failed") */
};

struct event {
	enum event_kind kind;
	uint64_t id;
	uint64_t done;
	uint64_t total;
	uint64_t count;
	const char *text;
};

struct events {
	void (*emit)(void *ctx, const struct event *ev);
	void *ctx;
};

/* All accept a NULL `ev`: nobody listens. */
void event_emit(const struct events *ev, const struct event *event);
void event_text(const struct events *ev, enum event_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void event_begin(const struct events *ev, uint64_t id, uint64_t total, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void event_progress(const struct events *ev, uint64_t id, uint64_t done, uint64_t total);
void event_end(const struct events *ev, uint64_t id, const char *how);

#endif
