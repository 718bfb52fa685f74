/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/harbor.h"

#include "base/limits.h"
#include "base/text.h"
#include "oci/json.h"
#include "registry/session.h"

#include <stdio.h>
#include <string.h>

#define API "/api/v2.0"

/* The project API's answer to one request with Basic. */
static int ask(struct registry_conn *c, struct call *call, const char *path, struct exchange *x, struct err *e)
{
	AUTO_BUF url = { 0 };

	if (buf_printf(&url, e, "%s" API "%s", c->registry->url, path) || session_basic(c->registry, &x->ticket, e))
		return -1;
	if (x->ticket.anonymous)
		return err_set(e, ERR_DENIED,
			       "%s: projects are shown to who logs in with a name and password (imgpack login)",
			       c->registry->host);
	call->url = url.data;
	x->context = (struct answer_context){ .who = c->registry->host, .push = true, .frank = true };
	return session_send_once(c, call, call->url, x, e);
}

static bool is_systeminfo(const struct buf *body)
{
	AUTO(jdoc) doc = jdoc_parse(body->data, body->len, NULL);

	return doc && jval_text(jval_get(jdoc_root(doc), "auth_mode"));
}

int harbor_answers(struct registry_conn *c, struct err *e)
{
	AUTO_BUF url = { 0 };
	AUTO_BUF body = { 0 };

	if (buf_printf(&url, e, "%s" API "/systeminfo", c->registry->url))
		return -1;
	const struct http_request request = { .method = HTTP_GET, .url = url.data, .max_body = LIMIT_ERROR_BODY };
	AUTO(http_reply) reply = http_send(c->client, &request, e);
	if (!reply)
		return -1;
	if (http_status(reply) != 200) {
		const struct answer_context context = { .who = c->registry->host };
		if (http_status(reply) >= 500 || http_status(reply) == 429)
			return answer_fail(TAKE(reply), &context, "GET " API "/systeminfo", e);
		answer_drop(TAKE(reply));
		return 0;
	}
	/* Many a server has a page for every path: only Harbor's own document counts. */
	AUTO(source) s = http_body(TAKE(reply), e);
	if (!s || source_slurp(s, LIMIT_ERROR_BODY, &body, NULL))
		return s ? 0 : -1;
	return is_systeminfo(&body);
}

int harbor_has_project(struct registry_conn *c, const char *project, struct err *e)
{
	AUTO_EXCHANGE x = { 0 };
	AUTO_BUF path = { 0 };
	char what[LIMIT_REPOSITORY + 32];
	struct call call = { .method = HTTP_HEAD };

	if (buf_puts(&path, "/projects?project_name=", e) || http_escape(project, &path, e) ||
	    ask(c, &call, path.data, &x, e))
		return -1;
	switch (http_status(x.reply)) {
	case 200:
		answer_drop(TAKE(x.reply));
		return 1;
	case 404:
		answer_drop(TAKE(x.reply));
		return 0;
	default:
		(void)snprintf(what, sizeof(what), "a look at the project %s", project);
		return exchange_fail(&x, what, e);
	}
}

/* No storage_limit: Harbor then gives what its administrator set for new projects. */
static int write_project(const char *project, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "project_name");
	jout_text(&j, project);
	jout_key(&j, "metadata");
	jout_object(&j);
	jout_key(&j, "public");
	jout_text(&j, "false");
	jout_end(&j);
	jout_end(&j);
	return jout_finish(&j, e);
}

int harbor_make_project(struct registry_conn *c, const char *project, struct err *e)
{
	AUTO_EXCHANGE x = { 0 };
	AUTO_BUF body = { 0 };
	char what[LIMIT_REPOSITORY + 32];

	if (write_project(project, &body, e))
		return -1;
	struct call call = {
		.method = HTTP_POST, .media_type = "application/json", .bytes = body.data, .len = body.len
	};
	if (ask(c, &call, "/projects", &x, e))
		return -1;
	const int status = http_status(x.reply);
	if (status == 201 || status == 409) {
		answer_drop(TAKE(x.reply));
		return status == 201;
	}
	(void)snprintf(what, sizeof(what), "a new project %s", project);
	exchange_fail(&x, what, e);
	if (status == 401 || status == 403)
		err_hint(e, "an administrator can make it, or a robot account of the system, not one of a project");
	return -1;
}
