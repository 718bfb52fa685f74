/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/listen.h"

#include "base/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024

static int refuse(const char *text, struct err *e)
{
	char shown[160];

	return err_set(e, ERR_USAGE, "\"%s\" is no address to listen at; expected HOST:PORT, :PORT or [IPV6]:PORT",
		       text_escape_str(shown, sizeof(shown), text));
}

int listen_parse(struct listen_address *out, const char *text, struct err *e)
{
	struct listen_address a = { .port = LISTEN_PORT };
	uint64_t number = 0;
	const char *host = text;
	const char *end = *text == '[' ? strchr(text, ']') : strrchr(text, ':');
	const char *port = end;

	if (*text == '[') {
		if (!end || (end[1] && end[1] != ':'))
			return refuse(text, e);
		host++;
		port = end[1] ? end + 1 : NULL;
	} else if (end && strchr(text, ':') != end) {
		return refuse(text, e); /* IPv6 without brackets: where does it end? */
	}
	const size_t len = end ? (size_t)(end - host) : strlen(host);
	if (len >= sizeof(a.host) || memchr(host, '/', len) || (!len && !port))
		return refuse(text, e);
	memcpy(a.host, host, len);
	if (port) {
		if (!text_parse_u64(port + 1, strlen(port + 1), 65535, &number))
			return refuse(text, e);
		(void)snprintf(a.port, sizeof(a.port), "%u", (unsigned)number & 0xffff);
	}
	*out = a;
	return 0;
}

bool listen_is_local(const struct listen_address *a)
{
	return !strcmp(a->host, "localhost") || text_starts(a->host, "127.") || !strcmp(a->host, "::1");
}

static int open_socket(const struct addrinfo *at, bool all, int *out)
{
	const int yes = 1;
	const int no = 0;
	int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (at->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, all ? &no : &yes, sizeof(yes));
	if (bind(fd, at->ai_addr, at->ai_addrlen) || listen(fd, BACKLOG)) {
		const int sys = errno;
		(void)close(fd);
		return sys;
	}
	*out = fd;
	return 0;
}

static unsigned port_of(int fd)
{
	struct sockaddr_storage bound = { 0 };
	socklen_t len = sizeof(bound);

	if (getsockname(fd, (struct sockaddr *)&bound, &len))
		return 0;
	return ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
						 : ((struct sockaddr_in *)&bound)->sin_port);
}

/* All addresses are IPv6's where there is IPv6: that socket takes both. */
static struct addrinfo *find_address(const struct listen_address *a, struct err *e)
{
	const bool all = !*a->host;
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	char shown[160];
	int rc = getaddrinfo(all ? "::" : a->host, a->port, &hints, &found);

	if (!rc)
		return found;
	err_set(e, ERR_LOCAL, "cannot listen at %s: %s", text_escape_str(shown, sizeof(shown), all ? "::" : a->host),
		gai_strerror(rc));
	return NULL;
}

int listen_open(const struct listen_address *a, unsigned *port, struct err *e)
{
	const bool all = !*a->host;
	struct listen_address four = *a;
	int fd = -1;
	char name[LISTEN_TEXT_SIZE];
	struct addrinfo *found = find_address(a, e);

	if (!found)
		return -1;
	int sys = open_socket(found, all, &fd);
	freeaddrinfo(found);
	if (all && (sys == EAFNOSUPPORT || sys == EADDRNOTAVAIL)) {
		(void)snprintf(four.host, sizeof(four.host), "0.0.0.0");
		return listen_open(&four, port, e);
	}
	if (!sys) {
		*port = port_of(fd);
		return fd;
	}
	(void)snprintf(name, sizeof(name), "%s%s%s", a->host, *a->host ? ":" : "port ", a->port);
	err_sys(e, ERR_LOCAL, sys, "cannot listen at %s", name);
	return sys == EADDRINUSE ? err_hint(e, "--listen names another address") : -1;
}

void listen_name(const struct listen_address *a, unsigned port, char out[LISTEN_TEXT_SIZE])
{
	char host[256];

	(void)snprintf(host, sizeof(host), "%s", a->host);
	if ((!*host || !strcmp(host, "0.0.0.0") || !strcmp(host, "::")) && gethostname(host, sizeof(host) - 1))
		(void)snprintf(host, sizeof(host), "localhost");
	host[sizeof(host) - 1] = '\0';
	(void)snprintf(out, LISTEN_TEXT_SIZE, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
}
