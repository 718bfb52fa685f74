/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_REGISTRIES_H
#define FLOW_REGISTRIES_H

/*
 * The registries of one run, each once, and every worker's connections to them. Registries are added before the workers
 * start; after that registries_connection() is called from any thread, each with its own worker number.
 */

#include "flow/flow.h"
#include "http/http.h"
#include "registry/registry.h"

struct registries;

/* `connect` and `events` are borrowed for its life. */
struct registries *registries_new(const struct connect_options *connect, const struct events *events, struct err *e);
void registries_free(struct registries *r);
OWNED(registries)

struct http *registries_http(struct registries *r);

/* Workers that may be used: connect->connections, or 8. */
size_t registries_workers(const struct registries *r);

/* Adds `host` (as in a reference), or finds it: its number, or -1. */
ptrdiff_t registries_add(struct registries *r, const char *host, struct err *e);

/*
 * ERR_USAGE if --username was given and more than one registry is asked: a secret belongs to one of them.
 */
int registries_check_credential(const struct registries *r, struct err *e);

/* The connection of `worker` to registry `number`, made at first use. Borrowed. */
struct registry_conn *registries_connection(struct registries *r, size_t number, size_t worker, struct err *e);

/* True if --plain-http names this host. */
bool connect_is_plain_http(const struct connect_options *connect, const char *host);

#endif
