/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: where a copy goes is read before anything is asked: a repository with the tag that was meant, a registry with a
 * prefix, or what rules make of each name; and what is not clear, or would give a password to two registries, is
 * refused.
 */
#include "flow/goal.h"

#include "base/own.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct goal goal;

static int find(const char *source, const char *destination, const char *to, struct err *e)
{
	const char *const sources[] = { source };
	const struct copy_options o = { .sources = sources, .source_count = 1, .destination = destination, .to = to };

	*e = (struct err){ 0 };
	return goal_find(&goal, &o, NULL, e);
}

static void test_repository(void **state)
{
	static const char *const rows[][4] = {
		/* SRC, DST, the registry, SRC=DST */
		{ "nginx", "r.local/a/b:2", "r.local", "docker.io/library/nginx:latest=r.local/a/b:2" },
		{ "nginx:1", "r.local/a/b", "r.local", "docker.io/library/nginx:1=r.local/a/b:1" },
		{ "q.io/x:1", "localhost:5000/x", "localhost:5000", "q.io/x:1=localhost:5000/x:1" },
		{ "q.io/x:1", "user/x", "docker.io", "q.io/x:1=docker.io/user/x:1" },
		{ "q.io/x:1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "r.local/x",
		  "r.local", "q.io/x:1=r.local/x:1" },
		{ "q.io/x@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "r.local/x",
		  "r.local",
		  "q.io/x@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa="
		  "r.local/x@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(find(rows[i][0], rows[i][1], NULL, &e), 0);
		assert_string_equal(goal.place.registry, rows[i][2]);
		assert_string_equal(goal.rename, rows[i][3]);
		assert_false(goal.several);
	}
}

static void test_target(void **state)
{
	struct err e;

	(void)state;
	assert_int_equal(find("nginx", NULL, "registry:r.local:5000/a/b", &e), 0);
	assert_string_equal(goal.place.registry, "r.local:5000");
	assert_string_equal(goal.place.prefix, "a/b");
	assert_string_equal(goal.rename, "");
	assert_int_equal(find("nginx", "registry:r.local", NULL, &e), 0);
	assert_string_equal(goal.place.registry, "r.local");
}

static void test_refused(void **state)
{
	static const char *const rows[][3] = {
		{ "localhost:5000", NULL, "does not say where" },
		{ "r.local/x@sha256:00", NULL, "leave the digest out" },
		{ "r.local/UPPER", NULL, "upper-case" },
		{ "docker://r.local/x", NULL, "DST" },
		{ "oci:/tmp/x", NULL, "write HOST" },
		{ NULL, "docker", "copy ends in a registry" },
		{ NULL, "registry:", "--to" },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(find("nginx", rows[i][0], rows[i][1], &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
		if (!strstr(e.text, rows[i][2]))
			fail_msg("%s: %s", rows[i][2], e.text);
	}
}

static void test_rules(void **state)
{
	static const char *const two[] = { "a.io/x:1", "b.io/y:1" };
	static const char rules[] = "a.io/{p} = r.local/{p}\nb.io/{p} = s.local/{p}\n";
	const struct credential credential = { 0 };
	char path[] = "/tmp/imgpack-goal-XXXXXX";
	struct err e = { 0 };
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, rules, sizeof(rules) - 1), sizeof(rules) - 1);
	(void)close(fd);
	const char *const files[] = { path, NULL };
	AUTO(maps) maps = maps_new(files, &e);
	(void)unlink(path);
	assert_non_null(maps);
	struct copy_options o = { .sources = two, .source_count = 1 };
	assert_int_equal(goal_find(&goal, &o, maps, &e), 0);
	assert_string_equal(goal.place.registry, "r.local");
	assert_false(goal.several);
	o.source_count = 2;
	assert_int_equal(goal_find(&goal, &o, maps, &e), 0);
	assert_true(goal.several);
	o.connect.credential = &credential;
	assert_int_equal(goal_find(&goal, &o, maps, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	o.source_count = 1;
	assert_int_equal(goal_find(&goal, &o, maps, &e), 0);
	static const char *const other[] = { "c.io/x:1" };
	o.sources = other;
	assert_int_equal(goal_find(&goal, &o, maps, &e), -1);
	assert_non_null(strstr(e.text, "no rule"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repository),
		cmocka_unit_test(test_target),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
