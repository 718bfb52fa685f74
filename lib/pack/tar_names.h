/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_TAR_NAMES_H
#define PACK_TAR_NAMES_H

/* The names in a tar that passes once, and is too large to be kept. */

#include "base/err.h"
#include "stream/source.h"

#include <stdbool.h>
#include <stdint.h>

/* One member, when all its bytes have passed. `name` is foreign, and borrowed during the call. -1 ends it with *e. */
typedef int tar_names_fn(void *ctx, const char *name, bool regular, uint64_t size, struct err *e);

/*
 * Reads `tar` (borrowed) to its end and tells every member. ERR_CORRUPT: it is no tar, or ends inside; else the
 * source's own error.
 */
int tar_names(struct source *tar, tar_names_fn *fn, void *ctx, struct err *e);

#endif
