/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_FOREIGN_H
#define PACK_FOREIGN_H

/*
 * Archives that other programs wrote: OCI layouts in a tar (docker 25 and later, skopeo and podman oci-archive,
 * buildkit, ctr, crane) and docker-archives (docker save to 24, skopeo and podman docker-archive, crane). Tolerant
 * where that is harmless, strict where a consumer could read another image than we verify. What cannot be checked goes
 * to f->unproved.
 */

#include "pack/members.h"
#include "pack/open.h"

/* Fills f->pack, origin and format from f->space. ERR_CORRUPT. */
int foreign_open(struct pack_file *f, struct err *e);

/* The two kinds, once the members are known. */
int oci_layout_open(struct pack_file *f, const struct members *m, struct err *e);
int docker_archive_open(struct pack_file *f, const struct members *m, struct err *e);

/* Reads a member into *out; ERR_CORRUPT over `max` bytes. */
int foreign_read(struct pack_file *f, const struct tar_member *t, size_t max, struct buf *out, struct err *e);

/*
 * A new image of the pack whose root is blob `root`, under the name that the archive says, normalised. A text that is
 * no reference gives a nameless image, once a root. A name that is taken gives none (*out NULL). Both are said in
 * f->unproved, unless the name stands for the same root.
 */
int foreign_add_image(struct pack_file *f, const char *text, size_t root, struct pack_image **out, struct err *e);

/* The image that has this name, or NULL. */
struct pack_image *foreign_find_image(const struct pack *p, const char *name);

#endif
