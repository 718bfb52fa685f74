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
 * The image's name from what the archive says, normalised, into a new image of the pack. A text that is no reference
 * gives a nameless image, a name that is taken already none (*out NULL): both are said in f->unproved.
 */
int foreign_add_image(struct pack_file *f, const char *text, struct pack_image **out, struct err *e);

#endif
