/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_PIECES_H
#define FLOW_PIECES_H

/*
 * Which bytes of which blob are still missing, and who is at which: the bookkeeping of a fill, without any I/O. Workers
 * take a piece, say how far they are, and give back what they did not do.
 *
 * A blob is one piece while there are enough blobs for everybody. Where there are not, it is cut, front to back, so
 * that the bytes ahead of what is hashed stay few; and at the end a worker who finds nothing left takes over a part of
 * what the slowest one has in front of him. All functions are thread-safe.
 */

#include "base/err.h"
#include "base/own.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pieces;

/*
 * `sizes` of `count` blobs, in the order in which they are begun. `limited`: all workers share a rate that is their
 * limit, so slowness and silence are nobody's own, and nobody takes over from another.
 */
struct pieces *pieces_new(const uint64_t *sizes, size_t count, size_t workers, bool limited, struct err *e);
void pieces_free(struct pieces *p);
OWNED(pieces)

/* These bytes are on disk already. Before the workers start. */
int pieces_have(struct pieces *p, size_t blob, uint64_t from, uint64_t to, struct err *e);

/* Bytes that are missing altogether, of one blob, or of all with `blob` SIZE_MAX. */
uint64_t pieces_missing(struct pieces *p, size_t blob);

/* The bytes of `blob` from `from` on that are on disk without a hole: where that stretch ends. */
uint64_t pieces_reach(struct pieces *p, size_t blob, uint64_t from);

struct piece {
	size_t blob;
	uint64_t from;           /* the worker's next byte */
	uint64_t to;             /* behind its last byte, as it was when the piece was taken; see pieces_left() */
	const atomic_bool *stop; /* true: nothing of it is wanted any more. Borrowed from the pieces */
};

/*
 * The next piece for `worker` (0..workers-1), who has none. 1: *out is it; 0: everything is there, or stopped; -1:
 * cancelled. Waits while others are at work and might leave something.
 */
int pieces_take(struct pieces *p, size_t worker, struct piece *out, struct err *e);

/* How many bytes from the worker's next one on are still his: 0 when another has taken them over. */
uint64_t pieces_left(struct pieces *p, size_t worker);

/* `len` bytes more are written; at most pieces_left(). What the blob lacks now, as pieces_missing() tells it. */
uint64_t pieces_wrote(struct pieces *p, size_t worker, uint64_t len);

/* The worker is at his piece, or (`rests`) waits for a time that he was told: nobody takes anything over from him then.
 */
void pieces_rest(struct pieces *p, size_t worker, bool rests);

/* The worker, who has a whole blob for himself, begins it anew. */
void pieces_rewind(struct pieces *p, size_t worker);

/* The worker lets go of his piece; what is left of it is missing again. */
void pieces_drop(struct pieces *p, size_t worker);

/*
 * The worker's server sends the whole blob whatever is asked. True: he is the foremost and takes over everything from
 * his next byte to the end. False: another one is in front of him; he is to drop the piece. From now on the blob is not
 * cut.
 */
bool pieces_take_rest(struct pieces *p, size_t worker);

/* Everything of this blob is missing again, nobody has a piece of it any more, and it is not cut again. */
void pieces_restart(struct pieces *p, size_t blob);

/* Nobody gets a piece any more, and who has one is stopped. */
void pieces_stop(struct pieces *p);

#endif
