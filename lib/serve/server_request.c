/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/server_inside.h"

#include "base/clock.h"
#include "base/text.h"
#include "oci/reference.h"
#include "serve/distribution.h"
#include "serve/log.h"
#include "serve/page.h"

#include <stdio.h>
#include <string.h>

struct request {
	char *target; /* path and query as they came */
	char method[16];
	char user[64]; /* who proved to be it */
	time_t when;
	int64_t began;
	bool running; /* its head is complete */
	struct visit visit;
};

static struct client *client_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

void *request_begin(void *cls, const char *target, struct MHD_Connection *connection)
{
	struct server *s = cls;
	struct request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->target = strdup(target);
	r->when = time(NULL);
	r->began = clock_ns();
	r->visit = (struct visit){ .connection = connection, .catalog = s->catalog, .tls = s->tls };
	r->visit.ask.kind = ASK_NOTHING;
	return r;
}

/* True: whoever asks may. */
static bool admitted(struct server *s, struct request *r)
{
	char *password = NULL;

	if (!s->users || r->visit.ask.kind == ASK_HEALTH)
		return true;
	char *user = MHD_basic_auth_get_username_password(r->visit.connection, &password);
	const bool good = user && password && users_check(s->users, user, password);
	if (good)
		(void)snprintf(r->user, sizeof(r->user), "%s", user);
	if (password)
		explicit_bzero(password, strlen(password));
	MHD_free(password);
	MHD_free(user);
	return good;
}

static struct MHD_Response *refuse_credentials(struct server *s, struct visit *v)
{
	atomic_fetch_add(&s->metrics.refused, 1);
	return give_header(give_error(v, MHD_HTTP_UNAUTHORIZED, "UNAUTHORIZED", "a user and a password are needed"),
			   MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Basic realm=\"imgpack\", charset=\"UTF-8\"");
}

static uint64_t count_images(const struct catalog *c)
{
	uint64_t n = 0;

	for (size_t i = 0; i < catalog_count(c); i++)
		n += catalog_at(c, i)->tag_count;
	return n;
}

static struct MHD_Response *metrics_page(struct server *s, struct visit *v)
{
	AUTO_BUF body = { 0 };
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	if (metrics_text(&s->metrics, info ? info->num_connections : 0, count_images(s->catalog),
			 catalog_count(s->catalog), &body, NULL))
		return NULL;
	return give_bytes(v, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &body);
}

static struct MHD_Response *front_page(const struct server *s, struct visit *v)
{
	AUTO_BUF body = { 0 };
	const char *host = visit_header(v, MHD_HTTP_HEADER_HOST);
	const char *number = visit_argument(v, "page");
	struct page_wish w = { .catalog = s->catalog, .tls = s->tls, .login = s->users != NULL };

	w.host = host && reference_registry_valid(host) ? host : s->name;
	if (!number || !text_parse_u64(number, strlen(number), UINT32_MAX, &w.number))
		w.number = 1;
	if (page_html(&w, &body, NULL))
		return NULL;
	struct MHD_Response *r = give_bytes(v, MHD_HTTP_OK, "text/html; charset=utf-8", &body);
	r = give_header(r, "Content-Security-Policy", PAGE_POLICY);
	return give_header(r, "Referrer-Policy", "no-referrer");
}

static struct MHD_Response *answer(struct server *s, struct request *r)
{
	struct visit *v = &r->visit;

	if (strcmp(r->method, MHD_HTTP_METHOD_GET) != 0 && strcmp(r->method, MHD_HTTP_METHOD_HEAD) != 0)
		return give_header(give_error(v, MHD_HTTP_METHOD_NOT_ALLOWED, "UNSUPPORTED",
					      "this registry can be read, not written to"),
				   MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (!admitted(s, r))
		return refuse_credentials(s, v);
	switch (v->ask.kind) {
	case ASK_PAGE:
		return front_page(s, v);
	case ASK_HEALTH:
		return give_line(v, MHD_HTTP_OK, "ok");
	case ASK_METRICS:
		return metrics_page(s, v);
	default:
		return distribution_answer(v);
	}
}

static void begin_running(struct server *s, struct request *r, const char *path, const char *method)
{
	struct visit *v = &r->visit;

	r->running = true;
	atomic_fetch_add(&s->metrics.running, 1);
	clients_busy(&s->clients, client_of(v->connection), true);
	(void)snprintf(r->method, sizeof(r->method), "%s", method);
	ask_parse(&v->ask, path);
	v->ns = visit_argument(v, "ns");
}

enum MHD_Result request_answer(void *cls, struct MHD_Connection *connection, const char *path, const char *method,
			       const char *version, const char *upload, size_t *upload_size, void **request)
{
	struct server *s = cls;
	struct request *r = *request;

	(void)version;
	(void)upload;
	if (!r)
		return MHD_NO;
	if (!r->running) {
		begin_running(s, r, path, method);
		/* Whoever sends a body is answered before it is read, and the connection closed: nothing here takes
		 * one. */
		if (!visit_header(&r->visit, MHD_HTTP_HEADER_CONTENT_LENGTH) &&
		    !visit_header(&r->visit, MHD_HTTP_HEADER_TRANSFER_ENCODING))
			return MHD_YES;
	}
	*upload_size = 0;
	if (r->visit.status)
		return MHD_YES; /* answered: what else comes is dropped */
	struct MHD_Response *response = answer(s, r);
	if (!response)
		return MHD_NO;
	if (!strcmp(r->method, MHD_HTTP_METHOD_HEAD))
		r->visit.bytes = 0;
	enum MHD_Result queued = MHD_queue_response(connection, r->visit.status, response);
	MHD_destroy_response(response);
	return queued;
}

/* ---- the end */

static void write_log(const struct server *s, struct request *r, bool whole)
{
	AUTO_BUF line = { 0 };
	const union MHD_ConnectionInfo *client = MHD_get_connection_info(r->visit.connection,
									 MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct log_entry entry = {
		.client = client ? client->client_addr : NULL,
		.user = *r->user ? r->user : NULL,
		.when = r->when,
		.method = r->running ? r->method : NULL,
		.target = r->target,
		.status = r->visit.status,
		.bytes = r->visit.bytes,
		.whole = whole,
		.agent = visit_header(&r->visit, MHD_HTTP_HEADER_USER_AGENT),
		.ns = clock_ns() - r->began,
	};

	if (log_line(&entry, &line, NULL))
		return;
	event_text(s->events, EVENT_DETAIL, "%s", line.data);
	/* One write a line, so that lines of several threads do not mix. A full disk stops the log, not the service. */
	if (s->log >= 0 && !buf_puts(&line, "\n", NULL) && write(s->log, line.data, line.len) < 0)
		return;
}

void request_end(void *cls, struct MHD_Connection *connection, void **request, enum MHD_RequestTerminationCode how)
{
	struct server *s = cls;
	struct request *r = *request;
	const bool whole = how == MHD_REQUEST_TERMINATED_COMPLETED_OK;

	*request = NULL;
	if (!r)
		return;
	write_log(s, r, whole);
	metrics_count(&s->metrics, r->visit.ask.kind, r->visit.status);
	if (whole)
		atomic_fetch_add(&s->metrics.bytes, r->visit.bytes);
	else
		atomic_fetch_add(&s->metrics.broken, 1);
	if (r->running) {
		atomic_fetch_sub(&s->metrics.running, 1);
		clients_busy(&s->clients, client_of(connection), false);
	}
	free(r->target);
	free(r);
}
