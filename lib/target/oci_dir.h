/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_OCI_DIR_H
#define TARGET_OCI_DIR_H

/*
 * A folder that is an OCI image layout (OCI image specification 1.1, "image-layout"): oci-layout, index.json,
 * blobs/sha256/<hex>. Blobs are written to files without a name and get one when they are proved and on the disk; the
 * index is replaced in one step under a lock. So whenever this process ends, the layout is as it was, or as it shall
 * be.
 */

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/events.h"
#include "base/own.h"
#include "stream/source.h"

#include <stdbool.h>

struct oci_dir;

/*
 * Opens it, or makes it, where nothing or an empty folder is (its parent must be there). ERR_USAGE: the folder holds
 * something else. ERR_TARGET: a layout of another version.
 */
struct oci_dir *oci_dir_open(const char *path, const struct events *events, struct err *e);
void oci_dir_free(struct oci_dir *d); /* with its lock */
OWNED(oci_dir)

/* 1: a blob stands there and is what its digest says, each time read to its end; 0: it does not, or is damaged. */
int oci_dir_has(struct oci_dir *d, const struct digest *digest, struct err *e);

/* Room for `bytes` more? ERR_LOCAL, ENOSPC: "needs 812 MB, the disk has 97 MB free". */
int oci_dir_room(struct oci_dir *d, uint64_t bytes, struct err *e);

/* Writes a blob, of a verified source (borrowed, read to its end). What stands there under its name is replaced. */
int oci_dir_put(struct oci_dir *d, const struct digest *digest, struct source *bytes, struct err *e);

/* Waits until no other imgpack changes the index; that is said. Holds until the folder is freed. */
int oci_dir_lock(struct oci_dir *d, const struct events *events, struct err *e);

/* index.json, into *out. */
int oci_dir_index(struct oci_dir *d, struct buf *out, struct err *e);

/* Makes the blobs last, then replaces index.json. Under the lock. */
int oci_dir_commit(struct oci_dir *d, const struct buf *index, struct err *e);

#endif
