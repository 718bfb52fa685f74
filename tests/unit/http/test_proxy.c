/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the same decision as Go's httpproxy for every environment, since that is what docker and containerd do; and
 * proxy addresses taken apart without their secrets in an error. What Go answers stands in go_proxies.h.
 */
#include "unit/http/server.h"

#include "http/proxy.h"
#include "http/url.h"
#include "unit/http/go_proxies.h"

#include <locale.h>

static void clean_environment(void)
{
	static const char *const names[] = { "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy",   "ALL_PROXY",
					     "all_proxy",  "NO_PROXY",   "no_proxy",    "REQUEST_METHOD" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
}

/* What docker's config.json says while a test sets it. */
static const struct http_proxies *docker;

/* The choice for a URL from the environment (or `forced`): "-", "ERROR" or "ADDRESS user password". */
static const char *choose(const char *forced, const char *url, char out[256], struct err *e)
{
	struct proxy_rules rules;
	struct proxy *p = NULL;

	if (proxy_rules_init(&rules, forced, docker, e))
		return "ERROR";
	AUTO(url) u = url_parse(url, e);
	assert_non_null(u);
	int failed = proxy_choose(&rules, u->scheme, u->host, u->port, &p, e);
	proxy_rules_release(&rules);
	if (failed)
		return "ERROR";
	if (!p)
		return "-";
	snprintf(out, 256, "%s%s%s%s%s", p->address, p->user ? " " : "", p->user ? p->user : "", p->password ? " " : "",
		 p->password ? p->password : "");
	proxy_free(p);
	return out;
}

static void as_go_decides(void **state)
{
	char out[256];
	size_t count = 0;

	(void)state;
	clean_environment();
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	for (size_t i = 0; i < sizeof(go_decisions) / sizeof(go_decisions[0]); i++) {
		setenv("HTTPS_PROXY", go_decisions[i].proxy, 1);
		setenv("HTTP_PROXY", go_decisions[i].proxy, 1);
		setenv("NO_PROXY", go_decisions[i].no_proxy, 1);
		assert_int_equal(strlen(go_decisions[i].decisions), sizeof(go_urls) / sizeof(go_urls[0]));
		for (size_t u = 0; u < sizeof(go_urls) / sizeof(go_urls[0]); u++, count++) {
			struct err e = { 0 };
			char want = go_decisions[i].decisions[u];
			const char *got = choose(NULL, go_urls[u], out, &e);
			if (strcmp(got, want == 'p' ? go_decisions[i].proxy : "-") != 0)
				fail_msg("NO_PROXY=\"%s\" %s: %s %s, Go: %c", go_decisions[i].no_proxy, go_urls[u], got,
					 e.text, want);
		}
	}
	print_message("%zu decisions are Go's\n", count);
	assert_true(count >= 120);
	clean_environment();
}

/* Addresses in other spellings are loopback, too (Go would ask the proxy, which is no better a place for them). */
static void loopback_is_never_proxied(void **state)
{
	static const char *const urls[] = { "http://localhost/",        "http://LOCALHOST:1/", "https://127.1/",
					    "https://0x7f.0.0.1:444/",  "http://2130706433/",  "http://[::1]/",
					    "http://[0:0:0:0:0:0:0:1]/" };
	char out[256];

	(void)state;
	clean_environment();
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct err e = { 0 };
		assert_string_equal(choose("http://p:1", urls[i], out, &e), "-");
		setenv("HTTPS_PROXY", "http://p:1", 1);
		setenv("HTTP_PROXY", "http://p:1", 1);
		assert_string_equal(choose(NULL, urls[i], out, &e), "-");
		clean_environment();
	}
}

static void which_variable(void **state)
{
	char out[256];
	struct err e = { 0 };

	(void)state;
	clean_environment();
	assert_string_equal(choose(NULL, "https://a/", out, &e), "-");
	setenv("https_proxy", "http://low:1", 1);
	assert_string_equal(choose(NULL, "https://a/", out, &e), "http://low:1");
	assert_string_equal(choose(NULL, "http://a/", out, &e), "-");
	setenv("HTTPS_PROXY", "", 1);
	assert_string_equal(choose(NULL, "https://a/", out, &e), "http://low:1");
	setenv("HTTPS_PROXY", "http://up:1", 1);
	assert_string_equal(choose(NULL, "https://a/", out, &e), "http://up:1");
	setenv("http_proxy", "http://plain:1", 1);
	assert_string_equal(choose(NULL, "http://a/", out, &e), "http://plain:1");
	setenv("no_proxy", "a", 1);
	assert_string_equal(choose(NULL, "https://a/", out, &e), "-");
	setenv("NO_PROXY", "b", 1);
	assert_string_equal(choose(NULL, "https://a/", out, &e), "http://up:1");
	/* An option silences the environment, NO_PROXY included. */
	assert_string_equal(choose("http://opt:1", "https://b/", out, &e), "http://opt:1");
	clean_environment();
}

static void all_proxy_fills_the_gaps(void **state)
{
	char out[256];
	struct err e = { 0 };

	(void)state;
	clean_environment();
	setenv("all_proxy", "http://low:1", 1);
	assert_string_equal(choose(NULL, "https://a/", out, &e), "http://low:1");
	setenv("ALL_PROXY", "socks5://u:canary@all", 1);
	assert_string_equal(choose(NULL, "https://a/", out, &e), "socks5h://all:1080 u canary");
	assert_string_equal(choose(NULL, "http://a/", out, &e), "socks5h://all:1080 u canary");
	assert_string_equal(choose(NULL, "https://localhost/", out, &e), "-");
	setenv("http_proxy", "http://plain:1", 1);
	assert_string_equal(choose(NULL, "http://a/", out, &e), "http://plain:1");
	assert_string_equal(choose(NULL, "https://a/", out, &e), "socks5h://all:1080 u canary");
	setenv("NO_PROXY", "a", 1);
	assert_string_equal(choose(NULL, "https://a/", out, &e), "-");
	assert_string_equal(choose("http://opt:1", "https://a/", out, &e), "http://opt:1");
	/* A client's "Proxy:" header becomes HTTP_PROXY, never ALL_PROXY. */
	clean_environment();
	setenv("REQUEST_METHOD", "GET", 1);
	setenv("ALL_PROXY", "http://all:1", 1);
	assert_string_equal(choose(NULL, "http://a/", out, &e), "http://all:1");
	setenv("ALL_PROXY", "ftp://u:canary@all", 1);
	assert_string_equal(choose(NULL, "http://a/", out, &e), "ERROR");
	assert_contains(e.text, "ALL_PROXY");
	assert_lacks(e.text, "canary");
	clean_environment();
}

/* docker's settings follow the same rules, and only where the environment and --proxy say nothing. */
static void docker_comes_last(void **state)
{
	char tls[] = "http://u:canary@tls:1";
	char all[] = "socks5://all";
	char none[] = "b";
	char ftp[] = "ftp://u:canary@tls:1";
	const struct http_proxies full = { .https = tls, .all = all, .none = none };
	const struct http_proxies bad = { .https = ftp };
	static const char *const names[] = { "HTTP_PROXY", "https_proxy", "all_proxy", "NO_PROXY" };
	char out[256];
	struct err e = { 0 };

	(void)state;
	clean_environment();
	docker = &full;
	assert_false(http_proxies_in_environment());
	assert_string_equal(choose(NULL, "https://a/", out, &e), "http://tls:1 u canary");
	assert_string_equal(choose(NULL, "http://a/", out, &e), "socks5h://all:1080");
	assert_string_equal(choose(NULL, "http://b/", out, &e), "-");
	assert_string_equal(choose(NULL, "https://localhost/", out, &e), "-");
	assert_string_equal(choose("http://opt:1", "https://b/", out, &e), "http://opt:1");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv(names[i], "http://env:1", 1);
		assert_true(http_proxies_in_environment());
		assert_string_not_equal(choose(NULL, "https://a/", out, &e), "http://tls:1 u canary");
		setenv(names[i], "", 1);
		assert_string_equal(choose(NULL, "https://a/", out, &e), "http://tls:1 u canary");
		clean_environment();
	}
	/* CGI's danger is the environment's. */
	setenv("REQUEST_METHOD", "GET", 1);
	assert_string_equal(choose(NULL, "http://a/", out, &e), "socks5h://all:1080");
	clean_environment();
	docker = &bad;
	assert_string_equal(choose(NULL, "https://a/", out, &e), "ERROR");
	assert_contains(e.text, "httpsProxy in docker's config.json");
	assert_lacks(e.text, "canary");
	docker = NULL;
}

static void cgi_is_refused(void **state)
{
	char out[256];
	struct err e = { 0 };

	(void)state;
	clean_environment();
	setenv("REQUEST_METHOD", "GET", 1);
	setenv("HTTP_PROXY", "http://p:1", 1);
	setenv("HTTPS_PROXY", "http://p:1", 1);
	assert_string_equal(choose(NULL, "http://a/", out, &e), "ERROR");
	assert_int_equal(e.kind, ERR_USAGE);
	assert_string_equal(choose(NULL, "http://localhost/", out, &e), "-");
	assert_string_equal(choose(NULL, "https://a/", out, &e), "http://p:1");
	clean_environment();
}

static void addresses(void **state)
{
	static const struct {
		const char *value;
		const char *from_environment;
		const char *from_option;
	} cases[] = {
		{ "p", "http://p:80", "http://p:80" },
		{ "p:3128", "http://p:3128", "http://p:3128" },
		{ "127.0.0.1:3128", "http://127.0.0.1:3128", "http://127.0.0.1:3128" },
		{ "http://p", "http://p:80", "http://p:80" },
		{ "https://p", "https://p:443", "https://p:443" },
		{ "HTTP://p:3128/", "http://p:3128", "http://p:3128" },
		{ "http://[fd00::1]:3128", "http://[fd00::1]:3128", "http://[fd00::1]:3128" },
		{ "socks5h://p", "socks5h://p:1080", "socks5h://p:1080" },
		{ "socks5://p:9", "socks5h://p:9", "socks5://p:9" },
		{ "http://u:canary@p", "http://p:80 u canary", "http://p:80 u canary" },
		{ "http://u@p", "http://p:80 u", "http://p:80 u" },
		{ "u:canary@p:1", "http://p:1 u canary", "http://p:1 u canary" },
		{ "http://a%3Ab:c%40%2F@p", "http://p:80 a:b c@/", "http://p:80 a:b c@/" },
		{ "socks5h://u:canary@p", "socks5h://p:1080 u canary", "socks5h://p:1080 u canary" },
		{ "ftp://u:canary@p", "ERROR", "ERROR" },
		{ "socks4://u:canary@p", "ERROR", "ERROR" },
		{ "http://u:canary@", "ERROR", "ERROR" },
		{ "http://u:canary@p:99999", "ERROR", "ERROR" },
		{ "http://u:canary@p q", "ERROR", "ERROR" },
		{ "://", "ERROR", "ERROR" },
	};
	char out[256];

	(void)state;
	clean_environment();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };
		setenv("HTTPS_PROXY", cases[i].value, 1);
		assert_string_equal(choose(NULL, "https://a/", out, &e), cases[i].from_environment);
		assert_lacks(e.text, "canary");
		if (strcmp(cases[i].from_environment, "ERROR") == 0) {
			assert_contains(e.text, "HTTPS_PROXY");
			assert_int_equal(e.kind, ERR_USAGE);
		}
		/* What does not go through it, is not troubled by it. */
		assert_string_equal(choose(NULL, "https://localhost/", out, &e), "-");
		clean_environment();
		assert_string_equal(choose(cases[i].value, "https://a/", out, &e), cases[i].from_option);
		assert_lacks(e.text, "canary");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_go_decides),     cmocka_unit_test(loopback_is_never_proxied),
		cmocka_unit_test(which_variable),    cmocka_unit_test(cgi_is_refused),
		cmocka_unit_test(addresses),         cmocka_unit_test(all_proxy_fills_the_gaps),
		cmocka_unit_test(docker_comes_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
