/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an image gets the name at its target that design.md promises, or the load is refused before anything is sent.
 */
#include "flow/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct pack *pack_of(const char *const *names)
{
	struct err e = { 0 };
	struct pack *p = pack_new(&e);

	assert_non_null(p);
	for (; *names; names++) {
		struct promise promise = { .size = 3 };
		const char *name = **names ? *names : NULL;
		struct pack_image *image = pack_add_image(p, name, &e);
		assert_non_null(image);
		assert_int_equal(digest_of(&promise.digest, *names, strlen(*names), &e), 0);
		image->root = (size_t)pack_add_blob(p, &promise, BLOB_MANIFEST, "", NULL, &e);
	}
	return p;
}

struct name_case {
	const char *name;
	const char *registry;
	const char *prefix;
	const char *rename;
	const char *expected; /* NULL: refused */
};

static void test_table(void **state)
{
	static const struct name_case cases[] = {
		{ "quay.io/x/y:1", NULL, "", NULL, "quay.io/x/y:1" },
		{ "quay.io/x/y:1", "127.0.0.1:5000", "", NULL, "127.0.0.1:5000/x/y:1" },
		{ "quay.io/x/y:1", "127.0.0.1:5000", "mirror/a", NULL, "127.0.0.1:5000/mirror/a/x/y:1" },
		{ "docker.io/library/nginx:1", "h:5000", "", NULL, "h:5000/library/nginx:1" },
		{ "h:5000/x:1", "h:5000", "p", NULL, "h:5000/p/x:1" },
		{ "quay.io/x/y:1", "h:5000", "p", "quay.io/x/y:1=z:2", "h:5000/p/library/z:2" },
		{ "quay.io/x/y:1", "h:5000", "p", "quay.io/x/y:1=h:5000/q/z:2", "h:5000/q/z:2" },
		{ "quay.io/x/y:1", NULL, "", "quay.io/x/y:1=z:2", "docker.io/library/z:2" },
		{ "docker.io/library/nginx:1", NULL, "", "nginx:1=a/b:2", "docker.io/a/b:2" },
		{ "quay.io/x/y:1", NULL, "", "quay.io/x/y:2=z:2", NULL },
		{ "quay.io/x/y:1", NULL, "", "quay.io/x/y:1=UPPER", NULL },
		{ "quay.io/x/y:1", NULL, "", "quay.io/x/y:1=", NULL },
		{ "quay.io/x/y:1", NULL, "", "=z", NULL },
		{ "quay.io/x/y:1", NULL, "", "z", NULL },
		{ "", "h:5000", "", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct name_case *c = &cases[i];
		const char *const one[] = { c->name, NULL };
		const char *const renames[] = { c->rename, NULL };
		struct err e = { 0 };
		AUTO(pack) p = pack_of(one);
		AUTO(names) n = names_new(p, renames, NULL, c->registry, c->prefix, &e);
		if (c->expected) {
			assert_non_null(n);
			assert_string_equal(n->items[0], c->expected);
		} else {
			assert_null(n);
			assert_int_equal(e.kind, ERR_USAGE);
		}
	}
}

/* What a rule makes is treated as --name's NEW, which goes before. */
static void test_rules(void **state)
{
	char path[] = "/tmp/imgpack-names.XXXXXX";
	const char *const files[] = { path, NULL };
	static const char *const one[] = { "quay.io/x/y:1", NULL };
	static const char *const renames[] = { "quay.io/x/y:1=z:2", NULL };
	struct err e = { 0 };
	int fd = mkstemp(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	(void)state;
	assert_non_null(f);
	assert_true(fputs("quay.io/x/{n} = h:5000/flat/{n}\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	AUTO(maps) m = maps_new(files, &e);
	assert_int_equal(unlink(path), 0);
	assert_non_null(m);
	AUTO(pack) p = pack_of(one);
	AUTO(names) docker = names_new(p, NULL, m, NULL, "", &e);
	assert_string_equal(docker->items[0], "h:5000/flat/y:1");
	AUTO(names) there = names_new(p, NULL, m, "h:5000", "prefix", &e);
	assert_string_equal(there->items[0], "h:5000/flat/y:1");
	AUTO(names) elsewhere = names_new(p, NULL, m, "i:6000", "prefix", &e);
	assert_string_equal(elsewhere->items[0], "i:6000/prefix/flat/y:1");
	AUTO(names) named = names_new(p, renames, m, NULL, "", &e);
	assert_string_equal(named->items[0], "docker.io/library/z:2");
}

static void test_digest_follows_the_root(void **state)
{
	static const char *const one[] = {
		"quay.io/x@sha256:0000000000000000000000000000000000000000000000000000000000000000", NULL
	};
	struct err e = { 0 };
	char root[DIGEST_TEXT_SIZE];
	char expected[128];

	(void)state;
	AUTO(pack) p = pack_of(one);
	AUTO(names) n = names_new(p, NULL, NULL, "h:1", "", &e);
	assert_non_null(n);
	(void)snprintf(expected, sizeof(expected), "h:1/x@%s", digest_text(&p->blobs[0].promise.digest, root));
	assert_string_equal(n->items[0], expected);
}

static void test_two_images_one_name(void **state)
{
	static const char *const two[] = { "quay.io/x:1", "ghcr.io/x:1", NULL };
	static const char *const renames[] = { "ghcr.io/x:1=ghcr.io/y:1", NULL };
	struct err e = { 0 };

	(void)state;
	AUTO(pack) p = pack_of(two);
	assert_null(names_new(p, NULL, NULL, "h:5000", "", &e));
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.text, "h:5000/x:1"));
	AUTO(names) n = names_new(p, renames, NULL, "h:5000", "", &e);
	assert_non_null(n);
	assert_string_equal(n->items[1], "h:5000/y:1");
}

static void test_nameless_by_digest(void **state)
{
	static const char *const one[] = { "", NULL };
	struct err e = { 0 };
	char rename[160];
	char root[DIGEST_TEXT_SIZE];

	(void)state;
	AUTO(pack) p = pack_of(one);
	AUTO(names) kept = names_new(p, NULL, NULL, NULL, "", &e);
	assert_non_null(kept);
	assert_null(kept->items[0]);
	(void)snprintf(rename, sizeof(rename), "%s=x:1", digest_text(&p->blobs[0].promise.digest, root));
	const char *const renames[] = { rename, NULL };
	AUTO(names) n = names_new(p, renames, NULL, NULL, "", &e);
	assert_non_null(n);
	assert_string_equal(n->items[0], "docker.io/library/x:1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_digest_follows_the_root),
		cmocka_unit_test(test_two_images_one_name),
		cmocka_unit_test(test_nameless_by_digest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
