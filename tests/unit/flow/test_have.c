/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: --have leaves out exactly the layers that the lists prove to be there: by their digest, or for docker's graph
 * driver by their chain and then for every image; never a paper. What is no list and no archive is named.
 */
#include "flow/have.h"

#include "pack/inventory.h"
#include "tests/unit/pack/sample.h"

#include <unistd.h>

/* A pack of two images: one has layers 1 2 3, the other 1 4 3: layer 3 stands on two bases. */
struct world {
	struct pack *pack;
	struct store store;
	struct promise layers[5]; /* from 1 */
	struct inventory *list;
	char path[64];
};

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	assert_non_null(w);
	for (unsigned i = 1; i < 5; i++)
		w->layers[i] = sample_layer(&w->store, i);
	const struct promise a[] = { w->layers[1], w->layers[2], w->layers[3] };
	const struct promise b[] = { w->layers[1], w->layers[4], w->layers[3] };
	w->pack = pack_new(&sample_err);
	assert_non_null(w->pack);
	(void)sample_image(w->pack, "quay.io/x/a:1", AMD64, a, 3);
	(void)sample_image(w->pack, "quay.io/x/b:1", AMD64, b, 3);
	w->list = inventory_new(&sample_err);
	assert_non_null(w->list);
	(void)snprintf(w->path, sizeof(w->path), "/tmp/have.XXXXXX");
	int fd = mkstemp(w->path);
	assert_true(fd >= 0);
	(void)close(fd);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	(void)unlink(w->path);
	pack_free(w->pack);
	inventory_free(w->list);
	store_release(&w->store);
	free(w);
	return 0;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* Leaves out what the world's list says; "13" means that layers 1 and 3 are absent, and nothing else is. */
static void leaves_out(struct world *w, const char *expected)
{
	const char *const files[] = { w->path, NULL };
	struct left_out out = { 0 };
	uint64_t bytes = 0;
	size_t absent = 0;
	AUTO_BUF text = { 0 };

	OK(inventory_write(w->list, &text, &sample_err));
	write_file(w->path, text.data, text.len);
	AUTO(have) h = have_new(files, NULL, &sample_err);
	if (!h)
		fail_msg("%s", sample_err.text);
	OK(have_leave_out(h, w->pack, &out, &sample_err));
	for (size_t i = 0; i < w->pack->blob_count; i++)
		absent += w->pack->blobs[i].absent;
	assert_int_equal(absent, strlen(expected));
	for (const char *c = expected; *c; c++) {
		ptrdiff_t blob = pack_find_blob(w->pack, &w->layers[*c - '0'].digest);
		assert_true(blob >= 0 && w->pack->blobs[blob].absent);
		bytes += w->layers[*c - '0'].size;
	}
	assert_int_equal(out.count, strlen(expected));
	assert_int_equal(out.bytes, bytes);
}

static void test_nothing(void **state)
{
	leaves_out(*state, "");
}

static void test_digests(void **state)
{
	struct world *w = *state;

	OK(inventory_add(w->list, HAVE_BLOB, &w->layers[1].digest, &sample_err));
	OK(inventory_add(w->list, HAVE_BLOB, &w->layers[3].digest, &sample_err));
	leaves_out(w, "13");
}

/* They are there, too, and travel all the same. */
static void test_papers_travel(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < w->pack->blob_count; i++)
		if (w->pack->blobs[i].role != BLOB_LAYER)
			OK(inventory_add(w->list, HAVE_BLOB, &w->pack->blobs[i].promise.digest, &sample_err));
	leaves_out(w, "");
}

/* docker has the first image: layer 3 of the second one stands on another base there, so it must travel. */
static void test_chains(void **state)
{
	struct world *w = *state;
	const struct digest a[] = { w->layers[1].digest, w->layers[2].digest, w->layers[3].digest };

	OK(inventory_add_chains(w->list, a, 3, &sample_err));
	leaves_out(w, "12");
}

static void test_both_chains(void **state)
{
	struct world *w = *state;
	const struct digest a[] = { w->layers[1].digest, w->layers[2].digest, w->layers[3].digest };
	const struct digest b[] = { w->layers[1].digest, w->layers[4].digest, w->layers[3].digest };

	OK(inventory_add_chains(w->list, a, 3, &sample_err));
	OK(inventory_add_chains(w->list, b, 3, &sample_err));
	leaves_out(w, "1234");
}

/* A diff ID is no chain, and a chain's digest is no blob's. */
static void test_kinds_are_apart(void **state)
{
	struct world *w = *state;

	OK(inventory_add(w->list, HAVE_CHAIN, &w->layers[2].digest, &sample_err));
	leaves_out(w, "");
}

static void test_archive(void **state)
{
	struct world *w = *state;
	const char *const files[] = { w->path, NULL };
	const struct promise a[] = { w->layers[1], w->layers[2] };
	struct left_out out = { 0 };
	AUTO_BUF tar = { 0 };
	AUTO(pack) old = pack_new(&sample_err);

	assert_non_null(old);
	(void)sample_image(old, "quay.io/x/old:1", AMD64, a, 2);
	/* What a thin one relied on stands there as well. */
	old->blobs[pack_find_blob(old, &w->layers[2].digest)].absent = true;
	AUTO(layout) l = layout_new(old, NULL, &sample_err);
	assert_non_null(l);
	sample_tar(l, &w->store, &tar);
	write_file(w->path, tar.data, tar.len);
	AUTO(have) h = have_new(files, NULL, &sample_err);
	if (!h)
		fail_msg("%s", sample_err.text);
	OK(have_leave_out(h, w->pack, &out, &sample_err));
	assert_int_equal(out.count, 2);
	assert_int_equal(out.bytes, w->layers[1].size + w->layers[2].size);
}

static void test_bad_files(void **state)
{
	struct world *w = *state;
	const char *const files[] = { w->path, NULL };
	const char *const missing[] = { "/nowhere/list.txt", NULL };
	struct err e = { 0 };

	assert_null(have_new(missing, NULL, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_non_null(strstr(e.text, "--have /nowhere/list.txt"));
	static const char *const texts[] = { "", "hello\n", "imgpack-inventory 1\nsha256:12\n" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(w->path, texts[i], strlen(texts[i]));
		assert_null(have_new(files, NULL, &e));
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_non_null(strstr(e.text, w->path));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing),     TEST(test_digests),         TEST(test_papers_travel), TEST(test_chains),
		TEST(test_both_chains), TEST(test_kinds_are_apart), TEST(test_archive),       TEST(test_bad_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
