/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/registries.h"

#include "base/limits.h"
#include "registry/dockerproxies.h"

#include <string.h>

#define DEFAULT_CONNECTIONS 8

bool connect_is_plain_http(const struct connect_options *connect, const char *host)
{
	for (const char *const *p = connect->plain_http; p && *p; p++)
		if (!strcmp(*p, host))
			return true;
	return false;
}

static int read_mirrors(struct registries *r, struct err *e)
{
	size_t count = 0;

	while (r->connect->mirrors && r->connect->mirrors[count])
		count++;
	r->mirrors = calloc(count + 1, sizeof(*r->mirrors));
	r->mirrored = calloc(count + 1, sizeof(*r->mirrored));
	if (!r->mirrors || !r->mirrored)
		return err_memory(e);
	for (; r->mirror_count < count; r->mirror_count++)
		if (sites_parse_mirror(r->connect->mirrors[r->mirror_count], &r->mirrored[r->mirror_count],
				       &r->mirrors[r->mirror_count], e))
			return err_at(e, "--mirror");
	return 0;
}

struct registries *registries_new(const struct connect_options *connect, const struct events *events, struct err *e)
{
	AUTO(registries) r = calloc(1, sizeof(*r));
	AUTO_PROXIES docker = { 0 };
	const struct http_options options = {
		.cacert = connect->cacert,
		.cert = connect->cert,
		.key = connect->key,
		.insecure = connect->insecure,
		.proxy = connect->proxy,
		.docker_proxies = &docker,
		.limit_rate = connect->limit_rate,
		.stall_seconds = connect->stall_seconds,
	};

	if (!r) {
		err_memory(e);
		return NULL;
	}
	pthread_mutex_init(&r->lock, NULL);
	if (!connect->proxy && !http_proxies_in_environment() && dockerproxies_find(&docker, e))
		return NULL;
	r->connect = connect;
	r->events = events;
	r->http = http_new(&options, e);
	if (!r->http || read_mirrors(r, e))
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
		struct registry_conn *(*row)[ENDPOINTS_MOST] = reallocarray(r->connections[w], r->count + 1,
									    sizeof(*row));
		if (!row)
			return err_memory(e);
		memset(row[r->count], 0, sizeof(row[r->count]));
		r->connections[w] = row;
	}
	return 0;
}

static bool owns_credential(const struct connect_options *connect, const char *host)
{
	return !connect->credential_for || !strcmp(connect->credential_for, host);
}

/* One more place to ask; `host` is where, `site` how (NULL: nothing special). */
static int add_endpoint(struct registries *r, struct family *f, const char *host, const struct site *site, bool origin,
			struct err *e)
{
	const struct registry_options options = {
		.http = r->http,
		.events = r->events,
		.plain_http = connect_is_plain_http(r->connect, host) || (site && site->plain_http),
		.api_path = site && !origin ? site->api_path : NULL,
		.ns = site && !origin ? site->ns : NULL,
		/* --username is meant for the registry, not for whoever stands in for it. */
		.override = origin && owns_credential(r->connect, f->host) ? r->connect->credential : NULL,
	};
	struct endpoint *ep = &f->endpoints[f->count];

	if (f->count == ENDPOINTS_MOST)
		return err_set(e, ERR_USAGE, "%s: more than %d mirrors", f->host, ENDPOINTS_MOST - 1);
	if (site && site_trust(site, r->http, e))
		return -1;
	ep->registry = registry_new(host, &options, e);
	if (!ep->registry)
		return -1;
	ep->site = site;
	ep->origin = origin;
	f->count++;
	return 0;
}

/* Only who downloads is served by mirrors. What --mirror names comes first; what the configuration says again counts
 * once. */
static int add_endpoints(struct registries *r, struct family *f, struct err *e)
{
	const struct site *self = NULL;

	for (size_t i = 0; i < r->mirror_count; i++)
		if (!strcmp(r->mirrored[i], f->host) &&
		    add_endpoint(r, f, r->mirrors[i].host, &r->mirrors[i], false, e))
			return -1;
	for (size_t i = 0; i < f->sites.count; i++) {
		const struct site *s = &f->sites.items[i];
		if (s->origin)
			self = s;
		else if (r->connect->use_mirrors && add_endpoint(r, f, s->host, s, false, e))
			return -1;
	}
	if (f->sites.no_origin && f->count)
		return 0;
	return add_endpoint(r, f, f->host, self, true, e);
}

static void family_free(struct family *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++)
		registry_free(f->endpoints[i].registry);
	sites_release(&f->sites);
	free(f->host);
	free(f);
}
OWNED(family)

ptrdiff_t registries_add(struct registries *r, const char *host, struct err *e)
{
	AUTO(family) f = NULL;

	for (size_t i = 0; i < r->count; i++)
		if (!strcmp(r->items[i]->host, host))
			return (ptrdiff_t)i;
	if (GROW(r->items, r->capacity, r->count, e) || widen(r, e))
		return -1;
	f = calloc(1, sizeof(*f));
	if (!f || !(f->host = strdup(host))) {
		err_memory(e);
		return -1;
	}
	if (sites_find(&f->sites, host, NULL, r->events, e) || add_endpoints(r, f, e))
		return -1;
	r->items[r->count] = TAKE(f);
	return (ptrdiff_t)r->count++;
}

int registries_trust(struct registries *r, const char *host, struct err *e)
{
	struct sites sites = { 0 };
	int rc = sites_find(&sites, host, NULL, r->events, e);

	for (size_t i = 0; !rc && i < sites.count; i++)
		if (sites.items[i].origin)
			rc = site_trust(&sites.items[i], r->http, e);
	sites_release(&sites);
	return rc;
}

int registries_check_credential(const struct registries *r, struct err *e)
{
	if (!r->connect->credential || r->connect->credential_for || r->count <= 1)
		return 0;
	err_set(e, ERR_USAGE, "--username with %zu registries: a password is sent to one of them only", r->count);
	return err_hint(e, "use imgpack login for each");
}

size_t registries_origin(const struct registries *r, size_t number)
{
	const struct family *f = r->items[number];

	for (size_t i = 0; i < f->count; i++)
		if (f->endpoints[i].origin)
			return i;
	return ENDPOINTS_MOST;
}

bool registries_no_ranges(struct registries *r, size_t number, size_t endpoint)
{
	pthread_mutex_lock(&r->lock);
	bool none = r->items[number]->endpoints[endpoint].no_ranges;
	pthread_mutex_unlock(&r->lock);
	return none;
}

void registries_note_no_ranges(struct registries *r, size_t number, size_t endpoint)
{
	pthread_mutex_lock(&r->lock);
	r->items[number]->endpoints[endpoint].no_ranges = true;
	pthread_mutex_unlock(&r->lock);
}

bool registries_refuses_ranges(const struct err *failure)
{
	return failure->kind == ERR_NETWORK && (failure->sys == 206 || failure->sys == 416);
}

void registries_gave(struct registries *r, size_t number, size_t endpoint, uint64_t bytes)
{
	pthread_mutex_lock(&r->lock);
	r->items[number]->endpoints[endpoint].bytes += bytes;
	pthread_mutex_unlock(&r->lock);
}

struct registry_conn *registries_connection(struct registries *r, size_t number, size_t endpoint, size_t worker,
					    struct err *e)
{
	struct registry_conn **slot = &r->connections[worker][number][endpoint];

	if (!*slot)
		*slot = registry_connect(r->items[number]->endpoints[endpoint].registry, e);
	return *slot;
}

void registries_free(struct registries *r)
{
	if (!r)
		return;
	for (size_t w = 0; w < LIMIT_CONNECTIONS; w++) {
		for (size_t i = 0; r->connections[w] && i < r->count; i++)
			for (size_t k = 0; k < ENDPOINTS_MOST; k++)
				registry_conn_free(r->connections[w][i][k]);
		free(r->connections[w]);
	}
	for (size_t i = 0; i < r->count; i++)
		family_free(r->items[i]);
	for (size_t i = 0; i < r->mirror_count; i++) {
		site_release(&r->mirrors[i]);
		free(r->mirrored[i]);
	}
	free(r->items);
	free(r->mirrors);
	free(r->mirrored);
	http_free(r->http);
	pthread_mutex_destroy(&r->lock);
	free(r);
}
