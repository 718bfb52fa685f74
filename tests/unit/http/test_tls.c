/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a certificate that is not right is refused with a sentence that says what to do, only the host that was named
 * is excused, and bodies over TLS are as whole as over TCP.
 */
#include "unit/http/certs.h"

#include <pthread.h>
#include <signal.h>

static struct server good;

static int group_start(void **state)
{
	(void)state;
	certs_make();
	tls_start(&good, "good");
	return 0;
}

static int group_end(void **state)
{
	(void)state;
	server_stop(&good);
	certs_remove();
	return 0;
}

/* One GET with these options. The status, or -1 with *e. */
static int get(const struct http_options *options, const char *url, struct err *e)
{
	AUTO(http) h = http_new(options, e);
	int status = -1;

	if (!h)
		return -1;
	AUTO(http_client) c = http_client_new(h, e);
	assert_non_null(c);
	AUTO(http_reply) r = http_send(c, &(struct http_request){ .url = url }, e);
	if (r)
		status = http_status(r);
	return status;
}

static const char *url_of(const struct server *s, const char *host)
{
	static char url[128];

	snprintf(url, sizeof(url), "https://%s:%u/x?status=200", host, s->port);
	return url;
}

static void known_authority(void **state)
{
	struct err e = { 0 };
	struct http_options o = { .cacert = cert("ca.pem") };

	(void)state;
	if (get(&o, url_of(&good, "127.0.0.1"), &e) != 200)
		fail_msg("%s", e.text);
	assert_int_equal(get(&o, url_of(&good, "localhost"), &e), 200);
}

static void bad_certificates(void **state)
{
	static const struct {
		const char *name;
		bool authority;
		const char *words;
	} cases[] = {
		{ "good", false, "--cacert FILE" },
		{ "old", true, "has expired (is this machine's clock right? It says 20" },
		{ "early", true, "not valid yet (is this machine's clock right? It says 20" },
		{ "other", true, "for another name" },
		{ "alone", true, "is self-signed" },
		{ "strange", true, "does not know; --cacert FILE names yours" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };
		struct server s;
		tls_start(&s, cases[i].name);
		struct http_options o = { .cacert = cases[i].authority ? cert("ca.pem") : NULL };
		assert_int_equal(get(&o, url_of(&s, "127.0.0.1"), &e), -1);
		assert_int_equal(e.kind, ERR_NETWORK);
		assert_contains(e.text, "127.0.0.1:");
		assert_contains(e.text, cases[i].words);
		server_stop(&s);
	}
}

static void only_the_named_host_is_excused(void **state)
{
	char with_port[32];
	struct err e = { 0 };

	(void)state;
	snprintf(with_port, sizeof(with_port), "127.0.0.1:%u", good.port);
	const char *const exact[] = { "x", with_port, NULL };
	const char *const others[] = { "127.0.0.1", "127.0.0.1:443", "127.0.0.1:", "localhost", "*", "", NULL };
	assert_int_equal(get(&(struct http_options){ .insecure = exact }, url_of(&good, "127.0.0.1"), &e), 200);
	assert_int_equal(get(&(struct http_options){ .insecure = exact }, url_of(&good, "localhost"), &e), -1);
	assert_int_equal(get(&(struct http_options){ .insecure = others }, url_of(&good, "127.0.0.1"), &e), -1);

	/* With one client, one after the other: the excuse does not stick to the connection or the session. */
	AUTO(http) h = http_new(&(struct http_options){ .insecure = exact }, &e);
	AUTO(http_client) c = http_client_new(h, &e);
	for (int i = 0; i < 3; i++) {
		http_reply_free(http_send(c, &(struct http_request){ .url = url_of(&good, "127.0.0.1") }, &e));
		assert_null(http_send(c, &(struct http_request){ .url = url_of(&good, "localhost") }, &e));
		assert_contains(e.text, "--cacert");
	}
}

static void not_tls(void **state)
{
	struct err e = { 0 };
	struct server plain;
	char url[128];

	(void)state;
	server_start(&plain, "http", NULL);
	assert_int_equal(get(NULL, url_of(&plain, "127.0.0.1"), &e), -1);
	assert_int_equal(e.kind, ERR_NETWORK);
	assert_contains(e.text, "does not speak TLS");
	/* And the other way round. */
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/x", good.port);
	assert_int_equal(get(NULL, url, &e), -1);
	assert_int_equal(e.kind, ERR_NETWORK);
	server_stop(&plain);
}

static void files(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(http_new(&(struct http_options){ .cacert = "/nowhere/ca.pem" }, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_contains(e.text, "--cacert");
	assert_contains(e.text, "/nowhere/ca.pem");
	assert_null(http_new(&(struct http_options){ .cert = "/nowhere/c.pem" }, &e));
	assert_contains(e.text, "--cert");
	assert_int_equal(get(&(struct http_options){ .cacert = cert("ca.cnf") }, url_of(&good, "127.0.0.1"), &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
}

static void client_certificate(void **state)
{
	struct err e = { 0 };
	struct server s;
	const char *const args[] = { "--tls", cert("good.pem"), cert("good.key"), "--client-ca", cert("ca.pem"), NULL };

	(void)state;
	server_start(&s, "https", args);
	struct http_options o = { .cacert = cert("ca.pem"), .cert = cert("other.pem"), .key = cert("other.key") };
	if (get(&o, url_of(&s, "127.0.0.1"), &e) != 200)
		fail_msg("%s", e.text);
	o.cert = o.key = NULL;
	assert_int_equal(get(&o, url_of(&s, "127.0.0.1"), &e), -1);
	/* This server resets the connection behind its alert, which may be lost then. */
	assert_true(e.kind == ERR_DENIED || e.kind == ERR_NETWORK);
	/* A key of another certificate, and one with a password: nobody is asked for it on the terminal. */
	o.cert = cert("other.pem");
	o.key = cert("good.key");
	assert_int_equal(get(&o, url_of(&s, "127.0.0.1"), &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_contains(e.text, "--key");
	o.cert = cert("good.pem");
	o.key = cert("locked.key");
	double begun = seconds_now();
	assert_int_equal(get(&o, url_of(&s, "127.0.0.1"), &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_true(seconds_now() - begun < 5);
	server_stop(&s);
}

static void bodies(void **state)
{
	static const struct {
		const char *script;
		int result;
		uint64_t total;
		const char *words;
	} cases[] = {
		{ "body=20000000", 0, 20000000, "" },
		{ "chunked&body=300000&end", 0, 300000, "" },
		{ "length=4096&body=512&close", -1, 512, "512 of 4096 bytes" },
		{ "chunked&body=512&close", -1, 512, "after 512 bytes" },
		{ "length=4096&body=512&stall=5", -1, 512,
		  "no byte for 1 seconds in the answer's body, at 512 of 4096" },
		{ "length=4096&body=512&reset", -1, 512, "512 of 4096 bytes" },
	};
	struct err e = { 0 };

	(void)state;
	AUTO(http) h = http_new(&(struct http_options){ .cacert = cert("ca.pem"), .stall_seconds = 1 }, &e);
	AUTO(http_client) c = http_client_new(h, &e);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t total;
		AUTO(http_reply) r = send_script(c, &good, HTTP_GET, cases[i].script, &e);
		if (!r)
			fail_msg("%s", e.text);
		assert_int_equal(read_all(r, &total, &e), cases[i].result);
		assert_int_equal(total, cases[i].total);
		assert_contains(e.text, cases[i].words);
	}
	/* A body up. */
	size_t size = 5000000;
	AUTO_MEM char *bytes = malloc(size);
	assert_non_null(bytes);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i % 251);
	AUTO(source) body = source_memory(bytes, size, &e);
	char url[128];
	snprintf(url, sizeof(url), "%s/up?status=201", good.base);
	AUTO(http_reply) r = http_send(c, &(struct http_request){ .method = HTTP_PUT, .url = url, .body = body }, &e);
	if (!r)
		fail_msg("%s", e.text);
	http_reply_free(TAKE(r));
	AUTO_MEM char *diary = server_diary(&good, c, NULL);
	assert_contains(diary, "BODY bytes=5000000 complete=1");
}

static struct http *shared;

static void *many(void *arg)
{
	int *right = arg;

	for (int i = 0; i < 10; i++) {
		AUTO(http_client) c = http_client_new(shared, NULL);
		AUTO(http_reply) r = http_send(c, &(struct http_request){ .url = good.base }, NULL);
		*right += r && http_status(r) == 200;
	}
	return NULL;
}

static void threads_share_sessions(void **state)
{
	pthread_t thread[4];
	int right[4] = { 0 };
	struct err e = { 0 };

	(void)state;
	shared = http_new(&(struct http_options){ .cacert = cert("ca.pem") }, &e);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, many, &right[i]), 0);
	for (size_t i = 0; i < 4; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(right[i], 10);
	}
	http_free(shared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_authority),
		cmocka_unit_test(bad_certificates),
		cmocka_unit_test(only_the_named_host_is_excused),
		cmocka_unit_test(not_tls),
		cmocka_unit_test(files),
		cmocka_unit_test(client_certificate),
		cmocka_unit_test(bodies),
		cmocka_unit_test(threads_share_sessions),
	};

	unsetenv("HTTPS_PROXY");
	unsetenv("https_proxy");
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, group_start, group_end);
}
