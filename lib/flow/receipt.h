/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_RECEIPT_H
#define FLOW_RECEIPT_H

/*
 * --receipt FILE: what was loaded where, for who asks later. One JSON document:
 *
 *     {"imgpack":"1.0.0","command":"load","time":"2026-11-24T21:15:00Z","archive":"apps.tar","id":"sha256:...",
 *      "target":"registry:10.0.0.5:5000/mirror",
 *      "images":[{"name","digest","loaded_as","already_there","platforms":[{"platform","digest"}]}],
 *      "sent_bytes":1,"skipped_bytes":2}
 *
 * `id` is null for an archive that has none (docker save's). It is written when everything is loaded and proved, and
 * not before: a run that fails leaves what stood under FILE as it was. `time` is when it was written (RFC 3339, UTC):
 * the only clock reading that imgpack puts into a file.
 */

#include "base/err.h"
#include "base/own.h"
#include "flow/flow.h"

struct receipt_image {
	const char *name;      /* in the archive, or NULL */
	struct digest digest;  /* there */
	const char *loaded_as; /* or NULL */
	bool had_it;
	const struct flow_platform *platforms;
	size_t platform_count;
};

/* All borrowed. */
struct receipt {
	const char *command;     /* "load" */
	const char *archive;     /* where it came from */
	const struct digest *id; /* or NULL */
	const char *target;
	const struct receipt_image *images;
	size_t count;
	uint64_t sent_bytes;
	uint64_t skipped_bytes;
};

/* A file that can be written: FILE.part stands there, with nothing in it, and goes away if no receipt is written. */
struct receipt_file;
struct receipt_file *receipt_open(const char *path, struct err *e);
void receipt_file_free(struct receipt_file *f);
OWNED(receipt_file)

/* fsync, rename to FILE, fsync the folder; at most once. ERR_LOCAL. */
int receipt_write(struct receipt_file *f, const struct receipt *r, struct err *e);

/* The document at `now` (seconds since 1970) into *out, for tests. */
int receipt_json(const struct receipt *r, int64_t now, struct buf *out, struct err *e);

#endif
