/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STREAM_SPACE_H
#define STREAM_SPACE_H

/*
 * The byte space: bytes at offsets, for what is not a stream (parallel ranges into known places). Behind it stands one
 * file today; chunks are the second thing that can stand there.
 *
 * Writing follows "commit or vanish": the bytes go to a file beside the final name (NAME.part, mode 0600, its disk
 * reserved with posix_fallocate), and only space_commit() gives them the name. Without it, space_free() leaves no
 * trace, unless space_keep() was called: then the next run finds the file again and can go on with it. One process at a
 * time: the file is locked (flock(2)), and the lock dies with the process.
 */

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct space;

/* Opens an existing regular file for reading. ERR_LOCAL. */
struct space *space_open(const char *path, struct err *e);

/*
 * A space that will be `path`, of no size yet. Refused (ERR_LOCAL) if `path` exists and is not a regular file, if
 * another process is at it, or if what stands under the temporary name is not a file of ours alone (a link, another
 * owner). An existing file stays as it is until space_commit().
 */
struct space *space_stage(const char *path, struct err *e);

/* True if an earlier run left bytes in it. */
bool space_was_there(const struct space *s);

/* The temporary name: borrowed. */
const char *space_part(const struct space *s);

/* Renames what an earlier run left to `aside` and begins anew. */
int space_set_aside(struct space *s, const char *aside, struct err *e);

/* Reserves its disk: from now on it has `size` bytes, also where an earlier run left more. ERR_LOCAL, e->sys ENOSPC:
 * "needs 812 MB, the disk has 97 MB free". */
int space_reserve(struct space *s, uint64_t size, struct err *e);

/* The temporary file outlives space_free(). */
void space_keep(struct space *s);

/* An unnamed temporary space of `size` bytes at most, in TMPDIR or /var/tmp: for what must be unpacked to be read. */
struct space *space_scratch(struct err *e);

uint64_t space_size(const struct space *s);

/* Exactly len bytes at off. An earlier end: ERR_CORRUPT; a failing disk: ERR_LOCAL. From any thread. */
int space_pread(struct space *s, void *buf, size_t len, uint64_t off, struct err *e);

/* All len bytes at off, or an error. From any thread. A scratch space grows; a staged one does not. */
int space_pwrite(struct space *s, const void *bytes, size_t len, uint64_t off, struct err *e);

/* Lets the disk begin to write these bytes, so that the fsync at the end finds little left. A hint: it cannot fail. */
void space_push(struct space *s, uint64_t off, uint64_t len);

/* fsync, rename to the final name, fsync the folder, in this order; at most once, staged spaces alone. */
int space_commit(struct space *s, struct err *e);

void space_free(struct space *s);
OWNED(space)

#endif
