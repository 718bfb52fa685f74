/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the list behind --images is read as people and their editors write it, and what is wrong with it is said with
 * file and line.
 */
#include "base/limits.h"
#include "base/own.h"
#include "cmd/images.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/imgpack-images-XXXXXX";

static void put_file(const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	assert_int_equal(close(fd), 0);
}

/* The bytes as a list must give the references (blanks between). */
static void gives(const char *bytes, size_t len, const char *expected)
{
	struct images list = { 0 };
	struct err e = { 0 };
	char got[512] = "";

	put_file(bytes, len);
	if (images_read(&list, path, &e))
		fail_msg("%s", e.text);
	for (size_t i = 0; i < list.count; i++) {
		size_t used = strlen(got);
		(void)snprintf(got + used, sizeof(got) - used, "%s%s", i ? " " : "", list.items[i]);
	}
	images_release(&list);
	assert_string_equal(got, expected);
}

static void refuses(const char *bytes, size_t len, enum err_kind kind, const char *said)
{
	struct images list = { 0 };
	struct err e = { 0 };

	put_file(bytes, len);
	assert_int_equal(images_read(&list, path, &e), -1);
	images_release(&list);
	assert_int_equal(e.kind, kind);
	if (!strstr(e.text, said))
		fail_msg("\"%s\" is not in: %s", said, e.text);
	assert_int_equal(strncmp(e.text, path, strlen(path)), 0);
}

#define GIVES(bytes, expected) gives(bytes, sizeof(bytes) - 1, expected)
#define REFUSES(bytes, said) refuses(bytes, sizeof(bytes) - 1, ERR_USAGE, said)

static void as_people_write(void **state)
{
	(void)state;
	GIVES("nginx:1\nquay.io/x/y:2\n", "nginx:1 quay.io/x/y:2");
	GIVES("nginx:1", "nginx:1");
	GIVES("\n\n  nginx:1 \t\n\n", "nginx:1");
	GIVES("# all of them\nnginx:1 # the front\n\t# none\n  #\nquay.io/x:1\t#2\n", "nginx:1 quay.io/x:1");
	GIVES("\xef\xbb\xbfnginx:1\r\nquay.io/x:1\r\n", "nginx:1 quay.io/x:1");
	GIVES("\xef\xbb\xbf# comment\r\n\r\nnginx", "nginx");
	/* The order is kept, and what stands twice is the flow's business. */
	GIVES("b\na\nb\n", "b a b");
}

static void what_is_wrong(void **state)
{
	(void)state;
	REFUSES("", ": no references in it");
	REFUSES("# nothing\n\n", ": no references in it");
	REFUSES("\xef\xbb\xbf", ": no references in it");
	REFUSES("nginx:1\n\nnginx:2 nginx:3\n", ":3: 'nginx:2 nginx:3': more than one word");
	REFUSES("nginx:1\nNginx:2\n", ":2: \"Nginx:2\" is not");
	REFUSES("nginx:1\n- nginx:2\n", ":2: '- nginx:2': more than one word");
	/* A comment needs a blank in front of it: nginx#1 is not nginx. */
	REFUSES("nginx#1\n", ":1: \"nginx#1\" is not");
	REFUSES("nginx:1\nngi\0nx\n", ":2: a NUL byte");
	REFUSES("nginx:1\n\x1b[2J\n", ":2: \"\\x1b[2J\" is not");
	REFUSES("\xff\xfen\0g\0", ": this is UTF-16");
	REFUSES("\xfe\xff\0n\0g", ": this is UTF-16");
	/* An old Mac's line ends are no line ends here. */
	REFUSES("nginx:1\rquay.io/x:1\r", ":1: ");
}

static void edges(void **state)
{
	static char big[LIMIT_IMAGES_FILE + 1];
	char line[LIMIT_REFERENCE + 2];
	struct images list = { 0 };
	struct err e = { 0 };

	(void)state;
	/* The length of a line. */
	memset(line, 'a', sizeof(line));
	refuses(line, LIMIT_REFERENCE + 1, ERR_USAGE, "longer than 512 bytes");
	/* The size of a file: the last byte that fits, and one more. */
	memset(big, '\n', sizeof(big));
	memcpy(big, "nginx", 5);
	gives(big, sizeof(big) - 1, "nginx");
	refuses(big, sizeof(big), ERR_USAGE, "this is no list of references");
	/* The number of references, from anywhere. */
	for (size_t i = 0; i < LIMIT_IMAGES - 1; i++)
		assert_int_equal(images_add(&list, "nginx", &e), 0);
	put_file("a\n", 2);
	assert_int_equal(images_read(&list, path, &e), 0);
	assert_int_equal(list.count, LIMIT_IMAGES);
	assert_int_equal(images_read(&list, path, &e), -1);
	assert_non_null(strstr(e.text, ":1: more than 4096 references"));
	images_release(&list);
}

static void no_file(void **state)
{
	struct images list = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(images_read(&list, "/nonexistent/list\033[2J", &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_string_equal(e.text, "/nonexistent/list\\x1b[2J: No such file or directory");
	assert_int_equal(images_read(&list, "/tmp", &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_string_equal(e.text, "/tmp: Is a directory");
	images_release(&list);
}

static int make(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int unmake(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_people_write),
		cmocka_unit_test(what_is_wrong),
		cmocka_unit_test(edges),
		cmocka_unit_test(no_file),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
