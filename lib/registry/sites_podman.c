/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sites_read.h"

#include "base/own.h"
#include "base/text.h"
#include "oci/toml.h"

#include <stdio.h>
#include <string.h>

/*
 * podman: registries.conf, version 2. Each [[registry]] is about a prefix of names: a host, a part of one, or
 * "*.example.com". Of several files the last word about a prefix counts, so all are read before anything is made of
 * them.
 */

struct conf_file {
	char *path;
	struct jdoc *doc;
};

struct conf {
	struct sites_search *search;
	struct conf_file *files;
	size_t count;
	size_t capacity;
};

static void release(struct conf *c)
{
	for (size_t i = 0; i < c->count; i++) {
		free(c->files[i].path);
		jdoc_free(c->files[i].doc);
	}
	free(c->files);
}

#define UNUSED "podman's mirrors in it are not used"

/* 1: it is there, be it good or not. */
static int load(struct conf *c, const char *path)
{
	AUTO_BUF text = { 0 };
	struct err why = { 0 };
	int found = sites_read_file(path, &text, &why);

	if (!found)
		return 0;
	AUTO(jdoc) d = found > 0 ? toml_parse(text.data, text.len, &why) : NULL;
	if (d && !jval_is_null(jval_get(jdoc_root(d), "registry")) &&
	    !jval_is_array(jval_get(jdoc_root(d), "registry"))) {
		err_set(&why, ERR_USAGE, "\"registry\" is written [[registry]]");
		jdoc_free(TAKE(d));
	}
	if (!d)
		return sites_warn(c->search, path, &why, UNUSED) ? -1 : 1;
	if (GROW(c->files, c->capacity, c->count, c->search->e))
		return -1;
	struct conf_file *f = &c->files[c->count];
	*f = (struct conf_file){ 0 };
	if (sites_text(&f->path, path, c->search->e))
		return -1;
	f->doc = TAKE(d);
	c->count++;
	return 1;
}

static int load_folder(struct conf *c, const char *folder)
{
	char **names = NULL;
	struct err why = { 0 };
	int failed = 0;

	if (sites_read_folder(folder, ".conf", &names, &why) < 0)
		return sites_warn(c->search, folder, &why, UNUSED);
	for (char **name = names; name && *name && !failed; name++) {
		AUTO_MEM char *path = NULL;
		if (asprintf(&path, "%s/%s", folder, *name) < 0) {
			path = NULL;
			failed = err_memory(c->search->e);
		} else {
			failed = load(c, path) < 0;
		}
	}
	sites_free_list(names);
	return failed ? -1 : 0;
}

static const char *prefix_of(const struct jval *table)
{
	const char *prefix = jval_text(jval_get(table, "prefix"));

	return prefix && *prefix ? prefix : jval_text(jval_get(table, "location"));
}

/* What of the registry a prefix is about: "" all, "library", or NULL: nothing of it. */
static const char *part_of(const char *registry, const char *prefix)
{
	size_t len = strlen(registry);

	if (prefix[0] == '*' && prefix[1] == '.') {
		size_t tail = strlen(prefix + 1);
		return len > tail && strcmp(registry + len - tail, prefix + 1) == 0 ? "" : NULL;
	}
	if (strncmp(prefix, registry, len) != 0 || (prefix[len] && prefix[len] != '/'))
		return NULL;
	return prefix + len + (prefix[len] == '/');
}

/* A later file, or a later table, speaks about the same prefix. */
static bool overruled(const struct conf *c, size_t file, size_t table, const char *prefix)
{
	for (size_t i = file; i < c->count; i++) {
		const struct jval *list = jval_get(jdoc_root(c->files[i].doc), "registry");
		for (size_t k = i == file ? table + 1 : 0; k < jval_count(list); k++) {
			const char *other = prefix_of(jval_at(list, k));
			if (other && strcmp(other, prefix) == 0)
				return true;
		}
	}
	return false;
}

/* *digest_only from the mirror's own word, or the old one of its registry. */
static int trust_in_tags(const struct jval *table, const struct jval *mirror, bool *digest_only, struct err *e)
{
	const char *word = NULL;

	if (jval_get_bool(table, "mirror-by-digest-only", false, digest_only, e) ||
	    jval_get_text(mirror, "pull-from-mirror", false, &word, e))
		return -1;
	if (word && strcmp(word, "digest-only") == 0)
		*digest_only = true;
	else if (word && *word && strcmp(word, "all") != 0 && strcmp(word, "tag-only") != 0)
		return err_set(e, ERR_USAGE, "\"pull-from-mirror\" is \"all\", \"digest-only\" or \"tag-only\"");
	return 0;
}

/* A place that has `part` of the registry: a mirror, or the location itself. */
static int add_place(struct sites_search *s, struct sites *to, const struct jval *place, const char *part,
		     bool digest_only, const char *path, struct err *e)
{
	const char *location = jval_text(jval_get(place, "location"));
	struct site site = { .digest_only = digest_only, .by_part = true };

	if (!location || !*location)
		return err_set(e, ERR_USAGE, "a mirror has no \"location\"");
	int failed = sites_parse_place(location, &site, &site.repository_prefix, e) ||
		     jval_get_bool(place, "insecure", false, &site.skip_verify, e) ||
		     sites_text(&site.below, part, e) || sites_text(&site.from, path, e);
	bool same = !failed && sites_is_origin(s, site.host) && strcmp(site.repository_prefix, part) == 0;
	if (same && site.skip_verify)
		s->itself.skip_verify = true;
	if (failed || same) {
		site_release(&site);
		return failed ? -1 : 0;
	}
	return sites_add(to, &site, e);
}

static int read_table(struct sites_search *s, struct sites *to, const struct jval *table, const char *part,
		      const char *path, struct err *e)
{
	const struct jval *mirrors = jval_get(table, "mirror");
	const char *location = NULL;
	const char *prefix = NULL;
	bool insecure = false;

	if (jval_get_text(table, "location", false, &location, e) ||
	    jval_get_text(table, "prefix", false, &prefix, e) || jval_get_bool(table, "insecure", false, &insecure, e))
		return -1;
	if (!jval_is_null(mirrors) && !jval_is_array(mirrors))
		return err_set(e, ERR_USAGE, "a mirror is written [[registry.mirror]]");
	for (size_t i = 0; i < jval_count(mirrors); i++) {
		bool digest_only = false;
		if (trust_in_tags(table, jval_at(mirrors, i), &digest_only, e) ||
		    add_place(s, to, jval_at(mirrors, i), part, digest_only, path, e))
			return -1;
	}
	/* Without a location of its own, or with the same, the registry itself is meant. */
	if (!prefix || !*prefix || !location || !*location || strcmp(prefix, location) == 0) {
		if (insecure)
			s->itself.skip_verify = true;
		return insecure && !s->itself.from ? sites_text(&s->itself.from, path, e) : 0;
	}
	size_t before = to->count;
	if (add_place(s, to, table, part, false, path, e))
		return -1;
	to->no_origin = to->no_origin || (!*part && to->count > before);
	return 0;
}

static int refuse_blocked(struct sites_search *s, const char *path)
{
	char shown[256];

	return err_set(s->e, ERR_DENIED, "%s is blocked on this machine: \"blocked = true\" in %s", s->registry,
		       text_escape_str(shown, sizeof(shown), path));
}

/* A table that cannot be used is left out alone. */
static int apply(struct conf *c, size_t file, size_t number, const struct jval *table)
{
	struct sites_search *s = c->search;
	const char *path = c->files[file].path;
	const char *prefix = prefix_of(table);
	const char *part = prefix ? part_of(s->registry, prefix) : NULL;
	struct sites found = { 0 };
	struct err why = { 0 };
	bool blocked = false;
	char shown[160];

	if (!part || overruled(c, file, number, prefix))
		return 0;
	if (jval_get_bool(table, "blocked", false, &blocked, &why) || read_table(s, &found, table, part, path, &why)) {
		sites_release(&found);
		err_at(&why, "[[registry]] of \"%s\"", text_escape_str(shown, sizeof(shown), prefix));
		return sites_warn(s, path, &why, "its mirrors are not used");
	}
	int failed = 0;
	if (blocked && !*part)
		failed = refuse_blocked(s, path);
	else if (blocked)
		event_text(s->events, EVENT_NOTE, "%s: blocks %s; imgpack heeds that for whole registries only",
			   text_escape_str(shown, sizeof(shown), path), s->registry);
	for (size_t i = 0; i < found.count && !failed; i++)
		failed = sites_add(s->out, &found.items[i], s->e);
	s->out->no_origin = s->out->no_origin || found.no_origin;
	sites_release(&found);
	return failed;
}

static int load_all(struct conf *c, const struct sites_places *places)
{
	int found = 0;

	for (const char *const *p = places->registries_conf; p && *p && !found; p++) {
		found = load(c, *p);
		if (found < 0)
			return -1;
	}
	for (const char *const *p = places->registries_conf_d; p && *p; p++)
		if (load_folder(c, *p))
			return -1;
	return 0;
}

int sites_podman(struct sites_search *s, const struct sites_places *places)
{
	struct conf c = { .search = s };
	int failed = load_all(&c, places);

	for (size_t i = 0; i < c.count && !failed; i++) {
		const struct jval *list = jval_get(jdoc_root(c.files[i].doc), "registry");
		for (size_t k = 0; k < jval_count(list) && !failed; k++)
			failed = apply(&c, i, k, jval_at(list, k));
	}
	release(&c);
	return failed;
}
