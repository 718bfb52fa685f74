/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_CHUNKSET_H
#define PACK_CHUNKSET_H

/*
 * The chunks of one archive, wherever they lie: in a folder, in several (one a stick), under any names. They are known
 * by content: by the blocks' digests of a table (a sums file, or the copy in a parity file); without any table by what
 * the archive's TOC says stands where. A name is only a hint, for a chunk none of whose blocks is right any more.
 * Nothing here ever changes a file, and nothing found here is trusted: the archive is verified afterwards.
 */

#include "base/events.h"
#include "base/own.h"
#include "pack/sums.h"
#include "stream/space.h"

/* One place of the archive, and the files that hold it: usually one; several if it was copied twice. */
struct chunk {
	char **paths; /* the surest first */
	uint8_t *sureness;
	size_t count; /* 0: missing */
	/* After chunkset_check(): for each block which of the paths has it right, else CHUNK_BAD. NULL before. */
	uint8_t *good;
};
#define CHUNK_BAD UINT8_MAX
#define CHUNK_CARRIED (UINT8_MAX - 1) /* none of the paths, but a blocks file (wants.h) */
#define CHUNK_COPIES 16               /* of one chunk; more are not looked at */

struct chunkset {
	struct sums sums;
	bool has_blocks;      /* false: there was no table; chunks' places come from the TOC, blocks have no digests */
	struct chunk *chunks; /* sums.count */
	struct chunk *parity; /* sums.parity_count */
	struct carried *carried; /* blocks files that lie there, of this set or another */
	size_t carried_count;
};

/*
 * Looks at files and folders (not below them). 1: they hold chunks of an archive, *out; 0: they are something else (one
 * archive in one file, something foreign): *single is the path of the one file to open, owned, or NULL if there is
 * nothing that could be one; -1.
 *
 * A file that is named decides which set is meant, and its folder is looked through for the rest; a folder decides if
 * it holds chunks of one set alone, or of one complete one. ERR_USAGE, with the list, if that is not clear; `expect`
 * (an archive ID, or NULL) chooses. Files of other sets are said through `events`.
 */
int chunkset_find(const char *const *paths, size_t count, const struct digest *expect, const struct events *events,
		  struct chunkset **out, char **single, struct err *e);
void chunkset_free(struct chunkset *c);
OWNED(chunkset)

/* True (1) if a good sums file of this set stands among the paths, which are looked through as above; 0; -1. */
int chunkset_has_sums_file(const struct chunkset *c, const char *const *paths, size_t count, struct err *e);

/* Looks through more paths for what is missing. How many chunks were found there. -1. */
ptrdiff_t chunkset_add(struct chunkset *c, const char *const *paths, size_t count, const struct events *events,
		       struct err *e);

/* All its files by one number: the chunks, then the parity files. */
static inline size_t chunkset_files(const struct chunkset *c)
{
	return c->sums.count + c->sums.parity_count;
}
static inline struct chunk *chunkset_chunk(const struct chunkset *c, size_t file)
{
	return file < c->sums.count ? &c->chunks[file] : &c->parity[file - c->sums.count];
}
static inline struct sums_file *chunkset_want(const struct chunkset *c, size_t file)
{
	return file < c->sums.count ? &c->sums.chunks[file] : &c->sums.parity[file - c->sums.count];
}

/* Chunks (not parity files) that no file holds. */
size_t chunkset_missing(const struct chunkset *c);

/* "x.tar.003 (4294967295 bytes) and x.tar.005 (1203 bytes)": the missing ones, escaped. */
int chunkset_list_missing(const struct chunkset *c, struct buf *out, struct err *e);

/* "x.tar.003 (4294967295 bytes) and x.tar.005 (1203 bytes) are missing": ERR_CORRUPT. Always -1. */
int chunkset_refuse_missing(const struct chunkset *c, struct err *e);

/* One thing that is wrong with a file. Texts live during the call, and are escaped. */
struct chunk_problem {
	const char *chunk; /* its path as found, or its name in the table if it is missing */
	uint64_t offset;   /* in the chunk */
	uint64_t length;
	size_t file;      /* sums.chunks[], then sums.parity[] */
	bool damaged;     /* at these bytes; false: the file as a whole */
	const char *what; /* "is damaged", "is missing", "ends at byte 1203 of 4000000000: copy it again",
			     "is UTF-16 text; PowerShell's > ..." */
	const char *also; /* of damage: "read twice, the same both times"; or NULL */
};
typedef void chunk_problem_fn(void *ctx, const struct chunk_problem *p);

/* "x.tar.003 is damaged at bytes 8388608-12582911 (read twice, the same both times)": ERR_CORRUPT. Always -1. */
int chunk_problem_refuse(const struct chunk_problem *p, struct err *e);

/* Which files a check looks at. */
enum chunk_files { CHUNK_ARCHIVE = 1, CHUNK_PARITY = 2, CHUNK_ALL = 3 };

/*
 * Every block of every such file against the table, several files at once; chunk.good is filled. A block that is wrong
 * is read once more past the kernel's cache, and both results are told. 0: every chunk is whole (parity files may not
 * be: told all the same), -1: ERR_CORRUPT with the first problem, or ERR_LOCAL, ERR_CANCELLED. What is wrong with one
 * copy of a chunk while another is right is no problem, but a warning through `events`; so is a block that was right
 * the second time. Without a table: 0 if every chunk is there and as long as it must be.
 */
int chunkset_check(struct chunkset *c, enum chunk_files which, chunk_problem_fn *problem, void *ctx,
		   const struct events *events, struct err *e);

/*
 * After chunkset_check(), once: blocks that no file of the set has right and that stand in a blocks file, proved by the
 * table, are good as CHUNK_CARRIED. *bytes: how many. A blocks file that is damaged is a warning. ERR_LOCAL,
 * ERR_CANCELLED.
 */
int chunkset_take_carried(struct chunkset *c, const struct events *events, uint64_t *bytes, struct err *e);
/* Bytes from..from+len of such a block. From any thread. */
int chunkset_read_carried(const struct chunkset *c, size_t chunk, size_t block, void *buf, size_t from, size_t len,
			  struct err *e);

/*
 * The archive as one space, over the best file of each chunk (after a check: a whole one). ERR_CORRUPT if one is
 * missing, or not as long as it must be.
 */
struct space *chunkset_space(const struct chunkset *c, struct err *e);

/* Which chunk a byte of the archive is in; *inside is its offset there. */
size_t chunkset_locate(const struct chunkset *c, uint64_t offset, uint64_t *inside);
/* The chunk's path as found, or its name in the table if it is missing. Borrowed, not escaped. */
const char *chunkset_path(const struct chunkset *c, size_t chunk);

#endif
