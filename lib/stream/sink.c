/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/sink.h"

#include "base/cancel.h"
#include "stream/space.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

int sink_write(struct sink *s, const void *bytes, size_t len, struct err *e)
{
	return s->ops->write(s, bytes, len, e);
}

void sink_free(struct sink *s)
{
	if (s)
		s->ops->free(s);
}

static void plain_free(struct sink *s)
{
	free(s);
}

struct region {
	struct sink base;
	struct space *space;
	uint64_t at;
	uint64_t left;
};

static int region_write(struct sink *s, const void *bytes, size_t len, struct err *e)
{
	struct region *r = (struct region *)s;

	if (len > r->left)
		return err_set(e, ERR_CORRUPT, "more bytes than were promised");
	if (space_pwrite(r->space, bytes, len, r->at, e))
		return -1;
	r->at += len;
	r->left -= len;
	return 0;
}

struct sink *sink_space(struct space *space, uint64_t off, uint64_t len, struct err *e)
{
	static const struct sink_ops ops = { region_write, plain_free };
	struct region *r = malloc(sizeof(*r));

	if (!r) {
		err_memory(e);
		return NULL;
	}
	*r = (struct region){ { &ops }, space, off, len };
	return &r->base;
}

struct pipe_end {
	struct sink base;
	int fd;
	bool blocks; /* it is no file: a write may wait for a reader */
};

/* How much a pipe surely takes once poll() says that it takes something: write() does not block then. */
#define SURE 4096
#define PIPE_BYTES (1 << 20)

static int cannot_write(int sys, struct err *e)
{
	if (sys == EPIPE)
		return err_sys(e, ERR_LOCAL, sys, "who reads it has gone");
	return err_sys(e, ERR_LOCAL, sys, "cannot write");
}

static int fd_write(struct sink *s, const void *bytes, size_t len, struct err *e)
{
	const struct pipe_end *p = (struct pipe_end *)s;

	for (size_t done = 0; done < len;) {
		size_t part = len - done;
		if (p->blocks && cancel_poll(p->fd, POLLOUT, e))
			return -1;
		if (p->blocks && part > SURE)
			part = SURE;
		ssize_t n = write(p->fd, (const char *)bytes + done, part);
		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || (errno != EINTR && errno != EAGAIN))
			return cannot_write(n == 0 ? EIO : errno, e);
	}
	return 0;
}

struct sink *sink_fd(int fd, struct err *e)
{
	static const struct sink_ops ops = { fd_write, plain_free };
	struct pipe_end *p = malloc(sizeof(*p));
	struct stat st;

	if (!p) {
		err_memory(e);
		return NULL;
	}
	*p = (struct pipe_end){ { &ops }, fd, fstat(fd, &st) || !S_ISREG(st.st_mode) };
	/* Fewer turns of writer and reader; where it is not allowed it goes without. */
	if (p->blocks)
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
	return &p->base;
}

int pump(struct source *src, struct sink *dst, struct err *e)
{
	AUTO_MEM char *piece = malloc(PUMP_PIECE);

	if (!piece)
		return err_memory(e);
	for (;;) {
		if (cancel_check(e))
			return -1;
		ssize_t n = source_read(src, piece, PUMP_PIECE, e);
		if (n <= 0)
			return (int)n;
		if (sink_write(dst, piece, (size_t)n, e))
			return -1;
	}
}
