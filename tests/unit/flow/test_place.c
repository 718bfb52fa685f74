/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: every form of a TARGET is read as it is meant, and every other one is refused with what would be right. */
#include "flow/place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void good(void **state)
{
	static const struct {
		const char *text;
		enum target_kind kind;
		const char *registry, *prefix, *path, *space;
	} rows[] = {
		{ "docker", TARGET_DOCKER, "", "", "", "" },
		{ "podman", TARGET_PODMAN, "", "", "", "" },
		{ "containerd", TARGET_CONTAINERD, "", "", "", "k8s.io" },
		{ "containerd:", TARGET_CONTAINERD, "", "", "", "k8s.io" },
		{ "containerd:/run/c.sock", TARGET_CONTAINERD, "", "", "/run/c.sock", "k8s.io" },
		{ "containerd:/run/c.sock,moby", TARGET_CONTAINERD, "", "", "/run/c.sock", "moby" },
		{ "containerd:unix:///run/c.sock,moby", TARGET_CONTAINERD, "", "", "/run/c.sock", "moby" },
		{ "containerd:/run/a,b/c.sock,default", TARGET_CONTAINERD, "", "", "/run/a,b/c.sock", "default" },
		{ "containerd:,default", TARGET_CONTAINERD, "", "", "", "default" },
		{ "k3s", TARGET_K3S, "", "", "", "" },
		{ "k3s:images", TARGET_K3S, "", "", "images", "" },
		{ "oci:/srv/a b", TARGET_OCI, "", "", "/srv/a b", "" },
		{ "oci:x:y", TARGET_OCI, "", "", "x:y", "" },
		{ "registry:h:5000", TARGET_REGISTRY, "h:5000", "", "", "" },
		{ "registry:h/a/b//", TARGET_REGISTRY, "h", "a/b", "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct place p;
		struct err e = { 0 };
		if (place_parse(&p, rows[i].text, &e))
			fail_msg("%s: %s", rows[i].text, e.text);
		assert_int_equal(p.kind, rows[i].kind);
		assert_string_equal(p.registry, rows[i].registry);
		assert_string_equal(p.prefix, rows[i].prefix);
		assert_string_equal(p.path, rows[i].path);
		assert_string_equal(p.space, rows[i].space);
		assert_true(*p.text);
	}
}

static void bad(void **state)
{
	static const char *const rows[] = {
		"",
		"dockers",
		"docker:x",
		"podman:/run/x",
		"Docker",
		"containers",
		"containerd:x",
		"containerd:/x,",
		"containerd:/x,a..b",
		"containerd:/x,.a",
		"oci",
		"oci:",
		"registry",
		"registry:",
		"registry:/x",
		"registry:h/A",
		"registry:h/../etc",
		"containerd:/x,a\x1b",
		"containerd:/x,a-",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct place p;
		struct err e = { 0 };
		if (!place_parse(&p, rows[i], &e))
			fail_msg("%s was taken", rows[i]);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_null(strchr(e.text, '\x1b'));
	}
}

/* One byte more than a limit. */
static void long_ones(void **state)
{
	char *text = malloc(2 * LIMIT_PATH);
	struct place p;
	struct err e = { 0 };

	(void)state;
	assert_non_null(text);
	(void)snprintf(text, 2 * LIMIT_PATH, "oci:%0*d", LIMIT_PATH, 1);
	assert_int_equal(place_parse(&p, text, &e), 0);
	(void)snprintf(text, 2 * LIMIT_PATH, "oci:%0*d", LIMIT_PATH + 1, 1);
	assert_int_equal(place_parse(&p, text, &e), -1);
	(void)snprintf(text, 2 * LIMIT_PATH, "containerd:/x,%0*d", LIMIT_NAMESPACE, 1);
	assert_int_equal(place_parse(&p, text, &e), 0);
	(void)snprintf(text, 2 * LIMIT_PATH, "containerd:/x,%0*d", LIMIT_NAMESPACE + 1, 1);
	assert_int_equal(place_parse(&p, text, &e), -1);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),
		cmocka_unit_test(bad),
		cmocka_unit_test(long_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
