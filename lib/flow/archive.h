/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_ARCHIVE_H
#define FLOW_ARCHIVE_H

/* An archive to read from, in one file or in chunks; and, where it is not what it should be, which file is to blame. */

#include "flow/flow.h"
#include "pack/chunkset.h"
#include "pack/open.h"

struct archive {
	struct pack_file *file; /* NULL: not even its papers could be read */
	struct chunkset *set;   /* NULL: it is one file */
	char *name;             /* that file, or the name that the chunks' table has for the whole */
	const struct events *events;
	/* What archive_open() and archive_verify() found wrong. */
	struct flow_problem *problems;
	size_t problem_count, problem_capacity;
};
void archive_release(struct archive *a);
#define AUTO_ARCHIVE __attribute__((cleanup(archive_release))) struct archive

struct archive_wish {
	const struct digest *expect; /* an archive ID, or NULL: decides where several stand beside each other */
	ask_medium *ask;             /* or NULL */
	void *ask_ctx;
	bool list; /* where chunks are missing, read the others to list what else is wrong */
	const struct events *events;
};

/* What can be said of the paths before anything is looked at: ERR_USAGE. */
int archive_paths_check(const struct archive_paths *paths, struct err *e);

/*
 * Finds and opens it. One file that is an archive is opened as it is, and its folder is not looked at. -1 with *a as
 * far as it came: with a set, problems[] lists what is wrong with its files.
 */
int archive_open(struct archive *a, const struct archive_paths *paths, const struct archive_wish *wish, struct err *e);

/*
 * pack_file_verify(). If that fails and there are chunks, their blocks say which file is damaged, where, and what of
 * which image stands there. If other copies of these chunks are good, or a second reading was, the archive is opened
 * anew over them and verified again. problems[] lists what is wrong; -1 with the first.
 */
int archive_verify(struct archive *a, bool diff_ids, struct err *e);

/* The parity files beside the chunks: problems[] gets what is wrong with them. -1: they could not be read at all. */
int archive_check_parity(struct archive *a, struct err *e);

/* flow_problem's texts. */
void flow_problem_release(struct flow_problem *p);

#endif
