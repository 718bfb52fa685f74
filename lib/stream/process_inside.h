/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STREAM_PROCESS_INSIDE_H
#define STREAM_PROCESS_INSIDE_H

/* The inside of process.h, shared by process_start.c and process.c (while it runs, and its end). */

#include "stream/process.h"

#include <stdint.h>
#include <sys/types.h>

/* A run that is going on. Descriptors are -1 when they are closed. */
struct child {
	const struct process_run *run;
	struct buf *out;
	pid_t pid;
	int64_t deadline; /* ms */
	int to;           /* its standard input, where there is a stream */
	int from;         /* its standard output */
	int errors;       /* its standard error */
	char *piece;      /* of the stream, on its way */
	size_t piece_len, piece_done;
	struct err failure; /* of the stream */
};

/* Starts it, with as many of its descriptors as are wanted. ERR_LOCAL; what is open then is closed by the caller. */
int process_start(struct child *c, struct err *e);

#endif
