/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_CHUNK_FIND_H
#define PACK_CHUNK_FIND_H

/*
 * The inside of chunkset_find(): candidates are collected (chunk_files.c), placed by their blocks (chunk_match.c), by
 * their names and what is left over (chunk_guess.c), or by what a TOC says stands where (chunk_toc.c); chunkset_find.c
 * then chooses.
 */

#include "pack/chunkset.h"

#include <sys/types.h>

enum file_kind {
	FILE_PLAIN,   /* anything: perhaps a chunk */
	FILE_TABLE,   /* a sums file; `set` is its set, NOWHERE if it is damaged */
	FILE_PARITY,  /* a parity file; `set` and `number` are in its header */
	FILE_BLOCKS,  /* a list of wanted blocks or what came for one (wants.h): never a chunk */
	FILE_CUT,     /* begins with a TOC that promises more than the file has: a first chunk, or a cut archive */
	FILE_ARCHIVE, /* begins with a TOC, and is as long as that says, or longer */
	FILE_FOREIGN, /* begins as somebody else's archive does */
};
#define NOWHERE SIZE_MAX

struct candidate {
	char *path;
	const char *name; /* in path */
	uint64_t size;
	enum file_kind kind;
	bool named;       /* directly, not only its folder */
	bool placed;      /* in some set */
	size_t set;       /* sets[]: of a table or parity file, or where it was placed first; else NOWHERE */
	size_t number;    /* of a parity file, from 0 */
	struct digest id; /* of FILE_CUT and FILE_ARCHIVE */
	uint64_t whole;   /* bytes that the archive must have, of these two */
};

/* A block of a table: sorted by key, so that a digest is looked up by bisection. */
struct known_block {
	uint64_t key; /* the digest's first bytes */
	uint32_t set;
	uint32_t file; /* chunks, then parity files */
	uint32_t block;
};

struct finder {
	struct candidate *files;
	size_t count, capacity;
	struct chunkset **sets;
	size_t set_count, set_capacity;
	bool borrowed; /* the one set is the caller's */
	struct known_block *blocks;
	size_t block_count;
	size_t table_bytes; /* of memory that tables take */
	char **folders;     /* looked through already, by their real paths */
	size_t folder_count, folder_capacity;
	const struct events *events;
};
void finder_release(struct finder *f);
#define AUTO_FINDER __attribute__((cleanup(finder_release))) struct finder

/* How sure it is that a file is this chunk. */
enum sureness {
	SURE_NOT,
	SURE_LEFT_OVER, /* nothing else is left for it */
	SURE_NAME,
	SURE_BLOCK, /* one of its blocks is right */
	SURE_HEAD,  /* its first block is right, or what a TOC says stands in it */
	SURE_TABLE  /* it says so itself */
};

/* All files of the paths, with the tables in them. A file that is named brings its folder along. */
int find_collect(struct finder *f, const char *const *paths, size_t count, struct err *e);
/* Takes a table; the index of its set, an equal one's if there is. -1. */
ptrdiff_t find_add_set(struct finder *f, struct sums *sums, bool has_blocks, struct err *e);

/* The chunks, then the parity files of a set. */
static inline struct sums_file *set_file(const struct chunkset *c, size_t file)
{
	return file < c->sums.count ? &c->sums.chunks[file] : &c->sums.parity[file - c->sums.count];
}
static inline struct chunk *set_chunk(const struct chunkset *c, size_t file)
{
	return file < c->sums.count ? &c->chunks[file] : &c->parity[file - c->sums.count];
}
static inline size_t set_files(const struct chunkset *c)
{
	return c->sums.count + c->sums.parity_count;
}

/* The candidate holds this file of this set. */
int find_place(struct finder *f, size_t candidate, size_t set, size_t file, enum sureness sure, struct err *e);

/* By blocks. `any_size`: also files that are not as long as any chunk (cut ones, or with something behind). */
int find_index(struct finder *f, struct err *e);
int find_match(struct finder *f, bool any_size, struct err *e);

/* By name, then by elimination: what of a set is still missing. */
int find_guess(struct finder *f, size_t set, struct err *e);

/* Notes the blocks files among the candidates. */
int find_carried(const struct finder *f, struct chunkset *c, struct err *e);
void carried_free(struct carried *files, size_t count);

/* Of an archive that begins in this space: its ID and size. 1; 0: it does not begin with a whole, good TOC; -1. */
int find_toc(struct space *space, struct digest *id, uint64_t *size, struct err *e);
/* A set for the FILE_CUT candidate, without a table, and its chunks among the candidates. Its index; -1. */
ptrdiff_t find_by_toc(struct finder *f, size_t candidate, struct err *e);
/* More chunks of a set without a table. */
int find_more_by_toc(struct finder *f, size_t set, struct err *e);

#endif
