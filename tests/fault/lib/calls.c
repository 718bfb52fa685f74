/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LD_PRELOAD: the calls that touch files under one folder, counted; one of them kills the process or fails, or many
 * come back short. Forty times as fast as a tracer.
 *
 *     FAULT_DIR    the folder's absolute path; calls on other files are let through
 *     FAULT_DEED   trace   writes "call NAME" for each counted call
 *                  kill    the process dies by SIGKILL at the Nth one, before it is made
 *                  torn    the same, but if it writes, half of its bytes are written
 *                  fail    the Nth one fails with FAULT_ERRNO and is not made; a failing close() closes, as the
 * kernel's does fails   the same, and so do all that come after it short   reads and writes move 1 to all of their
 * bytes or none (EINTR), at random, by FAULT_SEED FAULT_CALL   the names that count, with commas around each
 * (",write,pwrite,"); all of them without FAULT_AT     N, from 1 on FAULT_LOG    a file: "fired NAME" when the Nth one
 * is reached
 *
 * A descriptor's path is asked of /proc each time, so that a renamed file and a copied descriptor count too.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *folder;
static const char *deed;
static const char *names;
static unsigned long at;
static uint64_t seed;
static int error;
static int report = -1;
static atomic_ulong counted;

static void *next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

__attribute__((constructor)) static void begin(void)
{
	folder = setting("FAULT_DIR");
	deed = setting("FAULT_DEED");
	names = setting("FAULT_CALL");
	at = strtoul(setting("FAULT_AT"), NULL, 10);
	seed = strtoul(setting("FAULT_SEED"), NULL, 10);
	error = (int)strtol(setting("FAULT_ERRNO"), NULL, 10);
	if (*setting("FAULT_LOG"))
		report = (int)syscall(SYS_openat, AT_FDCWD, setting("FAULT_LOG"),
				      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void say(const char *what, const char *name)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%s %s\n", what, name);

	(void)!syscall(SYS_write, report, line, (size_t)n);
}

static bool under(const char *path)
{
	char full[PATH_MAX];

	if (!folder || !*folder)
		return false;
	if (*path != '/') {
		if (!getcwd(full, sizeof(full)))
			return false;
		size_t used = strlen(full);
		(void)snprintf(full + used, sizeof(full) - used, "/%s", path);
		path = full;
	}
	return !strncmp(path, folder, strlen(folder));
}

static bool mine(int fd)
{
	char link[40];
	char path[PATH_MAX];

	if (!folder || !*folder)
		return false;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return false;
	path[n] = '\0';
	return *path == '/' && under(path); /* a pipe has no path */
}

static void die(void)
{
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

enum verdict { GO_ON, TORN, FAIL };

/* One counted call: whether it is the one. */
static enum verdict meet(const char *name)
{
	char quoted[40];

	(void)snprintf(quoted, sizeof(quoted), ",%s,", name);
	if (*names && !strstr(names, quoted))
		return GO_ON;
	unsigned long number = atomic_fetch_add(&counted, 1) + 1;
	if (!strcmp(deed, "trace"))
		say("call", name);
	if (number < at || !at || (number > at && strcmp(deed, "fails") != 0))
		return GO_ON;
	if (number == at)
		say("fired", name);
	if (!strcmp(deed, "kill"))
		die();
	if (!strcmp(deed, "torn"))
		return TORN;
	errno = error;
	return FAIL;
}

/* How many of `len` bytes are moved this time; 0 is EINTR. */
static size_t shortened(size_t len)
{
	uint64_t x = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15) +
		     atomic_fetch_add(&counted, 1) * UINT64_C(0xbf58476d1ce4e5b9);

	x ^= x >> 30;
	x *= UINT64_C(0x94d049bb133111eb);
	x ^= x >> 27;
	if (x % 4 == 0)
		return 0;
	/* All of it now and then, one byte now and then: else the run would have no end, or no edge. */
	return x % 4 == 1 || !len ? len : x % 16 == 2 ? 1 : 1 + (size_t)((x >> 8) % len);
}

#define SHORT(fd, len)                                                                                                 \
	do {                                                                                                           \
		if (!strcmp(deed, "short") && ((fd) == 1 || (fd) == 2 || mine(fd))) {                                  \
			size_t some = shortened(len);                                                                  \
			if (!some && (len)) {                                                                          \
				errno = EINTR;                                                                         \
				return -1;                                                                             \
			}                                                                                              \
			(len) = some;                                                                                  \
		}                                                                                                      \
	} while (0)

/* A call that moves bytes: real(fd, bytes, n) with the place, if it has one. */
#define MOVES(type, name, label, bytes_type, writes, params, args, half)                                               \
	type name params                                                                                               \
	{                                                                                                              \
		type(*real) params = (type(*) params)next(#name);                                                      \
		SHORT(fd, len);                                                                                        \
		enum verdict v = strcmp(deed, "short") != 0 && mine(fd) ? meet(label) : GO_ON;                         \
		if (v == TORN && (writes))                                                                             \
			(void)!real half;                                                                              \
		if (v == TORN)                                                                                         \
			die();                                                                                         \
		return v == FAIL ? -1 : real args;                                                                     \
	}

MOVES(ssize_t, write, "write", const void *, true, (int fd, const void *p, size_t len), (fd, p, len), (fd, p, len / 2))
MOVES(ssize_t, read, "read", void *, false, (int fd, void *p, size_t len), (fd, p, len), (fd, p, len))
MOVES(ssize_t, pwrite, "pwrite", const void *, true, (int fd, const void *p, size_t len, off_t off), (fd, p, len, off),
      (fd, p, len / 2, off))
MOVES(ssize_t, pwrite64, "pwrite", const void *, true, (int fd, const void *p, size_t len, off64_t off),
      (fd, p, len, off), (fd, p, len / 2, off))
MOVES(ssize_t, pread, "pread", void *, false, (int fd, void *p, size_t len, off_t off), (fd, p, len, off),
      (fd, p, len, off))
MOVES(ssize_t, pread64, "pread", void *, false, (int fd, void *p, size_t len, off64_t off), (fd, p, len, off),
      (fd, p, len, off))

/* A call that moves none. */
#define PLAIN(type, name, label, ours, params, args, failed)                                                           \
	type name params                                                                                               \
	{                                                                                                              \
		type(*real) params = (type(*) params)next(#name);                                                      \
		enum verdict v = strcmp(deed, "short") != 0 && (ours) ? meet(label) : GO_ON;                           \
		if (v == TORN)                                                                                         \
			die();                                                                                         \
		return v == FAIL ? (failed) : real args;                                                               \
	}

PLAIN(int, fsync, "fsync", mine(fd), (int fd), (fd), -1)
PLAIN(int, fdatasync, "fsync", mine(fd), (int fd), (fd), -1)
PLAIN(int, fchmod, "fchmod", mine(fd), (int fd, mode_t mode), (fd, mode), -1)
PLAIN(int, ftruncate, "ftruncate", mine(fd), (int fd, off_t len), (fd, len), -1)
PLAIN(int, ftruncate64, "ftruncate", mine(fd), (int fd, off64_t len), (fd, len), -1)
PLAIN(int, flock, "flock", mine(fd), (int fd, int how), (fd, how), -1)
PLAIN(int, posix_fallocate, "fallocate", mine(fd), (int fd, off_t off, off_t len), (fd, off, len), error)
PLAIN(int, posix_fallocate64, "fallocate", mine(fd), (int fd, off64_t off, off64_t len), (fd, off, len), error)
PLAIN(int, rename, "rename", under(from) || under(to), (const char *from, const char *to), (from, to), -1)
PLAIN(int, unlink, "unlink", under(path), (const char *path), (path), -1)
PLAIN(int, __open_2, "open", under(path), (const char *path, int flags), (path, flags), -1)
PLAIN(int, __open64_2, "open", under(path), (const char *path, int flags), (path, flags), -1)

int close(int fd)
{
	int (*real)(int) = (int (*)(int))next("close");
	enum verdict v = strcmp(deed, "short") != 0 && mine(fd) ? meet("close") : GO_ON;

	if (v == TORN)
		die();
	int failure = errno;
	int rc = real(fd);
	if (v != FAIL)
		return rc;
	errno = failure;
	return -1;
}

#define OPENS(name)                                                                                                    \
	int name(const char *path, int flags, ...)                                                                     \
	{                                                                                                              \
		int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))next(#name);                    \
		va_list ap;                                                                                            \
		va_start(ap, flags);                                                                                   \
		mode_t mode = (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(ap, mode_t) : 0;          \
		va_end(ap);                                                                                            \
		enum verdict v = strcmp(deed, "short") != 0 && under(path) ? meet("open") : GO_ON;                     \
		if (v == TORN)                                                                                         \
			die();                                                                                         \
		return v == FAIL ? -1 : real(path, flags, mode);                                                       \
	}

OPENS(open)
OPENS(open64)
