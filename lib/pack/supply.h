/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_SUPPLY_H
#define PACK_SUPPLY_H

/*
 * Where the bytes of a pack's blobs come from: an archive on disk, one that passes through a pipe, or the registry that
 * it was planned from. Whoever brings a pack somewhere asks here, and so does not care which.
 */

#include "pack/open.h"

struct supply;

struct supply_ops {
	/*
	 * The bytes as a verified source: read to its end = proved. `worker` is the caller's thread, 0..connections-1:
	 * each has at most one source open.
	 */
	struct source *(*open)(const struct supply *s, const struct pack_blob *blob, size_t worker, struct err *e);
	/* True: blobs pass once, in the pack's order, on one worker. NULL: never. */
	bool (*passes)(const struct supply *s);
	/* The end, when nothing more is asked for: only now all that passed is known to be good. NULL: nothing to do.
	 */
	int (*finish)(const struct supply *s, struct err *e);
	/* What passes is put aside and proved: from now on blobs are asked for in any order. Before the first. Or NULL.
	 */
	int (*keep)(const struct supply *s, const struct events *events, struct err *e);
	/*
	 * After a source ended in ERR_CORRUPT, *why: true if the blob may be asked for again, because another place, or
	 * the same one once more, may give the right bytes. Who gave the wrong ones is put into *why. NULL: never.
	 */
	bool (*other)(const struct supply *s, const struct pack_blob *blob, struct err *why);
	/*
	 * A repository of `registry` in which the blob stands already, so that it can be mounted from there; or NULL.
	 * Borrowed. NULL: never.
	 */
	const char *(*stands_in)(const struct supply *s, const struct pack_blob *blob, const char *registry);
};

/* A value; what it points at is borrowed. */
struct supply {
	const struct supply_ops *ops;
	void *ctx;
	const struct pack *pack;
	const char *noun;        /* what messages call it: "the archive" */
	const struct digest *id; /* of an imgpack archive; else NULL */
};

/* Of an archive, open or passing. */
struct supply supply_of_file(struct pack_file *f);

bool supply_passes(const struct supply *s);
struct source *supply_open(const struct supply *s, const struct pack_blob *blob, size_t worker, struct err *e);
int supply_finish(const struct supply *s, struct err *e);
int supply_keep(const struct supply *s, const struct events *events, struct err *e);
bool supply_other(const struct supply *s, const struct pack_blob *blob, struct err *why);
const char *supply_stands_in(const struct supply *s, const struct pack_blob *blob, const char *registry);

/* supply_open() in the shape that layout_source() wants: ctx is the supply, the worker 0. */
struct source *supply_open_blob(void *ctx, const struct pack_blob *blob, struct err *e);

#endif
