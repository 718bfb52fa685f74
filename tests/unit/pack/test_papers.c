/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: index.json and manifest.json say exactly what formats.md found every consumer to need: names, tags, platforms,
 * one entry a manifest, nothing that is no image; and writing them is linear.
 */
#include "sample.h"

#include "base/limits.h"

#include <time.h>

#define INDEX_HEAD "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":["

struct fixture {
	struct store store;
	struct pack *p;
	struct promise a, b;
	struct buf index, docker;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->p = pack_new(&sample_err);
	assert_non_null(f->p);
	f->a = sample_layer(&f->store, 1);
	f->b = sample_layer(&f->store, 2);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pack_free(f->p);
	store_release(&f->store);
	buf_release(&f->index);
	buf_release(&f->docker);
	free(f);
	return 0;
}

static void write_papers(struct fixture *f)
{
	buf_clear(&f->index);
	buf_clear(&f->docker);
	OK(papers_index(f->p, &f->index, &sample_err));
	OK(papers_docker_manifest(f->p, &f->docker, &sample_err));
}

/* The descriptor of the image's root; `rest` stands behind the size. */
static void put_root(struct buf *b, const struct fixture *f, size_t image, const char *rest)
{
	char text[DIGEST_TEXT_SIZE];
	const struct pack_blob *root = &f->p->blobs[f->p->images[image].root];

	OK(buf_printf(b, &sample_err, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%" PRIu64 "%s}",
		      root->media_type, digest_text(&root->promise.digest, text), root->promise.size, rest));
}

/* The entry of manifest.json for an image's preferred manifest. */
static void put_docker(struct buf *b, const struct fixture *f, size_t image, const char *tags)
{
	const struct pack_image *i = &f->p->images[image];
	const struct pack_manifest *m = &i->manifests[i->preferred];
	char hex[DIGEST_HEX_SIZE];

	OK(buf_printf(b, &sample_err, "{\"Config\":\"blobs/sha256/%s\",\"RepoTags\":%s,\"Layers\":[",
		      digest_hex(&f->p->blobs[m->config].promise.digest, hex), tags));
	for (size_t k = 0; k < m->layer_count; k++)
		OK(buf_printf(b, &sample_err, "%s\"blobs/sha256/%s\"", k ? "," : "",
			      digest_hex(&f->p->blobs[m->layers[k]].promise.digest, hex)));
	OK(buf_puts(b, "]}", &sample_err));
}

#define PLATFORM ",\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\"}"

static void oci_layout(void **state)
{
	AUTO_BUF b = { 0 };

	(void)state;
	OK(papers_oci_layout(&b, &sample_err));
	assert_string_equal(b.data, "{\"imageLayoutVersion\":\"1.0.0\"}");
}

static void empty_pack(void **state)
{
	struct fixture *f = *state;

	write_papers(f);
	assert_string_equal(f->index.data, INDEX_HEAD "]}");
	assert_string_equal(f->docker.data, "[]");
}

static void one_name(void **state)
{
	struct fixture *f = *state;
	struct promise layers[3] = { f->a, f->b, f->a };
	AUTO_BUF index = { 0 };
	AUTO_BUF docker = { 0 };

	(void)sample_image(f->p, "registry.example.com:5000/team/app:1.0", AMD64, layers, 3);
	write_papers(f);
	OK(buf_puts(&index, INDEX_HEAD, &sample_err));
	put_root(&index, f, 0,
		 ",\"annotations\":{\"io.containerd.image.name\":\"registry.example.com:5000/team/app:1.0\","
		 "\"org.opencontainers.image.ref.name\":\"1.0\"}" PLATFORM);
	OK(buf_puts(&index, "]}", &sample_err));
	assert_string_equal(f->index.data, index.data);

	/* The same layer twice is listed twice; an absent one is listed too. */
	OK(buf_puts(&docker, "[", &sample_err));
	put_docker(&docker, f, 0, "[\"registry.example.com:5000/team/app:1.0\"]");
	OK(buf_puts(&docker, "]", &sample_err));
	assert_string_equal(f->docker.data, docker.data);
	f->p->blobs[f->p->images[0].manifests[0].layers[1]].absent = true;
	write_papers(f);
	assert_string_equal(f->docker.data, docker.data);
}

static void several_names(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF index = { 0 };
	AUTO_BUF docker = { 0 };

	(void)sample_image(f->p, "r.example/a:1", AMD64, &f->a, 1);
	(void)sample_image(f->p, "r.example/b:1", AMD64, &f->b, 1);
	(void)sample_image(f->p, "r.example/a:2", AMD64, &f->a, 1); /* the first one's manifest */
	write_papers(f);
	OK(buf_puts(&index, INDEX_HEAD, &sample_err));
	put_root(&index, f, 0,
		 ",\"annotations\":{\"io.containerd.image.name\":\"r.example/a:1\","
		 "\"org.opencontainers.image.ref.name\":\"r.example/a:1\"}" PLATFORM);
	OK(buf_puts(&index, ",", &sample_err));
	put_root(&index, f, 1,
		 ",\"annotations\":{\"io.containerd.image.name\":\"r.example/b:1\","
		 "\"org.opencontainers.image.ref.name\":\"r.example/b:1\"}" PLATFORM);
	OK(buf_puts(&index, ",", &sample_err));
	put_root(&index, f, 2,
		 ",\"annotations\":{\"io.containerd.image.name\":\"r.example/a:2\","
		 "\"org.opencontainers.image.ref.name\":\"r.example/a:2\"}" PLATFORM);
	OK(buf_puts(&index, "]}", &sample_err));
	assert_string_equal(f->index.data, index.data);

	OK(buf_puts(&docker, "[", &sample_err));
	put_docker(&docker, f, 0, "[\"r.example/a:1\",\"r.example/a:2\"]");
	OK(buf_puts(&docker, ",", &sample_err));
	put_docker(&docker, f, 1, "[\"r.example/b:1\"]");
	OK(buf_puts(&docker, "]", &sample_err));
	assert_string_equal(f->docker.data, docker.data);
}

#define BY_DIGEST "r.example:5000/a@sha256:44ee9a8684a89f87de97ef526be65ebdadc50e66e22ba66ec146344a8b0f615f"

static void by_digest_and_nameless(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF index = { 0 };
	AUTO_BUF docker = { 0 };

	(void)sample_image(f->p, BY_DIGEST, AMD64, &f->a, 1);
	write_papers(f);
	OK(buf_puts(&index, INDEX_HEAD, &sample_err));
	put_root(&index, f, 0, ",\"annotations\":{\"io.containerd.image.name\":\"" BY_DIGEST "\"}" PLATFORM);
	OK(buf_puts(&index, "]}", &sample_err));
	assert_string_equal(f->index.data, index.data);
	OK(buf_puts(&docker, "[", &sample_err));
	put_docker(&docker, f, 0, "null");
	OK(buf_puts(&docker, "]", &sample_err));
	assert_string_equal(f->docker.data, docker.data);

	/* A nameless one beside it; and then a tag for the first one's manifest. */
	(void)sample_image(f->p, NULL, AMD64, &f->b, 1);
	(void)sample_image(f->p, "r.example:5000/a:1", AMD64, &f->a, 1);
	write_papers(f);
	buf_clear(&index);
	OK(buf_puts(&index, INDEX_HEAD, &sample_err));
	put_root(&index, f, 0,
		 ",\"annotations\":{\"io.containerd.image.name\":\"" BY_DIGEST
		 "\",\"org.opencontainers.image.ref.name\":\"" BY_DIGEST "\"}" PLATFORM);
	OK(buf_puts(&index, ",", &sample_err));
	put_root(&index, f, 1, PLATFORM);
	OK(buf_puts(&index, ",", &sample_err));
	put_root(&index, f, 2,
		 ",\"annotations\":{\"io.containerd.image.name\":\"r.example:5000/a:1\","
		 "\"org.opencontainers.image.ref.name\":\"r.example:5000/a:1\"}" PLATFORM);
	OK(buf_puts(&index, "]}", &sample_err));
	assert_string_equal(f->index.data, index.data);
	buf_clear(&docker);
	OK(buf_puts(&docker, "[", &sample_err));
	put_docker(&docker, f, 0, "[\"r.example:5000/a:1\"]");
	OK(buf_puts(&docker, ",", &sample_err));
	put_docker(&docker, f, 1, "null");
	OK(buf_puts(&docker, "]", &sample_err));
	assert_string_equal(f->docker.data, docker.data);
}

static void root_that_is_an_index(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF index = { 0 };
	AUTO_BUF docker = { 0 };

	(void)sample_index(f->p, "docker.io/library/x:1", &f->a, 1);
	write_papers(f);
	OK(buf_puts(&index, INDEX_HEAD, &sample_err));
	put_root(&index, f, 0,
		 ",\"annotations\":{\"io.containerd.image.name\":\"docker.io/library/x:1\","
		 "\"org.opencontainers.image.ref.name\":\"1\"}");
	OK(buf_puts(&index, "]}", &sample_err));
	assert_string_equal(f->index.data, index.data);
	assert_non_null(strstr(f->index.data, MEDIA_OCI_INDEX "\",\"digest\""));
	OK(buf_puts(&docker, "[", &sample_err)); /* amd64 alone, which is the second */
	put_docker(&docker, f, 0, "[\"docker.io/library/x:1\"]");
	OK(buf_puts(&docker, "]", &sample_err));
	assert_string_equal(f->docker.data, docker.data);
}

static void platforms_in_full(void **state)
{
	struct fixture *f = *state;

	(void)sample_image(f->p, "r.example/arm:1", "\"architecture\":\"arm\",\"variant\":\"v6\",\"os\":\"linux\"",
			   &f->a, 1);
	(void)sample_image(f->p, "r.example/win:1",
			   "\"architecture\":\"amd64\",\"os.version\":\"10.0.17763.1\",\"os\":\"windows\"", &f->b, 1);
	write_papers(f);
	assert_non_null(
		strstr(f->index.data, "\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\",\"variant\":\"v6\"}}"));
	assert_non_null(strstr(
		f->index.data,
		"\"platform\":{\"architecture\":\"amd64\",\"os\":\"windows\",\"os.version\":\"10.0.17763.1\"}}"));
	/* None at all is left out. */
	f->p->images[0].manifests[0].platform = (struct platform){ 0 };
	f->p->images[1].manifests[0].platform = (struct platform){ 0 };
	write_papers(f);
	assert_null(strstr(f->index.data, "platform"));
}

/* A Helm chart travels, but no consumer is told of it; and the one image beside it is named by its tag alone. */
static void artifacts_are_not_named(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF manifest = { 0 };
	struct promise config = promise_of("{}", 2);

	sample_manifest(&manifest, "application/vnd.cncf.helm.config.v1+json", &config, &f->a, 1);
	struct promise mp = promise_of(manifest.data, manifest.len);
	struct pack_image *chart = pack_add_image(f->p, "r.example/chart:1", &sample_err);
	assert_non_null(chart);
	chart->root = (size_t)pack_add_blob(f->p, &mp, BLOB_MANIFEST, MEDIA_OCI_MANIFEST, manifest.data, &sample_err);
	OK(pack_image_add_manifest(f->p, chart, chart->root, NULL, false, "{}", 2, &sample_err));
	write_papers(f);
	assert_string_equal(f->index.data, INDEX_HEAD "]}");
	assert_string_equal(f->docker.data, "[]");

	(void)sample_image(f->p, "r.example/app:1", AMD64, &f->b, 1);
	write_papers(f);
	assert_null(strstr(f->index.data, "chart"));
	assert_null(strstr(f->docker.data, "chart"));
	assert_non_null(strstr(f->index.data, "\"org.opencontainers.image.ref.name\":\"1\""));
}

static void root_without_media_type(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };

	size_t root = sample_image(f->p, "r.example/a:1", AMD64, &f->a, 1)->root;
	f->p->blobs[root].media_type[0] = '\0';
	assert_int_equal(papers_index(f->p, &f->index, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.text, "has no media type"));
}

static double seconds_for(size_t names)
{
	AUTO(pack) p = pack_new(&sample_err);
	AUTO_BUF out = { 0 };
	struct timespec start;
	struct timespec end;
	char name[64];
	unsigned n = 1;
	struct promise layer = promise_of(&n, sizeof(n));

	/* The worst case: every name is of the same manifest. */
	for (size_t i = 0; i < names; i++) {
		(void)snprintf(name, sizeof(name), "r.example/a:%zu", i);
		(void)sample_image(p, name, AMD64, &layer, 1);
	}
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	for (int k = 0; k < 10; k++) {
		buf_clear(&out);
		OK(papers_index(p, &out, &sample_err));
		OK(papers_docker_manifest(p, &out, &sample_err));
	}
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	return (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
}

static void writing_is_linear(void **state)
{
	(void)state;
	double few = seconds_for(LIMIT_IMAGES / 4);
	double many = seconds_for(LIMIT_IMAGES);

	/* Four times as many: 4 if linear, 16 if not. Clock noise on a busy machine is allowed for. */
	if (many > 10 * few + 0.01)
		fail_msg("%.4f s for %d names, %.4f s for %d", few, LIMIT_IMAGES / 4, many, LIMIT_IMAGES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(oci_layout),
		TEST(empty_pack),
		TEST(one_name),
		TEST(several_names),
		TEST(by_digest_and_nameless),
		TEST(root_that_is_an_index),
		TEST(platforms_in_full),
		TEST(artifacts_are_not_named),
		TEST(root_without_media_type),
		TEST(writing_is_linear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
