/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sites_read.h"

#include "base/own.h"
#include "base/text.h"
#include "oci/reference.h"

#include <string.h>
#include <strings.h>

/* Addresses of mirrors, as files and --mirror write them. */

/* The scheme taken off; -1: one that is none of ours. */
static int take_scheme(const char **text, bool *named, bool *http)
{
	const char *colon = strstr(*text, "://");

	*named = colon != NULL;
	*http = false;
	if (!colon)
		return 0;
	if (colon - *text == 4 && strncasecmp(*text, "http", 4) == 0)
		*http = true;
	else if (colon - *text != 5 || strncasecmp(*text, "https", 5) != 0)
		return -1;
	*text = colon + 3;
	return 0;
}

int sites_parse_place(const char *text, struct site *out, char **path, struct err *e)
{
	char shown[160];
	bool named, http;
	size_t len;

	if (take_scheme(&text, &named, &http))
		return err_set(e, ERR_USAGE, "a registry is asked by https:// or http://");
	if (strpbrk(text, "?#@"))
		return err_set(e, ERR_USAGE, "a mirror's address has no user, query or fragment");
	len = strcspn(text, "/");
	AUTO_MEM char *host = strndup(text, len);
	if (!host)
		return err_memory(e);
	if (!*host || !reference_registry_valid(host))
		return err_set(e, ERR_USAGE, "\"%s\" is not HOST or HOST:PORT",
			       text_escape_str(shown, sizeof(shown), host));
	text += len + strspn(text + len, "/");
	len = strlen(text);
	while (len && text[len - 1] == '/')
		len--;
	char *rest = strndup(text, len);
	if (!rest)
		return err_memory(e);
	free(*path);
	*path = rest;
	out->plain_http = http || (!named && reference_registry_is_local(host));
	free(out->host);
	out->host = TAKE(host);
	return 0;
}

static int refuse_mirror(const char *text, const char *why, struct err *e)
{
	char shown[160];

	err_set(e, ERR_USAGE, "--mirror \"%s\": %s", text_escape_str(shown, sizeof(shown), text), why);
	return err_hint(e, "it is REGISTRY=[http[s]://]HOST[:PORT][/PATH], as docker.io=mirror.local/dockerhub");
}

int sites_parse_mirror(const char *text, char **registry, struct site *out, struct err *e)
{
	const char *equals = strchr(text, '=');
	struct err why = { 0 };
	struct site site = { 0 };
	int failed;

	if (!equals)
		return refuse_mirror(text, "there is no = in it", e);
	AUTO_MEM char *name = strndup(text, (size_t)(equals - text));
	if (!name)
		return err_memory(e);
	if (sites_is_hub(name) && sites_text(&name, SITES_HUB, e))
		return -1;
	if (!*name || !reference_registry_valid(name))
		return refuse_mirror(text, "what is left of = is not a registry's HOST[:PORT]", e);
	failed = sites_parse_place(equals + 1, &site, &site.repository_prefix, &why);
	if (failed && why.kind == ERR_USAGE)
		(void)refuse_mirror(text, why.text, e);
	else if (failed)
		(void)err_memory(e);
	if (!failed && site.repository_prefix && *site.repository_prefix &&
	    !reference_repository_valid(site.repository_prefix))
		failed = refuse_mirror(text, "its PATH is not the beginning of a repository's name", e);
	if (failed || sites_complete(&site, e)) {
		site_release(&site);
		return -1;
	}
	*registry = TAKE(name);
	*out = site;
	return 0;
}
