/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_UNPACK_H
#define PACK_UNPACK_H

/* A compressed archive, unpacked once so that its members can be read at random. */

#include "base/err.h"
#include "codec/codec.h"
#include "stream/space.h"

/*
 * The tar inside `packed` (gzip, zstd or xz), in a scratch space. Unpacking stops with ERR_CORRUPT as soon as what
 * comes out is no tar, or goes on for more than LIMIT_TAR_TAIL behind the tar's end: a bomb costs no more disk than its
 * own headers declare.
 */
struct space *unpack_tar(struct space *packed, enum coding coding, struct err *e);

#endif
