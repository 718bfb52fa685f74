/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_GZIP_HEADER_H
#define CODEC_GZIP_HEADER_H

/*
 * A gzip member's header (RFC 1952, 2.3), byte for byte as it comes. ISA-L has a reader for it, but in 2.30 that one
 * takes unknown flags and miscounts the header's CRC when the header is cut into pieces.
 */

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct gzip_header {
	unsigned field; /* which one comes next */
	unsigned at;    /* bytes of it that were seen */
	uint8_t flags;
	uint16_t length; /* of the extra field, then the header CRC as it is stored */
	uint32_t crc;    /* of the header so far */
};

/* Takes one byte. *complete: it was the last one of the header. A struct of zeros is ready for the first byte. */
int gzip_header_take(struct gzip_header *h, uint8_t byte, bool *complete, struct err *e);

#endif
