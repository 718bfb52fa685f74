/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/dockerproxies.h"

#include "base/text.h"
#include "registry/dockerconfig.h"
#include "registry/secret.h"

#include <stdlib.h>

#define DEFAULT_HOST "unix:///var/run/docker.sock"

static const char *const members[] = { "httpsProxy", "httpProxy", "allProxy", "noProxy" };

static const struct jval *find_entry(const struct jval *proxies, const char **name)
{
	const char *host = getenv("DOCKER_HOST");

	*name = host && *host ? host : DEFAULT_HOST;
	const struct jval *own = jval_get(proxies, *name);
	if (own)
		return own;
	*name = "default";
	return jval_get(proxies, *name);
}

/* "proxies" of no object, or of entries that are none, is what docker's client would stumble over. */
static int read_proxies(const struct jval *proxies, struct http_proxies *out, struct err *e)
{
	char **const to[] = { &out->https, &out->http, &out->all, &out->none };
	const char *name;
	const char *text;
	char shown[160];

	if (jval_is_null(proxies))
		return 0;
	if (!jval_is_object(proxies))
		return err_set(e, ERR_LOCAL, "\"proxies\" is not an object");
	const struct jval *entry = find_entry(proxies, &name);
	if (jval_is_null(entry))
		return 0;
	(void)text_escape_str(shown, sizeof(shown), name);
	if (!jval_is_object(entry))
		return err_set(e, ERR_LOCAL, "\"proxies\": \"%s\" is not an object", shown);
	if (jval_check_names(entry, members, sizeof(members) / sizeof(members[0]), NULL))
		return err_set(e, ERR_LOCAL,
			       "\"proxies\": \"%s\": write httpProxy, httpsProxy, noProxy and allProxy so", shown);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		text = NULL;
		if (jval_get_text(entry, members[i], false, &text, NULL))
			return err_set(e, ERR_LOCAL, "\"proxies\": \"%s\": \"%s\" is not a text", shown, members[i]);
		if (secret_copy(to[i], text, e))
			return -1;
	}
	return 0;
}

int dockerproxies_find(struct http_proxies *out, struct err *e)
{
	static const char *const names[] = { "proxies" };
	AUTO(dockerconfig) d = dockerconfig_load(e);
	char shown[256];

	if (!d)
		return -1;
	const struct jval *root = dockerconfig_root(d);
	int failed = jval_check_names(root, names, 1, NULL) ? err_set(e, ERR_LOCAL, "\"proxies\" is not written so")
							    : read_proxies(jval_get(root, names[0]), out, e);
	return failed ? err_at(e, "%s", text_escape_str(shown, sizeof(shown), dockerconfig_path(d))) : 0;
}
