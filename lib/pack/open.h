/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_OPEN_H
#define PACK_OPEN_H

/*
 * An archive on disk, opened for reading: ours (strict) or another program's (tolerant where that is harmless), the
 * same view on both.
 *
 * Opening reads the papers alone: every manifest, index and config that an image needs is read and proved against its
 * digest, so what `inspect` shows is true of these papers. Layers are proved by pack_file_verify() or when they are
 * read.
 */

#include "base/err.h"
#include "base/events.h"
#include "base/own.h"
#include "pack/layout.h"
#include "pack/pack.h"
#include "stream/source.h"
#include "stream/space.h"

#include <stdbool.h>

/* Who wrote it. */
enum pack_origin {
	ORIGIN_IMGPACK, /* imgpack.json is the first member */
	ORIGIN_OCI,     /* index.json (docker 25+, skopeo oci-archive, buildkit, ctr, crane, podman oci-archive) */
	ORIGIN_DOCKER_ARCHIVE /* manifest.json alone (docker 1.10 to 24, skopeo docker-archive, podman, crane) */
};

struct pack_file {
	struct space *space; /* the tar itself; a scratch copy if it came compressed */
	struct pack *pack;
	struct layout *layout; /* of an imgpack archive: what its bytes must be; else NULL */
	enum pack_origin origin;
	bool docker_papers;      /* of ORIGIN_OCI: docker's manifest.json is in it, too */
	const char *format;      /* "imgpack archive", "docker save (OCI layout)", ...: a static text for the person */
	const char *compression; /* "none", "gzip", "zstd", "xz", "bzip2", "lz4": around the whole tar */
	uint64_t bytes;          /* of the file as it is on disk */
	struct pack_pipe *pipe;  /* it comes through a pipe: its layers pass once, in order; else NULL */
	char **unproved; /* what could not be checked, a sentence each ("layers of x:1 carry no digest of ...") */
	size_t unproved_count;
};

/*
 * Opens `path`. Type from the first bytes, never from the name. gzip, bzip2, xz, zstd and lz4 outside are unpacked to a
 * scratch space first (said through `events`). Not an archive at all: ERR_CORRUPT that names what it seems to be.
 * Refused, with the member and the reason: duplicate names, names that leave the archive, links other than one step to
 * an earlier member, sparse and special members, trailing bytes, missing end blocks, layers or configs that are named
 * but not there.
 */
struct pack_file *pack_file_open(const char *path, const struct events *events, struct err *e);
/* The same of what stands in a space, which is taken: the chunks of an archive. NULL passes through. */
struct pack_file *pack_file_open_space(struct space *space, const struct events *events, struct err *e);
void pack_file_free(struct pack_file *f);
OWNED(pack_file)

/*
 * The same from a descriptor (borrowed). A regular file is read as one. Of what comes through a pipe the beginning is
 * read, as far as an imgpack archive's papers; its layers are proved as they pass, and file->pipe is set. What another
 * program wrote, or is compressed, or has its papers elsewhere, is first put into a scratch space (said through
 * `events`) and is then a file like any other. ERR_USAGE: a terminal.
 */
struct pack_file *pack_file_open_pipe(int fd, const struct events *events, struct err *e);

/* Whatever is left of a pipe into a scratch space: from now on it is a file like any other, whose layers nobody has
 * verified. Before the first blob is asked for; nothing to do if it is no pipe. */
int pack_file_spool(struct pack_file *f, const struct events *events, struct err *e);

/* From now on what passes is proved by its diff ID too. */
int pack_file_prove_content(struct pack_file *f, struct err *e);

/*
 * Proves what has not passed yet, to the archive's end and the pipe's: only now all of it is known to be good. 0 at
 * once if it is no pipe. ERR_CORRUPT.
 */
int pack_file_finish(struct pack_file *f, struct err *e);

/*
 * The bytes of a blob as a verified source; read again from the space each time. Of a pipe once, and in the archive's
 * order: what stands in front of it is proved on the way. A source from which nothing was read may be asked for again.
 */
struct source *pack_file_blob(struct pack_file *f, const struct pack_blob *blob, struct err *e);

/* One thing that is wrong, for `verify` to list. Texts live during the call. */
struct pack_problem {
	uint64_t offset;    /* in the tar */
	uint64_t length;    /* 0: unknown */
	const char *member; /* its name, escaped; or NULL */
	const char *image;  /* the image it belongs to; or NULL */
	const char *what;
};
typedef void pack_problem_fn(void *ctx, const struct pack_problem *problem);

struct verify_options {
	bool diff_ids;            /* also decompress gzip and zstd layers and compare with the config's diff IDs */
	size_t threads;           /* 0: parallel_cpus() */
	pack_problem_fn *problem; /* called under a lock; NULL: nobody listens */
	void *ctx;
};

/*
 * Every byte: the frame (an imgpack archive's headers, padding, order, end), every blob's digest, diff IDs if asked.
 * Several blobs at once, largest first. Goes on after a problem so that all are named; returns -1 with the first one as
 * the error.
 */
int pack_file_verify(struct pack_file *f, const struct verify_options *options, const struct events *events,
		     struct err *e);

#endif
