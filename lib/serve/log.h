/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_LOG_H
#define SERVE_LOG_H

/* The access log: one line a request, as web servers write it ("combined"), and the seconds that it took. */

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

struct log_entry {
	const struct sockaddr *client; /* or NULL */
	const char *user;              /* that proved to be who he is, or NULL */
	time_t when;
	const char *method; /* as it came; NULL: the request's head was never complete */
	const char *target; /* path and query as they came */
	unsigned status;    /* 0: no answer */
	uint64_t bytes;
	bool whole;        /* the client took all of it */
	const char *agent; /* or NULL */
	int64_t ns;
};

/* Without the newline. Foreign bytes are escaped, quotes too, and what is long is cut. */
int log_line(const struct log_entry *l, struct buf *out, struct err *e);

#endif
