/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: names mean what docker takes them for, every form prints and parses back to itself, and nothing that could end
 * a header line, a path or a URL gets through (S31); refusals say what would be right.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oci/reference.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHA "sha256:" HEX

static void accepted(void **state)
{
	static const struct {
		const char *text, *registry, *repository, *tag, *full, *local, *familiar, *selector;
	} rows[] = {
		{ "nginx", "docker.io", "library/nginx", "latest", "docker.io/library/nginx:latest",
		  "docker.io/library/nginx:latest", "nginx:latest", "latest" },
		{ "nginx:1.25", "docker.io", "library/nginx", "1.25", "docker.io/library/nginx:1.25",
		  "docker.io/library/nginx:1.25", "nginx:1.25", "1.25" },
		{ "user/app", "docker.io", "user/app", "latest", "docker.io/user/app:latest",
		  "docker.io/user/app:latest", "user/app:latest", "latest" },
		{ "a/b/c:x", "docker.io", "a/b/c", "x", "docker.io/a/b/c:x", "docker.io/a/b/c:x", "a/b/c:x", "x" },
		{ "docker.io/nginx", "docker.io", "library/nginx", "latest", "docker.io/library/nginx:latest",
		  "docker.io/library/nginx:latest", "nginx:latest", "latest" },
		{ "docker.io/library/nginx", "docker.io", "library/nginx", "latest", "docker.io/library/nginx:latest",
		  "docker.io/library/nginx:latest", "nginx:latest", "latest" },
		{ "index.docker.io/nginx:1", "docker.io", "library/nginx", "1", "docker.io/library/nginx:1",
		  "docker.io/library/nginx:1", "nginx:1", "1" },
		{ "index.docker.io/u/x:1", "docker.io", "u/x", "1", "docker.io/u/x:1", "docker.io/u/x:1", "u/x:1",
		  "1" },
		{ "docker.io/library/a/b:1", "docker.io", "library/a/b", "1", "docker.io/library/a/b:1",
		  "docker.io/library/a/b:1", "library/a/b:1", "1" },
		{ "quay.io/x/y:tag", "quay.io", "x/y", "tag", "quay.io/x/y:tag", "quay.io/x/y:tag", "quay.io/x/y:tag",
		  "tag" },
		{ "quay.io/y", "quay.io", "y", "latest", "quay.io/y:latest", "quay.io/y:latest", "quay.io/y:latest",
		  "latest" },
		{ "host:5000/x", "host:5000", "x", "latest", "host:5000/x:latest", "host:5000/x:latest",
		  "host:5000/x:latest", "latest" },
		/* no slash: the colon is a tag's, as docker has it */
		{ "host:5000", "docker.io", "library/host", "5000", "docker.io/library/host:5000",
		  "docker.io/library/host:5000", "host:5000", "5000" },
		{ "quay.io", "docker.io", "library/quay.io", "latest", "docker.io/library/quay.io:latest",
		  "docker.io/library/quay.io:latest", "quay.io:latest", "latest" },
		{ "localhost", "docker.io", "library/localhost", "latest", "docker.io/library/localhost:latest",
		  "docker.io/library/localhost:latest", "localhost:latest", "latest" },
		{ "localhost/x", "localhost", "x", "latest", "localhost/x:latest", "localhost/x:latest",
		  "localhost/x:latest", "latest" },
		{ "Myhost/x:1", "Myhost", "x", "1", "Myhost/x:1", "Myhost/x:1", "Myhost/x:1", "1" },
		{ "[::1]:5000/x/y:1", "[::1]:5000", "x/y", "1", "[::1]:5000/x/y:1", "[::1]:5000/x/y:1",
		  "[::1]:5000/x/y:1", "1" },
		{ "[2001:db8::1]/x", "[2001:db8::1]", "x", "latest", "[2001:db8::1]/x:latest", "[2001:db8::1]/x:latest",
		  "[2001:db8::1]/x:latest", "latest" },
		{ "127.0.0.1:5000/x", "127.0.0.1:5000", "x", "latest", "127.0.0.1:5000/x:latest",
		  "127.0.0.1:5000/x:latest", "127.0.0.1:5000/x:latest", "latest" },
		{ "nginx@" SHA, "docker.io", "library/nginx", "", "docker.io/library/nginx@" SHA,
		  "docker.io/library/nginx@" SHA, "nginx@" SHA, SHA },
		{ "nginx:1@" SHA, "docker.io", "library/nginx", "1", "docker.io/library/nginx:1@" SHA,
		  "docker.io/library/nginx:1", "nginx:1@" SHA, SHA },
		{ "quay.io:443/x@" SHA, "quay.io:443", "x", "", "quay.io:443/x@" SHA, "quay.io:443/x@" SHA,
		  "quay.io:443/x@" SHA, SHA },
		{ "a.b__c-d---e_f:_x-Y.z", "docker.io", "library/a.b__c-d---e_f", "_x-Y.z",
		  "docker.io/library/a.b__c-d---e_f:_x-Y.z", "docker.io/library/a.b__c-d---e_f:_x-Y.z",
		  "a.b__c-d---e_f:_x-Y.z", "_x-Y.z" },
		/* short forms that would come back as something else stay long */
		{ "docker.io/a.b/c:1", "docker.io", "a.b/c", "1", "docker.io/a.b/c:1", "docker.io/a.b/c:1",
		  "docker.io/a.b/c:1", "1" },
		{ "docker.io/localhost/c:1", "docker.io", "localhost/c", "1", "docker.io/localhost/c:1",
		  "docker.io/localhost/c:1", "docker.io/localhost/c:1", "1" },
		{ "docker.io/sha256:" HEX, "docker.io", "library/sha256", HEX, "docker.io/library/sha256:" HEX,
		  "docker.io/library/sha256:" HEX, "docker.io/library/sha256:" HEX, HEX },
		{ HEX ":latest", "docker.io", "library/" HEX, "latest", "docker.io/library/" HEX ":latest",
		  "docker.io/library/" HEX ":latest", HEX ":latest", "latest" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char out[REFERENCE_TEXT_SIZE];
		char name[REFERENCE_TEXT_SIZE];
		struct reference r, again;
		struct err e = { 0 };

		if (reference_parse(&r, rows[i].text, &e))
			fail_msg("%s: %s", rows[i].text, e.text);
		assert_string_equal(r.registry, rows[i].registry);
		assert_string_equal(r.repository, rows[i].repository);
		assert_string_equal(r.tag, rows[i].tag);
		assert_string_equal(reference_text(&r, out), rows[i].full);
		assert_int_equal(reference_parse(&again, out, &e), 0);
		assert_memory_equal(&r, &again, sizeof(r));
		assert_string_equal(reference_local_name(&r, out), rows[i].local);
		assert_string_equal(reference_familiar(&r, out), rows[i].familiar);
		assert_int_equal(reference_parse(&again, out, &e), 0);
		assert_memory_equal(&r, &again, sizeof(r));
		assert_string_equal(reference_selector(&r, out), rows[i].selector);
		(void)snprintf(name, sizeof(name), "%s/%s", rows[i].registry, rows[i].repository);
		assert_string_equal(reference_name(&r, out), name);
		assert_true(reference_registry_valid(r.registry));
		assert_true(reference_repository_valid(r.repository));
	}
}

static void must_refuse(const char *text, const char *words)
{
	struct reference r;
	struct reference before;
	struct err e = { 0 };

	memset(&r, 0x5A, sizeof(r));
	memcpy(&before, &r, sizeof(r));
	if (reference_parse(&r, text, &e) == 0)
		fail_msg("accepted: %s", text);
	assert_memory_equal(&r, &before, sizeof(r));
	assert_int_equal(e.kind, ERR_USAGE);
	if (!strstr(e.text, words))
		fail_msg("\"%s\" is not in \"%s\"", words, e.text);
	assert_null(strstr(e.text, "canary"));
	for (const char *p = e.text; *p; p++)
		assert_true((unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7F);
}

static void refused(void **state)
{
	static const char *const rows[][2] = {
		{ "", "it is empty" },
		{ "docker://nginx", "leave out the \"docker://\"" },
		{ "https://quay.io/x", "leave out the \"https://\"" },
		{ "HTTP://x/y", "leave out the \"HTTP://\"" },
		{ "oci-archive://x", "leave out the \"oci-archive://\"" },
		{ "Nginx", "an upper-case letter at 'N', repository names are lower case: did you mean \"nginx\"?" },
		{ "quay.io/x/MyApp:1", "did you mean \"x/myapp\"?" },
		{ "u/X..Y", "an upper-case letter at 'X', repository names are lower case" },
		{ HEX, "NAME@sha256:" },
		{ SHA, "a digest without a name" },
		{ "nginx:", "its tag is \"\"" },
		{ ":1", "names no repository" },
		{ "@" SHA, "names no repository" },
		{ "quay.io/", "names no repository" },
		{ "quay.io/:1", "names no repository" },
		{ "[::1]:5000", "names no repository" },
		{ "/x", "its name is" },
		{ "//x", "its name is" },
		{ "x//y", "its name is" },
		{ "x/", "its name is" },
		{ "-x", "its name is" },
		{ "x-", "its name is" },
		{ ".x", "its name is" },
		{ "..", "its name is" },
		{ "a..b", "its name is" },
		{ "a___b", "its name is" },
		{ "a.-b", "its name is" },
		{ "quay.io/../x", "its name is" },
		{ "quay.io/x/../../y", "its name is" },
		{ "./x", "its registry is" },
		{ "../x", "its registry is" },
		{ "a/b:1/c", "its name is" },
		{ "nginx:a:b", "its tag is" },
		{ "nginx:.x", "its tag is" },
		{ "nginx:-x", "its tag is" },
		{ "nginx@", "is not a digest" },
		{ "nginx@latest", "is not a digest" },
		{ "nginx@sha256:abc", "is not a digest" },
		{ "nginx@" SHA "0", "is not a digest" },
		{ "nginx@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", "is not a digest" },
		{ "nginx@" SHA "@" SHA, "is not a digest" },
		{ "nginx@" SHA ":1", "is not a digest" },
		{ "nginx@sha512:" HEX HEX, "sha512 digests are not supported" },
		{ "-.io/x", "its registry is" },
		{ "a-.io/x", "its registry is" },
		{ "a..io/x", "its registry is" },
		{ ".io/x", "its registry is" },
		{ "io./x", "its registry is" },
		{ "a_b.io/x", "its registry is" },
		{ "host:/x", "its registry is" },
		{ "host:0/x", "its registry is" },
		{ "host:65536/x", "its registry is" },
		{ "host:5x/x", "its registry is" },
		{ "host:1:2/x", "its registry is" },
		{ "alice:canary@host.io/x", "holds no user and password" },
		{ "https://alice:canary@host.io/x", "holds no user and password" },
		{ "alice:can@ary@host.io/x:1", "holds no user and password" },
		{ "user@host/x", "is not a digest" },
		{ "[::1/x", "its registry is" },
		{ "[]/x", "its registry is" },
		{ "[::g]/x", "its registry is" },
		{ "[::1]x/y", "its registry is" },
		{ "[::1]5000/y", "its registry is" },
		{ "[fe80::1-eth0]/y", "its registry is" },
		{ "[::ffff:1.2.3.4]/y", "its registry is" },
		{ "[1:2:3]/x", "its registry is" },
		/* S31 */
		{ "nginx\r", "it has \"\\x0d\" at byte 6" },
		{ "nginx\n", "it has \"\\x0a\"" },
		{ "nginx\r\nX-Evil: 1", "it has \"\\x0d\"" },
		{ "ngi nx", "it has \" \"" },
		{ " nginx", "it has \" \" at byte 1" },
		{ "nginx ", "it has \" \"" },
		{ "nginx\t", "it has \"\\x09\"" },
		{ "nginx%0d", "it has \"%\"" },
		{ "nginx%0D%0AX", "it has \"%\"" },
		{ "nginx%00", "it has \"%\"" },
		{ "nginx%2e%2e", "it has \"%\"" },
		{ "quay.io\r/x", "it has" },
		{ "quay.io\n/x:1", "it has" },
		{ "quay.io/x:1\r", "it has" },
		{ "quay.io/x:1\n2", "it has" },
		{ "quay.io/x:%0a", "it has" },
		{ "quay.io/x@" SHA "\r", "it has" },
		{ "quay.io/x?y=z", "it has \"?\"" },
		{ "quay.io/x#y", "it has \"#\"" },
		{ "quay.io/x;y", "it has \";\"" },
		{ "quay.io/x\\y", "it has \"\\\\\"" },
		{ "quay.io/x'y", "it has \"'\"" },
		{ "quay.io/x\"y", "it has \"\"\"" },
		{ "quay.io/x$y", "it has \"$\"" },
		{ "quay.io/x*", "it has \"*\"" },
		{ "quay.io/x+y", "it has \"+\"" },
		{ "quay.io/x~y", "it has \"~\"" },
		{ "quay.io/{x}", "it has \"{\"" },
		{ "quay.io/x\x1b[31m", "it has \"\\x1b\"" },
		{ "quay.io/x\x7f", "it has \"\\x7f\"" },
		{ "quay.io/x\xC2\x9B", "it has \"\\u{9b}\"" },
		{ "quay.io/x\xE2\x80\xAEy", "it has \"\\u{202e}\"" },
		{ "quay.io/x\xFF", "it has \"\\xff\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		must_refuse(rows[i][0], rows[i][1]);
	/* a letter of another script is shown as it is, so that the person finds it */
	struct reference r;
	struct err e = { 0 };
	assert_int_equal(reference_parse(&r, "ngin\xD1\x85", &e), -1); /* Cyrillic ha */
	assert_non_null(strstr(e.text, "it has \"\xD1\x85\" at byte 5"));
}

/* Every byte that stands alone for itself, at each of four places. */
static void every_byte(void **state)
{
	static const char *const forms[] = { "?a", "a?a", "quay.io/a?a", "quay.io/a:b?" };

	(void)state;
	for (unsigned b = 1; b < 256; b++) {
		bool plain = (b >= '0' && b <= '9') || (b >= 'a' && b <= 'z');

		if (strchr("/:@._-", (int)b) || (b >= 'A' && b <= 'Z'))
			continue;
		for (size_t i = 0; i < COUNT(forms); i++) {
			char text[32];
			struct reference r;

			(void)snprintf(text, sizeof(text), "%s", forms[i]);
			text[strcspn(text, "?")] = (char)b;
			assert_int_equal(reference_parse(&r, text, NULL), plain ? 0 : -1);
		}
	}
}

static void edges(void **state)
{
	char text[LIMIT_REFERENCE + 64];
	struct reference r;
	struct err e = { 0 };

	(void)state;
	/* the tag: 128 and 129 */
	memcpy(text, "q.io/x:", 7);
	memset(text + 7, 't', LIMIT_TAG + 1);
	text[7 + LIMIT_TAG] = '\0';
	assert_int_equal(reference_parse(&r, text, &e), 0);
	assert_int_equal(strlen(r.tag), LIMIT_TAG);
	text[7 + LIMIT_TAG] = 't';
	text[8 + LIMIT_TAG] = '\0';
	must_refuse(text, "its tag is");
	/* registry, slash and name: 255 and 256 */
	memcpy(text, "q.io/", 5);
	memset(text + 5, 'n', LIMIT_REPOSITORY);
	text[LIMIT_REPOSITORY] = '\0';
	assert_int_equal(reference_parse(&r, text, &e), 0);
	text[LIMIT_REPOSITORY] = 'n';
	text[LIMIT_REPOSITORY + 1] = '\0';
	must_refuse(text, "its name has 256 characters");
	/* the same with what we put in front of it */
	size_t room = LIMIT_REPOSITORY - strlen("docker.io/library/");
	memset(text, 'n', room);
	text[room] = '\0';
	assert_int_equal(reference_parse(&r, text, &e), 0);
	assert_int_equal(strlen(r.repository) + strlen("docker.io/"), LIMIT_REPOSITORY);
	text[room] = 'n';
	text[room + 1] = '\0';
	must_refuse(text, "its name has 256 characters");
	/* a host so long that no name fits behind it (N20) */
	memset(text, 'h', 256);
	memcpy(text + 256, ".io/x", 6);
	must_refuse(text, "its registry is");
	/* all of it */
	memset(text, 'x', LIMIT_REFERENCE + 1);
	text[LIMIT_REFERENCE + 1] = '\0';
	must_refuse(text, "513 characters, at most 512");
	text[LIMIT_REFERENCE] = '\0';
	must_refuse(text, "its name has");
	/* the longest possible one prints and comes back */
	char longest[REFERENCE_TEXT_SIZE];
	memset(text, 0, sizeof(text));
	memcpy(text, "q.io/", 5);
	memset(text + 5, 'n', LIMIT_REPOSITORY - 5);
	text[LIMIT_REPOSITORY] = ':';
	memset(text + LIMIT_REPOSITORY + 1, 't', LIMIT_TAG);
	memcpy(text + LIMIT_REPOSITORY + 1 + LIMIT_TAG, "@" SHA, sizeof("@" SHA));
	assert_int_equal(reference_parse(&r, text, &e), 0);
	assert_string_equal(reference_text(&r, longest), text);
}

static void local_registries(void **state)
{
	static const char *const local[] = { "localhost",       "localhost:5000", "127.0.0.1", "127.0.0.1:80",
					     "127.255.255.254", "[::1]",          "[::1]:5000" };
	static const char *const remote[] = { "",           "docker.io",    "localhost.evil.com",
					      "xlocalhost", "localhost:x",  "127.0.0.1.evil.com",
					      "127.0.0",    "127.evil.com", "128.0.0.1",
					      "1127.0.0.1", "[::2]",        "[::1]x",
					      "::1",        "[::1]:x",      "127.0.0.1:99999" };

	(void)state;
	for (size_t i = 0; i < COUNT(local); i++)
		assert_true(reference_registry_is_local(local[i]));
	for (size_t i = 0; i < COUNT(remote); i++)
		assert_false(reference_registry_is_local(remote[i]));
}

static void parts(void **state)
{
	(void)state;
	assert_true(reference_tag_valid("v1.0_x-Y"));
	assert_false(reference_tag_valid(""));
	assert_false(reference_tag_valid("a/b"));
	assert_false(reference_tag_valid("a b"));
	assert_true(reference_repository_valid("a/b-c"));
	assert_false(reference_repository_valid(""));
	assert_false(reference_repository_valid("/a"));
	assert_false(reference_repository_valid("a/"));
	assert_false(reference_repository_valid("A"));
	assert_false(reference_repository_valid("a:b"));
	assert_true(reference_registry_valid("a-b.c:1"));
	assert_true(reference_registry_valid("HOST"));
	assert_false(reference_registry_valid(""));
	assert_false(reference_registry_valid(":80"));
	assert_false(reference_registry_valid("a/b"));
	assert_false(reference_registry_valid("http://a"));
	assert_false(reference_registry_valid("a\r\nb"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted), cmocka_unit_test(refused),          cmocka_unit_test(every_byte),
		cmocka_unit_test(edges),    cmocka_unit_test(local_registries), cmocka_unit_test(parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
