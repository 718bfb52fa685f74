/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_REGZIP_BLOCK_WRITE_H
#define CODEC_REGZIP_BLOCK_WRITE_H

/* The bits of a block that is not stored, behind its first three. */

#include "codec/regzip/tree.h"

/* Bytes that a block of so many tokens takes at most; whole words of bits_put() counted. */
size_t block_room(size_t tokens);

/* Header, tokens and the end. The caller has block_room() bytes. -1: a token has no code by these lengths. */
int block_write(struct bits *b, const struct tree_header *h, const struct code_lengths *l, const struct tokens *t);

#endif
