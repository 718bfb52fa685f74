/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

/*
 * A catalog over HTTP. The only room that knows libmicrohttpd.
 *
 * A few threads serve all connections; memory does not grow with what is served, and is bounded a connection. A client
 * that is slow to ask, or stops reading, is cut off (limits.h, LIMIT_SERVE_...).
 */

#include "base/err.h"
#include "base/events.h"
#include "base/own.h"
#include "serve/catalog.h"
#include "serve/listen.h"

struct server_options {
	const struct catalog *catalog; /* borrowed until server_free() */
	struct listen_address address;
	const char *certificate;     /* PEM file, or NULL: plain HTTP */
	const char *key;             /* PEM file */
	const char *users;           /* htpasswd file, or NULL: everybody may pull */
	const char *log;             /* file to which the access log is added, or NULL */
	const struct events *events; /* the access log as EVENT_DETAIL */
};

struct server;

/* Listens and answers from now on. ERR_USAGE: certificate, key or users; ERR_LOCAL: the address. */
struct server *server_start(const struct server_options *o, struct err *e);

/* The port that it has. */
unsigned server_port(const struct server *s);

/* Returns when the process is asked to stop (base/cancel.h), and what was running is done, or has had its time. */
int server_run(struct server *s, struct err *e);

void server_free(struct server *s);
OWNED(server)

#endif
