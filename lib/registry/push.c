/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry.h"

#include "base/limits.h"
#include "base/text.h"
#include "registry/naming.h"
#include "registry/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Putting blobs and manifests there. */

#define WHAT_SIZE (LIMIT_REPOSITORY + LIMIT_TAG + DIGEST_TEXT_SIZE + 48)

/* The answer to the first POST says most about a repository that must be made by hand. */
static int cannot_start(struct exchange *x, const struct registry *r, const char *repository, struct err *e)
{
	const int status = http_status(x->reply);
	char what[WHAT_SIZE];

	(void)snprintf(what, sizeof(what), "an upload to %s", repository);
	exchange_fail(x, what, e);
	if (status == 401 || status == 403 || status == 404)
		naming_hint_missing(r->host, repository, e);
	return -1;
}

/*
 * Where the upload goes: resolved against the request, kept at the registry's own origin (the body and the token go
 * there). Another place is no network's fault, and not tried again.
 */
static int upload_url(const struct registry *r, const char *asked, const struct http_reply *reply, struct buf *out,
		      struct err *e)
{
	const char *location = http_header(reply, "Location");

	if (!location || !*location)
		return err_set(e, ERR_TARGET, "%s opens an upload without saying where", r->host);
	/* No URL has one (RFC 3986), and programs differ in which host they then read. */
	if (strchr(location, '\\'))
		return err_set(e, ERR_TARGET, "%s opens an upload at what is no URL, which is refused", r->host);
	if (http_resolve_url(asked, location, out, e)) {
		if (e && e->kind == ERR_NETWORK)
			e->kind = ERR_TARGET;
		return err_at(e, "%s", r->host);
	}
	if (!http_same_origin(out->data, r->url))
		return err_set(e, ERR_TARGET, "%s sends an upload to another host, which is refused", r->host);
	return 0;
}

static int begin_upload(struct registry_conn *c, const char *repository, const char *scope, struct buf *where,
			struct err *e)
{
	const struct registry *r = c->registry;
	AUTO_EXCHANGE x = { 0 };
	AUTO_BUF url = { 0 };

	if (session_url(r, repository, "blobs", "uploads/", &url, e))
		return -1;
	const struct call call = { .method = HTTP_POST, .url = url.data, .scope = scope };
	if (session_send(c, &call, &x, e))
		return -1;
	if (http_status(x.reply) != 202)
		return cannot_start(&x, r, repository, e);
	if (upload_url(r, url.data, x.reply, where, e))
		return -1;
	answer_drop(TAKE(x.reply));
	return 0;
}

int registry_try_upload(struct registry_conn *c, const char *repository, struct err *e)
{
	AUTO_EXCHANGE x = { 0 };
	AUTO_BUF where = { 0 };
	AUTO_BUF scope = { 0 };
	struct err ignored;

	if (session_scope(c->registry, repository, NULL, &scope, e) ||
	    begin_upload(c, repository, scope.data, &where, e))
		return -1;
	const struct call call = { .method = HTTP_DELETE, .url = where.data, .scope = scope.data };
	if (!session_send(c, &call, &x, &ignored))
		answer_drop(TAKE(x.reply));
	return 0;
}

/* The digest behind the query that the upload's address has. */
static int add_digest(struct buf *url, const struct digest *digest, struct err *e)
{
	char name[DIGEST_TEXT_SIZE];
	const char last = url->data[url->len - 1];
	const char *separator = !strchr(url->data, '?') ? "?" : last == '?' || last == '&' ? "" : "&";

	/* The colon is escaped as it is in a form; every registry decodes it. */
	return buf_printf(url, e, "%sdigest=sha256%%3A%s", separator, digest_hex(digest, name));
}

/* A digest header that contradicts ours: the registry keeps something else than was sent. */
static int check_stored(const struct registry *r, const struct http_reply *reply, const struct digest *sent,
			const char *what, struct err *e)
{
	const char *text = http_header(reply, "Docker-Content-Digest");
	char have[DIGEST_TEXT_SIZE];
	char want[DIGEST_TEXT_SIZE];
	struct digest said;

	if (!text || digest_parse(&said, text, strlen(text), NULL) || digest_equal(&said, sent))
		return 0;
	return err_set(e, ERR_TARGET, "%s stored %s as %s, sent was %s", r->host, what, digest_text(&said, have),
		       digest_text(sent, want));
}

int registry_put_blob(struct registry_conn *c, const char *repository, const struct promise *blob, struct source *body,
		      struct err *e)
{
	const struct registry *r = c->registry;
	AUTO_EXCHANGE x = { 0 };
	AUTO_BUF where = { 0 };
	AUTO_BUF scope = { 0 };
	char name[DIGEST_TEXT_SIZE];
	char what[WHAT_SIZE];

	(void)snprintf(what, sizeof(what), "blob %s to %s", digest_text(&blob->digest, name), repository);
	if (session_scope(r, repository, NULL, &scope, e) || begin_upload(c, repository, scope.data, &where, e) ||
	    add_digest(&where, &blob->digest, e))
		return -1;
	const struct call call = {
		.method = HTTP_PUT,
		.url = where.data,
		.scope = scope.data,
		.media_type = "application/octet-stream",
		.body = body,
		.body_size = blob->size,
	};
	if (session_send(c, &call, &x, e))
		return err_at(e, "%s", what);
	int status = http_status(x.reply);
	if (status == 201) {
		if (check_stored(r, x.reply, &blob->digest, what, e))
			return -1;
		answer_drop(TAKE(x.reply));
		return 0;
	}
	if (status != 200 && status != 202 && status != 204)
		return exchange_fail(&x, what, e);
	/* "Accepted" is not "stored": it is believed only if the blob is there. */
	answer_drop(TAKE(x.reply));
	int there = registry_has_blob(c, repository, blob, e);
	if (there > 0)
		return 0;
	if (there == 0)
		err_set(e, ERR_TARGET, "%s answers %d for %s, but the blob is not there", r->host, status, what);
	return -1;
}

int registry_mount_blob(struct registry_conn *c, const char *repository, const struct promise *blob, const char *from,
			struct err *e)
{
	const struct registry *r = c->registry;
	AUTO_EXCHANGE x = { 0 };
	AUTO_BUF url = { 0 };
	AUTO_BUF scope = { 0 };
	char hex[DIGEST_HEX_SIZE];
	char shown[160];
	struct err failure = { 0 };

	if (!reference_repository_valid(from))
		return err_set(e, ERR_USAGE, "\"%s\" is not the name of a repository",
			       text_escape_str(shown, sizeof(shown), from));
	if (session_url(r, repository, "blobs", "uploads/?mount=sha256%3A", &url, e) ||
	    buf_printf(&url, e, "%s&from=", digest_hex(&blob->digest, hex)) || http_escape(from, &url, e) ||
	    session_scope(r, repository, from, &scope, e))
		return -1;
	const struct call call = { .method = HTTP_POST, .url = url.data, .scope = scope.data };
	if (session_send(c, &call, &x, &failure)) {
		/* No token for the other repository: then there is no mount, and an upload goes its own way. */
		if (failure.kind == ERR_DENIED)
			return 0;
		if (e)
			*e = failure;
		return -1;
	}
	int status = http_status(x.reply);
	if (status == 429 || status >= 500)
		return exchange_fail(&x, "a mount", e);
	answer_drop(TAKE(x.reply));
	exchange_release(&x);
	return status == 201 ? registry_has_blob(c, repository, blob, e) : 0;
}

int registry_put_referrer(struct registry_conn *c, const char *repository, const char *selector, const char *media_type,
			  const void *bytes, size_t len, bool *listed, struct err *e)
{
	const struct registry *r = c->registry;
	AUTO_EXCHANGE x = { 0 };
	AUTO_BUF url = { 0 };
	AUTO_BUF scope = { 0 };
	char shown[160];
	char what[WHAT_SIZE];
	struct digest sent;
	struct digest asked;
	bool by_digest = !digest_parse(&asked, selector, strlen(selector), NULL);

	text_escape_str(shown, sizeof(shown), selector);
	if (!by_digest && !reference_tag_valid(selector))
		return err_set(e, ERR_USAGE, "\"%s\" is neither a tag nor a digest", shown);
	if (digest_of(&sent, bytes, len, e))
		return -1;
	if (by_digest && !digest_equal(&sent, &asked))
		return err_set(e, ERR_CORRUPT, "a manifest that is to be stored as %s has another digest", shown);
	(void)snprintf(what, sizeof(what), "manifest %s to %s", shown, repository);
	if (session_url(r, repository, "manifests", selector, &url, e) || session_scope(r, repository, NULL, &scope, e))
		return -1;
	const struct call call = {
		.method = HTTP_PUT,
		.url = url.data,
		.scope = scope.data,
		.media_type = media_type,
		.bytes = bytes,
		.len = len,
	};
	if (session_send(c, &call, &x, e))
		return err_at(e, "%s", what);
	int status = http_status(x.reply);
	if (status < 200 || status > 204)
		return exchange_fail(&x, what, e);
	if (check_stored(r, x.reply, &sent, what, e))
		return -1;
	*listed = *listed || http_header(x.reply, "OCI-Subject") != NULL;
	answer_drop(TAKE(x.reply));
	return 0;
}

int registry_put_manifest(struct registry_conn *c, const char *repository, const char *selector, const char *media_type,
			  const void *bytes, size_t len, struct err *e)
{
	bool listed = false;

	return registry_put_referrer(c, repository, selector, media_type, bytes, len, &listed, e);
}
