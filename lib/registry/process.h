/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_PROCESS_H
#define REGISTRY_PROCESS_H

/* One short run of another program, with an end to its time and to what it may say. */

#include "base/buf.h"
#include "base/err.h"

#include <stddef.h>

struct process_run {
	const char *program;  /* searched in PATH; never handed to a shell */
	const char *argument; /* the only one */
	const char *input;    /* all of its standard input */
	size_t input_len;
	size_t max_output; /* more on standard output: killed, -1 */
	unsigned seconds;  /* longer: killed, -1 */
};

/*
 * Runs it to its end. Its standard output goes to *out (which has the room reserved first, so that it may be a secret),
 * its standard error nowhere. *status is its exit code, or 128 + signal. -1 (ERR_DENIED, ERR_CANCELLED): it could not
 * be started, ran too long or said too much; it is not running any more.
 */
int process_run(const struct process_run *run, struct buf *out, int *status, struct err *e);

#endif
