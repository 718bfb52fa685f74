/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a file of settings says what a person would have typed, for the commands that have the option; the command line
 * wins; what is not understood, or is a secret, is refused where it stands; and no file is read that was not meant.
 */
#include "cmd/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define WORDS_MAX 16

static char folder[] = "/tmp/imgpack-config.XXXXXX";
static char file[64];

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* The command line `line` of the verb beside a file with `text`. */
static int merge(struct options *o, enum verb_id verb, const char *line, const char *text, struct err *e)
{
	static char copy[512];
	char *argv[WORDS_MAX], *save = NULL;
	int argc = 0;

	write_file(file, text);
	(void)snprintf(copy, sizeof(copy), "%s", line);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	assert_int_equal(options_parse(o, verb, argc, argv, e), 0);
	return config_merge(o, e);
}

static void good(struct options *o, enum verb_id verb, const char *line, const char *text)
{
	struct err e = { 0 };

	if (merge(o, verb, line, text, &e))
		fail_msg("%s: %s", text, e.text);
}

static void test_options_come_from_it(void **state)
{
	static const char text[] = "# what we use\n"
				   "connections: 16\n"
				   "mirror: [docker.io=a.example, 'quay.io=b.example']\n"
				   "wait-for-quota: true\n"
				   "no-progress: false\n"
				   "fetch:\n  map:\n    - aliyun\n    - USER=me\n  connections: 4\n"
				   "load:\n  to: registry:r.example\n";
	struct options o;

	(void)state;
	good(&o, VERB_FETCH, "nginx", text);
	assert_string_equal(options_value(&o, OPT_CONNECTIONS), "4");
	assert_int_equal(o.values[OPT_MIRROR].count, 2);
	assert_string_equal(options_all(&o, OPT_MIRROR)[1], "quay.io=b.example");
	assert_true(o.given[OPT_WAIT_FOR_QUOTA]);
	assert_false(o.given[OPT_NO_PROGRESS]);
	assert_string_equal(options_all(&o, OPT_MAP)[1], "USER=me");
	options_release(&o);
	good(&o, VERB_LOAD, "x.tar", text);
	assert_string_equal(options_value(&o, OPT_CONNECTIONS), "16");
	assert_string_equal(options_value(&o, OPT_TO), "registry:r.example");
	assert_false(o.given[OPT_MIRROR] || o.given[OPT_MAP] || o.given[OPT_WAIT_FOR_QUOTA]);
	options_release(&o);
}

static void test_command_line_wins(void **state)
{
	static const char text[] = "platform: linux/arm64\nmap: aliyun\nquiet: true\nload:\n  verbose: true\n";
	struct options o;

	(void)state;
	good(&o, VERB_FETCH, "nginx --map lank8s --all-platforms -v", text);
	assert_int_equal(o.values[OPT_MAP].count, 1);
	assert_string_equal(options_value(&o, OPT_MAP), "lank8s");
	assert_false(o.given[OPT_PLATFORM]);
	assert_false(o.given[OPT_QUIET]);
	options_release(&o);
	/* A section is more than what stands for all. */
	good(&o, VERB_LOAD, "x.tar", text);
	assert_true(o.given[OPT_VERBOSE] && !o.given[OPT_QUIET]);
	options_release(&o);
}

static void test_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "conections: 3\n", ":1:1: conections is no option and no command; did you mean connections?" },
		{ "a: 1\n", ":1:1: a is no option" },
		{ "fetch:\n  to: docker\n", ":2:3: fetch has no option --to" },
		{ "fetch:\n  platforms: x\n", ":2:3: fetch has no option --platforms; did you mean platform?" },
		{ "login:\n  nothing: x\n", ":2:3: login has no option --nothing" },
		{ "password-stdin: true\n", ":1:1: password-stdin: this file holds no credentials" },
		{ "username: me\n", ":1:1: username: this file holds no credentials" },
		{ "proxy: socks5h://me:secret@p:1080\n", ":1:8: proxy: this file holds no passwords" },
		{ "config: x\n", ":1:1: config belongs on the command line" },
		{ "fetch:\n  help: true\n", ":2:3: help belongs on the command line" },
		{ "quiet: yes\n", ":1:8: quiet: write true or false" },
		{ "quiet:\n", ":1:7: quiet: write true or false" },
		{ "connections:\n", ":1:13: connections: the N is missing" },
		{ "connections: ''\n", ":1:14: connections: the N is missing" },
		{ "connections: [1, 2]\n", ":1:14: connections takes one value" },
		{ "connections: {a: 1}\n", ":1:14: connections: write a value, N" },
		{ "mirror: [a=b, {c: d}]\n", ":1:15: mirror: the REGISTRY=HOST[/PATH] is missing" },
		{ "connections: 1\nconnections: 2\n", ":2:1: connections stands here twice, first in line 1" },
		{ "fetch: x\n", ":1:8: fetch: write its options below it, indented" },
		{ "- fetch\n", ":1:1: write OPTION: VALUE" },
		{ "a: [1\n", ": this is not YAML" },
		{ "a: &b 1\n", ":1:4: anchors and aliases" },
		{ "a: !b 1\n", ":1:4: a type (!)" },
		{ "--- \nquiet: true\n--- \nquiet: true\n", ":3:1: a second document" },
		{ "quiet: \"a\\0b\"\n", ":1:8: a NUL" },
		{ "? [a]\n: b\n", ":1:3: a key is a word" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct options o;
		struct err e = { 0 };
		assert_int_equal(merge(&o, VERB_FETCH, "nginx", cases[i][0], &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
		if (strncmp(e.text, file, strlen(file)) != 0 || !strstr(e.text, cases[i][1]))
			fail_msg("%s gave: %s", cases[i][0], e.text);
		assert_null(strstr(e.text, "secret"));
		options_release(&o);
	}
}

/* Which file is meant. */
static void test_which_file(void **state)
{
	char path[128];
	struct options o;
	struct err e = { 0 };

	(void)state;
	good(&o, VERB_FETCH, "nginx --config ''", "broken: [\n");
	assert_false(o.given[OPT_QUIET]);
	options_release(&o);
	good(&o, VERB_VERSION, "", "broken: [\n");
	options_release(&o);
	good(&o, VERB_FETCH, "--help", "broken: [\n");
	options_release(&o);
	good(&o, VERB_FETCH, "nginx", "");
	options_release(&o);
	good(&o, VERB_FETCH, "nginx", "\xef\xbb\xbf# nothing\r\n");
	options_release(&o);

	(void)snprintf(path, sizeof(path), "%s/nothing.yaml", folder);
	assert_int_equal(setenv("IMGPACK_CONFIG", path, 1), 0);
	assert_int_equal(merge(&o, VERB_FETCH, "nginx", "", &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_non_null(strstr(e.text, "--config '' goes without"));
	options_release(&o);

	/* Nothing is named: the folder of settings, if there is a file. */
	assert_int_equal(unsetenv("IMGPACK_CONFIG"), 0);
	assert_int_equal(setenv("XDG_CONFIG_HOME", folder, 1), 0);
	good(&o, VERB_FETCH, "nginx", "");
	assert_false(o.given[OPT_QUIET]);
	options_release(&o);
	(void)snprintf(path, sizeof(path), "%s/imgpack", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/imgpack/config.yaml", folder);
	write_file(path, "quiet: true\n");
	good(&o, VERB_FETCH, "nginx", "");
	assert_true(o.given[OPT_QUIET]);
	options_release(&o);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(setenv("IMGPACK_CONFIG", file, 1), 0);
}

static void test_blame(void **state)
{
	struct options o;
	struct err e = { 0 };

	(void)state;
	good(&o, VERB_FETCH, "nginx --retries x", "\nconnections: many\nretries: 3\n");
	err_set(&e, ERR_USAGE, "--connections: 'many' is not a number; --retries");
	config_blame(&o, &e);
	assert_non_null(strstr(e.text, "--connections comes from /tmp/"));
	assert_non_null(strstr(e.text, ".yaml:2"));
	assert_null(strstr(e.text, "--retries comes"));
	options_release(&o);
}

static int begin(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(file, sizeof(file), "%s/c.yaml", folder);
	return setenv("IMGPACK_CONFIG", file, 1);
}

static int end(void **state)
{
	char path[128];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/imgpack", folder);
	(void)unlink(file);
	(void)rmdir(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options_come_from_it),
		cmocka_unit_test(test_command_line_wins),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_which_file),
		cmocka_unit_test(test_blame),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
