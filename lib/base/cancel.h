/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CANCEL_H
#define BASE_CANCEL_H

/*
 * "Stop, please": one flag a process, because a signal is one a process. The signal handler calls cancel_request();
 * loops that move bytes or wait call cancel_check() and unwind like after any other error, so that temporary files
 * vanish.
 */

#include "base/err.h"

/* Async-signal-safe. `sig` becomes the exit code 128 + sig. */
void cancel_request(int sig);

/* The signal number, or 0. */
int cancel_requested(void);

/* 0, or -1 with ERR_CANCELLED. */
int cancel_check(struct err *e);

#endif
