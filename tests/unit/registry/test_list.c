/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: lists of repositories and tags are read page by page at the registry's own origin and nowhere else; what is no
 * list, has no end or holds what cannot be a name does no harm, and says so. The servers are parrots (servers.h).
 */
#include "base/limits.h"
#include "registry/list.h"
#include "servers.h"

static char folder[64];
static struct http *http;

static int set_up(void **state)
{
	static const struct http_options options = { .stall_seconds = 10 };

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/imgpack-list.XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("DOCKER_CONFIG", folder, 1);
	unsetenv("http_proxy");
	http = http_new(&options, NULL);
	assert_non_null(http);
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	http_free(http);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

/* What came: names with a blank behind each. */
struct got {
	char names[512];
	size_t pages;
	struct err err;
	unsigned warnings;
};

static int take(void *ctx, const char *name, struct err *e)
{
	struct got *g = ctx;
	const size_t len = strlen(g->names);

	(void)e;
	(void)snprintf(g->names + len, sizeof(g->names) - len, "%s ", name);
	return 0;
}

static void hear(void *ctx, const struct event *ev)
{
	struct got *g = ctx;

	g->warnings += ev->kind == EVENT_WARNING;
}

/* `repository` NULL: the repositories. 0 or -1 as the call said; `heard` gets how often `word` was asked. */
static int list(const char *const *answers, const char *repository, struct got *g, const char *word, unsigned *heard)
{
	static const struct credential nobody = { 0 };
	/* GET /v2/ goes first. */
	const char *script[8] = { "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}" };
	for (size_t i = 0; answers[i]; i++)
		script[i + 1] = answers[i];
	struct parrot parrot = parrot_start(folder, script);
	*g = (struct got){ 0 };
	const struct events events = { hear, g };
	const struct registry_options options = { .http = http, .override = &nobody, .events = &events };
	struct registry *r = registry_new(parrot.host, &options, NULL);
	assert_non_null(r);
	struct registry_conn *c = registry_connect(r, NULL);
	assert_non_null(c);
	const int rc = repository ? registry_list_tags(c, repository, take, g, &g->pages, &g->err)
				  : registry_list_repositories(c, take, g, &g->pages, &g->err);
	registry_conn_free(c);
	registry_free(r);
	server_stop(parrot.pid);
	if (word)
		*heard = parrot_heard(&parrot, word);
	return rc;
}

#define SCRIPT(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"
#define PAGE(link, body) HEAD link "\r\n" body
#define LAST(body) PAGE("", body)

static void test_pages(void **state)
{
	struct got g;
	unsigned heard;

	(void)state;
	assert_int_equal(list(SCRIPT(PAGE("Link: </v2/_catalog?n=1000&last=b>; rel=\"next\"\r\n",
					  "{\"repositories\":[\"a\",\"b\"]}"),
				     PAGE("Link: <http://%H/v2/_catalog?n=1000&last=c>; rel=\"next\"\r\n",
					  "{\"repositories\":[\"c\"]}"),
				     LAST("{\"repositories\":[\"team/d\"]}")),
			      NULL, &g, "GET /v2/_catalog?n=1000&last=", &heard),
			 0);
	assert_string_equal(g.names, "a b c team/d ");
	assert_int_equal(g.pages, 3);
	assert_int_equal(heard, 2);
	assert_int_equal(list(SCRIPT(LAST("{\"name\":\"a\",\"tags\":[\"1\",\"v2.0\"]}")), "a", &g, NULL, NULL), 0);
	assert_string_equal(g.names, "1 v2.0 ");
	assert_int_equal(list(SCRIPT(LAST("{\"name\":\"a\",\"tags\":null}")), "a", &g, NULL, NULL), 0);
	assert_string_equal(g.names, "");
}

/* Another server is not asked, whoever says so: the Authorization would go with it. */
static void test_elsewhere(void **state)
{
	static const char *const links[] = {
		"Link: <http://127.0.0.1:1/v2/_catalog?last=b>; rel=\"next\"\r\n",
		"Link: <https://%H/v2/_catalog?last=b>; rel=\"next\"\r\n",
		"Link: <//evil.example/v2/_catalog>; rel=next\r\n",
		"Link: <http://%H@evil.example/v2/_catalog>; rel=next\r\n",
	};
	struct got g;

	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		char answer[512];
		(void)snprintf(answer, sizeof(answer), HEAD "%s\r\n{\"repositories\":[\"a\"]}", links[i]);
		assert_int_equal(list(SCRIPT(answer, LAST("{\"repositories\":[\"evil\"]}")), NULL, &g, NULL, NULL), -1);
		assert_int_equal(g.err.kind, ERR_NETWORK);
		assert_true(g.err.lasting);
		assert_null(strstr(g.names, "evil"));
		if (!strstr(g.err.text, "another server") && i < 3)
			fail_msg("%s", g.err.text);
	}
}

/* A page that leads to itself. */
static void test_endless(void **state)
{
	struct got g;

	(void)state;
	assert_int_equal(list(SCRIPT(PAGE("Link: </v2/_catalog?n=1000>; rel=\"next\"\r\n", "{\"repositories\":[]}")),
			      NULL, &g, NULL, NULL),
			 -1);
	assert_non_null(strstr(g.err.text, "no end"));
	assert_int_equal(list(SCRIPT(HEAD "\r\n%*"), NULL, &g, NULL, NULL), -1);
}

/* A maximum of its own: asked again without a number. ECR's, too, if it ever were below 1000. */
static void test_number_refused(void **state)
{
	struct got g;
	unsigned heard;

	(void)state;
	assert_int_equal(
		list(SCRIPT("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
			    PAGE("Link: </v2/_catalog?last=a>; rel=\"next\"\r\n", "{\"repositories\":[\"a\"]}"),
			    LAST("{\"repositories\":[\"b\"]}")),
		     NULL, &g, "GET /v2/_catalog HTTP", &heard),
		0);
	assert_string_equal(g.names, "a b ");
	assert_int_equal(heard, 1);
}

static void test_refused(void **state)
{
	struct got g;

	(void)state;
	assert_int_equal(list(SCRIPT("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"),
			      NULL, &g, NULL, NULL),
			 -1);
	assert_int_equal(g.err.kind, ERR_DENIED);
	assert_int_equal(list(SCRIPT("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}"), "a",
			      &g, NULL, NULL),
			 -1);
	assert_int_equal(g.err.kind, ERR_ABSENT);
	assert_int_equal(list(SCRIPT(LAST("<html>")), NULL, &g, NULL, NULL), -1);
	assert_int_equal(g.err.kind, ERR_NETWORK);
	assert_non_null(strstr(g.err.text, "no list"));
	assert_int_equal(list(SCRIPT(LAST("{}")), "No/../name", &g, NULL, NULL), -1);
	assert_int_equal(g.err.kind, ERR_USAGE);
}

/* Names become URLs: what cannot be one is left out, and counted. */
static void test_names(void **state)
{
	struct got g;

	(void)state;
	assert_int_equal(list(SCRIPT(LAST("{\"repositories\":[\"good\",\"../bad\",\"Bad\",7,null,\"a?b\",\"a/b\"]}")),
			      NULL, &g, NULL, NULL),
			 0);
	assert_string_equal(g.names, "good a/b ");
	assert_int_equal(g.warnings, 1);
}

static void next_is(const char *header, const char *want)
{
	AUTO_BUF out = { 0 };

	assert_int_equal(list_next(header, &out, NULL), want != NULL);
	if (want)
		assert_string_equal(out.data, want);
}

static void test_next(void **state)
{
	(void)state;
	next_is("</a>; rel=\"next\"", "/a");
	next_is("</a>; rel=next", "/a");
	next_is("</a>;rel=\"last next\"", "/a");
	next_is("</p>; rel=\"prev\", </a,b;c?n=1>; title=x; REL=Next", "/a,b;c?n=1");
	next_is("</a>; rel=\"prev\"", NULL);
	next_is("</a>; rel=\"nextish\"", NULL);
	next_is("</a>", NULL);
	next_is("</a; rel=\"next\"", NULL);
	next_is("", NULL);
	next_is("<", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pages),   cmocka_unit_test(test_elsewhere),      cmocka_unit_test(test_endless),
		cmocka_unit_test(test_refused), cmocka_unit_test(test_number_refused), cmocka_unit_test(test_names),
		cmocka_unit_test(test_next),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
