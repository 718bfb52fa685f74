/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_BLOB_READ_H
#define PACK_BLOB_READ_H

/* Reading an archive's papers into its pack, proved. Shared by the readers of all formats. */

#include "pack/open.h"

/*
 * Reads blob `blob` of f->pack into memory (at most `max` bytes) if it is not there yet, proved against its promise,
 * and gives it the role. ERR_CORRUPT if it is absent or too large.
 */
int blob_read_paper(struct pack_file *f, size_t blob, enum blob_role role, size_t max, struct err *e);

/* The same for the config of the manifest at blob `manifest` (already read), if that is an image's. */
int blob_read_config(struct pack_file *f, size_t manifest, struct err *e);

/* A sentence for f->unproved. */
int pack_file_doubt(struct pack_file *f, struct err *e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
