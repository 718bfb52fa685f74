/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_FILL_H
#define FLOW_FILL_H

/*
 * The middle of a fetch: blobs from wherever they can be had to their places in the archive, several connections at
 * once.
 *
 *     fill_new()      what is missing: every blob
 *     fill_resume()   less what an earlier run left       (resume.c)
 *     fill_take()     less what other archives have       (resume.c)
 *     fill_run()      the rest: pieces.c hands it out, receive.c brings a piece, follow.c hashes behind
 *     fill_free()
 */

#include "base/events.h"
#include "flow/ask.h"
#include "flow/follow.h"
#include "flow/givers.h"
#include "flow/pieces.h"
#include "flow/plan.h"
#include "pack/journal.h"
#include "pack/layout.h"
#include "stream/space.h"

/* Bytes of blobs that are not in memory. */
uint64_t fill_bytes(const struct layout *l);

struct fill_blob {
	size_t number; /* layout->members[] */
	const struct member *member;
	const struct pack_blob *blob;
	struct blob_home home;
	struct follow follow;
	struct patience patience;
	/* Guarded by fill.lock. */
	bool begun;
	bool done;
	bool encoded;  /* it comes with a Content-Encoding: received by encoded.c */
	bool web_page; /* something that called itself text/html was taken for it */
	struct givers from;
};

struct fill {
	const struct plan *plan;
	const struct layout *layout;
	struct registries *registries;
	struct space *space;
	struct journal *journal;
	const struct events *events;
	struct fill_blob *blobs; /* largest first */
	size_t count;
	struct pieces *pieces;
	pthread_mutex_t lock;
	/* Called once for each blob that is there and right, from the thread that found it; or NULL. */
	int (*right)(void *ctx, size_t member, struct err *e);
	void *right_ctx;
	_Atomic uint64_t received; /* bytes of blobs that came over the network */
	uint64_t reused;           /* bytes that did not have to */
};

/* All borrowed for the fill's life. */
struct fill *fill_new(const struct plan *plan, const struct layout *layout, struct registries *registries,
		      struct space *space, struct journal *journal, const struct events *events, struct err *e);
void fill_free(struct fill *f);
OWNED(fill)

/*
 * Brings what is missing, proved blob by blob. ERR_ as the registry gives them, with the image, the blob's role and its
 * digest in front.
 */
int fill_run(struct fill *f, struct err *e);

/* Inside: one try of one piece, at one place (receive.c), and its context. */
struct errand {
	struct fill *fill;
	struct fill_blob *blob;
	size_t index; /* fill->blobs[] */
	uint64_t at;  /* next byte of the piece */
};
int receive(struct ask *a, struct registry_conn *conn, const char *repository, struct err *e);

/* The same for a blob that comes encoded: all of it, by one connection (encoded.c). */
int receive_encoded(struct ask *a, struct registry_conn *conn, const char *repository, struct err *e);

/* `len` bytes of the blob at `from` have come: writes them to their place, tells pieces, hash and whoever listens. */
int fill_write(struct errand *x, size_t worker, const void *bytes, uint64_t from, size_t len, struct err *e);

#endif
