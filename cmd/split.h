/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_SPLIT_H
#define CMD_SPLIT_H

/* The sizes of chunks, as a person names them. */

#include "base/err.h"

#include <stdint.h>

/*
 * "4G", "700M", "65536": bytes; K, M, G and T count in 1024, as in split(1). Or what the chunks are for: fat32 (a stick
 * or card), cd, dvd, bd25. ERR_USAGE.
 */
int split_parse(uint64_t *out, const char *text, struct err *e);

#endif
