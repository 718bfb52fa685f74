/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/request.h"

#include "base/text.h"
#include "oci/reference.h"

#include <stdio.h>
#include <string.h>

static const char *const words[ASK_KINDS] = {
	[ASK_PAGE] = "page",           [ASK_HEALTH] = "health",   [ASK_METRICS] = "metrics",   [ASK_BASE] = "base",
	[ASK_CATALOG] = "catalog",     [ASK_TAGS] = "tags",       [ASK_MANIFEST] = "manifest", [ASK_BLOB] = "blob",
	[ASK_REFERRERS] = "referrers", [ASK_NOTHING] = "nothing",
};

const char *ask_word(enum ask_kind kind)
{
	return words[kind];
}

/* A repository's grammar, or a registry's and a repository's. */
static bool name_valid(const char *name)
{
	char registry[LIMIT_REPOSITORY + 1];
	const char *slash = strchr(name, '/');

	if (reference_repository_valid(name))
		return true;
	if (!slash || (size_t)(slash - name) >= sizeof(registry))
		return false;
	memcpy(registry, name, (size_t)(slash - name));
	registry[slash - name] = '\0';
	return reference_registry_valid(registry) && reference_repository_valid(slash + 1);
}

static void take_name(struct ask *a, const char *name, size_t len)
{
	if (len >= sizeof(a->name)) {
		a->fault = ASK_BAD_NAME;
		return;
	}
	memcpy(a->name, name, len);
	a->name[len] = '\0';
	if (!name_valid(a->name))
		a->fault = ASK_BAD_NAME;
}

static void take_digest(struct ask *a, const char *text)
{
	a->by_digest = !digest_parse(&a->digest, text, strlen(text), NULL);
	if (!a->by_digest && a->fault == ASK_GOOD)
		a->fault = ASK_BAD_DIGEST;
}

/* What has a colon is a digest; a tag cannot have one. One that no tag could be is a tag that nobody has. */
static void take_selector(struct ask *a, const char *text)
{
	if (strchr(text, ':'))
		take_digest(a, text);
	else if (reference_tag_valid(text))
		(void)snprintf(a->tag, sizeof(a->tag), "%s", text);
}

/* The last "/WORD/" of the path decides, since a repository's parts may be called so, too. */
static const char *last_word(const char *path, const char *word)
{
	const char *found = NULL;

	for (const char *at = strstr(path, word); at; at = strstr(at + 1, word))
		found = at;
	return found;
}

static bool ends_in(const char *text, const char *end)
{
	size_t n = strlen(text);
	size_t m = strlen(end);

	return n > m && !strcmp(text + n - m, end);
}

/* Behind "/v2/". */
static void parse_repository(struct ask *a, const char *path)
{
	static const struct {
		const char *word;
		enum ask_kind kind;
	} places[] = { { "/manifests/", ASK_MANIFEST }, { "/blobs/", ASK_BLOB }, { "/referrers/", ASK_REFERRERS } };
	static const char tags[] = "/tags/list";

	if (ends_in(path, tags)) {
		a->kind = ASK_TAGS;
		take_name(a, path, strlen(path) - strlen(tags));
		return;
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		const char *at = last_word(path, places[i].word);
		const char *rest = at ? at + strlen(places[i].word) : "";
		if (!*rest || strchr(rest, '/'))
			continue;
		a->kind = places[i].kind;
		take_name(a, path, (size_t)(at - path));
		if (a->kind == ASK_MANIFEST)
			take_selector(a, rest);
		else
			take_digest(a, rest);
		return;
	}
}

void ask_parse(struct ask *out, const char *path)
{
	static const struct {
		const char *path;
		enum ask_kind kind;
	} fixed[] = { { "/", ASK_PAGE },   { "/healthz", ASK_HEALTH }, { "/metrics", ASK_METRICS },
		      { "/v2", ASK_BASE }, { "/v2/", ASK_BASE },       { "/v2/_catalog", ASK_CATALOG } };

	*out = (struct ask){ .kind = ASK_NOTHING };
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
		if (!strcmp(path, fixed[i].path)) {
			out->kind = fixed[i].kind;
			return;
		}
	}
	if (text_starts(path, "/v2/"))
		parse_repository(out, path + strlen("/v2/"));
}

enum range_kind range_parse(const char *header, uint64_t size, uint64_t *from, uint64_t *len)
{
	static const char unit[] = "bytes=";
	uint64_t first = 0;
	uint64_t last = UINT64_MAX;

	if (!header || strncmp(header, unit, strlen(unit)) != 0)
		return RANGE_ALL;
	const char *spec = header + strlen(unit);
	const char *dash = strchr(spec, '-');
	if (!dash)
		return RANGE_ALL;
	const bool has_first = dash > spec;
	const bool has_last = dash[1] != '\0';
	if ((has_first && !text_parse_u64(spec, (size_t)(dash - spec), UINT64_MAX, &first)) ||
	    (has_last && !text_parse_u64(dash + 1, strlen(dash + 1), UINT64_MAX, &last)) || (!has_first && !has_last) ||
	    (has_first && last < first))
		return RANGE_ALL;
	if (!has_first) { /* the last so many */
		if (!last || !size)
			return RANGE_BAD;
		first = last < size ? size - last : 0;
		last = UINT64_MAX;
	}
	if (first >= size)
		return RANGE_BAD;
	*from = first;
	*len = (last < size ? last + 1 : size) - first;
	return RANGE_PART;
}

bool etag_matches(const char *header, const char *digest)
{
	const size_t len = strlen(digest);

	if (!header)
		return false;
	if (!strcmp(header, "*"))
		return true;
	for (const char *at = strstr(header, digest); at; at = strstr(at + 1, digest))
		if (at > header && at[-1] == '"' && at[len] == '"')
			return true;
	return false;
}
