/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_TAR_BLOCK_H
#define PACK_TAR_BLOCK_H

/* One 512-byte block of somebody else's tar, looked at without a library: is it a header, and how much follows it? */

#include "base/err.h"
#include "stream/space.h"

#include <stdbool.h>
#include <stdint.h>

bool tar_block_is_zero(const char *block);

/* True if its checksum holds, summed as POSIX asks or with signed bytes as old programs did. */
bool tar_block_is_header(const char *block);

/* The size field, octal or base 256. False if it is neither, or more than a file can have. */
bool tar_block_size(const char *block, uint64_t *size);

/* The type flag, '0' for the old NUL. */
char tar_block_type(const char *block);

/* True for the records that only describe the entry behind them: pax ('x'), GNU's long name and long link ('L', 'K').
 */
bool tar_block_is_record(const char *block);

/* Rounded up to whole blocks. */
uint64_t tar_padded(uint64_t size);

/* The records of one entry and its own header. */
struct tar_head {
	uint64_t data; /* offset of the first byte behind the header */
	char type;     /* of the entry itself */
};

/*
 * Walks over the records in front of the entry that starts at `header`. ERR_CORRUPT: they are longer than
 * LIMIT_MEMBER_HEADERS, or say more than where a file is (global pax headers, GNU's and Sun's sparse files).
 */
int tar_head_read(struct space *space, uint64_t header, struct tar_head *out, struct err *e);

#endif
