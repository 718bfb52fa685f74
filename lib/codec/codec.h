/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CODEC_CODEC_H
#define CODEC_CODEC_H

/*
 * Decompression as filters on the belt. The only place that knows ISA-L's inflate, zstd, liblzma, libbz2 and liblz4.
 * Each checks what its format carries (gzip CRC-32 and length, zstd and lz4 frame checksums, xz checks, bzip2 CRCs) and
 * gives the end of the stream only when those held and nothing stands behind the last member or frame. One layer of
 * coding is undone, never what is inside.
 */

#include "base/err.h"
#include "stream/source.h"

#include <stddef.h>

enum coding { CODING_NONE, CODING_GZIP, CODING_ZSTD, CODING_XZ, CODING_BZIP2, CODING_LZ4, CODING_DEFLATE };

/* From the first bytes (8 suffice). CODING_DEFLATE has no mark of its own: it is never the answer. CODING_LZ4 is the
 * frame format; its older one (lz4 -l) is not known. */
enum coding coding_detect(const void *bytes, size_t len);
const char *coding_name(enum coding c); /* "none", "gzip", ... */

/* Of a Content-Encoding (RFC 9110 8.4.1) of one coding; CODING_NONE for those that are not known here. */
enum coding coding_of_http(const char *name);

/*
 * The decompressed bytes of `inner` (taken; NULL passes through), stopped with ERR_CORRUPT after max_output bytes
 * (bombs; UINT64_MAX for a layer, whose bytes go nowhere). zstd windows over 2^27 are refused. CODING_NONE gives inner
 * back. gzip: RFC 1952, several members behind each other are one stream; zeros behind the last one are padding, other
 * bytes are ERR_CORRUPT.
 */
struct source *source_decode(struct source *inner, enum coding c, uint64_t max_output, struct err *e);

#endif
