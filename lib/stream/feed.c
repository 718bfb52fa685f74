/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/feed.h"

#include "base/buf.h"
#include "base/cancel.h"
#include "stream/sink.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

/* A sender may take its time, and a signal may interrupt another thread than this one: so the wait is in pieces. */

struct feed {
	int fd;
	size_t most;
	struct buf kept;
	uint64_t at; /* of feed_read() */
};

struct feed *feed_new(int fd, size_t most, struct err *e)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (!f) {
		err_memory(e);
		return NULL;
	}
	f->fd = fd;
	f->most = most;
	return f;
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	buf_release(&f->kept);
	free(f);
}

uint64_t feed_at(const struct feed *f)
{
	return f->at;
}

static ssize_t take(const struct feed *f, void *buf, size_t cap, struct err *e)
{
	for (;;) {
		if (cancel_poll(f->fd, POLLIN, e))
			return -1;
		ssize_t n = read(f->fd, buf, cap);
		if (n >= 0)
			return n;
		if (errno != EINTR && errno != EAGAIN)
			return err_sys(e, ERR_LOCAL, errno, "cannot read");
	}
}

/* Keeps the first `len` bytes. */
static int keep(struct feed *f, size_t len, struct err *e)
{
	if (len > f->kept.len && buf_reserve(&f->kept, len - f->kept.len, e))
		return -1;
	while (f->kept.len < len) {
		ssize_t n = take(f, f->kept.data + f->kept.len, len - f->kept.len, e);
		if (n < 0)
			return -1;
		if (n == 0)
			return err_set(e, ERR_CORRUPT, "ends at byte %zu: it was cut", f->kept.len);
		f->kept.len += (size_t)n;
	}
	return 0;
}

int feed_pread(struct feed *f, void *buf, size_t len, uint64_t off, struct err *e)
{
	if (off > f->most || len > f->most - off) {
		err_set(e, ERR_LOCAL, "what must be read first stands behind %zu bytes", f->most);
		if (e)
			e->sys = EFBIG;
		return -1;
	}
	if (keep(f, (size_t)off + len, e))
		return -1;
	if (len)
		memcpy(buf, f->kept.data + off, len);
	return 0;
}

ssize_t feed_read(struct feed *f, void *buf, size_t cap, struct err *e)
{
	ssize_t n;

	if (f->at < f->kept.len) {
		const size_t left = f->kept.len - (size_t)f->at;
		n = (ssize_t)(left < cap ? left : cap);
		memcpy(buf, f->kept.data + f->at, (size_t)n);
	} else {
		buf_release(&f->kept);
		n = take(f, buf, cap, e);
	}
	f->at += n > 0 ? (uint64_t)n : 0;
	return n;
}

struct space *feed_spool(struct feed *f, struct err *e)
{
	AUTO(space) s = space_scratch(e);
	AUTO_MEM char *piece = malloc(PUMP_PIECE);
	ssize_t n;

	if (!s)
		return NULL;
	if (!piece) {
		err_memory(e);
		return NULL;
	}
	while ((n = feed_read(f, piece, PUMP_PIECE, e)) > 0)
		if (space_pwrite(s, piece, (size_t)n, f->at - (uint64_t)n, e))
			return NULL;
	return n < 0 ? NULL : TAKE(s);
}
