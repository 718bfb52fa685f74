/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_REQUEST_H
#define SERVE_REQUEST_H

/* What a request asks for: its path (OCI distribution specification 1.1, "Endpoints") and its Range header (RFC 9110).
 */

#include "base/digest.h"
#include "base/limits.h"

#include <stdbool.h>
#include <stdint.h>

enum ask_kind {
	ASK_PAGE,    /* / */
	ASK_HEALTH,  /* /healthz */
	ASK_METRICS, /* /metrics */
	ASK_BASE,    /* /v2/ */
	ASK_CATALOG, /* /v2/_catalog */
	ASK_TAGS,    /* /v2/<name>/tags/list */
	ASK_MANIFEST,
	ASK_BLOB,
	ASK_REFERRERS,
	ASK_NOTHING, /* no such place */
	ASK_KINDS
};

enum ask_fault { ASK_GOOD, ASK_BAD_NAME, ASK_BAD_DIGEST };

struct ask {
	enum ask_kind kind;
	enum ask_fault fault;
	char name[2 * LIMIT_REPOSITORY + 2]; /* the repository, registry in front if it was written */
	char tag[LIMIT_TAG + 1];             /* ASK_MANIFEST, unless by_digest */
	bool by_digest;
	struct digest digest; /* if by_digest */
};

/* `path` is decoded and without its query. Never fails: what fits nowhere is ASK_NOTHING. */
void ask_parse(struct ask *out, const char *path);

/* "manifest", "blob", ...: for the log and the metrics. */
const char *ask_word(enum ask_kind kind);

enum range_kind { RANGE_ALL, RANGE_PART, RANGE_BAD };
/*
 * One range of a body of `size` bytes: "bytes=0-99", "bytes=100-", "bytes=-5". NULL, another unit, several ranges and
 * what is no range: RANGE_ALL, as the RFC allows. RANGE_BAD: no byte of it is there (416).
 */
enum range_kind range_parse(const char *header, uint64_t size, uint64_t *from, uint64_t *len);

/* True if an If-None-Match header (or NULL) names this digest's ETag, or is "*". */
bool etag_matches(const char *header, const char *digest);

#endif
