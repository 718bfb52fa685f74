/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/registries.h"

#include "base/limits.h"

#include <string.h>

#define DEFAULT_CONNECTIONS 8

struct registries {
	const struct connect_options *connect;
	const struct events *events;
	struct http *http;
	struct registry **items;
	size_t count;
	size_t capacity;
	/* [worker][registry]; rows grow with the registries, before the workers start. */
	struct registry_conn **connections[LIMIT_CONNECTIONS];
};

bool connect_is_plain_http(const struct connect_options *connect, const char *host)
{
	for (const char *const *p = connect->plain_http; p && *p; p++)
		if (!strcmp(*p, host))
			return true;
	return false;
}

struct registries *registries_new(const struct connect_options *connect, const struct events *events, struct err *e)
{
	AUTO(registries) r = calloc(1, sizeof(*r));
	const struct http_options options = {
		.cacert = connect->cacert,
		.cert = connect->cert,
		.key = connect->key,
		.insecure = connect->insecure,
		.proxy = connect->proxy,
		.stall_seconds = connect->stall_seconds,
	};

	if (!r) {
		err_memory(e);
		return NULL;
	}
	r->connect = connect;
	r->events = events;
	r->http = http_new(&options, e);
	if (!r->http)
		return NULL;
	return TAKE(r);
}

struct http *registries_http(struct registries *r)
{
	return r->http;
}

size_t registries_workers(const struct registries *r)
{
	size_t n = r->connect->connections ? r->connect->connections : DEFAULT_CONNECTIONS;

	return n < LIMIT_CONNECTIONS ? n : LIMIT_CONNECTIONS;
}

/* One more column in every worker's row. */
static int widen(struct registries *r, struct err *e)
{
	for (size_t w = 0; w < registries_workers(r); w++) {
		struct registry_conn **row = reallocarray(r->connections[w], r->count + 1, sizeof(*row));
		if (!row)
			return err_memory(e);
		row[r->count] = NULL;
		r->connections[w] = row;
	}
	return 0;
}

ptrdiff_t registries_add(struct registries *r, const char *host, struct err *e)
{
	for (size_t i = 0; i < r->count; i++)
		if (!strcmp(registry_host(r->items[i]), host))
			return (ptrdiff_t)i;
	const struct registry_options options = {
		.http = r->http,
		.events = r->events,
		.plain_http = connect_is_plain_http(r->connect, host),
		.override = r->connect->credential,
	};
	if (GROW(r->items, r->capacity, r->count, e) || widen(r, e))
		return -1;
	struct registry *item = registry_new(host, &options, e);
	if (!item)
		return -1;
	r->items[r->count] = item;
	return (ptrdiff_t)r->count++;
}

int registries_check_credential(const struct registries *r, struct err *e)
{
	if (!r->connect->credential || r->count <= 1)
		return 0;
	err_set(e, ERR_USAGE, "--username with %zu registries: a password is sent to one of them only", r->count);
	return err_hint(e, "use imgpack login for each");
}

struct registry_conn *registries_connection(struct registries *r, size_t number, size_t worker, struct err *e)
{
	struct registry_conn **slot = &r->connections[worker][number];

	if (!*slot)
		*slot = registry_connect(r->items[number], e);
	return *slot;
}

void registries_free(struct registries *r)
{
	if (!r)
		return;
	for (size_t w = 0; w < LIMIT_CONNECTIONS; w++) {
		for (size_t i = 0; r->connections[w] && i < r->count; i++)
			registry_conn_free(r->connections[w][i]);
		free(r->connections[w]);
	}
	for (size_t i = 0; i < r->count; i++)
		registry_free(r->items[i]);
	free(r->items);
	http_free(r->http);
	free(r);
}
