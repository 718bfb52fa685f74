/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/session.h"

/* Learning what a registry asks for. */

int session_read_challenge(const struct http_reply *reply, struct challenge *out, struct err *e)
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
	if (*status == 401 && session_read_challenge(reply, challenge, e))
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

/* Is there any chance that GET /v2/ would tell more than the request itself? A user with a password is to be known from
 * the first request on: his quota is a larger one. */
static bool may_go_first(const struct registry *r)
{
	return !r->push && !r->credential_known && credential_is_none(r->host);
}

/* *x holds an answer to the call as it is, sent by nobody in particular. 1: it will do, 0: the challenge is known now.
 */
static int judge_first(struct registry_conn *c, struct exchange *x, struct challenge *challenge, int *status,
		       struct err *e)
{
	*status = http_status(x->reply);
	if (*status < 400)
		return 1;
	/* Too busy to say anything; and not to be asked the same at once. */
	if (says_busy(*status))
		return 2;
	if (*status == 401 && session_read_challenge(x->reply, challenge, e))
		return -1;
	answer_drop(TAKE(x->reply));
	/* Whatever this is, GET /v2/ is where it is said how to log in. */
	return challenge->scheme != CHALLENGE_NONE ? 0 : ask_v2(c, status, challenge, e);
}

int session_send_first(struct registry_conn *c, const struct call *call, struct exchange *x, struct err *e)
{
	struct registry *r = c->registry;
	AUTO_CHALLENGE challenge = { 0 };
	struct err failure = { 0 };
	int status = 0;
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	const bool mine = !r->probed && !r->probing.busy && call->method == HTTP_GET && may_go_first(r);
	if (mine)
		rc = flight_join(&r->probing, &r->lock, &r->changed, e);
	pthread_mutex_unlock(&r->lock);
	if (!mine)
		return 0;
	rc = session_send_once(c, call, call->url, x, &failure);
	if (!rc)
		rc = judge_first(c, x, &challenge, &status, &failure);
	pthread_mutex_lock(&r->lock);
	if (rc == 0 || rc == 1) {
		challenge_release(&r->challenge);
		r->challenge = challenge;
		challenge = (struct challenge){ 0 };
		r->probe_status = rc > 0 ? 200 : status;
		r->probed = true;
	}
	flight_land(&r->probing, &r->changed, rc < 0 ? &failure : NULL);
	pthread_mutex_unlock(&r->lock);
	if (rc < 0 && e)
		*e = failure;
	return rc > 0 ? 1 : rc;
}
