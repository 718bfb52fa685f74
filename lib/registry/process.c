/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/process.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define SLICE_MS 100 /* how often a waiting parent looks whether it shall stop */

extern char **environ;

static int64_t now_ms(void)
{
	return clock_ns() / 1000000;
}

/*
 * The input as a nameless file in memory: the child can read it at its own pace or not at all, so there is no SIGPIPE
 * and no deadlock between two pipes.
 */
static int make_input(const struct process_run *run, struct err *e)
{
	int fd = memfd_create("imgpack-input", MFD_CLOEXEC);

	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "cannot make a file in memory");
	for (size_t done = 0; done < run->input_len;) {
		ssize_t n = pwrite(fd, run->input + done, run->input_len - done, (off_t)done);
		if (n <= 0) {
			err_sys(e, ERR_LOCAL, n ? errno : EIO, "cannot write to a file in memory");
			(void)close(fd);
			return -1;
		}
		done += (size_t)n;
	}
	return fd;
}

/* What the program shall find: three descriptors, no blocked signals, SIGPIPE as it was born. */
static int prepare(posix_spawn_file_actions_t *files, posix_spawnattr_t *attr, int in, int out)
{
	sigset_t none;
	sigset_t usual;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGINT);
	sigaddset(&usual, SIGTERM);
	int sys = posix_spawnattr_setsigmask(attr, &none);
	if (!sys)
		sys = posix_spawnattr_setsigdefault(attr, &usual);
	if (!sys)
		sys = posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (!sys)
		sys = posix_spawn_file_actions_adddup2(files, in, 0);
	if (!sys)
		sys = posix_spawn_file_actions_adddup2(files, out, 1);
	if (!sys)
		sys = posix_spawn_file_actions_addopen(files, 2, "/dev/null", O_WRONLY, 0);
	if (!sys)
		sys = posix_spawn_file_actions_addclosefrom_np(files, 3);
	return sys;
}

/* posix_spawnp() and not execvp(): the latter hands a file that is no program to /bin/sh. */
static int start(const struct process_run *run, int in, int out, pid_t *pid)
{
	char *const argv[] = { (char *)(uintptr_t)run->program, (char *)(uintptr_t)run->argument, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int sys = posix_spawn_file_actions_init(&files);

	if (sys)
		return sys;
	sys = posix_spawnattr_init(&attr);
	if (!sys) {
		sys = prepare(&files, &attr, in, out);
		if (!sys)
			sys = posix_spawnp(pid, run->program, &files, &attr, argv, environ);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&files);
	return sys;
}

static int too_long(const struct process_run *run, struct err *e)
{
	return err_set(e, ERR_DENIED, "did not answer within %u seconds", run->seconds);
}

/* Everything it says, until it closes its standard output. */
static int collect(const struct process_run *run, int fd, int64_t deadline, struct buf *out, struct err *e)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		if (cancel_check(e))
			return -1;
		if (now_ms() >= deadline)
			return too_long(run, e);
		int ready = poll(&p, 1, SLICE_MS);
		if (ready < 0 && errno != EINTR)
			return err_sys(e, ERR_LOCAL, errno, "cannot wait for its answer");
		if (ready <= 0)
			continue;
		ssize_t n = read(fd, out->data + out->len, out->capacity - 1 - out->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, ERR_LOCAL, errno, "cannot read its answer");
		if (n == 0)
			return 0;
		out->len += (size_t)n;
		out->data[out->len] = '\0';
		if (out->len > run->max_output)
			return err_set(e, ERR_DENIED, "answered more than %zu bytes", run->max_output);
	}
}

static int await(const struct process_run *run, pid_t pid, int64_t deadline, int *status, struct err *e)
{
	int raw;

	for (;;) {
		pid_t got = waitpid(pid, &raw, WNOHANG);
		if (got == pid)
			break;
		if (got < 0 && errno != EINTR)
			return err_sys(e, ERR_LOCAL, errno, "cannot wait for its end");
		if (cancel_check(e))
			return -1;
		if (now_ms() >= deadline)
			return too_long(run, e);
		nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
	}
	*status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
	return 0;
}

static void kill_and_bury(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int process_run(const struct process_run *run, struct buf *out, int *status, struct err *e)
{
	int64_t deadline = now_ms() + (int64_t)run->seconds * 1000;
	int ends[2];
	pid_t pid;

	if (buf_reserve(out, run->max_output + 1, e))
		return -1;
	AUTO_FD int in = make_input(run, e);
	if (in < 0)
		return -1;
	if (pipe2(ends, O_CLOEXEC))
		return err_sys(e, ERR_LOCAL, errno, "cannot make a pipe");
	AUTO_FD int from = ends[0];
	int sys = start(run, in, ends[1], &pid);
	(void)close(ends[1]);
	if (sys)
		return err_sys(e, ERR_DENIED, sys, "cannot be run");
	if (collect(run, from, deadline, out, e) || await(run, pid, deadline, status, e)) {
		/* A child that waitpid() could not find any more is not killed: its number may be another's. */
		if (!e || e->sys != ECHILD)
			kill_and_bury(pid);
		return -1;
	}
	return 0;
}
