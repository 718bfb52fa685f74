/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wire.h"

#include <sys/socket.h>

/* Connections that a client keeps alive: registry, token server, blob storage, a mirror or two. */
#define KEPT_CONNECTIONS 8L

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

/* The sockets are remembered so that drive.c can ask the kernel whether bytes still move. */
curl_socket_t wire_on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_client *c = ctx;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

	(void)purpose;
	if (fd < 0)
		return CURL_SOCKET_BAD;
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
