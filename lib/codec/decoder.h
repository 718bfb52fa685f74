/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_DECODER_H
#define CODEC_DECODER_H

/*
 * Internal to codec/: what a format implements. codec.c owns the belt side (input pieces, the output limit, the sticky
 * verdict), a format turns bytes into bytes.
 */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One step's input and room; the format moves the pointers past what it used. */
struct piece {
	const uint8_t *in;
	size_t in_len;
	uint8_t *out;
	size_t out_len;
	bool last; /* nothing comes behind this input */
};

struct decoder_kind {
	void *(*open)(struct err *e);
	/*
	 * Uses input, fills output, as much of either as it likes. A step that could do neither while `last` is set is
	 * asked for its verdict by finish(). -1: the bytes are wrong.
	 */
	int (*step)(void *state, struct piece *p, struct err *e);
	/* The input is at its end and no output is pending: 0 only if the format is complete here. */
	int (*finish)(void *state, struct err *e);
	void (*close)(void *state); /* NULL is allowed */
};

extern const struct decoder_kind decoder_gzip;
extern const struct decoder_kind decoder_inflate;
extern const struct decoder_kind decoder_zstd;
extern const struct decoder_kind decoder_xz;
extern const struct decoder_kind decoder_bzip2;
extern const struct decoder_kind decoder_lz4;

#endif
