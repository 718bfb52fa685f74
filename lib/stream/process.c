/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/process.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/own.h"
#include "stream/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define SLICE_MS 100  /* how often a waiting parent looks whether it shall stop */
#define LAST_WORDS 10 /* seconds that a program has to end after its input failed */

extern char **environ;

/* A run that is going on. Descriptors are -1 when they are closed. */
struct child {
	const struct process_run *run;
	struct buf *out;
	pid_t pid;
	int64_t deadline; /* ms */
	int to;           /* its standard input, where there is a stream */
	int from;         /* its standard output */
	int errors;       /* its standard error */
	char *piece;      /* of the stream, on its way */
	size_t piece_len, piece_done;
	struct err failure; /* of the stream */
};

static int64_t now_ms(void)
{
	return clock_ns() / 1000000;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

/* Starting. */

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

static int start(struct child *c, struct err *e)
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

/* While it runs. */

static int too_long(const struct child *c, struct err *e)
{
	return err_set(e, ERR_LOCAL, "did not %s within %u seconds", c->run->stream ? "go on" : "answer",
		       c->run->seconds);
}

/* A sign of life: where there is a stream nobody can know how long the whole takes. */
static void alive(struct child *c)
{
	if (c->run->stream && !c->failure.kind)
		c->deadline = now_ms() + (int64_t)c->run->seconds * 1000;
}

/* The next bytes of the stream, as many as it takes. Behind the last one, or a failure, its input ends. */
static void give(struct child *c)
{
	if (c->piece_done == c->piece_len) {
		ssize_t n = source_read(c->run->stream, c->piece, PUMP_PIECE, &c->failure);
		if (n <= 0) {
			shut(&c->to);
			if (n < 0)
				c->deadline = now_ms() + (int64_t)LAST_WORDS * 1000;
			return;
		}
		c->piece_len = (size_t)n;
		c->piece_done = 0;
	}
	ssize_t sent = send(c->to, c->piece + c->piece_done, c->piece_len - c->piece_done, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent > 0) {
		c->piece_done += (size_t)sent;
		alive(c);
	} else if (errno != EINTR && errno != EAGAIN) {
		shut(&c->to);
	}
}

/* What it says. Of standard error the beginning is kept and the rest read, so that nobody waits for a full pipe. */
static int hear(struct child *c, int *fd, struct buf *into, size_t most, struct err *e)
{
	char bytes[16384];
	size_t room = into->capacity > into->len ? into->capacity - 1 - into->len : 0;
	const bool straight = c->run->secret && into == c->out;
	ssize_t n = straight ? read(*fd, into->data + into->len, room) : read(*fd, bytes, sizeof(bytes));

	if (n < 0)
		return errno == EINTR ? 0 : err_sys(e, ERR_LOCAL, errno, "cannot read its answer");
	if (n == 0) {
		shut(fd);
		return 0;
	}
	alive(c);
	if (straight) {
		into->len += (size_t)n;
		into->data[into->len] = '\0';
	} else if (into == c->out || into->len < most) {
		size_t keep = into != c->out && (size_t)n > most - into->len ? most - into->len : (size_t)n;
		if (buf_add(into, bytes, keep, e))
			return -1;
	}
	if (into == c->out && into->len > most)
		return err_set(e, ERR_LOCAL, "answered more than %zu bytes", most);
	return 0;
}

/* One look at its descriptors. A negative one is left out by poll(). */
static int turn(struct child *c, struct err *e)
{
	struct pollfd p[3] = { { .fd = c->to, .events = POLLOUT },
			       { .fd = c->from, .events = POLLIN },
			       { .fd = c->errors, .events = POLLIN } };
	int ready = poll(p, 3, SLICE_MS);

	if (ready < 0 && errno != EINTR)
		return err_sys(e, ERR_LOCAL, errno, "cannot wait for its answer");
	if (ready <= 0)
		return 0;
	if (p[1].revents && hear(c, &c->from, c->out, c->run->max_output, e))
		return -1;
	if (p[2].revents && hear(c, &c->errors, c->run->errors, LIMIT_ERROR_BODY, e))
		return -1;
	if (p[0].revents)
		give(c);
	return 0;
}

/* We shall stop. Whoever is still being given a stream sees it end there, as after any other failure of it. */
static int stopped(struct child *c, struct err *e)
{
	struct err why = { 0 };

	if (c->failure.kind || !cancel_check(&why))
		return 0;
	if (c->to < 0) {
		*e = why;
		return -1;
	}
	c->failure = why;
	shut(&c->to);
	c->deadline = now_ms() + (int64_t)LAST_WORDS * 1000;
	return 0;
}

/* Until it has closed what it speaks through. */
static int converse(struct child *c, struct err *e)
{
	while (c->from >= 0 || c->errors >= 0) {
		if (stopped(c, e))
			return -1;
		if (now_ms() >= c->deadline)
			return too_long(c, e);
		if (turn(c, e))
			return -1;
	}
	shut(&c->to);
	return 0;
}

static int await(struct child *c, int *status, struct err *e)
{
	int raw;

	for (;;) {
		pid_t got = waitpid(c->pid, &raw, WNOHANG);
		if (got == c->pid)
			break;
		if (got < 0 && errno != EINTR)
			return err_sys(e, ERR_LOCAL, errno, "cannot wait for its end");
		if (stopped(c, e))
			return -1;
		if (now_ms() >= c->deadline)
			return too_long(c, e);
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

static int run_child(struct child *c, int *status, struct err *e)
{
	struct err why = { 0 };

	if (start(c, e))
		return -1;
	if (converse(c, &why) || await(c, status, &why)) {
		/* A child that waitpid() could not find any more is not killed: its number may be another's. */
		if (why.sys != ECHILD)
			kill_and_bury(c->pid);
		if (!c->failure.kind)
			c->failure = why;
	}
	if (!c->failure.kind)
		return 0;
	if (e)
		*e = c->failure;
	return -1;
}

int process_run(const struct process_run *run, struct buf *out, int *status, struct err *e)
{
	AUTO_MEM char *piece = run->stream ? malloc(PUMP_PIECE) : NULL;
	struct child c = { .run = run,
			   .out = out,
			   .to = -1,
			   .from = -1,
			   .errors = -1,
			   .piece = piece,
			   .deadline = now_ms() + (int64_t)run->seconds * 1000 };

	if (run->stream && !piece)
		return err_memory(e);
	if (run->secret && buf_reserve(out, run->max_output + 2, e))
		return -1;
	int failed = run_child(&c, status, e);
	shut(&c.to);
	shut(&c.from);
	shut(&c.errors);
	return failed;
}

bool process_exists(const char *program)
{
	const char *path = getenv("PATH");
	char name[4096];

	while (path && *path) {
		size_t len = strcspn(path, ":");
		struct stat st;
		int n = snprintf(name, sizeof(name), "%.*s/%s", (int)len, path, program);
		if (len && n > 0 && (size_t)n < sizeof(name) && !access(name, X_OK) && !stat(name, &st) &&
		    S_ISREG(st.st_mode))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}
