/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STREAM_PROCESS_H
#define STREAM_PROCESS_H

/* One run of another program, never through a shell, with an end to its time and to what it may say. */

#include "base/buf.h"
#include "base/err.h"
#include "stream/source.h"

#include <stdbool.h>
#include <stddef.h>

struct process_run {
	const char *program;          /* searched in PATH */
	const char *const *arguments; /* NULL-terminated, without the program's own name */
	const char *input;            /* all of its standard input, or NULL */
	size_t input_len;
	struct source *stream; /* its standard input instead, at the pace at which it is taken; borrowed. Or NULL */
	bool secret;           /* *out gets all its room at once, so that no copy of its bytes stays behind */
	size_t max_output;     /* more on standard output: killed, -1 */
	unsigned seconds;      /* longer: killed, -1. With a stream: so long without taking or saying anything */
	struct buf *errors;    /* gets the beginning of its standard error (LIMIT_ERROR_BODY bytes); NULL: nowhere */
};

/*
 * Runs it to its end. Its standard output goes to *out. *status is its exit code, or 128 + signal. -1 (ERR_LOCAL,
 * ERR_CANCELLED): it could not be started, ran too long or said too much; it is not running any more.
 *
 * A program that ends, or closes its standard input, before the stream's end is no error here: *status is what it had
 * to say. If the stream fails, or a signal asks us to stop meanwhile, that error is returned after the program saw its
 * input end there and had a few seconds for its own end, to clear away what it has begun.
 */
int process_run(const struct process_run *run, struct buf *out, int *status, struct err *e);

/* True if there is a program of this name in PATH. */
bool process_exists(const char *program);

#endif
