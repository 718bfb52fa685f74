/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_LIST_H
#define REGISTRY_LIST_H

/*
 * What a registry says it has: its repositories (GET /v2/_catalog) and the tags of one (GET /v2/NAME/tags/list), page
 * by page. A page's Link header (RFC 8288, rel="next") names the next one; it is followed to the registry's own origin
 * only, since the registry's Authorization goes with it. Names are checked against their grammar: what does not fit is
 * left out, and a warning event counts it.
 */

#include "registry/registry.h"

#include <stddef.h>

/* A name. Borrowed during the call. -1 ends the listing with *e. */
typedef int registry_list_fn(void *ctx, const char *name, struct err *e);

/*
 * Every repository. Many registries refuse this (Docker Hub, GitHub, Quay; or to this user): ERR_DENIED, or ERR_ABSENT
 * for one that does not know the question at all. Names come in the registry's order, and could come twice.
 * ERR_NETWORK: an answer that is none, a next page elsewhere or without end. *pages grows by the requests that were
 * answered.
 */
int registry_list_repositories(struct registry_conn *c, registry_list_fn *fn, void *ctx, size_t *pages, struct err *e);

/* Every tag of a repository; none is no error. ERR_ABSENT: there is no such repository. */
int registry_list_tags(struct registry_conn *c, const char *repository, registry_list_fn *fn, void *ctx, size_t *pages,
		       struct err *e);

/*
 * The URL behind the first rel="next" of a Link header, as it stands there, appended to *out: 1; 0: it names none; -1.
 * Split off for tests.
 */
int list_next(const char *header, struct buf *out, struct err *e);

/*
 * Where the page behind this one is, into *url, which names this one: 1; 0: it was the last. ERR_NETWORK: elsewhere
 * than at the registry's own origin, or this page again.
 */
int list_turn(const struct registry *r, const struct http_reply *reply, struct buf *url, struct err *e);

#endif
