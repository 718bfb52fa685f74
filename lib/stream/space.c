/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/space_inside.h"

#include "base/text.h"
#include "stream/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

struct space *space_new(size_t count, struct err *e)
{
	struct space *s = calloc(1, sizeof(*s));

	if (s)
		s->files = calloc(count, sizeof(*s->files));
	if (!s || !s->files) {
		free(s);
		err_memory(e);
		return NULL;
	}
	s->count = count;
	for (size_t i = 0; i < count; i++)
		s->files[i].fd = -1;
	return s;
}

static int open_file(struct space *s, size_t i, const char *path, struct err *e)
{
	struct stat st;
	struct space_file *f = &s->files[i];

	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (f->fd < 0 || fstat(f->fd, &st))
		return err_sys(e, ERR_LOCAL, errno, "cannot open");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_LOCAL, "is not a regular file");
	f->from = s->size;
	s->size += (uint64_t)st.st_size;
	return 0;
}

struct space *space_open(const char *path, struct err *e)
{
	AUTO(space) s = space_new(1, e);

	return s && !open_file(s, 0, path, e) ? TAKE(s) : NULL;
}

struct space *space_open_files(const char *const *paths, size_t count, struct err *e)
{
	AUTO(space) s = space_new(count, e);
	char shown[256];

	if (!s)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (open_file(s, i, paths[i], e)) {
			err_at(e, "%s", text_escape_str(shown, sizeof(shown), paths[i]));
			return NULL;
		}
		if (!(s->files[i].name = strdup(paths[i]))) {
			err_memory(e);
			return NULL;
		}
	}
	return TAKE(s);
}

struct space *space_scratch(struct err *e)
{
	AUTO(space) s = space_new(1, e);
	const char *dir = getenv("TMPDIR");

	if (!s)
		return NULL;
	if (!dir || !*dir)
		dir = "/var/tmp";
	s->files[0].fd = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (s->files[0].fd < 0) {
		err_sys(e, ERR_LOCAL, errno, "%s: cannot create a temporary file (TMPDIR names another folder)", dir);
		return NULL;
	}
	return TAKE(s);
}

struct space *space_feed(struct feed *f, struct err *e)
{
	struct space *s = space_new(1, e);

	if (s)
		s->feed = f;
	return s;
}

struct space *space_of_descriptor(int fd, struct err *e)
{
	AUTO(space) s = space_new(1, e);
	struct stat st;

	if (!s)
		return NULL;
	s->files[0].fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (s->files[0].fd < 0 || fstat(fd, &st)) {
		err_sys(e, ERR_LOCAL, errno, "cannot open");
		return NULL;
	}
	s->size = (uint64_t)st.st_size;
	return TAKE(s);
}

uint64_t space_size(const struct space *s)
{
	return s->size;
}

/* The file that byte `off` is in, and how many of the `len` bytes from there are in it too. The last one has no end. */
static const struct space_file *locate(const struct space *s, uint64_t off, size_t *len)
{
	size_t low = 0;
	size_t high = s->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (s->files[middle].from <= off)
			low = middle;
		else
			high = middle;
	}
	if (low + 1 < s->count && *len > s->files[low + 1].from - off)
		*len = (size_t)(s->files[low + 1].from - off);
	return &s->files[low];
}

bool space_file_range(const struct space *s, uint64_t off, uint64_t len, int *fd, uint64_t *at)
{
	size_t part = (size_t)len;

	if (s->feed || part != len || off > s->size || len > s->size - off)
		return false;
	const struct space_file *f = locate(s, off, &part);
	if (part != len)
		return false;
	*fd = f->fd;
	*at = off - f->from;
	return true;
}

static int name_file(const struct space_file *f, struct err *e)
{
	char shown[256];

	return f->name ? err_at(e, "%s", text_escape_str(shown, sizeof(shown), f->name)) : -1;
}

int space_pread(struct space *s, void *buf, size_t len, uint64_t off, struct err *e)
{
	if (s->feed)
		return feed_pread(s->feed, buf, len, off, e);
	for (size_t done = 0; done < len;) {
		size_t part = len - done;
		const struct space_file *f = locate(s, off + done, &part);
		const uint64_t at = off + done - f->from;
		ssize_t n = pread(f->fd, (char *)buf + done, part, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			err_sys(e, ERR_LOCAL, errno, "cannot read at byte %" PRIu64, at);
			return name_file(f, e);
		}
		if (n == 0) {
			err_set(e, ERR_CORRUPT, "the file ends at byte %" PRIu64 ", %zu bytes too early", at,
				len - done);
			return name_file(f, e);
		}
		done += (size_t)n;
	}
	return 0;
}

int space_pwrite(struct space *s, const void *bytes, size_t len, uint64_t off, struct err *e)
{
	if (s->fixed && (off > s->size || len > s->size - off))
		return err_set(e, ERR_CORRUPT, "a write past the planned end of the archive");
	for (size_t done = 0; done < len;) {
		size_t part = len - done;
		const struct space_file *f = locate(s, off + done, &part);
		const uint64_t at = off + done - f->from;
		ssize_t n = pwrite(f->fd, (const char *)bytes + done, part, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			err_sys(e, ERR_LOCAL, n ? errno : EIO, "cannot write at byte %" PRIu64, at);
			return name_file(f, e);
		}
		done += (size_t)n;
	}
	if (!s->fixed && off + len > s->size)
		s->size = off + len;
	return 0;
}

void space_push(struct space *s, uint64_t off, uint64_t len)
{
	for (uint64_t done = 0; done < len;) {
		size_t part = len - done > SIZE_MAX ? SIZE_MAX : (size_t)(len - done);
		const struct space_file *f = locate(s, off + done, &part);
		(void)sync_file_range(f->fd, (off_t)(off + done - f->from), (off_t)part, SYNC_FILE_RANGE_WRITE);
		done += part;
	}
}

void space_forget(struct space *s)
{
	for (size_t i = 0; i < s->count; i++)
		(void)posix_fadvise(s->files[i].fd, 0, 0, POSIX_FADV_DONTNEED);
}

void space_free(struct space *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++) {
		struct space_file *f = &s->files[i];
		/* While it is locked: afterwards it may be another's. */
		if (f->temporary && !s->keep)
			(void)unlink(f->temporary);
		if (f->fd >= 0)
			(void)close(f->fd);
		free(f->name);
		free(f->temporary);
		free(f->final);
	}
	free(s->files);
	free(s->path);
	free(s);
}
