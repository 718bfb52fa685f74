/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: through a proxy nothing changes but the way: the proxy's password reaches only the proxy, the origin's
 * credentials only the origin, neither an error; what a proxy refuses is told as the proxy's refusal.
 */
#include "unit/http/certs.h"

#include <signal.h>

static struct server origin; /* TLS, as https://registry.test:PORT through the proxy */
static struct http *direct;
static struct http_client *plain_client; /* for diaries */

static const char *const secret_header[] = { "Authorization: Bearer origin-canary", NULL };

static int group_start(void **state)
{
	struct err e = { 0 };

	(void)state;
	certs_make();
	tls_start(&origin, "good");
	direct = http_new(&(struct http_options){ .cacert = cert("ca.pem") }, &e);
	plain_client = http_client_new(direct, &e);
	assert_non_null(plain_client);
	return 0;
}

static int group_end(void **state)
{
	(void)state;
	http_client_free(plain_client);
	http_free(direct);
	server_stop(&origin);
	certs_remove();
	return 0;
}

/* One GET through `proxy` with the secret header: the status or -1. */
static int get(const char *proxy, const char *url, struct err *e)
{
	AUTO(http) h = http_new(&(struct http_options){ .cacert = cert("ca.pem"), .proxy = proxy }, e);
	int status = -1;

	if (!h)
		return -1;
	AUTO(http_client) c = http_client_new(h, e);
	AUTO(http_reply) r = http_send(c, &(struct http_request){ .url = url, .headers = secret_header }, e);
	if (r)
		status = http_status(r);
	return status;
}

static const char *proxy_url(const struct server *s, const char *scheme, const char *user)
{
	static char url[128];

	snprintf(url, sizeof(url), "%s://%s127.0.0.1:%u", scheme, user, s->port);
	return url;
}

static const char *origin_url(void)
{
	static char url[128];

	snprintf(url, sizeof(url), "https://registry.test:%u/x?status=200", origin.port);
	return url;
}

static void forget(const struct server *s)
{
	char url[128];

	snprintf(url, sizeof(url), "%s/_diary", s->base);
	http_reply_free(http_send(plain_client, &(struct http_request){ .method = HTTP_DELETE, .url = url }, NULL));
}

static void tunnel(void **state)
{
	struct server proxy;
	struct err e = { 0 };
	const char *const args[] = { "--proxy-user", "u:proxy-canary", NULL };

	(void)state;
	server_start(&proxy, "http", args);
	forget(&origin);
	if (get(proxy_url(&proxy, "http", "u:proxy-canary@"), origin_url(), &e) != 200)
		fail_msg("%s", e.text);
	AUTO_MEM char *at_proxy = server_diary(&proxy, plain_client, NULL);
	AUTO_MEM char *at_origin = server_diary(&origin, plain_client, NULL);
	assert_contains(at_proxy, " CONNECT registry.test:");
	assert_contains(at_proxy, "Proxy-Authorization: Basic ");
	assert_lacks(at_proxy, "origin-canary");
	assert_int_equal(count_of(at_proxy, "Authorization"), 1);
	assert_contains(at_origin, "Authorization: Bearer origin-canary");
	assert_lacks(at_origin, "Proxy-");
	server_stop(&proxy);
}

static void wrong_or_no_credentials(void **state)
{
	static const char *const users[] = { "", "u:wrong-canary@", "u@" };
	struct server proxy;
	const char *const args[] = { "--proxy-user", "u:proxy-canary", NULL };
	const char *const urls[] = { origin_url(), "http://plain.test/x?status=200" };

	(void)state;
	server_start(&proxy, "http", args);
	forget(&origin);
	for (size_t i = 0; i < 6; i++) {
		struct err e = { 0 };
		assert_int_equal(get(proxy_url(&proxy, "http", users[i % 3]), urls[i / 3], &e), -1);
		assert_int_equal(e.kind, ERR_DENIED);
		assert_int_equal(e.sys, 407);
		assert_contains(e.text, i % 3 ? "the proxy refuses this user" : "the proxy wants a user");
		assert_lacks(e.text, "canary");
	}
	AUTO_MEM char *at_origin = server_diary(&origin, plain_client, NULL);
	assert_string_equal(at_origin, "");
	server_stop(&proxy);
}

/* Whatever a proxy answers to CONNECT, the origin's secret does not go to it (CVE-2026-86414). */
static void hostile_proxy(void **state)
{
	static const char *const statuses[] = { "301", "302", "401", "403", "407", "404", "500", "503" };

	(void)state;
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		struct server proxy;
		struct err e = { 0 };
		const char *const args[] = { "--connect", statuses[i], NULL };
		server_start(&proxy, "http", args);
		assert_int_equal(get(proxy_url(&proxy, "http", "u:proxy-canary@"), origin_url(), &e), -1);
		assert_int_equal(e.sys, strtol(statuses[i], NULL, 10));
		assert_int_equal(e.kind, e.sys == 407 ? ERR_DENIED : ERR_NETWORK);
		assert_lacks(e.text, "canary");
		assert_contains(e.text, "proxy");
		AUTO_MEM char *at_proxy = server_diary(&proxy, plain_client, NULL);
		assert_lacks(at_proxy, "origin-canary");
		assert_int_equal(count_of(at_proxy, "REQ "), 1);
		server_stop(&proxy);
	}
}

static void plain_http(void **state)
{
	struct server proxy;
	struct err e = { 0 };

	(void)state;
	server_start(&proxy, "http", NULL);
	assert_int_equal(get(proxy_url(&proxy, "http", ""), "http://plain.test/x?status=203", &e), 203);
	AUTO_MEM char *at_proxy = server_diary(&proxy, plain_client, NULL);
	assert_contains(at_proxy, " GET http://plain.test/x?status=203\n");
	server_stop(&proxy);
}

static void socks(void **state)
{
	struct server proxy;
	struct err e = { 0 };
	const char *const args[] = { "--socks", NULL };

	(void)state;
	server_start(&proxy, "http", args);
	/* socks5h: the name goes to the proxy, nobody here is asked for it. */
	if (get(proxy_url(&proxy, "socks5h", ""), "http://no-such-name.invalid/x?status=203", &e) != 203)
		fail_msg("%s", e.text);
	/* socks5 as an option: looked up here, so this one fails before the proxy is asked for anything. */
	assert_int_equal(get(proxy_url(&proxy, "socks5", ""), "http://no-such-name.invalid/x?status=203", &e), -1);
	assert_int_equal(e.kind, ERR_NETWORK);
	assert_int_equal(get(proxy_url(&proxy, "socks5", ""), "http://192.0.2.7/x?status=203", &e), 203);
	/* In the environment as Go reads it. */
	setenv("HTTP_PROXY", proxy_url(&proxy, "socks5", ""), 1);
	assert_int_equal(get(NULL, "http://other-name.invalid/x?status=203", &e), 203);
	unsetenv("HTTP_PROXY");
	/* The diary is asked through the proxy, too, since it speaks SOCKS first. */
	AUTO(http) h = http_new(&(struct http_options){ .proxy = proxy_url(&proxy, "socks5h", "") }, &e);
	AUTO(http_client) c = http_client_new(h, &e);
	snprintf(proxy.base, sizeof(proxy.base), "http://diary.invalid");
	AUTO_MEM char *diary = server_diary(&proxy, c, NULL);
	assert_contains(diary, "SOCKS name no-such-name.invalid port 80\n");
	assert_contains(diary, "SOCKS name other-name.invalid port 80\n");
	assert_contains(diary, "SOCKS address 192.0.2.7 port 80\n");
	assert_int_equal(count_of(diary, "no-such-name.invalid port"), 1);
	server_stop(&proxy);
}

static void loopback_and_sockets_go_straight(void **state)
{
	struct server target;
	struct err e = { 0 };
	char url[128];

	(void)state;
	server_start(&target, "http", NULL);
	snprintf(url, sizeof(url), "%s/x?status=203", target.base);
	assert_int_equal(get("http://127.0.0.1:1", url, &e), 203);
	snprintf(url, sizeof(url), "http://localhost:%u/x?status=203", target.port);
	assert_int_equal(get("http://127.0.0.1:1", url, &e), 203);
	/* curl's own variables and a hostile .netrc are not read. */
	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	assert_int_equal(get(NULL, url, &e), 203);
	unsetenv("ALL_PROXY");
	unsetenv("http_proxy");
	server_stop(&target);
}

static void netrc_is_not_read(void **state)
{
	struct server target;
	struct err e = { 0 };
	char path[128];

	(void)state;
	server_start(&target, "http", NULL);
	snprintf(path, sizeof(path), "%s/.netrc", certs);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f,
		"machine 127.0.0.1 login netrc-canary password netrc-canary\ndefault login netrc-canary password x\n");
	assert_int_equal(fclose(f), 0);
	AUTO_MEM char *home = strdup(getenv("HOME") ? getenv("HOME") : "/");
	setenv("HOME", certs, 1);
	setenv("NETRC", path, 1);
	AUTO(http_client) c = http_client_new(direct, &e);
	http_reply_free(send_script(c, &target, HTTP_GET, "status=401&header=WWW-Authenticate:Basic", &e));
	AUTO_MEM char *diary = server_diary(&target, c, NULL);
	assert_contains(diary, " GET /x?status=401");
	assert_lacks(diary, "uthorization");
	setenv("HOME", home, 1);
	unsetenv("NETRC");
	server_stop(&target);
}

static void dead_proxy(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(get("http://u:proxy-canary@127.0.0.1:1", "https://registry.test/", &e), -1);
	assert_int_equal(e.kind, ERR_NETWORK);
	assert_contains(e.text, "registry.test (through the proxy http://127.0.0.1:1): ");
	assert_contains(e.text, "refused");
	assert_lacks(e.text, "canary");
	assert_int_equal(get("http://no-such-proxy.invalid", "https://registry.test/", &e), -1);
	assert_contains(e.text, "proxy's name has no address");
	assert_int_equal(get("ftp://u:proxy-canary@x", "https://registry.test/", &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_lacks(e.text, "canary");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tunnel),
		cmocka_unit_test(wrong_or_no_credentials),
		cmocka_unit_test(hostile_proxy),
		cmocka_unit_test(plain_http),
		cmocka_unit_test(socks),
		cmocka_unit_test(loopback_and_sockets_go_straight),
		cmocka_unit_test(netrc_is_not_read),
		cmocka_unit_test(dead_proxy),
	};
	static const char *const names[] = { "HTTP_PROXY",  "http_proxy", "HTTPS_PROXY",
					     "https_proxy", "NO_PROXY",   "no_proxy" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, group_start, group_end);
}
