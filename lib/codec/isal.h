/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_ISAL_H
#define CODEC_ISAL_H

/* Internal to codec/: ISA-L's inflate, as the formats use it. */

#include "codec/decoder.h"

#include <isa-l/igzip_lib.h>

/* Inflates as much of the piece as goes, and moves its pointers past it. 0, or -1: the bytes are wrong. */
int isal_step(struct inflate_state *state, struct piece *p, struct err *e);

#endif
