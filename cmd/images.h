/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_IMAGES_H
#define CMD_IMAGES_H

/* Which images fetch and copy are about: the operands, the lists behind --images, the platforms. */

#include "base/err.h"
#include "cmd/options.h"
#include "flow/shard.h"
#include "oci/platform.h"

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

/* What can be said of the options before anything is read: ERR_USAGE. */
int images_check(const struct options *o, struct err *e);

/* The first `operands` operands, and what --images names. */
int images_gather(struct images *list, const struct options *o, size_t operands, struct err *e);

void images_release(struct images *list);
#define AUTO_IMAGES __attribute__((cleanup(images_release))) struct images

/* An array of the --platform values, to be freed; *count is 0 and the array NULL without any. */
int images_platforms(struct platform **out, size_t *count, const struct options *o, struct err *e);

/* The part of the list that --shard names; all of it without. */
int images_shard(struct shard *out, const struct options *o, struct err *e);

#endif
