/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_HTTP_SERVER_H
#define TESTS_UNIT_HTTP_SERVER_H

/* Starts tests/servers/wire.py for a test, talks to it, and ends it by closing its standard input. */

#include "base/buf.h"
#include "base/err.h"
#include "http/http.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct server {
	pid_t pid;
	int control; /* its standard input */
	unsigned port;
	char base[64]; /* "http://127.0.0.1:PORT" */
};

#define SERVER_ARGS 8

/* `args` are wire.py's options, NULL-terminated, without the port. */
static inline void server_start(struct server *s, const char *scheme, const char *const *args)
{
	const char *argv[SERVER_ARGS + 4] = { "python3", FIXTURES "/../tests/servers/wire.py" };
	size_t n = 2;
	int in[2];
	int out[2];
	char line[32] = "";

	for (; args && *args; args++) {
		assert_true(n < SERVER_ARGS + 2);
		argv[n++] = *args;
	}
	argv[n] = "0";
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		execvp("python3", (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	s->control = in[1];
	for (size_t have = 0; have < sizeof(line) - 1 && !strchr(line, '\n');) {
		ssize_t got = read(out[0], line + have, 1);
		assert_true(got == 1);
		have++;
	}
	close(out[0]);
	s->port = (unsigned)strtoul(line, NULL, 10);
	snprintf(s->base, sizeof(s->base), "%s://127.0.0.1:%u", scheme, s->port);
}

static inline void server_stop(struct server *s)
{
	int status;

	close(s->control);
	assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
}

static inline double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* The body must be the server's pattern from byte `from` on. */
static inline void assert_pattern(const char *bytes, size_t len, uint64_t from)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)bytes[i] != (from + i) % 251)
			fail_msg("byte %" PRIu64 " is not the pattern's", from + i);
}

#define assert_contains(text, part)                                                                                    \
	do {                                                                                                           \
		if (!strstr(text, part))                                                                               \
			fail_msg("\"%s\" does not contain \"%s\"", text, part);                                        \
	} while (0)

#define assert_lacks(text, part)                                                                                       \
	do {                                                                                                           \
		if (strstr(text, part))                                                                                \
			fail_msg("\"%s\" contains \"%s\"", text, part);                                                \
	} while (0)

/* Sends with the URL BASE + script. */
static inline struct http_reply *send_script(struct http_client *c, const struct server *s, enum http_method method,
					     const char *script, struct err *e)
{
	char url[2048];

	snprintf(url, sizeof(url), "%s/x?%s", s->base, script);
	return http_send(c, &(struct http_request){ .method = method, .url = url }, e);
}

/* Reads to the end. 0, or -1; *total counts the bytes that came, which must be the pattern's. */
static inline int read_all(struct http_reply *r, uint64_t *total, struct err *e)
{
	char piece[5000];
	ssize_t n;

	*total = 0;
	while ((n = http_read(r, piece, sizeof(piece), e)) > 0) {
		assert_pattern(piece, (size_t)n, *total);
		*total += (uint64_t)n;
	}
	return (int)n;
}

/* What the server wrote down; to be freed. Asked through a client without a proxy. */
static inline char *server_diary(const struct server *s, struct http_client *c, const char *unix_socket)
{
	char url[128];
	struct buf text = { 0 };
	struct err e = { 0 };
	char piece[4096];
	ssize_t n;

	snprintf(url, sizeof(url), "%s/_diary", s->base);
	struct http_reply *r = http_send(c, &(struct http_request){ .url = url, .unix_socket = unix_socket }, &e);
	if (!r)
		fail_msg("no diary: %s", e.text);
	while ((n = http_read(r, piece, sizeof(piece), &e)) > 0)
		assert_int_equal(buf_add(&text, piece, (size_t)n, &e), 0);
	assert_int_equal(n, 0);
	http_reply_free(r);
	assert_int_equal(buf_puts(&text, "", &e), 0);
	return buf_take(&text);
}

static inline size_t count_of(const char *text, const char *part)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, part)); p += strlen(part))
		n++;
	return n;
}

#endif
