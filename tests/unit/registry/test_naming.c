/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: names that a well-known registry takes from nobody are refused with what it takes instead; every name that it
 * may take passes, and so does every name at a registry that is not known.
 */
#include "registry/naming.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int check(const char *name, struct err *e)
{
	struct reference r;

	*e = (struct err){ 0 };
	if (reference_parse(&r, name, e))
		fail_msg("%s", e->text);
	return naming_check(&r, e);
}

static void good(const char *name)
{
	struct err e;

	if (check(name, &e))
		fail_msg("%s", e.text);
}

static void bad(const char *name, const char *says)
{
	struct err e;

	assert_int_equal(check(name, &e), -1);
	assert_int_equal(e.kind, ERR_TARGET);
	if (!strstr(e.text, says))
		fail_msg("%s", e.text);
}

static void parts(void **state)
{
	(void)state;
	good("docker.io/me/app:1");
	bad("docker.io/me/deep/app:1", "docker.io/USER/NAME");
	bad("nginx:1", "official images");
	good("docker.io/library-of-mine/app");
	good("quay.io/me/app");
	good("quay.io/me/deep/app");
	bad("quay.io/app", "quay.io/NAMESPACE/NAME");
	bad("ghcr.io/app", "ghcr.io/OWNER/NAME");
	bad("registry.gitlab.com/project", "GROUP/PROJECT");
	good("registry.gitlab.com/group/project");
	bad("gcr.io/app", "gcr.io/PROJECT/NAME");
	bad("eu.gcr.io/app", "PROJECT/NAME");
	bad("europe-docker.pkg.dev/p/app", "PROJECT/REPOSITORY/NAME");
	good("europe-docker.pkg.dev/p/r/app");
}

static void unknown_hosts(void **state)
{
	(void)state;
	good("harbor.local/app");
	good("harbor.local:8443/a/b/c/d/e");
	good("xquay.io/app");
	good("quay.io.example/app");
	bad("quay.io:443/app", "quay.io:443 takes names of the form");
}

static void amazon(void **state)
{
	static const char host[] = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
	char name[LIMIT_REFERENCE];
	struct err e = { 0 };

	(void)state;
	(void)snprintf(name, sizeof(name), "%s/a-b_c.d/e", host);
	good(name);
	(void)snprintf(name, sizeof(name), "%s/a--b", host);
	bad(name, "not two");
	(void)snprintf(name, sizeof(name), "%s/a__b", host);
	bad(name, "not two");
	(void)snprintf(name, sizeof(name), "public.ecr.aws/a/%0*d", 203, 0);
	good(name);
	(void)snprintf(name, sizeof(name), "public.ecr.aws/a/%0*d", 204, 0);
	bad(name, "at most 205 bytes");
	naming_hint_missing(host, "a/b", &e);
	assert_non_null(strstr(e.text, "aws ecr create-repository"));
}

static void what_is_missing(void **state)
{
	struct err e = { 0 };

	(void)state;
	naming_hint_missing("harbor.local", "edge/app", &e);
	assert_non_null(strstr(e.text, "the project \"edge\" (Harbor)"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts),
		cmocka_unit_test(unknown_hosts),
		cmocka_unit_test(amazon),
		cmocka_unit_test(what_is_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
