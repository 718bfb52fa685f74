/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_UNIT_REGISTRY_SERVERS_H
#define TESTS_UNIT_REGISTRY_SERVERS_H

/*
 * Real servers for tests: Debian's docker-registry, tests/servers/tokens.py in front of it, and a server of a few lines
 * that says what a test tells it. Each on a free port of 127.0.0.1, ended by its process number.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SERVERS FIXTURES "/../tests/servers"

static inline unsigned short server_free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	close(fd);
	return ntohs(a.sin_port);
}

/* Starts argv with standard output to `out` (or nowhere). It dies with us. */
static inline pid_t server_start(const char *const *argv, int out)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid)
		return pid;
	int nowhere = open("/dev/null", O_RDWR);
	dup2(nowhere, 0);
	dup2(out >= 0 ? out : nowhere, 1);
	dup2(nowhere, 2);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

static inline void server_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static inline void server_await(unsigned short port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(port),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	for (int i = 0; i < 500; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int rc = connect(fd, (struct sockaddr *)&a, sizeof(a));
		close(fd);
		if (!rc)
			return;
		nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
	}
	fail_msg("nothing listens on port %u", (unsigned)port);
}

/* docker-registry with its storage in `folder`; `htpasswd` NULL: open to all. */
struct real_registry {
	pid_t pid;
	unsigned short port;
	char host[32];
};

static inline struct real_registry real_registry_start(const char *folder, const char *htpasswd)
{
	struct real_registry r = { .port = server_free_port() };
	char path[256];
	FILE *f;

	(void)snprintf(r.host, sizeof(r.host), "127.0.0.1:%u", (unsigned)r.port);
	(void)snprintf(path, sizeof(path), "%s/registry-%u.yml", folder, (unsigned)r.port);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
		"version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n"
		"    rootdirectory: %s/storage-%u\n  delete:\n    enabled: true\nhttp:\n  addr: %s\n",
		folder, (unsigned)r.port, r.host);
	if (htpasswd)
		fprintf(f, "auth:\n  htpasswd:\n    realm: test\n    path: %s\n", htpasswd);
	assert_int_equal(fclose(f), 0);
	const char *const argv[] = { "docker-registry", "serve", path, NULL };
	r.pid = server_start(argv, -1);
	server_await(r.port);
	return r;
}

/* tests/servers/tokens.py in front of a registry. */
struct front {
	pid_t pid;
	unsigned front, tokens, store;
	char host[32];
	char diary[256];
};

/* `options` is NULL-terminated, at most 20. */
static inline struct front front_start(const char *folder, const char *registry, const char *const *options)
{
	static unsigned number;
	struct front f = { 0 };
	const char *argv[32] = { "python3", "-B", SERVERS "/tokens.py", "--registry", registry, "--diary", f.diary };
	size_t n = 7;
	int ends[2];
	char line[256];

	(void)snprintf(f.diary, sizeof(f.diary), "%s/diary-%u", folder, number++);
	while (*options)
		argv[n++] = *options++;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	f.pid = server_start(argv, ends[1]);
	close(ends[1]);
	FILE *out = fdopen(ends[0], "r");
	assert_non_null(out);
	assert_non_null(fgets(line, sizeof(line), out));
	fclose(out);
	assert_int_equal(sscanf(line, "{\"front\": %u, \"tokens\": %u, \"store\": %u", &f.front, &f.tokens, &f.store),
			 3);
	(void)snprintf(f.host, sizeof(f.host), "127.0.0.1:%u", f.front);
	return f;
}

/*
 * How many lines of the diary hold all of the words (NULL-terminated list): the lines are JSON as tokens.py writes it,
 * so
 * "\"on\": \"front\"" is a word.
 */
static inline unsigned diary_count(const struct front *f, const char *const *words)
{
	char line[2048];
	unsigned count = 0;
	FILE *in = fopen(f->diary, "r");

	if (!in)
		return 0;
	while (fgets(line, sizeof(line), in)) {
		bool all = true;
		for (const char *const *w = words; *w; w++)
			all = all && strstr(line, *w);
		count += all;
	}
	fclose(in);
	return count;
}
#define DIARY(f, ...) diary_count(&(f), (const char *const[]){ __VA_ARGS__, NULL })

/*
 * A server that answers each connection's requests with what stands in its script, one after the other, whatever is
 * asked; the last one again and again. "%H" in an answer becomes "127.0.0.1:PORT" of its own; "%*" at its end, bytes
 * without end. What it was asked goes to the file `heard`. A forked process: it shares nothing with the test.
 */
struct parrot {
	pid_t pid;
	unsigned short port;
	char host[32];
	char heard[256];
};

static inline void parrot_answer(int fd, const char *answer, const char *host)
{
	char text[65536];
	size_t n = 0;

	for (const char *p = answer; *p && n + 64 < sizeof(text);) {
		if (p[0] == '%' && p[1] == 'H') {
			n += (size_t)snprintf(text + n, 64, "%s", host);
			p += 2;
		} else if (p[0] == '%' && p[1] == '*') {
			(void)send(fd, text, n, MSG_NOSIGNAL);
			memset(text, 'x', sizeof(text));
			while (send(fd, text, sizeof(text), MSG_NOSIGNAL) > 0)
				;
			return;
		} else {
			text[n++] = *p++;
		}
	}
	(void)send(fd, text, n, MSG_NOSIGNAL);
}

/* One request per connection: read the head and, of a sized body, all. */
static inline void parrot_serve(int fd, const char *answer, const char *host, int heard)
{
	char head[65536];
	size_t n = 0;

	while (n < sizeof(head) - 1) {
		ssize_t got = recv(fd, head + n, sizeof(head) - 1 - n, 0);
		if (got <= 0)
			break;
		n += (size_t)got;
		head[n] = '\0';
		const char *end = strstr(head, "\r\n\r\n");
		const char *length = strcasestr(head, "\r\nContent-Length:");
		if (end && n >= (size_t)(end + 4 - head) + (length ? strtoul(length + 17, NULL, 10) : 0))
			break;
	}
	(void)!write(heard, head, n);
	parrot_answer(fd, answer, host);
	shutdown(fd, SHUT_WR);
	while (recv(fd, head, sizeof(head), 0) > 0)
		;
	close(fd);
}

static inline struct parrot parrot_start(const char *folder, const char *const *answers)
{
	static unsigned number;
	struct parrot p = { 0 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	p.port = ntohs(a.sin_port);
	(void)snprintf(p.host, sizeof(p.host), "127.0.0.1:%u", (unsigned)p.port);
	(void)snprintf(p.heard, sizeof(p.heard), "%s/heard-%u", folder, number++);
	p.pid = fork();
	assert_true(p.pid >= 0);
	if (!p.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int heard = open(p.heard, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
		for (;;) {
			int one = accept(fd, NULL, NULL);
			parrot_serve(one, *answers, p.host, heard);
			if (answers[1])
				answers++;
		}
	}
	close(fd);
	return p;
}

/* How often `word` stands in what the parrot heard. */
static inline unsigned parrot_heard(const struct parrot *p, const char *word)
{
	static char text[1 << 20];
	unsigned count = 0;
	FILE *in = fopen(p->heard, "r");

	if (!in)
		return 0;
	text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
	fclose(in);
	for (const char *at = text; (at = strstr(at, word)); at++)
		count++;
	return count;
}

#endif
