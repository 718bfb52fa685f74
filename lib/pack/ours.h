/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_OURS_H
#define PACK_OURS_H

/* Reading our own archives: strict, because every byte of one follows from its TOC. */

#include "pack/open.h"

#include <stdbool.h>

/* True if the first tar header names the TOC. `head` holds the file's first TAR_BLOCK bytes. */
bool ours_detect(const char head[TAR_BLOCK]);

/* Bytes of the TOC, from the first header, which must be exactly ours. ERR_CORRUPT. */
int ours_toc_size(const char head[TAR_BLOCK], uint64_t *out, struct err *e);

/*
 * Fills f->pack and f->layout from f->space. The pack that the TOC and the papers describe is laid out again, and must
 * give the very same TOC. ERR_CORRUPT otherwise.
 */
int ours_open(struct pack_file *f, struct err *e);

#endif
