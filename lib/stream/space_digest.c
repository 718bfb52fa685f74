/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/space.h"

#include "base/cancel.h"

/* Stays in a core's own cache between the copy out of the page cache and the hash. */
#define PIECE (64u << 10)

int space_digest(struct space *s, uint64_t off, uint64_t len, struct digest *out, struct err *e)
{
	AUTO(hasher) h = hasher_new(e);
	AUTO_MEM char *piece = malloc(len < PIECE ? (size_t)len + 1 : PIECE);

	if (!h)
		return -1;
	if (!piece)
		return err_memory(e);
	for (uint64_t done = 0; done < len;) {
		const size_t n = len - done < PIECE ? (size_t)(len - done) : PIECE;
		if (cancel_check(e) || space_pread(s, piece, n, off + done, e) || hasher_update(h, piece, n, e))
			return -1;
		done += n;
	}
	return hasher_finish(h, out, e);
}
