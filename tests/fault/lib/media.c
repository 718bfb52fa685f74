/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LD_PRELOAD: a medium that lies, for the files under one folder.
 *
 *     MEDIA_DIR    the folder's absolute path
 *     MEDIA_DEED   lose   writes are taken; when the kernel's pages are dropped, a stretch of a file turns out never to
 *                         have reached the medium (zeros)
 *                  flip   the same, with one bit changed
 *                  fake   the medium has MEDIA_AT bytes and says that it has more: what is written behind them is lost
 *                  swap   the byte at MEDIA_AT of the file whose name is MEDIA_FILE is another one from the second time
 *                         on that it is read
 *     MEDIA_SEED   where, for lose and flip
 *     MEDIA_LOG    a file: "lied" when it was done
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_ulong written;
static atomic_uint seen;
static atomic_uint dropped;

static const char *setting(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

static bool deed_is(const char *deed)
{
	return !strcmp(setting("MEDIA_DEED"), deed);
}

static bool path_of(int fd, char path[PATH_MAX])
{
	char link[64];

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = '\0';
	const size_t len = strlen(setting("MEDIA_DIR"));
	return len && n > 0 && !strncmp(path, setting("MEDIA_DIR"), len) && path[len] == '/';
}

static void say(void)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, setting("MEDIA_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
			      0600);

	(void)!syscall(SYS_write, fd, "lied\n", 5);
	(void)syscall(SYS_close, fd);
}

/* A number below `most`, the same for one seed and one file. */
static uint64_t chance(const char *path, uint64_t most)
{
	uint64_t x = strtoull(setting("MEDIA_SEED"), NULL, 10) * 0x9e3779b97f4a7c15u + 1;

	for (const char *p = path; *p; p++)
		x = (x ^ (unsigned char)*p) * 0x100000001b3u;
	x ^= x >> 29;
	return most ? (x * 0xbf58476d1ce4e5b9u >> 11) % most : 0;
}

static void spoil(int fd, const char *path)
{
	struct stat st;
	static const char zeros[1u << 16];

	if (fstat(fd, &st) || !st.st_size)
		return;
	const uint64_t size = (uint64_t)st.st_size;
	const uint64_t at = chance(path, size);
	char byte;
	if (deed_is("flip")) {
		(void)!syscall(SYS_pread64, fd, &byte, 1, at);
		byte ^= (char)(1 << chance(path, 8));
		(void)!syscall(SYS_pwrite64, fd, &byte, 1, at);
		say();
		return;
	}
	/* Zeros that were zeros before are no lie. */
	bool lied = false;
	for (uint64_t i = at; i < size && i < at + sizeof(zeros) && !lied; i++)
		lied = syscall(SYS_pread64, fd, &byte, 1, i) == 1 && byte;
	const uint64_t len = size - at < sizeof(zeros) ? size - at : sizeof(zeros);
	(void)!syscall(SYS_pwrite64, fd, zeros, len, at);
	if (lied)
		say();
}

/* One file of those that are dropped is spoilt: which one, the seed says. */
static int advise(int fd, off_t off, off_t len, int advice)
{
	char path[PATH_MAX];

	if (advice == POSIX_FADV_DONTNEED && (deed_is("lose") || deed_is("flip")) && path_of(fd, path) &&
	    atomic_fetch_add(&dropped, 1) ==
		    strtoul(setting("MEDIA_SEED"), NULL, 10) % strtoul(setting("MEDIA_AT"), NULL, 10))
		spoil(fd, path);
	return (int)syscall(SYS_fadvise64, fd, off, len, advice);
}
int posix_fadvise(int fd, off_t off, off_t len, int advice)
{
	return advise(fd, off, len, advice);
}
int posix_fadvise64(int fd, off64_t off, off64_t len, int advice)
{
	return advise(fd, off, len, advice);
}

static ssize_t put(int fd, const void *buf, size_t len, off_t off)
{
	char path[PATH_MAX];

	if (!deed_is("fake") || !path_of(fd, path))
		return syscall(SYS_pwrite64, fd, buf, len, off);
	if (atomic_fetch_add(&written, len) + len <= strtoul(setting("MEDIA_AT"), NULL, 10))
		return syscall(SYS_pwrite64, fd, buf, len, off);
	say();
	return (ssize_t)len;
}
ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
	return put(fd, buf, len, off);
}
ssize_t pwrite64(int fd, const void *buf, size_t len, off64_t off)
{
	return put(fd, buf, len, off);
}

static ssize_t get(int fd, void *buf, size_t len, off_t off)
{
	char path[PATH_MAX];
	const ssize_t n = syscall(SYS_pread64, fd, buf, len, off);
	const off_t at = (off_t)strtoll(setting("MEDIA_AT"), NULL, 10);

	if (n <= 0 || !deed_is("swap") || off > at || at - off >= n || !path_of(fd, path) ||
	    strcmp(strrchr(path, '/') + 1, setting("MEDIA_FILE")) != 0)
		return n;
	if (atomic_fetch_add(&seen, 1)) {
		((char *)buf)[at - off] ^= 0x20;
		say();
	}
	return n;
}
ssize_t pread(int fd, void *buf, size_t len, off_t off)
{
	return get(fd, buf, len, off);
}
ssize_t pread64(int fd, void *buf, size_t len, off64_t off)
{
	return get(fd, buf, len, off);
}
