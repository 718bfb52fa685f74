/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

/*
 * Digests, as in the OCI image specification ("Digests"), sha256 alone: every registry serves it, and the archive's
 * member names are blobs/sha256/<hex>. A digest is parsed once into raw bytes; the string from outside is never reused,
 * so it cannot become a path or a part of a URL.
 */

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_RAW 32
#define DIGEST_HEX_SIZE (2 * DIGEST_RAW + 1)   /* hex digits and NUL */
#define DIGEST_TEXT_SIZE (7 + DIGEST_HEX_SIZE) /* "sha256:" in front */

struct digest {
	uint8_t raw[DIGEST_RAW];
};

/*
 * What proves a piece of content: the part of an OCI descriptor that matters for its bytes. No function opens a blob
 * without one, so no unverified blob exists.
 */
struct promise {
	struct digest digest;
	uint64_t size; /* bytes */
};

/*
 * Reads "sha256:" and 64 lower-case hex digits, exactly `len` bytes. ERR_CORRUPT otherwise; another algorithm is named
 * in the message.
 */
int digest_parse(struct digest *out, const char *text, size_t len, struct err *e);

/* Reads 64 lower-case hex digits, exactly. False if `text` is anything else. */
bool digest_parse_hex(struct digest *out, const char *text, size_t len);

/* "sha256:<hex>" into out, returned. */
const char *digest_text(const struct digest *d, char out[DIGEST_TEXT_SIZE]);

/* "<hex>" into out, returned. */
const char *digest_hex(const struct digest *d, char out[DIGEST_HEX_SIZE]);

/* The first 12 hex digits, as docker shows an ID; for progress and tables, never for comparing. */
const char *digest_short(const struct digest *d, char out[13]);

bool digest_equal(const struct digest *a, const struct digest *b);

/* memcmp order; for qsort. */
int digest_compare(const struct digest *a, const struct digest *b);

/* SHA-256 of bytes in memory. */
int digest_of(struct digest *out, const void *bytes, size_t len, struct err *e);

/* SHA-256 as the bytes pass (FIPS 180-4, libcrypto: SHA-NI and the like where the CPU has them). */
struct hasher;
struct hasher *hasher_new(struct err *e);
int hasher_update(struct hasher *h, const void *bytes, size_t len, struct err *e);
/* The digest of all bytes so far; the hasher is then done, and is reset for new bytes. */
int hasher_finish(struct hasher *h, struct digest *out, struct err *e);
void hasher_free(struct hasher *h);
OWNED(hasher)

/* A map from digest to a number (an index into the caller's array). Owns its table. */
struct digestmap;
struct digestmap *digestmap_new(struct err *e);
/* The number stored under d, or -1. */
ptrdiff_t digestmap_get(const struct digestmap *m, const struct digest *d);
/* Stores `value` (>= 0) under d; a second put replaces. */
int digestmap_put(struct digestmap *m, const struct digest *d, size_t value, struct err *e);
void digestmap_free(struct digestmap *m);
OWNED(digestmap)

#endif
