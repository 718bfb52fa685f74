/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/token.h"

#include "base/limits.h"
#include "base/text.h"
#include "oci/json.h"
#include "registry/answer.h"
#include "registry/origin.h"
#include "registry/secret.h"

#include <string.h>

#define CLIENT_ID "imgpack"

static bool can_be_sent(const char *token)
{
	size_t len = strlen(token);

	if (len > LIMIT_TOKEN)
		return false;
	for (size_t i = 0; i < len; i++)
		if (token[i] <= 0x20 || token[i] >= 0x7f)
			return false;
	return len > 0;
}

int token_parse(const char *body, size_t len, struct token *out, struct err *e)
{
	AUTO(jdoc) doc = jdoc_parse(body, len, NULL);
	const struct jval *root = doc ? jdoc_root(doc) : NULL;
	const char *text = jval_text(jval_get(root, "token"));
	uint64_t life = LIMIT_TOKEN_MIN_LIFE;

	if (!text || !*text)
		text = jval_text(jval_get(root, "access_token"));
	if (!text || !can_be_sent(text))
		return err_set(e, ERR_NETWORK, "the token service's answer holds no usable token");
	/* Absent, negative or no number: the least that clients have ever relied on. */
	if (jval_get_u64(root, "expires_in", false, &life, NULL) || life < LIMIT_TOKEN_MIN_LIFE)
		life = LIMIT_TOKEN_MIN_LIFE;
	if (life > LIMIT_TOKEN_MAX_LIFE)
		life = LIMIT_TOKEN_MAX_LIFE;
	if (secret_puts(&out->text, text, e))
		return -1;
	out->life_seconds = life;
	return 0;
}

/* Each scope is a parameter of its own in a GET, all are one in a POST. */
static int add_scopes(struct buf *url, const char *scopes, struct err *e)
{
	while (*scopes) {
		size_t len = strcspn(scopes, " ");
		AUTO_MEM char *one = strndup(scopes, len);
		if (!one)
			return err_memory(e);
		if (buf_puts(url, "&scope=", e) || http_escape(one, url, e))
			return -1;
		scopes += len + strspn(scopes + len, " ");
	}
	return 0;
}

static int get_url(const struct token_question *q, struct buf *url, struct err *e)
{
	if (buf_printf(url, e, "%s%cclient_id=" CLIENT_ID, q->realm, strchr(q->realm, '?') ? '&' : '?'))
		return -1;
	if (q->service && (buf_puts(url, "&service=", e) || http_escape(q->service, url, e)))
		return -1;
	return add_scopes(url, q->scope, e);
}

static int post_form(const struct token_question *q, struct buf *form, struct err *e)
{
	if (secret_puts(form, "grant_type=refresh_token&client_id=" CLIENT_ID "&refresh_token=", e) ||
	    secret_escape(form, q->who->identity_token, e))
		return -1;
	if (q->service && (secret_puts(form, "&service=", e) || secret_escape(form, q->service, e)))
		return -1;
	if (*q->scope && (secret_puts(form, "&scope=", e) || secret_escape(form, q->scope, e)))
		return -1;
	return 0;
}

/* "Authorization: Basic ..." of the password; of an identity token where a service does not know POST. */
static int basic_header(const struct credential *c, struct buf *out, struct err *e)
{
	AUTO_SECRET plain = { 0 };
	const char *user = c->username ? c->username : "<token>";
	const char *secret = c->password && *c->password ? c->password : c->identity_token;

	if (secret_puts(&plain, user, e) || secret_puts(&plain, ":", e) || secret_puts(&plain, secret ? secret : "", e))
		return -1;
	return secret_puts(out, "Authorization: Basic ", e) || secret_base64(out, plain.data, plain.len, e);
}

/* One way of asking: a GET with its header (or none), or a POST with its form. */
struct way {
	enum http_method method;
	const char *authorization; /* "Authorization: ..." for the realm's own origin alone, or NULL */
	const struct buf *form;
	struct source *body; /* of the form; it outlives the reply, as http_send() wants it */
};

static struct http_reply *ask_once(struct http_client *client, struct way *way, const char *url, bool at_home,
				   struct err *e)
{
	const char *headers[4] = { "Accept: application/json" };
	size_t n = 1;
	struct http_request request = {
		.method = way->method, .url = url, .headers = headers, .max_body = LIMIT_TOKEN_BODY
	};

	if (way->authorization && at_home)
		headers[n++] = way->authorization;
	if (way->form) {
		headers[n++] = "Content-Type: application/x-www-form-urlencoded";
		source_free(way->body);
		way->body = source_memory(way->form->data, way->form->len, e);
		if (!way->body)
			return NULL;
		request.body = way->body;
		request.body_sized = true;
		request.body_size = way->form->len;
	}
	return http_send(client, &request, e);
}

/* Where the service sends us on: under the rules for realms, and a form (it holds the secret) only to its own origin.
 */
static int next_url(const struct token_question *q, const struct way *way, const struct http_reply *reply,
		    struct buf *url, struct err *e)
{
	const char *location = http_header(reply, "Location");
	AUTO_BUF next = { 0 };
	int status = http_status(reply);

	if (!location)
		return err_set(e, ERR_NETWORK, "the token service redirects without saying where");
	if (http_resolve_url(url->data, location, &next, e))
		return -1;
	if (origin_check_realm(q->home, next.data, e) || origin_check_redirect(q->home, url->data, next.data, e))
		return -1;
	if (way->form && ((status != 307 && status != 308) || !http_same_origin(q->realm, next.data)))
		return err_set(e, ERR_DENIED,
			       "the token service redirects a request that carries a secret; it was not sent on");
	buf_clear(url);
	return buf_add(url, next.data, next.len, e);
}

/* Asks, and follows redirects. The reply may have any other status. */
static struct http_reply *ask(struct http_client *client, const struct token_question *q, struct way *way,
			      const char *first, struct err *e)
{
	AUTO_BUF url = { 0 };

	if (buf_puts(&url, first, e))
		return NULL;
	for (unsigned hop = 0; hop <= LIMIT_REDIRECTS_TOKEN; hop++) {
		struct http_reply *reply = ask_once(client, way, url.data, http_same_origin(q->realm, url.data), e);
		if (!reply || !answer_is_redirect(http_status(reply)))
			return reply;
		int rc = next_url(q, way, reply, &url, e);
		answer_drop(reply);
		if (rc)
			return NULL;
	}
	err_set(e, ERR_NETWORK, "the token service redirects more than %d times", LIMIT_REDIRECTS_TOKEN);
	return NULL;
}

/* The body into room that is reserved first, so that no copy of the token stays behind. */
static int read_secret(struct http_reply *r, struct buf *out, struct err *e)
{
	if (buf_reserve(out, LIMIT_TOKEN_BODY + 1, e))
		return -1;
	for (;;) {
		ssize_t n = http_read(r, out->data + out->len, LIMIT_TOKEN_BODY + 1 - out->len, e);
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		out->len += (size_t)n;
		if (out->len > LIMIT_TOKEN_BODY)
			return err_set(e, ERR_NETWORK, "the token service's answer is longer than %u bytes",
				       LIMIT_TOKEN_BODY);
	}
	out->data[out->len] = '\0';
	return 0;
}

static int read_answer(struct http_reply *reply /* taken */, const struct token_question *q, const char *secret,
		       struct token *out, struct err *e)
{
	AUTO(http_reply) r = reply;
	AUTO_SECRET body = { 0 };
	char who[ORIGIN_TEXT_SIZE];
	int status = http_status(r);
	const struct answer_context ctx = {
		.who = origin_text(q->realm, who),
		.foreign = !q->who, /* a redirect's target; what is said of logins is for the registry's own service */
		.anonymous = !q->who || !q->who->username,
		.secret = secret,
	};

	if (status == 200)
		return read_secret(r, &body, e) || token_parse(body.data, body.len, out, e) ? -1 : 0;
	answer_fail(TAKE(r), &ctx, "a token", e);
	/* OAuth2 says "these credentials are wrong" with 400. */
	if (status == 400 && e)
		e->kind = ERR_DENIED;
	return -1;
}

static int fetch_by_get(struct http_client *client, const struct token_question *q, struct token *out, struct err *e)
{
	AUTO_BUF url = { 0 };
	AUTO_SECRET header = { 0 };
	bool named = q->who && (q->who->username || q->who->identity_token);

	if (get_url(q, &url, e) || (named && basic_header(q->who, &header, e)))
		return -1;
	struct way way = { .method = HTTP_GET, .authorization = header.data };
	struct http_reply *reply = ask(client, q, &way, url.data, e);
	return reply ? read_answer(reply, q, header.data ? strrchr(header.data, ' ') + 1 : NULL, out, e) : -1;
}

/* 1: the service does not know the POST. */
static int fetch_by_post(struct http_client *client, const struct token_question *q, struct token *out, struct err *e)
{
	AUTO_SECRET form = { 0 };

	if (post_form(q, &form, e))
		return -1;
	struct way way = { .method = HTTP_POST, .form = &form };
	struct http_reply *reply = ask(client, q, &way, q->realm, e);
	int rc = -1;
	if (reply && (http_status(reply) == 404 || http_status(reply) == 405)) {
		answer_drop(reply);
		rc = 1;
	} else if (reply) {
		rc = read_answer(reply, q, q->who->identity_token, out, e);
	}
	source_free(way.body);
	return rc;
}

int token_fetch(struct http_client *client, const struct token_question *q, struct token *out, struct err *e)
{
	struct token t = { 0 };
	int rc = 1;

	if (origin_check_realm(q->home, q->realm, e))
		return -1;
	if (q->who && q->who->identity_token)
		rc = fetch_by_post(client, q, &t, e);
	if (rc > 0)
		rc = fetch_by_get(client, q, &t, e);
	if (rc) {
		secret_release(&t.text);
		return -1;
	}
	*out = t;
	return 0;
}
