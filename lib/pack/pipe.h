/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_PIPE_H
#define PACK_PIPE_H

/*
 * An imgpack archive that passes once. Its TOC says what follows and its papers stand in front, so what is inside is
 * known before the first layer; after that it is walked, front to back, and every byte is proved while it passes:
 *
 *     gap (padding, header) -> blob, hashed -> gap -> ... -> papers, compared -> end blocks -> the pipe's own end
 *
 * Private to pack/; others see it through open.h.
 */

#include "pack/open.h"
#include "stream/feed.h"

struct blob_use;

struct pack_pipe {
	struct feed *feed;
	const struct pack_file *file;
	struct blob_use *uses; /* one a blob, made when they are asked for */
	bool content;          /* diff IDs are to be proved */
	size_t next;           /* layout->members[]: whose gap comes next */
	/* The member that the walk is at, if it is a blob: members[next - 1]. */
	bool open;
	bool touched; /* somebody has read of it */
	bool proved;  /* to its end */
	uint64_t left;
	/* Its first bytes, looked at and not given yet. */
	char head[16];
	size_t head_at;
	size_t head_len;
	bool finished;
	bool cut;          /* it ended too early: nothing more will come */
	struct err broken; /* once something was wrong nothing more is given */
};

void pack_pipe_free(struct pack_pipe *p);

/* pack_file_blob() for a pipe. */
struct source *pack_pipe_blob(struct pack_file *f, const struct pack_blob *blob, struct err *e);

/* pack_file_verify() for a pipe: one blob after the other. Where it was cut the list ends. */
int pack_pipe_verify(struct pack_file *f, const struct verify_options *options, const struct events *events,
		     struct err *e);

/* pipe_walk.c: the steps. Each consumes all bytes that it is about, also where they are wrong, unless the pipe is cut.
 */
int pipe_pass_gap(struct pack_pipe *p, struct err *e);
int pipe_pass_member(struct pack_pipe *p, struct err *e);
int pipe_expect_end(struct pack_pipe *p, struct err *e);

/* pipe_source.c: the blob that the walk is at. */
struct source *pipe_source(struct pack_pipe *p, struct err *e);

/* Exactly len bytes; an earlier end is ERR_CORRUPT and sets `cut`. And at most cap of the blob that the walk is at. */
int pipe_take(struct pack_pipe *p, void *buf, size_t len, struct err *e);
ssize_t pipe_take_some(struct pack_pipe *p, void *buf, size_t cap, struct err *e);

/* pipe.c: fills uses. */
int pipe_note_uses(struct pack_pipe *p, struct err *e);

/* open.c: what the bytes of f->space are, and reads them. */
int pack_file_read(struct pack_file *f, const struct events *events, struct err *e);

#endif
