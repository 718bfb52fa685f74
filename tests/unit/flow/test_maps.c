/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: --map takes sets, files and values for variables, in order, and says what is wrong with them before anything is
 * fetched or loaded.
 */
#include "flow/maps.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/imgpack-maps.XXXXXX";

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* What `files` make of `name`. */
static void made(const char *const *files, const char *name, const char *want, const char *rule)
{
	struct reference from, out;
	struct rule_found found;
	struct err e = { 0 };
	char text[REFERENCE_TEXT_SIZE], where[300] = "";
	AUTO(maps) m = maps_new(files, &e);

	if (!m)
		fail_msg("%s", e.text);
	assert_int_equal(reference_parse(&from, name, &e), 0);
	int rc = maps_find(m, &from, &out, &found, &e);
	assert_int_equal(rc, strcmp(want, name) != 0);
	assert_string_equal(reference_text(&out, text), want);
	if (found.file)
		(void)snprintf(where, sizeof(where), "%s:%zu", found.file, found.line);
	assert_string_equal(where, rule);
	assert_int_equal(maps_apply(m, &from, &out, &e), rc);
}

static void test_order(void **state)
{
	static const char *const both[] = { "U=me", "own.map", "aliyun", "own.yaml", NULL };
	static const char *const other[] = { "aliyun", "own.map", "U=me", NULL };
	static const char *const file[] = { "./aliyun", NULL };

	(void)state;
	write_file("own.map", "a.b/keep = keep\nregistry.k8s.io/pause = a.b/{U}/pause\n");
	write_file("own.yaml", "rules: [{from: 'a.b/*', to: c.d/x}]\n");
	write_file("aliyun", "# mine\na.b/{x} = e.f/{x}\n");
	made(both, "registry.k8s.io/pause:1", "a.b/me/pause:1", "own.map:2");
	made(both, "registry.k8s.io/etcd:1", "registry.aliyuncs.com/google_containers/etcd:1", "aliyun:26");
	made(both, "a.b/y:1", "c.d/x:1", "own.yaml:1");
	made(both, "a.b/keep:1", "a.b/keep:1", "own.map:1");
	made(both, "q.r/y:1", "q.r/y:1", "");
	made(other, "registry.k8s.io/pause:1", "registry.aliyuncs.com/google_containers/pause:1", "aliyun:26");
	made(file, "a.b/y:1", "e.f/y:1", "./aliyun:2");
	made(NULL, "a.b/y:1", "a.b/y:1", "");
}

static void test_refused(void **state)
{
	static const struct {
		const char *files[4];
		enum err_kind kind;
		const char *text;
	} cases[] = {
		{ { "gcr-mirror" }, ERR_USAGE, "gcr-mirror:9: {USER} has no value; give it one with --map USER=VALUE" },
		{ { "aliyun", "USER=me" }, ERR_USAGE, "--map USER=...: no rule uses {USER}" },
		{ { "USER=me" }, ERR_USAGE, "--map USER=...: no rule uses {USER}" },
		{ { "gcr-mirror", "USER=m e" }, ERR_USAGE, "--map: USER: 'm e' is not a value" },
		{ { "gcr-mirror", "USER=" }, ERR_USAGE, "--map: USER: '' is not a value" },
		{ { "nothing" }, ERR_USAGE, "--map nothing: No such file or directory; it is no shipped set either" },
		{ { "./nothing" }, ERR_LOCAL, "--map ./nothing: No such file or directory" },
		{ { "." }, ERR_LOCAL, "--map .: " },
		{ { "aliyun", "bad.map" }, ERR_USAGE, "bad.map:2:1: no '='" },
		{ { "bad.yml" }, ERR_USAGE, "bad.yml:1:" },
	};

	(void)state;
	write_file("bad.map", "\nx\n");
	write_file("bad.yml", "x\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };
		assert_null(maps_new(cases[i].files, &e));
		if (e.kind != cases[i].kind || strncmp(e.text, cases[i].text, strlen(cases[i].text)) != 0)
			fail_msg("%s: %d %s", cases[i].files[0], (int)e.kind, e.text);
	}
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(folder) && !chdir(folder) ? 0 : -1;
}

static int end(void **state)
{
	static const char *const files[] = { "own.map", "own.yaml", "aliyun", "bad.map", "bad.yml" };

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(files[i]);
	return chdir("/") || rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_order), cmocka_unit_test(test_refused) };

	return cmocka_run_group_tests(tests, begin, end);
}
