/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a receipt says what its header promises, byte for byte; it stands there only when it is written, and nothing
 * stands there of one that is not.
 */
#include "flow/receipt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct flow_platform platforms[] = { { .name = (char *)(uintptr_t) "linux/amd64" } };
static const struct receipt_image images[] = {
	{ .name = "quay.io/x:1",
	  .loaded_as = "10.0.0.1/x:1",
	  .had_it = true,
	  .platforms = platforms,
	  .platform_count = 1 },
	{ .name = NULL, .loaded_as = NULL },
};
static const struct receipt sample = {
	.command = "load",
	.archive = "a\"b.tar",
	.target = "registry:10.0.0.1",
	.images = images,
	.count = 2,
	.sent_bytes = 1,
	.skipped_bytes = 2,
};

#define ZERO "\"sha256:0000000000000000000000000000000000000000000000000000000000000000\""

static void says_all(void **state)
{
	static const char want[] =
		"{\"imgpack\":\"" IMGPACK_VERSION "\",\"command\":\"load\",\"time\":\"2026-11-24T21:15:09Z\","
		"\"archive\":\"a\\\"b.tar\",\"id\":null,\"target\":\"registry:10.0.0.1\",\"images\":["
		"{\"name\":\"quay.io/x:1\",\"digest\":" ZERO ",\"loaded_as\":\"10.0.0.1/x:1\",\"already_there\":true,"
		"\"platforms\":[{\"platform\":\"linux/amd64\",\"digest\":" ZERO "}]},"
		"{\"name\":null,\"digest\":" ZERO ",\"loaded_as\":null,\"already_there\":false,\"platforms\":[]}],"
		"\"sent_bytes\":1,\"skipped_bytes\":2}\n";
	AUTO_BUF b = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(receipt_json(&sample, 1795554909, &b, &e), 0);
	assert_string_equal(b.data, want);
}

static void all_or_nothing(void **state)
{
	char folder[] = "/tmp/imgpack-receipt-XXXXXX";
	char path[64];
	char part[64];
	struct err e = { 0 };

	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/r.json", folder);
	(void)snprintf(part, sizeof(part), "%s/r.json.part", folder);
	receipt_file_free(receipt_open(path, &e));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(part, F_OK), -1);
	struct receipt_file *f = receipt_open(path, &e);
	assert_non_null(f);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(receipt_write(f, &sample, &e), 0);
	receipt_file_free(f);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(access(part, F_OK), -1);
	assert_null(receipt_open(folder, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(says_all), cmocka_unit_test(all_or_nothing) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
