/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack login [REGISTRY], imgpack logout [REGISTRY] */
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/connection.h"
#include "cmd/secret.h"

#include <string.h>

#define WHERE 512
#define SHOWN 256

static const char *registry_of(const struct options *o)
{
	return o->operands.count ? o->operands.items[0] : NULL;
}

static const char *shown_registry(const struct options *o, char out[SHOWN])
{
	return text_escape_str(out, SHOWN, o->operands.count ? o->operands.items[0] : "docker.io");
}

/* On a terminal: asks for what the options did not say. */
static int ask(struct credential *c, const struct options *o, struct err *e)
{
	const char *user = options_value(o, OPT_USERNAME);

	if (user) {
		c->username = strdup(user);
		if (!c->username)
			return err_memory(e);
	} else {
		c->username = secret_ask("Username: ", true, e);
	}
	if (!c->username)
		return -1;
	if (!*c->username)
		return err_set(e, ERR_USAGE, "no username was given");
	c->password = secret_ask("Password: ", false, e);
	if (!c->password)
		return -1;
	return *c->password ? 0 : err_set(e, ERR_USAGE, "no password was given");
}

static int login(struct run *run, struct connection *connection, struct err *e)
{
	const struct options *o = run->options;
	struct options without_user = *o;
	char where[WHERE] = "", registry[SHOWN], shown[SHOWN];

	/* Unlike fetch and load, login takes --username alone: it can ask for the password. */
	if (!o->given[OPT_PASSWORD_STDIN])
		without_user.values[OPT_USERNAME].count = 0;
	if (connection_fill(connection, &without_user, e))
		return -1;
	if (!connection->credential.username && ask(&connection->credential, o, e))
		return -1;
	/* The credential under trial is the argument, not one of the connection's. */
	connection->options.credential = NULL;
	if (flow_login(registry_of(o), &connection->credential, &connection->options, run->events, where, e))
		return -1;
	if (run->quiet)
		return 0;
	return buf_printf(&run->out, e, "logged in to %s; credentials are in %s\n", shown_registry(o, registry),
			  text_escape_str(shown, sizeof(shown), where));
}

int login_run(struct run *run, struct err *e)
{
	struct connection connection = { 0 };
	int rc = login(run, &connection, e);

	connection_release(&connection);
	return rc;
}

int logout_run(struct run *run, struct err *e)
{
	char where[WHERE] = "", registry[SHOWN], shown[SHOWN];
	bool found = false;

	if (flow_logout(registry_of(run->options), &found, where, e))
		return -1;
	if (run->quiet)
		return 0;
	shown_registry(run->options, registry);
	if (!found)
		return buf_printf(&run->out, e, "no credentials were stored for %s\n", registry);
	return buf_printf(&run->out, e, "removed the credentials for %s from %s\n", registry,
			  text_escape_str(shown, sizeof(shown), where));
}
