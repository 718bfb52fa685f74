/* SPDX-License-Identifier: Apache-2.0 */
#include "target/oci_dir.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"
#include "oci/json.h"
#include "stream/sink.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define LAYOUT "oci-layout"
#define INDEX "index.json"
#define LAYOUT_BYTES "{\"imageLayoutVersion\":\"1.0.0\"}"
#define INDEX_BYTES "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}"
#define TEMPORARY ".imgpack-" /* then a name of our own: files that have one before they are whole */
#define TEMPORARY_SIZE 64

struct oci_dir {
	int fd;
	int blobs;
	bool no_nameless; /* the file system has no files without a name */
	unsigned counter; /* of temporary names */
};

/* Files. */

/* A name that no other process uses: until a whole file has another one. */
static const char *temporary_name(struct oci_dir *d, char out[TEMPORARY_SIZE])
{
	(void)snprintf(out, TEMPORARY_SIZE, TEMPORARY "%ld-%u", (long)getpid(), d->counter++);
	return out;
}

/*
 * What another imgpack left when it was killed: it is locked as long as its writer lives. Only file systems without
 * nameless files have such.
 */
static void sweep(struct oci_dir *d)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	if (!folder && fd >= 0)
		(void)close(fd);
	while (folder && (entry = readdir(folder))) {
		if (!text_starts(entry->d_name, TEMPORARY))
			continue;
		AUTO_FD int left = openat(d->fd, entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (left >= 0 && !flock(left, LOCK_EX | LOCK_NB))
			(void)unlinkat(d->fd, entry->d_name, 0);
	}
	if (folder)
		(void)closedir(folder);
}

/* A new file to write to. *name is "" if it has none. */
static int make_file(struct oci_dir *d, char name[TEMPORARY_SIZE], struct err *e)
{
	int fd = -1;

	*name = '\0';
	if (!d->no_nameless)
		fd = openat(d->fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0644);
	if (fd < 0) {
		d->no_nameless = true;
		fd = openat(d->fd, temporary_name(d, name), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	}
	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "cannot make a file");
	(void)flock(fd, LOCK_EX | LOCK_NB);
	return fd;
}

/* Gives a file its final name, in one step whatever stands there. */
static int name_file(struct oci_dir *d, int fd, char name[TEMPORARY_SIZE], int folder, const char *final, struct err *e)
{
	char own[64];

	if (!*name) {
		(void)snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
		if (!linkat(AT_FDCWD, own, folder, final, AT_SYMLINK_FOLLOW))
			return 0;
		if (errno != EEXIST)
			return err_sys(e, ERR_LOCAL, errno, "%s: cannot be given its name", final);
		if (linkat(AT_FDCWD, own, d->fd, temporary_name(d, name), AT_SYMLINK_FOLLOW))
			return err_sys(e, ERR_LOCAL, errno, "%s: cannot be given its name", final);
	}
	if (renameat(d->fd, name, folder, final))
		return err_sys(e, ERR_LOCAL, errno, "%s: cannot be given its name", final);
	*name = '\0';
	return 0;
}

static int write_file(struct oci_dir *d, struct source *bytes, int folder, const char *final, struct err *e)
{
	char name[TEMPORARY_SIZE];
	int fd = make_file(d, name, e);
	AUTO(sink) sink = fd >= 0 ? sink_fd(fd, e) : NULL;
	int failed = !sink || pump(bytes, sink, e);

	if (!failed && fsync(fd))
		failed = err_sys(e, ERR_LOCAL, errno, "%s: cannot be written to the disk", final);
	if (!failed)
		failed = name_file(d, fd, name, folder, final, e);
	if (fd >= 0 && close(fd) && !failed)
		failed = err_sys(e, ERR_LOCAL, errno, "%s", final);
	if (*name)
		(void)unlinkat(d->fd, name, 0);
	return failed ? -1 : 0;
}

static int write_bytes(struct oci_dir *d, const char *bytes, size_t len, const char *final, struct err *e)
{
	AUTO(source) source = source_memory(bytes, len, e);

	return source ? write_file(d, source, d->fd, final, e) : -1;
}

/* Opening. */

/* 1: it is there and of the version that is known; 0: it is not there. */
static int check_layout(struct oci_dir *d, struct err *e)
{
	AUTO_FD int fd = openat(d->fd, LAYOUT, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	AUTO_BUF text = { 0 };
	const char *version = NULL;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, ERR_LOCAL, errno, LAYOUT);
	if (buf_read(&text, fd, LIMIT_ERROR_BODY, e))
		return err_at(e, LAYOUT);
	AUTO(jdoc) doc = jdoc_parse(text.len ? text.data : "", text.len, e);
	if (!doc || jval_get_text(jdoc_root(doc), "imageLayoutVersion", true, &version, e)) {
		if (e)
			e->kind = ERR_TARGET;
		return err_at(e, LAYOUT);
	}
	if (strcmp(version, "1.0.0") != 0) {
		char shown[64];
		return err_set(e, ERR_TARGET, "is an image layout of version %s; 1.0.0 is known here",
			       text_escape_str(shown, sizeof(shown), version));
	}
	return 1;
}

static bool is_one_of(const char *name)
{
	static const char *const harmless[] = { ".", "..", "lost+found", "blobs", INDEX };
	size_t i = 0;

	while (i < sizeof(harmless) / sizeof(harmless[0]) && strcmp(name, harmless[i]) != 0)
		i++;
	return i < sizeof(harmless) / sizeof(harmless[0]);
}

/* True if nothing is in it but what prepare() puts there in front of oci-layout. */
static bool is_empty(struct oci_dir *d)
{
	int fd = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;
	bool empty = folder != NULL;

	if (!folder && fd >= 0)
		(void)close(fd);
	while (empty && (entry = readdir(folder)))
		empty = is_one_of(entry->d_name) || text_starts(entry->d_name, TEMPORARY);
	if (folder)
		(void)closedir(folder);
	return empty;
}

static int make_folder(int at, const char *name, struct err *e)
{
	return mkdirat(at, name, 0777) && errno != EEXIST ? err_sys(e, ERR_LOCAL, errno, "%s: cannot be made", name)
							  : 0;
}

/*
 * oci-layout comes last: what has it is a whole layout, and whoever finds the rest without it may go on. An index that
 * is there alone stays as it is.
 */
static int make_layout(struct oci_dir *d, struct err *e)
{
	if (!is_empty(d))
		return err_set(e, ERR_USAGE, "is not empty, and no OCI image layout; name another folder");
	if (make_folder(d->fd, "blobs", e) || make_folder(d->fd, "blobs/sha256", e))
		return -1;
	if (faccessat(d->fd, INDEX, F_OK, 0) && write_bytes(d, INDEX_BYTES, strlen(INDEX_BYTES), INDEX, e))
		return -1;
	return write_bytes(d, LAYOUT_BYTES, strlen(LAYOUT_BYTES), LAYOUT, e);
}

/* Two that make it at the same time do it one after the other. */
static int prepare(struct oci_dir *d, const struct events *events, struct err *e)
{
	if (oci_dir_lock(d, events, e))
		return -1;
	int there = check_layout(d, e);
	if (there < 0 || (!there && make_layout(d, e)))
		return -1;
	if (make_folder(d->fd, "blobs", e) || make_folder(d->fd, "blobs/sha256", e))
		return -1;
	d->blobs = openat(d->fd, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->blobs < 0)
		return err_sys(e, ERR_LOCAL, errno, "blobs/sha256");
	sweep(d);
	(void)flock(d->fd, LOCK_UN);
	return 0;
}

struct oci_dir *oci_dir_open(const char *path, const struct events *events, struct err *e)
{
	AUTO(oci_dir) d = calloc(1, sizeof(*d));

	if (!d) {
		err_memory(e);
		return NULL;
	}
	d->fd = d->blobs = -1;
	if (mkdir(path, 0777) && errno != EEXIST) {
		err_sys(e, ERR_LOCAL, errno, "cannot make the folder");
		return NULL;
	}
	d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->fd < 0) {
		err_sys(e, ERR_LOCAL, errno, "cannot open the folder");
		return NULL;
	}
	return prepare(d, events, e) ? NULL : TAKE(d);
}

void oci_dir_free(struct oci_dir *d)
{
	if (!d)
		return;
	if (d->blobs >= 0)
		(void)close(d->blobs);
	if (d->fd >= 0)
		(void)close(d->fd);
	free(d);
}

/* Blobs. */

int oci_dir_has(struct oci_dir *d, const struct digest *digest, struct err *e)
{
	char hex[DIGEST_HEX_SIZE];
	AUTO_FD int fd = openat(d->blobs, digest_hex(digest, hex), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	AUTO_MEM char *piece = malloc(PUMP_PIECE);
	AUTO(hasher) hasher = hasher_new(e);
	struct digest have;
	ssize_t n;

	if (!hasher)
		return -1;
	if (!piece)
		return err_memory(e);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, ERR_LOCAL, errno, "blobs/sha256/%s", hex);
	while ((n = read(fd, piece, PUMP_PIECE)) > 0)
		if (cancel_check(e) || hasher_update(hasher, piece, (size_t)n, e))
			return -1;
	/* What cannot be read is as good as not there: it is written again. */
	if (n < 0)
		return 0;
	return hasher_finish(hasher, &have, e) ? -1 : digest_equal(&have, digest);
}

int oci_dir_room(struct oci_dir *d, uint64_t bytes, struct err *e)
{
	char need[TEXT_SIZE_CAP];
	char have[TEXT_SIZE_CAP];
	struct statvfs fs;

	if (fstatvfs(d->fd, &fs))
		return err_sys(e, ERR_LOCAL, errno, "cannot ask for free disk space");
	const uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room >= bytes)
		return 0;
	err_set(e, ERR_LOCAL, "needs %s, the disk has %s free", text_size(need, bytes), text_size(have, room));
	if (e)
		e->sys = ENOSPC;
	return -1;
}

int oci_dir_put(struct oci_dir *d, const struct digest *digest, struct source *bytes, struct err *e)
{
	char hex[DIGEST_HEX_SIZE];

	return write_file(d, bytes, d->blobs, digest_hex(digest, hex), e);
}

/* The index. */

int oci_dir_lock(struct oci_dir *d, const struct events *events, struct err *e)
{
	bool told = false;

	for (;;) {
		if (!flock(d->fd, LOCK_EX | LOCK_NB))
			return 0;
		/* A file system without locks has to do without. */
		if (errno != EWOULDBLOCK && errno != EINTR)
			return 0;
		if (!told)
			event_text(events, EVENT_NOTE, "waiting for another imgpack that writes this folder");
		told = true;
		if (cancel_sleep(clock_ns() + 100000000, NULL, e))
			return -1;
	}
}

int oci_dir_index(struct oci_dir *d, struct buf *out, struct err *e)
{
	AUTO_FD int fd = openat(d->fd, INDEX, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, INDEX);
	return buf_read(out, fd, LIMIT_PAPER, e) ? err_at(e, INDEX) : 0;
}

int oci_dir_commit(struct oci_dir *d, const struct buf *index, struct err *e)
{
	/* A name is lost with a power failure until its folder is written, and the index must not name what is lost. */
	if (fsync(d->blobs) || fsync(d->fd))
		return err_sys(e, ERR_LOCAL, errno, "cannot write the folder to the disk");
	if (write_bytes(d, index->data, index->len, INDEX, e))
		return -1;
	return fsync(d->fd) ? err_sys(e, ERR_LOCAL, errno, "cannot write the folder to the disk") : 0;
}
