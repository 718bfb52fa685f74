/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_ERASURE_H
#define CODEC_ERASURE_H

/*
 * An erasure code: Reed-Solomon over GF(2^8) with a Cauchy matrix, so that of `data` pieces and `parity` pieces any
 * `data` of them give all the others. Pieces are numbered: the data pieces from 0, the parity pieces behind them.
 * All pieces have the same length. What a code gives depends on the numbers alone; it is part of the parity files'
 * format, and must never change.
 */

#include "base/err.h"
#include "base/own.h"

#include <stddef.h>
#include <stdint.h>

#define ERASURE_MAX 255 /* data + parity */

struct erasure;

/*
 * What makes the `count` pieces `want` from the pieces `have` (`data` different ones; NULL: the data pieces). `data`
 * and `count` are at least 1. ERR_LOCAL: out of memory.
 */
struct erasure *erasure_new(size_t data, size_t parity, const size_t *have, const size_t *want, size_t count,
			    struct err *e);

/* have[i] and want[i]: as the numbers were given. From any thread. */
void erasure_run(const struct erasure *c, uint8_t *const *have, uint8_t *const *want, size_t len);

void erasure_free(struct erasure *c);
OWNED(erasure)

#endif
