/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_STREAM_OUT_H
#define FLOW_STREAM_OUT_H

/*
 * fetch -o -: the archive of a layout, front to back into a descriptor. Blobs are asked for in ranges, several at
 * once, at most STREAM_AHEAD more than there are connections; what waits for its turn takes STREAM_MEMORY at most. A
 * connection that breaks is gone on from the byte. What has gone out cannot be taken back: a blob whose digest is wrong
 * ends the run, and the stream is left without its papers, so nobody loads it.
 */

#include "flow/stage.h"

#define STREAM_MEMORY (36u << 20)
#define STREAM_AHEAD 4

/*
 * All borrowed. ERR_CORRUPT: a blob's bytes were not the promised ones; ERR_LOCAL: the descriptor takes nothing more;
 * and what ask() gives.
 */
int stream_out(const struct plan *plan, const struct layout *layout, struct registries *registries,
	       const struct events *events, int fd, struct moved *moved, struct err *e);

/* Inside: a piece of a blob on its way, from where it is asked for to where it is written. */
enum slot_state { SLOT_WAITS, SLOT_TAKEN, SLOT_HERE };

struct slot {
	enum slot_state state;
	size_t blob;   /* out.blobs[] */
	uint64_t from; /* in the blob */
	size_t len;
	size_t have; /* of it, from its beginning */
	bool runner; /* who has taken it brings all that follow in the blob, too */
	char *bytes; /* out.piece of them, made at first use */
};

struct out_blob {
	size_t number; /* layout->members[] */
	const struct member *member;
	const struct pack_blob *blob;
	struct blob_home home;
	struct patience patience;
	/* Guarded by out.lock. */
	bool whole; /* ranges are not to be had: one connection brings all of it */
	bool runs;  /* that one is at work */
};

struct out {
	const struct plan *plan;
	const struct layout *layout;
	struct registries *registries;
	const struct events *events;
	struct sink *sink;
	struct out_blob *blobs; /* those that are not in memory, in the archive's order */
	size_t count;
	struct slot *slots; /* a ring */
	size_t slot_count;
	size_t piece; /* bytes of a range */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Guarded by lock. Pieces are numbered through all blobs; number n is at slots[n % slot_count]. */
	uint64_t head; /* the one to be written next */
	uint64_t tail; /* behind the last one that has a slot */
	size_t next_blob;
	uint64_t next_from;
	bool writes; /* somebody is at it */
	atomic_bool failed;
	/* The writer's own. */
	size_t next_member;
	struct hasher *hasher;
	_Atomic uint64_t received;
};

/* stream_piece.c: brings a slot that was taken; it ends SLOT_HERE, or SLOT_WAITS for another way. */
int out_bring(struct out *o, uint64_t number, size_t worker, struct err *e);

/* A slot's piece is complete: written, and all behind it that are, unless somebody else is at it. */
int out_put(struct out *o, uint64_t number, struct err *e);

/*
 * For the runner of a blob, who has put the piece in front of `number`: 1, it is taken now; 2: another has brought it.
 * Waits for room, and for one who is at it. -1: the run has failed.
 */
int out_follow(struct out *o, uint64_t number, struct err *e);

#endif
