/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/process_inside.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/own.h"
#include "stream/sink.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#define SLICE_MS 100  /* how often a waiting parent looks whether it shall stop */
#define LAST_WORDS 10 /* seconds that a program has to end after its input failed */

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

	if (process_start(c, e))
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
