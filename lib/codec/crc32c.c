/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/crc32c.h"

#include <isa-l/crc.h>

/* ISA-L takes the length as an int, and writes to nothing although its parameter is not const. */
#define MOST (1u << 30)

uint32_t crc32c(uint32_t so_far, const void *bytes, size_t len)
{
	union {
		const void *given;
		unsigned char *taken;
	} at = { .given = bytes };
	uint32_t crc = ~so_far;

	while (len) {
		size_t n = len < MOST ? len : MOST;
		crc = crc32_iscsi(at.taken, (int)n, crc);
		at.taken += n;
		len -= n;
	}
	return ~crc;
}
