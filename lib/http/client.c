/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wire.h"

#include <sys/socket.h>

/* Connections that a client keeps alive: registry, token server, blob storage, a mirror or two. */
#define KEPT_CONNECTIONS 8L

#define SOCKET_BUFFER_USUAL (128 << 10)
#define SOCKET_BUFFER_LEAST (8 << 10)

struct http_client *http_client_new(struct http *h, struct err *e)
{
	AUTO(http_client) c = calloc(1, sizeof(*c));

	if (!c) {
		err_memory(e);
		return NULL;
	}
	c->http = h;
	c->multi = curl_multi_init();
	c->easy = curl_easy_init();
	if (!c->multi || !c->easy) {
		err_memory(e);
		return NULL;
	}
	if (curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS) ||
	    curl_easy_setopt(c->easy, CURLOPT_SHARE, h->share)) {
		err_set(e, ERR_LOCAL, "libcurl cannot be set up");
		return NULL;
	}
	return TAKE(c);
}

void http_client_watch(struct http_client *c, const atomic_bool *stop)
{
	c->stop = stop;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	/* The multi handle closes the kept connections and calls wire_on_close(c) for each. */
	if (c->easy)
		curl_easy_cleanup(c->easy);
	if (c->multi)
		curl_multi_cleanup(c->multi);
	free(c);
}

size_t wire_piece(const struct http_reply *r, size_t bytes)
{
	size_t piece = r->pace ? pace_piece(r->pace) : bytes;

	return piece < bytes ? piece : bytes;
}

/*
 * What the kernel takes in or keeps back for a connection is beyond the limit, so its buffers hold a fraction of a
 * second only. Where that is as much as it starts with, it is left to its own judgement.
 */
static void shrink_buffers(const struct pace *pace, int fd)
{
	int bytes = (int)pace_piece(pace) / 2;

	if (bytes >= SOCKET_BUFFER_USUAL)
		return;
	bytes = bytes > SOCKET_BUFFER_LEAST ? bytes : SOCKET_BUFFER_LEAST;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
}

/* The sockets are remembered so that drive.c can ask the kernel whether bytes still move. */
curl_socket_t wire_on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_client *c = ctx;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)purpose;
	if (fd < 0)
		return CURL_SOCKET_BAD;
	if (c->http->pace && address->family != AF_UNIX)
		shrink_buffers(c->http->pace, fd);
	if (c->socket_count < WIRE_SOCKETS)
		c->sockets[c->socket_count++] = fd;
	return fd;
}

int wire_on_close(void *ctx, curl_socket_t fd)
{
	struct http_client *c = ctx;

	for (size_t i = 0; i < c->socket_count; i++)
		if (c->sockets[i] == fd) {
			c->sockets[i] = c->sockets[--c->socket_count];
			break;
		}
	return close(fd);
}
