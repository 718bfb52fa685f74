/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_IMAGES_H
#define CMD_IMAGES_H

/* The list behind `fetch --images`. */

#include "base/err.h"

#include <stddef.h>

/* References; the ones read from files are owned. */
struct images {
	char **owned;
	size_t owned_count, owned_capacity;
	const char **items; /* in the order they came; borrowed from argv or `owned` */
	size_t count, capacity;
};

/* A reference from the command line, borrowed. ERR_USAGE beyond LIMIT_IMAGES. */
int images_add(struct images *list, const char *reference, struct err *e);

/*
 * The references in the file, or in standard input for "-": one a line, empty lines and "# comments" left out, CRLF and
 * a byte-order mark taken. A line that is no reference is ERR_USAGE and named with file and line.
 */
int images_read(struct images *list, const char *path, struct err *e);

void images_release(struct images *list);

#endif
