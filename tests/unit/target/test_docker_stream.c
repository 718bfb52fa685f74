/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the stream that POST /images/load answers is understood wherever the network cuts it; every way in which a
 * daemon says "no" is heard; what is no such stream is refused; and nothing in it drives a terminal or takes memory
 * without end.
 */
#include "target/docker_stream.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* Feeds `text` in pieces of `step` bytes and ends. */
static int feed(const char *text, size_t step, struct err *e)
{
	__attribute__((cleanup(docker_stream_release))) struct docker_stream s = { 0 };
	size_t len = strlen(text);

	*e = (struct err){ 0 };
	for (size_t at = 0; at < len; at += step)
		if (docker_stream_feed(&s, text + at, len - at < step ? len - at : step, e))
			return -1;
	return docker_stream_end(&s, e);
}

static void test_believed(void **state)
{
	(void)state;
	static const char *const good[] = {
		"{\"stream\":\"Loaded image: abc:1\\n\"}\r\n",
		"{\"stream\":\"Loaded image: docker.io/library/a:1,quay.io/b:2\"}",
		"{\"stream\":\"Loaded image ID: sha256:12\\n\"}\r\n",
		"\r\n {\"status\":\"Loading "
		"layer\",\"progressDetail\":{\"current\":1,\"total\":2},\"progress\":\"[=\\u003e ]\","
		"\"id\":\"9d\\\"}{\"}\r\n{\"stream\":\"Loaded image: a\\n\"}\n",
		"{}{\"stream\":\"The image R:1.0 already exists, renaming the old one with ID sha256:12 to empty "
		"string\\n\"}"
		"{\"stream\":\"Loaded image: R:1.0\\n\"}{\"error\":null,\"errorDetail\":null}",
	};
	struct err e;

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		for (size_t step = 1; step < 40; step++)
			if (feed(good[i], step, &e))
				fail_msg("%s: %s", good[i], e.text);
}

static void test_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} bad[] = {
		{ "", "did not say" },
		{ "{}", "did not say" },
		{ "{\"stream\":\"loaded image: a\"}", "did not say" },
		{ "{\"status\":\"Loaded image: a\"}", "did not say" },
		{ "{\"stream\":\"Loaded image: a\"}{\"errorDetail\":{\"message\":\"no space\"},\"error\":\"x\"}",
		  "no space" },
		{ "{\"error\":\"unexpected EOF\"}{\"stream\":\"Loaded image: a\"}", "unexpected EOF" },
		{ "{\"errorDetail\":{}}", "error without a text" },
		{ "{\"error\":true}", "error without a text" },
		{ "{\"stream\":\"Loaded image: a\\n\"}{\"stream\":\"Error unpacking image a: bad\\n\"}",
		  "unpacking image a: bad" },
		{ "{\"stream\":\"Loaded image: a\"", "middle of an object" },
		{ "{\"stream\":\"Loaded image: a\"}x", "no JSON object" },
		{ "Loaded image: a", "no JSON object" },
		{ "[{\"stream\":\"Loaded image: a\"}]", "no JSON object" },
		{ "{\"stream\" \"Loaded image: a\"}", "answer" },
		{ "{\"stream\":\"Loaded image: a\",\"Stream\":\"\"}", "answer" },
		{ "{\"error\":\"\\u001b[2J\xe2\x80\xae\"}", "\\x1B[2J" },
	};
	struct err e;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		for (size_t step = 1; step < 40; step += 3) {
			assert_int_equal(feed(bad[i].text, step, &e), -1);
			assert_int_equal(e.kind, ERR_TARGET);
			if (!strcasestr(e.text, bad[i].says))
				fail_msg("%s: %s", bad[i].text, e.text);
			assert_null(strchr(e.text, '\x1b'));
		}
	}
}

/* One object has LIMIT_DOCKER_LINE bytes at most, the whole stream LIMIT_DOCKER_ANSWER. */
static void test_bounded(void **state)
{
	(void)state;
	AUTO_BUF b = { 0 };
	struct err e = { 0 };

	assert_int_equal(buf_puts(&b, "{\"stream\":\"Loaded image: ", &e), 0);
	while (b.len < LIMIT_DOCKER_LINE - 2)
		assert_int_equal(buf_puts(&b, "x", &e), 0);
	assert_int_equal(buf_puts(&b, "\"}", &e), 0);
	assert_int_equal(b.len, LIMIT_DOCKER_LINE);
	assert_int_equal(feed(b.data, 4096, &e), 0);
	b.data[b.len - 2] = 'x';
	b.data[b.len - 1] = '"';
	assert_int_equal(buf_puts(&b, "}", &e), 0);
	assert_int_equal(feed(b.data, 4096, &e), -1);
	assert_int_equal(e.kind, ERR_TARGET);

	struct docker_stream s = { .total = LIMIT_DOCKER_ANSWER - 2 };
	assert_int_equal(docker_stream_feed(&s, "  ", 2, &e), 0);
	assert_int_equal(docker_stream_feed(&s, " ", 1, &e), -1);
	assert_int_equal(e.kind, ERR_TARGET);
	docker_stream_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_believed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
