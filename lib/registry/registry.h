/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

/*
 * The far side: one registry as the OCI distribution specification 1.1 describes it, spoken to by several workers at
 * once. `struct registry` is shared (credentials, tokens, one per scope, fetched by one worker while the others wait);
 * `struct registry_conn` is one worker's, with its own connection.
 *
 * Hosts ask through the challenge they send (401 with WWW-Authenticate: Basic or Bearer). Secrets go to one origin: on
 * a redirect to another one the Authorization header stays home; a token realm must be https when the registry is, and
 * no private address literal unless it is the registry's own host. Blobs follow at most LIMIT_REDIRECTS_BLOB redirects.
 */

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/events.h"
#include "base/own.h"
#include "http/http.h"
#include "oci/reference.h"
#include "registry/credentials.h"
#include "stream/source.h"

#include <stdatomic.h>
#include <stdbool.h>

struct registry_options {
	struct http *http;           /* borrowed for the registry's life */
	const struct events *events; /* borrowed; Warning headers and the like */
	bool plain_http;             /* http:// instead of https:// (local hosts get it without asking) */
	bool push;                   /* ask for tokens that may push */
	/* Of a mirror, which serves another registry's content. NULL: none of it. */
	const char *api_path;              /* where its API begins, "/artifactory/api/docker/hub/v2"; NULL: "/v2" */
	const char *ns;                    /* value of containerd's ns= query: the registry that is mirrored */
	const struct credential *override; /* --username/--password-stdin; copied. NULL: credential_find() */
};

struct registry;
/* `host` as in a reference ("docker.io" is asked at registry-1.docker.io). Connects to nothing yet. */
struct registry *registry_new(const char *host, const struct registry_options *options, struct err *e);
const char *registry_host(const struct registry *r);
/*
 * What the registry said last of its pull limit (Docker Hub's "RateLimit-Remaining: 76;w=21600" and "RateLimit-Limit:
 * 100;w=21600"); false if it said nothing.
 */
struct registry_quota {
	uint64_t left;   /* pulls that are still allowed */
	uint64_t limit;  /* of so many; 0: unknown */
	uint64_t window; /* in so many seconds; 0: unknown */
};
bool registry_quota(struct registry *r, struct registry_quota *out);
void registry_free(struct registry *r); /* after its connections */
OWNED(registry)

struct registry_conn;
struct registry_conn *registry_connect(struct registry *r, struct err *e); /* makes a client; the network comes later */
const char *registry_conn_host(const struct registry_conn *c);             /* registry_host() of its registry */
void registry_conn_free(struct registry_conn *c);
OWNED(registry_conn)

/* GET /v2/: do the credentials work? ERR_DENIED if they do not. For login. */
int registry_ping(struct registry_conn *c, struct err *e);

/*
 * GET a manifest or index by tag or digest ("1.27", "sha256:..."). Its bytes are appended to *out, its digest computed
 * from them. If `selector` is a digest, it must be that one (ERR_CORRUPT). By tag the computed one counts, and a
 * Docker-Content-Digest that differs is a warning event: many registries send wrong ones. The Content-Type, parameters
 * stripped, goes to content_type ("" if none). Longer than LIMIT_MANIFEST: ERR_CORRUPT. 404: ERR_ABSENT; 401/403 after
 * authenticating: ERR_DENIED, whose hint says that a repository that does not exist is answered the same way.
 */
int registry_get_manifest(struct registry_conn *c, const char *repository, const char *selector, struct buf *out,
			  struct digest *digest, char content_type[128], struct err *e);

/* From now on what waits for this connection ends soon after *stop is true, ERR_NETWORK. NULL: never. Borrowed. */
void registry_conn_watch(struct registry_conn *c, const atomic_bool *stop);

/* Bytes from..to-1 of a blob, as they came. */
struct blob_range {
	uint64_t from;
	uint64_t to;
	bool encoded;    /* with a Content-Encoding, although it was asked to come without: its bytes are no part of the
			    blob */
	bool web_page;   /* it calls itself text/html */
	char coding[48]; /* the Content-Encoding, escaped; "" */
};

/*
 * Asks for bytes from..to-1 of a blob; without Range if that is all of it, since not every server knows the word. What
 * comes may be less (*got says what), and all of the blob where ranges are ignored. The source gives got->to -
 * got->from bytes or fails: ERR_NETWORK with e->sys 206 for an answer that is not the range that was asked for, 416 for
 * a refusal of it. The bytes are not proved: they are pieces, and the caller compares the digest when all are there.
 */
struct source *registry_open_range(struct registry_conn *c, const char *repository, const struct promise *blob,
				   uint64_t from, uint64_t to, struct blob_range *got, struct err *e);

/* The blob as a verified source (read to its end = proved). One GET, redirects followed. */
struct source *registry_open_blob(struct registry_conn *c, const char *repository, const struct promise *blob,
				  struct err *e);

/* 1 = the repository has it, 0 = not, -1 = error. HEAD. */
int registry_has_blob(struct registry_conn *c, const char *repository, const struct promise *blob, struct err *e);
int registry_has_manifest(struct registry_conn *c, const char *repository, const char *selector, struct digest *digest,
			  struct err *e);

/*
 * POST, then one streamed PUT. `body` (borrowed) is read to its end; when it fails, the upload is cut and the error is
 * the body's. Success: 201, and Docker-Content-Digest (if sent) equals the promise; or another 2xx, and the blob is
 * there. An upload Location at another origin is refused. Refusals are ERR_TARGET (401, 403: ERR_DENIED); one that may
 * mean a missing project or repository says so.
 */
int registry_put_blob(struct registry_conn *c, const char *repository, const struct promise *blob, struct source *body,
		      struct err *e);

/*
 * POST, then DELETE of what it opened: may blobs be uploaded to this repository? 0: yes. Else as registry_put_blob().
 * What the registry says to the DELETE does not matter: an upload that nobody goes on with is forgotten in time.
 */
int registry_try_upload(struct registry_conn *c, const char *repository, struct err *e);

/* POST ?mount=&from=: 1 = it stands there now, 0 = the registry would rather have it uploaded, -1 = error. */
int registry_mount_blob(struct registry_conn *c, const char *repository, const struct promise *blob, const char *from,
			struct err *e);

/* PUT a manifest or index, byte for byte, under a tag or its digest. */
int registry_put_manifest(struct registry_conn *c, const char *repository, const char *selector, const char *media_type,
			  const void *bytes, size_t len, struct err *e);

/*
 * registry_put_manifest() of a manifest that may have a subject. *listed becomes true if the registry says
 * (OCI-Subject) that it lists it as a referrer; else the fallback tag must name it. It is never made false.
 */
int registry_put_referrer(struct registry_conn *c, const char *repository, const char *selector, const char *media_type,
			  const void *bytes, size_t len, bool *listed, struct err *e);

#endif
