/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_SUMS_INSIDE_H
#define PACK_SUMS_INSIDE_H

/* The inside of sums.h, shared by sums.c (the table and its text) and sums_read.c (the text and its table). */

#include "pack/sums.h"

#define SUMS_HEAD "# imgpack-sums "
#define SUMS_BLOCK_LINE (8 + 2 * DIGEST_RAW + 1) /* "# block ", the digest, a line break */
#define SUMS_END_LINE (6 + 2 * DIGEST_RAW + 1)   /* "# end " */

/* sums_make() for a table whose text has `max` bytes at most: its blocks are not allocated if there are more. */
int sums_make_within(struct sums *out, const char *path, const struct digest *set, uint64_t size, uint64_t chunk,
		     size_t parity, size_t max, struct err *e);

/* True if sha256sum(1) would write the name with backslashes. */
bool sums_name_is_odd(const char *name);
/* Adds the name as sha256sum(1) writes it. */
int sums_put_name(struct buf *out, const char *name, struct err *e);

/* The lines in front of a file's blocks. */
int sums_put_chunk_head(struct buf *out, const struct sums *s, size_t i, struct err *e);
int sums_put_parity_head(struct buf *out, const struct sums *s, size_t i, struct err *e);

#endif
