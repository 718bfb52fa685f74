/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a pack holds each blob once, refuses two sizes for one digest, two images of one name, configs that do not fit
 * their manifest, and more than limits.h allows; it counts an image's bytes right.
 */
#include "sample.h"

#include "base/limits.h"

static struct promise fake_promise(unsigned n, uint64_t size)
{
	struct promise p = promise_of(&n, sizeof(n));

	p.size = size;
	return p;
}

static void blobs_are_there_once(void **state)
{
	AUTO(pack) p = pack_new(&sample_err);
	struct promise a = promise_of("abc", 3);
	struct promise b = promise_of("", 0);

	(void)state;
	assert_int_equal(pack_find_blob(p, &a.digest), -1);
	assert_int_equal(pack_add_blob(p, &a, BLOB_OTHER, NULL, NULL, &sample_err), 0);
	assert_int_equal(pack_add_blob(p, &b, BLOB_LAYER, "t/b", "", &sample_err), 1);
	assert_string_equal(p->blobs[0].media_type, "");
	assert_null(p->blobs[0].bytes);
	assert_non_null(p->blobs[1].bytes);

	/* A later use tells what the first did not know, and changes nothing that it did know. */
	assert_int_equal(pack_add_blob(p, &a, BLOB_CONFIG, "t/a", "abc", &sample_err), 0);
	assert_int_equal(pack_add_blob(p, &a, BLOB_LAYER, "t/x", "abc", &sample_err), 0);
	assert_int_equal(p->blobs[0].role, BLOB_CONFIG);
	assert_string_equal(p->blobs[0].media_type, "t/a");
	assert_string_equal(p->blobs[0].bytes, "abc");
	assert_int_equal(p->blob_count, 2);
	assert_int_equal(pack_find_blob(p, &a.digest), 0);
}

static void two_sizes_for_a_digest(void **state)
{
	AUTO(pack) p = pack_new(&sample_err);
	struct promise a = promise_of("abc", 3);
	struct err e = { 0 };

	(void)state;
	assert_int_equal(pack_add_blob(p, &a, BLOB_LAYER, NULL, NULL, &sample_err), 0);
	a.size = 4;
	assert_int_equal(pack_add_blob(p, &a, BLOB_LAYER, NULL, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.text, "with 3 and with 4 bytes"));
	assert_non_null(strstr(e.text, "sha256:ba7816bf"));
}

static void impossible_blobs(void **state)
{
	AUTO(pack) p = pack_new(&sample_err);
	struct promise a = fake_promise(1, (uint64_t)INT64_MAX + 1);
	char type[MEDIA_TYPE_SIZE + 1];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(pack_add_blob(p, &a, BLOB_LAYER, NULL, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	a.size = INT64_MAX;
	memset(type, 'x', sizeof(type));
	type[MEDIA_TYPE_SIZE] = '\0';
	assert_int_equal(pack_add_blob(p, &a, BLOB_LAYER, type, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	type[MEDIA_TYPE_SIZE - 1] = '\0';
	assert_int_equal(pack_add_blob(p, &a, BLOB_LAYER, type, NULL, &e), 0);
	assert_string_equal(p->blobs[0].media_type, type);
}

static void limit_of_blobs(void **state)
{
	AUTO(pack) p = pack_new(&sample_err);
	struct err e = { 0 };

	(void)state;
	for (unsigned i = 0; i < LIMIT_MEMBERS; i++) {
		struct promise a = fake_promise(i, 1);
		assert_int_equal(pack_add_blob(p, &a, BLOB_LAYER, NULL, NULL, &sample_err), i);
	}
	struct promise more = fake_promise(LIMIT_MEMBERS, 1);
	assert_int_equal(pack_add_blob(p, &more, BLOB_LAYER, NULL, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	struct promise old = fake_promise(7, 1);
	assert_int_equal(pack_add_blob(p, &old, BLOB_LAYER, NULL, NULL, &e), 7);
}

static void names_and_their_limit(void **state)
{
	AUTO(pack) p = pack_new(&sample_err);
	struct err e = { 0 };
	char name[64];

	(void)state;
	for (int i = 0; i < LIMIT_IMAGES; i++) {
		(void)snprintf(name, sizeof(name), "docker.io/library/x:%d", i);
		struct pack_image *image = pack_add_image(p, i == 5 || i == 6 ? NULL : name, &sample_err);
		assert_non_null(image);
		if (i == 9) {
			assert_null(pack_add_image(p, "docker.io/library/x:3", &e));
			assert_int_equal(e.kind, ERR_USAGE);
			assert_non_null(strstr(e.text, "docker.io/library/x:3: is named twice"));
		}
	}
	assert_int_equal(p->image_count, LIMIT_IMAGES);
	assert_null(p->images[5].name);
	assert_string_equal(p->images[4].name, "docker.io/library/x:4");
	assert_null(pack_add_image(p, "docker.io/library/y:1", &e));
	assert_int_equal(e.kind, ERR_USAGE);
	assert_int_equal(p->image_count, LIMIT_IMAGES);
}

static void order_is_manifest_config_layers(void **state)
{
	__attribute__((cleanup(store_release))) struct store s = { 0 };
	AUTO(pack) p = pack_new(&sample_err);

	(void)state;
	struct promise layers[3] = { sample_layer(&s, 1), sample_layer(&s, 2), sample_layer(&s, 1) };
	const struct pack_image *image = sample_index(p, "docker.io/library/x:1", layers, 3);
	const enum blob_role roles[] = { BLOB_INDEX, BLOB_MANIFEST, BLOB_CONFIG, BLOB_LAYER,
					 BLOB_LAYER, BLOB_MANIFEST, BLOB_CONFIG };
	assert_int_equal(p->blob_count, 7);
	for (size_t i = 0; i < 7; i++)
		assert_int_equal(p->blobs[i].role, roles[i]);
	assert_int_equal(image->manifest_count, 2);
	const struct pack_manifest *m = &image->manifests[1];
	assert_true(m->image);
	assert_int_equal(m->layer_count, 3);
	assert_int_equal(m->layers[0], 3);
	assert_int_equal(m->layers[1], 4);
	assert_int_equal(m->layers[2], 3);
	assert_memory_equal(&m->diff_ids[1], &layers[1].digest, sizeof(struct digest));
	assert_string_equal(m->platform.architecture, "amd64");
	assert_int_equal(image->preferred, 1);
	assert_string_equal(p->blobs[3].media_type, MEDIA_OCI_LAYER);
	assert_string_equal(p->blobs[2].media_type, MEDIA_OCI_CONFIG);

	/* Each once, and an absent one is not stored. */
	uint64_t sum = 0;
	for (size_t i = 0; i < 7; i++)
		sum += p->blobs[i].promise.size;
	assert_int_equal(pack_image_bytes(p, image), sum);
	p->blobs[4].absent = true;
	assert_int_equal(pack_image_bytes(p, image), sum - layers[1].size);
}

/* pack_image_bytes() moves a window over the blob numbers; an image whose blobs lie far apart is counted right. */
static void bytes_over_windows(void **state)
{
	AUTO(pack) p = pack_new(&sample_err);
	struct promise layers[4] = { fake_promise(0, 1), fake_promise(32767, 10), fake_promise(32768, 100),
				     fake_promise(70000, 1000) };

	(void)state;
	for (unsigned i = 0; i < 70001; i++) {
		struct promise a = fake_promise(i, i == 0       ? 1
						   : i == 32767 ? 10
						   : i == 32768 ? 100
						   : i == 70000 ? 1000
								: 7);
		assert_true(pack_add_blob(p, &a, BLOB_LAYER, NULL, NULL, &sample_err) >= 0);
	}
	const struct pack_image *image = sample_image(p, NULL, AMD64, layers, 4);
	uint64_t papers = p->blobs[70001].promise.size + p->blobs[70002].promise.size;
	assert_int_equal(pack_image_bytes(p, image), papers + 1111);
	p->blobs[0].promise.size = UINT64_MAX; /* saturates */
	assert_true(pack_image_bytes(p, image) == UINT64_MAX);
}

struct draft {
	struct pack *p;
	struct pack_image *image;
	struct buf config;
	size_t blob;
};

/* A manifest of two layers in the pack, its config with `diff_ids` of them in d->config; not yet added to the image. */
static void draft_make(struct draft *d, size_t diff_ids, const char *config_type)
{
	AUTO_BUF manifest = { 0 };
	struct promise layers[2] = { fake_promise(1, 100), fake_promise(2, 200) };

	d->p = pack_new(&sample_err);
	d->image = pack_add_image(d->p, "docker.io/library/x:1", &sample_err);
	d->config = (struct buf){ 0 };
	sample_config(&d->config, AMD64, layers, diff_ids);
	struct promise cp = promise_of(d->config.data, d->config.len);
	sample_manifest(&manifest, config_type, &cp, layers, 2);
	struct promise mp = promise_of(manifest.data, manifest.len);
	d->blob = (size_t)pack_add_blob(d->p, &mp, BLOB_MANIFEST, MEDIA_OCI_MANIFEST, manifest.data, &sample_err);
}

static void draft_release(struct draft *d)
{
	buf_release(&d->config);
	pack_free(d->p);
}

static void expect_refused(struct draft *d, enum err_kind kind, const char *text)
{
	struct err e = { 0 };

	assert_int_equal(
		pack_image_add_manifest(d->p, d->image, d->blob, NULL, false, d->config.data, d->config.len, &e), -1);
	assert_int_equal(e.kind, kind);
	if (!strstr(e.text, text))
		fail_msg("'%s' does not say '%s'", e.text, text);
	assert_int_equal(d->image->manifest_count, 0);
	draft_release(d);
}

static void configs_that_do_not_fit(void **state)
{
	struct draft d;

	(void)state;
	draft_make(&d, 1, MEDIA_OCI_CONFIG);
	expect_refused(&d, ERR_CORRUPT, "names 1 diff IDs, but the manifest has 2 layers");

	draft_make(&d, 2, MEDIA_OCI_CONFIG);
	d.config.data[0] = '[';
	expect_refused(&d, ERR_CORRUPT, "has digest sha256:");

	draft_make(&d, 2, MEDIA_OCI_CONFIG);
	d.config.len--;
	expect_refused(&d, ERR_CORRUPT, "bytes, expected ");

	draft_make(&d, 2, MEDIA_OCI_CONFIG);
	buf_release(&d.config);
	expect_refused(&d, ERR_USAGE, "its bytes are not there");

	draft_make(&d, 2, MEDIA_OCI_CONFIG);
	free(d.p->blobs[d.blob].bytes);
	d.p->blobs[d.blob].bytes = NULL;
	expect_refused(&d, ERR_USAGE, "its bytes are not there");

	/* A layer that another image promised with another size. */
	draft_make(&d, 2, MEDIA_OCI_CONFIG);
	struct promise other = fake_promise(2, 201);
	assert_true(pack_add_blob(d.p, &other, BLOB_LAYER, NULL, NULL, &sample_err) >= 0);
	expect_refused(&d, ERR_CORRUPT, "layer 2 of 2: sha256:");
}

static void config_that_is_a_blob_already(void **state)
{
	struct draft d;

	(void)state;
	draft_make(&d, 2, MEDIA_OCI_CONFIG);
	struct promise cp = promise_of(d.config.data, d.config.len);
	assert_true(pack_add_blob(d.p, &cp, BLOB_OTHER, NULL, d.config.data, &sample_err) >= 0);
	OK(pack_image_add_manifest(d.p, d.image, d.blob, NULL, false, NULL, 0, &sample_err));
	assert_int_equal(d.p->blobs[d.image->manifests[0].config].role, BLOB_CONFIG);
	draft_release(&d);
}

static void artifacts_and_attestations(void **state)
{
	struct platform arm = { .os = "linux", .architecture = "arm", .variant = "v7" };
	struct draft d;
	struct err e = { 0 };

	(void)state;
	draft_make(&d, 1, "application/vnd.cncf.helm.config.v1+json");
	OK(pack_image_add_manifest(d.p, d.image, d.blob, NULL, false, NULL, 0, &sample_err));
	assert_false(d.image->manifests[0].image);
	assert_null(d.image->manifests[0].diff_ids);
	assert_string_equal(d.image->manifests[0].platform.os, "");
	assert_int_equal(pack_image_choose_preferred(d.image, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	draft_release(&d);

	draft_make(&d, 1, MEDIA_OCI_CONFIG);
	OK(pack_image_add_manifest(d.p, d.image, d.blob, NULL, true, d.config.data, d.config.len, &sample_err));
	assert_false(d.image->manifests[0].image);
	draft_release(&d);

	/* The index entry's platform wins over the config's; an empty one does not. */
	draft_make(&d, 2, MEDIA_OCI_CONFIG);
	struct platform none = { 0 };
	OK(pack_image_add_manifest(d.p, d.image, d.blob, &arm, false, d.config.data, d.config.len, &sample_err));
	OK(pack_image_add_manifest(d.p, d.image, d.blob, &none, false, d.config.data, d.config.len, &sample_err));
	assert_string_equal(d.image->manifests[0].platform.variant, "v7");
	assert_string_equal(d.image->manifests[1].platform.architecture, "amd64");
	OK(pack_image_choose_preferred(d.image, &sample_err));
	assert_int_equal(d.image->preferred, 1);
	draft_release(&d);
}

static void preferred_of_many(void **state)
{
	static const struct {
		struct {
			const char *os, *architecture, *variant;
			bool image;
		} m[4];
		size_t preferred;
	} rows[] = {
		{ { { "linux", "arm64", "", true }, { "linux", "amd64", "", true } }, 1 },
		{ { { "linux", "amd64", "v3", true }, { "linux", "amd64", "", true } }, 1 },
		{ { { "linux", "arm64", "", true }, { "linux", "amd64", "v2", true } }, 1 },
		{ { { "windows", "amd64", "", true }, { "linux", "s390x", "", true } }, 0 },
		{ { { "linux", "amd64", "", false }, { "linux", "s390x", "", true } }, 1 },
		{ { { "linux", "amd64", "", true }, { "linux", "amd64", "", true } }, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pack_manifest m[4] = { 0 };
		struct pack_image image = { .manifests = m };
		for (size_t k = 0; k < 4 && rows[i].m[k].os; k++) {
			(void)snprintf(m[k].platform.os, sizeof(m[k].platform.os), "%s", rows[i].m[k].os);
			(void)snprintf(m[k].platform.architecture, sizeof(m[k].platform.architecture), "%s",
				       rows[i].m[k].architecture);
			(void)snprintf(m[k].platform.variant, sizeof(m[k].platform.variant), "%s",
				       rows[i].m[k].variant);
			m[k].image = rows[i].m[k].image;
			image.manifest_count++;
		}
		OK(pack_image_choose_preferred(&image, &sample_err));
		assert_int_equal(image.preferred, rows[i].preferred);
	}
}

static void limit_of_manifests(void **state)
{
	struct draft d;
	struct err e = { 0 };

	(void)state;
	draft_make(&d, 2, MEDIA_OCI_CONFIG);
	for (int i = 0; i < LIMIT_INDEX_ENTRIES; i++)
		OK(pack_image_add_manifest(d.p, d.image, d.blob, NULL, false, d.config.data, d.config.len,
					   &sample_err));
	assert_int_equal(pack_image_add_manifest(d.p, d.image, d.blob, NULL, false, d.config.data, d.config.len, &e),
			 -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_int_equal(d.image->manifest_count, LIMIT_INDEX_ENTRIES);
	draft_release(&d);
}

static void roles_have_words(void **state)
{
	(void)state;
	assert_string_equal(blob_role_text(BLOB_INDEX), "index");
	assert_string_equal(blob_role_text(BLOB_MANIFEST), "manifest");
	assert_string_equal(blob_role_text(BLOB_CONFIG), "config");
	assert_string_equal(blob_role_text(BLOB_LAYER), "layer");
	assert_string_equal(blob_role_text(BLOB_OTHER), "blob");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blobs_are_there_once),
		cmocka_unit_test(two_sizes_for_a_digest),
		cmocka_unit_test(impossible_blobs),
		cmocka_unit_test(limit_of_blobs),
		cmocka_unit_test(names_and_their_limit),
		cmocka_unit_test(order_is_manifest_config_layers),
		cmocka_unit_test(bytes_over_windows),
		cmocka_unit_test(configs_that_do_not_fit),
		cmocka_unit_test(config_that_is_a_blob_already),
		cmocka_unit_test(artifacts_and_attestations),
		cmocka_unit_test(preferred_of_many),
		cmocka_unit_test(limit_of_manifests),
		cmocka_unit_test(roles_have_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
