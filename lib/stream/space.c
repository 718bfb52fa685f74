/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/space.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

struct space {
	int fd;
	bool fixed; /* a staged space does not grow: its layout is known */
	_Atomic uint64_t size;
	/* Of a staged space, until it is committed. */
	char *temporary;
	char *final;
	mode_t mode;
};

static struct space *space_new(int fd, struct err *e)
{
	struct space *s = calloc(1, sizeof(*s));

	if (!s) {
		err_memory(e);
		return NULL;
	}
	s->fd = fd;
	return s;
}

struct space *space_open(const char *path, struct err *e)
{
	AUTO(space) s = space_new(-1, e);
	struct stat st;

	if (!s)
		return NULL;
	s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (s->fd < 0 || fstat(s->fd, &st)) {
		err_sys(e, ERR_LOCAL, errno, "cannot open");
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(e, ERR_LOCAL, "is not a regular file");
		return NULL;
	}
	s->size = (uint64_t)st.st_size;
	return TAKE(s);
}

/* The folder of `path` ("." if it names none), to be freed. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static int check_final(struct space *s, struct err *e)
{
	struct stat st;
	/* The only way to ask for it sets it too: a space is staged while no other thread makes files. */
	mode_t mask = umask(0);

	umask(mask);
	s->mode = 0666 & ~mask;
	if (lstat(s->final, &st)) {
		if (errno == ENOENT)
			return 0;
		return err_sys(e, ERR_LOCAL, errno, "cannot look at it");
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_LOCAL, "exists and is not a regular file; name another one");
	s->mode = st.st_mode & 07777;
	return 0;
}

static int create_temporary(struct space *s, struct err *e)
{
	for (int attempt = 0; attempt < 100; attempt++) {
		uint32_t tag;
		AUTO_MEM char *name = NULL;
		if (getrandom(&tag, sizeof(tag), 0) != sizeof(tag))
			return err_sys(e, ERR_LOCAL, errno, "cannot get random bytes");
		if (asprintf(&name, "%s.%08" PRIx32 ".part", s->final, tag) < 0) {
			name = NULL;
			return err_memory(e);
		}
		s->fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (s->fd >= 0) {
			s->temporary = TAKE(name);
			return 0;
		}
		if (errno != EEXIST)
			return err_sys(e, ERR_LOCAL, errno, "cannot create a file beside it");
	}
	return err_set(e, ERR_LOCAL, "cannot find a free temporary name beside it");
}

/* Says "needs X, has Y" before a byte is downloaded; root's reserve is not counted as free. */
static int check_room(struct space *s, uint64_t size, struct err *e)
{
	char need[TEXT_SIZE_CAP];
	char have[TEXT_SIZE_CAP];
	struct statvfs fs;

	if (fstatvfs(s->fd, &fs))
		return err_sys(e, ERR_LOCAL, errno, "cannot ask for free disk space");
	uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room >= size)
		return 0;
	err_set(e, ERR_LOCAL, "needs %s, the disk has %s free", text_size(need, size), text_size(have, room));
	if (e)
		e->sys = ENOSPC;
	return -1;
}

struct space *space_stage(const char *path, uint64_t size, struct err *e)
{
	AUTO(space) s = space_new(-1, e);

	if (!s)
		return NULL;
	s->final = strdup(path);
	if (!s->final) {
		err_memory(e);
		return NULL;
	}
	if (check_final(s, e) || create_temporary(s, e) || check_room(s, size, e))
		return NULL;
	int sys = size ? posix_fallocate(s->fd, 0, (off_t)size) : 0;
	if (sys) {
		err_sys(e, ERR_LOCAL, sys, "cannot reserve %" PRIu64 " bytes", size);
		return NULL;
	}
	s->size = size;
	s->fixed = true;
	return TAKE(s);
}

struct space *space_scratch(struct err *e)
{
	AUTO(space) s = space_new(-1, e);
	const char *dir = getenv("TMPDIR");

	if (!s)
		return NULL;
	if (!dir || !*dir)
		dir = "/var/tmp";
	s->fd = open(dir, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (s->fd < 0) {
		err_sys(e, ERR_LOCAL, errno, "%s: cannot create a temporary file (TMPDIR names another folder)", dir);
		return NULL;
	}
	return TAKE(s);
}

uint64_t space_size(const struct space *s)
{
	return s->size;
}

int space_pread(struct space *s, void *buf, size_t len, uint64_t off, struct err *e)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pread(s->fd, (char *)buf + done, len - done, (off_t)(off + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, ERR_LOCAL, errno, "cannot read at byte %" PRIu64, off + done);
		if (n == 0)
			return err_set(e, ERR_CORRUPT, "the file ends at byte %" PRIu64 ", %zu bytes too early",
				       off + done, len - done);
		done += (size_t)n;
	}
	return 0;
}

int space_pwrite(struct space *s, const void *bytes, size_t len, uint64_t off, struct err *e)
{
	if (s->fixed && (off > s->size || len > s->size - off))
		return err_set(e, ERR_CORRUPT, "a write past the planned end of the archive");
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(s->fd, (const char *)bytes + done, len - done, (off_t)(off + done));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_sys(e, ERR_LOCAL, n ? errno : EIO, "cannot write at byte %" PRIu64, off + done);
		done += (size_t)n;
	}
	if (!s->fixed && off + len > s->size)
		s->size = off + len;
	return 0;
}

static int sync_folder(const char *path, struct err *e)
{
	AUTO_MEM char *folder = folder_of(path);

	if (!folder)
		return err_memory(e);
	AUTO_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		return err_sys(e, ERR_LOCAL, errno, "cannot sync the folder %s", folder);
	return 0;
}

int space_commit(struct space *s, struct err *e)
{
	/* A failed fsync is final: the kernel may have dropped the pages, a second one would succeed without them. */
	if (fchmod(s->fd, s->mode))
		return err_sys(e, ERR_LOCAL, errno, "cannot set its mode");
	if (fsync(s->fd))
		return err_sys(e, ERR_LOCAL, errno, "cannot sync");
	int fd = s->fd;
	s->fd = -1;
	if (close(fd))
		return err_sys(e, ERR_LOCAL, errno, "cannot close");
	if (rename(s->temporary, s->final))
		return err_sys(e, ERR_LOCAL, errno, "cannot rename %s", s->temporary);
	free(TAKE(s->temporary));
	return sync_folder(s->final, e);
}

void space_free(struct space *s)
{
	if (!s)
		return;
	if (s->fd >= 0)
		(void)close(s->fd);
	if (s->temporary)
		(void)unlink(s->temporary);
	free(s->temporary);
	free(s->final);
	free(s);
}
