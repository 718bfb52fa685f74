/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_ASK_H
#define FLOW_ASK_H

/*
 * Asking a registry for something, wherever it may be had and as often as it is worth it. Any place may give any
 * content, because the digest proves it: a mirror that is unreachable, refuses, lags or lies is left for the next one.
 * A place that fails for a while is asked again: after the wait that it asks for, else after a random part of 2, 4, 8,
 * ... 60 seconds (full jitter, so that many clients do not come back at once).
 */

#include "flow/registries.h"

#include <stdatomic.h>

/* Bytes that are not what was promised may be the way's fault: so often the registry itself is asked for them again. */
#define WRONG_MOST 2

/*
 * Failures in a row of one thing that is asked for; `{0}` at first. Several workers may share one: failures that happen
 * at the same time count as one. Guarded by registries.lock.
 */
struct patience {
	unsigned failures;
	int64_t counted_at;
};

struct ask;
/*
 * One try at one place. 0, or -1 with *e. `repository` is its name there. Sets ask->progressed when something new was
 * got, even if the try fails later.
 */
typedef int ask_try(struct ask *a, struct registry_conn *conn, const char *repository, struct err *e);

struct ask {
	size_t registry;
	const char *repository;
	size_t worker;
	const char *what; /* for notes: "layer 0123abcd4567" */
	ask_try *attempt;
	void *ctx;
	bool by_tag;                                 /* only of places that are trusted with what a tag means */
	uint32_t barred;                             /* endpoints not to ask for this */
	struct patience *patience;                   /* shared, or NULL: its own */
	const atomic_bool *stop;                     /* waiting ends when it is true (ERR_NETWORK); or NULL */
	void (*waiting)(struct ask *a, bool begins); /* called around waits, or NULL */
	bool progressed;
	size_t endpoint; /* the one that is being asked, and at the end the one that gave it */
};

/* Asks until it is there. The error is the registry's own if it was asked, and says how often was tried. */
int ask(struct registries *r, struct ask *a, struct err *e);

/* The endpoint cannot be used in this run any more, for a reason that is said once. */
void ask_leave(struct registries *r, size_t number, size_t endpoint, const char *why);

/* What is left of pull limits; and, where there are mirrors, a line for each place, what it gave and why it was left.
 * At the end of a run. */
void ask_summary(struct registries *r);

#endif
