/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: only a user of the file with the right password is let in; hashes that can be guessed, and lines that are none,
 * are named; and what clients send cannot forge a line of the access log.
 */
#include "serve/log.h"
#include "serve/users.h"

#include "base/buf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* htpasswd -nbBC 4 tester s3cret */
#define TESTER "tester:$2y$04$6VZeLL86Pg5rl/WexFBKpOX52EvE0bc/NPYCStj9UZaUCgnCmPrZ6"

static struct users *users_of(const char *text, struct err *e)
{
	char path[] = "/tmp/imgpack-users-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
	struct users *u = users_read(path, e);
	(void)unlink(path);
	return u;
}

static void who(void **state)
{
	struct err e = { 0 };
	AUTO(users) u = users_of("# people\r\n\n" TESTER "\r\n", &e);

	(void)state;
	assert_non_null(u);
	for (unsigned i = 0; i < 2; i++) {
		assert_true(users_check(u, "tester", "s3cret"));
		assert_false(users_check(u, "tester", "s3cre"));
		assert_false(users_check(u, "tester", ""));
		assert_false(users_check(u, "teste", "s3cret"));
		assert_false(users_check(u, "", ""));
		/* Not the same two texts, cut elsewhere. */
		assert_false(users_check(u, "testers3", "cret"));
	}
}

static void bad_files(void **state)
{
	static const char *const cases[][2] = {
		{ "", "names no user" },    { "# nobody\n", "names no user" }, { TESTER "\nplain\n", "line 2" },
		{ ":x\n", "line 1" },       { "a:$apr1$abc$def\n", "bcrypt" }, { "a:{SHA}abc\n", "bcrypt" },
		{ "a:secret\n", "bcrypt" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };
		assert_null(users_of(cases[i][0], &e));
		assert_int_equal(e.kind, ERR_USAGE);
		if (!strstr(e.text, cases[i][1]))
			fail_msg("%s", e.text);
		assert_null(strstr(e.text, "secret"));
	}
}

static void log_lines(void **state)
{
	struct sockaddr_in client = { .sin_family = AF_INET };
	struct log_entry l = {
		.client = (const struct sockaddr *)&client,
		.user = "me",
		.when = 0,
		.method = "GET",
		.target = "/v2/\"x\n\x1b[31m",
		.status = 200,
		.bytes = 12,
		.whole = true,
		.agent = "a\"b",
		.ns = 1234567890,
	};
	AUTO_BUF out = { 0 };
	char large[5000];

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &client.sin_addr), 1);
	assert_int_equal(log_line(&l, &out, NULL), 0);
	assert_string_equal(out.data,
			    "192.0.2.1 - me [01/Jan/1970:00:00:00 +0000] \"GET /v2/\\x22x\\x0a\\x1b[31m HTTP/1.1\" "
			    "200 12 \"-\" \"a\\x22b\" 1.234");
	memset(large, 'a', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	l = (struct log_entry){ .target = large };
	buf_clear(&out);
	assert_int_equal(log_line(&l, &out, NULL), 0);
	assert_true(out.len < 1400);
	assert_non_null(strstr(out.data, "... HTTP"));
	assert_string_equal(out.data + out.len - 3, "cut");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who),
		cmocka_unit_test(bad_files),
		cmocka_unit_test(log_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
