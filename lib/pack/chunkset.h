/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_CHUNKSET_H
#define PACK_CHUNKSET_H

/*
 * The chunks of one archive, wherever they lie: in a folder, in several (one a stick), under any names. They are known
 * by content: by the blocks' digests of a table (a sums file, or the copy in a parity file); without any table by what
 * the archive's TOC says stands where. Nothing here ever changes a file.
 */

#include "base/events.h"
#include "pack/open.h"
#include "pack/sums.h"
#include "stream/space.h"

/* One place of the archive, and the files that hold it: usually one; several if it was copied twice. */
struct chunk {
	char **paths;
	size_t count; /* 0: missing */
	/* After chunkset_check(): for each block which of the paths has it right, else CHUNK_BAD. NULL before. */
	uint8_t *good;
};
#define CHUNK_BAD UINT8_MAX

struct chunkset {
	struct sums sums;
	bool has_blocks;      /* false: there was no table; chunks' places come from the TOC, blocks have no digests */
	struct chunk *chunks; /* sums.count */
	struct chunk *parity; /* sums.parity_count */
	char **notes;         /* what the person should know: files of other sets, names that say something else */
	size_t note_count;
};

/*
 * Looks at files and folders (not below them). 1: they hold chunks of an archive, *out; 0: they are something else (one
 * archive in one file, something foreign): *single is the path of the one file to open, owned, or NULL if there is
 * nothing that could be one; -1.
 *
 * A file that is named decides which set is meant, and its folder is looked through for the rest; a folder decides if
 * it holds chunks of one set alone, or of one complete one. ERR_USAGE, with the list, if that is not clear; `expect`
 * (an archive ID, or NULL) chooses.
 */
int chunkset_find(const char *const *paths, size_t count, const struct digest *expect, const struct events *events,
		  struct chunkset **out, char **single, struct err *e);
void chunkset_free(struct chunkset *c);
OWNED(chunkset)

/* Looks through more paths for what is missing. How many chunks were found there. -1. */
ptrdiff_t chunkset_add(struct chunkset *c, const char *const *paths, size_t count, const struct events *events,
		       struct err *e);

/* Chunks (not parity files) that no file holds. */
size_t chunkset_missing(const struct chunkset *c);

/* "x.tar.003 (4294967295 bytes) and x.tar.005 (1203 bytes) are missing": ERR_CORRUPT. Always -1. */
int chunkset_refuse_missing(const struct chunkset *c, struct err *e);

/* One thing that is wrong with a file. `chunk` is its path as found, escaped, or its name in the table. */
struct chunk_problem {
	const char *chunk;
	uint64_t offset; /* in the chunk */
	uint64_t length;
	size_t file;      /* sums.chunks[], then sums.parity[] */
	const char *what; /* "is damaged at bytes 8388608-12582911", "is missing", "ends at byte 1203 of 4000000000:
			     copy it again", "this is UTF-16 text: PowerShell's > changed it" */
};
typedef void chunk_problem_fn(void *ctx, const struct chunk_problem *p);

/*
 * Every block of every file against the table, several at once; chunk.good is filled. A block that is wrong is read
 * once more past the kernel's cache, and both results are told. 0: every chunk is whole (parity files may not be: told
 * all the same), -1: ERR_CORRUPT with the first problem, or ERR_LOCAL, ERR_CANCELLED. Without a table nothing can be
 * checked here: 0 if every chunk is there and long enough.
 */
int chunkset_check(struct chunkset *c, chunk_problem_fn *problem, void *ctx, const struct events *events,
		   struct err *e);

/* The archive as one space, over the best file of each chunk (after a check: a whole one). ERR_CORRUPT if one is
 * missing. */
struct space *chunkset_space(const struct chunkset *c, struct err *e);

#endif
