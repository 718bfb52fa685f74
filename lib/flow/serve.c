/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cancel.h"
#include "base/text.h"
#include "flow/archive.h"
#include "flow/flow.h"
#include "oci/reference.h"
#include "serve/mirror.h"
#include "serve/server.h"

#include <stdio.h>
#include <string.h>

/*
 * serve: the archives are opened and verified, and what they hold is answered for until the process is asked to stop.
 */

/* The archives that the paths name. */
struct shelf {
	struct archive *items;
	size_t count, capacity;
};

static void shelf_release(struct shelf *s)
{
	for (size_t i = 0; i < s->count; i++)
		archive_release(&s->items[i]);
	free(s->items);
}
#define AUTO_SHELF __attribute__((cleanup(shelf_release))) struct shelf

/* One archive, whatever its paths are. */
static int shelve(struct shelf *s, const struct archive_paths *paths, const struct events *events, struct err *e)
{
	const struct archive_wish wish = { .events = events };

	if (GROW(s->items, s->capacity, s->count, e))
		return -1;
	s->items[s->count] = (struct archive){ 0 };
	return archive_open(&s->items[s->count++], paths, &wish, e);
}

/* A file that is an archive by itself: 1. Something else, a chunk or a folder: 0. */
static int shelve_file(struct shelf *s, const char *path, const struct events *events, struct err *e)
{
	struct err why = { 0 };
	AUTO(pack_file) f = pack_file_open(path, events, &why);

	if (!f)
		return cancel_check(e);
	if (GROW(s->items, s->capacity, s->count, e))
		return -1;
	s->items[s->count] = (struct archive){ .file = TAKE(f), .name = strdup(path), .events = events };
	return s->items[s->count++].name ? 1 : err_memory(e);
}

/*
 * Each file that is an archive is one; the other paths, folders and chunks, are one archive together.
 */
static int open_all(struct shelf *s, const struct archive_paths *paths, const struct events *events, struct err *e)
{
	AUTO_MEM const char **rest = calloc(paths->count + 1, sizeof(*rest));
	size_t count = 0;

	if (!rest)
		return err_memory(e);
	for (size_t i = 0; i < paths->count; i++) {
		if (!strcmp(paths->items[i], "-"))
			return err_set(e, ERR_USAGE, "-: what is served must be a file");
		int rc = paths->count > 1 ? shelve_file(s, paths->items[i], events, e) : 0;
		if (rc < 0)
			return -1;
		if (!rc)
			rest[count++] = paths->items[i];
	}
	const struct archive_paths together = { rest, count };
	return count ? shelve(s, &together, events, e) : 0;
}

static int fill(struct catalog *c, struct shelf *s, bool verify, const struct events *events, struct err *e)
{
	char shown[160];

	for (size_t i = 0; i < s->count; i++) {
		struct archive *a = &s->items[i];
		const char *noun = flow_archive_noun(a->name, shown);
		if (verify && archive_verify(a, false, e)) {
			err_at(e, "%s", noun);
			return err_hint(e, "nothing is served; --no-verify serves what is left of it");
		}
		for (size_t u = 0; u < a->file->unproved_count; u++)
			event_text(events, EVENT_NOTE, "%s: %s", noun, a->file->unproved[u]);
		if (catalog_add(c, a->file, noun, events, e))
			return err_at(e, "%s", noun);
	}
	catalog_sort(c);
	event_emit(events, &(struct event){ .kind = EVENT_PLAN });
	return 0;
}

/* http://HOST:PORT as nodes would call it, without a slash at the end. */
static int read_url(const char *url, char host[LISTEN_TEXT_SIZE], bool *tls, struct err *e)
{
	char shown[160];
	const char *rest = text_starts(url, "http://") ? url + 7 : text_starts(url, "https://") ? url + 8 : NULL;
	size_t len = rest ? strlen(rest) : 0;

	if (len && rest[len - 1] == '/')
		len--;
	*tls = text_starts(url, "https://");
	if (len && len < LISTEN_TEXT_SIZE) {
		memcpy(host, rest, len);
		host[len] = '\0';
		if (reference_registry_valid(host))
			return 0;
	}
	return err_set(e, ERR_USAGE, "--url %s: expected http://HOST[:PORT] or https://HOST[:PORT]",
		       text_escape_str(shown, sizeof(shown), url));
}

static int address_of(const struct serve_options *o, struct listen_address *a, struct err *e)
{
	return listen_parse(a, o->listen ? o->listen : LISTEN_DEFAULT, e);
}

static void announce(const struct serve_options *o, const struct server *s, const struct listen_address *a,
		     const struct catalog *c)
{
	char host[LISTEN_TEXT_SIZE];
	const char *scheme = o->certificate ? "https" : "http";
	const struct catalog_repository *r = catalog_count(c) ? catalog_at(c, 0) : NULL;

	listen_name(a, server_port(s), host);
	event_text(o->events, EVENT_NOTE, "serving %s://%s/ (%zu repositories); Ctrl-C stops", scheme, host,
		   catalog_count(c));
	if (r && r->tag_count && *r->tags[0].tag)
		event_text(o->events, EVENT_NOTE, "on a node: docker pull %s/%s:%s", host, r->name, r->tags[0].tag);
	if (listen_is_local(a))
		event_text(o->events, EVENT_NOTE, "for this machine alone; other machines reach it with --listen :%u",
			   server_port(s));
	else if (!o->certificate && o->users)
		event_text(o->events, EVENT_WARNING,
			   "passwords pass through the network in the clear; --cert and --key encrypt them");
}

int flow_serve(const struct serve_options *o, struct err *e)
{
	struct server_options so = {
		.certificate = o->certificate,
		.key = o->key ? o->key : o->certificate,
		.users = o->users,
		.log = o->log,
		.events = o->events,
	};
	AUTO_SHELF shelf = { 0 };

	if (address_of(o, &so.address, e) || open_all(&shelf, &o->paths, o->events, e))
		return -1;
	AUTO(catalog) c = catalog_new(e);
	if (!c || fill(c, &shelf, !o->no_verify, o->events, e))
		return -1;
	so.catalog = c;
	AUTO(server) s = server_start(&so, e);
	if (!s)
		return -1;
	announce(o, s, &so.address, c);
	return server_run(s, e);
}

/* The registries of the images that the archives have; without archives those that most images come from. */
static int registries_of(const struct catalog *c, const char **out, size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < catalog_count(c) && count < most; i++) {
		const char *registry = catalog_at(c, i)->registry;
		if (*registry && (!count || strcmp(out[count - 1], registry) != 0))
			out[count++] = registry;
	}
	return (int)count;
}

int flow_serve_config(const struct serve_options *o, const char *client, struct buf *out, struct err *e)
{
	static const char *const usual[] = { "docker.io", "quay.io", "ghcr.io", "registry.k8s.io", "gcr.io", NULL };
	struct listen_address a;
	struct mirror m = { .tls = o->certificate != NULL, .registries = usual };
	char host[LISTEN_TEXT_SIZE];
	enum mirror_client which;
	uint64_t port = 0;
	AUTO_SHELF shelf = { 0 };
	AUTO_BUF advice = { 0 };

	if (mirror_client(client, &which, e) || address_of(o, &a, e) || (o->url && read_url(o->url, host, &m.tls, e)) ||
	    open_all(&shelf, &o->paths, NULL, e))
		return -1;
	AUTO(catalog) c = catalog_new(e);
	if (!c || fill(c, &shelf, false, NULL, e))
		return -1;
	AUTO_MEM const char **registries = calloc(catalog_count(c) + 1, sizeof(*registries));
	if (!registries)
		return err_memory(e);
	if (registries_of(c, registries, catalog_count(c)))
		m.registries = registries;
	(void)text_parse_u64(a.port, strlen(a.port), 65535, &port);
	if (!o->url)
		listen_name(&a, (unsigned)port, host);
	m.host = host;
	if (mirror_config(&m, which, out, &advice, e))
		return -1;
	char *line = advice.data;
	for (char *next; line; line = next) {
		if ((next = strchr(line, '\n')))
			*next++ = '\0';
		event_text(o->events, EVENT_NOTE, "%s", line);
	}
	return 0;
}
