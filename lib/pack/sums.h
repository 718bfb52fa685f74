/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_SUMS_H
#define PACK_SUMS_H

/*
 * The table of a set of chunks: what each of them must be, whole and block by block. As text it is the sums file
 * (x.sha256), which `sha256sum -c` takes, because everything that is more than a sum stands in comment lines; and every
 * parity file carries it in its header, so that no single lost file takes it away.
 *
 *     # imgpack-sums 1
 *     # set sha256:<archive ID>
 *     # archive <bytes> <bytes of a chunk> x.tar
 *     # parity <how many parity files>
 *     # chunk 1 <bytes>
 *     # block <hex sha256 of its first SUMS_BLOCK bytes>
 *     # block <hex ...>                                       (the last one may be shorter)
 *     <hex sha256 of the file>  x.tar.001
 *     ...
 *     # parity-file 1 <bytes> <bytes of its header>
 *     # block <hex ...>                                       (of what follows its header)
 *     <hex sha256 of the file>  x.parity.01                   (not in a parity file's own copy)
 *     ...
 *     # end <hex sha256 of everything above>
 *
 * Names are base names, as they were at writing: hints for the person, never relied on. A name with a backslash or a
 * line break is written as sha256sum(1) does, with a backslash in front of the line.
 */

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "stream/space.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUMS_BLOCK (UINT64_C(4) << 20)
#define SUMS_SUFFIX ".sha256"

struct sums_file {
	char *name;
	uint64_t size;   /* of the whole file */
	uint64_t header; /* bytes in front of its blocks: 0 but for parity files */
	bool has_digest; /* of the whole file */
	struct digest digest;
	struct digest *blocks; /* sums_blocks() of them */
};

struct sums {
	struct digest set; /* the archive ID */
	char *archive;     /* "x.tar" */
	uint64_t size;     /* of the archive */
	uint64_t chunk;    /* bytes of every chunk but the last */
	struct sums_file *chunks;
	size_t count;
	struct sums_file *parity;
	size_t parity_count;
};

/* How many blocks a file has, and how many bytes block i of it is long. */
size_t sums_blocks(const struct sums_file *f);
uint64_t sums_block_size(const struct sums_file *f, size_t block);

/*
 * A table for the archive at `path` with names and sizes, all digests zero: to be filled by seal.h. `parity` files
 * belong to it. ERR_USAGE if there are more files than an erasure code can have (255) and parity is wanted, or more
 * than LIMIT_CHUNKS chunks.
 */
int sums_make(struct sums *out, const char *path, const struct digest *set, uint64_t size, uint64_t chunk,
	      size_t parity, struct err *e);

/*
 * Reads one chunk of the archive and fills its digests, the whole's and the blocks'. Different
 * chunks may be filled at once. ERR_LOCAL, ERR_CANCELLED.
 */
int sums_fill(struct sums *s, size_t chunk, struct space *archive, struct err *e);

/* "dir/x.tar" -> "dir/x" (".tar" and ".tar.zst" are cut off), then the suffix. Owned. NULL: out of memory. */
char *sums_path(const char *path, const char *suffix, struct err *e);
/* "dir/x.tar" -> "dir/x.parity.01"; number from 1. Owned. */
char *sums_parity_path(const char *path, size_t number, size_t count, struct err *e);

/* The text. `inside_parity`: the copy that parity files carry. */
int sums_write(const struct sums *s, bool inside_parity, struct buf *out, struct err *e);

/* How many bytes sums_write() gives: it depends on counts and names alone, not on digests. */
int sums_text_size(const struct sums *s, bool inside_parity, size_t *out, struct err *e);

/* True if the text begins as a table does. */
bool sums_detect(const char *text, size_t len);

/*
 * Reads a table; every number is checked against the others (sizes, counts, blocks), and the end line against the text.
 * ERR_CORRUPT: "the table is damaged".
 */
int sums_parse(struct sums *out, const char *text, size_t len, struct err *e);

void sums_release(struct sums *s);
#define AUTO_SUMS __attribute__((cleanup(sums_release))) struct sums

#endif
