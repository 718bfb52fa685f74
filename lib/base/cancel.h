/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CANCEL_H
#define BASE_CANCEL_H

/*
 * "Stop, please": one flag a process, because a signal is one a process. The signal handler calls cancel_request();
 * loops that move bytes or wait call cancel_check() and unwind like after any other error, so that temporary files
 * vanish.
 */

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Async-signal-safe. `sig` becomes the exit code 128 + sig. */
void cancel_request(int sig);

/* The signal number, or 0. */
int cancel_requested(void);

/* 0, or -1 with ERR_CANCELLED. */
int cancel_check(struct err *e);

/*
 * Sleeps until clock_ns() is `until`, or *stop is true (NULL: never); 0. -1 with ERR_CANCELLED, soon after it is asked
 * for: the signal may have interrupted another thread than this one.
 */
int cancel_sleep(int64_t until, const atomic_bool *stop, struct err *e);

/* Waits until the descriptor has one of poll(2)'s events: 0. -1: ERR_CANCELLED, soon; ERR_LOCAL. */
int cancel_poll(int fd, short events, struct err *e);

#endif
