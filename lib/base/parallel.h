/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PARALLEL_H
#define BASE_PARALLEL_H

/* A loop whose turns run on several threads. */

#include "base/err.h"

#include <stddef.h>

/*
 * One turn: `item` of 0..count-1, on thread `worker` of 0..threads-1 (so that the caller can keep one connection or
 * buffer a worker). Returns 0, or -1 with *e filled.
 */
typedef int parallel_turn(void *ctx, size_t item, size_t worker, struct err *e);

/*
 * Calls turn() once for each item, lowest first, on up to `threads` threads (1: on the caller's own). After the first
 * failure no new turn starts; the running ones finish. Returns 0, or -1 with the error of the turn that failed first.
 * Turns that wait long check cancel_check() themselves.
 */
int parallel_for(size_t count, size_t threads, parallel_turn *turn, void *ctx, struct err *e);

/* How many CPUs this process may use; at least 1. */
size_t parallel_cpus(void);

#endif
