/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a registry that lies, wanders or tries to turn us against others gets nowhere: wrong bytes are refused, endless
 * ones end, secrets and bodies stay at their origin, statuses decide, and every failure says so in words without a
 * secret. The servers are parrots (servers.h): scripts of raw answers, one a connection.
 */
#include "base/limits.h"
#include "oci/manifest.h"
#include "registry/registry.h"
#include "servers.h"

static char folder[64];
static struct http *http;
static struct credential alice = { .username = (char[]){ "alice" }, .password = (char[]){ "canary-password" } };
static struct credential bearer = { .username = (char[]){ "alice" }, .identity_token = (char[]){ "canary-identity" } };

static int set_up(void **state)
{
	static const struct http_options options = { .stall_seconds = 10 };

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/imgpack-hostile.XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("DOCKER_CONFIG", folder, 1);
	unsetenv("http_proxy");
	http = http_new(&options, NULL);
	assert_non_null(http);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	http_free(http);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* A registry at a parrot that repeats its script's last answer, and one connection to it. */
struct scene {
	struct parrot parrot;
	struct registry *registry;
	struct registry_conn *conn;
};

static struct scene open_scene(const struct credential *who, bool push, const char *const *answers)
{
	struct scene s = { .parrot = parrot_start(folder, answers) };
	/* Somebody who is known to be nobody: for one who might have been somebody GET /v2/ goes first, as the scripts
	 * have it. */
	static const struct credential nobody = { 0 };
	const struct registry_options options = { .http = http, .push = push, .override = who ? who : &nobody };

	s.registry = registry_new(s.parrot.host, &options, NULL);
	assert_non_null(s.registry);
	s.conn = registry_connect(s.registry, NULL);
	assert_non_null(s.conn);
	return s;
}

static void close_scene(struct scene *s)
{
	registry_conn_free(s->conn);
	registry_free(s->registry);
	server_stop(s->parrot.pid);
}

#define CLOSE "Connection: close\r\n"
#define EMPTY CLOSE "Content-Length: 0\r\n\r\n"
#define HELLO "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 2\r\n\r\n{}"
#define SCRIPT(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void check_error(const struct err *e, enum err_kind kind, const char *words)
{
	if (e->kind != kind || (words && !strstr(e->text, words)))
		fail_msg("wanted %d %s, got %d: %s", (int)kind, words ? words : "", (int)e->kind, e->text);
	assert_null(strstr(e->text, "canary"));
}

/* `form` with host in the place of %s. */
static void fill(char *out, size_t cap, const char *form, const char *host)
{
	const char *at = strstr(form, "%s");

	(void)snprintf(out, cap, "%.*s%s%s", (int)(at - form), form, host, at + 2);
}

static void manifest_fails(struct scene *s, enum err_kind kind, const char *words)
{
	AUTO_BUF bytes = { 0 };
	char type[128];
	struct digest d;
	struct err e = { 0 };

	assert_int_equal(registry_get_manifest(s->conn, "a/b", "1", &bytes, &d, type, &e), -1);
	assert_int_equal(bytes.len, 0);
	check_error(&e, kind, words);
}

static const char blob_bytes[] = "0123456789";
static struct promise blob_promise(void)
{
	struct promise p = { .size = 10 };

	digest_of(&p.digest, blob_bytes, 10, NULL);
	return p;
}

/* 0, or -1 with *e: opened and read to its end. */
static int read_blob(struct scene *s, struct err *e)
{
	struct promise p = blob_promise();
	AUTO(source) source = registry_open_blob(s->conn, "a/b", &p, e);

	return source ? source_drain(source, e) : -1;
}

/* S26 */
static void blobs_that_lie(void **state)
{
	static const struct {
		const char *answer;
		enum err_kind kind; /* ERR_NONE: good */
		const char *words;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 10\r\n\r\n0123456789", ERR_NONE, NULL },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "\r\n0123456789", ERR_NONE, NULL },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
		  ERR_NONE, NULL },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 10\r\n\r\n0123456788", ERR_CORRUPT, "has digest" },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 9\r\n\r\n012345678", ERR_CORRUPT,
		  "9 bytes are announced" },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 11\r\n\r\n0123456789a", ERR_CORRUPT,
		  "11 bytes are announced" },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 0\r\n\r\n", ERR_CORRUPT, "0 bytes are announced" },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "\r\n01234", ERR_CORRUPT, "body ended at 5 of 10" },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "\r\n0123456789a", ERR_CORRUPT, "longer than the promised 10" },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 10\r\n\r\n01234", ERR_NETWORK, NULL },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "Content-Type: text/html; charset=utf-8\r\n\r\n<html>", ERR_CORRUPT,
		  "login page" },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "Content-Type: text/html\r\nContent-Length: 10\r\n\r\n<html>log!",
		  ERR_CORRUPT, "login page" },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x01",
		  ERR_CORRUPT, "Content-Encoding gzip" },
		{ "HTTP/1.1 206 Partial\r\n" CLOSE "Content-Length: 10\r\n\r\n0123456789", ERR_NETWORK, "answers 206" },
		{ "HTTP/1.1 204 No Content\r\n" CLOSE "\r\n", ERR_NETWORK, "answers 204" },
		{ "HTTP/1.1 404 Not Found\r\n" EMPTY, ERR_ABSENT, "blob sha256:" },
		{ "HTTP/1.1 410 Gone\r\n" EMPTY, ERR_NETWORK, "410" },
		{ "HTTP/1.1 500 Oops\r\n" EMPTY, ERR_NETWORK, "500" },
		{ "HTTP/1.1 403 Forbidden\r\n" EMPTY, ERR_DENIED, "403" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scene s = open_scene(NULL, false, SCRIPT(HELLO, rows[i].answer));
		struct err e = { 0 };
		int rc = read_blob(&s, &e);
		if (rc != (rows[i].kind == ERR_NONE ? 0 : -1))
			fail_msg("row %zu: %d %s", i, rc, e.text);
		if (rc)
			check_error(&e, rows[i].kind, rows[i].words);
		close_scene(&s);
	}
}

/* N10: twenty bodies of errors; the status decides, a few words are shown, nothing raw. */
static void error_bodies(void **state)
{
	static const char *const bodies[] = {
		"",
		"{}",
		"[]",
		"null",
		"{\"errors\":null}",
		"{\"errors\":[]}",
		"{\"errors\":[1,null,{}]}",
		"{\"errors\":{\"a\":1}}",
		"{\"errors\":[{\"code\":7,\"message\":[]}]}",
		"{\"errors\":[{\"code\":\"X\",\"message\":\"\\u0000\"}]}",
		"{\"errors\":[{",
		"Too Many Requests (HAP429)",
		"<?xml version=\"1.0\"?><Error><Code>X</Code></Error>",
		"<html>",
		"\x1b]0;title\x07",
		"\xff\xfe\xfd",
		"{\"message\":\"\\u202eevil\"}",
		"\r\n\r\n",
		"{\"errors\":[{\"code\":\"canary-password\"}]}",
		"YWxpY2U6Y2FuYXJ5LXBhc3N3b3Jk is what you sent",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		char answer[512];
		AUTO_BUF bytes = { 0 };
		char type[128];
		struct digest d;
		struct err e = { 0 };
		(void)snprintf(answer, sizeof(answer), "HTTP/1.1 418 Teapot\r\n" CLOSE "Content-Length: %zu\r\n\r\n%s",
			       strlen(bodies[i]), bodies[i]);
		struct scene s = open_scene(
			&alice, false,
			SCRIPT("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n" EMPTY, answer));
		assert_int_equal(registry_get_manifest(s.conn, "a/b", "1", &bytes, &d, type, &e), -1);
		assert_int_equal(e.kind, ERR_NETWORK);
		assert_int_equal(e.sys, 418);
		assert_non_null(strstr(e.text, "answers 418"));
		assert_null(strstr(e.text, "YWxpY2U6"));
		for (const char *p = e.text; *p; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
		close_scene(&s);
	}
}

static void manifests_that_lie(void **state)
{
	static const char *const tops[] = {
		"HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 4194305\r\n\r\n{",
		"HTTP/1.1 200 OK\r\n" CLOSE "Content-Encoding: br\r\n\r\n\x01\x02",
		"HTTP/1.1 302 Found\r\nLocation: https://169.254.169.254/latest/meta-data\r\n" EMPTY,
		"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n" EMPTY,
		"HTTP/1.1 302 Found\r\nLocation: gopher://x/\r\n" EMPTY,
		"HTTP/1.1 302 Found\r\n" EMPTY,
		"HTTP/1.1 429 Slow\r\nRetry-After: 880.092\xc2\xb5s\r\n" EMPTY,
		"HTTP/1.1 503 Busy\r\nRetry-After: Wed, 21 Oct 2026 07:28:00 GMT\r\n" EMPTY,
	};
	static const struct {
		enum err_kind kind;
		const char *words;
	} ends[] = {
		{ ERR_CORRUPT, "4194305 bytes" },
		{ ERR_CORRUPT, "Content-Encoding br" },
		{ ERR_NONE, NULL },
		{ ERR_NETWORK, NULL },
		{ ERR_NETWORK, NULL },
		{ ERR_NETWORK, "without saying where" },
		{ ERR_NETWORK, "Retry-After: 880" },
		{ ERR_NETWORK, "Retry-After: Wed" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tops) / sizeof(tops[0]); i++) {
		if (ends[i].kind ==
		    ERR_NONE) /* a local registry may redirect to a private address; origin.h's table has the rest */
			continue;
		struct scene s = open_scene(NULL, false, SCRIPT(HELLO, tops[i]));
		manifest_fails(&s, ends[i].kind, ends[i].words);
		/* S19: whatever happens to a manifest, it is never asked for as a blob */
		assert_int_equal(parrot_heard(&s.parrot, "/blobs/"), 0);
		close_scene(&s);
	}
}

/* Loops and chains: five redirects are followed, six are not. */
static void redirect_chains(void **state)
{
	static const char again[] = "HTTP/1.1 307 Go\r\nLocation: ./x?canary=1\r\n" EMPTY;
	static const char good[] = "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 10\r\n\r\n0123456789";
	struct err e = { 0 };

	(void)state;
	struct scene five = open_scene(NULL, false, SCRIPT(HELLO, again, again, again, again, again, good));
	assert_int_equal(read_blob(&five, &e), 0);
	close_scene(&five);
	struct scene six = open_scene(NULL, false, SCRIPT(HELLO, again, again, again, again, again, again, good));
	assert_int_equal(read_blob(&six, &e), -1);
	check_error(&e, ERR_NETWORK, "more than 5 times");
	close_scene(&six);
	struct scene loop = open_scene(NULL, false, SCRIPT(HELLO, again));
	assert_int_equal(read_blob(&loop, &e), -1);
	check_error(&e, ERR_NETWORK, "more than 5 times");
	assert_int_equal(parrot_heard(&loop.parrot, "GET "), 7);
	close_scene(&loop);
}

/* S3: the other origin sees no Authorization, in whatever way its address is written; what comes home has it again. */
static void redirects_and_secrets(void **state)
{
	static const char basic[] = "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n" EMPTY;
	static const char good[] = "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 10\r\n\r\n0123456789";
	static const char *const wants[] = {
		good,
		"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"give me\"\r\n" EMPTY,
		"HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm=\"http://%H/token\",service=\"s\"\r\n" EMPTY,
	};
	static const char *const forms[] = { "http://%s/x", "//%s/x", "http://user:canary-password@%s/x",
					     "HTTP://%s/x" };

	(void)state;
	for (size_t w = 0; w < 3; w++) {
		for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
			char where[128];
			char answer[512];
			struct err e = { 0 };
			struct parrot other = parrot_start(folder, SCRIPT(wants[w]));
			fill(where, sizeof(where), forms[i], other.host);
			(void)snprintf(answer, sizeof(answer), "HTTP/1.1 307 Go\r\nLocation: %s\r\n" EMPTY, where);
			struct scene s = open_scene(&alice, false, SCRIPT(basic, answer));
			assert_int_equal(read_blob(&s, &e), w ? -1 : 0);
			if (w)
				check_error(&e, ERR_DENIED, "401");
			assert_int_equal(parrot_heard(&s.parrot, "Authorization: Basic YWxpY2U6Y2FuYXJ5LXBhc3N3b3Jk"),
					 1);
			assert_true(parrot_heard(&other, "GET ") >= 1);
			assert_int_equal(parrot_heard(&other, "Authorization"), 0);
			assert_int_equal(parrot_heard(&other, "YWxpY2U6"), 0);
			assert_int_equal(parrot_heard(&other, "canary"), 0);
			close_scene(&s);
			server_stop(other.pid);
		}
	}
}

/* S2: a realm that is refused hears nothing, by GET and by POST. */
static void realms(void **state)
{
	static const char *const refused[] = {
		"http://169.254.169.254/token",
		"http://10.0.0.1/token",
		"ftp://127.0.0.1/token",
		"/token",
		"http://user@127.0.0.1/",
		"http://127.0.0.1\\\\@x/",
		"http://[fe80::1]/token",
		"http://0.0.0.0/token",
		"token",
	};
	const struct credential *const users[] = { &alice, &bearer };

	(void)state;
	for (size_t u = 0; u < 2; u++) {
		for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
			char answer[512];
			(void)snprintf(
				answer, sizeof(answer),
				"HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm=\"%s\",service=\"s\"\r\n" EMPTY,
				refused[i]);
			struct scene s = open_scene(users[u], false, SCRIPT(answer));
			manifest_fails(&s, ERR_DENIED, "nothing was sent there");
			assert_int_equal(parrot_heard(&s.parrot, "Authorization"), 0);
			assert_int_equal(parrot_heard(&s.parrot, "canary"), 0);
			close_scene(&s);
		}
	}
}

/* A token service that redirects: at most three times, the secret to its own origin alone, a form never by GET. */
static void token_redirects(void **state)
{
	static const char ask[] =
		"HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm=\"http://%s/token\",service=\"s\"\r\n" EMPTY;
	static const char token[] = "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 17\r\n\r\n{\"token\":\"canary\"}";
	static const char again[] = "HTTP/1.1 307 Go\r\nLocation: /token2\r\n" EMPTY;
	char challenge[256];
	char away[256];

	(void)state;
	/* to another origin: asked there without our secret */
	struct parrot other = parrot_start(folder, SCRIPT(token));
	(void)snprintf(away, sizeof(away), "HTTP/1.1 307 Go\r\nLocation: http://%s/elsewhere\r\n" EMPTY, other.host);
	struct parrot service = parrot_start(folder, SCRIPT(away));
	fill(challenge, sizeof(challenge), ask, service.host);
	struct scene s = open_scene(&alice, false, SCRIPT(challenge));
	manifest_fails(&s, ERR_NETWORK, NULL);
	close_scene(&s);
	assert_int_equal(parrot_heard(&service, "Authorization: Basic"), 1);
	assert_true(parrot_heard(&other, "GET /elsewhere") >= 1);
	assert_int_equal(parrot_heard(&other, "Authorization"), 0);
	/* a form is not sent on to another origin */
	s = open_scene(&bearer, false, SCRIPT(challenge));
	manifest_fails(&s, ERR_DENIED, "carries a secret");
	close_scene(&s);
	assert_int_equal(parrot_heard(&service, "refresh_token=canary-identity"), 1);
	assert_int_equal(parrot_heard(&other, "POST"), 0);
	assert_int_equal(parrot_heard(&other, "canary"), 0);
	server_stop(service.pid);
	server_stop(other.pid);
	/* an endless chain */
	service = parrot_start(folder, SCRIPT(again));
	fill(challenge, sizeof(challenge), ask, service.host);
	s = open_scene(&alice, false, SCRIPT(challenge));
	manifest_fails(&s, ERR_NETWORK, "more than 3 times");
	close_scene(&s);
	assert_int_equal(parrot_heard(&service, "GET /token"), 4);
	/* 307 to itself keeps the POST and its form */
	s = open_scene(&bearer, false, SCRIPT(challenge));
	manifest_fails(&s, ERR_NETWORK, "more than 3 times");
	close_scene(&s);
	assert_int_equal(parrot_heard(&service, "POST /token"), 4);
	server_stop(service.pid);
}

/* What a token service may answer beside tokens. */
static void token_refusals(void **state)
{
	static const struct {
		const char *answer;
		enum err_kind kind;
	} rows[] = {
		{ "HTTP/1.1 401 No\r\n" EMPTY, ERR_DENIED },
		{ "HTTP/1.1 403 No\r\n" EMPTY, ERR_DENIED },
		{ "HTTP/1.1 400 No\r\n" CLOSE
		  "Content-Length: 50\r\n\r\n{\"error\":\"x\",\"error_description\":\"canary-password\"}",
		  ERR_DENIED },
		{ "HTTP/1.1 429 No\r\nRetry-After: 7\r\n" EMPTY, ERR_NETWORK },
		{ "HTTP/1.1 500 No\r\n" EMPTY, ERR_NETWORK },
		{ "HTTP/1.1 200 OK\r\n" EMPTY, ERR_NETWORK },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 2\r\n\r\n{}", ERR_NETWORK },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 6\r\n\r\ncanary", ERR_NETWORK },
		{ "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 70000\r\n\r\n{", ERR_NETWORK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parrot service = parrot_start(folder, SCRIPT(rows[i].answer));
		char challenge[256];
		(void)snprintf(challenge, sizeof(challenge),
			       "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm=\"http://%s/t?a=b\",service=\"s "
			       "v\"\r\n" EMPTY,
			       service.host);
		AUTO_BUF bytes = { 0 };
		char type[128];
		struct digest d;
		struct err e = { 0 };
		struct scene s = open_scene(NULL, false, SCRIPT(challenge));
		assert_int_equal(registry_get_manifest(s.conn, "a/b", "1", &bytes, &d, type, &e), -1);
		assert_int_equal(e.kind, rows[i].kind);
		assert_true(
			parrot_heard(&service,
				     "GET /t?a=b&client_id=imgpack&service=s%20v&scope=repository%3Aa%2Fb%3Apull ") >=
			1);
		close_scene(&s);
		server_stop(service.pid);
	}
}

static int push(struct scene *s, struct err *e)
{
	struct promise p = blob_promise();
	AUTO(source) raw = source_memory(blob_bytes, 10, NULL);

	return registry_put_blob(s->conn, "a/b", &p, raw, e);
}

/* N21: where an upload may go on; the digest is appended to what stands there. S4: never to another origin. */
static void upload_locations(void **state)
{
	static const char done[] = "HTTP/1.1 201 Created\r\n" EMPTY;
	char hex[DIGEST_HEX_SIZE];
	struct promise p = blob_promise();
	static const char *const forms[][2] = {
		{ "/v2/a/b/blobs/uploads/1", "/v2/a/b/blobs/uploads/1?digest=" },
		{ "/v2/a/b/blobs/uploads/1?_state=x", "/v2/a/b/blobs/uploads/1?_state=x&digest=" },
		{ "/v2/a/b/blobs/uploads/1?", "/v2/a/b/blobs/uploads/1?digest=" },
		{ "/v2/a/b/blobs/uploads/1?s=1&", "/v2/a/b/blobs/uploads/1?s=1&digest=" },
		{ "http://%H/u/1", "/u/1?digest=" },
		{ "HTTP://%H/u/1?s=a%2Fb", "/u/1?s=a%2Fb&digest=" },
		{ "//%H/u/1", "/u/1?digest=" },
		{ "1", "/v2/a/b/blobs/uploads/1?digest=" },
		{ "../x", "/v2/a/b/blobs/x?digest=" },
		{ "?s=1", "/v2/a/b/blobs/uploads/?s=1&digest=" },
		{ "/u/1#f", "/u/1?digest=" },
		{ "http://user:pw@%H/u/1", "/u/1?digest=" },
	};

	(void)state;
	digest_hex(&p.digest, hex);
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char answer[512];
		char want[256];
		struct err e = { 0 };
		(void)snprintf(answer, sizeof(answer), "HTTP/1.1 202 Accepted\r\nLocation: %s\r\n" EMPTY, forms[i][0]);
		(void)snprintf(want, sizeof(want), "PUT %ssha256%%3A%s HTTP", forms[i][1], hex);
		struct scene s = open_scene(NULL, true, SCRIPT(HELLO, answer, done));
		if (push(&s, &e))
			fail_msg("%s: %s", forms[i][0], e.text);
		if (parrot_heard(&s.parrot, want) != 1)
			fail_msg("%s: not %s", forms[i][0], want);
		assert_int_equal(parrot_heard(&s.parrot, "Content-Length: 10\r\n"), 1);
		assert_int_equal(parrot_heard(&s.parrot, "\r\n\r\n0123456789"), 1);
		close_scene(&s);
	}
}

static void uploads_sent_elsewhere(void **state)
{
	static const char basic[] = "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n" EMPTY;
	static const char *const forms[] = { "http://%s/u",  "//%s/u",        "http://localhost.%s/u",
					     "https://%s/u", "http://a@%s/u", "http://%s:80@x/u",
					     "ftp://%s/u",   "HTTP://%s/u" };
	struct parrot other = parrot_start(folder, SCRIPT("HTTP/1.1 201 Created\r\n" EMPTY));

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		char where[128];
		char answer[512];
		struct err e = { 0 };
		fill(where, sizeof(where), forms[i], other.host);
		(void)snprintf(answer, sizeof(answer), "HTTP/1.1 202 Accepted\r\nLocation: %s\r\n" EMPTY, where);
		struct scene s = open_scene(&alice, true, SCRIPT(basic, answer));
		assert_int_equal(push(&s, &e), -1);
		check_error(&e, ERR_TARGET, NULL);
		assert_int_equal(parrot_heard(&s.parrot, "PUT"), 0);
		close_scene(&s);
	}
	assert_int_equal(parrot_heard(&other, "HTTP"), 0);
	server_stop(other.pid);
}

/* Answers to the steps of a push. */
static void push_answers(void **state)
{
	static const char begun[] = "HTTP/1.1 202 Accepted\r\nLocation: /u/1\r\n" EMPTY;
	static const char there[] = "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 10\r\n\r\n";
	static const char gone[] = "HTTP/1.1 404 No\r\n" EMPTY;
	static const struct {
		const char *post, *put, *head;
		enum err_kind kind;
		const char *words;
	} rows[] = {
		{ begun, "HTTP/1.1 201 Created\r\n" EMPTY, gone, ERR_NONE, NULL },
		{ begun, "HTTP/1.1 202 Accepted\r\n" EMPTY, there, ERR_NONE, NULL },
		{ begun, "HTTP/1.1 204 No Content\r\n" CLOSE "\r\n", there, ERR_NONE, NULL },
		{ begun, "HTTP/1.1 202 Accepted\r\n" EMPTY, gone, ERR_TARGET, "the blob is not there" },
		{ begun,
		  "HTTP/1.1 201 Created\r\nDocker-Content-Digest: sha256:"
		  "0000000000000000000000000000000000000000000000000000000000000000\r\n" EMPTY,
		  there, ERR_TARGET, "sent was" },
		{ begun, "HTTP/1.1 413 Large\r\n" EMPTY, there, ERR_TARGET, "too large" },
		{ begun, "HTTP/1.1 401 No\r\n" EMPTY, there, ERR_DENIED, "401" },
		{ begun, "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\n" EMPTY, there, ERR_NETWORK, "redirect" },
		{ begun, "HTTP/1.1 500 Oops\r\n" EMPTY, there, ERR_NETWORK, "500" },
		{ "HTTP/1.1 202 Accepted\r\n" EMPTY, "", "", ERR_TARGET, "without saying where" },
		{ "HTTP/1.1 200 OK\r\n" EMPTY, "", "", ERR_NETWORK, "answers 200" },
		{ "HTTP/1.1 404 No\r\n" CLOSE "Content-Length: 69\r\n\r\n"
		  "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"project a is missing\"}]}",
		  "", "", ERR_TARGET, "NAME_UNKNOWN: project a is missing" },
		{ "HTTP/1.1 403 No\r\n" EMPTY, "", "", ERR_DENIED, "the project \"a\" (Harbor)" },
		{ "HTTP/1.1 401 No\r\n" EMPTY, "", "", ERR_DENIED, "the repository (ECR)" },
		{ "HTTP/1.1 405 No\r\n" EMPTY, "", "", ERR_TARGET, "405" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		struct scene s = open_scene(NULL, true, SCRIPT(HELLO, rows[i].post, rows[i].put, rows[i].head));
		int rc = push(&s, &e);
		if (rc != (rows[i].kind == ERR_NONE ? 0 : -1))
			fail_msg("row %zu: %d %s", i, rc, e.text);
		if (rc)
			check_error(&e, rows[i].kind, rows[i].words);
		close_scene(&s);
	}
}

/* N23 */
static void mount_answers(void **state)
{
	static const char there[] = "HTTP/1.1 200 OK\r\n" CLOSE "Content-Length: 10\r\n\r\n";
	static const char gone[] = "HTTP/1.1 404 No\r\n" EMPTY;
	static const struct {
		const char *post, *head;
		int rc;
	} rows[] = {
		{ "HTTP/1.1 201 Created\r\n" EMPTY, there, 1 },
		{ "HTTP/1.1 201 Created\r\n" EMPTY, gone, 0 }, /* the lie */
		{ "HTTP/1.1 202 Accepted\r\nLocation: /u/1\r\n" EMPTY, there, 0 },
		{ "HTTP/1.1 401 No\r\n" EMPTY, there, 0 },
		{ "HTTP/1.1 403 No\r\n" EMPTY, there, 0 },
		{ "HTTP/1.1 404 No\r\n" EMPTY, there, 0 },
		{ "HTTP/1.1 405 No\r\n" EMPTY, there, 0 },
		{ "HTTP/1.1 429 No\r\n" EMPTY, there, -1 },
		{ "HTTP/1.1 500 No\r\n" EMPTY, there, -1 },
		{ "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm=\"http://169.254.169.254/\"\r\n" EMPTY, there, 0 },
	};
	struct promise p = blob_promise();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		struct scene s = open_scene(NULL, true, SCRIPT(HELLO, rows[i].post, rows[i].head));
		assert_int_equal(registry_mount_blob(s.conn, "a/b", &p, "c/d", &e), rows[i].rc);
		close_scene(&s);
	}
}

static void head_answers(void **state)
{
	static const struct {
		const char *head, *get;
		int rc;
	} rows[] = {
		{ "HTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:"
		  "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\r\n" EMPTY,
		  HELLO, 1 },
		{ "HTTP/1.1 200 OK\r\n" EMPTY, HELLO, 1 },
		{ "HTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:zz\r\n" EMPTY, HELLO, 1 },
		{ "HTTP/1.1 404 No\r\n" EMPTY, HELLO, 0 },
		{ "HTTP/1.1 405 No\r\n" EMPTY, HELLO, 1 },
		{ "HTTP/1.1 403 No\r\n" EMPTY, HELLO, 1 },
		{ "HTTP/1.1 403 No\r\n" EMPTY, "HTTP/1.1 404 No\r\n" EMPTY, 0 },
		{ "HTTP/1.1 403 No\r\n" EMPTY, "HTTP/1.1 403 No\r\n" EMPTY, -1 },
		{ "HTTP/1.1 500 No\r\n" EMPTY, HELLO, -1 },
		{ "HTTP/1.1 401 No\r\n" EMPTY, HELLO, -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		struct digest d;
		char text[DIGEST_TEXT_SIZE];
		struct scene s = open_scene(NULL, false, SCRIPT(HELLO, rows[i].head, rows[i].get));
		int rc = registry_has_manifest(s.conn, "a/b", "1", &d, &e);
		if (rc != rows[i].rc)
			fail_msg("row %zu: %d %s", i, rc, e.text);
		if (rc > 0)
			assert_string_equal(digest_text(&d, text),
					    "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
		assert_int_equal(parrot_heard(&s.parrot, "Accept: " MEDIA_ACCEPT_MANIFESTS "\r\n"),
				 parrot_heard(&s.parrot, "/manifests/1"));
		close_scene(&s);
	}
}

/* S9: five netrc files that offer a password for the host; their bytes are never sent. */
static void netrc_is_not_read(void **state)
{
	static const char *const lines[] = { "default login canary password canary\n",
					     "machine %s login canary password canary\n",
					     "machine 127.0.0.1 login canary password canary\n",
					     "machine 127.0.0.1\nlogin canary\npassword canary\n",
					     "default\nlogin canary\npassword \"canary\"\n" };
	char path[128];

	(void)state;
	setenv("HOME", folder, 1);
	(void)snprintf(path, sizeof(path), "%s/.netrc", folder);
	setenv("NETRC", path, 1);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct scene s = open_scene(NULL, false,
					    SCRIPT("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n" EMPTY));
		FILE *f = fopen(path, "w");
		assert_non_null(f);
		for (const char *p = lines[i]; *p; p++)
			if (p[0] == '%' && p[1] == 's')
				p += fputs(s.parrot.host, f) >= 0;
			else
				fputc(*p, f);
		fclose(f);
		manifest_fails(&s, ERR_DENIED, "imgpack login");
		assert_int_equal(parrot_heard(&s.parrot, "Authorization"), 0);
		close_scene(&s);
	}
}

/* S21: bodies without end stop soon, wherever they are met. */
static void endless_bodies(void **state)
{
	static const char good[] = "HTTP/1.1 200 OK\r\n" CLOSE "\r\n%*";
	static const char bad[] = "HTTP/1.1 500 Oops\r\n" CLOSE "\r\n%*";
	static const char begun[] = "HTTP/1.1 202 Accepted\r\nLocation: /u/1\r\n" EMPTY;
	struct err e = { 0 };
	char challenge[256];
	struct scene s;

	(void)state;
	s = open_scene(NULL, false, SCRIPT(good, good));
	manifest_fails(&s, ERR_CORRUPT, "longer than the limit of 4194304 bytes");
	assert_int_equal(read_blob(&s, &e), -1);
	check_error(&e, ERR_CORRUPT, "longer than the promised 10 bytes");
	close_scene(&s);
	s = open_scene(NULL, false, SCRIPT(HELLO, bad));
	manifest_fails(&s, ERR_NETWORK, "answers 500");
	close_scene(&s);
	s = open_scene(NULL, true, SCRIPT(HELLO, begun, bad));
	assert_int_equal(push(&s, &e), -1);
	check_error(&e, ERR_NETWORK, "answers 500");
	close_scene(&s);
	s = open_scene(NULL, true, SCRIPT(HELLO, bad));
	assert_int_equal(push(&s, &e), -1);
	check_error(&e, ERR_NETWORK, "answers 500");
	close_scene(&s);
	s = open_scene(NULL, false, SCRIPT("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\n" CLOSE "\r\n%*", HELLO));
	assert_int_equal(read_blob(&s, &e), -1);
	check_error(&e, ERR_CORRUPT, "2 bytes are announced");
	close_scene(&s);
	struct parrot service = parrot_start(folder, SCRIPT(good));
	fill(challenge, sizeof(challenge), "HTTP/1.1 401 No\r\nWWW-Authenticate: Bearer realm=\"http://%s/\"\r\n" EMPTY,
	     service.host);
	s = open_scene(NULL, false, SCRIPT(challenge));
	manifest_fails(&s, ERR_NETWORK, "65536 bytes");
	close_scene(&s);
	server_stop(service.pid);
}

struct heard {
	unsigned count;
	char text[1024];
};

static void listen_in(void *ctx, const struct event *ev)
{
	struct heard *h = ctx;

	if (ev->kind == EVENT_WARNING) {
		h->count++;
		(void)snprintf(h->text, sizeof(h->text), "%s", ev->text);
	}
}

/* A registry's note to its users is passed on once, escaped. */
static void warning_header(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nWarning: 299 - \"\x1b[2J end of life\"\r\n" CLOSE "\r\n{}";
	struct heard heard = { 0 };
	const struct events events = { listen_in, &heard };
	struct parrot parrot = parrot_start(folder, SCRIPT(HELLO, answer));
	const struct registry_options options = { .http = http, .events = &events };
	AUTO(registry) r = registry_new(parrot.host, &options, NULL);
	AUTO(registry_conn) c = registry_connect(r, NULL);

	(void)state;
	for (int i = 0; i < 3; i++) {
		AUTO_BUF bytes = { 0 };
		char type[128];
		struct digest d;
		assert_int_equal(registry_get_manifest(c, "a/b", "1", &bytes, &d, type, NULL), 0);
	}
	assert_int_equal(heard.count, 1);
	assert_non_null(strstr(heard.text, "end of life"));
	assert_null(strchr(heard.text, '\x1b'));
	server_stop(parrot.pid);
}

static void pings(void **state)
{
	static const struct {
		const char *answer;
		enum err_kind kind;
		const char *words;
	} rows[] = {
		{ HELLO, ERR_NONE, NULL },
		{ "HTTP/1.1 404 No\r\n" EMPTY, ERR_NETWORK, "is a registry there?" },
		{ "HTTP/1.1 302 Go\r\nLocation: /login\r\n" EMPTY, ERR_NETWORK, "is a registry there?" },
		{ "HTTP/1.1 401 No\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n" EMPTY, ERR_DENIED,
		  "\"Negotiate\"" },
		{ "HTTP/1.1 401 No\r\n" EMPTY, ERR_DENIED, "401" },
		{ "HTTP/1.1 503 No\r\n" EMPTY, ERR_NETWORK, "503" },
		{ "SSH-2.0-OpenSSH_9.2\r\n", ERR_NETWORK, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		struct scene s = open_scene(&alice, false, SCRIPT(rows[i].answer));
		int rc = registry_ping(s.conn, &e);
		if (rc != (rows[i].kind == ERR_NONE ? 0 : -1))
			fail_msg("row %zu: %s", i, e.text);
		if (rc)
			check_error(&e, rows[i].kind, rows[i].words);
		close_scene(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blobs_that_lie),
		cmocka_unit_test(error_bodies),
		cmocka_unit_test(manifests_that_lie),
		cmocka_unit_test(redirect_chains),
		cmocka_unit_test(redirects_and_secrets),
		cmocka_unit_test(realms),
		cmocka_unit_test(token_redirects),
		cmocka_unit_test(token_refusals),
		cmocka_unit_test(upload_locations),
		cmocka_unit_test(uploads_sent_elsewhere),
		cmocka_unit_test(push_answers),
		cmocka_unit_test(mount_answers),
		cmocka_unit_test(head_answers),
		cmocka_unit_test(netrc_is_not_read),
		cmocka_unit_test(endless_bodies),
		cmocka_unit_test(warning_header),
		cmocka_unit_test(pings),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
