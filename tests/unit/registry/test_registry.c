/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: against Debian's docker-registry, open, with a password and behind a token service: what is pushed comes back
 * bit by bit; the figures hold (no GET /v2/ for who is anonymous, one GET a manifest, one GET a blob, one token a
 * scope, workers share them); tokens expire and are renewed; secrets reach one origin.
 */
#include "base/parallel.h"
#include "oci/manifest.h"
#include "registry/registry.h"
#include "servers.h"

#include <stdatomic.h>

static char folder[64];
static struct real_registry open_registry;
static struct real_registry closed_registry;
static struct http *http;

#define BIG (3u << 20)
static unsigned char *big;
static struct promise big_promise;
static const char config_bytes[] =
	"{\"architecture\":\"amd64\",\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[]}}";
static struct promise config_promise;
static char manifest[1024];
static struct digest manifest_digest;

static void run(const char *command)
{
	assert_int_equal(system(command), 0);
}

static void make_image(void)
{
	char a[DIGEST_TEXT_SIZE];
	char b[DIGEST_TEXT_SIZE];
	uint32_t x = 7;

	big = malloc(BIG);
	assert_non_null(big);
	for (size_t i = 0; i < BIG; i++) {
		x = x * 1664525u + 1013904223u;
		big[i] = (unsigned char)(x >> 24);
	}
	big_promise.size = BIG;
	digest_of(&big_promise.digest, big, BIG, NULL);
	config_promise.size = sizeof(config_bytes) - 1;
	digest_of(&config_promise.digest, config_bytes, sizeof(config_bytes) - 1, NULL);
	(void)snprintf(manifest, sizeof(manifest),
		       "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
		       "\",\"config\":{\"mediaType\":\"" MEDIA_OCI_CONFIG
		       "\",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":\"" MEDIA_OCI_LAYER
		       "\",\"digest\":\"%s\",\"size\":%u}]}",
		       digest_text(&config_promise.digest, a), sizeof(config_bytes) - 1,
		       digest_text(&big_promise.digest, b), BIG);
	digest_of(&manifest_digest, manifest, strlen(manifest), NULL);
}

static int set_up(void **state)
{
	char path[128];
	char command[256];
	static const struct http_options options = { 0 };

	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/imgpack-registry.XXXXXX");
	assert_non_null(mkdtemp(folder));
	setenv("DOCKER_CONFIG", folder, 1); /* no file: anonymous */
	unsetenv("http_proxy");
	unsetenv("HTTP_PROXY");
	(void)snprintf(path, sizeof(path), "%s/htpasswd", folder);
	(void)snprintf(command, sizeof(command), "htpasswd -Bbc -C 4 %s alice canary-password 2>/dev/null", path);
	run(command);
	open_registry = real_registry_start(folder, NULL);
	closed_registry = real_registry_start(folder, path);
	http = http_new(&options, NULL);
	assert_non_null(http);
	make_image();
	return 0;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	http_free(http);
	server_stop(open_registry.pid);
	server_stop(closed_registry.pid);
	free(big);
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	run(command);
	return 0;
}

/* The events that a test wants to see. */
static atomic_uint warnings;
static char last_warning[1024];

static void listen_in(void *ctx, const struct event *ev)
{
	(void)ctx;
	if (ev->kind != EVENT_WARNING)
		return;
	warnings++;
	(void)snprintf(last_warning, sizeof(last_warning), "%s", ev->text);
}

static const struct events listener = { listen_in, NULL };

static struct registry *make(const char *host, bool push, const struct credential *who)
{
	struct err e = { 0 };
	const struct registry_options options = { .http = http, .events = &listener, .push = push, .override = who };
	struct registry *r = registry_new(host, &options, &e);

	if (!r)
		fail_msg("%s", e.text);
	return r;
}

static struct registry_conn *join(struct registry *r)
{
	struct registry_conn *c = registry_connect(r, NULL);

	assert_non_null(c);
	return c;
}

static struct credential alice = { .username = (char[]){ "alice" }, .password = (char[]){ "canary-password" } };
static struct credential mallory = { .username = (char[]){ "alice" }, .password = (char[]){ "canary-wrong" } };
static struct credential bearer = { .username = (char[]){ "alice" }, .identity_token = (char[]){ "canary-identity" } };

#define OK(call)                                                                                                       \
	do {                                                                                                           \
		struct err e_ = { 0 };                                                                                 \
		struct err *why = &e_;                                                                                 \
		if ((call) < 0)                                                                                        \
			fail_msg("%s: kind %d: %s", #call, (int)e_.kind, e_.text);                                     \
	} while (0)

static void fails(int rc, const struct err *e, enum err_kind kind, const char *words)
{
	assert_int_equal(rc, -1);
	if (e->kind != kind || (words && !strstr(e->text, words)))
		fail_msg("kind %d: %s", (int)e->kind, e->text);
	assert_null(strstr(e->text, "canary"));
}

static void push_blob(struct registry_conn *c, const char *name, const struct promise *p, const void *bytes)
{
	AUTO(source) raw = source_memory(bytes, (size_t)p->size, NULL);

	OK(registry_put_blob(c, name, p, raw, why));
}

static void push_image(struct registry_conn *c, const char *name)
{
	char text[DIGEST_TEXT_SIZE];

	push_blob(c, name, &big_promise, big);
	push_blob(c, name, &config_promise, config_bytes);
	OK(registry_put_manifest(c, name, "1.0", MEDIA_OCI_MANIFEST, manifest, strlen(manifest), why));
	OK(registry_put_manifest(c, name, digest_text(&manifest_digest, text), MEDIA_OCI_MANIFEST, manifest,
				 strlen(manifest), why));
}

static void read_manifest(struct registry_conn *c, const char *name, const char *selector)
{
	AUTO_BUF bytes = { 0 };
	char type[128] = "?";
	struct digest d;

	OK(registry_get_manifest(c, name, selector, &bytes, &d, type, why));
	assert_int_equal(bytes.len, strlen(manifest));
	assert_memory_equal(bytes.data, manifest, bytes.len);
	assert_true(digest_equal(&d, &manifest_digest));
	assert_string_equal(type, MEDIA_OCI_MANIFEST);
}

static void read_blob(struct registry_conn *c, const char *name, const struct promise *p, const void *want)
{
	struct err e = { 0 };
	AUTO_BUF bytes = { 0 };
	AUTO(source) s = registry_open_blob(c, name, p, &e);

	if (!s || source_slurp(s, BIG + 1, &bytes, &e))
		fail_msg("%s", e.text);
	assert_int_equal(bytes.len, p->size);
	assert_memory_equal(bytes.data, want, bytes.len);
}

static void read_image(struct registry_conn *c, const char *name)
{
	char text[DIGEST_TEXT_SIZE];

	read_manifest(c, name, "1.0");
	read_manifest(c, name, digest_text(&manifest_digest, text));
	read_blob(c, name, &big_promise, big);
	read_blob(c, name, &config_promise, config_bytes);
}

static void open_to_all(void **state)
{
	AUTO(registry) r = make(open_registry.host, true, NULL);
	AUTO(registry_conn) c = join(r);
	AUTO_BUF bytes = { 0 };
	char type[128];
	struct digest d;
	struct err e = { 0 };
	struct promise lie = big_promise;

	(void)state;
	assert_string_equal(registry_host(r), open_registry.host);
	OK(registry_ping(c, why));
	assert_int_equal(registry_has_blob(c, "team/image", &big_promise, &e), 0);
	assert_int_equal(registry_has_manifest(c, "team/image", "1.0", &d, &e), 0);
	push_image(c, "team/image");
	read_image(c, "team/image");
	assert_int_equal(registry_has_blob(c, "team/image", &big_promise, &e), 1);
	assert_int_equal(registry_has_manifest(c, "team/image", "1.0", &d, &e), 1);
	assert_true(digest_equal(&d, &manifest_digest));
	/* what is not there */
	fails(registry_get_manifest(c, "team/image", "2.0", &bytes, &d, type, &e), &e, ERR_ABSENT, "MANIFEST_UNKNOWN");
	assert_int_equal(e.sys, 404);
	fails(registry_get_manifest(c, "team/none", "1.0", &bytes, &d, type, &e), &e, ERR_ABSENT, "team/none");
	lie.digest.raw[0] ^= 1;
	assert_null(registry_open_blob(c, "team/image", &lie, &e));
	fails(-1, &e, ERR_ABSENT, "blob sha256:");
	/* a size that is not the blob's */
	lie = big_promise;
	lie.size--;
	assert_null(registry_open_blob(c, "team/image", &lie, &e));
	fails(-1, &e, ERR_CORRUPT, "3145728 bytes are announced, 3145727 are promised");
	assert_int_equal(registry_has_blob(c, "team/image", &lie, &e), 0);
}

static void pushing_wrong_things(void **state)
{
	AUTO(registry) r = make(open_registry.host, true, NULL);
	AUTO(registry_conn) c = join(r);
	char text[DIGEST_TEXT_SIZE];
	struct promise lie = config_promise;
	struct err e = { 0 };

	(void)state;
	/* bytes that are not the promised ones: the registry says no */
	lie.digest.raw[5] ^= 1;
	AUTO(source) raw = source_memory(config_bytes, sizeof(config_bytes) - 1, NULL);
	fails(registry_put_blob(c, "wrong/a", &lie, raw, &e), &e, ERR_TARGET, "DIGEST_INVALID");
	assert_int_equal(registry_has_blob(c, "wrong/a", &lie, &e), 0);
	/* a body that fails its own verdict never becomes a blob, and its error is the one that is told */
	AUTO(source) bad = source_verify(source_memory(config_bytes, sizeof(config_bytes) - 1, NULL), &lie, NULL);
	fails(registry_put_blob(c, "wrong/a", &lie, bad, &e), &e, ERR_CORRUPT, "has digest");
	assert_int_equal(registry_has_blob(c, "wrong/a", &config_promise, &e), 0);
	/* the connection is usable after that */
	push_blob(c, "wrong/a", &config_promise, config_bytes);
	/* a manifest before its blobs, a manifest under another digest, an unknown type */
	fails(registry_put_manifest(c, "wrong/b", "1", MEDIA_OCI_MANIFEST, manifest, strlen(manifest), &e), &e,
	      ERR_TARGET, "MANIFEST_BLOB_UNKNOWN");
	fails(registry_put_manifest(c, "wrong/b", digest_text(&config_promise.digest, text), MEDIA_OCI_MANIFEST,
				    manifest, strlen(manifest), &e),
	      &e, ERR_CORRUPT, NULL);
	fails(registry_put_manifest(c, "wrong/b", "1", "application/json", manifest, strlen(manifest), &e), &e,
	      ERR_TARGET, "MANIFEST_INVALID");
	fails(registry_put_manifest(c, "wrong/b", "1", "text/plain\r\nX: y", manifest, strlen(manifest), &e), &e,
	      ERR_USAGE, NULL);
}

static void mounting(void **state)
{
	AUTO(registry) r = make(open_registry.host, true, NULL);
	AUTO(registry_conn) c = join(r);
	struct promise absent = big_promise;
	struct err e = { 0 };

	(void)state;
	push_image(c, "mount/from");
	assert_int_equal(registry_mount_blob(c, "mount/to", &big_promise, "mount/from", &e), 1);
	read_blob(c, "mount/to", &big_promise, big);
	absent.digest.raw[0] ^= 1;
	assert_int_equal(registry_mount_blob(c, "mount/to", &absent, "mount/from", &e), 0);
	assert_int_equal(registry_mount_blob(c, "mount/to", &absent, "mount/none", &e), 0);
	fails(registry_mount_blob(c, "mount/to", &absent, "Mount/../x", &e), &e, ERR_USAGE, NULL);
}

/* An empty blob, and one whose size is a piece of the belt. */
static void sizes_at_the_edge(void **state)
{
	static const size_t sizes[] = { 0, 1, 131071, 131072, 131073 };
	AUTO(registry) r = make(open_registry.host, true, NULL);
	AUTO(registry_conn) c = join(r);

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct promise p = { .size = sizes[i] };
		digest_of(&p.digest, big, sizes[i], NULL);
		push_blob(c, "edge/sizes", &p, big);
		read_blob(c, "edge/sizes", &p, big);
	}
}

static void with_a_password(void **state)
{
	AUTO(registry) good = make(closed_registry.host, true, &alice);
	AUTO(registry) bad = make(closed_registry.host, true, &mallory);
	AUTO(registry) nobody = make(closed_registry.host, false, NULL);
	AUTO(registry_conn) c = join(good);
	AUTO(registry_conn) b = join(bad);
	AUTO(registry_conn) n = join(nobody);
	AUTO_BUF bytes = { 0 };
	char type[128];
	struct digest d;
	struct err e = { 0 };

	(void)state;
	OK(registry_ping(c, why));
	push_image(c, "secret/image");
	read_image(c, "secret/image");
	fails(registry_ping(b, &e), &e, ERR_DENIED, closed_registry.host);
	fails(registry_get_manifest(b, "secret/image", "1.0", &bytes, &d, type, &e), &e, ERR_DENIED, "401");
	fails(registry_ping(n, &e), &e, ERR_DENIED, "imgpack login");
	fails(registry_get_manifest(n, "secret/image", "1.0", &bytes, &d, type, &e), &e, ERR_DENIED, "imgpack login");
	assert_null(registry_open_blob(n, "secret/image", &big_promise, &e));
	fails(-1, &e, ERR_DENIED, NULL);
	AUTO(source) raw = source_memory(config_bytes, sizeof(config_bytes) - 1, NULL);
	fails(registry_put_blob(b, "secret/other", &config_promise, raw, &e), &e, ERR_DENIED,
	      "an upload to secret/other");
}

/* The password comes from config.json, too. */
static void with_the_file(void **state)
{
	char path[128];
	char where[512];

	(void)state;
	OK(credential_store(closed_registry.host, &alice, where, why));
	AUTO(registry) r = make(closed_registry.host, false, NULL);
	AUTO(registry_conn) c = join(r);
	read_image(c, "secret/image");
	(void)snprintf(path, sizeof(path), "%s/config.json", folder);
	assert_int_equal(unlink(path), 0);
}

/* The figures of a pull: each thing is asked once, with its Authorization, by whatever way it is redirected. */
static void one_request_each(void **state)
{
	static const char *const ways[][8] = {
		{ "--user", "alice:canary-password", "--anonymous-pull" },
		{ "--user", "alice:canary-password", "--anonymous-pull", "--redirect" },
		{ "--user", "alice:canary-password", "--anonymous-pull", "--redirect-relative" },
		{ "--user", "alice:canary-password", "--anonymous-pull", "--no-scope", "--redirect",
		  "--redirect-status", "302" },
		{ "--challenge", "several", "--answer", "access_token", "--say-life", "-1" },
		{ "--challenge", "headers", "--answer", "both" },
		{ "--challenge", "lower", "--redirect", "--redirect-status", "303" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct front f = front_start(folder, open_registry.host, ways[i]);
		AUTO(registry) r = make(f.host, false, NULL);
		AUTO(registry_conn) c = join(r);
		bool abroad = i == 1 || i == 3 || i == 6;
		read_manifest(c, "team/image", "1.0");
		read_blob(c, "team/image", &big_promise, big);
		read_blob(c, "team/image", &config_promise, config_bytes);
		assert_int_equal(DIARY(f, "\"on\": \"front\"", "\"/v2/\""), 0);
		assert_int_equal(DIARY(f, "\"on\": \"tokens\""), 1);
		assert_int_equal(DIARY(f, "\"scope\": \"repository:team/image:pull\""), 1);
		assert_int_equal(DIARY(f, "\"on\": \"front\"", "/manifests/", "\"Bearer\""), 1);
		assert_int_equal(DIARY(f, "\"on\": \"front\"", "\"GET\"", "\"/v2/team/image/blobs/", "\"Bearer\""), 2);
		assert_int_equal(DIARY(f, "\"on\": \"store\""), abroad ? 2 : 0);
		assert_int_equal(DIARY(f, "\"on\": \"store\"", "\"authorization\": null", "\"status\": 200"),
				 abroad ? 2 : 0);
		assert_int_equal(DIARY(f, "\"status\": 401"), 1);
		server_stop(f.pid);
	}
}

struct crowd {
	struct registry *registry;
	struct registry_conn *conns[16];
};

static int crowd_turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct crowd *crowd = ctx;
	AUTO_BUF bytes = { 0 };
	char type[128];
	struct digest d;

	(void)item;
	if (!crowd->conns[worker])
		crowd->conns[worker] = registry_connect(crowd->registry, e);
	if (!crowd->conns[worker])
		return -1;
	if (registry_get_manifest(crowd->conns[worker], "team/image", "1.0", &bytes, &d, type, e))
		return -1;
	AUTO(source) s = registry_open_blob(crowd->conns[worker], "team/image", &config_promise, e);
	return s ? source_drain(s, e) : -1;
}

/* Sixteen workers at once share one challenge and one token; when they are refused together, one new token. */
static void workers_share(void **state)
{
	static const char *const plain[] = { NULL };
	static const char *const refusing[] = { "--refuse-first", "1", NULL };
	static const char *const *const options[] = { plain, refusing };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct front f = front_start(folder, open_registry.host, options[i]);
		AUTO(registry) r = make(f.host, false, NULL);
		struct crowd crowd = { .registry = r };
		OK(parallel_for(64, 16, crowd_turn, &crowd, why));
		assert_int_equal(DIARY(f, "\"/v2/\""), 0);
		assert_int_equal(DIARY(f, "\"on\": \"tokens\""), 1 + i);
		assert_int_equal(DIARY(f, "/manifests/", "\"status\": 200"), 64);
		if (!i)
			assert_int_equal(DIARY(f, "\"status\": 401"), 1);
		for (size_t n = 0; n < 16; n++)
			registry_conn_free(crowd.conns[n]);
		server_stop(f.pid);
	}
}

/* A service that is down is asked once by all who wait, and each gets its error. */
static void workers_share_a_failure(void **state)
{
	AUTO(registry) r = make("127.0.0.1:1", false, NULL);
	struct crowd crowd = { .registry = r };
	struct err e = { 0 };

	(void)state;
	fails(parallel_for(16, 16, crowd_turn, &crowd, &e), &e, ERR_NETWORK, "127.0.0.1:1");
	for (size_t n = 0; n < 16; n++)
		registry_conn_free(crowd.conns[n]);
}

static void tokens_end(void **state)
{
	static const char *const options[] = { "--life", "1", "--say-life", "3600", NULL };
	struct front f = front_start(folder, open_registry.host, options);
	AUTO(registry) r = make(f.host, true, NULL);
	AUTO(registry_conn) c = join(r);

	(void)state;
	read_manifest(c, "team/image", "1.0");
	nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 100000000 }, NULL);
	read_manifest(c, "team/image", "1.0");
	assert_int_equal(DIARY(f, "\"on\": \"tokens\""), 2);
	nanosleep(&(struct timespec){ .tv_sec = 1, .tv_nsec = 100000000 }, NULL);
	/* an upload is refused at its POST, before a byte of the body is sent */
	push_blob(c, "team/image", &big_promise, big);
	assert_int_equal(DIARY(f, "\"POST\"", "\"status\": 401"), 1);
	assert_int_equal(DIARY(f, "\"PUT\""), 1);
	server_stop(f.pid);
}

/* An endless 401 ends after two. */
static void tokens_that_never_work(void **state)
{
	static const char *const options[] = { "--refuse-first", "1000000", NULL };
	struct front f = front_start(folder, open_registry.host, options);
	AUTO(registry) r = make(f.host, true, NULL);
	AUTO(registry_conn) c = join(r);
	AUTO_BUF bytes = { 0 };
	char type[128];
	struct digest d;
	struct err e = { 0 };

	(void)state;
	fails(registry_get_manifest(c, "team/image", "1.0", &bytes, &d, type, &e), &e, ERR_DENIED, "401");
	assert_int_equal(DIARY(f, "/manifests/"), 2);
	assert_int_equal(DIARY(f, "\"on\": \"tokens\""), 2);
	server_stop(f.pid);
}

static void users_of_a_token_service(void **state)
{
	static const char *const options[] = { "--user", "alice:canary-password", "--refresh", "alice:canary-identity",
					       NULL };
	static const char *const no_post[] = { "--user",    "alice:canary-password",
					       "--refresh", "alice:canary-identity",
					       "--no-post", NULL };
	struct front f = front_start(folder, open_registry.host, options);
	struct front g = front_start(folder, open_registry.host, no_post);
	struct credential wrong = { .username = (char[]){ "alice" }, .identity_token = (char[]){ "canary-old" } };
	struct {
		const struct front *front;
		const struct credential *who;
		bool works;
	} cases[] = {
		{ &f, &alice, true },  { &f, &bearer, true }, { &f, &mallory, false },
		{ &f, &wrong, false }, { &f, NULL, false },   { &g, &alice, true },
		{ &g, &bearer, true }, { &g, &wrong, false }, { &g, &mallory, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(registry) r = make(cases[i].front->host, true, cases[i].who);
		AUTO(registry_conn) c = join(r);
		struct err e = { 0 };
		if (cases[i].works) {
			OK(registry_ping(c, why));
			push_image(c, "users/image");
			read_image(c, "users/image");
			assert_int_equal(registry_mount_blob(c, "users/other", &big_promise, "users/image", &e), 1);
			continue;
		}
		AUTO(source) raw = source_memory(config_bytes, sizeof(config_bytes) - 1, NULL);
		fails(registry_put_blob(c, "users/image", &config_promise, raw, &e), &e, ERR_DENIED, NULL);
		if (cases[i].who)
			fails(registry_ping(c, &e), &e, ERR_DENIED, NULL);
	}
	/* the mount's token names both, the pushed one first */
	assert_int_equal(DIARY(f, "\"scope\": \"repository:users/other:pull,push repository:users/image:pull\""), 2);
	/* the identity token went by POST alone where the service knows it */
	assert_true(DIARY(f, "\"on\": \"tokens\"", "\"POST\"", "\"authorization\": null", "\"status\": 200") >= 3);
	assert_int_equal(DIARY(g, "\"on\": \"tokens\"", "\"POST\"", "\"status\": 200"), 0);
	server_stop(f.pid);
	server_stop(g.pid);
}

/* Basic at the front, blobs at another listener: the password stays at home. */
static void a_password_stays_home(void **state)
{
	static const char *const options[] = { "--basic", "--user", "alice:canary-password", "--redirect", NULL };
	struct front f = front_start(folder, open_registry.host, options);
	AUTO(registry) r = make(f.host, false, &alice);
	AUTO(registry_conn) c = join(r);

	(void)state;
	read_image(c, "team/image");
	assert_int_equal(DIARY(f, "\"on\": \"store\"", "\"authorization\": null", "\"status\": 200"), 2);
	assert_int_equal(DIARY(f, "\"on\": \"store\""), 2);
	assert_int_equal(DIARY(f, "\"on\": \"tokens\""), 0);
	server_stop(f.pid);
}

/* The host of the blobs wants a token that it gives to anybody: asked without our credentials, once for both blobs. */
static void a_token_from_abroad(void **state)
{
	static const char *const options[] = { "--user", "alice:canary-password", "--redirect", "--store-bearer",
					       NULL };
	struct front f = front_start(folder, open_registry.host, options);
	AUTO(registry) r = make(f.host, false, &alice);
	AUTO(registry_conn) c = join(r);

	(void)state;
	read_image(c, "team/image");
	assert_int_equal(DIARY(f, "\"on\": \"tokens\"", "\"scope\": \"store:all\""), 1);
	assert_int_equal(DIARY(f, "\"on\": \"tokens\"", "\"scope\": \"store:all\"", "\"authorization\": null"), 1);
	assert_int_equal(DIARY(f, "\"on\": \"store\"", "\"status\": 200"), 2);
	server_stop(f.pid);
}

/* /v2/ is open, the rest is not. */
static void an_open_door(void **state)
{
	static const char *const options[] = { "--open-v2", NULL };
	struct front f = front_start(folder, open_registry.host, options);
	AUTO(registry) r = make(f.host, true, NULL);
	AUTO(registry_conn) c = join(r);

	(void)state;
	OK(registry_ping(c, why));
	read_image(c, "team/image");
	push_image(c, "door/image");
	assert_int_equal(DIARY(f, "\"status\": 401"), 1);
	server_stop(f.pid);
}

static void digest_headers(void **state)
{
	static const char *const wrong[] = { "--digest-header", "wrong", NULL };
	static const char *const none[] = { "--digest-header", "none", NULL };
	static const char *const *const options[] = { wrong, none };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct front f = front_start(folder, open_registry.host, options[i]);
		AUTO(registry) r = make(f.host, false, NULL);
		AUTO(registry_conn) c = join(r);
		struct digest d;
		struct err e = { 0 };
		char text[DIGEST_TEXT_SIZE];
		warnings = 0;
		read_manifest(c, "team/image", "1.0");
		assert_int_equal(warnings, i == 0);
		if (!i)
			assert_non_null(strstr(last_warning, "the bytes count"));
		read_manifest(c, "team/image", digest_text(&manifest_digest, text));
		assert_int_equal(warnings, i == 0);
		if (i) {
			assert_int_equal(registry_has_manifest(c, "team/image", "1.0", &d, &e), 1);
			assert_true(digest_equal(&d, &manifest_digest));
		}
		assert_int_equal(registry_has_manifest(c, "team/image", digest_text(&manifest_digest, text), &d, &e),
				 1);
		assert_true(digest_equal(&d, &manifest_digest));
		server_stop(f.pid);
	}
}

/* The header says "encoded", the bytes are not: hashed as received, so they are taken. */
static void encoded_in_name_only(void **state)
{
	static const char *const options[] = { "--encode", NULL };
	struct front f = front_start(folder, open_registry.host, options);
	AUTO(registry) r = make(f.host, false, NULL);
	AUTO(registry_conn) c = join(r);
	struct promise lie = config_promise;
	struct err e = { 0 };

	(void)state;
	read_blob(c, "team/image", &config_promise, config_bytes);
	lie.size++;
	AUTO(source) s = registry_open_blob(c, "team/image", &lie, &e);
	assert_non_null(s);
	fails(source_drain(s, &e), &e, ERR_CORRUPT, "Content-Encoding gzip");
	server_stop(f.pid);
}

static void bad_arguments(void **state)
{
	static const char *const names[] = { "",       "UPPER", "a//b", "../etc", "a/../b", "a b",
					     "a\r\nb", "a?b",   "a#b",  "a%2fb",  "/a" };
	static const char *const selectors[] = { "",   "a b",        "a/b",  "../x",      "a?x=y", "a\r\nX: y",
						 "-a", "sha256:abc", ".tag", "sha512:00", "a%0db" };
	AUTO(registry) r = make("127.0.0.1:1", false, NULL);
	AUTO(registry_conn) c = join(r);
	AUTO_BUF bytes = { 0 };
	char type[128];
	struct digest d;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct err e = { 0 };
		fails(registry_get_manifest(c, names[i], "1", &bytes, &d, type, &e), &e, ERR_USAGE, NULL);
		assert_null(registry_open_blob(c, names[i], &big_promise, &e));
		assert_int_equal(registry_put_manifest(c, names[i], "1", "x", "{}", 2, &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
	for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
		struct err e = { 0 };
		fails(registry_get_manifest(c, "a", selectors[i], &bytes, &d, type, &e), &e, ERR_USAGE, NULL);
		fails(registry_put_manifest(c, "a", selectors[i], "x", "{}", 2, &e), &e, ERR_USAGE, NULL);
	}
	const struct registry_options options = { .http = http };
	assert_null(registry_new("a/b", &options, NULL));
	assert_null(registry_new("user@host", &options, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_to_all),
		cmocka_unit_test(pushing_wrong_things),
		cmocka_unit_test(mounting),
		cmocka_unit_test(sizes_at_the_edge),
		cmocka_unit_test(with_a_password),
		cmocka_unit_test(with_the_file),
		cmocka_unit_test(one_request_each),
		cmocka_unit_test(workers_share),
		cmocka_unit_test(workers_share_a_failure),
		cmocka_unit_test(tokens_end),
		cmocka_unit_test(tokens_that_never_work),
		cmocka_unit_test(users_of_a_token_service),
		cmocka_unit_test(a_password_stays_home),
		cmocka_unit_test(a_token_from_abroad),
		cmocka_unit_test(an_open_door),
		cmocka_unit_test(digest_headers),
		cmocka_unit_test(encoded_in_name_only),
		cmocka_unit_test(bad_arguments),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
