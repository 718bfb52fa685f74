/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_PARITY_H
#define PACK_PARITY_H

/*
 * Parity files: what brings lost or damaged chunks back. Reed-Solomon over GF(2^8) across the chunks, block by block:
 * at each block position (SUMS_BLOCK bytes) the chunks' blocks, shorter ones padded with zeros, are the data and the
 * parity files' blocks the redundancy, so N parity files repair up to N bad blocks at every position.
 *
 *     x.parity.01:  "imgpack-parity 1 <number> <count> <bytes of the table>\n"
 *                   <the table, as sums.h writes it for parity files>
 *                   zeros up to a multiple of PARITY_ALIGN
 *                   <as many bytes as the largest chunk has>
 *
 * The code is codec/erasure.h's; its data pieces are the chunks, in their order.
 */

#include "base/events.h"
#include "pack/sums.h"
#include "stream/space.h"

#define PARITY_ALIGN 4096

/* Bytes of the header that the table's parity files have. */
int parity_header_size(const struct sums *s, uint64_t *out, struct err *e);

/*
 * Reads the head of a file. 1: it is a parity file; its table is in *out, its number (from 1) in *number; 0: it is
 * none; -1: ERR_CORRUPT (it is one and its header is damaged), ERR_LOCAL.
 */
int parity_read_header(struct space *file, struct sums *out, size_t *number, struct err *e);

/* Writes the header of parity file i. The table must know everything but what the whole parity files are. ERR_LOCAL. */
int parity_write_header(const struct sums *s, size_t i, struct space *file, struct err *e);

/*
 * One pass over the archive that fills the table: every chunk's digest, every block's, and (with parity files) the
 * parity, which is written to parity[i], a staged space of the file's whole size, headers included. Several threads.
 * Memory: at most 32 MiB whatever the archive's size. ERR_LOCAL, ERR_CANCELLED.
 */
int parity_seal(struct sums *s, struct space *archive, struct space *const *parity, const struct events *events,
		struct err *e);

/*
 * Rebuilding. Which bytes are good is the caller's knowledge. Files are numbered: the chunks, then the parity files;
 * `block` is one that the file has. All three are called from several threads at once, but never for the same block.
 */
typedef bool parity_is_good(void *ctx, size_t file, size_t block);
typedef int parity_read(void *ctx, size_t file, size_t block, void *buf, size_t from, size_t len, struct err *e);
typedef int parity_give(void *ctx, size_t file, size_t block, const void *buf, size_t from, size_t len, struct err *e);

struct parity_source {
	parity_is_good *is_good;
	parity_read *read; /* bytes from..from+len of a good block */
	parity_give *give; /* bytes of a rebuilt block, in order within it; blocks come in any order */
	void *ctx;
};

/* Block positions at which more blocks of chunks are bad than blocks of parity files are good. */
size_t parity_beyond(const struct sums *s, const struct parity_source *source);

/*
 * Rebuilds every bad block of every chunk and parity file, and compares it with the table once its last byte was given.
 * Memory: at most 32 MiB. ERR_CORRUPT: parity_beyond() is not 0 (then nothing was given), or a block is not what the
 * table says; ERR_LOCAL, ERR_CANCELLED; what read() and give() failed with.
 */
int parity_rebuild(const struct sums *s, const struct parity_source *source, const struct events *events,
		   struct err *e);

#endif
