/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/process_inside.h"

#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>

extern char **environ;

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

/* A stream goes through a socket and not a pipe: a send() can do without SIGPIPE, a write() cannot. */
static int make_stream(struct child *c, struct err *e)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return err_sys(e, ERR_LOCAL, errno, "cannot make a socket");
	c->to = ends[0];
	return ends[1];
}

/* What the program shall find: three descriptors, no blocked signals, SIGPIPE as it was born. */
static int prepare(posix_spawn_file_actions_t *files, posix_spawnattr_t *attr, int in, int out, int errors)
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
	if (!sys && errors >= 0)
		sys = posix_spawn_file_actions_adddup2(files, errors, 2);
	else if (!sys)
		sys = posix_spawn_file_actions_addopen(files, 2, "/dev/null", O_WRONLY, 0);
	if (!sys)
		sys = posix_spawn_file_actions_addclosefrom_np(files, 3);
	return sys;
}

/* argv[] for the program: what it is handed is not written to, posix_spawn() only lacks the word. */
static char **make_arguments(const struct process_run *run)
{
	size_t count = 0;

	while (run->arguments[count])
		count++;
	char **argv = calloc(count + 2, sizeof(*argv));
	if (!argv)
		return NULL;
	argv[0] = (char *)(uintptr_t)run->program;
	for (size_t i = 0; i < count; i++)
		argv[i + 1] = (char *)(uintptr_t)run->arguments[i];
	return argv;
}

/* posix_spawnp() and not execvp(): the latter hands a file that is no program to /bin/sh. */
static int spawn(const struct process_run *run, int in, int out, int errors, pid_t *pid)
{
	AUTO_MEM char **argv = make_arguments(run);
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;

	if (!argv)
		return ENOMEM;
	int sys = posix_spawn_file_actions_init(&files);
	if (sys)
		return sys;
	sys = posix_spawnattr_init(&attr);
	if (!sys) {
		sys = prepare(&files, &attr, in, out, errors);
		if (!sys)
			sys = posix_spawnp(pid, run->program, &files, &attr, argv, environ);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&files);
	return sys;
}

int process_start(struct child *c, struct err *e)
{
	int out[2];
	int errors[2];
	AUTO_FD int in = c->run->stream ? make_stream(c, e) : make_input(c->run, e);

	if (in < 0)
		return -1;
	if (pipe2(out, O_CLOEXEC))
		return err_sys(e, ERR_LOCAL, errno, "cannot make a pipe");
	c->from = out[0];
	AUTO_FD int out_end = out[1];
	if (!c->run->errors) {
		errors[1] = -1;
	} else if (pipe2(errors, O_CLOEXEC)) {
		return err_sys(e, ERR_LOCAL, errno, "cannot make a pipe");
	} else {
		c->errors = errors[0];
	}
	AUTO_FD int errors_end = errors[1];
	int sys = spawn(c->run, in, out_end, errors_end, &c->pid);
	return sys ? err_sys(e, ERR_LOCAL, sys, "cannot be run") : 0;
}
