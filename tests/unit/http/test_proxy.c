/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the same decision as Go's httpproxy for every environment, since that is what docker and containerd do; and
 * proxy addresses taken apart without their secrets in an error. The table's last column is what Go 1.19 answered.
 */
#include "unit/http/server.h"

#include "http/proxy.h"
#include "http/url.h"

struct decision {
	const char *no_proxy;
	const char *url;
	bool proxied;
};

/* clang-format off */
static const struct decision decisions[] = {
	{ "quay.io", "http://quay.io/", false },
	{ "quay.io", "https://quay.io/", false },
	{ "quay.io", "https://quay.io:8443/", false },
	{ "quay.io", "https://cdn.quay.io/", false },
	{ "quay.io", "https://notquay.io/", true },
	{ "quay.io", "https://10.1.2.3/", true },
	{ "quay.io", "https://10.1.2.3:5000/", true },
	{ "quay.io", "https://[fd00::1]/", true },
	{ "quay.io", "https://[fd00::1]:5000/", true },
	{ "quay.io", "https://[::ffff:10.1.2.3]/", true },
	{ ".quay.io", "http://quay.io/", true },
	{ ".quay.io", "https://quay.io/", true },
	{ ".quay.io", "https://quay.io:8443/", true },
	{ ".quay.io", "https://cdn.quay.io/", false },
	{ ".quay.io", "https://notquay.io/", true },
	{ ".quay.io", "https://10.1.2.3/", true },
	{ ".quay.io", "https://10.1.2.3:5000/", true },
	{ ".quay.io", "https://[fd00::1]/", true },
	{ ".quay.io", "https://[fd00::1]:5000/", true },
	{ ".quay.io", "https://[::ffff:10.1.2.3]/", true },
	{ "*.quay.io", "http://quay.io/", true },
	{ "*.quay.io", "https://quay.io/", true },
	{ "*.quay.io", "https://quay.io:8443/", true },
	{ "*.quay.io", "https://cdn.quay.io/", false },
	{ "*.quay.io", "https://notquay.io/", true },
	{ "*.quay.io", "https://10.1.2.3/", true },
	{ "*.quay.io", "https://10.1.2.3:5000/", true },
	{ "*.quay.io", "https://[fd00::1]/", true },
	{ "*.quay.io", "https://[fd00::1]:5000/", true },
	{ "*.quay.io", "https://[::ffff:10.1.2.3]/", true },
	{ "quay.io:8443", "http://quay.io/", true },
	{ "quay.io:8443", "https://quay.io/", true },
	{ "quay.io:8443", "https://quay.io:8443/", false },
	{ "quay.io:8443", "https://cdn.quay.io/", true },
	{ "quay.io:8443", "https://notquay.io/", true },
	{ "quay.io:8443", "https://10.1.2.3/", true },
	{ "quay.io:8443", "https://10.1.2.3:5000/", true },
	{ "quay.io:8443", "https://[fd00::1]/", true },
	{ "quay.io:8443", "https://[fd00::1]:5000/", true },
	{ "quay.io:8443", "https://[::ffff:10.1.2.3]/", true },
	{ ".quay.io:443", "http://quay.io/", true },
	{ ".quay.io:443", "https://quay.io/", true },
	{ ".quay.io:443", "https://quay.io:8443/", true },
	{ ".quay.io:443", "https://cdn.quay.io/", false },
	{ ".quay.io:443", "https://notquay.io/", true },
	{ ".quay.io:443", "https://10.1.2.3/", true },
	{ ".quay.io:443", "https://10.1.2.3:5000/", true },
	{ ".quay.io:443", "https://[fd00::1]/", true },
	{ ".quay.io:443", "https://[fd00::1]:5000/", true },
	{ ".quay.io:443", "https://[::ffff:10.1.2.3]/", true },
	{ "*", "http://quay.io/", false },
	{ "*", "https://quay.io/", false },
	{ "*", "https://quay.io:8443/", false },
	{ "*", "https://cdn.quay.io/", false },
	{ "*", "https://notquay.io/", false },
	{ "*", "https://10.1.2.3/", false },
	{ "*", "https://10.1.2.3:5000/", false },
	{ "*", "https://[fd00::1]/", false },
	{ "*", "https://[fd00::1]:5000/", false },
	{ "*", "https://[::ffff:10.1.2.3]/", false },
	{ "10.0.0.0/8", "http://quay.io/", true },
	{ "10.0.0.0/8", "https://quay.io/", true },
	{ "10.0.0.0/8", "https://quay.io:8443/", true },
	{ "10.0.0.0/8", "https://cdn.quay.io/", true },
	{ "10.0.0.0/8", "https://notquay.io/", true },
	{ "10.0.0.0/8", "https://10.1.2.3/", false },
	{ "10.0.0.0/8", "https://10.1.2.3:5000/", false },
	{ "10.0.0.0/8", "https://[fd00::1]/", true },
	{ "10.0.0.0/8", "https://[fd00::1]:5000/", true },
	{ "10.0.0.0/8", "https://[::ffff:10.1.2.3]/", false },
	{ "10.1.2.3", "http://quay.io/", true },
	{ "10.1.2.3", "https://quay.io/", true },
	{ "10.1.2.3", "https://quay.io:8443/", true },
	{ "10.1.2.3", "https://cdn.quay.io/", true },
	{ "10.1.2.3", "https://notquay.io/", true },
	{ "10.1.2.3", "https://10.1.2.3/", false },
	{ "10.1.2.3", "https://10.1.2.3:5000/", false },
	{ "10.1.2.3", "https://[fd00::1]/", true },
	{ "10.1.2.3", "https://[fd00::1]:5000/", true },
	{ "10.1.2.3", "https://[::ffff:10.1.2.3]/", false },
	{ "10.1.2.3:5000", "http://quay.io/", true },
	{ "10.1.2.3:5000", "https://quay.io/", true },
	{ "10.1.2.3:5000", "https://quay.io:8443/", true },
	{ "10.1.2.3:5000", "https://cdn.quay.io/", true },
	{ "10.1.2.3:5000", "https://notquay.io/", true },
	{ "10.1.2.3:5000", "https://10.1.2.3/", true },
	{ "10.1.2.3:5000", "https://10.1.2.3:5000/", false },
	{ "10.1.2.3:5000", "https://[fd00::1]/", true },
	{ "10.1.2.3:5000", "https://[fd00::1]:5000/", true },
	{ "10.1.2.3:5000", "https://[::ffff:10.1.2.3]/", true },
	{ "fd00::/8", "http://quay.io/", true },
	{ "fd00::/8", "https://quay.io/", true },
	{ "fd00::/8", "https://quay.io:8443/", true },
	{ "fd00::/8", "https://cdn.quay.io/", true },
	{ "fd00::/8", "https://notquay.io/", true },
	{ "fd00::/8", "https://10.1.2.3/", true },
	{ "fd00::/8", "https://10.1.2.3:5000/", true },
	{ "fd00::/8", "https://[fd00::1]/", false },
	{ "fd00::/8", "https://[fd00::1]:5000/", false },
	{ "fd00::/8", "https://[::ffff:10.1.2.3]/", true },
	{ "fd00::1", "http://quay.io/", true },
	{ "fd00::1", "https://quay.io/", true },
	{ "fd00::1", "https://quay.io:8443/", true },
	{ "fd00::1", "https://cdn.quay.io/", true },
	{ "fd00::1", "https://notquay.io/", true },
	{ "fd00::1", "https://10.1.2.3/", true },
	{ "fd00::1", "https://10.1.2.3:5000/", true },
	{ "fd00::1", "https://[fd00::1]/", false },
	{ "fd00::1", "https://[fd00::1]:5000/", false },
	{ "fd00::1", "https://[::ffff:10.1.2.3]/", true },
	{ "[fd00::1]:5000", "http://quay.io/", true },
	{ "[fd00::1]:5000", "https://quay.io/", true },
	{ "[fd00::1]:5000", "https://quay.io:8443/", true },
	{ "[fd00::1]:5000", "https://cdn.quay.io/", true },
	{ "[fd00::1]:5000", "https://notquay.io/", true },
	{ "[fd00::1]:5000", "https://10.1.2.3/", true },
	{ "[fd00::1]:5000", "https://10.1.2.3:5000/", true },
	{ "[fd00::1]:5000", "https://[fd00::1]/", true },
	{ "[fd00::1]:5000", "https://[fd00::1]:5000/", false },
	{ "[fd00::1]:5000", "https://[::ffff:10.1.2.3]/", true },
	{ "", "http://localhost/", false },
	{ "", "https://localhost:5000/", false },
	{ "", "http://127.0.0.1/", false },
	{ "", "https://127.9.9.9:1/", false },
	{ "", "https://[::1]:5000/", false },
	{ "", "https://[::ffff:127.0.0.1]/", false },
	{ "", "https://quay.io/", true },
	{ "a.b, quay.io ,c.d", "https://quay.io/", false },
	{ "a.b quay.io c.d", "https://quay.io/", true },
	{ "a.b,*,c.d", "https://quay.io/", false },
	{ " * ", "https://quay.io/", false },
	{ "**", "https://quay.io/", true },
	{ "*quay.io", "https://quay.io/", true },
	{ "QUAY.IO", "https://quay.io/", false },
	{ "quay.io", "https://QUAY.io/", false },
	{ "quay.io.", "https://quay.io/", true },
	{ "quay.io", "https://quay.io./", true },
	{ "quay.io:", "https://quay.io/", false },
	{ ":443", "https://quay.io/", true },
	{ "quay.io:abc", "https://quay.io/", true },
	{ "quay.io:443", "https://quay.io/", false },
	{ "quay.io:80", "http://quay.io/", false },
	{ "quay.io:443", "http://quay.io/", true },
	{ "io", "https://quay.io/", false },
	{ ".io", "https://quay.io/", false },
	{ ".", "https://quay.io/", true },
	{ ",,,", "https://quay.io/", true },
	{ "uay.io", "https://quay.io/", true },
	{ "http://quay.io", "https://quay.io/", true },
	{ "quay.io/", "https://quay.io/", true },
	{ "10.0.0.0/33", "https://10.1.2.3/", true },
	{ "10.0.0.0/", "https://10.1.2.3/", true },
	{ "10.1.2.3/0", "https://192.0.2.1/", false },
	{ "0.0.0.0/0", "https://10.1.2.3/", false },
	{ "0.0.0.0/0", "https://quay.io/", true },
	{ "0.0.0.0/0", "https://[fd00::1]/", true },
	{ "::/0", "https://10.1.2.3/", true },
	{ "::/0", "https://[fd00::1]/", false },
	{ "10.1.2.0/30", "https://10.1.2.3/", false },
	{ "10.1.2.0/30", "https://10.1.2.4/", true },
	{ "10.1.2.3/32", "https://10.1.2.3/", false },
	{ "::ffff:10.0.0.0/104", "https://10.1.2.3/", false },
	{ "::ffff:10.1.2.3", "https://10.1.2.3/", false },
	{ "[fd00::1]", "https://[fd00::1]/", true },
	{ "fd00::1:5000", "https://[fd00::1]:5000/", true },
	{ "[fd00::1]:5001", "https://[fd00::1]:5000/", true },
	{ "FD00::1", "https://[fd00::1]/", false },
	{ "fd00:0::1", "https://[fd00::1]/", false },
	{ "10.1.2", "https://10.1.2.3/", true },
	{ "10.*", "https://10.1.2.3/", true },
	{ "10.01.2.3", "https://10.1.2.3/", true },
	{ "010.1.2.3", "https://10.1.2.3/", true },
	{ "localhost", "https://x.localhost/", false },
	{ "", "https://x.localhost/", true },
	{ "", "https://localhost./", true },
	{ "", "https://127.0.0.1.nip.io/", true },
	{ "*.quay.io:443", "https://cdn.quay.io/", false },
	{ "*.quay.io:444", "https://cdn.quay.io/", true },
	{ "quay.io:443", "https://cdn.quay.io/", false },
	{ "[quay.io]:443", "https://quay.io/", false },
	{ "::1", "https://quay.io/", true },
	{ "quay.io:443:", "https://quay.io/", true },
};
/* clang-format on */

static void clean_environment(void)
{
	static const char *const names[] = { "HTTP_PROXY", "http_proxy", "HTTPS_PROXY",   "https_proxy",
					     "NO_PROXY",   "no_proxy",   "REQUEST_METHOD" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
}

/* The choice for a URL from the environment (or `forced`): "-", "ERROR" or "ADDRESS user password". */
static const char *choose(const char *forced, const char *url, char out[256], struct err *e)
{
	struct proxy_rules rules;
	struct proxy *p = NULL;

	if (proxy_rules_init(&rules, forced, e))
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

	(void)state;
	clean_environment();
	setenv("HTTPS_PROXY", "http://p:1", 1);
	setenv("HTTP_PROXY", "http://p:1", 1);
	for (size_t i = 0; i < sizeof(decisions) / sizeof(decisions[0]); i++) {
		const struct decision *d = &decisions[i];
		struct err e = { 0 };
		setenv("NO_PROXY", d->no_proxy, 1);
		const char *got = choose(NULL, d->url, out, &e);
		if (strcmp(got, d->proxied ? "http://p:1" : "-") != 0)
			fail_msg("NO_PROXY=\"%s\" %s: %s %s", d->no_proxy, d->url, got, e.text);
	}
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
	/* ALL_PROXY is curl's, not Go's. */
	clean_environment();
	setenv("ALL_PROXY", "http://all:1", 1);
	assert_string_equal(choose(NULL, "https://a/", out, &e), "-");
	unsetenv("ALL_PROXY");
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
		cmocka_unit_test(as_go_decides),  cmocka_unit_test(loopback_is_never_proxied),
		cmocka_unit_test(which_variable), cmocka_unit_test(cgi_is_refused),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
