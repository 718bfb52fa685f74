/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/session.h"

#include "registry/secret.h"

#include <string.h>

/* What a registry is shown: the user's credential, found once, and what is made of it for each request. */

void ticket_release(struct ticket *t)
{
	secret_release(&t->header);
	*t = (struct ticket){ 0 };
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

static void point_at_secret(struct ticket *t)
{
	t->secret = t->header.len ? strrchr(t->header.data, ' ') + 1 : NULL;
}

int session_basic(struct registry *r, struct ticket *t, struct err *e)
{
	const struct credential *who = session_credential(r, e);

	if (!who || basic_ticket(who, t, e))
		return -1;
	point_at_secret(t);
	return 0;
}

int session_bearer(struct registry_conn *c, const struct token_question *q, const char *refused, struct ticket *t,
		   struct err *e)
{
	AUTO_SECRET token = { 0 };

	t->bearer = true;
	t->anonymous = !q->who || (!q->who->username && !q->who->identity_token);
	if (tokens_get(c->registry->tokens, c->client, q, refused, &token, e))
		return -1;
	if (secret_puts(&t->header, "Authorization: Bearer ", e) || secret_add(&t->header, token.data, token.len, e))
		return -1;
	point_at_secret(t);
	return 0;
}

int session_ticket(struct registry_conn *c, const char *scope, const struct ticket *refused, struct ticket *out,
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
			rc = session_bearer(c, &q, refused && refused->bearer ? refused->secret : NULL, &t, e);
	}
	if (rc)
		return -1;
	point_at_secret(&t);
	*out = t;
	t = (struct ticket){ 0 };
	return 0;
}
