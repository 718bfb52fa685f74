/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_JOURNAL_H
#define PACK_JOURNAL_H

/*
 * What a fetch that has not come to its end has on disk: a text file beside the unfinished archive, so that the next
 * run goes on where this one stopped. Lines:
 *
 *     imgpack-journal 1 <archive ID> <archive's size> <bytes of a chunk, 0: one file>
 *     blob <number> sha256:<hex> <size> <offset of its first byte in the archive>
 *     have <number> <first byte> <bytes> <CRC-32C, 8 hex digits>
 *     drop <number>                                              (its bytes turned out wrong: forget them)
 *
 * Nothing of it is believed: a line that is cut or makes no sense is skipped, a stretch counts only if the bytes on
 * disk have its CRC, and a blob only if they have its digest. So the journal needs no fsync of its own, and neither
 * kill -9 nor a power loss can make it lie.
 */

#include "base/digest.h"
#include "base/err.h"
#include "base/own.h"
#include "pack/layout.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that a journal says are there. */
struct stretch {
	size_t blob; /* journal_read.blobs[] */
	uint64_t from;
	uint64_t len;
	uint32_t crc;
};
struct journal_blob {
	bool named; /* a number that no line has named is skipped over */
	struct promise promise;
	uint64_t place; /* offset of its first byte in the file */
};
struct journal_read {
	struct digest id;
	uint64_t size;
	uint64_t chunk;
	struct journal_blob *blobs;
	size_t blob_count;
	size_t blob_capacity;
	struct stretch *stretches;
	size_t count;
	size_t capacity;
};

/*
 * Reads a journal into *out (`{0}` before). 1: it is one, 0: there is none, or none that can be used; -1: ERR_LOCAL.
 * What comes out is bounded and consistent (a stretch lies within its blob), not true.
 */
int journal_read(const char *path, struct journal_read *out, struct err *e);
void journal_read_release(struct journal_read *j);
#define AUTO_JOURNAL_READ __attribute__((cleanup(journal_read_release))) struct journal_read

/* Writing. journal_note() and journal_drop() may be called from any thread. */
struct journal;

/*
 * A new one for the layout, cut into chunks, in place of what stands under `path`; or more lines for the one that is
 * there (`go_on`). A new one that cannot be begun is gone again.
 */
struct journal *journal_open(const char *path, const struct layout *l, uint64_t chunk, bool go_on, struct err *e);

/* layout->members[member]'s bytes from.. are on disk. One write(2) of a whole line. */
int journal_note(struct journal *j, size_t member, uint64_t from, uint64_t len, uint32_t crc, struct err *e);
int journal_drop(struct journal *j, size_t member, struct err *e);

/* True if it says of any byte that it is there: an empty one is worth nothing. */
bool journal_is_worth_keeping(struct journal *j);

void journal_free(struct journal *j); /* the file stays */
OWNED(journal)

#endif
