/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/connection.h"

#include "base/limits.h"
#include "base/text.h"
#include "cmd/secret.h"

#include <string.h>

#define SHOWN 128

static int read_connections(size_t *out, const char *text, struct err *e)
{
	uint64_t n = 0;
	char shown[SHOWN];

	if (text_parse_u64(text, strlen(text), LIMIT_CONNECTIONS, &n) && n > 0) {
		*out = (size_t)n;
		return 0;
	}
	return err_set(e, ERR_USAGE, "--connections: '%s' is not a number from 1 to %d",
		       text_escape_str(shown, sizeof(shown), text), LIMIT_CONNECTIONS);
}

/* A host with a port, nothing of a URL. Whether it exists is found out when it is asked. */
static int check_host(const char *option, const char *host, struct err *e)
{
	char shown[SHOWN];

	if (!strpbrk(host, "/@ \t") && !strstr(host, "://"))
		return 0;
	return err_set(e, ERR_USAGE, "%s: '%s' is not a host: write HOST[:PORT], no scheme and no path", option,
		       text_escape_str(shown, sizeof(shown), host));
}

static int read_credential(struct credential *c, const struct options *o, struct err *e)
{
	const char *user = options_value(o, OPT_USERNAME);

	if (user && !o->given[OPT_PASSWORD_STDIN])
		return err_set(e, ERR_USAGE, "--username needs --password-stdin beside it");
	if (!user && o->given[OPT_PASSWORD_STDIN])
		return err_set(e, ERR_USAGE, "--password-stdin needs --username USER beside it");
	if (!user)
		return 0;
	c->username = strdup(user);
	if (!c->username)
		return err_memory(e);
	c->password = secret_from_stdin(e);
	return c->password ? 0 : -1;
}

int connection_fill(struct connection *c, const struct options *o, struct err *e)
{
	const char *connections = options_value(o, OPT_CONNECTIONS);
	const char *const *plain = options_all(o, OPT_PLAIN_HTTP);

	*c = (struct connection){ .options = { .plain_http = plain, .cacert = options_value(o, OPT_CACERT) } };
	if (connections && read_connections(&c->options.connections, connections, e))
		return -1;
	for (size_t i = 0; plain && plain[i]; i++) {
		if (check_host("--plain-http", plain[i], e))
			return -1;
	}
	if (read_credential(&c->credential, o, e))
		return -1;
	if (c->credential.username)
		c->options.credential = &c->credential;
	return 0;
}

void connection_release(struct connection *c)
{
	credential_release(&c->credential);
	*c = (struct connection){ 0 };
}
