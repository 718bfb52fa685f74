/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sites_read.h"

#include "base/own.h"
#include "base/text.h"
#include "oci/reference.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

void site_release(struct site *s)
{
	free(s->host);
	free(s->api_path);
	free(s->below);
	free(s->repository_prefix);
	free(s->ns);
	sites_free_list(s->cacerts);
	free(s->cert);
	free(s->key);
	free(s->from);
	*s = (struct site){ 0 };
}

void sites_release(struct sites *s)
{
	for (size_t i = 0; i < s->count; i++)
		site_release(&s->items[i]);
	free(s->items);
	*s = (struct sites){ 0 };
}

bool sites_is_hub(const char *host)
{
	static const char *const names[] = { SITES_HUB, "index.docker.io", SITES_HUB_HOST, "www.docker.io" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(host, names[i]) == 0)
			return true;
	return false;
}

/* ":443" says nothing. */
static size_t significant(const char *host)
{
	size_t len = strlen(host);

	return len > 4 && strcmp(host + len - 4, ":443") == 0 ? len - 4 : len;
}

static bool same_host(const char *a, const char *b)
{
	size_t len = significant(a);

	return len == significant(b) && strncasecmp(a, b, len) == 0;
}

bool sites_is_origin(const struct sites_search *s, const char *host)
{
	return same_host(host, s->origin) || (!strcmp(s->registry, SITES_HUB) && sites_is_hub(host));
}

/* What nobody said. */
int sites_complete(struct site *s, struct err *e)
{
	if ((!s->api_path && sites_text(&s->api_path, "/v2", e)) || (!s->below && sites_text(&s->below, "", e)) ||
	    (!s->repository_prefix && sites_text(&s->repository_prefix, "", e)) ||
	    (!s->from && sites_text(&s->from, "", e)))
		return -1;
	return 0;
}

static bool same_place(const struct site *a, const struct site *b)
{
	return same_host(a->host, b->host) && a->plain_http == b->plain_http && !strcmp(a->api_path, b->api_path) &&
	       !strcmp(a->below, b->below) && !strcmp(a->repository_prefix, b->repository_prefix);
}

int sites_add(struct sites *to, struct site *site, struct err *e)
{
	struct site taken = *site;
	int failed;

	*site = (struct site){ 0 };
	failed = sites_complete(&taken, e);
	for (size_t i = 0; !failed && i < to->count; i++)
		if (same_place(&to->items[i], &taken)) {
			site_release(&taken);
			return 0;
		}
	if (failed || GROW(to->items, to->capacity, to->count, e)) {
		site_release(&taken);
		return -1;
	}
	to->items[to->count++] = taken;
	return 0;
}

/* The length of `below` if the repository is it or stands below it; SIZE_MAX if not. */
static size_t part_of(const char *below, const char *repository)
{
	size_t len = strlen(below);

	if (!len)
		return 0;
	if (strncmp(repository, below, len) != 0 || (repository[len] && repository[len] != '/'))
		return SIZE_MAX;
	return len;
}

int sites_repository(const struct sites *all, const struct site *s, const char *repository, struct buf *name,
		     struct err *e)
{
	size_t part = part_of(s->below, repository);

	if (part == SIZE_MAX)
		return 0;
	for (size_t i = 0; i < all->count; i++) {
		const struct site *other = &all->items[i];
		size_t narrower = part_of(other->below, repository);
		if (s->by_part && other->by_part && narrower != SIZE_MAX && narrower > part)
			return 0;
	}
	repository += part;
	repository += part && *repository == '/';
	if (buf_printf(name, e, "%s%s%s", s->repository_prefix, *s->repository_prefix && *repository ? "/" : "",
		       repository))
		return -1;
	return 1;
}

static bool says_nothing(const struct site *s)
{
	return !s->cacerts && !s->cert && !s->skip_verify;
}

int site_trust(const struct site *s, struct http *h, struct err *e)
{
	const struct http_trust trust = {
		.host_port = s->host,
		.cacerts = (const char *const *)s->cacerts,
		.cert = s->cert,
		.key = s->key,
		.insecure = s->skip_verify,
	};

	return says_nothing(s) ? 0 : http_trust(h, &trust, e);
}

/* docker.io and a list of its mirrors: the host says more than the file. */
static void tell(const struct sites_search *s)
{
	for (size_t i = 0; i < s->out->count; i++) {
		const struct site *site = &s->out->items[i];
		char host[160], from[256];
		event_text(s->events, EVENT_DETAIL, "%s may also be asked at %s%s (%s)", s->registry,
			   site->plain_http ? "http://" : "", text_escape_str(host, sizeof(host), site->host),
			   text_escape_str(from, sizeof(from), site->from));
	}
}

static bool listed(char *const *list, const char *host)
{
	for (; list && *list; list++)
		if (same_host(*list, host))
			return true;
	return false;
}

/* What docker would do at this host, whoever named it. */
static int settle(struct sites_search *s, struct site *site, const struct sites_places *places)
{
	if (site->plain_http)
		return 0;
	if (listed(s->insecure, site->host))
		site->skip_verify = true;
	return sites_certificates(s, site, places->docker_certs);
}

static int search(struct sites_search *s, const struct sites_places *places)
{
	if (sites_text(&s->itself.host, s->origin, s->e) || sites_docker(s, places->daemon_json) ||
	    sites_containerd(s, places->containerd_certs) || sites_podman(s, places))
		return -1;
	tell(s);
	for (size_t i = 0; i < s->out->count; i++)
		if (settle(s, &s->out->items[i], places))
			return -1;
	s->itself.origin = true;
	if (settle(s, &s->itself, places))
		return -1;
	return says_nothing(&s->itself) ? 0 : sites_add(s->out, &s->itself, s->e);
}

int sites_find(struct sites *out, const char *registry, const struct sites_places *places, const struct events *events,
	       struct err *e)
{
	struct sites found = { 0 };
	struct sites_search s = {
		.registry = registry,
		.origin = strcmp(registry, SITES_HUB) == 0 ? SITES_HUB_HOST : registry,
		.events = events,
		.out = &found,
		.e = e,
	};
	struct sites_standard standard = { 0 };
	int failed = places ? 0 : sites_standard(&standard, e);

	if (!failed)
		failed = search(&s, places ? places : &standard.places);
	site_release(&s.itself);
	sites_free_list(s.insecure);
	sites_standard_release(&standard);
	if (failed) {
		sites_release(&found);
		return -1;
	}
	*out = found;
	return 0;
}
