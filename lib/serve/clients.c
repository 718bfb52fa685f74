/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/clients.h"

#include "base/clock.h"

#include <stdlib.h>
#include <sys/socket.h>

void clients_init(struct clients *c)
{
	(void)pthread_mutex_init(&c->lock, NULL);
	c->first.next = c->first.before = &c->first;
}

void clients_destroy(struct clients *c)
{
	pthread_mutex_destroy(&c->lock);
}

struct client *clients_add(struct clients *c, int fd)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->fd = fd;
	client->since = clock_ns();
	pthread_mutex_lock(&c->lock);
	client->next = c->first.next;
	client->before = &c->first;
	client->next->before = client;
	c->first.next = client;
	pthread_mutex_unlock(&c->lock);
	return client;
}

void clients_remove(struct clients *c, struct client *client)
{
	if (!client)
		return;
	pthread_mutex_lock(&c->lock);
	client->next->before = client->before;
	client->before->next = client->next;
	pthread_mutex_unlock(&c->lock);
	free(client);
}

void clients_busy(struct clients *c, struct client *client, bool busy)
{
	if (!client)
		return;
	pthread_mutex_lock(&c->lock);
	client->busy = busy;
	client->since = clock_ns();
	pthread_mutex_unlock(&c->lock);
}

/* The other side has closed, and nobody has noticed: what it said last came together with its end. */
static bool gone(const struct client *client)
{
	char byte;

	return !recv(client->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
}

void clients_shut_idle(struct clients *c, int64_t limit)
{
	pthread_mutex_lock(&c->lock);
	for (struct client *at = c->first.next; at != &c->first; at = at->next)
		if (!at->busy && (at->since < limit || gone(at)))
			(void)shutdown(at->fd, SHUT_RDWR);
	pthread_mutex_unlock(&c->lock);
}
