/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sites_read.h"

#include "base/own.h"
#include "base/text.h"
#include "oci/toml.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* containerd: a folder for each registry, with hosts.toml in it, or the certificates that docker would have there. */

struct hosts_file {
	struct sites_search *search;
	const char *folder;
	const char *path;
	struct sites found; /* taken over once the whole file was understood */
	struct site itself;
};

/* A path, or a list of paths, into `list`. */
static int add_paths(char ***list, const char *folder, const struct jval *v, const char *key, struct err *e)
{
	if (jval_is_string(v))
		return sites_add_file(list, folder, jval_text(v), e);
	if (!jval_is_null(v) && !jval_is_array(v))
		return err_set(e, ERR_USAGE, "\"%s\" is a path or a list of paths", key);
	for (size_t i = 0; i < jval_count(v); i++) {
		if (!jval_is_string(jval_at(v, i)))
			return err_set(e, ERR_USAGE, "\"%s\" is a path or a list of paths", key);
		if (sites_add_file(list, folder, jval_text(jval_at(v, i)), e))
			return -1;
	}
	return 0;
}

/* "c", ["c", ...] with the key in the same file, or [["c", "k"], ...]: the first. */
static int set_client(struct site *site, const char *folder, const struct jval *v, struct err *e)
{
	const struct jval *first = jval_is_array(v) ? jval_at(v, 0) : v;
	const char *cert = jval_text(jval_is_array(first) ? jval_at(first, 0) : first);
	const char *key = jval_text(jval_at(first, 1));
	char **paths = NULL;

	if (site->cert || jval_is_null(v) || (jval_is_array(v) && !jval_count(v)))
		return 0;
	if (!cert || (jval_is_array(first) && (jval_count(first) != 2 || !key)))
		return err_set(e, ERR_USAGE,
			       "\"client\" is a path, a list of paths, or a list of pairs [\"CERT\", \"KEY\"]");
	int failed = sites_add_file(&paths, folder, cert, e) || (key && *key && sites_add_file(&paths, folder, key, e));
	if (!failed)
		failed = sites_text(&site->cert, paths[0], e) || sites_text(&site->key, paths[1], e);
	sites_free_list(paths);
	return failed ? -1 : 0;
}

/* *pull and *resolve: what the host may be asked for. */
static int capabilities(const struct jval *table, bool *pull, bool *resolve, struct err *e)
{
	const struct jval *list = jval_get(table, "capabilities");

	*pull = *resolve = jval_count(list) == 0;
	if (!jval_is_null(list) && !jval_is_array(list))
		return err_set(e, ERR_USAGE, "\"capabilities\" is a list");
	for (size_t i = 0; i < jval_count(list); i++) {
		const char *word = jval_text(jval_at(list, i));
		if (!word || (strcasecmp(word, "pull") != 0 && strcasecmp(word, "resolve") != 0 &&
			      strcasecmp(word, "push") != 0))
			return err_set(e, ERR_USAGE, "\"capabilities\" are \"pull\", \"resolve\" and \"push\"");
		*pull = *pull || strcasecmp(word, "pull") == 0;
		*resolve = *resolve || strcasecmp(word, "resolve") == 0;
	}
	return 0;
}

static void name_ignored(const struct hosts_file *f, const struct jval *table, const char *host)
{
	static const char *const ignored[] = { "header", "proxy" };
	char path[256], shown[160];

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		if (!jval_is_null(jval_get(table, ignored[i])))
			event_text(f->search->events, EVENT_WARNING, "%s: \"%s\" of %s is not used by imgpack",
				   text_escape_str(path, sizeof(path), f->path), ignored[i],
				   text_escape_str(shown, sizeof(shown), host));
}

static int set_tls(struct hosts_file *f, struct site *site, const struct jval *table, struct err *e)
{
	if (add_paths(&site->cacerts, f->folder, jval_get(table, "ca"), "ca", e) ||
	    set_client(site, f->folder, jval_get(table, "client"), e) ||
	    jval_get_bool(table, "skip_verify", false, &site->skip_verify, e))
		return -1;
	return site->from ? 0 : sites_text(&site->from, f->path, e);
}

/* The path of the API: what stands in the address, with /v2 behind it unless the file says not to. */
static int set_api(struct site *site, const char *path, const struct jval *table, struct err *e)
{
	size_t len = strlen(path);
	bool override = false;

	if (jval_get_bool(table, "override_path", false, &override, e))
		return -1;
	bool there = override || strcmp(path, "v2") == 0 || (len > 3 && strcmp(path + len - 3, "/v2") == 0);
	free(site->api_path);
	if (asprintf(&site->api_path, "%s%s%s", len ? "/" : "", path, there ? "" : "/v2") < 0) {
		site->api_path = NULL;
		return err_memory(e);
	}
	return 0;
}

/* One [host."address"], or `server` with what stands beside it. */
static int add_host(struct hosts_file *f, const char *address, const struct jval *table, bool server, struct err *e)
{
	struct sites_search *s = f->search;
	struct site site = { 0 };
	AUTO_MEM char *path = NULL;
	bool pull, resolve;
	int failed = sites_parse_place(address, &site, &path, e) || capabilities(table, &pull, &resolve, e) ||
		     set_api(&site, path, table, e) || set_tls(f, &site, table, e);

	if (!failed && sites_is_origin(s, site.host)) {
		failed = set_tls(f, &f->itself, table, e);
	} else if (!failed && pull) {
		/* A local host without a scheme would be http; containerd reads it as https, and fails. */
		site.digest_only = !resolve;
		failed = sites_text(&site.ns, s->registry, e);
		if (!failed)
			failed = sites_add(&f->found, &site, e);
		f->found.no_origin = f->found.no_origin || server;
	}
	name_ignored(f, table, address);
	site_release(&site);
	return failed ? -1 : 0;
}

static int read_hosts(struct hosts_file *f, const struct jval *root, struct err *e)
{
	const struct jval *hosts = jval_get(root, "host");
	const char *server = NULL;
	char shown[160];

	if (jval_get_text(root, "server", false, &server, e))
		return -1;
	if (!jval_is_null(hosts) && !jval_is_object(hosts))
		return err_set(e, ERR_USAGE, "\"host\" is a table: [host.\"https://HOST\"]");
	for (size_t i = 0; i < jval_count(hosts); i++) {
		const struct jval *table;
		const char *address = jval_key_at(hosts, i, &table);
		if (add_host(f, address, table, false, e))
			return err_at(e, "[host.\"%s\"]", text_escape_str(shown, sizeof(shown), address));
	}
	if (server && *server)
		return add_host(f, server, root, true, e) ? err_at(e, "\"server\"") : 0;
	name_ignored(f, root, f->search->registry);
	return set_tls(f, &f->itself, root, e);
}

/* Two certificates for the registry itself: the first file's stay. */
static int take_over(struct hosts_file *f)
{
	struct sites_search *s = f->search;
	struct site *itself = &s->itself;

	for (size_t i = 0; i < f->found.count; i++)
		if (sites_add(s->out, &f->found.items[i], s->e))
			return -1;
	s->out->no_origin = s->out->no_origin || f->found.no_origin;
	if (!itself->cacerts)
		itself->cacerts = TAKE(f->itself.cacerts);
	if (!itself->cert) {
		itself->cert = TAKE(f->itself.cert);
		itself->key = TAKE(f->itself.key);
	}
	itself->skip_verify = itself->skip_verify || f->itself.skip_verify;
	if (!itself->from)
		itself->from = TAKE(f->itself.from);
	return 0;
}

/* 1: the file is there, be it good or not; 0: it is not, or is empty. */
static int read_toml(struct hosts_file *f)
{
	AUTO_BUF text = { 0 };
	struct err why = { 0 };
	int found = sites_read_file(f->path, &text, &why);

	if (!found || (found > 0 && !text.len))
		return 0;
	AUTO(jdoc) d = found > 0 ? toml_parse(text.data, text.len, &why) : NULL;
	if (!d || read_hosts(f, jdoc_root(d), &why))
		return sites_warn(f->search, f->path, &why, "containerd's mirrors in it are not used") ? -1 : 1;
	return take_over(f) ? -1 : 1;
}

/* 1: the folder is there. */
static int read_folder(struct sites_search *s, const char *folder)
{
	AUTO_MEM char *path = NULL;
	struct stat st;
	bool found;

	if (stat(folder, &st))
		return 0;
	if (asprintf(&path, "%s/hosts.toml", folder) < 0) {
		path = NULL;
		return err_memory(s->e);
	}
	struct hosts_file f = { .search = s, .folder = folder, .path = path };
	int there = read_toml(&f);
	sites_release(&f.found);
	site_release(&f.itself);
	if (there)
		return there;
	if (!s->itself.cacerts && !s->itself.cert && sites_certificate_folder(s, &s->itself, folder, &found))
		return -1;
	return 1;
}

/* The first of these folders that is there: of "host:port" also "host_port_". 1, 0 if there is none. */
static int read_root(struct sites_search *s, const char *root)
{
	const char *colon = strrchr(s->registry, ':');
	int host = colon && colon > s->registry ? (int)(colon - s->registry) : (int)strlen(s->registry);

	for (int i = colon ? 0 : 1; i < 3; i++) {
		AUTO_MEM char *folder = NULL;
		int n = i == 0   ? asprintf(&folder, "%s/%.*s_%s_", root, host, s->registry, colon + 1)
			: i == 1 ? asprintf(&folder, "%s/%s", root, s->registry)
				 : asprintf(&folder, "%s/_default", root);
		if (n < 0) {
			folder = NULL;
			return err_memory(s->e);
		}
		int there = read_folder(s, folder);
		if (there)
			return there;
	}
	return 0;
}

int sites_containerd(struct sites_search *s, const char *const *folders)
{
	for (; folders && *folders; folders++)
		if (read_root(s, *folders) < 0)
			return -1;
	return 0;
}
