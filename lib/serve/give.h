/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_GIVE_H
#define SERVE_GIVE_H

/* One request and its answer. The answers are libmicrohttpd's responses; NULL: out of memory, the client is cut off. */

#include "base/buf.h"
#include "serve/catalog.h"
#include "serve/request.h"

#include <microhttpd.h>

struct visit {
	struct MHD_Connection *connection;
	const struct catalog *catalog;
	bool tls;
	struct ask ask;
	const char *ns;  /* the query's `ns`, or NULL */
	unsigned status; /* of the answer */
	uint64_t bytes;  /* of its body */
};

/* A header or a query's argument; NULL if there is none. */
const char *visit_header(const struct visit *v, const char *name);
const char *visit_argument(const struct visit *v, const char *name);

/* The bytes are taken out of `body`. */
struct MHD_Response *give_bytes(struct visit *v, unsigned status, const char *type, struct buf *body);
/* Without a body: 304, 405. */
struct MHD_Response *give_empty(struct visit *v, unsigned status);
/* An error as the OCI distribution specification has it. */
struct MHD_Response *give_error(struct visit *v, unsigned status, const char *code, const char *message);
/* One line of text, for what is not below /v2/. */
struct MHD_Response *give_line(struct visit *v, unsigned status, const char *line);

/* Adds a header; a NULL response stays NULL. */
struct MHD_Response *give_header(struct MHD_Response *r, const char *name, const char *value);

/*
 * A blob, or the range of it that the request asks for. The kernel copies it from the file to the connection where one
 * file holds all of it and nothing has to be encrypted.
 */
struct MHD_Response *give_blob(struct visit *v, const struct held *held, const char *type);

#endif
