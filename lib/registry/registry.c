/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry.h"

#include "base/text.h"
#include "registry/secret.h"
#include "registry/session.h"

#include <stdio.h>
#include <string.h>

static int copy_credential(struct credential *out, const struct credential *from, struct err *e)
{
	struct credential c = { 0 };

	if (secret_copy(&c.username, from->username, e) || secret_copy(&c.password, from->password, e) ||
	    secret_copy(&c.identity_token, from->identity_token, e)) {
		credential_release(&c);
		return -1;
	}
	*out = c;
	return 0;
}

/* The ways in which a mirror's URLs differ. */
static int set_up_mirror(struct registry *r, const struct registry_options *options, struct err *e)
{
	AUTO_BUF api = { 0 };
	AUTO_BUF query = { 0 };

	if (buf_printf(&api, e, "%s%s", r->url, options->api_path ? options->api_path : "/v2") ||
	    buf_puts(&query, options->ns ? "?ns=" : "", e) || (options->ns && http_escape(options->ns, &query, e)))
		return -1;
	r->api = buf_take(&api);
	r->query = buf_take(&query);
	return 0;
}

static int set_up(struct registry *r, const char *host, const struct registry_options *options, struct err *e)
{
	const char *asked = !strcmp(host, "docker.io") ? "registry-1.docker.io" : host;
	bool plain = options->plain_http || reference_registry_is_local(host);
	AUTO_BUF url = { 0 };

	r->http = options->http;
	r->events = options->events;
	r->push = options->push;
	r->quota.left = UINT64_MAX;
	r->tokens = tokens_new(e);
	if (!r->tokens || secret_copy(&r->host, host, e) ||
	    buf_printf(&url, e, "%s://%s", plain ? "http" : "https", asked))
		return -1;
	r->url = buf_take(&url);
	if (set_up_mirror(r, options, e))
		return -1;
	if (options->override) {
		r->credential_known = true;
		return copy_credential(&r->credential, options->override, e);
	}
	return 0;
}

struct registry *registry_new(const char *host, const struct registry_options *options, struct err *e)
{
	char shown[160];

	if (!reference_registry_valid(host)) {
		err_set(e, ERR_USAGE, "\"%s\" is not a registry (HOST or HOST:PORT)",
			text_escape_str(shown, sizeof(shown), host));
		return NULL;
	}
	struct registry *r = calloc(1, sizeof(*r));
	if (!r) {
		err_memory(e);
		return NULL;
	}
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->changed, NULL);
	if (set_up(r, host, options, e)) {
		registry_free(r);
		return NULL;
	}
	return r;
}

const char *registry_host(const struct registry *r)
{
	return r->host;
}

bool registry_quota(struct registry *r, struct registry_quota *out)
{
	pthread_mutex_lock(&r->lock);
	*out = r->quota;
	pthread_mutex_unlock(&r->lock);
	return out->left != UINT64_MAX;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	tokens_free(r->tokens);
	credential_release(&r->credential);
	challenge_release(&r->challenge);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r->warned);
	free(r->host);
	free(r->url);
	free(r->api);
	free(r->query);
	free(r);
}

struct registry_conn *registry_connect(struct registry *r, struct err *e)
{
	AUTO(registry_conn) c = calloc(1, sizeof(*c));

	if (!c) {
		err_memory(e);
		return NULL;
	}
	c->registry = r;
	c->client = http_client_new(r->http, e);
	if (!c->client)
		return NULL;
	return TAKE(c);
}

void registry_conn_watch(struct registry_conn *c, const atomic_bool *stop)
{
	http_client_watch(c->client, stop);
}

const char *registry_conn_host(const struct registry_conn *c)
{
	return c->registry->host;
}

void registry_conn_free(struct registry_conn *c)
{
	if (!c)
		return;
	http_client_free(c->client);
	free(c);
}

/* An answer to GET /v2/ that does not come from a registry. */
static int no_registry(const struct registry *r, int status, struct err *e)
{
	err_set(e, ERR_NETWORK, "%s answers %d for GET /v2/", r->host, status);
	if (e)
		e->sys = status;
	return err_hint(e, "is a registry there?");
}

int registry_ping(struct registry_conn *c, struct err *e)
{
	struct registry *r = c->registry;
	AUTO_EXCHANGE x = { 0 };
	AUTO_BUF url = { 0 };

	if (session_probe(c, e))
		return -1;
	pthread_mutex_lock(&r->lock);
	int status = r->probe_status;
	char other[sizeof(r->challenge.other)];
	memcpy(other, r->challenge.other, sizeof(other));
	bool understood = r->challenge.scheme != CHALLENGE_NONE;
	pthread_mutex_unlock(&r->lock);
	if (status == 200 && !understood)
		return 0;
	if (status == 401 && !understood && other[0])
		return err_set(e, ERR_DENIED, "%s asks for \"%s\" authentication; imgpack speaks Basic and Bearer",
			       r->host, other);
	if (status != 401 && !understood)
		return no_registry(r, status, e);
	if (buf_printf(&url, e, "%s/%s", r->api, r->query))
		return -1;
	const struct call call = { .method = HTTP_GET, .url = url.data, .scope = "" };
	if (session_send(c, &call, &x, e))
		return -1;
	status = http_status(x.reply);
	if (status != 200)
		return status == 401 || status == 403 || status == 429 || status >= 500
			       ? exchange_fail(&x, "GET /v2/", e)
			       : no_registry(r, status, e);
	answer_drop(TAKE(x.reply));
	return 0;
}
