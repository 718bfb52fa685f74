/* SPDX-License-Identifier: Apache-2.0 */
#include "http/proxy.h"

#include "base/text.h"
#include "http/url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* An entry of NO_PROXY, in lower case and without surrounding space. */

static bool match_cidr(const char *entry, const uint8_t ip[16], bool *is_cidr)
{
	const char *slash = strchr(entry, '/');
	uint8_t net[16];
	uint64_t bits;
	char text[64];

	*is_cidr = false;
	if (!slash || (size_t)(slash - entry) >= sizeof(text))
		return false;
	memcpy(text, entry, (size_t)(slash - entry));
	text[slash - entry] = '\0';
	if (!ip_parse(text, net))
		return false;
	bool v4 = !strchr(text, ':');
	if (!text_parse_u64(slash + 1, strlen(slash + 1), v4 ? 32 : 128, &bits))
		return false;
	*is_cidr = true;
	if (!ip)
		return false;
	if (v4)
		bits += 96;
	/* An IPv6 range that reaches beyond the mapped addresses holds no IPv4 host. */
	if (ip_is_v4(ip) && (bits < 96 || !ip_is_v4(net)))
		return false;
	size_t whole = (size_t)bits / 8;
	unsigned rest = bits % 8;
	return memcmp(ip, net, whole) == 0 && (!rest || (ip[whole] ^ net[whole]) >> (8 - rest) == 0);
}

/* "name", "name:port", "[v6]:port" apart, in place. An entry that is none of these is a name as it stands. */
static void split_port(char *entry, char **name, const char **port)
{
	char *colon = strrchr(entry, ':');
	char *end = strchr(entry, ']');

	*name = entry;
	*port = "";
	if (!colon)
		return;
	if (entry[0] == '[') {
		if (!end || end + 1 != colon)
			return;
		*end = '\0';
		*name = entry + 1;
	} else if (strchr(entry, ':') != colon) {
		return; /* several colons: a bare IPv6 address */
	} else {
		*colon = '\0';
	}
	*port = colon + 1;
}

static bool match_name(const char *name, const char *host)
{
	size_t host_len = strlen(host);

	if (name[0] == '*' && name[1] == '.')
		name++;
	bool only_below = name[0] == '.';
	if (only_below)
		name++;
	size_t len = strlen(name);
	if (host_len > len)
		return host[host_len - len - 1] == '.' && strcmp(host + host_len - len, name) == 0;
	return !only_below && host_len == len && strcmp(host, name) == 0;
}

static bool match_entry(char *entry, const char *host, const uint8_t *ip, uint16_t port)
{
	uint8_t entry_ip[16];
	const char *entry_port;
	bool is_cidr;
	char *name;
	char port_text[8];

	bool inside = match_cidr(entry, ip, &is_cidr);
	if (is_cidr)
		return inside;
	split_port(entry, &name, &entry_port);
	if (!*name)
		return false;
	(void)snprintf(port_text, sizeof(port_text), "%u", (unsigned)port);
	if (*entry_port && strcmp(entry_port, port_text) != 0)
		return false;
	if (ip_parse(name, entry_ip))
		return ip && memcmp(entry_ip, ip, sizeof(entry_ip)) == 0;
	return !ip && match_name(name, host);
}

static char *trim(char *s)
{
	static const char space[] = " \t\r\n\v\f";
	char *start = s + strspn(s, space);
	size_t len = strlen(start);

	while (len && strchr(space, start[len - 1]))
		start[--len] = '\0';
	return start;
}

/* 1: go straight, 0: through the proxy, -1: out of memory. */
static int listed(const char *no_proxy, const char *host, const uint8_t *ip, uint16_t port, struct err *e)
{
	AUTO_MEM char *copy = strdup(no_proxy);
	char *rest = copy;
	char *entry;

	if (!copy)
		return err_memory(e);
	for (char *p = copy; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	while ((entry = strsep(&rest, ","))) {
		entry = trim(entry);
		if (strcmp(entry, "*") == 0 || (*entry && match_entry(entry, host, ip, port)))
			return 1;
	}
	return 0;
}

static char *curl_dup(CURLU *u, CURLUPart part, unsigned flags, CURLUcode *rc)
{
	char *text = NULL;
	char *copy = NULL;

	*rc = curl_url_get(u, part, &text, flags);
	if (*rc == CURLUE_OK) {
		copy = strdup(text);
		if (!copy)
			*rc = CURLUE_OUT_OF_MEMORY;
	}
	curl_free(text);
	return copy;
}

static const char *known_scheme(const char *scheme, bool from_option, const char **port)
{
	static const struct {
		const char *name;
		const char *port;
	} known[] = { { "http", "80" }, { "https", "443" }, { "socks5", "1080" }, { "socks5h", "1080" } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (strcasecmp(scheme, known[i].name) != 0)
			continue;
		*port = known[i].port;
		return strcmp(known[i].name, "socks5") == 0 && !from_option ? "socks5h" : known[i].name;
	}
	return NULL;
}

static int fill(struct proxy *p, CURLU *u, const char *from, struct err *e)
{
	CURLUcode rc;
	const char *port;
	AUTO_MEM char *scheme = curl_dup(u, CURLUPART_SCHEME, 0, &rc);
	const char *name = scheme ? known_scheme(scheme, strcmp(from, "--proxy") == 0, &port) : NULL;

	if (scheme && !name)
		return err_set(e, ERR_USAGE, "%s: a proxy is http://, https://, socks5:// or socks5h://", from);
	AUTO_MEM char *host = name ? curl_dup(u, CURLUPART_HOST, 0, &rc) : NULL;
	if (!host || !*host)
		return rc == CURLUE_OUT_OF_MEMORY ? err_memory(e) : err_set(e, ERR_USAGE, "%s: has no host", from);
	AUTO_MEM char *own_port = curl_dup(u, CURLUPART_PORT, 0, &rc);
	if (rc == CURLUE_OUT_OF_MEMORY)
		return err_memory(e);
	/* curl's default port of a proxy is 1080; everyone else takes the scheme's. */
	if (asprintf(&p->address, "%s://%s:%s", name, host, own_port ? own_port : port) < 0) {
		p->address = NULL;
		return err_memory(e);
	}
	p->user = curl_dup(u, CURLUPART_USER, CURLU_URLDECODE, &rc);
	if (rc != CURLUE_OUT_OF_MEMORY)
		p->password = curl_dup(u, CURLUPART_PASSWORD, CURLU_URLDECODE, &rc);
	return rc == CURLUE_OUT_OF_MEMORY ? err_memory(e) : 0;
}

/* `from` names the setting in errors: the value itself may hold a password. */
static struct proxy *parse(const char *value, const char *from, struct err *e)
{
	AUTO(proxy) p = calloc(1, sizeof(*p));
	AUTO_MEM char *text = NULL;
	CURLU *u = curl_url();

	if (asprintf(&text, "%s%s", strstr(value, "://") ? "" : "http://", value) < 0)
		text = NULL;
	if (!p || !u || !text) {
		curl_url_cleanup(u);
		err_memory(e);
		return NULL;
	}
	CURLUcode rc = curl_url_set(u, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
	int failed = rc == CURLUE_OK
			     ? fill(p, u, from, e)
			     : err_set(e, ERR_USAGE, "%s is no proxy's address: %s", from, curl_url_strerror(rc));
	curl_url_cleanup(u);
	explicit_bzero(text, strlen(text));
	return failed ? NULL : TAKE(p);
}

void proxy_free(struct proxy *p)
{
	if (!p)
		return;
	free(p->address);
	text_wipe_free(p->user);
	text_wipe_free(p->password);
	free(p);
}

int proxy_choose(const struct proxy_rules *rules, const char *scheme, const char *host, uint16_t port,
		 struct proxy **out, struct err *e)
{
	bool https = strcmp(scheme, "https") == 0;
	const char *value = rules->forced ? rules->forced : https ? rules->https_proxy : rules->http_proxy;
	const char *from = rules->forced ? "--proxy" : https ? "HTTPS_PROXY" : "HTTP_PROXY";
	uint8_t ip[16];
	bool is_ip = ip_parse(host, ip);

	if (!value || strcmp(host, "localhost") == 0 || (is_ip && ip_is_loopback(ip))) {
		*out = NULL;
		return 0;
	}
	if (!rules->forced && !https && rules->cgi)
		return err_set(e, ERR_USAGE,
			       "HTTP_PROXY is not used where REQUEST_METHOD is set (CGI): a client could have "
			       "set it");
	if (!rules->forced && rules->no_proxy) {
		int straight = listed(rules->no_proxy, host, is_ip ? ip : NULL, port, e);
		if (straight < 0)
			return -1;
		if (straight) {
			*out = NULL;
			return 0;
		}
	}
	struct proxy *p = parse(value, from, e);
	if (!p)
		return -1;
	*out = p;
	return 0;
}

/* The first of two variables that is set and not empty, copied. */
static int from_environment(char **out, const char *upper, const char *lower, struct err *e)
{
	const char *value = getenv(upper);

	if (!value || !*value)
		value = getenv(lower);
	*out = NULL;
	if (!value || !*value)
		return 0;
	*out = strdup(value);
	return *out ? 0 : err_memory(e);
}

int proxy_rules_init(struct proxy_rules *rules, const char *forced, struct err *e)
{
	struct proxy_rules r = { 0 };
	const char *method = getenv("REQUEST_METHOD");

	if (forced) {
		AUTO(proxy) check = parse(forced, "--proxy", e);
		if (!check)
			return -1;
		r.forced = strdup(forced);
		if (!r.forced)
			return err_memory(e);
	} else if (from_environment(&r.https_proxy, "HTTPS_PROXY", "https_proxy", e) ||
		   from_environment(&r.http_proxy, "HTTP_PROXY", "http_proxy", e) ||
		   from_environment(&r.no_proxy, "NO_PROXY", "no_proxy", e)) {
		proxy_rules_release(&r);
		return -1;
	}
	r.cgi = method && *method;
	*rules = r;
	return 0;
}

void proxy_rules_release(struct proxy_rules *rules)
{
	text_wipe_free(rules->forced);
	text_wipe_free(rules->https_proxy);
	text_wipe_free(rules->http_proxy);
	free(rules->no_proxy);
	*rules = (struct proxy_rules){ 0 };
}
