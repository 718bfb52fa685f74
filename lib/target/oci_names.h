/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_OCI_NAMES_H
#define TARGET_OCI_NAMES_H

/*
 * The index.json of a layout that belongs to others, too: which images it names, and how one is added. What is in it
 * stays: members and annotations of every kind, in their order.
 *
 * An image is known by its full name (io.containerd.image.name) and asked for by a short one
 * (org.opencontainers.image.ref.name; skopeo's oci:DIR:NAME, oras' DIR:NAME): its tag, as these programs write it
 * themselves, or where another image has that tag already, the full name.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "oci/reference.h"
#include "pack/pack.h"

#include <stdbool.h>

struct oci_names;

/* ERR_TARGET if it is no index, or holds what could not be kept. */
struct oci_names *oci_names_parse(const char *bytes, size_t len, struct err *e);
void oci_names_free(struct oci_names *n);
OWNED(oci_names)

/* True if an image has this full name: *out is what it points at. */
bool oci_names_find(const struct oci_names *n, const char *name, struct digest *out);

/*
 * The image `root` of that name (its reference beside it); it takes the place of one that has the name. `platform` of
 * a manifest; NULL for an index. *short_name is how it is asked for: borrowed until *n is freed.
 */
int oci_names_add(struct oci_names *n, const char *name, const struct reference *reference,
		  const struct pack_blob *root, const struct platform *platform, const char **short_name,
		  struct err *e);

/* Whether oci_names_write() would write anything else than was parsed. */
bool oci_names_changed(const struct oci_names *n);

int oci_names_write(const struct oci_names *n, struct buf *out, struct err *e);

#endif
