/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what was told about one host's TLS counts for that host and port alone, beside what counts for all, and sticks
 * to no connection or session; files that cannot be used are named before anything is asked.
 */
#include "unit/http/certs.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>

static struct server good;    /* signed by ca.pem */
static struct server strange; /* signed by second.pem */

static int group_start(void **state)
{
	(void)state;
	certs_make();
	tls_start(&good, "good");
	tls_start(&strange, "strange");
	return 0;
}

static int group_end(void **state)
{
	(void)state;
	server_stop(&good);
	server_stop(&strange);
	certs_remove();
	return 0;
}

static int get(struct http_client *c, const struct server *s, const char *host, struct err *e)
{
	char url[128];

	snprintf(url, sizeof(url), "https://%s:%u/x?status=200", host, s->port);
	AUTO(http_reply) r = http_send(c, &(struct http_request){ .url = url }, e);
	return r ? http_status(r) : -1;
}

static const char *host_of(const struct server *s)
{
	static char text[4][32];
	static size_t turn;
	char *out = text[turn++ % 4];

	snprintf(out, sizeof(text[0]), "127.0.0.1:%u", s->port);
	return out;
}

static void an_authority_for_one_host(void **state)
{
	struct err e = { 0 };
	const char *const ca[] = { cert("ca.pem"), NULL };

	(void)state;
	AUTO(http) h = http_new(NULL, &e);
	AUTO(http_client) c = http_client_new(h, &e);
	assert_int_equal(get(c, &good, "127.0.0.1", &e), -1);
	if (http_trust(h, &(struct http_trust){ .host_port = host_of(&good), .cacerts = ca }, &e))
		fail_msg("%s", e.text);
	/* One client, in turns: the same server under a name of which nothing was told. */
	for (int i = 0; i < 3; i++) {
		if (get(c, &good, "127.0.0.1", &e) != 200)
			fail_msg("%s", e.text);
		assert_int_equal(get(c, &good, "localhost", &e), -1);
		assert_contains(e.text, "does not know");
		assert_int_equal(get(c, &strange, "127.0.0.1", &e), -1);
	}
	/* It is that host's authority, not its certificate: a server that another one vouches for stays refused. */
	AUTO(http) h2 = http_new(NULL, &e);
	AUTO(http_client) c2 = http_client_new(h2, &e);
	assert_int_equal(http_trust(h2, &(struct http_trust){ .host_port = host_of(&strange), .cacerts = ca }, &e), 0);
	assert_int_equal(get(c2, &strange, "127.0.0.1", &e), -1);
}

static void authorities_add_up(void **state)
{
	struct err e = { 0 };
	const char *const ca[] = { cert("ca.pem"), NULL };
	const char *const both[] = { cert("ca.pem"), cert("second.pem"), NULL };

	(void)state;
	/* --cacert's still counts where a host has its own. */
	AUTO(http) h = http_new(&(struct http_options){ .cacert = cert("second.pem") }, &e);
	AUTO(http_client) c = http_client_new(h, &e);
	assert_int_equal(http_trust(h, &(struct http_trust){ .host_port = host_of(&strange), .cacerts = ca }, &e), 0);
	assert_int_equal(http_trust(h, &(struct http_trust){ .host_port = host_of(&good), .cacerts = ca }, &e), 0);
	assert_int_equal(get(c, &strange, "127.0.0.1", &e), 200);
	assert_int_equal(get(c, &good, "127.0.0.1", &e), 200);
	assert_int_equal(get(c, &good, "localhost", &e), -1);
	/* Several files; and told twice. */
	AUTO(http) h2 = http_new(NULL, &e);
	AUTO(http_client) c2 = http_client_new(h2, &e);
	assert_int_equal(http_trust(h2, &(struct http_trust){ .host_port = host_of(&strange), .cacerts = both }, &e),
			 0);
	assert_int_equal(get(c2, &strange, "127.0.0.1", &e), 200);
	const char *const second[] = { cert("second.pem"), NULL };
	AUTO(http) h3 = http_new(NULL, &e);
	AUTO(http_client) c3 = http_client_new(h3, &e);
	assert_int_equal(http_trust(h3, &(struct http_trust){ .host_port = host_of(&strange), .cacerts = ca }, &e), 0);
	assert_int_equal(http_trust(h3, &(struct http_trust){ .host_port = host_of(&strange), .cacerts = second }, &e),
			 0);
	assert_int_equal(get(c3, &strange, "127.0.0.1", &e), 200);
}

/* In a child, whose system store is second.pem (mounts of its own): 0, or the line that was not as it should be. */
static int with_own_store(void)
{
	static const char store[] = "/etc/ssl/certs/ca-certificates.crt";
	struct err e = { 0 };
	const char *const ca[] = { cert("ca.pem"), NULL };

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(cert("second.pem"), store, NULL, MS_BIND, NULL))
		return 77;
	AUTO(http) h = http_new(NULL, &e);
	AUTO(http_client) c = http_client_new(h, &e);
	if (get(c, &strange, "127.0.0.1", &e) != 200)
		return __LINE__ % 64;
	if (http_trust(h, &(struct http_trust){ .host_port = host_of(&strange), .cacerts = ca }, &e))
		return __LINE__ % 64;
	return get(c, &strange, "127.0.0.1", &e) == 200 ? 0 : __LINE__ % 64;
}

static void the_systems_store_stays(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(with_own_store());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip(); /* only root mounts, and not in every container */
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_client_certificate_for_one_host(void **state)
{
	struct err e = { 0 };
	struct server s;
	const char *const args[] = { "--tls", cert("good.pem"), cert("good.key"), "--client-ca", cert("ca.pem"), NULL };

	(void)state;
	server_start(&s, "https", args);
	AUTO(http) h = http_new(&(struct http_options){ .cacert = cert("ca.pem") }, &e);
	AUTO(http_client) c = http_client_new(h, &e);
	struct http_trust t = { .host_port = host_of(&s), .cert = cert("other.pem"), .key = cert("other.key") };
	if (http_trust(h, &t, &e))
		fail_msg("%s", e.text);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(get(c, &s, "127.0.0.1", &e), 200);
		assert_int_equal(get(c, &s, "localhost", &e), -1);
	}
	server_stop(&s);
}

static void an_excuse_for_one_host(void **state)
{
	struct err e = { 0 };

	(void)state;
	AUTO(http) h = http_new(NULL, &e);
	AUTO(http_client) c = http_client_new(h, &e);
	assert_int_equal(http_trust(h, &(struct http_trust){ .host_port = host_of(&good), .insecure = true }, &e), 0);
	assert_int_equal(http_trust(h, &(struct http_trust){ .host_port = "127.0.0.1:443", .insecure = true }, &e), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(get(c, &good, "127.0.0.1", &e), 200);
		assert_int_equal(get(c, &good, "localhost", &e), -1);
		assert_int_equal(get(c, &strange, "127.0.0.1", &e), -1);
	}
}

static void files(void **state)
{
	static const struct {
		const char *ca, *cert, *key, *words;
	} cases[] = {
		{ "none.pem", NULL, NULL, "none.pem: cannot open: No such file" },
		{ "second.der", NULL, NULL, "second.der: has no certificate in it (PEM" },
		{ "good.csr", NULL, NULL, NULL },
		{ NULL, "none.pem", NULL, "none.pem: cannot open" },
		{ NULL, "good.pem", "none.key", "none.key: cannot open" },
		{ NULL, "good.pem", "locked.key", "locked.key: the key is protected by a password" },
		{ NULL, "locked.key", NULL, "locked.key: the key is protected by a password" },
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(http) h = http_new(NULL, &e);
		const char *const ca[] = { cases[i].ca ? cert(cases[i].ca) : NULL, NULL };
		struct http_trust t = { .host_port = "reg.example:5000",
					.cacerts = ca,
					.cert = cases[i].cert ? cert(cases[i].cert) : NULL,
					.key = cases[i].key ? cert(cases[i].key) : NULL };
		int rc = http_trust(h, &t, &e);
		assert_int_equal(rc, cases[i].words ? -1 : 0);
		if (!rc)
			continue;
		assert_int_equal(e.kind, ERR_LOCAL);
		assert_contains(e.text, "reg.example:5000: ");
		assert_contains(e.text, cases[i].words);
	}
	/* --key, too, and before anything is asked. */
	assert_null(http_new(&(struct http_options){ .cert = cert("good.pem"), .key = cert("locked.key") }, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_contains(e.text, "--key: ");
	assert_contains(e.text, "openssl pkey");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_authority_for_one_host), cmocka_unit_test(authorities_add_up),
		cmocka_unit_test(the_systems_store_stays),   cmocka_unit_test(a_client_certificate_for_one_host),
		cmocka_unit_test(an_excuse_for_one_host),    cmocka_unit_test(files),
	};

	unsetenv("HTTPS_PROXY");
	unsetenv("https_proxy");
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, group_start, group_end);
}
