/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_SERVER_INSIDE_H
#define SERVE_SERVER_INSIDE_H

/* The inside of server.h, shared by server.c (its life) and server_request.c (one request's). */

#include "serve/clients.h"
#include "serve/give.h"
#include "serve/metrics.h"
#include "serve/server.h"
#include "serve/users.h"

struct server {
	struct MHD_Daemon *daemon;
	const struct catalog *catalog;
	const struct events *events;
	char name[LISTEN_TEXT_SIZE]; /* HOST:PORT, for who does not say how he calls it */
	unsigned port;
	bool tls;
	struct users *users; /* or NULL */
	int log;             /* or -1 */
	struct buf certificate, key;
	struct clients clients;
	struct metrics metrics;
	bool started;
	char said[256]; /* what libmicrohttpd said while it was started */
};

/* libmicrohttpd's callbacks; `cls` is the server. */
void *request_begin(void *cls, const char *target, struct MHD_Connection *connection);
enum MHD_Result request_answer(void *cls, struct MHD_Connection *connection, const char *path, const char *method,
			       const char *version, const char *upload, size_t *upload_size, void **request);
void request_end(void *cls, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode how);

#endif
