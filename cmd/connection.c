/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/connection.h"

#include "base/limits.h"
#include "base/text.h"
#include "cmd/secret.h"

#include <string.h>

#define SHOWN 128

/* A number of an option that may be missing: *out is then left as it is. */
static int read_number(unsigned *out, const struct options *o, enum option_id id, const char *name, unsigned least,
		       unsigned most, struct err *e)
{
	const char *text = options_value(o, id);
	uint64_t n = 0;
	char shown[SHOWN];

	if (!text)
		return 0;
	if (text_parse_u64(text, strlen(text), most, &n) && n >= least) {
		*out = (unsigned)n;
		return 0;
	}
	return err_set(e, ERR_USAGE, "--%s: '%s' is not a number from %u to %u", name,
		       text_escape_str(shown, sizeof(shown), text), least, most);
}

/* "2M": bytes a second. k, M and G count in thousands, as links are sold. */
static int read_rate(uint64_t *out, const char *text, struct err *e)
{
	static const char units[] = "kKmMgG";
	static const uint64_t factors[] = { 1000, 1000, 1000000, 1000000, 1000000000, 1000000000 };
	size_t len = text ? strlen(text) : 0;
	const char *unit = len > 1 ? strchr(units, text[len - 1]) : NULL;
	uint64_t factor = unit ? factors[unit - units] : 1;
	uint64_t n = 0;
	char shown[SHOWN];

	if (!text)
		return 0;
	if (!text_parse_u64(text, len - (unit ? 1 : 0), INT64_MAX / factor, &n) || n * factor < LIMIT_RATE_LEAST)
		return err_set(e, ERR_USAGE,
			       "--limit-rate: '%s' is not a number of bytes a second, %d or more (500k, 2M)",
			       text_escape_str(shown, sizeof(shown), text), LIMIT_RATE_LEAST);
	*out = n * factor;
	return 0;
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

static int check_hosts(const char *option, const char *const *hosts, struct err *e)
{
	for (size_t i = 0; hosts && hosts[i]; i++) {
		if (check_host(option, hosts[i], e))
			return -1;
	}
	return 0;
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
	struct connect_options *to = &c->options;
	unsigned connections = 0;

	*c = (struct connection){ .options = { .plain_http = options_all(o, OPT_PLAIN_HTTP),
					       .cacert = options_value(o, OPT_CACERT),
					       .cert = options_value(o, OPT_CERT),
					       .key = options_value(o, OPT_KEY),
					       .insecure = options_all(o, OPT_INSECURE),
					       .proxy = options_value(o, OPT_PROXY),
					       .mirrors = options_all(o, OPT_MIRROR),
					       .retries_given = o->given[OPT_RETRIES],
					       .wait_for_quota = o->given[OPT_WAIT_FOR_QUOTA] } };
	if (read_number(&connections, o, OPT_CONNECTIONS, "connections", 1, LIMIT_CONNECTIONS, e) ||
	    read_number(&to->stall_seconds, o, OPT_STALL_TIMEOUT, "stall-timeout", 1, LIMIT_STALL_SECONDS, e) ||
	    read_number(&to->retries, o, OPT_RETRIES, "retries", 0, LIMIT_RETRIES, e) ||
	    read_rate(&to->limit_rate, options_value(o, OPT_LIMIT_RATE), e) ||
	    check_hosts("--plain-http", to->plain_http, e) ||
	    check_hosts("--insecure-skip-tls-verify", to->insecure, e))
		return -1;
	to->connections = connections;
	if (to->key && !to->cert)
		return err_set(e, ERR_USAGE, "--key needs --cert beside it");
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
