/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: docker's config.json is read and written as docker does it, a credential is offered to its own registry alone,
 * a helper that fails is an error and never a reason to try something else, and no message holds a secret. The helper
 * is tests/servers/docker-credential-imgpacktest, found through PATH.
 */
#include "registry/credentials.h"
#include "registry/helper.h"
#include "registry/secret.h"
#include "stream/process.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define SERVERS FIXTURES "/../tests/servers"

static char home[64];
static char config[128];

static int set_up(void **state)
{
	char path[4096];

	(void)state;
	(void)snprintf(home, sizeof(home), "/tmp/imgpack-credentials.XXXXXX");
	assert_non_null(mkdtemp(home));
	(void)snprintf(config, sizeof(config), "%s/config.json", home);
	setenv("DOCKER_CONFIG", home, 1);
	setenv("IMGPACKTEST_STORE", home, 1);
	unsetenv("IMGPACKTEST_DO");
	(void)snprintf(path, sizeof(path), "%s:/usr/bin:/bin", SERVERS);
	setenv("PATH", path, 1);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	setenv("PATH", "/usr/bin:/bin", 1);
	(void)snprintf(command, sizeof(command), "rm -rf %s", home);
	return system(command);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

static char *read_file(const char *path)
{
	static char text[65536];
	FILE *f = fopen(path, "r");

	assert_non_null(f);
	size_t n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	assert_int_equal(fclose(f), 0);
	return text;
}

static void expect(const char *registry, const char *user, const char *password, const char *identity)
{
	struct credential c = { 0 };
	struct err e = { 0 };

	if (credential_find(&c, registry, &e))
		fail_msg("%s: %s", registry, e.text);
	if (user)
		assert_string_equal(c.username, user);
	else
		assert_null(c.username);
	if (password)
		assert_string_equal(c.password, password);
	else
		assert_null(c.password);
	if (identity)
		assert_string_equal(c.identity_token, identity);
	else
		assert_null(c.identity_token);
	credential_release(&c);
	assert_null(c.username);
}

static void expect_failure(const char *registry, enum err_kind kind, const char *words)
{
	struct credential c = { 0 };
	struct err e = { 0 };

	assert_int_equal(credential_find(&c, registry, &e), -1);
	if (e.kind != kind || !strstr(e.text, words))
		fail_msg("%s: kind %d, %s", registry, (int)e.kind, e.text);
	assert_null(strstr(e.text, "canary"));
	assert_null(c.username);
}

static void no_file(void **state)
{
	(void)state;
	expect("quay.io", NULL, NULL, NULL);
	write_file(config, "");
	expect("quay.io", NULL, NULL, NULL);
	write_file(config, " \n");
	expect("quay.io", NULL, NULL, NULL);
	write_file(config, "{}");
	expect("quay.io", NULL, NULL, NULL);
	setenv("DOCKER_CONFIG", "/nonexistent/folder", 1);
	expect("quay.io", NULL, NULL, NULL);
}

static void home_folder(void **state)
{
	char path[256];

	(void)state;
	unsetenv("DOCKER_CONFIG");
	setenv("HOME", home, 1);
	(void)snprintf(path, sizeof(path), "%s/.docker", home);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/.docker/config.json", home);
	write_file(path, "{\"auths\":{\"quay.io\":{\"auth\":\"dTpw\"}}}");
	expect("quay.io", "u", "p", NULL);
}

static void forms_of_an_entry(void **state)
{
	(void)state;
	write_file(config, "{\"auths\":{"
			   "\"basic.io\":{\"auth\":\"dTpw\"},"
			   "\"colon.io\":{\"auth\":\"dTpwOnE6\"},"
			   "\"nul.io\":{\"auth\":\"dTpwAAA=\"},"
			   "\"empty.io\":{},"
			   "\"emptyauth.io\":{\"auth\":\"\"},"
			   "\"null.io\":null,"
			   "\"plain.io\":{\"username\":\"u\",\"password\":\"p\"},"
			   "\"identity.io\":{\"auth\":\"dTo=\",\"identitytoken\":\"it\"},"
			   "\"identity2.io\":{\"identitytoken\":\"it\"},"
			   "\"token.io\":{\"auth\":\"PHRva2VuPjppdA==\"},"
			   "\"more.io\":{\"auth\":\"dTpw\",\"email\":\"x@y\",\"other\":[1]}"
			   "}}");
	expect("basic.io", "u", "p", NULL);
	expect("colon.io", "u", "p:q:", NULL);
	expect("nul.io", "u", "p", NULL);
	expect("empty.io", NULL, NULL, NULL);
	expect("emptyauth.io", NULL, NULL, NULL);
	expect("null.io", NULL, NULL, NULL);
	expect("plain.io", "u", "p", NULL);
	expect("identity.io", "u", "", "it");
	expect("identity2.io", NULL, NULL, "it");
	expect("token.io", "<token>", NULL, "it");
	expect("more.io", "u", "p", NULL);
}

/* S6: look-alikes get nothing. */
static void look_alikes(void **state)
{
	static const char *const others[] = {
		"xdocker.io",
		"docker.io.evil",
		"docker.io.evil.com",
		"docker.iox",
		"adocker.io",
		"docker.io:443",
		"index.docker.io.evil.com",
		"index.docker.io:443",
		"registry-1.docker.io",
		"hub.docker.io",
		"docker.com",
		"docker.i",
		"ocker.io",
		"index-docker.io",
		"evil-docker.io",
		"docker-io.com",
		"evil.azurecr.io",
		"my.azurecr.io.attacker.com",
		"my.azurecr.iox",
		"xmy.azurecr.io",
		"y.azurecr.io",
		"my.azurecr.io:443",
		"my.azurecr.io:5000",
		"azurecr.io",
		"m.azurecr.io",
		"my-azurecr.io",
		"myazurecr.io",
		"sub.my.azurecr.io",
		"corp.example",
		"corp.example:5001",
		"corp.example:50000",
		"corp.example:500",
		"corp.example:80",
		"xcorp.example:5000",
		"corp.examples:5000",
		"10.0.0.1",
		"10.0.0.10:5000",
		"10.0.0.1:5001",
		"[::1]:5001",
		"[::11]:5000",
		"quay.io",
		"old.example:443",
		"teams.example",
	};

	(void)state;
	write_file(config, "{\"auths\":{"
			   "\"https://index.docker.io/v1/\":{\"auth\":\"aHViOnA=\"},"
			   "\"my.azurecr.io\":{\"auth\":\"YWNyOnA=\"},"
			   "\"corp.example:5000\":{\"auth\":\"Y29ycDpw\"},"
			   "\"10.0.0.1:5000\":{\"auth\":\"aXA6cA==\"},"
			   "\"[::1]:5000\":{\"auth\":\"djY6cA==\"},"
			   "\"https://old.example/v1/\":{\"auth\":\"b2xkOnA=\"},"
			   "\"teams.example/team\":{\"auth\":\"dGVhbTpw\"}"
			   "}}");
	expect("docker.io", "hub", "p", NULL);
	expect("index.docker.io", "hub", "p", NULL);
	expect("my.azurecr.io", "acr", "p", NULL);
	expect("MY.azurecr.io", "acr", "p", NULL);
	expect("corp.example:5000", "corp", "p", NULL);
	expect("10.0.0.1:5000", "ip", "p", NULL);
	expect("[::1]:5000", "v6", "p", NULL);
	expect("old.example", "old", "p", NULL);
	assert_true(sizeof(others) / sizeof(others[0]) >= 40);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		expect(others[i], NULL, NULL, NULL);
}

/* Docker Hub's other names in the file, and docker's own key before them. */
static void hub_names(void **state)
{
	static const char *const keys[] = {
		"docker.io",         "index.docker.io",          "https://index.docker.io/v1/",
		"https://docker.io", "https://index.docker.io",  "index.docker.io/v1/",
		"http://docker.io/", "https://INDEX.docker.io/", "docker.io/v2"
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		(void)snprintf(text, sizeof(text), "{\"auths\":{\"%s\":{\"auth\":\"dTpw\"}}}", keys[i]);
		write_file(config, text);
		expect("docker.io", "u", "p", NULL);
	}
	write_file(
		config,
		"{\"auths\":{\"docker.io\":{\"auth\":\"YTpi\"},\"https://index.docker.io/v1/\":{\"auth\":\"dTpw\"}}}");
	expect("docker.io", "u", "p", NULL);
}

static void broken_files(void **state)
{
	static const char *const broken[] = {
		"{",
		"[]",
		"\"canary\"",
		"{\"auths\":{\"quay.io\":{\"auth\":\"canary\"}}",
		"{\"auths\":[\"canary\"]}",
		"{\"auths\":\"canary\"}",
		"{\"auths\":{\"quay.io\":\"canary\"}}",
		"{\"auths\":{\"quay.io\":{\"auth\":7}}}",
		"{\"auths\":{\"quay.io\":{\"auth\":\"canary=\"}}}",
		"{\"auths\":{\"quay.io\":{\"auth\":\"Y2FuYXJ5\"}}}",     /* no colon */
		"{\"auths\":{\"quay.io\":{\"auth\":\"OmNhbmFyeQ==\"}}}", /* no user */
		"{\"auths\":{\"quay.io\":{\"auth\":\"dTpjAGFuYXJ5\"}}}", /* NUL inside */
		"{\"auths\":{\"quay.io\":{\"registrytoken\":\"canary\"}}}",
		"{\"auths\":{\"quay.io\":{\"username\":[]}}}",
		"{\"auths\":{\"quay.io\":{}},\"auths\":{}}",
		"{\"credsStore\":7}",
		"{\"credHelpers\":[]}",
		"{\"credHelpers\":{\"quay.io\":7}}",
		"{\"auths\":{}} canary",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		write_file(config, broken[i]);
		expect_failure("quay.io", ERR_LOCAL, config);
	}
	/* one byte more than the limit */
	int fd = open(config, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(ftruncate(fd, (1 << 20) + 1), 0);
	close(fd);
	expect_failure("quay.io", ERR_LOCAL, config);
	assert_int_equal(unlink(config), 0);
	assert_int_equal(mkdir(config, 0700), 0);
	expect_failure("quay.io", ERR_LOCAL, config);
}

static void bad_registries(void **state)
{
	static const char *const bad[] = { "",          "a b",          "a\nb",    "a\r\nGET", "https://quay.io",
					   "quay.io/x", "user@quay.io", "\x1b[2J", "quay.io:", "quay.io:x",
					   "\x7f",      "a\tb",         "-",       "..",       "quay.io?x",
					   "quay.io#x", "a\\b",         "$(id)",   "`id`",     "quay.io;id" };
	struct credential c = { 0 };
	struct credential full = { .username = (char[]){ "u" }, .password = (char[]){ "p" } };
	char where[512];
	bool found;

	(void)state;
	write_file(config, "{\"credsStore\":\"imgpacktest\"}");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };
		assert_int_equal(credential_find(&c, bad[i], &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_int_equal(credential_store(bad[i], &full, where, &e), -1);
		assert_int_equal(credential_erase(bad[i], &found, where, &e), -1);
	}
	char diary[256];
	(void)snprintf(diary, sizeof(diary), "%s/diary", home);
	assert_int_equal(access(diary, F_OK), -1); /* the helper never ran */
}

static void store(const char *registry, char *user, char *password, char *identity, const char *want_where)
{
	struct credential c = { .username = user, .password = password, .identity_token = identity };
	char where[512];
	struct err e = { 0 };

	if (credential_store(registry, &c, where, &e))
		fail_msg("%s", e.text);
	assert_string_equal(where, want_where);
}

static void stored_in_a_new_file(void **state)
{
	char folder[256];
	char path[512];
	struct stat st;

	(void)state;
	(void)snprintf(folder, sizeof(folder), "%s/a/b/.docker", home);
	(void)snprintf(path, sizeof(path), "%s/config.json", folder);
	setenv("DOCKER_CONFIG", folder, 1);
	store("quay.io", (char[]){ "u" }, (char[]){ "p" }, NULL, path);
	assert_int_equal(stat(folder, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_string_equal(read_file(path), "{\n\t\"auths\": {\n\t\t\"quay.io\": {\"auth\":\"dTpw\"}\n\t}\n}\n");
	expect("quay.io", "u", "p", NULL);
}

/* Every foreign byte stays: order, numbers that no double holds, spaces, escapes. */
static void other_content_stays(void **state)
{
	static const char before[] =
		"{\n"
		"  \"big\" : 12345678901234567, \"real\":1.10e+2,\n"
		"\t\"auths\": {\n"
		"\t\t\"a.io\": { \"auth\" : \"YTpi\" , \"x\":[1, {\"}\":\"]\"}] },\n"
		"\t\t\"quay.io\": {\"auth\":\"b2xkOm9sZA==\"},\n"
		"\t\t\"https:\\/\\/b.io\\/v1\\/\": {\"auth\": \"YTpi\"}\n"
		"\t},\n"
		"\t\"HttpHeaders\": {\"User-Agent\": \"x\\\"\\\\\", \"user-agent\": \"\\u00e4{,\"}\n"
		"}\n\n";
	char want[2048];
	struct stat st;

	(void)state;
	write_file(config, before);
	assert_int_equal(chmod(config, 0644), 0);
	store("quay.io", (char[]){ "u" }, (char[]){ "p" }, NULL, config);
	const char *at = strstr(before, "{\"auth\":\"b2xkOm9sZA==\"}");
	(void)snprintf(want, sizeof(want), "%.*s{\"auth\":\"dTpw\"}%s", (int)(at - before), before,
		       at + strlen("{\"auth\":\"b2xkOm9sZA==\"}"));
	assert_string_equal(read_file(config), want);
	assert_int_equal(stat(config, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* a new one goes behind the last one */
	store("c.io:5000", (char[]){ "u" }, NULL, (char[]){ "i\"t" }, config);
	assert_non_null(strstr(read_file(config), "\"auth\": \"YTpi\"},\n\t\t\"c.io:5000\": "
						  "{\"auth\":\"dTo=\",\"identitytoken\":\"i\\\"t\"}\n\t},\n"));
	expect("c.io:5000", "u", "", "i\"t");
	expect("b.io", "a", "b", NULL);
	/* and out again: the bytes of before but for quay.io */
	bool found = false;
	char where[512];
	assert_int_equal(credential_erase("c.io:5000", &found, where, NULL), 0);
	assert_true(found);
	assert_string_equal(read_file(config), want);
	assert_int_equal(credential_erase("c.io:5000", &found, where, NULL), 0);
	assert_false(found);
	assert_string_equal(read_file(config), want);
	/* the entry under an old key, in the middle and last */
	assert_int_equal(credential_erase("b.io", &found, where, NULL), 0);
	assert_true(found);
	assert_int_equal(credential_erase("quay.io", &found, where, NULL), 0);
	assert_int_equal(credential_erase("a.io", &found, where, NULL), 0);
	assert_non_null(strstr(read_file(config), "\t\"auths\": {},\n"));
	assert_non_null(strstr(read_file(config), "12345678901234567, \"real\":1.10e+2"));
}

static void odd_shapes(void **state)
{
	static const char *const shapes[] = { "{}",
					      " { } ",
					      "{\"auths\":null}",
					      "{\"auths\":{}}",
					      "{\"auths\":{ }}",
					      "{\"x\":{\"auths\":{}}}",
					      "{\"x\":\"}\"}",
					      "{\"x\":\"\\\\\",\"auths\":{\"quay.io\":null}}",
					      "{\"auths\":{\"quay.io\":{\"auth\":\"\\\"\"}},\"x\":[]}",
					      "{\"auths\":{\"y.io\":true},\"x\":-0.5E-7}",
					      "{\"auths\":{\"https://quay.io\":{\"auth\":\"YTpi\"}}}",
					      "" };

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		char where[512];
		bool found = false;
		struct err e = { 0 };
		write_file(config, shapes[i]);
		store("quay.io", (char[]){ "u" }, (char[]){ "p" }, NULL, config);
		expect("quay.io", "u", "p", NULL);
		if (credential_erase("quay.io", &found, where, &e))
			fail_msg("%s: %s", shapes[i], e.text);
		assert_true(found);
		expect("quay.io", NULL, NULL, NULL);
	}
}

static void a_link_is_followed(void **state)
{
	char real[256];
	struct stat st;
	struct credential c = { .username = (char[]){ "u" }, .password = (char[]){ "p" } };
	char where[512];
	struct err e = { 0 };

	(void)state;
	(void)snprintf(real, sizeof(real), "%s/real.json", home);
	write_file(real, "{\"x\":1}");
	assert_int_equal(symlink("real.json", config), 0);
	store("quay.io", (char[]){ "u" }, (char[]){ "p" }, NULL, config);
	assert_int_equal(lstat(config, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_non_null(strstr(read_file(real), "dTpw"));
	assert_int_equal(unlink(real), 0);
	assert_int_equal(credential_store("quay.io", &c, where, &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_non_null(strstr(e.text, "symbolic link"));
}

/* A broken file is not replaced by a good one. */
static void a_broken_file_is_left_alone(void **state)
{
	struct credential c = { .username = (char[]){ "u" }, .password = (char[]){ "p" } };
	char where[512];
	bool found;
	struct err e = { 0 };

	(void)state;
	write_file(config, "{\"auths\":");
	assert_int_equal(credential_store("quay.io", &c, where, &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_int_equal(credential_erase("quay.io", &found, where, &e), -1);
	assert_string_equal(read_file(config), "{\"auths\":");
}

static void unusable_credentials(void **state)
{
	struct credential bad[] = {
		{ 0 },
		{ .username = (char[]){ "" }, .password = (char[]){ "p" } },
		{ .username = (char[]){ "u" } },
		{ .username = (char[]){ "u" }, .password = (char[]){ "" } },
		{ .username = (char[]){ "u:v" }, .password = (char[]){ "p" } },
	};
	char where[512];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };
		assert_int_equal(credential_store("quay.io", &bad[i], where, &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
	assert_int_equal(access(config, F_OK), -1);
}

/* Helpers. */

static void helper_round_trip(void **state)
{
	char where[512];
	char diary[256];
	bool found = true;

	(void)state;
	assert_int_equal(dup2(0, 77), 77);
	write_file(config,
		   "{\"auths\":{\"https://index.docker.io/v1/\":{\"auth\":\"YTpi\"}},\"credsStore\":\"imgpacktest\"}");
	/* what the file says does not count, and is not a fallback */
	expect("docker.io", NULL, NULL, NULL);
	store("docker.io", (char[]){ "us\"er" }, (char[]){ "pa\\ss\xc3\xa4" }, NULL, "docker-credential-imgpacktest");
	expect("docker.io", "us\"er", "pa\\ss\xc3\xa4", NULL);
	assert_null(strstr(read_file(config), "YTpi"));
	store("quay.io", (char[]){ "u" }, NULL, (char[]){ "identity" }, "docker-credential-imgpacktest");
	expect("quay.io", "<token>", NULL, "identity");
	assert_non_null(strstr(read_file(config), "\"quay.io\": {}"));
	assert_int_equal(credential_erase("quay.io", &found, where, NULL), 0);
	assert_true(found);
	assert_string_equal(where, "docker-credential-imgpacktest");
	expect("quay.io", NULL, NULL, NULL);
	assert_int_equal(credential_erase("quay.io", &found, where, NULL), 0);
	assert_false(found);
	/* one argument, and no descriptor of ours, not even one that forgot O_CLOEXEC */
	(void)snprintf(diary, sizeof(diary), "%s/diary", home);
	const char *text = read_file(diary);
	assert_non_null(strstr(text, "1 store fds 0 1 "));
	assert_null(strstr(text, " 77 "));
	close(77);
}

static void helper_for_one_registry(void **state)
{
	(void)state;
	write_file(config, "{\"auths\":{\"a.io\":{\"auth\":\"YTpi\"},\"b.io\":{\"auth\":\"dTpw\"}},"
			   "\"credHelpers\":{\"a.io\":\"imgpacktest\"}}");
	expect("a.io", NULL, NULL, NULL);
	expect("b.io", "u", "p", NULL);
	write_file(config, "{\"auths\":{\"a.io\":{\"auth\":\"YTpi\"}},\"credsStore\":\"missing\","
			   "\"credHelpers\":{\"a.io\":\"\"}}");
	expect("a.io", "a", "b", NULL);
	write_file(config, "{\"auths\":{\"a.io\":{\"auth\":\"YTpi\"}},\"credsStore\":\"\"}");
	expect("a.io", "a", "b", NULL);
}

/* S7: five failures of five are errors, and the file's own entry is not used instead. */
static void helper_failures(void **state)
{
	static const char text[] =
		"{\"auths\":{\"quay.io\":{\"auth\":\"Y2FuYXJ5OmNhbmFyeQ==\"}},\"credsStore\":\"%s\"}";
	char file[512];
	char program[256];

	(void)state;
	(void)snprintf(file, sizeof(file), text, "imgpacktest");
	write_file(config, file);
	setenv("IMGPACKTEST_DO", "fail", 1);
	expect_failure("quay.io", ERR_DENIED, "the keychain is locked");
	setenv("IMGPACKTEST_DO", "garbage", 1);
	expect_failure("quay.io", ERR_DENIED, "docker-credential-imgpacktest");
	setenv("IMGPACKTEST_DO", "leak", 1);
	expect_failure("quay.io", ERR_DENIED, "code 3");
	setenv("IMGPACKTEST_DO", "flood", 1);
	expect_failure("quay.io", ERR_DENIED, "1048576 bytes");
	unsetenv("IMGPACKTEST_DO");
	(void)snprintf(file, sizeof(file), text, "missing");
	write_file(config, file);
	expect_failure("quay.io", ERR_DENIED, "docker-credential-missing: cannot be run");
	/* there, but not executable; and without a #! line, which a shell would take */
	setenv("PATH", home, 1);
	(void)snprintf(program, sizeof(program), "%s/docker-credential-missing", home);
	write_file(program, "echo '{\"Username\":\"u\",\"Secret\":\"canary\"}'\n");
	expect_failure("quay.io", ERR_DENIED, "cannot be run");
	assert_int_equal(chmod(program, 0755), 0);
	expect_failure("quay.io", ERR_DENIED, "cannot be run");
}

/* A helper that hangs is killed, and nothing waits for what it left behind. */
static void hanging_program(void **state)
{
	AUTO_SECRET out = { 0 };
	struct err e = { 0 };
	int status = 0;
	struct timespec a;
	struct timespec b;
	static const char *const arguments[] = { "get", NULL };
	const struct process_run run = {
		.program = "docker-credential-imgpacktest",
		.arguments = arguments,
		.input = "x",
		.input_len = 1,
		.secret = true,
		.max_output = 100,
		.seconds = 1,
	};

	(void)state;
	setenv("IMGPACKTEST_DO", "hang", 1);
	clock_gettime(CLOCK_MONOTONIC, &a);
	assert_int_equal(process_run(&run, &out, &status, &e), -1);
	clock_gettime(CLOCK_MONOTONIC, &b);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_string_equal(e.text, "did not answer within 1 seconds");
	assert_true(b.tv_sec - a.tv_sec < 5);
}

/* S8 */
static void helper_names(void **state)
{
	static const char *const bad[] = {
		"",      ".",           "..",
		"-x",    "_x",          ".x",
		"../x",  "../../tmp/x", "/bin/sh",
		"a/b",   "a b",         "a\tb",
		"a\nb",  "x;id",        "$(id)",
		"`id`",  "a|b",         "a&b",
		"a'b",   "a\"b",        "a\\b",
		"a*",    "a?",          "a~",
		"a:b",   "a=b",         "\xc3\xa4",
		"a\x7f", "a%2fb",       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};
	static const char *const good[] = { "pass",
					    "ecr-login",
					    "osxkeychain",
					    "a",
					    "0",
					    "gcr.v2_x",
					    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	(void)state;
	assert_true(sizeof(bad) / sizeof(bad[0]) >= 30);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct credential c = { 0 };
		struct err e = { 0 };
		assert_false(helper_name_valid(bad[i]));
		assert_int_equal(helper_get(bad[i], "quay.io", &c, &e), -1);
		assert_int_equal(e.kind, ERR_DENIED);
		assert_non_null(strstr(e.text, "cannot be the name"));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(helper_name_valid(good[i]));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_file),
		TEST(home_folder),
		TEST(forms_of_an_entry),
		TEST(look_alikes),
		TEST(hub_names),
		TEST(broken_files),
		TEST(bad_registries),
		TEST(stored_in_a_new_file),
		TEST(other_content_stays),
		TEST(odd_shapes),
		TEST(a_link_is_followed),
		TEST(a_broken_file_is_left_alone),
		TEST(unusable_credentials),
		TEST(helper_round_trip),
		TEST(helper_for_one_registry),
		TEST(helper_failures),
		TEST(hanging_program),
		TEST(helper_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
