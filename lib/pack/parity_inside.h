/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_PARITY_INSIDE_H
#define PACK_PARITY_INSIDE_H

/* The inside of parity.h: parity.c (headers), parity_seal.c (making) and parity_rebuild.c (repairing). */

#include "pack/parity.h"

#define PARITY_LINE 128 /* room for the first line of a parity file */

/* Adds the whole header of parity file i; `table`: what sums_write() gives for parity files. */
int parity_put_header(struct buf *out, const struct sums *s, size_t i, const struct buf *table, struct err *e);

/* Once the table knows everything else: the headers are written, and what the whole files are goes into the table. */
int parity_finish(struct sums *s, struct space *const *parity, size_t threads, struct err *e);

/* Puts a parity file's name in front of an error. Always -1. */
int parity_name(const struct sums *s, size_t i, struct err *e);

/*
 * How many bytes of each of `files` files are worked on at once: together they stay in a core's own cache between the
 * read, the hash and the code. A power of two, so that it divides a block.
 */
size_t parity_piece(size_t files);

/* Threads that work at once; each has `files` pieces. */
size_t parity_threads(void);

#endif
