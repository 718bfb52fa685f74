/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sites_read.h"

#include "base/own.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* docker: daemon.json and the folders of certificates, which containerd and podman took over. */

/* A mirror's address without a path: docker refuses to start with one that has more. */
static int add_mirror(struct sites_search *s, const char *path, const char *address, struct err *e)
{
	struct site site = { 0 };
	AUTO_MEM char *rest = NULL;
	int failed = -1;

	if (!address)
		err_set(e, ERR_USAGE, "\"registry-mirrors\" has something that is no text");
	else if (!sites_parse_place(address, &site, &rest, e))
		failed = *rest ? err_set(e, ERR_USAGE, "docker's mirrors are addresses without a path") : 0;
	if (!failed)
		failed = sites_text(&site.from, path, e);
	if (failed) {
		site_release(&site);
		return -1;
	}
	return sites_add(s->out, &site, e);
}

static int add_mirrors(struct sites_search *s, const char *path, const struct jval *mirrors)
{
	if (strcmp(s->registry, SITES_HUB) != 0)
		return 0;
	for (size_t i = 0; i < jval_count(mirrors); i++) {
		struct err why = { 0 };
		if (add_mirror(s, path, jval_text(jval_at(mirrors, i)), &why) &&
		    sites_warn(s, path, &why, "this mirror is not used"))
			return -1;
	}
	return 0;
}

static int add_insecure(struct sites_search *s, const char *path, const struct jval *hosts)
{
	char shown[256];

	for (size_t i = 0; i < jval_count(hosts); i++) {
		const char *host = jval_text(jval_at(hosts, i));
		/* An address range (10.0.0.0/8) is about what DNS answers, and never decides here. */
		if (!host || strchr(host, '/'))
			continue;
		if (sites_add_file(&s->insecure, NULL, host, s->e))
			return -1;
		if (strcmp(host, s->registry) != 0 && !sites_is_origin(s, host))
			continue;
		if (!s->itself.skip_verify)
			event_text(s->events, EVENT_NOTE,
				   "%s: \"insecure-registries\" names %s: its certificate is not checked (docker would "
				   "also try plain HTTP; imgpack does so with --plain-http %s only)",
				   text_escape_str(shown, sizeof(shown), path), s->registry, s->registry);
		s->itself.skip_verify = true;
		if (!s->itself.from && sites_text(&s->itself.from, path, s->e))
			return -1;
	}
	return 0;
}

static int read_daemon(struct sites_search *s, const char *path)
{
	static const char unused[] = "docker's mirrors in it are not used";
	AUTO_BUF text = { 0 };
	struct err why = { 0 };
	int found = sites_read_file(path, &text, &why);

	if (found <= 0)
		return found ? sites_warn(s, path, &why, unused) : 0;
	if (!text.data || strspn(text.data, " \t\r\n") == text.len)
		return 0;
	AUTO(jdoc) d = jdoc_parse(text.data, text.len, &why);
	if (!d)
		return sites_warn(s, path, &why, unused);
	const struct jval *root = jdoc_root(d);
	const struct jval *mirrors = jval_get(root, "registry-mirrors");
	const struct jval *insecure = jval_get(root, "insecure-registries");
	if (!jval_is_object(root) || (!jval_is_null(mirrors) && !jval_is_array(mirrors)) ||
	    (!jval_is_null(insecure) && !jval_is_array(insecure))) {
		err_set(&why, ERR_USAGE,
			"is not what docker reads: \"registry-mirrors\" and \"insecure-registries\" are lists");
		return sites_warn(s, path, &why, unused);
	}
	return add_mirrors(s, path, mirrors) || add_insecure(s, path, insecure) ? -1 : 0;
}

int sites_docker(struct sites_search *s, const char *const *daemon_json)
{
	for (; daemon_json && *daemon_json; daemon_json++)
		if (read_daemon(s, *daemon_json))
			return -1;
	return 0;
}

static bool has(char *const *names, const char *name, size_t stem, const char *suffix)
{
	for (; names && *names; names++)
		if (strncmp(*names, name, stem) == 0 && strcmp(*names + stem, suffix) == 0)
			return true;
	return false;
}

/* NAME.cert with NAME.key: the first pair. */
static int add_client(struct sites_search *s, struct site *site, const char *folder, char *const *certs,
		      char *const *keys)
{
	for (; certs && *certs; certs++) {
		size_t stem = strlen(*certs) - strlen(".cert");
		char shown[64];
		if (!has(keys, *certs, stem, ".key")) {
			struct err why = { 0 };
			err_set(&why, ERR_USAGE, "%s has no .key of the same name beside it",
				text_escape_str(shown, sizeof(shown), *certs));
			if (sites_warn(s, folder, &why, "this certificate is not used (an authority's ends in .crt)"))
				return -1;
			continue;
		}
		if (asprintf(&site->cert, "%s/%s", folder, *certs) < 0) {
			site->cert = NULL;
			return err_memory(s->e);
		}
		if (asprintf(&site->key, "%s/%.*s.key", folder, (int)stem, *certs) < 0) {
			site->key = NULL;
			return err_memory(s->e);
		}
		return 0;
	}
	return 0;
}

static int fill(struct sites_search *s, struct site *site, const char *folder, char *const *authorities,
		char *const *certs, char *const *keys)
{
	for (; authorities && *authorities; authorities++)
		if (sites_add_file(&site->cacerts, folder, *authorities, s->e))
			return -1;
	return add_client(s, site, folder, certs, keys);
}

int sites_certificate_folder(struct sites_search *s, struct site *site, const char *folder, bool *found)
{
	static const char *const suffix[] = { ".crt", ".cert", ".key" };
	char **names[3] = { NULL, NULL, NULL };
	struct err why = { 0 };
	int failed = 0;

	for (size_t i = 0; i < 3 && !failed; i++)
		failed = sites_read_folder(folder, suffix[i], &names[i], &why) < 0;
	if (failed)
		failed = sites_warn(s, folder, &why, "the certificates in it are not used");
	else
		failed = fill(s, site, folder, names[0], names[1], names[2]);
	for (size_t i = 0; i < 3; i++)
		sites_free_list(names[i]);
	*found = site->cacerts || site->cert;
	if (!failed && *found && !site->from)
		failed = sites_text(&site->from, folder, s->e);
	return failed;
}

int sites_certificates(struct sites_search *s, struct site *site, const char *const *roots)
{
	const char *const names[] = { site->host, site->origin ? s->registry : NULL };
	bool found = site->cacerts || site->cert;

	for (; !found && roots && *roots; roots++)
		for (size_t i = 0; !found && i < 2 && names[i]; i++) {
			AUTO_MEM char *folder = NULL;
			if (asprintf(&folder, "%s/%s", *roots, names[i]) < 0) {
				folder = NULL;
				return err_memory(s->e);
			}
			if (sites_certificate_folder(s, site, folder, &found))
				return -1;
		}
	return 0;
}
