/* SPDX-License-Identifier: Apache-2.0 */
#include "http/proxy.h"

#include "base/text.h"
#include "http/noproxy.h"
#include "http/url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

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

/* What applies to a scheme, and the name it goes by in errors. */
static const char *setting(const struct proxy_rules *rules, bool https, const char **from)
{
	static const char *const names[2][3] = {
		{ "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY" },
		{ "httpProxy in docker's config.json", "httpsProxy in docker's config.json",
		  "allProxy in docker's config.json" },
	};
	const char *const *name = names[rules->from_docker];
	const char *own = https ? rules->proxies.https : rules->proxies.http;

	*from = rules->forced ? "--proxy" : !own ? name[2] : name[https];
	if (rules->forced)
		return rules->forced;
	return own ? own : rules->proxies.all;
}

int proxy_choose(const struct proxy_rules *rules, const char *scheme, const char *host, uint16_t port,
		 struct proxy **out, struct err *e)
{
	bool https = strcmp(scheme, "https") == 0;
	const char *from;
	const char *value = setting(rules, https, &from);
	uint8_t ip[16];
	bool is_ip = ip_parse(host, ip);

	if (!value || strcmp(host, "localhost") == 0 || (is_ip && ip_is_loopback(ip))) {
		*out = NULL;
		return 0;
	}
	if (value == rules->proxies.http && rules->cgi)
		return err_set(e, ERR_USAGE,
			       "HTTP_PROXY is not used where REQUEST_METHOD is set (CGI): a client could have "
			       "set it");
	if (!rules->forced && rules->proxies.none) {
		int straight = noproxy_lists(rules->proxies.none, host, is_ip ? ip : NULL, port, e);
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

/* The first of two variables that is set and not empty, or NULL. */
static const char *variable(const char *upper, const char *lower)
{
	const char *value = getenv(upper);

	if (!value || !*value)
		value = getenv(lower);
	return value && *value ? value : NULL;
}

/* The environment's words, borrowed from it. */
struct words {
	const char *https;
	const char *http;
	const char *all;
	const char *none;
};

static struct words environment(void)
{
	return (struct words){ variable("HTTPS_PROXY", "https_proxy"), variable("HTTP_PROXY", "http_proxy"),
			       variable("ALL_PROXY", "all_proxy"), variable("NO_PROXY", "no_proxy") };
}

bool http_proxies_in_environment(void)
{
	struct words w = environment();

	return w.https || w.http || w.all || w.none;
}

/* An empty text is none. */
static int copy(char **out, const char *text, struct err *e)
{
	if (!text || !*text)
		return 0;
	*out = strdup(text);
	return *out ? 0 : err_memory(e);
}

static int copy_words(struct http_proxies *to, const struct words *w, struct err *e)
{
	return copy(&to->https, w->https, e) || copy(&to->http, w->http, e) || copy(&to->all, w->all, e) ||
			       copy(&to->none, w->none, e)
		       ? -1
		       : 0;
}

int proxy_rules_init(struct proxy_rules *rules, const char *forced, const struct http_proxies *docker, struct err *e)
{
	struct proxy_rules r = { 0 };
	struct words w = environment();
	const char *method = getenv("REQUEST_METHOD");
	int failed = 0;

	r.from_docker = !forced && docker && !http_proxies_in_environment();
	r.cgi = !r.from_docker && method && *method;
	if (r.from_docker)
		w = (struct words){ docker->https, docker->http, docker->all, docker->none };
	if (forced) {
		AUTO(proxy) check = parse(forced, "--proxy", e);
		failed = !check || copy(&r.forced, forced, e);
	} else {
		failed = copy_words(&r.proxies, &w, e);
	}
	if (failed) {
		proxy_rules_release(&r);
		return -1;
	}
	*rules = r;
	return 0;
}

void proxy_rules_release(struct proxy_rules *rules)
{
	text_wipe_free(rules->forced);
	http_proxies_release(&rules->proxies);
	*rules = (struct proxy_rules){ 0 };
}

void http_proxies_release(struct http_proxies *p)
{
	text_wipe_free(p->https);
	text_wipe_free(p->http);
	text_wipe_free(p->all);
	free(p->none);
	*p = (struct http_proxies){ 0 };
}
