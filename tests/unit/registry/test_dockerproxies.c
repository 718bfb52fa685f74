/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the proxies of docker's config.json are found as docker's client finds them: the daemon's own entry, which then
 * stands alone, else "default"; what docker would not read so is an error that names the file and shows no URL.
 */
#include "registry/dockerproxies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char config[128];

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/imgpack-proxies.XXXXXX");
	assert_non_null(mkdtemp(folder));
	(void)snprintf(config, sizeof(config), "%s/config.json", folder);
	setenv("DOCKER_CONFIG", folder, 1);
	unsetenv("DOCKER_HOST");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	(void)unlink(config);
	return rmdir(folder);
}

/* "https http all none", "-" for what is not there; "ERROR" with *e. */
static const char *find(const char *json, char out[256], struct err *e)
{
	AUTO_PROXIES p = { 0 };
	FILE *f = fopen(config, "w");

	assert_non_null(f);
	assert_true(fputs(json, f) >= 0);
	assert_int_equal(fclose(f), 0);
	if (dockerproxies_find(&p, e))
		return "ERROR";
	(void)snprintf(out, 256, "%s %s %s %s", p.https ? p.https : "-", p.http ? p.http : "-", p.all ? p.all : "-",
		       p.none ? p.none : "-");
	return out;
}

static void which_entry(void **state)
{
	static const char json[] = "{\"proxies\": {"
				   "\"default\": {\"httpProxy\": \"http://d\", \"httpsProxy\": \"https://d\", "
				   "\"noProxy\": \"a,b\", \"allProxy\": \"socks5://d\", \"ftpProxy\": \"x\"},"
				   "\"unix:///var/run/docker.sock\": {\"httpProxy\": \"http://local\"},"
				   "\"tcp://far:2375\": {}}, \"auths\": {}}";
	char out[256];
	struct err e = { 0 };

	(void)state;
	assert_string_equal(find(json, out, &e), "- http://local - -");
	setenv("DOCKER_HOST", "", 1);
	assert_string_equal(find(json, out, &e), "- http://local - -");
	setenv("DOCKER_HOST", "unix:///other.sock", 1);
	assert_string_equal(find(json, out, &e), "https://d http://d socks5://d a,b");
	setenv("DOCKER_HOST", "tcp://far:2375", 1);
	assert_string_equal(find(json, out, &e), "- - - -");
	unsetenv("DOCKER_HOST");
}

static void nothing_there(void **state)
{
	static const char *const cases[] = { "",
					     "{}",
					     "{\"proxies\": null}",
					     "{\"proxies\": {}}",
					     "{\"proxies\": {\"default\": null}}",
					     "{\"proxies\": {\"default\": {\"httpProxy\": null}}}" };
	AUTO_PROXIES p = { 0 };
	char out[256];
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(find(cases[i], out, &e), "- - - -");
	assert_int_equal(unlink(config), 0);
	assert_int_equal(dockerproxies_find(&p, &e), 0);
	assert_null(p.http);
}

static void broken(void **state)
{
	static const struct {
		const char *json;
		const char *says;
	} cases[] = {
		{ "{\"proxies\": {\"default\": {\"httpProxy\": \"http://u:canary@p\"", "is not the JSON object" },
		{ "{\"proxies\": [\"http://u:canary@p\"]}", "\"proxies\" is not an object" },
		{ "{\"Proxies\": {\"default\": {\"httpProxy\": \"http://u:canary@p\"}}}",
		  "\"proxies\" is not written" },
		{ "{\"proxies\": {\"default\": \"http://u:canary@p\"}}", "\"default\" is not an object" },
		{ "{\"proxies\": {\"default\": {\"httpProxy\": [\"http://u:canary@p\"]}}}",
		  "\"default\": \"httpProxy\" is not a text" },
		{ "{\"proxies\": {\"default\": {\"HTTPProxy\": \"http://u:canary@p\"}}}", "write httpProxy" },
	};
	char out[256];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };
		assert_string_equal(find(cases[i].json, out, &e), "ERROR");
		assert_int_equal(e.kind, ERR_LOCAL);
		assert_non_null(strstr(e.text, config));
		if (!strstr(e.text, cases[i].says))
			fail_msg("\"%s\" does not say \"%s\"", e.text, cases[i].says);
		assert_null(strstr(e.text, "canary"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(which_entry, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nothing_there, set_up, tear_down),
		cmocka_unit_test_setup_teardown(broken, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
