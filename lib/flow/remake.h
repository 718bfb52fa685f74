/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_REMAKE_H
#define FLOW_REMAKE_H

/*
 * Files of a set of chunks made anew, each under a name that was free: NAME, or NAME.repaired, NAME.repaired.2 where
 * that is taken. They are staged, rebuilt, read back and proved by the table; only then all get their names.
 */

#include "pack/chunkset.h"

struct remake;

/*
 * The set as chunkset_check() left it (borrowed; what whole parity files are is filled in where the table does not say
 * it). `folder`: "" or with a slash at its end, borrowed.
 */
struct remake *remake_new(struct chunkset *set, const char *folder, const struct events *events, struct err *e);

/* This file, a chunk or behind them a parity file, is to be made. Its place and disk are taken at once. ERR_LOCAL. */
int remake_add(struct remake *r, size_t file, struct err *e);

/*
 * Fills all that was added, syncs it, reads it back. ERR_CORRUPT: a block is not what the table says; ERR_LOCAL: nor is
 * what was read back.
 */
int remake_fill(struct remake *r, struct err *e);

/* The sums file, too; after remake_fill(). */
int remake_add_sums(struct remake *r, struct err *e);

/* The names. Anything that took one in the meantime is not replaced: ERR_LOCAL. */
int remake_commit(struct remake *r, struct err *e);

/* What was made, in the order of adding: its path (borrowed), size and digest. False: there is no more. */
bool remake_made(const struct remake *r, size_t i, const char **path, struct promise *promise);

/* Without remake_commit() no trace stays. */
void remake_free(struct remake *r);
OWNED(remake)

#endif
