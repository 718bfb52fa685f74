/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_PIECES_INSIDE_H
#define FLOW_PIECES_INSIDE_H

/* The inside of pieces.h: pieces.c keeps the books, pieces_give.c decides who gets what. Everything is under the lock.
 */

#include "flow/pieces.h"

#include <pthread.h>

struct gap {
	uint64_t from;
	uint64_t to;
};

/* What a blob lacks and nobody is at, in order. */
struct blob {
	uint64_t size;
	struct gap *gaps;
	size_t count;
	size_t capacity;
	size_t active; /* workers at it */
	uint64_t step; /* how large its pieces are; 0: not begun */
	bool whole;    /* is not cut */
};

struct hand {
	bool busy;
	bool rests;
	bool rescued; /* he took it from one who was silent: if he is, too, it is the other side, and its time limit
			 counts */
	size_t blob;
	uint64_t from;
	uint64_t to;
	atomic_bool stop;
	int64_t since; /* when he took it */
	int64_t last;  /* when bytes came last */
	uint64_t got;  /* of this piece */
	double speed;  /* bytes a ns of his last piece; 0: none yet */
};

struct pieces {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct blob *blobs;
	size_t blob_count;
	struct hand *hands;
	size_t workers;
	bool limited;
	atomic_bool stopped;
};

/* What a blob lacks and nobody is at, in all. */
uint64_t blob_gaps(const struct blob *b);

/* Takes `len` bytes off its first gap; not more than that has. */
void blob_pop(struct blob *b, uint64_t len);

/* Workers who have a piece. */
size_t pieces_busy(const struct pieces *p);

/* The next piece for a worker who has none: of what nobody is at, else of what the slowest has in front of him. */
bool pieces_give(struct pieces *p, size_t worker, struct piece *out);

#endif
