/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/secret.h"

#include "base/cancel.h"
#include "base/limits.h"
#include "cmd/process.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define POLL_MS 200

/* Room for the secret: wiped, and never moved by a realloc() that would leave a copy behind. */
struct room {
	char bytes[LIMIT_PASSWORD + 2]; /* one more than allowed, to see that it is too long; and a NUL */
	size_t len;
};

static void room_wipe(struct room *r)
{
	explicit_bzero(r, sizeof(*r));
}
#define WIPED __attribute__((cleanup(room_wipe)))

/* Reads once; 1: something came, 0: the end, -1: failed. A signal is seen within POLL_MS whenever it comes. */
static int read_some(struct room *r, struct err *e)
{
	size_t space = LIMIT_PASSWORD + 1 - r->len;

	for (;;) {
		struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
		if (cancel_check(e))
			return -1;
		int ready = poll(&p, 1, POLL_MS);
		if (ready == 0 || (ready < 0 && errno == EINTR))
			continue;
		if (ready < 0)
			return err_sys(e, ERR_LOCAL, errno, "standard input");
		ssize_t n = read(STDIN_FILENO, r->bytes + r->len, space);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, ERR_LOCAL, errno, "standard input");
		r->len += (size_t)n;
		return n > 0;
	}
}

/* The secret as a string of its own, checked. */
static char *finish(struct room *r, struct err *e)
{
	if (r->len > LIMIT_PASSWORD) {
		err_set(e, ERR_USAGE, "standard input: longer than %d bytes", LIMIT_PASSWORD);
		return NULL;
	}
	if (r->len && r->bytes[r->len - 1] == '\n')
		r->len--;
	if (r->len && r->bytes[r->len - 1] == '\r')
		r->len--;
	r->bytes[r->len] = '\0';
	if (memchr(r->bytes, '\0', r->len)) {
		err_set(e, ERR_USAGE, "standard input: a NUL byte in it");
		return NULL;
	}
	char *secret = strdup(r->bytes);
	if (!secret)
		err_memory(e);
	return secret;
}

char *secret_from_stdin(struct err *e)
{
	WIPED struct room room = { .len = 0 };
	int more = 1;

	while (more > 0 && room.len <= LIMIT_PASSWORD)
		more = read_some(&room, e);
	if (more < 0)
		return NULL;
	char *secret = finish(&room, e);
	if (secret && !*secret) {
		free(secret);
		err_set(e, ERR_USAGE, "--password-stdin: standard input is empty");
		return NULL;
	}
	return secret;
}

static int read_line(struct room *r, struct err *e)
{
	int more = 1;

	while (more > 0 && r->len <= LIMIT_PASSWORD && !memchr(r->bytes, '\n', r->len))
		more = read_some(r, e);
	if (more < 0)
		return -1;
	if (!r->len)
		return err_set(e, ERR_USAGE, "standard input ended");
	return 0;
}

char *secret_ask(const char *prompt, bool echo, struct err *e)
{
	WIPED struct room room = { .len = 0 };
	struct termios before, hidden;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &before)) {
		err_set(e, ERR_USAGE, "standard input is no terminal: give --username USER and --password-stdin");
		return NULL;
	}
	hidden = before;
	if (!echo)
		hidden.c_lflag = (hidden.c_lflag & ~(tcflag_t)ECHO) | ECHONL;
	if (!echo && tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)) {
		err_sys(e, ERR_LOCAL, errno, "cannot switch the terminal's echo off");
		return NULL;
	}
	int rc = process_write(STDERR_FILENO, "standard error", prompt, strlen(prompt), e);
	if (rc == 0)
		rc = read_line(&room, e);
	if (!echo && tcsetattr(STDIN_FILENO, TCSADRAIN, &before) && rc == 0)
		rc = err_sys(e, ERR_LOCAL, errno, "cannot switch the terminal's echo on again");
	if (rc)
		(void)process_write(STDERR_FILENO, "standard error", "\n", 1, NULL);
	return rc ? NULL : finish(&room, e);
}
