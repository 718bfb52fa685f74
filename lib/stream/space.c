/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/space.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
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
	bool was_there;
	bool keep;
	uint64_t allocated; /* bytes of disk that it had when it was found */
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

/* What an earlier run left is taken over only if nobody else could have made it, or can write to it by another name. */
static int check_part(struct space *s, struct err *e)
{
	struct stat st;
	struct stat named;

	if (fstat(s->fd, &st))
		return err_sys(e, ERR_LOCAL, errno, "cannot look at %s", s->temporary);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink > 1)
		return err_set(e, ERR_LOCAL, "%s is in the way, and was not left there by this user's fetch; remove it",
			       s->temporary);
	/* Its last owner may have finished with it between our open() and our lock. */
	if (lstat(s->temporary, &named) || named.st_ino != st.st_ino || named.st_dev != st.st_dev)
		return 1;
	s->was_there = st.st_size > 0;
	s->allocated = (uint64_t)st.st_blocks * 512;
	return fchmod(s->fd, 0600) ? err_sys(e, ERR_LOCAL, errno, "cannot set the mode of %s", s->temporary) : 0;
}

/* 0, -1, or 1: try again. */
static int open_part(struct space *s, struct err *e)
{
	s->fd = open(s->temporary, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (s->fd < 0 && (errno == ELOOP || errno == EISDIR || errno == ENXIO))
		return err_set(e, ERR_LOCAL, "%s is in the way, and was not left there by this user's fetch; remove it",
			       s->temporary);
	if (s->fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "cannot create a file beside it");
	/* A file system without locks has to do without. */
	if (flock(s->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return err_set(e, ERR_LOCAL, "another imgpack is writing %s", s->temporary);
	int rc = check_part(s, e);
	if (rc > 0) {
		(void)close(s->fd);
		s->fd = -1;
	}
	return rc;
}

static int create_temporary(struct space *s, struct err *e)
{
	int rc = 1;

	for (int attempt = 0; rc > 0 && attempt < 100; attempt++)
		rc = open_part(s, e);
	return rc > 0 ? err_set(e, ERR_LOCAL, "%s comes and goes", s->temporary) : rc;
}

/* Says "needs X, has Y" before a byte is downloaded; root's reserve is not counted as free. */
static int check_room(struct space *s, uint64_t size, struct err *e)
{
	char need[TEXT_SIZE_CAP];
	char have[TEXT_SIZE_CAP];
	struct statvfs fs;

	if (fstatvfs(s->fd, &fs))
		return err_sys(e, ERR_LOCAL, errno, "cannot ask for free disk space");
	uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize + s->allocated;
	if (room >= size)
		return 0;
	err_set(e, ERR_LOCAL, "needs %s, the disk has %s free", text_size(need, size), text_size(have, room));
	if (e)
		e->sys = ENOSPC;
	return -1;
}

struct space *space_stage(const char *path, struct err *e)
{
	AUTO(space) s = space_new(-1, e);

	if (!s)
		return NULL;
	s->final = strdup(path);
	if (!s->final || asprintf(&s->temporary, "%s.part", path) < 0) {
		s->temporary = NULL;
		err_memory(e);
		return NULL;
	}
	s->keep = true; /* until we know that it is ours */
	if (check_final(s, e) || create_temporary(s, e))
		return NULL;
	s->keep = false;
	s->fixed = true;
	return TAKE(s);
}

bool space_was_there(const struct space *s)
{
	return s->was_there;
}

const char *space_part(const struct space *s)
{
	return s->temporary;
}

int space_set_aside(struct space *s, const char *aside, struct err *e)
{
	if (rename(s->temporary, aside))
		return err_sys(e, ERR_LOCAL, errno, "cannot rename %s", s->temporary);
	(void)close(s->fd);
	s->fd = -1;
	return create_temporary(s, e);
}

/* What an earlier run left may be longer: its end would stand behind ours. */
static int cut(struct space *s, uint64_t size, struct err *e)
{
	struct stat st;

	if (fstat(s->fd, &st))
		return err_sys(e, ERR_LOCAL, errno, "cannot look at %s", s->temporary);
	if ((uint64_t)st.st_size > size && ftruncate(s->fd, (off_t)size))
		return err_sys(e, ERR_LOCAL, errno, "cannot shorten %s", s->temporary);
	return 0;
}

int space_reserve(struct space *s, uint64_t size, struct err *e)
{
	int sys;

	if (check_room(s, size, e) || cut(s, size, e))
		return -1;
	do
		sys = size ? posix_fallocate(s->fd, 0, (off_t)size) : 0;
	while (sys == EINTR);
	if (sys)
		return err_sys(e, ERR_LOCAL, sys, "cannot reserve %" PRIu64 " bytes", size);
	s->size = size;
	return 0;
}

void space_keep(struct space *s)
{
	s->keep = true;
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

void space_push(struct space *s, uint64_t off, uint64_t len)
{
	(void)sync_file_range(s->fd, (off_t)off, (off_t)len, SYNC_FILE_RANGE_WRITE);
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
	/* The lock is kept, by another descriptor, until the name is given up: the next run waits for it. */
	int fd = s->fd;
	s->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
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
	/* While it is locked: afterwards it may be another's. */
	if (s->temporary && !s->keep)
		(void)unlink(s->temporary);
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->temporary);
	free(s->final);
	free(s);
}
