/* SPDX-License-Identifier: Apache-2.0 */
#include "target/docker_api.h"

#include "base/cancel.h"
#include "base/limits.h"
#include "base/text.h"
#include "target/docker_host.h"
#include "target/docker_stream.h"

#include <stdio.h>
#include <string.h>

struct docker {
	struct docker_host host;
	struct http *own; /* for a daemon behind TCP: its certificates, and no limit or proxy of registries; or NULL */
	struct http_client *client;
};

static struct http *http_for(const struct docker_host *host, unsigned seconds, struct err *e)
{
	const struct http_options options = {
		.cacert = host->cacert,
		.cert = host->cert,
		.key = host->key,
		.stall_seconds = seconds,
	};

	return http_new(&options, e);
}

static struct docker *connect_to(bool podman, const char *host, struct http *http, struct err *e)
{
	AUTO(docker) d = calloc(1, sizeof(*d));

	if (!d) {
		err_memory(e);
		return NULL;
	}
	if (podman ? docker_host_podman(&d->host, e) : docker_host_parse(&d->host, host, e))
		return NULL;
	if (!d->host.socket) {
		d->own = http_for(&d->host, 0, e);
		if (!d->own)
			return NULL;
	}
	d->client = http_client_new(d->own ? d->own : http, e);
	return d->client ? TAKE(d) : NULL;
}

struct docker *docker_new(const char *host, struct http *http, struct err *e)
{
	return connect_to(false, host, http, e);
}

struct docker *docker_new_podman(struct http *http, struct err *e)
{
	return connect_to(true, NULL, http, e);
}

void docker_free(struct docker *d)
{
	if (!d)
		return;
	http_client_free(d->client);
	http_free(d->own);
	docker_host_release(&d->host);
	free(d);
}

const char *docker_where(const struct docker *d)
{
	return d->host.text;
}

static int url_of(const struct docker *d, const char *path, struct buf *out, struct err *e)
{
	return buf_printf(out, e, "%s%s", d->host.url, path);
}

/* Why the daemon refuses: {"message":"..."}, or whatever text it sent; into `out`, printable. */
static const char *words_of(struct http_reply *r, char *out, size_t cap)
{
	AUTO_BUF body = { 0 };
	struct err ignored;
	char piece[4096];
	ssize_t n;

	while (body.len < LIMIT_ERROR_BODY && (n = http_read(r, piece, sizeof(piece), &ignored)) > 0)
		if (buf_add(&body, piece, (size_t)n, &ignored))
			break;
	AUTO(jdoc) doc = body.len ? jdoc_parse(body.data, body.len, &ignored) : NULL;
	const char *message = doc ? jval_text(jval_get(jdoc_root(doc), "message")) : NULL;
	if (message)
		return text_escape(out, cap, message, strcspn(message, "\r\n"));
	return body.len ? text_escape(out, cap, body.data, strcspn(body.data, "\r\n")) : "nothing more";
}

/* The error for an answer that is not what was asked for. */
static int refused(struct http_reply *r, struct err *e)
{
	char words[384];
	int status = http_status(r);

	err_set(e, ERR_TARGET, "the daemon answered HTTP %d: %s", status, words_of(r, words, sizeof(words)));
	return status >= 300 && status < 400 ? err_hint(e, "a redirect is nothing that a docker daemon does") : -1;
}

int docker_ping(struct docker *d, struct err *e)
{
	AUTO_BUF url = { 0 };
	struct http_request request = { .method = HTTP_GET,
					.unix_socket = d->host.socket,
					.max_body = LIMIT_ERROR_BODY };

	if (url_of(d, "/_ping", &url, e))
		return -1;
	request.url = url.data;
	AUTO(http_reply) reply = http_send(d->client, &request, e);
	if (!reply)
		return docker_host_explain(&d->host, e);
	if (http_status(reply) != 200)
		return refused(reply, e);
	AUTO(source) body = http_body(TAKE(reply), e);
	return body ? source_drain(body, e) : -1;
}

/* The document of an answer, which is foreign: whatever is wrong with it is the daemon's doing. */
static struct jdoc *read_document(struct http_reply *r /* taken */, struct err *e)
{
	AUTO_BUF bytes = { 0 };
	struct err why = { 0 };
	AUTO(source) body = http_body(r, &why);
	struct jdoc *doc = NULL;

	if (body && !source_slurp(body, LIMIT_DOCKER_JSON, &bytes, &why))
		doc = jdoc_parse(bytes.len ? bytes.data : "", bytes.len, &why);
	if (doc)
		return doc;
	if (why.kind == ERR_CORRUPT)
		why.kind = ERR_TARGET;
	if (e)
		*e = why;
	err_at(e, "the daemon's answer");
	return NULL;
}

int docker_get(struct docker *d, const char *path, bool absent_ok, struct jdoc **doc, struct err *e)
{
	AUTO_BUF url = { 0 };
	struct http_request request = { .method = HTTP_GET, .unix_socket = d->host.socket };

	if (url_of(d, path, &url, e))
		return -1;
	request.url = url.data;
	AUTO(http_reply) reply = http_send(d->client, &request, e);
	if (!reply)
		return err_at(e, "%s", path);
	if (http_status(reply) == 404 && absent_ok) {
		*doc = NULL;
		return 0;
	}
	if (http_status(reply) != 200) {
		refused(reply, e);
		return err_at(e, "%s", path);
	}
	struct jdoc *answer = read_document(TAKE(reply), e);
	if (!answer)
		return err_at(e, "%s", path);
	*doc = answer;
	return 0;
}

struct source *docker_open(struct docker *d, const char *path, struct err *e)
{
	AUTO_BUF url = { 0 };
	struct http_request request = { .method = HTTP_GET, .unix_socket = d->host.socket };

	if (url_of(d, path, &url, e))
		return NULL;
	request.url = url.data;
	AUTO(http_reply) reply = http_send(d->client, &request, e);
	if (reply && http_status(reply) == 200)
		return http_body(TAKE(reply), e);
	if (reply)
		refused(reply, e);
	return NULL;
}

/* What the daemon is. */

static bool is_podman(const struct jval *version)
{
	const struct jval *components = jval_get(version, "Components");

	for (size_t i = 0; i < jval_count(components); i++) {
		const char *name = jval_text(jval_get(jval_at(components, i), "Name"));
		if (name && text_starts(name, "Podman"))
			return true;
	}
	return false;
}

/* DriverStatus: [["driver-type","io.containerd.snapshotter.v1"], ...] */
static bool has_containerd_store(const struct jval *info)
{
	const struct jval *status = jval_get(info, "DriverStatus");

	for (size_t i = 0; i < jval_count(status); i++) {
		const char *key = jval_text(jval_at(jval_at(status, i), 0));
		const char *value = jval_text(jval_at(jval_at(status, i), 1));
		if (key && value && !strcmp(key, "driver-type") && !strcmp(value, "io.containerd.snapshotter.v1"))
			return true;
	}
	return false;
}

/* /version says "arm" for every 32-bit arm; /info says what uname does, "armv6l". */
static int learn_platform(const struct jval *version, const struct jval *info, struct platform *out, struct err *e)
{
	const char *os = jval_text(jval_get(version, "Os"));
	const char *arch = jval_text(jval_get(version, "Arch"));
	const char *machine = jval_text(jval_get(info, "Architecture"));
	char text[PLATFORM_TEXT_SIZE];

	if (!os || !arch)
		return err_set(e, ERR_TARGET, "/version names no platform, as docker would");
	if (!strcmp(arch, "arm") && machine && text_starts(machine, "armv") && machine[4])
		(void)snprintf(text, sizeof(text), "%s/arm/v%c", os, machine[4]);
	else
		(void)snprintf(text, sizeof(text), "%s/%s", os, arch);
	if (platform_parse(out, text, e)) {
		if (e)
			e->kind = ERR_TARGET;
		return err_at(e, "/version");
	}
	return 0;
}

int docker_learn(struct docker *d, struct docker_kind *out, struct err *e)
{
	struct docker_kind kind = { 0 };
	struct jdoc *answer = NULL;

	if (docker_get(d, "/version", false, &answer, e))
		return -1;
	AUTO(jdoc) version = answer;
	if (docker_get(d, "/info", false, &answer, e))
		return -1;
	AUTO(jdoc) info = answer;
	kind.podman = is_podman(jdoc_root(version));
	kind.containerd_store = has_containerd_store(jdoc_root(info));
	if (learn_platform(jdoc_root(version), jdoc_root(info), &kind.platform, e))
		return -1;
	*out = kind;
	return 0;
}

/* The load. */

static int read_verdict(struct http_reply *r, const struct events *events, struct err *e)
{
	__attribute__((cleanup(docker_stream_release))) struct docker_stream stream = { .events = events };
	char piece[16384];

	for (;;) {
		if (cancel_check(e))
			return -1;
		ssize_t n = http_read(r, piece, sizeof(piece), e);
		if (n < 0)
			return err_at(e, "the daemon's answer");
		if (n == 0)
			return docker_stream_end(&stream, e);
		if (docker_stream_feed(&stream, piece, (size_t)n, e))
			return -1;
	}
}

/*
 * The upload has a client of its own. A daemon says nothing while it unpacks, much longer than any registry may be
 * silent; and docker closes the connection behind an upload, which must not hit the next question.
 */
int docker_post_load(struct docker *d, struct source *tar, uint64_t size, unsigned seconds, const struct events *events,
		     struct err *e)
{
	static const char *const headers[] = { "Content-Type: application/x-tar", NULL };
	AUTO_BUF url = { 0 };
	struct http_request request = {
		.method = HTTP_POST,
		.unix_socket = d->host.socket,
		.headers = headers,
		.body = tar,
		.body_sized = true,
		.body_size = size,
	};
	AUTO(http) http = http_for(&d->host, seconds, e);
	if (!http)
		return -1;
	AUTO(http_client) client = http_client_new(http, e);
	if (!client || url_of(d, "/images/load?quiet=0", &url, e))
		return -1;
	request.url = url.data;
	AUTO(http_reply) reply = http_send(client, &request, e);
	if (!reply)
		return -1;
	return http_status(reply) == 200 ? read_verdict(reply, events, e) : refused(reply, e);
}
