/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STREAM_SPACE_INSIDE_H
#define STREAM_SPACE_INSIDE_H

/* The inside of space.h, shared by space.c (bytes at offsets) and staged.c (files that are not final yet). */

#include "stream/space.h"

#include <stdatomic.h>
#include <sys/types.h>

struct space_file {
	int fd;
	uint64_t from; /* offset of its first byte in the space */
	char *name;    /* for errors, where there are several; or NULL */
	/* Of a staged file, until it is committed. */
	char *temporary;
	char *final;
	mode_t mode;
	bool was_there;
	uint64_t allocated; /* bytes of disk that it had when it was found */
};

struct space {
	struct space_file *files; /* at least one */
	size_t count;
	_Atomic uint64_t size;
	bool fixed;        /* a staged space does not grow: its layout is known */
	struct feed *feed; /* borrowed: its bytes come from there, files[] is empty; or NULL */
	/* Of a staged space. */
	char *path;
	bool keep;
	bool synced;
};

/* With room for `count` files, none of them open. */
struct space *space_new(size_t count, struct err *e);

#endif
