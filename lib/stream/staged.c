/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/space_inside.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* Names. */

size_t space_chunk_count(uint64_t size, uint64_t chunk)
{
	return chunk && size ? (size_t)((size - 1) / chunk + 1) : 1;
}

char *space_chunk_name(const char *path, size_t number, size_t count, struct err *e)
{
	char *name;
	int width = 3;

	for (size_t most = 999; most < count; most = most * 10 + 9)
		width++;
	if (asprintf(&name, "%s.%0*zu", path, width, number) < 0) {
		err_memory(e);
		return NULL;
	}
	return name;
}

/* Final name i (from 0) of what is cut so. */
static char *final_name(const char *path, size_t i, uint64_t size, uint64_t chunk, struct err *e)
{
	if (chunk)
		return space_chunk_name(path, i + 1, space_chunk_count(size, chunk), e);
	char *name = strdup(path);
	if (!name)
		err_memory(e);
	return name;
}

static char *aside_name(const struct space *s, size_t i, uint64_t size, uint64_t chunk, struct err *e)
{
	AUTO_MEM char *final = final_name(s->path, i, size, chunk, e);
	char *name;

	if (!final)
		return NULL;
	if (asprintf(&name, "%s.part.old", final) < 0) {
		err_memory(e);
		return NULL;
	}
	return name;
}

/* The folder of `path` ("." if it names none), to be freed. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* Taking the place. */

static int check_final(struct space_file *f, struct err *e)
{
	struct stat st;
	/* The only way to ask for it sets it too: a space is staged while no other thread makes files. */
	mode_t mask = umask(0);

	umask(mask);
	f->mode = 0666 & ~mask;
	if (lstat(f->final, &st)) {
		if (errno == ENOENT)
			return 0;
		return err_sys(e, ERR_LOCAL, errno, "cannot look at it");
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_LOCAL, "exists and is not a regular file; name another one");
	f->mode = st.st_mode & 07777;
	return 0;
}

/* FAT and its like keep neither modes nor owners, and say so in several ways: there a file has to do without. */
static int set_mode(int fd, mode_t mode)
{
	if (!fchmod(fd, mode) || errno == EPERM || errno == ENOSYS || errno == EOPNOTSUPP)
		return 0;
	return -1;
}

/* What an earlier run left is taken over only if nobody else could have made it, or can write to it by another name. */
static int check_part(struct space_file *f, bool created, struct err *e)
{
	struct stat st;
	struct stat named;

	if (fstat(f->fd, &st))
		return err_sys(e, ERR_LOCAL, errno, "cannot look at %s", f->temporary);
	if (!S_ISREG(st.st_mode) || (!created && st.st_uid != geteuid()) || st.st_nlink > 1)
		return err_set(e, ERR_LOCAL, "%s is in the way, and was not left there by this user's fetch; remove it",
			       f->temporary);
	/* Its last owner may have finished with it between our open() and our lock. */
	if (lstat(f->temporary, &named) || named.st_ino != st.st_ino || named.st_dev != st.st_dev)
		return 1;
	f->was_there = st.st_size > 0;
	f->allocated = (uint64_t)st.st_blocks * 512;
	return set_mode(f->fd, 0600) ? err_sys(e, ERR_LOCAL, errno, "cannot set the mode of %s", f->temporary) : 0;
}

/* 0, -1, or 1: try again. What stands there may be another's until it is looked at: it is not held then. */
static int open_part(struct space_file *f, struct err *e)
{
	const int flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	AUTO_FD int fd = open(f->temporary, flags | O_EXCL, 0600);
	const bool created = fd >= 0;

	if (!created && errno == EEXIST)
		fd = open(f->temporary, flags, 0600);
	if (fd < 0 && (errno == ELOOP || errno == EISDIR || errno == ENXIO))
		return err_set(e, ERR_LOCAL, "%s is in the way, and was not left there by this user's fetch; remove it",
			       f->temporary);
	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "cannot create a file beside it");
	/* A file system without locks has to do without. */
	if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK)
		return err_set(e, ERR_LOCAL, "another imgpack is writing %s", f->temporary);
	f->fd = fd;
	int rc = check_part(f, created, e);
	if (rc)
		f->fd = -1;
	else
		fd = -1;
	return rc;
}

static int create_temporary(struct space_file *f, struct err *e)
{
	int rc = 1;

	for (int attempt = 0; rc > 0 && attempt < 100; attempt++)
		rc = open_part(f, e);
	return rc > 0 ? err_set(e, ERR_LOCAL, "%s comes and goes", f->temporary) : rc;
}

static int stage_file(struct space_file *f, struct err *e)
{
	if (asprintf(&f->temporary, "%s.part", f->final) < 0) {
		f->temporary = NULL;
		return err_memory(e);
	}
	return check_final(f, e) || create_temporary(f, e) ? -1 : 0;
}

static int stage_files(struct space *s, uint64_t size, uint64_t chunk, struct err *e)
{
	char shown[256];

	for (size_t i = 0; i < s->count; i++) {
		struct space_file *f = &s->files[i];
		f->from = chunk * i;
		f->final = final_name(s->path, i, size, chunk, e);
		if (!f->final)
			return -1;
		if (stage_file(f, e))
			return chunk ? err_at(e, "%s", text_escape_str(shown, sizeof(shown), f->final)) : -1;
	}
	return 0;
}

/* Not all could be had: what was there stays, what was made goes. */
static void give_up(struct space *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->files[i].fd >= 0 && !s->files[i].was_there)
			(void)unlink(s->files[i].temporary);
	s->keep = true;
}

struct space *space_stage_chunks(const char *path, uint64_t size, uint64_t chunk, struct err *e)
{
	AUTO(space) s = space_new(space_chunk_count(size, chunk), e);

	if (!s)
		return NULL;
	s->path = strdup(path);
	if (!s->path) {
		err_memory(e);
		return NULL;
	}
	if (stage_files(s, size, chunk, e)) {
		give_up(s);
		return NULL;
	}
	s->fixed = true;
	return TAKE(s);
}

struct space *space_stage(const char *path, struct err *e)
{
	return space_stage_chunks(path, 0, 0, e);
}

bool space_was_there(const struct space *s)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->files[i].was_there)
			return true;
	return false;
}

const char *space_part(const struct space *s)
{
	return s->files[0].temporary;
}

void space_keep(struct space *s)
{
	s->keep = true;
}

/* Aside. */

static int move_aside(struct space *s, size_t i, uint64_t size, uint64_t chunk, struct err *e)
{
	AUTO_MEM char *final = final_name(s->path, i, size, chunk, e);
	AUTO_MEM char *aside = aside_name(s, i, size, chunk, e);
	AUTO_MEM char *part = NULL;

	if (!final || !aside)
		return -1;
	if (asprintf(&part, "%s.part", final) < 0)
		return err_memory(e);
	if (rename(part, aside) && errno != ENOENT)
		return err_sys(e, ERR_LOCAL, errno, "cannot rename %s", part);
	return 0;
}

int space_set_aside(struct space *s, uint64_t size, uint64_t chunk, struct err *e)
{
	for (size_t i = 0; i < space_chunk_count(size, chunk); i++)
		if (move_aside(s, i, size, chunk, e))
			return -1;
	for (size_t i = 0; i < s->count; i++) {
		(void)close(s->files[i].fd);
		s->files[i].fd = -1;
		if (create_temporary(&s->files[i], e))
			return -1;
	}
	return 0;
}

struct space *space_open_aside(const struct space *s, uint64_t size, uint64_t chunk, struct err *e)
{
	const size_t count = space_chunk_count(size, chunk);
	AUTO_MEM char **names = calloc(count, sizeof(*names));
	struct space *aside = NULL;
	size_t made = 0;

	if (!names) {
		err_memory(e);
		return NULL;
	}
	while (made < count && (names[made] = aside_name(s, made, size, chunk, e)))
		made++;
	if (made == count)
		aside = space_open_files((const char *const *)names, count, e);
	while (made)
		free(names[--made]);
	return aside;
}

void space_drop_aside(const struct space *s, uint64_t size, uint64_t chunk)
{
	for (size_t i = 0; i < space_chunk_count(size, chunk); i++) {
		AUTO_MEM char *name = aside_name(s, i, size, chunk, NULL);
		if (name)
			(void)unlink(name);
	}
}

/* Reserving. */

/* Says "needs X, has Y" before a byte is downloaded; root's reserve is not counted as free. */
static int check_room(struct space *s, uint64_t size, struct err *e)
{
	char need[TEXT_SIZE_CAP];
	char have[TEXT_SIZE_CAP];
	struct statvfs fs;

	if (fstatvfs(s->files[0].fd, &fs))
		return err_sys(e, ERR_LOCAL, errno, "cannot ask for free disk space");
	uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
	for (size_t i = 0; i < s->count; i++)
		room += s->files[i].allocated;
	if (room >= size)
		return 0;
	err_set(e, ERR_LOCAL, "needs %s, the disk has %s free", text_size(need, size), text_size(have, room));
	if (e)
		e->sys = ENOSPC;
	return -1;
}

static int reserve_file(struct space_file *f, uint64_t size, struct err *e)
{
	struct stat st;
	int sys;

	if (fstat(f->fd, &st))
		return err_sys(e, ERR_LOCAL, errno, "cannot look at %s", f->temporary);
	/* What an earlier run left may be longer: its end would stand behind ours. */
	if ((uint64_t)st.st_size > size && ftruncate(f->fd, (off_t)size))
		return err_sys(e, ERR_LOCAL, errno, "cannot shorten %s", f->temporary);
	do
		sys = size ? posix_fallocate(f->fd, 0, (off_t)size) : 0;
	while (sys == EINTR);
	if (sys)
		return err_sys(e, ERR_LOCAL, sys, "cannot reserve %" PRIu64 " bytes", size);
	return 0;
}

int space_reserve(struct space *s, uint64_t size, struct err *e)
{
	if (check_room(s, size, e))
		return -1;
	for (size_t i = 0; i < s->count; i++) {
		const uint64_t end = i + 1 < s->count ? s->files[i + 1].from : size;
		if (reserve_file(&s->files[i], end - s->files[i].from, e))
			return -1;
	}
	s->size = size;
	return 0;
}

/* The end. */

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

int space_sync(struct space *s, struct err *e)
{
	/* A failed fsync is final: the kernel may have dropped the pages, a second one would succeed without them. */
	for (size_t i = 0; i < s->count; i++) {
		if (set_mode(s->files[i].fd, s->files[i].mode))
			return err_sys(e, ERR_LOCAL, errno, "cannot set its mode");
		if (fsync(s->files[i].fd))
			return err_sys(e, ERR_LOCAL, errno, "cannot sync");
	}
	s->synced = true;
	return 0;
}

/* The lock is kept, by another descriptor, until the name is given up: the next run waits for it. */
static int close_file(struct space_file *f, struct err *e)
{
	int fd = f->fd;

	f->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return close(fd) ? err_sys(e, ERR_LOCAL, errno, "cannot close") : 0;
}

int space_commit(struct space *s, struct err *e)
{
	if (!s->synced && space_sync(s, e))
		return -1;
	for (size_t i = 0; i < s->count; i++)
		if (close_file(&s->files[i], e))
			return -1;
	for (size_t i = 0; i < s->count; i++) {
		struct space_file *f = &s->files[i];
		if (rename(f->temporary, f->final))
			return err_sys(e, ERR_LOCAL, errno, "cannot rename %s", f->temporary);
		free(TAKE(f->temporary));
	}
	return sync_folder(s->files[0].final, e);
}
