/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: real daemons (dockerd with its classic store, podman's service) take what we send them and show what we expect:
 * IDs, layers, names; several images and platforms; nameless ones; moved names only with --replace; and of an archive
 * that changed after it was verified they have nothing. Where a daemon cannot run (no root, not installed), its half is
 * skipped.
 */
#include "tests/unit/target/archive.h"
#include "tests/unit/target/server.h"

#include "target/target.h"

#define NAME "docker.io/library/imgpack-test:1"

enum kind { DOCKER, PODMAN };

struct world {
	char folder[64];
	char archive[96], socket[96], host[104], log[96], root[96], run[96], pidfile[96];
	enum kind kind;
	pid_t daemon;
	struct http *http;
	struct pack_file *file;
};

static void start_daemon(struct world *w)
{
	const char *const docker[] = { "dockerd",
				       "--data-root",
				       w->root,
				       "--exec-root",
				       w->run,
				       "-H",
				       w->host,
				       "-p",
				       w->pidfile,
				       "--iptables=false",
				       "--ip6tables=false",
				       "--bridge=none",
				       "--storage-driver=vfs",
				       NULL };
	const char *const podman[] = { "podman", "--root", w->root,   "--runroot", w->run, "--storage-driver",
				       "vfs",    "system", "service", "-t",        "0",    w->host,
				       NULL };
	char where[256];

	w->daemon = server_start(w->kind == DOCKER ? docker : podman, w->log);
	if (!server_wait_unix(w->daemon, w->socket, 40) || !target_docker_answers(w->host, w->http, where)) {
		server_stop(w->daemon);
		w->daemon = 0;
	}
}

static int setup(struct world *w, enum kind kind)
{
	struct err e = { 0 };

	w->kind = kind;
	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/imgpack-daemon-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->archive, sizeof(w->archive), "%s/a.tar", w->folder);
	(void)snprintf(w->socket, sizeof(w->socket), "%s/d.sock", w->folder);
	(void)snprintf(w->host, sizeof(w->host), "unix://%s", w->socket);
	(void)snprintf(w->log, sizeof(w->log), "%s/log", w->folder);
	(void)snprintf(w->root, sizeof(w->root), "%s/root", w->folder);
	(void)snprintf(w->run, sizeof(w->run), "%s/run", w->folder);
	(void)snprintf(w->pidfile, sizeof(w->pidfile), "%s/pid", w->folder);
	w->http = http_new(&(struct http_options){ .stall_seconds = 30 }, &e);
	ASSERT_OK(!w->http, &e);
	start_daemon(w);
	return 0;
}

static int setup_docker(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return setup(*state, DOCKER);
}

static int setup_podman(void **state)
{
	*state = calloc(1, sizeof(struct world));
	return setup(*state, PODMAN);
}

static int teardown(void **state)
{
	struct world *w = *state;

	pack_file_free(w->file);
	server_stop(w->daemon);
	http_free(w->http);
	remove_folder(w->folder);
	free(w);
	return 0;
}

static struct load_result *load(struct world *w, bool replace, struct err *e)
{
	struct load_image images[8] = { 0 };
	struct load_request r = {
		.supply = supply_of_file(w->file),
		.images = images,
		.count = w->file->pack->image_count,
		.replace = replace,
		.connections = 2,
		.http = w->http,
	};

	*e = (struct err){ 0 };
	for (size_t i = 0; i < r.count; i++)
		images[i] = (struct load_image){ &w->file->pack->images[i], w->file->pack->images[i].name };
	return target_docker_load(w->host, &r, e);
}

static void open_archive(struct world *w, const struct recipe *recipes, size_t count)
{
	pack_file_free(TAKE(w->file));
	w->file = make_archive(w->archive, recipes, count);
}

/* The first image's layers are changed behind our back: the daemon must not have it, and must still work afterwards. */
static void changed_archive(struct world *w)
{
	static const struct recipe fresh[] = { { "docker.io/library/imgpack-changed:1", "linux/amd64", "xY" } };
	struct err e;

	for (unsigned i = 0; i < 4; i++) {
		open_archive(w, fresh, 1);
		size_t layer = w->file->pack->images[0].manifests[0].layers[i % 2];
		uint64_t size = w->file->pack->blobs[layer].promise.size;
		spoil_layer(w->archive, w->file, layer, i < 2 ? size - 1 : 700);
		AUTO(load_result) r = load(w, false, &e);
		assert_null(r);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_non_null(strstr(e.text, "nothing stands there"));
	}
	open_archive(w, fresh, 1);
	AUTO(load_result) r = load(w, false, &e);
	ASSERT_OK(!r, &e);
}

static void test_daemon(void **state)
{
	static const struct recipe first[] = {
		{ NAME, "linux/amd64", "abC" },
		{ "quay.io/imgpack/multi:2", "linux/arm64 linux/amd64", "bd" },
		{ "localhost:5000/imgpack/again:3", "linux/amd64", "abC" },
	};
	static const struct recipe second[] = { { NAME, "linux/amd64", "abCe" } };
	static const struct recipe nameless[] = { { NULL, "linux/amd64", "fg" } };
	struct world *w = *state;
	struct err e;

	if (!w->daemon) {
		print_message("%s does not run here\n", w->kind == DOCKER ? "dockerd" : "podman's service");
		skip();
	}
	open_archive(w, first, 3);
	for (int again = 0; again < 2; again++) {
		AUTO(load_result) r = load(w, false, &e);
		ASSERT_OK(!r, &e);
		for (size_t i = 0; i < 3; i++) {
			const struct pack_manifest *m = &w->file->pack->images[i].manifests[i == 1];
			assert_string_equal(r->images[i].loaded_as, first[i].name);
			assert_int_equal(r->images[i].had_it, again);
			assert_true(
				digest_equal(&r->images[i].digest, &w->file->pack->blobs[m->config].promise.digest));
		}
		assert_true(again ? !r->sent_bytes : r->sent_bytes > 3u << 20);
	}
	open_archive(w, second, 1);
	AUTO(load_result) refused = load(w, false, &e);
	assert_null(refused);
	assert_int_equal(e.kind, ERR_TARGET);
	AUTO(load_result) moved = load(w, true, &e);
	ASSERT_OK(!moved, &e);
	open_archive(w, nameless, 1);
	AUTO(load_result) without = load(w, false, &e);
	ASSERT_OK(!without, &e);
	assert_true(text_starts(without->images[0].loaded_as, "sha256:"));
	changed_archive(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		{ "dockerd", test_daemon, setup_docker, teardown, NULL },
		{ "podman", test_daemon, setup_podman, teardown, NULL },
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
