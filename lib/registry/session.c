/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/session.h"

#include "base/limits.h"
#include "base/text.h"
#include "registry/origin.h"
#include "registry/secret.h"

#include <string.h>
#include <strings.h>

void exchange_release(struct exchange *x)
{
	http_reply_free(x->reply);
	source_free(x->bytes);
	ticket_release(&x->ticket);
	*x = (struct exchange){ 0 };
}

int exchange_fail(struct exchange *x, const char *what, struct err *e)
{
	x->context.secret = x->ticket.secret;
	x->context.anonymous = x->ticket.anonymous;
	return answer_fail(TAKE(x->reply), &x->context, what, e);
}

/* A registry's note to its users, passed on once. */
static void pass_on_warning(struct registry *r, const struct exchange *x)
{
	char shown[512];

	if (!*answer_header(x->reply, "Warning", x->ticket.secret, shown, sizeof(shown)))
		return;
	pthread_mutex_lock(&r->lock);
	bool news = !r->warned || strcmp(r->warned, shown) != 0;
	if (news) {
		free(r->warned);
		r->warned = strdup(shown);
	}
	pthread_mutex_unlock(&r->lock);
	if (news)
		event_text(r->events, EVENT_WARNING, "%s says: %s", r->host, shown);
}

/* "76;w=21600"; false if the header is not there, or no such thing. */
static bool read_quota(const struct exchange *x, const char *header, uint64_t *count, uint64_t *seconds)
{
	const char *text = http_header(x->reply, header);
	const char *window = text ? strstr(text, ";w=") : NULL;

	if (!text || !text_parse_u64(text, strcspn(text, ";"), INT64_MAX, count))
		return false;
	if (window)
		(void)text_parse_u64(window + 3, strcspn(window + 3, ";"), INT64_MAX, seconds);
	return true;
}

/* Whoever sends it says how much is left after this very request. */
static void note_quota(struct registry *r, const struct exchange *x)
{
	struct registry_quota quota = { 0 };

	if (!read_quota(x, "RateLimit-Remaining", &quota.left, &quota.window))
		return;
	if (!read_quota(x, "RateLimit-Limit", &quota.limit, &quota.window))
		quota.limit = 0;
	pthread_mutex_lock(&r->lock);
	r->quota = quota;
	pthread_mutex_unlock(&r->lock);
}

int session_send_once(struct registry_conn *c, const struct call *call, const char *url, struct exchange *x,
		      struct err *e)
{
	AUTO_BUF accept = { 0 };
	AUTO_BUF type = { 0 };
	const char *headers[5] = { 0 };
	size_t n = 0;
	struct http_request request = {
		.method = call->method,
		.url = url,
		.headers = headers,
		.body = call->body,
		.body_sized = true,
		.body_size = call->body_size,
		.max_body = call->max_body,
	};

	if (x->ticket.header.len)
		headers[n++] = x->ticket.header.data;
	if (call->accept) {
		if (buf_printf(&accept, e, "Accept: %s", call->accept))
			return -1;
		headers[n++] = accept.data;
	}
	if (call->range)
		headers[n++] = call->range;
	if (call->media_type) {
		if (buf_printf(&type, e, "Content-Type: %s", call->media_type))
			return -1;
		headers[n++] = type.data;
	}
	if (call->bytes) {
		source_free(x->bytes);
		x->bytes = source_memory(call->bytes, call->len, e);
		if (!x->bytes)
			return -1;
		request.body = x->bytes;
		request.body_size = call->len;
	}
	x->reply = http_send(c->client, &request, e);
	return x->reply ? 0 : -1;
}

/*
 * After a 401: is there something new to try? 1: x->ticket is it, 0: no, -1: failed. The registry's challenge of this
 * answer is the one that counts from now on: some answer /v2/ openly and ask only here, some have a realm for each
 * repository.
 */
static int renew_ticket(struct registry_conn *c, const struct call *call, struct exchange *x, struct err *e)
{
	struct registry *r = c->registry;
	AUTO_CHALLENGE challenge = { 0 };
	AUTO_TICKET fresh = { 0 };

	if (session_read_challenge(x->reply, &challenge, e))
		return -1;
	if (challenge.scheme != CHALLENGE_NONE) {
		pthread_mutex_lock(&r->lock);
		bool other = !challenge_same(&challenge, &r->challenge);
		if (other) {
			challenge_release(&r->challenge);
			r->challenge = challenge;
			challenge = (struct challenge){ 0 };
		}
		pthread_mutex_unlock(&r->lock);
		/* Only a Bearer token can be had anew; the same password would be refused again. */
		if (!other && !x->ticket.bearer)
			return 0;
	} else if (!x->ticket.bearer) {
		return 0;
	}
	answer_drop(TAKE(x->reply));
	if (session_ticket(c, call->scope, &x->ticket, &fresh, e))
		return -1;
	ticket_release(&x->ticket);
	x->ticket = fresh;
	fresh = (struct ticket){ 0 };
	return 1;
}

int session_send(struct registry_conn *c, const struct call *call, struct exchange *x, struct err *e)
{
	struct registry *r = c->registry;

	x->context = (struct answer_context){ .who = r->host,
					      .push = call->method != HTTP_GET && call->method != HTTP_HEAD };
	int first = session_send_first(c, call, x, e);
	if (first < 0 || (!first && (session_probe(c, e) || session_ticket(c, call->scope, NULL, &x->ticket, e) ||
				     session_send_once(c, call, call->url, x, e))))
		return -1;
	if (http_status(x->reply) == 401 && !call->body) {
		int rc = renew_ticket(c, call, x, e);
		if (rc < 0 || (rc > 0 && session_send_once(c, call, call->url, x, e)))
			return -1;
	}
	pass_on_warning(r, x);
	note_quota(r, x);
	return 0;
}

/* A host that is not the registry: nothing of ours, and if it asks, a token that it gives to anybody. */
static int send_abroad(struct registry_conn *c, const struct call *call, const char *url, struct exchange *x,
		       struct err *e)
{
	AUTO_CHALLENGE challenge = { 0 };
	char where[ORIGIN_TEXT_SIZE];

	x->context = (struct answer_context){ .who = c->registry->host, .foreign = true };
	if (session_send_once(c, call, url, x, e))
		return -1;
	if (http_status(x->reply) != 401)
		return 0;
	if (session_read_challenge(x->reply, &challenge, e))
		return -1;
	if (challenge.scheme != CHALLENGE_BEARER)
		return 0;
	answer_drop(TAKE(x->reply));
	const struct token_question q = {
		.home = url,
		.realm = challenge.realm,
		.service = challenge.service,
		.scope = challenge.scope ? challenge.scope : call->scope,
	};
	if (session_bearer(c, &q, NULL, &x->ticket, e))
		return err_at(e, "redirected to %s", origin_text(url, where));
	return session_send_once(c, call, url, x, e);
}

static int follow(struct registry_conn *c, const struct exchange *x, struct buf *url, struct err *e)
{
	const char *location = http_header(x->reply, "Location");
	AUTO_BUF next = { 0 };

	int rc = !location ? err_set(e, ERR_NETWORK, "redirects without saying where")
			   : http_resolve_url(url->data, location, &next, e) ||
				     origin_check_redirect(c->registry->url, url->data, next.data, e);
	if (rc) {
		if (e)
			e->lasting = true;
		return err_at(e, "%s", c->registry->host);
	}
	buf_clear(url);
	return buf_add(url, next.data, next.len, e);
}

int session_get(struct registry_conn *c, const struct call *call, struct exchange *x, struct err *e)
{
	AUTO_BUF url = { 0 };

	if (buf_puts(&url, call->url, e))
		return -1;
	for (unsigned hop = 0; hop <= LIMIT_REDIRECTS_BLOB; hop++) {
		struct call here = *call;
		here.url = url.data;
		int rc = http_same_origin(url.data, c->registry->url) ? session_send(c, &here, x, e)
								      : send_abroad(c, &here, url.data, x, e);
		if (rc)
			return -1;
		if (!answer_is_redirect(http_status(x->reply)))
			return 0;
		rc = follow(c, x, &url, e);
		answer_drop(TAKE(x->reply));
		exchange_release(x);
		if (rc)
			return -1;
	}
	err_set(e, ERR_NETWORK, "%s redirects more than %d times", c->registry->host, LIMIT_REDIRECTS_BLOB);
	if (e)
		e->lasting = true;
	return -1;
}

int session_scope(const struct registry *r, const char *repository, const char *from, struct buf *out, struct err *e)
{
	if (buf_printf(out, e, "repository:%s:%s", repository, r->push ? "pull,push" : "pull"))
		return -1;
	return from ? buf_printf(out, e, " repository:%s:pull", from) : 0;
}

int session_url(const struct registry *r, const char *repository, const char *kind, const char *reference,
		struct buf *out, struct err *e)
{
	char shown[160];

	if (!reference_repository_valid(repository))
		return err_set(e, ERR_USAGE, "\"%s\" is not the name of a repository",
			       text_escape_str(shown, sizeof(shown), repository));
	return buf_printf(out, e, "%s/%s/%s/%s%s", r->api, repository, kind, reference, r->query);
}

bool answer_is_encoded(const struct http_reply *r, char out[CODING_TEXT_SIZE])
{
	const char *coding = http_header(r, "Content-Encoding");

	if (!coding || !*coding || !strcasecmp(coding, "identity"))
		return false;
	text_escape_str(out, CODING_TEXT_SIZE, coding);
	return true;
}
