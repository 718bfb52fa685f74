/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_CLIENTS_H
#define SERVE_CLIENTS_H

/* The open connections, so that those that hold a place and ask nothing can be shut. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct client {
	struct client *next, *before;
	int fd;        /* borrowed */
	int64_t since; /* clock_ns() when it was opened, or its last request was done */
	bool busy;     /* a request is being answered */
};

struct clients {
	pthread_mutex_t lock;
	struct client first; /* of a ring */
};

void clients_init(struct clients *c);
void clients_destroy(struct clients *c);

/* NULL: no memory; then nobody watches over this one but the library's own timeout. */
struct client *clients_add(struct clients *c, int fd);
/* Before the descriptor is closed; NULL passes through. */
void clients_remove(struct clients *c, struct client *client);
void clients_busy(struct clients *c, struct client *client, bool busy);

/* Shuts those that have waited since before `limit`, or whose other side has closed. */
void clients_shut_idle(struct clients *c, int64_t limit);

#endif
