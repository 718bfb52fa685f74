/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: every WWW-Authenticate header that registries send leads to the right scheme, and nonsense leads to none. */
#include "registry/challenge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
	const char *headers[4];
	enum challenge_scheme scheme;
	const char *realm, *service, *scope;
};

#define BEARER CHALLENGE_BEARER
#define BASIC CHALLENGE_BASIC
#define NONE CHALLENGE_NONE

static const struct row rows[] = {
	/* what the big ones send */
	{ { "Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\"" },
	  BEARER,
	  "https://auth.docker.io/token",
	  "registry.docker.io",
	  NULL },
	{ { "Bearer realm=\"https://ghcr.io/token\",service=\"ghcr.io\",scope=\"repository:user/image:pull\"" },
	  BEARER,
	  "https://ghcr.io/token",
	  "ghcr.io",
	  "repository:user/image:pull" },
	{ { "Basic realm=\"https://x.dkr.ecr.us-east-1.amazonaws.com/\",service=\"ecr.amazonaws.com\"" },
	  BASIC,
	  NULL,
	  NULL,
	  NULL },
	{ { "Bearer realm=\"https://r/t\",service=\"s\",scope=\"a,b\",error=\"invalid_token\"" },
	  BEARER,
	  "https://r/t",
	  "s",
	  "a,b" },
	/* several, in one header and in many */
	{ { "Negotiate, Basic realm=\"x\"" }, BASIC, NULL, NULL, NULL },
	{ { "Negotiate", "Basic realm=\"x\"" }, BASIC, NULL, NULL, NULL },
	{ { "Basic realm=\"x\", Bearer realm=\"https://r/t\"" }, BEARER, "https://r/t", NULL, NULL },
	{ { "Bearer realm=\"https://r/t\", Basic realm=\"x\"" }, BEARER, "https://r/t", NULL, NULL },
	{ { "Bearer realm=\"https://r/t\"", "Bearer realm=\"https://other/t\"" }, BEARER, "https://r/t", NULL, NULL },
	{ { "Negotiate YII+/=abc==, NTLM, Bearer realm=\"https://r/t\"" }, BEARER, "https://r/t", NULL, NULL },
	{ { "Negotiate oRQwEqADCgEBo==, Basic realm=\"x\"" }, BASIC, NULL, NULL, NULL },
	{ { "NTLM TlRMTVNTUAACAAAA Basic realm=\"x\"" }, BASIC, NULL, NULL, NULL },
	{ { "Digest realm=\"a, Basic realm=b\", nonce=\"Bearer realm=\\\"https://evil/\\\"\"" },
	  NONE,
	  NULL,
	  NULL,
	  NULL },
	/* quoting */
	{ { "Bearer realm=\"https://r/t?a=1,2&b=\\\"q\\\"\", service=\"a \\\\ b\"" },
	  BEARER,
	  "https://r/t?a=1,2&b=\"q\"",
	  "a \\ b",
	  NULL },
	{ { "Bearer service=\"Bearer realm=https://evil/\", realm=\"https://r/t\"" },
	  BEARER,
	  "https://r/t",
	  "Bearer realm=https://evil/",
	  NULL },
	{ { "Bearer realm=https://r/t, service=s" }, BEARER, "https://r/t", "s", NULL },
	{ { "Bearer realm = \"https://r/t\" , service = \"s\"" }, BEARER, "https://r/t", "s", NULL },
	{ { "bearer REALM=\"https://r/t\",Service=\"s\"" }, BEARER, "https://r/t", "s", NULL },
	{ { "BASIC" }, BASIC, NULL, NULL, NULL },
	{ { "Bearer realm=\"https://r/t\" service=\"s\"" }, BEARER, "https://r/t", "s", NULL },
	{ { ", ,, Bearer ,realm=\"https://r/t\",," }, BEARER, "https://r/t", NULL, NULL },
	{ { "\tBearer \t realm=\"https://r/t\"\t" }, BEARER, "https://r/t", NULL, NULL },
	{ { "Bearer realm=\"\\h\\t\\t\\p\\s://r/t\"" }, BEARER, "https://r/t", NULL, NULL },
	/* the first of two of one name counts */
	{ { "Bearer realm=\"https://r/t\",realm=\"https://evil/t\"" }, BEARER, "https://r/t", NULL, NULL },
	/* unusable ones */
	{ { "Bearer" }, NONE, NULL, NULL, NULL },
	{ { "Bearer service=\"s\"" }, NONE, NULL, NULL, NULL },
	{ { "Bearer realm=\"\"" }, NONE, NULL, NULL, NULL },
	{ { "Bearer realm=" }, NONE, NULL, NULL, NULL },
	{ { "Bearer realm=\"https://r/t" }, NONE, NULL, NULL, NULL },
	{ { "Bearer realm=\"https://r/t\\" }, NONE, NULL, NULL, NULL },
	{ { "Bearer realm=\"https://r/\x01t\"" }, NONE, NULL, NULL, NULL },
	{ { "Bearer realm, Basic" }, BASIC, NULL, NULL, NULL },
	{ { "Bearerx realm=\"https://r/t\"" }, NONE, NULL, NULL, NULL },
	{ { "XBasic" }, NONE, NULL, NULL, NULL },
	{ { "realm=\"https://r/t\"" }, NONE, NULL, NULL, NULL },
	{ { "\"Bearer realm=x\"" }, NONE, NULL, NULL, NULL },
	{ { "" }, NONE, NULL, NULL, NULL },
	{ { "=" }, NONE, NULL, NULL, NULL },
	{ { "===,=,\"" }, NONE, NULL, NULL, NULL },
	{ { "\xff\xfe \x80" }, NONE, NULL, NULL, NULL },
	{ { "Negotiate", "NTLM", "Bearer service=\"x\"" }, NONE, NULL, NULL, NULL },
};

static void same(const char *have, const char *want)
{
	if (!want)
		assert_null(have);
	else
		assert_string_equal(have, want);
}

static void every_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_CHALLENGE c = { 0 };
		AUTO_CHALLENGE copy = { 0 };
		for (size_t n = 0; n < 4 && rows[i].headers[n]; n++)
			assert_int_equal(challenge_add(&c, rows[i].headers[n], strlen(rows[i].headers[n]), NULL), 0);
		if (c.scheme != rows[i].scheme)
			print_error("%s\n", rows[i].headers[0]);
		assert_int_equal(c.scheme, rows[i].scheme);
		same(c.realm, rows[i].realm);
		same(c.service, rows[i].service);
		same(c.scope, rows[i].scope);
		assert_int_equal(challenge_copy(&copy, &c, NULL), 0);
		assert_true(challenge_same(&copy, &c));
	}
}

/* Cut anywhere, a header never offers a realm that the whole one does not begin with, and nothing is read past the cut.
 */
static void cut_anywhere(void **state)
{
	static const char header[] =
		"Negotiate aa==, Bearer realm=\"https://r/t\\\",x\",service=\"s\", Basic realm=\"b\"";

	(void)state;
	for (size_t len = 0; len < sizeof(header); len++) {
		AUTO_CHALLENGE c = { 0 };
		char *exact = malloc(len + 1); /* the sanitizer sees one byte too far */
		assert_non_null(exact);
		memcpy(exact, header, len);
		char *tight = realloc(exact, len ? len : 1);
		assert_non_null(tight);
		assert_int_equal(challenge_add(&c, tight, len, NULL), 0);
		if (c.realm)
			assert_string_equal(c.realm, "https://r/t\",x");
		free(tight);
	}
}

/* A parameter of the limit's length is taken, one byte more is not. */
static void long_values(void **state)
{
	(void)state;
	for (size_t more = 0; more < 2; more++) {
		AUTO_CHALLENGE c = { 0 };
		char header[8192];
		size_t len = 4096 + more;
		int n = snprintf(header, sizeof(header), "Bearer realm=\"https://");
		memset(header + n, 'a', len - 8);
		header[(size_t)n + len - 8] = '"';
		assert_int_equal(challenge_add(&c, header, (size_t)n + len - 8 + 1, NULL), 0);
		assert_int_equal(c.scheme, more ? CHALLENGE_NONE : CHALLENGE_BEARER);
	}
}

static void unknown_scheme_is_named(void **state)
{
	AUTO_CHALLENGE c = { 0 };

	(void)state;
	assert_int_equal(challenge_add(&c, "Negotiate, NTLM", 15, NULL), 0);
	assert_string_equal(c.other, "Negotiate");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(long_values),
		cmocka_unit_test(unknown_scheme_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
