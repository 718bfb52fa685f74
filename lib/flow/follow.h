/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_FOLLOW_H
#define FLOW_FOLLOW_H

/*
 * A blob's hash that follows its bytes: they arrive in pieces and out of order, and SHA-256 wants them in order. Bytes
 * that arrive where the hash stands go through it from memory. What lies ahead is read back as soon as the hash gets
 * there, while it is still in the page cache, so that nothing is left to be read when the last byte is there.
 */

#include "base/digest.h"
#include "base/err.h"
#include "stream/space.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct follow {
	pthread_mutex_t lock;
	struct hasher *hasher;
	uint64_t at; /* bytes hashed; guarded by the lock */
};

int follow_init(struct follow *f, struct err *e);
void follow_release(struct follow *f);

/* Where a blob's bytes are, and how far they are there. */
struct follow_place {
	struct space *space;
	uint64_t place; /* of its first byte */
	/* Where the stretch of bytes that begins at `from` and has no hole ends. */
	uint64_t (*reach)(void *ctx, uint64_t from);
	void *ctx;
};

/*
 * `len` bytes of the blob at `from` were just written. Hashes them if they are next, else a part of what is there. Does
 * nothing if another worker is at it: he, or follow_finish(), goes on.
 */
int follow_wrote(struct follow *f, const struct follow_place *p, const void *bytes, uint64_t from, uint64_t len,
		 struct err *e);

/* Hashes everything that is there without a hole; waits for another who is at it. *all: the hash stands at `size` now.
 */
int follow_finish(struct follow *f, const struct follow_place *p, uint64_t size, bool *all, struct err *e);

/* The digest of all bytes; the hash begins anew afterwards. */
int follow_digest(struct follow *f, struct digest *out, struct err *e);

/* Forgets what was hashed. */
int follow_restart(struct follow *f, struct err *e);

#endif
