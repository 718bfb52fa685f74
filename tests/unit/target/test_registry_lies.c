/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a push to a registry that misbehaves ends with complete images or with an error, never with a tag that points
 * at something incomplete: mounts that are refused or only said to be done, tags that are lost, changed or given
 * another manifest, and the connection cut at each request of the push in turn.
 */
#include "tests/unit/target/archive.h"
#include "tests/unit/target/server.h"

#include "oci/json.h"
#include "target/target.h"

#define FAKE FIXTURES "/../tests/servers/fakeregistry.py"

struct world {
	char folder[64];
	char archive[96], log[96], host[32], port_text[16];
	unsigned port;
	pid_t daemon;
	struct http *http;
	struct pack_file *file;
};

static const struct recipe pair[] = {
	{ "docker.io/library/one:1", "linux/amd64", "ab" },
	{ "quay.io/x/two:2", "linux/amd64 linux/arm64", "bc" },
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e = { 0 };

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/imgpack-lies-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->archive, sizeof(w->archive), "%s/a.tar", w->folder);
	(void)snprintf(w->log, sizeof(w->log), "%s/log", w->folder);
	w->http = http_new(&(struct http_options){ .stall_seconds = 5 }, &e);
	ASSERT_OK(!w->http, &e);
	w->file = make_archive(w->archive, pair, 2);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	pack_file_free(w->file);
	http_free(w->http);
	server_stop(w->daemon);
	remove_folder(w->folder);
	free(w);
	return 0;
}

/* A registry with nothing in it. */
static void start(struct world *w, const char *script, unsigned at)
{
	char number[16];
	const char *const argv[] = {
		"python3", FAKE, "--port", w->port_text, "--script", script, "--at", number, NULL
	};

	server_stop(w->daemon);
	w->port = free_port();
	(void)snprintf(number, sizeof(number), "%u", at);
	(void)snprintf(w->port_text, sizeof(w->port_text), "%u", w->port);
	(void)snprintf(w->host, sizeof(w->host), "127.0.0.1:%u", w->port);
	w->daemon = server_start(argv, w->log);
	if (!server_wait_tcp(w->daemon, w->port, 20))
		fail_msg("the fake registry does not start: see %s", w->log);
}

static struct jdoc *ask(struct world *w, const char *path)
{
	struct err e = { 0 };
	AUTO_BUF url = { 0 };
	AUTO_BUF body = { 0 };
	AUTO(http_client) c = http_client_new(w->http, &e);

	ASSERT_OK(!c || buf_printf(&url, &e, "http://%s%s", w->host, path), &e);
	const struct http_request request = { .method = HTTP_GET, .url = url.data };
	AUTO(source) s = http_body(http_send(c, &request, &e), &e);
	ASSERT_OK(!s || source_slurp(s, 1u << 20, &body, &e), &e);
	struct jdoc *doc = body.len ? jdoc_parse(body.data, body.len, &e) : NULL;
	return doc;
}

static uint64_t number(const struct jdoc *audit, const char *key)
{
	struct err e = { 0 };
	uint64_t n = 0;

	ASSERT_OK(jval_get_u64(jdoc_root(audit), key, true, &n, &e), &e);
	return n;
}

static struct load_result *load(struct world *w, size_t connections, bool replace, struct err *e)
{
	char names[2][64];
	struct load_image images[2];
	struct load_request r = {
		.supply = supply_of_file(w->file),
		.images = images,
		.count = 2,
		.connections = connections,
		.replace = replace,
		.http = w->http,
	};

	*e = (struct err){ 0 };
	(void)snprintf(names[0], sizeof(names[0]), "%s/one:1", w->host);
	(void)snprintf(names[1], sizeof(names[1]), "%s/two:2", w->host);
	for (size_t i = 0; i < 2; i++)
		images[i] = (struct load_image){ &w->file->pack->images[i], names[i] };
	return target_registry_load(w->host, &r, e);
}

/* No tag is broken; with `complete` both are there. */
static void check(struct world *w, bool complete)
{
	AUTO(jdoc) audit = ask(w, "/_audit");

	assert_non_null(audit);
	assert_int_equal(jval_count(jval_get(jdoc_root(audit), "broken")), 0);
	if (complete)
		assert_int_equal(number(audit, "tags"), 2);
}

static void test_mounts(void **state)
{
	static const char *const scripts[] = { "honest",    "mount-201-lie", "mount-202", "mount-401",
					       "mount-403", "mount-404",     "mount-405", "head-no-digest" };
	struct world *w = *state;
	struct err e;

	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		start(w, scripts[i], 0);
		AUTO(load_result) r = load(w, 3, false, &e);
		if (!r)
			fail_msg("%s: %s", scripts[i], e.text);
		check(w, true);
		AUTO(jdoc) audit = ask(w, "/_audit");
		assert_int_equal(number(audit, "mounts"), 1);
		AUTO(load_result) second = load(w, 3, false, &e);
		ASSERT_OK(!second, &e);
		assert_true(second->images[0].had_it && second->images[1].had_it);
	}
}

static void test_tags(void **state)
{
	static const char *const scripts[] = { "tag-lost", "tag-other", "tag-bytes", "refuse-manifests" };
	struct world *w = *state;
	struct err e;

	for (size_t i = 0; i < sizeof(scripts) / sizeof(*scripts); i++) {
		start(w, scripts[i], 0);
		AUTO(load_result) r = load(w, 2, false, &e);
		if (r)
			fail_msg("believed: %s", scripts[i]);
		if (e.kind != ERR_TARGET && e.kind != ERR_NETWORK)
			fail_msg("%s: kind %d: %s", scripts[i], e.kind, e.text);
	}
}

/*
 * The registry goes away at each request in turn: no broken tag ever, and the next run completes. Each point costs the
 * pauses between the tries, so every sixth is taken; IMGPACK_TEST_FULL=1 takes all.
 */
static void test_dies(void **state)
{
	struct world *w = *state;
	struct err e;

	start(w, "honest", 0);
	AUTO(load_result) whole = load(w, 1, false, &e);
	ASSERT_OK(!whole, &e);
	AUTO(jdoc) audit = ask(w, "/_audit");
	unsigned requests = (unsigned)number(audit, "requests");
	unsigned step = getenv("IMGPACK_TEST_FULL") ? 1 : 6;
	assert_true(requests > 30);
	for (unsigned at = 1; at <= requests; at += step) {
		char script[48];
		start(w, "die", at);
		AUTO(load_result) r = load(w, 1, false, &e);
		if (r)
			fail_msg("a dead registry was believed, at request %u", at);
		assert_int_equal(e.kind, ERR_NETWORK);
		check(w, false);
		(void)snprintf(script, sizeof(script), "/_script/honest/0");
		jdoc_free(ask(w, script));
		AUTO(load_result) after = load(w, 2, false, &e);
		ASSERT_OK(!after, &e);
		check(w, true);
	}
}

/* One request is lost or answered 503: the push goes on all the same. */
static void test_stumbles(void **state)
{
	static const char *const scripts[] = { "cut-one", "stumble" };
	struct world *w = *state;
	struct err e;

	for (unsigned at = 1; at < 42; at += 2) {
		start(w, scripts[at / 2 % 2], at);
		AUTO(load_result) r = load(w, 1, false, &e);
		if (!r)
			fail_msg("%s at %u: %s", scripts[at / 2 % 2], at, e.text);
		check(w, true);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_mounts), TEST(test_tags), TEST(test_dies), TEST(test_stumbles) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
