/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: success means that the daemon shows the image: its ID, its layers, its name. A fake daemon that lies in every
 * way we could think of is not believed once; one that tells the truth in an unusual way is. No name is moved unasked,
 * nothing is sent that is there, nothing but the four paths and /images/load is asked for, and bytes that change
 * between verification and upload never become an image.
 */
#include "tests/unit/target/archive.h"
#include "tests/unit/target/server.h"

#include "oci/json.h"
#include "target/target.h"

#define FAKE FIXTURES "/../tests/servers/fakedocker.py"
#define NAME "docker.io/library/app:1"

struct world {
	char folder[64];
	char archive[96], socket[96], host[104], diary[96], log[96];
	pid_t daemon;
	struct http *http;
	struct pack_file *file;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e = { 0 };
	const struct http_options options = { .stall_seconds = 2 };

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/imgpack-target-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->archive, sizeof(w->archive), "%s/a.tar", w->folder);
	(void)snprintf(w->socket, sizeof(w->socket), "%s/d.sock", w->folder);
	(void)snprintf(w->host, sizeof(w->host), "unix://%s", w->socket);
	(void)snprintf(w->diary, sizeof(w->diary), "%s/diary", w->folder);
	(void)snprintf(w->log, sizeof(w->log), "%s/log", w->folder);
	w->http = http_new(&options, &e);
	ASSERT_OK(!w->http, &e);
	*state = w;
	return 0;
}

static void stop(struct world *w)
{
	server_stop(w->daemon);
	w->daemon = 0;
	pack_file_free(TAKE(w->file));
	(void)unlink(w->diary);
	(void)unlink(w->socket);
}

static int teardown(void **state)
{
	struct world *w = *state;

	stop(w);
	http_free(w->http);
	remove_folder(w->folder);
	free(w);
	return 0;
}

/* Starts the fake daemon; `more` are further arguments, NULL-terminated. */
static void start(struct world *w, const char *script, const char *const *more)
{
	const char *argv[24] = { "python3", FAKE, "--socket", w->socket, "--diary", w->diary, "--script", script };
	size_t n = 8;

	while (more && *more)
		argv[n++] = *more++;
	w->daemon = server_start(argv, w->log);
	if (!server_wait_unix(w->daemon, w->socket, 20))
		fail_msg("the fake daemon does not start: see %s", w->log);
}

static struct load_result *load_as(struct world *w, const char *const *names, bool replace, struct err *e)
{
	struct load_image images[8] = { 0 };
	struct load_request r = {
		.supply = supply_of_file(w->file),
		.images = images,
		.count = w->file->pack->image_count,
		.replace = replace,
		.connections = 2,
		.http = w->http,
		.daemon_seconds = 2,
	};

	*e = (struct err){ 0 };
	for (size_t i = 0; i < r.count; i++)
		images[i] = (struct load_image){ &w->file->pack->images[i],
						 names ? names[i] : w->file->pack->images[i].name };
	return target_docker_load(w->host, &r, e);
}

/* How many requests of the diary start with "METHOD path"; every path must be one of those that we may use. */
static size_t asked(const struct world *w, const char *method, const char *path)
{
	AUTO_MEM char *line = NULL;
	size_t cap = 0;
	size_t found = 0;
	FILE *f = fopen(w->diary, "r");

	if (!f)
		return 0;
	while (getline(&line, &cap, f) > 0) {
		struct err e = { 0 };
		AUTO(jdoc) doc = jdoc_parse(line, strlen(line) - 1, &e);
		ASSERT_OK(!doc, &e);
		const char *m = jval_text(jval_get(jdoc_root(doc), "method"));
		const char *p = jval_text(jval_get(jdoc_root(doc), "path"));
		size_t len = strlen(p);
		bool inspect = text_starts(p, "/images/") && len > 5 && !strcmp(p + len - 5, "/json");
		bool get = !strcmp(m, "GET") &&
			   (!strcmp(p, "/_ping") || !strcmp(p, "/version") || !strcmp(p, "/info") || inspect);
		bool post = !strcmp(m, "POST") && !strcmp(p, "/images/load?quiet=0");
		if (!get && !post)
			fail_msg("asked for %s %s", m, p);
		found += !strcmp(m, method) && text_starts(p, path);
	}
	(void)fclose(f);
	return found;
}

static const struct recipe one[] = { { NAME, "linux/amd64", "ab" } };

/* The ID that a classic store gives the image's manifest `m`. */
static const struct digest *config_id(const struct world *w, size_t image, size_t m)
{
	const struct pack *p = w->file->pack;

	return &p->blobs[p->images[image].manifests[m].config].promise.digest;
}

static void test_lies(void **state)
{
	static const char *const lies[] = {
		"wrong-id",         "id-number",     "missing-tag",    "other-tag",        "fewer-layers",
		"swapped-layers",   "no-layers",     "error-200",      "error-only",       "empty-200",
		"cut-after-upload", "cut-in-upload", "no-loaded-line", "inspect-404",      "inspect-500",
		"inspect-garbage",  "inspect-hang",  "hang",           "garbage",          "half-object",
		"long-object",      "unpack-error",  "redirect",       "truncated-chunks", "status-413",
		"status-500",       "load-404",      "forgets",
	};
	static const struct recipe two[] = { { NAME, "linux/amd64", "ab" }, { "quay.io/x/y:2", "linux/amd64", "bc" } };
	struct world *w = *state;
	struct err e;

	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		w->file = make_archive(w->archive, two, 2);
		start(w, lies[i], NULL);
		AUTO(load_result) r = load_as(w, NULL, false, &e);
		if (r)
			fail_msg("believed: %s", lies[i]);
		if (e.kind != ERR_TARGET && e.kind != ERR_NETWORK)
			fail_msg("%s: kind %d: %s", lies[i], e.kind, e.text);
		assert_null(strchr(e.text, '\x1b'));
		assert_int_equal(asked(w, "POST", "/images/load"), 1);
		stop(w);
	}
}

/* Believed: honest daemons of every kind, and the result says what stands there. */
static void test_truth(void **state)
{
	static const char *const plain[] = { NULL };
	static const char *const podman[] = { "--podman", NULL };
	static const struct {
		const char *script;
		const char *const *more;
	} truths[] = { { "honest", plain }, { "split", plain }, { "podman-id", podman }, { "honest", podman } };
	struct world *w = *state;
	struct err e;

	for (size_t i = 0; i < sizeof(truths) / sizeof(*truths); i++) {
		w->file = make_archive(w->archive, one, 1);
		start(w, truths[i].script, truths[i].more);
		for (int again = 0; again < 2; again++) {
			AUTO(load_result) r = load_as(w, NULL, false, &e);
			ASSERT_OK(!r, &e);
			assert_int_equal(r->count, 1);
			assert_string_equal(r->images[0].loaded_as, NAME);
			assert_true(digest_equal(&r->images[0].digest, config_id(w, 0, 0)));
			assert_int_equal(r->images[0].had_it, again);
			assert_true(again ? r->sent_bytes == 0 && r->skipped_bytes > 6000 : r->sent_bytes > 6000);
		}
		assert_int_equal(asked(w, "POST", "/images/load"), 1);
		stop(w);
	}
}

/* A taken name: both IDs are said and nothing is sent, for all images together; --replace moves it. */
static void test_taken(void **state)
{
	static const struct recipe two[] = { { "quay.io/x/y:2", "linux/amd64", "bc" }, { NAME, "linux/amd64", "ab" } };
	static const char old[] = "3333333333333333333333333333333333333333333333333333333333333333";
	const char *const more[] = { "--old", "app:1=3333333333333333333333333333333333333333333333333333333333333333",
				     NULL };
	struct world *w = *state;
	char ours[DIGEST_TEXT_SIZE];
	struct err e;

	w->file = make_archive(w->archive, two, 2);
	start(w, "honest", more);
	AUTO(load_result) refused = load_as(w, NULL, false, &e);
	assert_null(refused);
	assert_int_equal(e.kind, ERR_TARGET);
	assert_non_null(strstr(e.text, old));
	assert_non_null(strstr(e.text, digest_text(config_id(w, 1, 0), ours)));
	assert_non_null(strstr(e.text, "--replace"));
	assert_non_null(strstr(e.text, NAME));
	assert_int_equal(asked(w, "POST", ""), 0);
	AUTO(load_result) r = load_as(w, NULL, true, &e);
	ASSERT_OK(!r, &e);
	assert_false(r->images[1].had_it);
	stop(w);

	/* A daemon that leaves the name where it was is not believed, whatever it said. */
	w->file = make_archive(w->archive, two, 2);
	start(w, "keeps-old", more);
	AUTO(load_result) kept = load_as(w, NULL, true, &e);
	assert_null(kept);
	assert_int_equal(e.kind, ERR_TARGET);
}

/* Only what is missing is sent. */
static void test_partly_there(void **state)
{
	static const struct recipe two[] = { { "quay.io/x/y:2", "linux/amd64", "bc" }, { NAME, "linux/amd64", "AB" } };
	struct world *w = *state;
	struct err e;

	w->file = make_archive(w->archive, one, 1);
	start(w, "honest", NULL);
	AUTO(load_result) first = load_as(w, NULL, false, &e);
	ASSERT_OK(!first, &e);
	pack_file_free(TAKE(w->file));
	/* The same name with other content, under a free name; and the first again. */
	w->file = make_archive(w->archive, two, 2);
	const char *const names[] = { "quay.io/x/y:2", "docker.io/library/big:1" };
	AUTO(load_result) second = load_as(w, names, false, &e);
	ASSERT_OK(!second, &e);
	assert_true(second->sent_bytes > 6u << 20);
	const char *const third_names[] = { "quay.io/x/z:3", "docker.io/library/big:1" };
	AUTO(load_result) third = load_as(w, third_names, false, &e);
	ASSERT_OK(!third, &e);
	assert_false(third->images[0].had_it);
	assert_true(third->images[1].had_it);
	assert_true(third->sent_bytes < 1u << 20);
	assert_true(third->skipped_bytes > 6u << 20);
}

/* Classic: one platform, the daemon's. containerd: the index whole, its digest is the ID. Unless a platform is named.
 */
static void test_platforms(void **state)
{
	static const struct recipe multi[] = { { NAME, "linux/amd64 linux/arm64", "ab" } };
	static const char *const classic[] = { "--arch", "arm64", NULL };
	static const char *const containerd[] = { "--arch", "arm64", "--store", "containerd", NULL };
	static const char *const neither[] = { "--arch", "s390x", NULL };
	struct world *w = *state;
	struct err e;

	w->file = make_archive(w->archive, multi, 1);
	start(w, "honest", classic);
	AUTO(load_result) r = load_as(w, NULL, false, &e);
	ASSERT_OK(!r, &e);
	assert_true(digest_equal(&r->images[0].digest, config_id(w, 0, 1)));
	stop(w);

	w->file = make_archive(w->archive, multi, 1);
	const struct pack *p = w->file->pack;
	start(w, "honest", containerd);
	struct platform amd64;
	ASSERT_OK(platform_parse(&amd64, "linux/amd64", &e), &e);
	struct load_image image = { &p->images[0], "docker.io/library/narrow:1" };
	struct load_request request = {
		.supply = supply_of_file(w->file), .images = &image, .count = 1, .http = w->http, .platform = &amd64
	};
	AUTO(load_result) narrow = target_docker_load(w->host, &request, &e);
	/* The fake shows this platform's layers, since no other is there. */
	ASSERT_OK(!narrow, &e);
	assert_true(digest_equal(&narrow->images[0].digest, &p->blobs[p->images[0].manifests[0].blob].promise.digest));
	stop(w);

	w->file = make_archive(w->archive, multi, 1);
	start(w, "honest", neither);
	AUTO(load_result) absent = load_as(w, NULL, false, &e);
	assert_null(absent);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_non_null(strstr(e.text, "linux/amd64, linux/arm64"));
	stop(w);

	/* With one platform alone it is taken: docker keeps what it cannot run. */
	w->file = make_archive(w->archive, one, 1);
	start(w, "honest", neither);
	AUTO(load_result) other = load_as(w, NULL, false, &e);
	ASSERT_OK(!other, &e);
}

static void test_containerd_whole(void **state)
{
	static const struct recipe multi[] = { { NAME, "linux/amd64 linux/arm64", "ab" } };
	static const char *const containerd[] = { "--store", "containerd", NULL };
	struct world *w = *state;
	struct err e;

	w->file = make_archive(w->archive, multi, 1);
	const struct pack *p = w->file->pack;
	start(w, "honest", containerd);
	AUTO(load_result) r = load_as(w, NULL, false, &e);
	ASSERT_OK(!r, &e);
	assert_true(digest_equal(&r->images[0].digest, &p->blobs[p->images[0].root].promise.digest));
	AUTO(load_result) again = load_as(w, NULL, false, &e);
	ASSERT_OK(!again, &e);
	assert_true(again->images[0].had_it);
}

/* Nameless images and those by digest are known by their ID; where names by digest are kept, by that name. */
static void test_nameless(void **state)
{
	static const char *const containerd[] = { "--store", "containerd", NULL };
	static const struct recipe nameless[] = { { NULL, "linux/amd64", "ab" } };
	struct world *w = *state;
	char id[DIGEST_TEXT_SIZE];
	char by_digest[160];
	struct err e;

	w->file = make_archive(w->archive, nameless, 1);
	start(w, "honest", NULL);
	const char *const names[] = { by_digest };
	const struct pack *p = w->file->pack;
	(void)snprintf(by_digest, sizeof(by_digest), "quay.io/x/y@%s",
		       digest_text(&p->blobs[p->images[0].root].promise.digest, id));
	AUTO(load_result) r = load_as(w, NULL, false, &e);
	ASSERT_OK(!r, &e);
	assert_string_equal(r->images[0].loaded_as, digest_text(config_id(w, 0, 0), id));
	AUTO(load_result) second = load_as(w, names, false, &e);
	ASSERT_OK(!second, &e);
	assert_string_equal(second->images[0].loaded_as, id);
	assert_true(second->images[0].had_it);
	stop(w);

	w->file = make_archive(w->archive, nameless, 1);
	start(w, "honest", containerd);
	AUTO(load_result) third = load_as(w, names, false, &e);
	ASSERT_OK(!third, &e);
	assert_string_equal(third->images[0].loaded_as, by_digest);
	assert_false(third->images[0].had_it);
}

/* podman keeps digests of a tar with one image alone, so it gets one at a time. */
static void test_podman_one_by_one(void **state)
{
	static const struct recipe three[] = {
		{ "quay.io/x/y:2", "linux/amd64", "bc" },
		{ NAME, "linux/amd64", "ab" },
		{ "quay.io/x/y:3", "linux/amd64", "ab" },
	};
	static const char *const podman[] = { "--podman", NULL };
	struct world *w = *state;
	struct err e;

	w->file = make_archive(w->archive, three, 3);
	start(w, "honest", podman);
	AUTO(load_result) r = load_as(w, NULL, false, &e);
	ASSERT_OK(!r, &e);
	assert_int_equal(asked(w, "POST", "/images/load"), 3);
}

/* The archive changes after it was verified: the upload breaks, and no image is there. At several places of every
 * layer. */
static void test_second_read(void **state)
{
	struct world *w = *state;
	static const struct recipe big[] = { { NAME, "linux/amd64", "aBC" } };
	struct err e;

	for (unsigned i = 0; i < 12; i++) {
		w->file = make_archive(w->archive, big, 1);
		const struct pack_manifest *m = &w->file->pack->images[0].manifests[0];
		size_t layer = m->layers[i % 3];
		uint64_t size = w->file->pack->blobs[layer].promise.size;
		spoil_layer(w->archive, w->file, layer, i < 3 ? 0 : i < 6 ? size - 1 : size / 12 * i);
		start(w, "honest", NULL);
		AUTO(load_result) r = load_as(w, NULL, false, &e);
		assert_null(r);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_non_null(strstr(e.text, "nothing stands there"));
		stop(w);
	}
}

static void test_hosts(void **state)
{
	static const struct {
		const char *host;
		enum err_kind kind;
		const char *says;
	} bad[] = {
		{ "ssh://me@host", ERR_USAGE, "ssh -N -L" },
		{ "npipe:////./pipe/docker_engine", ERR_USAGE, "unix://" },
		{ "unix://relative", ERR_USAGE, "unix:///path" },
		{ "tcp://", ERR_USAGE, "tcp://host:port" },
		{ "tcp://:2375", ERR_USAGE, "tcp://host:port" },
		{ "tcp://a@b:1", ERR_USAGE, "tcp://host:port" },
		{ "tcp://h:99999", ERR_USAGE, "65535" },
		{ "tcp://h:1/x", ERR_USAGE, "tcp://host:port" },
		{ "http://h:1", ERR_USAGE, "is no address" },
		{ "\x1b[2J", ERR_USAGE, "is no address" },
		{ "unix:///nonexistent/d.sock", ERR_NETWORK, "installed" },
		{ "tcp://127.0.0.1:1", ERR_NETWORK, "does a daemon listen" },
	};
	struct world *w = *state;
	struct load_request r = { .http = w->http };
	char where[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err e = { 0 };
		assert_null(target_docker_load(bad[i].host, &r, &e));
		if (e.kind != bad[i].kind || !strstr(e.text, bad[i].says) || strchr(e.text, '\x1b'))
			fail_msg("%s: kind %d: %s", bad[i].host, e.kind, e.text);
		assert_false(target_docker_answers(bad[i].host, w->http, where));
		assert_null(strchr(where, '\x1b'));
	}
	start(w, "honest", NULL);
	assert_true(target_docker_answers(w->host, w->http, where));
	assert_string_equal(where, w->host);
	assert_int_equal(setenv("DOCKER_HOST", w->host, 1), 0);
	assert_true(target_docker_answers(NULL, w->http, where));
	assert_int_equal(unsetenv("DOCKER_HOST"), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_hosts),
		TEST(test_truth),
		TEST(test_lies),
		TEST(test_taken),
		TEST(test_partly_there),
		TEST(test_platforms),
		TEST(test_containerd_whole),
		TEST(test_nameless),
		TEST(test_podman_one_by_one),
		TEST(test_second_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
