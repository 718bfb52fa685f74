/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what a token service may answer and still be understood; where credentials and requests may be sent on a
 * server's word; what an error body may show.
 */
#include "registry/answer.h"
#include "registry/origin.h"
#include "registry/redact.h"
#include "registry/secret.h"
#include "registry/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

struct answer {
	const char *body;
	const char *token; /* NULL: refused */
	uint64_t life;
};

static const struct answer answers[] = {
	{ "{\"token\":\"abc\",\"expires_in\":300}", "abc", 300 },
	{ "{\"access_token\":\"abc\",\"expires_in\":300}", "abc", 300 },
	{ "{\"token\":\"one\",\"access_token\":\"two\"}", "one", 60 },
	{ "{\"token\":\"\",\"access_token\":\"two\"}", "two", 60 },
	{ "{\"token\":null,\"access_token\":\"two\"}", "two", 60 },
	{ "{\"token\":\"abc\"}", "abc", 60 },
	{ "{\"token\":\"abc\",\"expires_in\":5}", "abc", 60 },
	{ "{\"token\":\"abc\",\"expires_in\":60}", "abc", 60 },
	{ "{\"token\":\"abc\",\"expires_in\":61}", "abc", 61 },
	{ "{\"token\":\"abc\",\"expires_in\":-1}", "abc", 60 },
	{ "{\"token\":\"abc\",\"expires_in\":\"300\"}", "abc", 60 },
	{ "{\"token\":\"abc\",\"expires_in\":3.5}", "abc", 60 },
	{ "{\"token\":\"abc\",\"expires_in\":86400}", "abc", 86400 },
	{ "{\"token\":\"abc\",\"expires_in\":9007199254740993}", "abc", 86400 },
	{ "{\"token\":\"abc\",\"expires_in\":120,\"issued_at\":\"1970-01-01T00:00:00Z\"}", "abc", 120 },
	{ "{\"token\":\"abc\",\"issued_at\":7}", "abc", 60 },
	{ "", NULL, 0 },
	{ "{}", NULL, 0 },
	{ "[]", NULL, 0 },
	{ "{\"token\":7}", NULL, 0 },
	{ "{\"token\":\"a b\"}", NULL, 0 },
	{ "{\"token\":\"a\\r\\nX: y\"}", NULL, 0 },
	{ "{\"token\":\"\\u00e9\"}", NULL, 0 },
	{ "{\"token\":\"canary-token\"} trailing", NULL, 0 },
	{ "{\"token\":\"canary-token\",\"token\":\"b\"}", NULL, 0 },
	{ "<html>canary-token</html>", NULL, 0 },
};

static void token_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct token t = { 0 };
		struct err e = { 0 };
		int rc = token_parse(answers[i].body, strlen(answers[i].body), &t, &e);
		if (!answers[i].token) {
			assert_int_equal(rc, -1);
			assert_int_equal(e.kind, ERR_NETWORK);
			assert_null(strstr(e.text, "canary"));
			assert_null(t.text.data);
			continue;
		}
		assert_int_equal(rc, 0);
		assert_string_equal(t.text.data, answers[i].token);
		assert_int_equal(t.life_seconds, answers[i].life);
		secret_release(&t.text);
	}
}

/* The length of a token has an edge of its own. */
static void token_length(void **state)
{
	(void)state;
	for (size_t more = 0; more < 2; more++) {
		struct token t = { 0 };
		size_t len = (32u << 10) + more;
		char *body = malloc(len + 64);
		assert_non_null(body);
		int n = sprintf(body, "{\"token\":\"");
		memset(body + n, 'x', len);
		strcpy(body + n + len, "\"}");
		assert_int_equal(token_parse(body, strlen(body), &t, NULL), more ? -1 : 0);
		secret_release(&t.text);
		free(body);
	}
}

struct hop {
	const char *home, *to;
	bool allowed;
};

/* S2: 24 and more realms. */
static const struct hop realms[] = {
	{ "https://registry.example", "https://auth.example/token", true },
	{ "https://registry.example", "https://registry.example/token?x=1", true },
	{ "https://registry.example:5000", "https://registry.example:5001/token", true },
	{ "http://registry.example", "http://auth.example/token", true },
	{ "http://registry.example", "https://auth.example/token", true },
	/* on-prem: its own host and port */
	{ "https://10.0.0.5:5000", "https://10.0.0.5:5000/token", true },
	{ "http://10.0.0.5:5000", "http://10.0.0.5:5000/token", true },
	{ "https://10.0.0.5", "https://10.0.0.5:443/token", true },
	/* local: any port of this machine */
	{ "http://127.0.0.1:5000", "http://127.0.0.1:5001/token", true },
	{ "http://localhost:5000", "http://localhost:5001/token", true },
	{ "http://localhost:5000", "http://127.0.0.1:5001/token", true },
	{ "http://[::1]:5000", "http://[::1]:5001/token", true },
	/* refused */
	{ "https://registry.example", "http://auth.example/token", false },
	{ "https://registry.example", "http://registry.example/token", false },
	{ "https://registry.example", "https://169.254.169.254/latest", false },
	{ "https://registry.example", "https://127.0.0.1/token", false },
	{ "https://registry.example", "https://127.1/token", false },
	{ "https://registry.example", "https://2130706433/token", false },
	{ "https://registry.example", "https://0x7f000001/token", false },
	{ "https://registry.example", "https://0.0.0.0/token", false },
	{ "https://registry.example", "https://[::1]/token", false },
	{ "https://registry.example", "https://[::]/token", false },
	{ "https://registry.example", "https://[::ffff:127.0.0.1]/token", false },
	{ "https://registry.example", "https://[fe80::1]/token", false },
	{ "https://registry.example", "https://[fd00::1]/token", false },
	{ "https://registry.example", "https://10.1.2.3/token", false },
	{ "https://registry.example", "https://172.16.0.1/token", false },
	{ "https://registry.example", "https://192.168.1.1/token", false },
	{ "https://registry.example", "https://localhost/token", false },
	{ "https://registry.example", "https://LOCALHOST:8443/token", false },
	{ "https://registry.example", "https://localhost./token", false },
	{ "https://registry.example", "https://x.localhost/token", false },
	{ "http://registry.example", "http://169.254.169.254/token", false },
	{ "https://10.0.0.5:5000", "https://10.0.0.5:5001/token", false },
	{ "https://10.0.0.5:5000", "https://10.0.0.6:5000/token", false },
	{ "http://127.0.0.1:5000", "http://10.0.0.5/token", false },
	{ "http://127.0.0.1:5000", "http://169.254.169.254/token", false },
	{ "https://registry.example", "https://user:pw@auth.example/token", false },
	{ "https://registry.example", "https://registry.example@evil.example/token", false },
	{ "https://registry.example", "https://evil.example\\@registry.example/token", false },
	{ "https://registry.example", "https://auth.example/a b", false },
	{ "https://registry.example", "https://auth.example/#x", false },
	{ "https://registry.example", "ftp://auth.example/token", false },
	{ "https://registry.example", "file:///etc/passwd", false },
	{ "https://registry.example", "/token", false },
	{ "https://registry.example", "auth.example/token", false },
	{ "https://registry.example", "", false },
	{ "https://registry.example", "https://", false },
	{ "https://registry.example", "https://auth.ex\xc3\xa4mple/token", false },
};

static void realm_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(realms) / sizeof(realms[0]); i++) {
		struct err e = { 0 };
		int rc = origin_check_realm(realms[i].home, realms[i].to, &e);
		if ((rc == 0) != realms[i].allowed)
			print_error("%s -> %s: %s\n", realms[i].home, realms[i].to, e.text);
		assert_int_equal(rc, realms[i].allowed ? 0 : -1);
		if (rc) {
			assert_int_equal(e.kind, ERR_DENIED);
			assert_null(strstr(e.text, "pw"));
		}
	}
}

static const struct hop redirects[] = {
	{ "https://registry.example", "https://cdn.example/x?sig=1", true },
	{ "https://registry.example", "https://registry.example/other", true },
	{ "https://registry.example", "http://cdn.example/x", false },
	{ "https://registry.example", "http://registry.example/x", false },
	{ "http://registry.example", "http://cdn.example/x", true },
	{ "http://registry.example", "https://cdn.example/x", true },
	{ "https://registry.example", "https://169.254.169.254/x", false },
	{ "https://registry.example", "https://127.0.0.1/x", false },
	{ "https://registry.example", "https://localhost/x", false },
	{ "https://registry.example", "https://10.0.0.1/x", false },
	{ "http://registry.example", "http://192.168.0.1/x", false },
	{ "http://127.0.0.1:5000", "http://127.0.0.1:9000/x", true },
	{ "http://localhost:5000", "http://10.0.0.1:9000/x", true },
	{ "https://10.0.0.5:5000", "https://10.0.0.6:9000/x", true },
	{ "https://10.0.0.5:5000", "http://10.0.0.5:9000/x", false },
};

static void redirect_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(redirects) / sizeof(redirects[0]); i++) {
		struct err e = { 0 };
		int rc = origin_check_redirect(redirects[i].home, redirects[i].home, redirects[i].to, &e);
		if ((rc == 0) != redirects[i].allowed)
			print_error("%s -> %s: %s\n", redirects[i].home, redirects[i].to, e.text);
		assert_int_equal(rc, redirects[i].allowed ? 0 : -1);
		if (rc) {
			assert_int_equal(e.kind, ERR_NETWORK);
			assert_null(strstr(e.text, "sig"));
		}
	}
	/* the second hop counts, too: the registry is http, the first target was https */
	assert_int_equal(origin_check_redirect("http://r.example", "https://a.example/", "http://b.example/", NULL),
			 -1);
}

struct words {
	const char *body, *shown;
};

static const struct words bodies[] = {
	{ "{\"errors\":[{\"code\":\"NAME_UNKNOWN\",\"message\":\"repository name not known\"}]}",
	  "NAME_UNKNOWN: repository name not known" },
	{ "{\"errors\":[{\"code\":\"A\"},{\"message\":\"b\"},{}]}", "A; b" },
	{ "{\"errors\":[]}", "" },
	{ "{\"errors\":{}, \"message\":\"plain\"}", "plain" },
	{ "{\"error\":\"invalid_grant\",\"error_description\":\"no such token\"}", "no such token" },
	{ "{\"details\":\"incorrect username or password\"}", "incorrect username or password" },
	{ "Too Many Requests (HAP429)\n", "Too Many Requests (HAP429)" },
	{ "  two\r\n lines\n\n", "two   lines" },
	{ "<html><body>nginx</body></html>", "" },
	{ "<?xml version=\"1.0\"?><Error/>", "" },
	{ "", "" },
	{ "   \n", "" },
	{ "\x1b[2Jclear", "\\x1B[2Jclear" },
	{ "no such canary-secret here", "no such ************* here" },
	{ "{\"message\":\"canary-secretcanary-secret\"}", "**************************" },
};

static void error_words(void **state)
{
	char out[512];

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		answer_words(bodies[i].body, strlen(bodies[i].body), "canary-secret", out, sizeof(out));
		if (strcasecmp(out, bodies[i].shown) != 0)
			print_error("%s\n", out);
		assert_int_equal(strcasecmp(out, bodies[i].shown), 0);
	}
	/* a secret across the place where a long text is cut */
	char body[4096];
	memset(body, 'x', sizeof(body));
	memcpy(body + 505, "canary-secret", 13);
	answer_words(body, sizeof(body), "canary-secret", out, sizeof(out));
	assert_null(strstr(out, "can"));
	assert_true(strlen(out) < sizeof(out));
}

/* "YWxpY2U6Y2FuYXJ5L3B3" is alice:canary/pw. */
static void redacted_words(void **state)
{
	static const struct {
		const char *secret, *body, *shown;
	} rows[] = {
		{ "YWxpY2U6Y2FuYXJ5L3B3", "got Basic YWxpY2U6Y2FuYXJ5L3B3 here",
		  "got Basic ******************** here" },
		{ "YWxpY2U6Y2FuYXJ5L3B3", "user alice, password canary/pw?", "user alice, password *********?" },
		{ "YWxpY2U6Y2FuYXJ5L3B3", "form p=canary%2Fpw end", "form p=*********** end" },
		{ "canary/token", "refresh_token=canary%2Ftoken", "refresh_token=**************" },
		{ "abc", "abcdef", "abcdef" },
		{ NULL, "see https://s3.example/b?X-Amz-Date=1&X-Amz-Signature=canary&x",
		  "see https://s3.example/b?X-Amz-Date=*&X-Amz-Signature=******&x" },
		{ NULL, "'https://b.example/?sig=canary%3D' is over", "'https://b.example/?sig=*********' is over" },
		{ NULL, "go to https://bob:canary@b.example/x@y", "go to https://**********@b.example/x@y" },
		{ NULL, "<https://cana@ry@b.example>", "<https://*******@b.example>" },
		{ NULL, "is it a=b? c=d & e=f", "is it a=b? c=d & e=f" },
		{ NULL, "?", "?" },
		{ NULL, "x?a=", "x?a=" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_BUF text = { 0 };
		assert_int_equal(buf_puts(&text, rows[i].body, NULL), 0);
		redact(&text, rows[i].secret);
		assert_string_equal(text.data, rows[i].shown);
	}
}

static void base64(void **state)
{
	static const char *const good[][2] = {
		{ "", "" }, { "dQ==", "u" }, { "dTo=", "u:" }, { "dTpw", "u:p" }, { "dTpwYXNz", "u:pass" }
	};
	static const char *const bad[] = {
		"d", "dT", "dTo", "dTp=w", "====", "dT==o", "dTpw\n", "dT pw", "dTp*", "d==="
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		AUTO_SECRET plain = { 0 };
		AUTO_SECRET coded = { 0 };
		assert_int_equal(secret_unbase64(&plain, good[i][0], strlen(good[i][0]), NULL), 1);
		assert_int_equal(plain.len, strlen(good[i][1]));
		assert_memory_equal(plain.data, good[i][1], plain.len);
		assert_int_equal(secret_base64(&coded, good[i][1], strlen(good[i][1]), NULL), 0);
		assert_int_equal(coded.len, strlen(good[i][0]));
		assert_memory_equal(coded.data, good[i][0], coded.len);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		AUTO_SECRET plain = { 0 };
		assert_int_equal(secret_unbase64(&plain, bad[i], strlen(bad[i]), NULL), 0);
		assert_int_equal(plain.len, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(token_answers),  cmocka_unit_test(token_length), cmocka_unit_test(realm_rules),
		cmocka_unit_test(redirect_rules), cmocka_unit_test(error_words),  cmocka_unit_test(redacted_words),
		cmocka_unit_test(base64),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
