/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_REGISTRIES_H
#define FLOW_REGISTRIES_H

/*
 * The registries of one run, each once; the places where each one's content may be asked for (its mirrors in their
 * order, then itself); how each place has behaved so far; and every worker's connections to them. Registries are added
 * before the workers start; after that everything may be called from any thread, each with its own worker number.
 */

#include "flow/flow.h"
#include "http/http.h"
#include "registry/registry.h"
#include "registry/sites.h"

#include <pthread.h>

/* How a place has behaved in this run. Guarded by registries.lock. */
enum standing {
	STANDING_GOOD,
	STANDING_WEAK, /* asked only when no better place is left */
	STANDING_LEFT  /* not asked any more */
};

struct endpoint {
	struct registry *registry;
	const struct site *site; /* NULL: the registry itself, about which no file says anything */
	bool origin;
	enum standing standing;
	char why[200];      /* why it is not good any more, or what failed last */
	bool answered;      /* anything at all */
	bool no_ranges;     /* it ignores or refuses ranges */
	unsigned failures;  /* in a row */
	int64_t counted_at; /* when the last one was counted; what began before is the same failure */
	int64_t rest_until; /* it asked to be left alone (Retry-After) */
	uint64_t bytes;     /* of blobs that it gave */
	uint64_t manifests; /* and indexes that it was asked for and gave: pull limits count them */
};

/* Endpoints of one registry are numbered from 0 in the order to be asked; sets of them are bits. */
#define ENDPOINTS_MOST 32

struct family {
	char *host; /* as in references */
	struct sites sites;
	struct endpoint endpoints[ENDPOINTS_MOST];
	size_t count;
	bool origin_silent; /* it could not be reached when it was asked about a tag */
};

struct registries {
	const struct connect_options *connect;
	const struct events *events;
	struct http *http;
	struct site *mirrors; /* of --mirror, with the registry that each stands for */
	char **mirrored;
	size_t mirror_count;
	struct family **items;
	size_t count;
	size_t capacity;
	/* [worker][registry][endpoint]; rows grow with the registries, before the workers start. */
	struct registry_conn *(*connections[LIMIT_CONNECTIONS])[ENDPOINTS_MOST];
	pthread_mutex_t lock;
};

/* `connect` and `events` are borrowed for its life. ERR_USAGE for a --mirror that makes no sense. */
struct registries *registries_new(const struct connect_options *connect, const struct events *events, struct err *e);
void registries_free(struct registries *r);
OWNED(registries)

struct http *registries_http(struct registries *r);

/* Workers that may be used: connect->connections, or 8. */
size_t registries_workers(const struct registries *r);

/*
 * Adds `host` (as in a reference), or finds it: its number, or -1. What this machine's configuration says about it is
 * read now (registry/sites.h).
 */
ptrdiff_t registries_add(struct registries *r, const char *host, struct err *e);

/*
 * ERR_USAGE if --username was given and more than one registry is asked: a secret belongs to one of them. Mirrors do
 * not count: they never get it.
 */
int registries_check_credential(const struct registries *r, struct err *e);

/* The connection of `worker` to an endpoint of registry `number`, made at first use. Borrowed. */
struct registry_conn *registries_connection(struct registries *r, size_t number, size_t endpoint, size_t worker,
					    struct err *e);

/*
 * What an endpoint has shown about ranges: it is asked for whole blobs once it sent something else than the range that
 * was asked for, which is what the error of a registry_open_range() says then. And the bytes of blobs that it gave.
 */
bool registries_no_ranges(struct registries *r, size_t number, size_t endpoint);
void registries_note_no_ranges(struct registries *r, size_t number, size_t endpoint);
bool registries_refuses_ranges(const struct err *failure);
void registries_gave(struct registries *r, size_t number, size_t endpoint, uint64_t bytes);

/* The registry itself, among its endpoints; ENDPOINTS_MOST if it is not to be asked. */
size_t registries_origin(const struct registries *r, size_t number);

/* Certificates and the like that this machine's configuration has for `host`, told to http; for hosts that are no
 * family. */
int registries_trust(struct registries *r, const char *host, struct err *e);

/* True if --plain-http names this host. */
bool connect_is_plain_http(const struct connect_options *connect, const char *host);

#endif
