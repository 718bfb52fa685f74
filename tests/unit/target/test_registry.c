/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what is loaded into a real registry (docker-registry) has the digests it had at its source, indexes included;
 * no tag is moved unasked; nothing is uploaded before all is known to be possible; a blob goes over the wire once; and
 * bytes that change between verification and upload never get a tag.
 */
#include "tests/unit/target/archive.h"
#include "tests/unit/target/registry_server.h"

#include "registry/registry.h"
#include "target/target.h"

struct world {
	char folder[64];
	char archive[96];
	char host[32];
	unsigned port;
	pid_t daemon;
	struct http *http;
	struct pack_file *file;
	struct registry *registry;
	struct registry_conn *conn;
	size_t connections;
	const struct platform *platform;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct err e = { 0 };

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/imgpack-push-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->archive, sizeof(w->archive), "%s/a.tar", w->folder);
	w->connections = 4;
	w->daemon = registry_start(w->folder, &w->port);
	*state = w;
	if (!w->daemon)
		return 0;
	(void)snprintf(w->host, sizeof(w->host), "127.0.0.1:%u", w->port);
	w->http = http_new(&(struct http_options){ .stall_seconds = 20 }, &e);
	ASSERT_OK(!w->http, &e);
	w->registry = registry_new(w->host, &(struct registry_options){ .http = w->http }, &e);
	ASSERT_OK(!w->registry, &e);
	w->conn = registry_connect(w->registry, &e);
	ASSERT_OK(!w->conn, &e);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	pack_file_free(w->file);
	registry_conn_free(w->conn);
	registry_free(w->registry);
	http_free(w->http);
	server_stop(w->daemon);
	remove_folder(w->folder);
	free(w);
	return 0;
}

#define NEED_REGISTRY(w)                                                                                               \
	do {                                                                                                           \
		if (!(w)->daemon) {                                                                                    \
			print_message("no docker-registry here\n");                                                    \
			skip();                                                                                        \
		}                                                                                                      \
	} while (0)

/* Loads every image of the archive as HOST/<names[i]>. */
static struct load_result *load_as(struct world *w, const char *const *names, bool replace, struct err *e)
{
	struct load_image images[8] = { 0 };
	char full[8][256];
	struct load_request r = {
		.supply = supply_of_file(w->file),
		.images = images,
		.count = w->file->pack->image_count,
		.replace = replace,
		.connections = w->connections,
		.platform = w->platform,
		.http = w->http,
	};

	*e = (struct err){ 0 };
	for (size_t i = 0; i < r.count; i++) {
		(void)snprintf(full[i], sizeof(full[i]), "%s/%s", w->host, names[i]);
		images[i] = (struct load_image){ &w->file->pack->images[i], full[i] };
	}
	return target_registry_load(w->host, &r, e);
}

/* What stands there: true and the digest, or false. */
static bool there(struct world *w, const char *repository, const char *selector, struct digest *d)
{
	AUTO_BUF bytes = { 0 };
	struct err e = { 0 };
	char type[128];

	if (!registry_get_manifest(w->conn, repository, selector, &bytes, d, type, &e))
		return true;
	if (e.kind != ERR_ABSENT)
		fail_msg("%s", e.text);
	return false;
}

static const struct digest *blob_digest(const struct world *w, size_t blob)
{
	return &w->file->pack->blobs[blob].promise.digest;
}

static bool has_blob(struct world *w, const char *repository, size_t blob)
{
	struct err e = { 0 };
	int has = registry_has_blob(w->conn, repository, &w->file->pack->blobs[blob].promise, &e);

	ASSERT_OK(has < 0, &e);
	return has > 0;
}

static const struct recipe pair[] = {
	{ "docker.io/library/one:1", "linux/amd64", "aB" },
	{ "quay.io/x/two:2", "linux/amd64 linux/arm64", "BcD" },
};
static const char *const pair_names[] = { "library/one:1", "pre/x/two:2" };

/* Digests survive, the index whole; every blob is there and right; the second time nothing is sent. With 1 and 8
 * workers. */
static void test_push(void **state)
{
	struct world *w = *state;
	struct err e;
	struct digest d;

	NEED_REGISTRY(w);
	w->connections = 1;
	w->file = make_archive(w->archive, pair, 2);
	AUTO(load_result) r = load_as(w, pair_names, false, &e);
	ASSERT_OK(!r, &e);
	const struct pack *p = w->file->pack;
	for (size_t i = 0; i < 2; i++) {
		assert_true(there(w, i ? "pre/x/two" : "library/one", i ? "2" : "1", &d));
		assert_true(digest_equal(&d, blob_digest(w, p->images[i].root)));
		assert_true(digest_equal(&d, &r->images[i].digest));
		assert_false(r->images[i].had_it);
		assert_non_null(strstr(r->images[i].loaded_as, pair_names[i]));
	}
	for (size_t m = 0; m < 2; m++) {
		const struct pack_manifest *manifest = &p->images[1].manifests[m];
		char text[DIGEST_TEXT_SIZE];
		assert_true(there(w, "pre/x/two", digest_text(blob_digest(w, manifest->blob), text), &d));
		for (size_t k = 0; k < manifest->layer_count; k++) {
			AUTO(source)
			s = registry_open_blob(w->conn, "pre/x/two", &p->blobs[manifest->layers[k]].promise, &e);
			ASSERT_OK(!s || source_drain(s, &e), &e);
		}
	}
	/* Layer B of both is sent once, and mounted into the other repository. B, D, arm64's B and D: 3 MiB each. */
	assert_true(r->sent_bytes > 12u << 20 && r->sent_bytes < 13u << 20);
	assert_true(r->skipped_bytes > 3u << 20 && r->skipped_bytes < 4u << 20);

	w->connections = 8;
	AUTO(load_result) again = load_as(w, pair_names, false, &e);
	ASSERT_OK(!again, &e);
	assert_int_equal(again->sent_bytes, 0);
	assert_true(again->images[0].had_it && again->images[1].had_it);
	/* Elsewhere in the same registry: only papers go, the layers are there already in this or are sent anew. */
	const char *const others[] = { "library/one:other", "pre/x/two:other" };
	AUTO(load_result) tags = load_as(w, others, false, &e);
	ASSERT_OK(!tags, &e);
	assert_true(tags->sent_bytes < 10000);
}

/* One tag of two is taken: both digests are said, and of the other image nothing was uploaded either. */
static void test_taken(void **state)
{
	static const struct recipe old[] = { { "docker.io/library/one:1", "linux/amd64", "z" } };
	struct world *w = *state;
	char text[DIGEST_TEXT_SIZE];
	struct digest was;
	struct digest d;
	struct err e;

	NEED_REGISTRY(w);
	w->file = make_archive(w->archive, old, 1);
	AUTO(load_result) first = load_as(w, pair_names, false, &e);
	ASSERT_OK(!first, &e);
	was = *blob_digest(w, w->file->pack->images[0].root);
	pack_file_free(TAKE(w->file));

	w->file = make_archive(w->archive, pair, 2);
	const struct pack *p = w->file->pack;
	AUTO(load_result) refused = load_as(w, pair_names, false, &e);
	assert_null(refused);
	assert_int_equal(e.kind, ERR_TARGET);
	assert_non_null(strstr(e.text, digest_text(&was, text)));
	assert_non_null(strstr(e.text, digest_text(blob_digest(w, p->images[0].root), text)));
	assert_non_null(strstr(e.text, "--replace"));
	assert_true(there(w, "library/one", "1", &d) && digest_equal(&d, &was));
	assert_false(there(w, "pre/x/two", "2", &d));
	assert_false(has_blob(w, "pre/x/two", p->images[1].manifests[0].config));
	assert_false(has_blob(w, "library/one", p->images[0].manifests[0].config));

	AUTO(load_result) moved = load_as(w, pair_names, true, &e);
	ASSERT_OK(!moved, &e);
	assert_true(there(w, "library/one", "1", &d) && digest_equal(&d, blob_digest(w, p->images[0].root)));
	/* What the tag pointed at is still there by its digest. */
	assert_true(there(w, "library/one", digest_text(&was, text), &d));
}

static void test_by_digest_and_platform(void **state)
{
	struct world *w = *state;
	char text[DIGEST_TEXT_SIZE];
	char first[192];
	char second[192];
	const char *const names[] = { first, second };
	struct platform arm64;
	struct digest d;
	struct err e = { 0 };

	NEED_REGISTRY(w);
	w->file = make_archive(w->archive, pair, 2);
	const struct pack *p = w->file->pack;
	(void)snprintf(first, sizeof(first), "one@%s", digest_text(blob_digest(w, p->images[0].root), text));
	(void)snprintf(second, sizeof(second), "two@%s", digest_text(blob_digest(w, p->images[1].root), text));
	AUTO(load_result) r = load_as(w, names, false, &e);
	ASSERT_OK(!r, &e);
	assert_true(there(w, "two", text, &d));
	assert_non_null(strstr(r->images[1].loaded_as, second));
	AUTO(load_result) again = load_as(w, names, false, &e);
	ASSERT_OK(!again, &e);
	assert_true(again->images[1].had_it && !again->sent_bytes);

	/* --platform: that platform's manifest alone stands under the tag. */
	ASSERT_OK(platform_parse(&arm64, "linux/arm64", &e), &e);
	w->platform = &arm64;
	AUTO(load_result) absent = load_as(w, pair_names, false, &e);
	assert_null(absent);
	assert_int_equal(e.kind, ERR_ABSENT);
	pack_file_free(TAKE(w->file));
	w->file = make_archive(w->archive, &pair[1], 1);
	const char *const narrow[] = { "narrow/two:2" };
	AUTO(load_result) one = load_as(w, narrow, false, &e);
	ASSERT_OK(!one, &e);
	p = w->file->pack;
	assert_true(there(w, "narrow/two", "2", &d));
	assert_true(digest_equal(&d, blob_digest(w, p->images[0].manifests[1].blob)));
	assert_false(has_blob(w, "narrow/two", p->images[0].manifests[0].config));
}

/* The archive changes after it was verified: no tag, whatever byte it is. */
static void test_second_read(void **state)
{
	struct world *w = *state;
	struct digest d;
	struct err e;

	NEED_REGISTRY(w);
	for (unsigned i = 0; i < 9; i++) {
		char one[32];
		char two[32];
		const char *const names[] = { one, two };
		/* Fresh repositories: a good blob that an earlier round left behind would not be read again. */
		(void)snprintf(one, sizeof(one), "one%u:1", i);
		(void)snprintf(two, sizeof(two), "two%u:2", i);
		w->file = make_archive(w->archive, pair, 2);
		const struct pack_manifest *m = &w->file->pack->images[1].manifests[i % 2];
		size_t layer = m->layers[i % 3];
		uint64_t size = w->file->pack->blobs[layer].promise.size;
		spoil_layer(w->archive, w->file, layer, i < 3 ? 0 : i < 6 ? size - 1 : size / 9 * i);
		AUTO(load_result) r = load_as(w, names, false, &e);
		assert_null(r);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_non_null(strstr(e.text, "no tag was set"));
		*strchr(one, ':') = *strchr(two, ':') = '\0';
		assert_false(there(w, one, "1", &d));
		assert_false(there(w, two, "2", &d));
		assert_false(has_blob(w, two, layer));
		pack_file_free(TAKE(w->file));
	}
}

/* What the archive leaves out must stand in the repository; else nothing is uploaded at all. */
static void test_absent_parts(void **state)
{
	struct world *w = *state;
	struct digest d;
	struct err e;

	NEED_REGISTRY(w);
	w->file = make_archive(w->archive, pair, 2);
	struct pack *p = w->file->pack;
	const struct pack_manifest *m = &p->images[1].manifests[1];
	const size_t parts[] = { m->layers[0], m->config, m->blob };
	for (size_t i = 0; i < 3; i++) {
		p->blobs[parts[i]].absent = true;
		AUTO(load_result) r = load_as(w, pair_names, false, &e);
		p->blobs[parts[i]].absent = false;
		assert_null(r);
		assert_int_equal(e.kind, ERR_TARGET);
		assert_non_null(strstr(e.text, "neither in the archive nor in the registry"));
		assert_false(has_blob(w, "library/one", p->images[0].manifests[0].config));
	}
	AUTO(load_result) all = load_as(w, pair_names, false, &e);
	ASSERT_OK(!all, &e);
	const char *const others[] = { "library/one:thin", "pre/x/two:thin" };
	for (size_t i = 0; i < 3; i++)
		p->blobs[parts[i]].absent = true;
	AUTO(load_result) thin = load_as(w, others, false, &e);
	ASSERT_OK(!thin, &e);
	assert_true(there(w, "pre/x/two", "thin", &d));
}

static void test_refused(void **state)
{
	struct world *w = *state;
	struct load_image image = { 0 };
	struct load_request r = { .images = &image, .count = 1, .connections = 3 };
	struct err e = { 0 };

	NEED_REGISTRY(w);
	w->file = make_archive(w->archive, pair, 2);
	r.supply = supply_of_file(w->file);
	r.http = w->http;
	image.image = &w->file->pack->images[0];
	assert_null(target_registry_load(w->host, &r, &e));
	assert_int_equal(e.kind, ERR_USAGE);
	image.name = "quay.io/x:1";
	assert_null(target_registry_load(w->host, &r, &e));
	assert_int_equal(e.kind, ERR_USAGE);
	image.name = "myhost/x:1";
	assert_null(target_registry_load("myhost", &r, &e));
	assert_int_equal(e.kind, ERR_USAGE);
	image.name = "UPPER\x1b[2J:1";
	assert_null(target_registry_load(w->host, &r, &e));
	assert_int_equal(e.kind, ERR_USAGE);
	assert_null(strchr(e.text, '\x1b'));
	/* Nobody listens. */
	image.name = "127.0.0.1:1/x:1";
	assert_null(target_registry_load("127.0.0.1:1", &r, &e));
	assert_int_equal(e.kind, ERR_NETWORK);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_push),        TEST(test_taken),        TEST(test_by_digest_and_platform),
		TEST(test_second_read), TEST(test_absent_parts), TEST(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
