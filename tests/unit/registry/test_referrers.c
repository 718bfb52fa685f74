/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: referrers are read page by page at the registry's own origin; a registry that does not list them is known by
 * whatever it says instead, and one that is busy is not taken for one. The servers are parrots (servers.h).
 */
#include "base/limits.h"
#include "registry/referrers.h"
#include "servers.h"

static char folder[64];
static struct http *http;

static int set_up(void **state)
{
	static const struct http_options options = { .stall_seconds = 10 };

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/imgpack-referrers.XXXXXX");
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

struct got {
	size_t count;
	uint64_t sizes;
	struct err err;
};

static int take(void *ctx, const struct descriptor *d, struct err *e)
{
	struct got *g = ctx;

	(void)e;
	g->count++;
	g->sizes = g->sizes * 10 + d->promise.size;
	return 0;
}

#define HEX "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
#define ASKED "GET /v2/team/app/referrers/sha256:" HEX

static int list(const char *const *answers, struct got *g, unsigned *heard)
{
	static const struct credential nobody = { 0 };
	const char *script[8] = { "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}" };
	struct digest subject;

	for (size_t i = 0; answers[i]; i++)
		script[i + 1] = answers[i];
	struct parrot parrot = parrot_start(folder, script);
	*g = (struct got){ 0 };
	const struct registry_options options = { .http = http, .override = &nobody };
	struct registry *r = registry_new(parrot.host, &options, NULL);
	assert_non_null(r);
	struct registry_conn *c = registry_connect(r, NULL);
	assert_non_null(c);
	assert_true(digest_parse_hex(&subject, HEX, strlen(HEX)));
	const int rc = registry_list_referrers(c, "team/app", &subject, take, g, &g->err);
	registry_conn_free(c);
	registry_free(r);
	server_stop(parrot.pid);
	*heard = parrot_heard(&parrot, ASKED);
	return rc;
}

#define SCRIPT(...) ((const char *const[]){ __VA_ARGS__, NULL })
#define HEAD "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: " MEDIA_OCI_INDEX "\r\n"
#define INDEX(entries) "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX "\",\"manifests\":[" entries "]}"
#define ENTRY(size)                                                                                                    \
	"{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"sha256:" HEX "\",\"size\":" #size                      \
	",\"artifactType\":\"application/x\"}"
#define NEXT(where) "Link: <" where ">; rel=\"next\"\r\n"
#define STATUS(line, more) "HTTP/1.1 " line "\r\nConnection: close\r\n" more "\r\n"

static void pages(void **state)
{
	struct got g;
	unsigned heard;

	(void)state;
	assert_int_equal(list(SCRIPT(HEAD NEXT("/v2/team/app/referrers/sha256:" HEX
					       "?next=2") "\r\n" INDEX(ENTRY(1) "," ENTRY(2)),
				     HEAD "\r\n" INDEX(ENTRY(3))),
			      &g, &heard),
			 1);
	assert_int_equal(g.count, 3);
	assert_int_equal(g.sizes, 123);
	assert_int_equal(heard, 2);
	assert_int_equal(list(SCRIPT(HEAD "\r\n" INDEX("")), &g, &heard), 1);
	assert_int_equal(g.count, 0);
}

/* Every way to say that it does not know the question. */
static void no_api(void **state)
{
	static const char *const answers[] = {
		STATUS("404 Not Found", "Content-Type: text/plain\r\n") "404 page not found",
		STATUS("406 Not Acceptable", ""),
		STATUS("405 Method Not Allowed", ""),
		STATUS("400 Bad Request", "") "{\"errors\":[{\"code\":\"UNSUPPORTED\"}]}",
		STATUS("403 Forbidden", ""),
		STATUS("501 Not Implemented", ""),
		STATUS("302 Found", "Location: https://accounts.example/login\r\n") "<html>login</html>",
		STATUS("200 OK", "Content-Type: text/html\r\n") "<html><title>Sign in</title></html>",
		STATUS("200 OK", "Content-Type: application/json\r\n") "{\"errors\":[]}",
		STATUS("200 OK", ""),
	};
	struct got g;
	unsigned heard;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		assert_int_equal(list(SCRIPT(answers[i]), &g, &heard), 0);
		assert_int_equal(g.count, 0);
		assert_int_equal(heard, 1);
	}
}

static void failures(void **state)
{
	static const struct {
		const char *first, *second;
		bool lasting;
	} rows[] = {
		{ STATUS("503 Service Unavailable", ""), NULL, false },
		{ STATUS("429 Too Many Requests", "Retry-After: 3\r\n"), NULL, false },
		{ HEAD NEXT("http://127.0.0.1:1/v2/x") "\r\n" INDEX(ENTRY(1)), NULL, true },
		{ HEAD NEXT("/v2/team/app/referrers/sha256:" HEX) "\r\n" INDEX(ENTRY(1)), NULL, true },
		{ HEAD NEXT("/v2/team/app/referrers/sha256:" HEX "?next=2") "\r\n" INDEX(ENTRY(1)),
		  STATUS("404 Not Found", ""), true },
		{ HEAD NEXT("/v2/team/app/referrers/sha256:" HEX "?next=2") "\r\n" INDEX(ENTRY(1)),
		  STATUS("200 OK", "") "<html>", true },
	};
	struct got g;
	unsigned heard;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(list(SCRIPT(rows[i].first, rows[i].second), &g, &heard), -1);
		assert_int_equal(g.err.kind, ERR_NETWORK);
		assert_int_equal(g.err.lasting, rows[i].lasting);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages),
		cmocka_unit_test(no_api),
		cmocka_unit_test(failures),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
