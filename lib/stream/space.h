/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STREAM_SPACE_H
#define STREAM_SPACE_H

/*
 * The byte space: bytes at offsets, for what is not a stream (parallel ranges into known places). Behind it stands one
 * file, or several, one behind the other: the chunks of an archive.
 *
 * Writing follows "commit or vanish": the bytes go to files beside the final names (NAME.part, mode 0600, their disk
 * reserved with posix_fallocate), and only space_commit() gives them the names. Without it, space_free() leaves no
 * trace, unless space_keep() was called: then the next run finds the files again and can go on with them. One process
 * at a time: the files are locked (flock(2)), and the lock dies with the process.
 */

#include "base/digest.h"
#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct space;

/* Opens an existing regular file for reading. ERR_LOCAL. */
struct space *space_open(const char *path, struct err *e);

/* The regular file behind a descriptor that is open for reading; it is duplicated. */
struct space *space_of_descriptor(int fd, struct err *e);

/* Opens several, one behind the other, as they are long now. Errors of one say which. ERR_LOCAL. */
struct space *space_open_files(const char *const *paths, size_t count, struct err *e);

/*
 * What is cut into chunks of `chunk` bytes (0: not cut, one file). The last one may be shorter, none is empty. Names
 * are PATH.001, PATH.002, ...; with more than 999 all of them have the digits that the last one needs. The name is
 * owned by the caller, NULL: ERR_LOCAL.
 */
size_t space_chunk_count(uint64_t size, uint64_t chunk);
char *space_chunk_name(const char *path, size_t number, size_t count, struct err *e); /* number: 1.. */

/*
 * A space that will be `path`, of no size yet; or, with a `chunk`, the chunks of `path` that `size` bytes make. Refused
 * (ERR_LOCAL) if a final name exists and is not a regular file, if another process is at it, or if what stands under a
 * temporary name is not a file of ours alone (a link, another owner). Existing files stay as they are until
 * space_commit().
 */
struct space *space_stage(const char *path, struct err *e);
struct space *space_stage_chunks(const char *path, uint64_t size, uint64_t chunk, struct err *e);

/* True if an earlier run left bytes in it. */
bool space_was_there(const struct space *s);

/* The (first) temporary name: borrowed. NULL once it is committed. */
const char *space_part(const struct space *s);

/*
 * What an earlier run left, of another size or cut (the two numbers), is put aside: NAME.part becomes NAME.part.old,
 * and the space begins anew. space_open_aside() opens it, space_drop_aside() removes it.
 */
int space_set_aside(struct space *s, uint64_t size, uint64_t chunk, struct err *e);
struct space *space_open_aside(const struct space *s, uint64_t size, uint64_t chunk, struct err *e);
void space_drop_aside(const struct space *s, uint64_t size, uint64_t chunk);

/* Reserves its disk: from now on it has `size` bytes, also where an earlier run left more. ERR_LOCAL, e->sys ENOSPC:
 * "needs 812 MB, the disk has 97 MB free". */
int space_reserve(struct space *s, uint64_t size, struct err *e);

/* The temporary files outlive space_free(). */
void space_keep(struct space *s);

/* An unnamed temporary space of `size` bytes at most, in TMPDIR or /var/tmp: for what must be unpacked to be read. */
struct space *space_scratch(struct err *e);

uint64_t space_size(const struct space *s);

/* Exactly len bytes at off. An earlier end: ERR_CORRUPT; a failing disk: ERR_LOCAL. From any thread. */
int space_pread(struct space *s, void *buf, size_t len, uint64_t off, struct err *e);

/*
 * The file that holds all `len` bytes at `off`, for calls that take a descriptor (sendfile): its descriptor, borrowed,
 * and where in it they begin. False: several files hold them, or none does; space_pread() reads them.
 */
bool space_file_range(const struct space *s, uint64_t off, uint64_t len, int *fd, uint64_t *at);

/* SHA-256 of the len bytes at off, read in order. As space_pread(), and ERR_CANCELLED. */
int space_digest(struct space *s, uint64_t off, uint64_t len, struct digest *out, struct err *e);

/* All len bytes at off, or an error. From any thread. A scratch space grows; a staged one does not. */
int space_pwrite(struct space *s, const void *bytes, size_t len, uint64_t off, struct err *e);

/* Lets the disk begin to write these bytes, so that the fsync at the end finds little left. A hint: it cannot fail. */
void space_push(struct space *s, uint64_t off, uint64_t len);

/* fsync. What comes after it may be read back from the medium: space_forget() drops the pages that the kernel holds. */
int space_sync(struct space *s, struct err *e);
void space_forget(struct space *s);

/*
 * fsync, rename to the final name, fsync the folder, in this order; at most once, staged spaces alone. Of chunks all
 * are synced before the first gets its name.
 */
int space_commit(struct space *s, struct err *e);

void space_free(struct space *s);
OWNED(space)

#endif
