/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_WHERE_H
#define PACK_WHERE_H

/* What of an archive of ours stands at some of its bytes, in words for the person. */

#include "pack/open.h"

#define WHERE_SIZE 320

struct where {
	const char *member;    /* of the first that is touched; borrowed from the layout */
	const char *image;     /* that it belongs to, or NULL; borrowed from the pack */
	char text[WHERE_SIZE]; /* "layer 2 of quay.io/x:1", "index.json", "layer 1 of x:1 and 3 members behind it" */
};

/* True, and *out, if the archive has a layout (is one of ours) and something stands there. */
bool where_find(const struct pack_file *f, uint64_t offset, uint64_t length, struct where *out);

#endif
