/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a selected pack holds exactly what the chosen images need, in the old order and with the old places, under the
 * new names; narrowed images point straight at their manifest; an index that names what the pack does not know, or that
 * nests too deep, is noticed; and what an image is made of comes leaves first.
 */
#include "tests/unit/target/archive.h"

#include "base/limits.h"
#include "pack/select.h"

static const struct recipe recipes[] = {
	{ "docker.io/library/one:1", "linux/amd64", "ab" },
	{ "quay.io/x/two:2", "linux/amd64 linux/arm64", "ac" },
	{ NULL, "linux/amd64", "b" },
};

static struct pack *three(void)
{
	struct pack *p = make_pack(recipes, 3);

	for (size_t i = 0; i < p->blob_count; i++)
		p->blobs[i].offset = 1000 + i;
	return p;
}

static bool has(const struct pack *p, const struct pack *from, size_t blob)
{
	return pack_find_blob(p, &from->blobs[blob].promise.digest) >= 0;
}

/* Every blob of `to` is as it was in `from`, and the order is kept. */
static void check_blobs(const struct pack *to, const struct pack *from)
{
	ptrdiff_t before = -1;

	for (size_t i = 0; i < to->blob_count; i++) {
		const struct pack_blob *b = &to->blobs[i];
		ptrdiff_t at = pack_find_blob(from, &b->promise.digest);
		assert_true(at > before);
		before = at;
		const struct pack_blob *was = &from->blobs[at];
		assert_int_equal(b->offset, was->offset);
		assert_int_equal(b->role, was->role);
		assert_int_equal(b->absent, was->absent);
		assert_int_equal(b->promise.size, was->promise.size);
		assert_string_equal(b->media_type, was->media_type);
		assert_true(!b->bytes == !was->bytes);
		if (b->bytes)
			assert_memory_equal(b->bytes, was->bytes, b->promise.size);
	}
}

static void test_whole(void **state)
{
	(void)state;
	struct err e = { 0 };
	AUTO(pack) p = three();
	const struct pack_image *two = &p->images[1];
	const struct pack_choice choice = { .image = two, .name = "h:1/n:3", .whole = true, .manifest = 1 };
	AUTO(pack) s = pack_select(p, &choice, 1, &e);

	ASSERT_OK(!s, &e);
	check_blobs(s, p);
	/* Two manifests, two configs, four layers, one index. */
	assert_int_equal(s->blob_count, 9);
	assert_int_equal(s->image_count, 1);
	const struct pack_image *image = &s->images[0];
	assert_string_equal(image->name, "h:1/n:3");
	assert_int_equal(image->manifest_count, 2);
	assert_int_equal(image->preferred, 1);
	assert_true(image->has_source);
	assert_true(digest_equal(&s->blobs[image->root].promise.digest, &p->blobs[two->root].promise.digest));
	for (size_t i = 0; i < 2; i++) {
		const struct pack_manifest *m = &image->manifests[i];
		const struct pack_manifest *was = &two->manifests[i];
		assert_true(digest_equal(&s->blobs[m->blob].promise.digest, &p->blobs[was->blob].promise.digest));
		assert_true(digest_equal(&s->blobs[m->config].promise.digest, &p->blobs[was->config].promise.digest));
		assert_int_equal(m->layer_count, 2);
		assert_memory_equal(m->diff_ids, was->diff_ids, 2 * sizeof(*m->diff_ids));
		for (size_t k = 0; k < 2; k++)
			assert_true(digest_equal(&s->blobs[m->layers[k]].promise.digest,
						 &p->blobs[was->layers[k]].promise.digest));
	}
}

static void test_narrowed(void **state)
{
	(void)state;
	struct err e = { 0 };
	AUTO(pack) p = three();
	const struct pack_image *two = &p->images[1];
	const struct pack_choice choice = { .image = two, .name = two->name, .manifest = 1 };
	AUTO(pack) s = pack_select(p, &choice, 1, &e);

	ASSERT_OK(!s, &e);
	check_blobs(s, p);
	assert_int_equal(s->blob_count, 4);
	assert_false(has(s, p, two->root));
	assert_false(has(s, p, two->manifests[0].blob));
	const struct pack_image *image = &s->images[0];
	assert_int_equal(image->manifest_count, 1);
	assert_int_equal(image->preferred, 0);
	assert_int_equal(image->root, image->manifests[0].blob);
	assert_false(image->has_source);
	assert_string_equal(image->manifests[0].platform.architecture, "arm64");
	/* And it makes a layout whose papers name what is there. */
	AUTO(layout) l = layout_new(s, &(struct layout_options){ .no_toc = true }, &e);
	ASSERT_OK(!l, &e);
	assert_int_equal(l->count, 4 + 3);
}

/* Several images share layers once; the same image under two names; nameless ones stay nameless. */
static void test_several(void **state)
{
	(void)state;
	struct err e = { 0 };
	AUTO(pack) p = three();
	const struct pack_choice choices[] = {
		{ .image = &p->images[2], .name = NULL },
		{ .image = &p->images[0], .name = "docker.io/library/one:1" },
		{ .image = &p->images[0], .name = "docker.io/library/other:1", .whole = true },
	};
	AUTO(pack) s = pack_select(p, choices, 3, &e);

	ASSERT_OK(!s, &e);
	check_blobs(s, p);
	assert_int_equal(s->image_count, 3);
	assert_null(s->images[0].name);
	assert_string_equal(s->images[2].name, "docker.io/library/other:1");
	assert_int_equal(s->images[1].root, s->images[2].root);
	assert_true(s->images[2].has_source);
	/* one: 2 layers, config, manifest; nameless: layer b is shared, config, manifest. */
	assert_int_equal(s->blob_count, 6);
}

static void test_refused(void **state)
{
	(void)state;
	struct err e = { 0 };
	AUTO(pack) p = three();
	const struct pack_choice twice[] = {
		{ .image = &p->images[0], .name = "a.b/c:1" },
		{ .image = &p->images[1], .name = "a.b/c:1" },
	};
	struct pack_choice choice = { .image = &p->images[1], .manifest = 2 };

	assert_null(pack_select(p, twice, 2, &e));
	assert_int_equal(e.kind, ERR_USAGE);
	assert_null(pack_select(p, &choice, 1, &e));
	assert_int_equal(e.kind, ERR_USAGE);
	choice.manifest = 1;
	p->images[1].manifests[1].image = false;
	assert_null(pack_select(p, &choice, 1, &e));
	assert_int_equal(e.kind, ERR_USAGE);
	/* The index itself is not in memory: what it names cannot be known. */
	choice = (struct pack_choice){ .image = &p->images[1], .whole = true };
	free(TAKE(p->blobs[p->images[1].root].bytes));
	assert_null(pack_select(p, &choice, 1, &e));
	assert_int_equal(e.kind, ERR_CORRUPT);
	/* An empty choice is an empty pack. */
	AUTO(pack) empty = pack_select(p, NULL, 0, &e);
	assert_non_null(empty);
	assert_int_equal(empty->blob_count, 0);
}

/* An index around `children` (blobs of p, absent from the pack if `unknown`). */
static size_t add_index(struct pack *p, const size_t *children, size_t count, bool unknown)
{
	struct err e = { 0 };
	AUTO_BUF b = { 0 };

	ASSERT_OK(buf_printf(&b, &e, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[", MEDIA_OCI_INDEX), &e);
	for (size_t i = 0; i < count; i++) {
		ASSERT_OK(buf_puts(&b, i ? "," : "", &e), &e);
		put_descriptor(&b, p, (ptrdiff_t)children[i]);
		ASSERT_OK(buf_puts(&b, "}", &e), &e);
	}
	if (unknown)
		ASSERT_OK(buf_printf(&b, &e, ",{\"mediaType\":\"%s\",\"size\":7,\"digest\":\"sha256:%064d\"}",
				     MEDIA_OCI_MANIFEST, 7),
			  &e);
	ASSERT_OK(buf_puts(&b, "]}", &e), &e);
	return (size_t)add_bytes(p, BLOB_INDEX, MEDIA_OCI_INDEX, &b);
}

static void test_nested_and_sparse(void **state)
{
	(void)state;
	struct err e = { 0 };
	AUTO(pack) p = three();
	struct pack_image *two = &p->images[1];
	size_t old = two->root;
	const size_t children[] = { two->root, two->manifests[0].blob };
	two->root = add_index(p, children, 2, true);
	const struct pack_choice choice = { .image = two, .name = "a.b/c:1", .whole = true };
	AUTO(pack_parts) parts = pack_parts_of(p, &choice, &e);

	ASSERT_OK(!parts, &e);
	assert_int_equal(parts->unknown, 1);
	assert_int_equal(parts->first_unknown.raw[31], 7);
	assert_int_equal(parts->paper_count, 4);
	assert_int_equal(parts->papers[2], old);
	assert_int_equal(parts->papers[3], two->root);
	assert_int_equal(parts->data_count, 6);
	AUTO(pack) s = pack_select(p, &choice, 1, &e);
	ASSERT_OK(!s, &e);
	assert_true(has(s, p, old));
	assert_true(has(s, p, two->root));

	for (int depth = 1; depth <= LIMIT_INDEX_NESTING; depth++) {
		const size_t inner[] = { two->root };
		two->root = add_index(p, inner, 1, false);
	}
	assert_null(pack_parts_of(p, &choice, &e));
	assert_int_equal(e.kind, ERR_CORRUPT);
}

/* The loose original index of an archive with one platform travels only with the whole image. */
static void test_loose_source(void **state)
{
	(void)state;
	struct err e = { 0 };
	AUTO(pack) p = three();
	struct pack_image *two = &p->images[1];
	struct pack_choice choice = { .image = two, .name = "a.b/c:1", .whole = true };

	two->root = two->manifests[0].blob;
	two->manifest_count = 1;
	AUTO(pack) whole = pack_select(p, &choice, 1, &e);
	choice.whole = false;
	AUTO(pack) narrowed = pack_select(p, &choice, 1, &e);
	two->manifest_count = 2;
	ASSERT_OK(!whole || !narrowed, &e);
	assert_int_equal(whole->blob_count, 5);
	assert_true(pack_find_blob(whole, &two->source.digest) >= 0);
	assert_int_equal(narrowed->blob_count, 4);
	assert_true(pack_find_blob(narrowed, &two->source.digest) < 0);
}

static void test_choose(void **state)
{
	(void)state;
	struct err e = { 0 };
	AUTO(pack) p = three();
	struct platform want;

	ASSERT_OK(platform_parse(&want, "linux/arm64", &e), &e);
	assert_int_equal(pack_image_choose(&p->images[1], &want, &e), 1);
	assert_int_equal(pack_image_platforms(&p->images[1]), 2);
	ASSERT_OK(platform_parse(&want, "linux/s390x", &e), &e);
	assert_int_equal(pack_image_choose(&p->images[1], &want, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_non_null(strstr(e.text, "linux/amd64, linux/arm64"));
	ASSERT_OK(platform_parse(&want, "linux/arm64", &e), &e);
	p->images[1].manifests[1].image = false;
	assert_int_equal(pack_image_choose(&p->images[1], &want, &e), -1);
	assert_int_equal(pack_image_platforms(&p->images[1]), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_narrowed),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nested_and_sparse),
		cmocka_unit_test(test_loose_source),
		cmocka_unit_test(test_choose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
