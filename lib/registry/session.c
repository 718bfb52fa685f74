/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/session.h"

#include "base/limits.h"
#include "base/text.h"
#include "registry/origin.h"
#include "registry/secret.h"

#include <string.h>
#include <strings.h>

void ticket_release(struct ticket *t)
{
	secret_release(&t->header);
	*t = (struct ticket){ 0 };
}

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

/* The whole credential is found in one go; a helper may take its time, and asks the user once, not once a worker. */
static int find_credential(struct registry *r, struct err *e)
{
	struct credential found = { 0 };
	struct err failure = { 0 };

	pthread_mutex_unlock(&r->lock);
	int rc = credential_find(&found, r->host, &failure);
	pthread_mutex_lock(&r->lock);
	if (!rc) {
		r->credential = found;
		r->credential_known = true;
	} else if (e) {
		*e = failure;
	}
	flight_land(&r->finding, &r->changed, rc ? &failure : NULL);
	return rc;
}

const struct credential *session_credential(struct registry *r, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	while (rc >= 0 && !r->credential_known) {
		rc = flight_join(&r->finding, &r->lock, &r->changed, e);
		if (rc > 0)
			rc = find_credential(r, e);
	}
	pthread_mutex_unlock(&r->lock);
	return rc < 0 ? NULL : &r->credential;
}

/* The best challenge of an answer. */
static int read_challenge(const struct http_reply *reply, struct challenge *out, struct err *e)
{
	const char *value;

	for (size_t i = 0; (value = http_header_nth(reply, "WWW-Authenticate", i)); i++)
		if (challenge_add(out, value, strlen(value), e))
			return -1;
	return 0;
}

static bool says_busy(int status)
{
	return status == 429 || status >= 500;
}

/* GET /v2/ without credentials. Only an answer that says nothing about the registry is a failure. */
static int ask_v2(struct registry_conn *c, int *status, struct challenge *challenge, struct err *e)
{
	const struct registry *r = c->registry;
	AUTO_BUF url = { 0 };
	const struct answer_context ctx = { .who = r->host };

	if (buf_printf(&url, e, "%s/%s", r->api, r->query))
		return -1;
	const struct http_request request = { .method = HTTP_GET, .url = url.data };
	AUTO(http_reply) reply = http_send(c->client, &request, e);
	if (!reply)
		return -1;
	*status = http_status(reply);
	if (says_busy(*status))
		return answer_fail(TAKE(reply), &ctx, "GET /v2/", e);
	if (*status == 401 && read_challenge(reply, challenge, e))
		return -1;
	answer_drop(TAKE(reply));
	return 0;
}

static int probe_locked(struct registry_conn *c, struct err *e)
{
	struct registry *r = c->registry;
	AUTO_CHALLENGE challenge = { 0 };
	struct err failure = { 0 };
	int status = 0;

	pthread_mutex_unlock(&r->lock);
	int rc = ask_v2(c, &status, &challenge, &failure);
	pthread_mutex_lock(&r->lock);
	if (!rc) {
		challenge_release(&r->challenge);
		r->challenge = challenge;
		challenge = (struct challenge){ 0 };
		r->probe_status = status;
		r->probed = true;
	} else if (e) {
		*e = failure;
	}
	flight_land(&r->probing, &r->changed, rc ? &failure : NULL);
	return rc;
}

int session_probe(struct registry_conn *c, struct err *e)
{
	struct registry *r = c->registry;
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	while (rc >= 0 && !r->probed) {
		rc = flight_join(&r->probing, &r->lock, &r->changed, e);
		if (rc > 0)
			rc = probe_locked(c, e);
	}
	pthread_mutex_unlock(&r->lock);
	return rc < 0 ? -1 : 0;
}

/* "Basic dXNlcjpwYXNz"; nothing if there is no password to send. */
static int basic_ticket(const struct credential *who, struct ticket *t, struct err *e)
{
	AUTO_SECRET plain = { 0 };

	t->anonymous = !who->username || !who->password;
	if (t->anonymous)
		return 0;
	if (secret_puts(&plain, who->username, e) || secret_puts(&plain, ":", e) ||
	    secret_puts(&plain, who->password, e) || secret_puts(&t->header, "Authorization: Basic ", e) ||
	    secret_base64(&t->header, plain.data, plain.len, e))
		return -1;
	return 0;
}

static int bearer_ticket(struct registry_conn *c, const struct token_question *q, const char *refused, struct ticket *t,
			 struct err *e)
{
	AUTO_SECRET token = { 0 };

	t->bearer = true;
	t->anonymous = !q->who || (!q->who->username && !q->who->identity_token);
	if (tokens_get(c->registry->tokens, c->client, q, refused, &token, e))
		return -1;
	return secret_puts(&t->header, "Authorization: Bearer ", e) || secret_add(&t->header, token.data, token.len, e)
		       ? -1
		       : 0;
}

static void point_at_secret(struct ticket *t)
{
	t->secret = t->header.len ? strrchr(t->header.data, ' ') + 1 : NULL;
}

/* The ticket for what the registry asks. `refused`: the ticket that has just failed, or NULL. */
static int get_ticket(struct registry_conn *c, const char *scope, const struct ticket *refused, struct ticket *out,
		      struct err *e)
{
	struct registry *r = c->registry;
	AUTO_CHALLENGE challenge = { 0 };
	AUTO_TICKET t = { 0 };
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	int copied = challenge_copy(&challenge, &r->challenge, e);
	pthread_mutex_unlock(&r->lock);
	if (copied)
		return -1;
	if (challenge.scheme != CHALLENGE_NONE) {
		const struct credential *who = session_credential(r, e);
		if (!who)
			return -1;
		const struct token_question q = {
			.home = r->url,
			.realm = challenge.realm,
			.service = challenge.service,
			.scope = scope,
			.who = who,
		};
		if (challenge.scheme == CHALLENGE_BASIC)
			rc = basic_ticket(who, &t, e);
		else
			rc = bearer_ticket(c, &q, refused && refused->bearer ? refused->secret : NULL, &t, e);
	}
	if (rc)
		return -1;
	point_at_secret(&t);
	*out = t;
	t = (struct ticket){ 0 };
	return 0;
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

/* One request with this ticket, to a URL that may be anywhere. */
static int send_once(struct registry_conn *c, const struct call *call, const char *url, struct exchange *x,
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

	if (read_challenge(x->reply, &challenge, e))
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
	if (get_ticket(c, call->scope, &x->ticket, &fresh, e))
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
	if (session_probe(c, e) || get_ticket(c, call->scope, NULL, &x->ticket, e) ||
	    send_once(c, call, call->url, x, e))
		return -1;
	if (http_status(x->reply) == 401 && !call->body) {
		int rc = renew_ticket(c, call, x, e);
		if (rc < 0 || (rc > 0 && send_once(c, call, call->url, x, e)))
			return -1;
	}
	pass_on_warning(r, x);
	return 0;
}

/* A host that is not the registry: nothing of ours, and if it asks, a token that it gives to anybody. */
static int send_abroad(struct registry_conn *c, const struct call *call, const char *url, struct exchange *x,
		       struct err *e)
{
	AUTO_CHALLENGE challenge = { 0 };
	char where[ORIGIN_TEXT_SIZE];

	x->context = (struct answer_context){ .who = c->registry->host, .foreign = true };
	if (send_once(c, call, url, x, e))
		return -1;
	if (http_status(x->reply) != 401)
		return 0;
	if (read_challenge(x->reply, &challenge, e))
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
	if (bearer_ticket(c, &q, NULL, &x->ticket, e))
		return err_at(e, "redirected to %s", origin_text(url, where));
	point_at_secret(&x->ticket);
	return send_once(c, call, url, x, e);
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
