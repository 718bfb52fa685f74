/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/flow.h"
#include "flow/registries.h"

#include "base/text.h"
#include "oci/reference.h"

#include <string.h>

/* login: try the credential at the registry, then store it as docker does. logout: forget it. */

/* The registry as references call it; docker's old spellings of the Hub are the Hub. */
static const char *canonical(const char *registry, struct err *e)
{
	static const char *const hub[] = { "docker.io", "index.docker.io", "registry-1.docker.io",
					   "https://index.docker.io/v1/" };
	char shown[160];

	if (!registry)
		return hub[0];
	for (size_t i = 0; i < sizeof(hub) / sizeof(hub[0]); i++)
		if (!strcmp(registry, hub[i]))
			return hub[0];
	if (reference_registry_valid(registry))
		return registry;
	err_set(e, ERR_USAGE, "\"%s\" is not a registry: write HOST or HOST:PORT, without https:// and path",
		text_escape_str(shown, sizeof(shown), registry));
	return NULL;
}

int flow_login(const char *registry, const struct credential *c, const struct connect_options *connect,
	       const struct events *events, char where[512], struct err *e)
{
	struct connect_options with = *connect;
	const char *host = canonical(registry, e);

	if (!host)
		return -1;
	with.credential = c;
	AUTO(registries) registries = registries_new(&with, events, e);
	if (!registries || registries_add(registries, host, e) < 0)
		return -1;
	struct registry_conn *conn = registries_connection(registries, 0, registries_origin(registries, 0), 0, e);
	if (!conn || registry_ping(conn, e))
		return err_at(e, "%s", host);
	return credential_store(host, c, where, e);
}

int flow_logout(const char *registry, bool *found, char where[512], struct err *e)
{
	const char *host = canonical(registry, e);

	return host ? credential_erase(host, found, where, e) : -1;
}
