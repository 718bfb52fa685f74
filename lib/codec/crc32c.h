/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_CRC32C_H
#define CODEC_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * CRC-32C (Castagnoli; RFC 3720 12.1) of the bytes behind those that gave `so_far` (0 at the beginning). Finds what a
 * disk or a power loss did to bytes, at the speed of memory; it proves nothing against somebody who means it.
 */
uint32_t crc32c(uint32_t so_far, const void *bytes, size_t len);

#endif
