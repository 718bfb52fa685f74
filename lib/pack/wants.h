/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_WANTS_H
#define PACK_WANTS_H

/*
 * What a set of chunks lacks, as a small text that can be carried out, and the file that comes back for it.
 *
 *     imgpack-wants 1
 *     set sha256:<archive ID>
 *     archive <bytes> <bytes of a chunk> x.tar
 *     blocks <how many> <their bytes>
 *     block <chunk, from 1> <offset in it> <bytes> <hex sha256>          (one line each, in the archive's order)
 *     ...
 *     end <hex sha256 of everything above>
 *
 * Such lists travel by mail and through editors. So it is ASCII without a blank inside a word (in the archive's name
 * everything else is %XX), and between two words any blanks and line breaks are the same: CRLF, wrapped lines, blanks
 * at their ends and a byte-order mark do no harm. The end line is over the text as it was written, so a changed or lost
 * word is found out.
 *
 * The blocks file (x.blocks) is exact to the byte:
 *
 *     "imgpack-blocks 1 <bytes of the list>\n"
 *     <the list>
 *     <the blocks' bytes in the list's order>
 */

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "pack/sums.h"
#include "stream/space.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOCKS_SUFFIX ".blocks"

/* A block of the table (sums.h): `block` SUMS_BLOCK bytes from the beginning of chunks[chunk]. */
struct wanted_block {
	size_t chunk; /* from 0 */
	size_t block;
	uint64_t size;
	uint64_t place; /* in a blocks file, behind its head */
	struct digest digest;
};

struct wants {
	struct digest set; /* the archive ID */
	char *archive;     /* "x.tar": a hint for the person */
	uint64_t size;     /* of the archive */
	uint64_t chunk;    /* bytes of every chunk but the last; 0: it is one file */
	struct wanted_block *blocks;
	size_t count;
	size_t capacity;
	uint64_t bytes; /* of all blocks */
};

/* An empty list about the table's archive. */
int wants_begin(struct wants *out, const struct sums *s, struct err *e);
/* Adds a block of the table; in the archive's order. */
int wants_add(struct wants *w, const struct sums *s, size_t chunk, size_t block, struct err *e);
void wants_release(struct wants *w);
#define AUTO_WANTS __attribute__((cleanup(wants_release))) struct wants

/* Where block i begins in the archive. */
uint64_t wants_offset(const struct wants *w, size_t i);

/* The text, appended. */
int wants_write(const struct wants *w, struct buf *out, struct err *e);

/* True if the text begins as a list does, or as a blocks file. */
bool wants_detect(const char *text, size_t len);

/*
 * Reads a list. Every number is checked against the others (a block that the archive cannot have, an order, a sum), and
 * the end line against the text. ERR_CORRUPT: "the list is damaged", and what it seems to be.
 */
int wants_parse(struct wants *out, const char *text, size_t len, struct err *e);

/* What stands in front of the blocks in a blocks file, appended: behind it come wants->bytes bytes. */
int blocks_write_head(const struct wants *w, struct buf *out, struct err *e);

/*
 * Reads the head of a file. 1: it is a blocks file; its list is in *out, and its first block begins at *header; 0: it
 * is none; -1: ERR_CORRUPT (damaged, or not as long as its list says), ERR_LOCAL. The blocks' bytes are not looked at:
 * who uses one compares its digest.
 */
int blocks_open(struct space *file, struct wants *out, uint64_t *header, struct err *e);

#endif
