/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what other programs write is opened with the right images, names and digests, in each of the shapes they use
 * (formats.md, sections 4 and 12); what could be read in two ways, or points out of itself, is refused with the reason;
 * what cannot be proved is said.
 */
#include "sample.h"
#include "tarball.h"

#define LAYER_ONE "the first layer"
#define LAYER_TWO "the second layer, which is another one"
#define HEX_CAP 160

/* One image, ready to be put into a tar in any shape. */
struct image {
	struct buf layers[3]; /* as they are stored */
	struct promise promises[3];
	struct promise contents[3]; /* uncompressed: their diff IDs */
	size_t count;
	struct buf config;
	struct promise config_promise;
	struct buf manifest;
	struct promise manifest_promise;
};

static void image_release(struct image *im)
{
	for (size_t i = 0; i < 3; i++)
		buf_release(&im->layers[i]);
	buf_release(&im->config);
	buf_release(&im->manifest);
}
#define AUTO_IMAGE __attribute__((cleanup(image_release))) struct image

/* Layers: one, two, one again; stored plain or as gzip. */
static void image_make(struct image *im, bool gzip, const char *platform)
{
	static const char *const texts[] = { LAYER_ONE, LAYER_TWO, LAYER_ONE };

	im->count = 3;
	for (size_t i = 0; i < im->count; i++) {
		if (gzip)
			gzip_bytes(&im->layers[i], texts[i], strlen(texts[i]));
		else
			put(&im->layers[i], texts[i], strlen(texts[i]));
		im->contents[i] = promise_of(texts[i], strlen(texts[i]));
		im->promises[i] = promise_of(im->layers[i].data, im->layers[i].len);
	}
	sample_config(&im->config, platform, im->contents, im->count);
	im->config_promise = promise_of(im->config.data, im->config.len);
	sample_manifest(&im->manifest, MEDIA_OCI_CONFIG, &im->config_promise, im->promises, im->count);
	im->manifest_promise = promise_of(im->manifest.data, im->manifest.len);
}

static void put_image_blobs(struct buf *b, const struct image *im)
{
	put_blob(b, im->layers[0].data, im->layers[0].len);
	put_blob(b, im->layers[1].data, im->layers[1].len);
	put_blob(b, im->config.data, im->config.len);
	put_blob(b, im->manifest.data, im->manifest.len);
}

/* A descriptor for index.json, with these annotations ("\"a\":\"b\"") or none. */
static void put_entry(struct buf *b, const char *type, const struct promise *p, const char *annotations)
{
	char text[DIGEST_TEXT_SIZE];

	OK(buf_printf(b, &sample_err, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%" PRIu64 "%s%s%s}", type,
		      digest_text(&p->digest, text), p->size, annotations ? ",\"annotations\":{" : "",
		      annotations ? annotations : "", annotations ? "}" : ""));
}

#define INDEX_HEAD "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX "\",\"manifests\":["
#define LAYOUT "{\"imageLayoutVersion\":\"1.0.0\"}"

/* The tar of an OCI layout around `blobs`, with index.json's entries as text. */
static void put_layout(struct buf *b, const char *entries)
{
	AUTO_BUF index = { 0 };

	OK(buf_printf(&index, &sample_err, INDEX_HEAD "%s]}", entries));
	put_text(b, "oci-layout", LAYOUT);
	put_member(b, "index.json", index.data, index.len);
}

static void oci_archive(struct buf *b, const struct image *im, const char *annotations)
{
	AUTO_BUF entry = { 0 };

	put_image_blobs(b, im);
	put_entry(&entry, MEDIA_OCI_MANIFEST, &im->manifest_promise, annotations);
	put_layout(b, entry.data);
}

static void check_verified(struct pack_file *f)
{
	const struct verify_options options = { .diff_ids = true, .threads = 1 };

	OK(pack_file_verify(f, &options, NULL, &sample_err));
}

/* The image at `at` is `im`, under this name (NULL: none). */
static void check_image(const struct pack_file *f, size_t at, const char *name, const struct image *im)
{
	assert_true(at < f->pack->image_count);
	const struct pack_image *image = &f->pack->images[at];
	if (name)
		assert_string_equal(image->name, name);
	else
		assert_null(image->name);
	assert_int_equal(image->manifest_count, 1);
	const struct pack_manifest *m = &image->manifests[0];
	assert_true(m->image);
	assert_int_equal(m->layer_count, im->count);
	assert_true(digest_equal(&f->pack->blobs[m->config].promise.digest, &im->config_promise.digest));
	for (size_t i = 0; i < im->count; i++) {
		assert_true(digest_equal(&f->pack->blobs[m->layers[i]].promise.digest, &im->promises[i].digest));
		assert_true(digest_equal(&m->diff_ids[i], &im->contents[i].digest));
	}
}

static void check_blob(struct pack_file *f, size_t blob, const struct buf *want)
{
	AUTO_BUF have = { 0 };
	AUTO(source) s = pack_file_blob(f, &f->pack->blobs[blob], &sample_err);

	assert_non_null(s);
	OK(source_slurp(s, 1u << 20, &have, &sample_err));
	assert_int_equal(have.len, want->len);
	assert_memory_equal(have.data, want->data, want->len);
}

/* OCI layouts. */

static void oci_names(void **state)
{
	static const struct {
		const char *annotations;
		const char *name;
	} cases[] = {
		/* docker 25+, ctr, buildkit */
		{ "\"io.containerd.image.name\":\"quay.io/x/y:1\",\"org.opencontainers.image.ref.name\":\"1\"",
		  "quay.io/x/y:1" },
		/* podman save --format oci-archive */
		{ "\"org.opencontainers.image.ref.name\":\"docker.io/library/app:1\"", "docker.io/library/app:1" },
		{ "\"org.opencontainers.image.ref.name\":\"app:1\"", "docker.io/library/app:1" },
		/* docker's containerd store */
		{ "\"containerd.io/distribution.source.q.io\":\"x\",\"io.containerd.image.name\":\"q.io/x:1\"",
		  "q.io/x:1" },
		{ "\"io.containerd.image.name\":\"app\"", "docker.io/library/app:latest" },
		/* skopeo oci-archive:f.tar:1.0 */
		{ "\"org.opencontainers.image.ref.name\":\"1.0\"", NULL },
		{ NULL, NULL },
		{ "\"io.containerd.image.name\":\"No/Name At All\"", NULL },
	};
	AUTO_IMAGE im = { 0 };

	(void)state;
	image_make(&im, true, AMD64);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_BUF b = { 0 };
		oci_archive(&b, &im, cases[i].annotations);
		put_end(&b);
		AUTO(pack_file) f = open_good(&b);
		assert_int_equal(f->origin, ORIGIN_OCI);
		assert_string_equal(f->format, "OCI archive");
		assert_int_equal(f->pack->image_count, 1);
		check_image(f, 0, cases[i].name, &im);
		assert_true(digest_equal(&f->pack->blobs[f->pack->images[0].root].promise.digest,
					 &im.manifest_promise.digest));
		check_blob(f, f->pack->images[0].manifests[0].layers[1], &im.layers[1]);
		check_verified(f);
		assert_true(says_unproved(f, "only a tag") == (i == 5));
		assert_true(says_unproved(f, "is no image name") == (i == 7));
	}
}

/* Three names of one root are three images; a name that two roots claim belongs to the first, and that is said. */
static void oci_several(void **state)
{
	AUTO_IMAGE one = { 0 };
	AUTO_IMAGE two = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_BUF entries = { 0 };

	(void)state;
	image_make(&one, true, AMD64);
	image_make(&two, false, ARM64);
	put_image_blobs(&b, &one);
	put_blob(&b, two.layers[0].data, two.layers[0].len);
	put_blob(&b, two.layers[1].data, two.layers[1].len);
	put_blob(&b, two.config.data, two.config.len);
	put_blob(&b, two.manifest.data, two.manifest.len);
	put_entry(&entries, MEDIA_OCI_MANIFEST, &one.manifest_promise, "\"io.containerd.image.name\":\"a.io/a:1\"");
	put(&entries, ",", 1);
	put_entry(&entries, MEDIA_OCI_MANIFEST, &one.manifest_promise, "\"io.containerd.image.name\":\"a.io/a:2\"");
	put(&entries, ",", 1);
	put_entry(&entries, MEDIA_OCI_MANIFEST, &one.manifest_promise, "\"io.containerd.image.name\":\"a.io/a:1\"");
	put(&entries, ",", 1);
	put_entry(&entries, MEDIA_OCI_MANIFEST, &two.manifest_promise, "\"io.containerd.image.name\":\"b.io/b:1\"");
	put_layout(&b, entries.data);
	put_end(&b);
	AUTO(pack_file) f = open_good(&b);
	assert_int_equal(f->pack->image_count, 3);
	check_image(f, 0, "a.io/a:1", &one);
	check_image(f, 1, "a.io/a:2", &one);
	check_image(f, 2, "b.io/b:1", &two);
	assert_int_equal(f->unproved_count, 0);
	check_verified(f);
}

static void oci_name_twice(void **state)
{
	AUTO_IMAGE one = { 0 };
	AUTO_IMAGE two = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_BUF entries = { 0 };

	(void)state;
	image_make(&one, true, AMD64);
	image_make(&two, true, ARM64);
	put_image_blobs(&b, &one);
	put_blob(&b, two.config.data, two.config.len);
	put_blob(&b, two.manifest.data, two.manifest.len);
	put_entry(&entries, MEDIA_OCI_MANIFEST, &one.manifest_promise, "\"io.containerd.image.name\":\"a.io/a:1\"");
	put(&entries, ",", 1);
	put_entry(&entries, MEDIA_OCI_MANIFEST, &two.manifest_promise, "\"io.containerd.image.name\":\"a.io/a:1\"");
	put_layout(&b, entries.data);
	put_end(&b);
	AUTO(pack_file) f = open_good(&b);
	assert_int_equal(f->pack->image_count, 1);
	check_image(f, 0, "a.io/a:1", &one);
	assert_true(says_unproved(f, "a.io/a:1 stands in the archive for two images"));
}

/* An index of two platforms: whole, sparse as docker saves it, and with nothing whole in it. */
static void make_index(struct buf *index, const struct image *amd, const struct promise *other, bool attestation)
{
	char text[DIGEST_TEXT_SIZE];

	OK(buf_puts(index, INDEX_HEAD, &sample_err));
	OK(buf_printf(index, &sample_err,
		      "{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":%" PRIu64
		      ",\"platform\":{" AMD64 "}},",
		      digest_text(&amd->manifest_promise.digest, text), amd->manifest_promise.size));
	OK(buf_printf(index, &sample_err,
		      "{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":%" PRIu64
		      ",\"platform\":{%s}%s}]}",
		      digest_text(&other->digest, text), other->size,
		      attestation ? "\"architecture\":\"unknown\",\"os\":\"unknown\"" : ARM64,
		      attestation ? ",\"annotations\":{\"vnd.docker.reference.type\":\"attestation-manifest\"}" : ""));
}

static void oci_index(void **state)
{
	AUTO_IMAGE amd = { 0 };
	AUTO_IMAGE arm = { 0 };

	(void)state;
	image_make(&amd, true, AMD64);
	image_make(&arm, true, ARM64);
	for (int lacking = 0; lacking < 4; lacking++) {
		AUTO_BUF b = { 0 };
		AUTO_BUF index = { 0 };
		AUTO_BUF entry = { 0 };
		make_index(&index, &amd, &arm.manifest_promise, false);
		struct promise root = put_blob(&b, index.data, index.len);
		put_entry(&entry, MEDIA_OCI_INDEX, &root, "\"io.containerd.image.name\":\"q.io/m:1\"");
		if (lacking < 3)
			put_image_blobs(&b, &amd);
		if (lacking == 0 || lacking == 1)
			put_blob(&b, arm.manifest.data, arm.manifest.len);
		if (lacking == 0)
			put_blob(&b, arm.config.data, arm.config.len);
		put_layout(&b, entry.data);
		put_end(&b);
		if (lacking == 3) {
			refuses(b.data, b.len, "no platform of it is complete");
			continue;
		}
		AUTO(pack_file) f = open_good(&b);
		const struct pack_image *image = &f->pack->images[0];
		assert_true(digest_equal(&f->pack->blobs[image->root].promise.digest, &root.digest));
		assert_int_equal(f->pack->blobs[image->root].role, BLOB_INDEX);
		assert_int_equal(image->manifest_count, lacking ? 1 : 2);
		assert_true(says_unproved(f, "1 of the things that its index names") == (lacking > 0));
		check_verified(f);
	}
}

static void oci_attestation(void **state)
{
	static const char statement[] =
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
		"\",\"config\":{\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"%s\","
		"\"size\":2},\"layers\":[]}";
	AUTO_IMAGE amd = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_BUF attestation = { 0 };
	AUTO_BUF index = { 0 };
	AUTO_BUF entry = { 0 };
	char text[DIGEST_TEXT_SIZE];

	(void)state;
	image_make(&amd, true, AMD64);
	put_image_blobs(&b, &amd);
	struct promise empty = put_blob(&b, "{}", 2);
	OK(buf_printf(&attestation, &sample_err, statement, digest_text(&empty.digest, text)));
	struct promise p = put_blob(&b, attestation.data, attestation.len);
	make_index(&index, &amd, &p, true);
	struct promise root = put_blob(&b, index.data, index.len);
	put_entry(&entry, MEDIA_OCI_INDEX, &root, "\"io.containerd.image.name\":\"q.io/m:1\"");
	put_layout(&b, entry.data);
	put_end(&b);
	AUTO(pack_file) f = open_good(&b);
	assert_int_equal(f->pack->images[0].manifest_count, 2);
	assert_true(f->pack->images[0].manifests[0].image);
	assert_false(f->pack->images[0].manifests[1].image);
	assert_int_equal(f->unproved_count, 0);
	check_verified(f);
}

/* Indexes inside indexes, one deeper than is allowed; and many that name each other's children over and over. */
static struct promise wrap_index(struct buf *b, const struct promise *inner, const char *type, unsigned times)
{
	AUTO_BUF index = { 0 };

	OK(buf_puts(&index, INDEX_HEAD, &sample_err));
	for (unsigned i = 0; i < times; i++) {
		if (i)
			put(&index, ",", 1);
		put_entry(&index, type, inner, NULL);
	}
	OK(buf_puts(&index, "]}", &sample_err));
	return put_blob(b, index.data, index.len);
}

static void oci_nesting(void **state)
{
	AUTO_IMAGE im = { 0 };

	(void)state;
	image_make(&im, true, AMD64);
	for (unsigned depth = 1; depth <= 3; depth++) {
		AUTO_BUF b = { 0 };
		AUTO_BUF entry = { 0 };
		put_image_blobs(&b, &im);
		struct promise p = wrap_index(&b, &im.manifest_promise, MEDIA_OCI_MANIFEST, 1);
		for (unsigned i = 1; i < depth; i++)
			p = wrap_index(&b, &p, MEDIA_OCI_INDEX, 1);
		put_entry(&entry, MEDIA_OCI_INDEX, &p, NULL);
		put_layout(&b, entry.data);
		put_end(&b);
		if (depth > 2) {
			refuses(b.data, b.len, "more than 2 deep");
			continue;
		}
		AUTO(pack_file) f = open_good(&b);
		assert_int_equal(f->pack->images[0].manifest_count, 1);
	}
	AUTO_BUF b = { 0 };
	AUTO_BUF entry = { 0 };
	struct promise nothing = promise_of("not here", 8);
	struct promise p = wrap_index(&b, &nothing, MEDIA_OCI_MANIFEST, 1000);
	p = wrap_index(&b, &p, MEDIA_OCI_INDEX, 1000);
	put_entry(&entry, MEDIA_OCI_INDEX, &p, NULL);
	put_layout(&b, entry.data);
	put_end(&b);
	refuses(b.data, b.len, "entries");
}

static void oci_refused(void **state)
{
	AUTO_IMAGE im = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_BUF entry = { 0 };
	char why[DIGEST_TEXT_SIZE + 32];
	char text[DIGEST_TEXT_SIZE];

	(void)state;
	image_make(&im, true, AMD64);
	/* A layer is not there. */
	put_blob(&b, im.layers[0].data, im.layers[0].len);
	put_blob(&b, im.config.data, im.config.len);
	put_blob(&b, im.manifest.data, im.manifest.len);
	put_entry(&entry, MEDIA_OCI_MANIFEST, &im.manifest_promise, NULL);
	put_layout(&b, entry.data);
	put_end(&b);
	(void)snprintf(why, sizeof(why), "%s is named but not in the archive",
		       digest_text(&im.promises[1].digest, text));
	refuses(b.data, b.len, why);
	/* The manifest is not there. */
	buf_clear(&b);
	put_layout(&b, entry.data);
	put_end(&b);
	refuses(b.data, b.len, "which is not in the archive");
	/* The manifest's bytes are others. */
	im.manifest.data[3] ^= 1;
	char name[MEMBER_NAME_SIZE];
	buf_clear(&b);
	put_member(&b, blob_member_name(&im.manifest_promise.digest, name), im.manifest.data, im.manifest.len);
	put_layout(&b, entry.data);
	put_end(&b);
	refuses(b.data, b.len, "has digest sha256:");
	im.manifest.data[3] ^= 1;
	/* index.json lies about its size. */
	struct promise lie = im.manifest_promise;
	lie.size++;
	buf_clear(&b);
	buf_clear(&entry);
	put_entry(&entry, MEDIA_OCI_MANIFEST, &lie, NULL);
	put_image_blobs(&b, &im);
	put_layout(&b, entry.data);
	put_end(&b);
	refuses(b.data, b.len, "is promised with");
	/* It calls a manifest an index. */
	buf_clear(&b);
	buf_clear(&entry);
	put_entry(&entry, MEDIA_OCI_INDEX, &im.manifest_promise, NULL);
	put_image_blobs(&b, &im);
	put_layout(&b, entry.data);
	put_end(&b);
	refuses(b.data, b.len, "index.json: entry 1");
	/* Keys that Go would take for others. */
	buf_clear(&b);
	put_image_blobs(&b, &im);
	put_text(&b, "oci-layout", LAYOUT);
	put_text(&b, "index.json", "{\"schemaVersion\":2,\"manifests\":[],\"Manifests\":[]}");
	put_end(&b);
	refuses(b.data, b.len, "index.json");
	/* No images, another version, a half. */
	buf_clear(&b);
	put_layout(&b, "");
	put_end(&b);
	refuses(b.data, b.len, "no list of 1 to");
	buf_clear(&b);
	put_text(&b, "index.json", INDEX_HEAD "]}");
	put_text(&b, "oci-layout", "{\"imageLayoutVersion\":\"2.0.0\"}");
	put_end(&b);
	refuses(b.data, b.len, "version \"2.0.0\" is unknown");
	buf_clear(&b);
	put_text(&b, "index.json", INDEX_HEAD "]}");
	put_end(&b);
	refuses(b.data, b.len, "no oci-layout");
}

/* Windows base layers carry urls and are left out by those who save them. */
static void oci_foreign_layer(void **state)
{
	AUTO_IMAGE im = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_BUF manifest = { 0 };
	AUTO_BUF entry = { 0 };
	char config[DIGEST_TEXT_SIZE];
	char one[DIGEST_TEXT_SIZE];
	char two[DIGEST_TEXT_SIZE];

	(void)state;
	image_make(&im, true, AMD64);
	im.count = 2;
	buf_clear(&im.config);
	sample_config(&im.config, AMD64, im.contents, 2);
	im.config_promise = promise_of(im.config.data, im.config.len);
	OK(buf_printf(
		&manifest, &sample_err,
		"{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST
		"\",\"config\":{\"mediaType\":\"" MEDIA_OCI_CONFIG "\",\"digest\":\"%s\",\"size\":%" PRIu64
		"},\"layers\":[{\"mediaType\":"
		"\"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip\",\"digest\":\"%s\",\"size\":%" PRIu64
		",\"urls\":[\"https://mcr.example.com/x\"]},{\"mediaType\":\"" MEDIA_OCI_LAYER_GZIP
		"\",\"digest\":\"%s\",\"size\":%" PRIu64 "}]}",
		digest_text(&im.config_promise.digest, config), im.config_promise.size,
		digest_text(&im.promises[0].digest, one), im.promises[0].size, digest_text(&im.promises[1].digest, two),
		im.promises[1].size));
	struct promise p = put_blob(&b, manifest.data, manifest.len);
	put_blob(&b, im.config.data, im.config.len);
	put_blob(&b, im.layers[1].data, im.layers[1].len);
	put_entry(&entry, MEDIA_OCI_MANIFEST, &p, "\"io.containerd.image.name\":\"q.io/win:1\"");
	put_layout(&b, entry.data);
	put_end(&b);
	AUTO(pack_file) f = open_good(&b);
	check_image(f, 0, "q.io/win:1", &im);
	assert_true(f->pack->blobs[f->pack->images[0].manifests[0].layers[0]].absent);
	assert_false(f->pack->blobs[f->pack->images[0].manifests[0].layers[1]].absent);
	assert_true(says_unproved(f, "the foreign layer"));
	check_verified(f);
}

/* docker's archives. */

static void manifest_json(struct buf *out, const char *config, const char *tags, const char *const *layers,
			  size_t count)
{
	OK(buf_printf(out, &sample_err, "[{\"Config\":\"%s\",\"RepoTags\":%s,\"Layers\":[", config, tags));
	for (size_t i = 0; i < count; i++)
		OK(buf_printf(out, &sample_err, "%s\"%s\"", i ? "," : "", layers[i]));
	OK(buf_puts(out, "]}]", &sample_err));
}

/* docker 25 and later: both papers; index.json knows no name, manifest.json has two. */
static void docker_names(void **state)
{
	AUTO_IMAGE im = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_BUF docker = { 0 };
	char config[MEMBER_NAME_SIZE];

	(void)state;
	image_make(&im, false, AMD64);
	put_header(&b, "blobs/", '5', NULL, 0);
	put_header(&b, "blobs/sha256/", '5', NULL, 0);
	oci_archive(&b, &im, NULL);
	manifest_json(&docker, blob_member_name(&im.config_promise.digest, config),
		      "[\"app:1\",\"no name!\",\"app:1\",\"quay.io/x/app:2\"]", NULL, 0);
	put_member(&b, "manifest.json", docker.data, docker.len);
	put_text(&b, "repositories", "{}");
	put_end(&b);
	AUTO(pack_file) f = open_good(&b);
	assert_int_equal(f->origin, ORIGIN_OCI);
	assert_string_equal(f->format, "docker save (OCI layout)");
	assert_int_equal(f->pack->image_count, 2);
	check_image(f, 0, "docker.io/library/app:1", &im);
	check_image(f, 1, "quay.io/x/app:2", &im);
	check_verified(f);
}

/* docker 1.10 to 24: folders by v1 ID, layers not compressed, the repeated one a symlink to the first. */
static void docker_legacy(void **state)
{
	static const char *const layers[] = { "aaa1/layer.tar", "bbb2/layer.tar", "ccc3/layer.tar" };
	AUTO_IMAGE im = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_BUF docker = { 0 };
	char hex[DIGEST_HEX_SIZE];
	char config[HEX_CAP];

	(void)state;
	image_make(&im, false, AMD64);
	for (size_t i = 0; i < 3; i++) {
		char name[64];
		(void)snprintf(name, sizeof(name), "%.5s", layers[i]);
		put_header(&b, name, '5', NULL, 0);
		(void)snprintf(name, sizeof(name), "%.5sVERSION", layers[i]);
		put_text(&b, name, "1.0");
		(void)snprintf(name, sizeof(name), "%.5sjson", layers[i]);
		put_text(&b, name, "{}");
		if (i == 2)
			put_header(&b, layers[i], '2', "../aaa1/layer.tar", 0);
		else
			put_member(&b, layers[i], im.layers[i].data, im.layers[i].len);
	}
	(void)snprintf(config, sizeof(config), "%s.json", digest_hex(&im.config_promise.digest, hex));
	put_member(&b, config, im.config.data, im.config.len);
	manifest_json(&docker, config, "[\"app:1\",\"quay.io/x/app:2\"]", layers, 3);
	put_member(&b, "manifest.json", docker.data, docker.len);
	put_text(&b, "repositories", "{\"app\":{\"1\":\"ccc3\"}}");
	put_end(&b);
	put_zeros(&b, 7168);
	AUTO(pack_file) f = open_good(&b);
	assert_int_equal(f->origin, ORIGIN_DOCKER_ARCHIVE);
	assert_int_equal(f->pack->image_count, 2);
	check_image(f, 0, "docker.io/library/app:1", &im);
	check_image(f, 1, "quay.io/x/app:2", &im);
	assert_true(says_unproved(f, "app:1: the archive carries no manifest of the registry; its digest sha256:"));
	assert_false(says_unproved(f, "configuration"));
	check_blob(f, f->pack->images[0].manifests[0].layers[2], &im.layers[2]);
	check_verified(f);
	/* The same config gives the same manifest, byte for byte. */
	AUTO(pack_file) again = open_good(&b);
	assert_true(digest_equal(&again->pack->blobs[again->pack->images[0].root].promise.digest,
				 &f->pack->blobs[f->pack->images[0].root].promise.digest));
	/* A layer with one byte changed is found by its diff ID. */
	char *at = memmem(b.data, b.len, LAYER_TWO, strlen(LAYER_TWO));
	assert_non_null(at);
	*at ^= 1;
	AUTO(pack_file) bad = open_good(&b);
	struct err e = { 0 };
	const struct verify_options options = { .threads = 1 };
	assert_int_equal(pack_file_verify(bad, &options, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

/* podman and skopeo: <hex>.tar, and symlinks of the v1 folders to them, which stand in front of their targets. */
static void docker_podman(void **state)
{
	AUTO_IMAGE im = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_BUF docker = { 0 };
	char hex[DIGEST_HEX_SIZE];
	char config[HEX_CAP];
	char names[3][HEX_CAP];
	char link[HEX_CAP];
	const char *layers[3];

	(void)state;
	image_make(&im, false, AMD64);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%s.tar", digest_hex(&im.promises[i].digest, hex));
		layers[i] = names[i];
		(void)snprintf(link, sizeof(link), "../%.80s", names[i]);
		char v1[32];
		(void)snprintf(v1, sizeof(v1), "v1-%zu/layer.tar", i);
		put_header(&b, v1, '2', link, 0);
	}
	put_member(&b, names[0], im.layers[0].data, im.layers[0].len);
	put_member(&b, names[1], im.layers[1].data, im.layers[1].len);
	(void)snprintf(config, sizeof(config), "%s.json", digest_hex(&im.config_promise.digest, hex));
	put_member(&b, config, im.config.data, im.config.len);
	manifest_json(&docker, config, "[\"localhost/app:1\"]", layers, 3);
	put_member(&b, "manifest.json", docker.data, docker.len);
	put_end(&b);
	AUTO(pack_file) f = open_good(&b);
	check_image(f, 0, "localhost/app:1", &im);
	check_verified(f);
}

/* crane and kaniko: config sha256:<hex>, layers <hex>.tar.gz, all in the tar's root. */
static void docker_crane(void **state)
{
	AUTO_IMAGE im = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_BUF docker = { 0 };
	char config[DIGEST_TEXT_SIZE];
	char hex[DIGEST_HEX_SIZE];
	char names[3][HEX_CAP];
	const char *layers[3];

	(void)state;
	image_make(&im, true, AMD64);
	put_member(&b, digest_text(&im.config_promise.digest, config), im.config.data, im.config.len);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "%s.tar.gz", digest_hex(&im.promises[i].digest, hex));
		layers[i] = names[i];
		if (i < 2)
			put_member(&b, names[i], im.layers[i].data, im.layers[i].len);
	}
	manifest_json(&docker, config, "null", layers, 3);
	put_member(&b, "manifest.json", docker.data, docker.len);
	put_end(&b);
	AUTO(pack_file) f = open_good(&b);
	check_image(f, 0, NULL, &im);
	assert_true(says_unproved(f, "an image without a name"));
	assert_string_equal(f->pack->blobs[f->pack->images[0].manifests[0].layers[0]].media_type, MEDIA_OCI_LAYER_GZIP);
	check_verified(f);
	/* Its name promises another config. */
	char *at = memmem(b.data, b.len, "\"amd64\"", 7);
	assert_non_null(at);
	memcpy(at, "\"arm64\"", 7);
	refuses(b.data, b.len, "has digest sha256:");
}

/* jib and others: names that say nothing, or the diff ID. The digests are computed, and proved by the diff IDs at once.
 */
static void docker_unnamed(void **state)
{
	AUTO_IMAGE im = { 0 };

	(void)state;
	image_make(&im, true, AMD64);
	for (int by_diff_id = 0; by_diff_id < 2; by_diff_id++) {
		AUTO_BUF b = { 0 };
		AUTO_BUF docker = { 0 };
		char names[3][HEX_CAP];
		char hex[DIGEST_HEX_SIZE];
		const char *layers[3];
		for (size_t i = 0; i < 3; i++) {
			layers[i] = names[i];
			if (by_diff_id)
				(void)snprintf(names[i], sizeof(names[i]), "%s.tar.gz",
					       digest_hex(&im.contents[i].digest, hex));
			else
				(void)snprintf(names[i], sizeof(names[i]), "./layer-%zu.tgz", i % 2);
			if (i < 2)
				put_member(&b, names[i], im.layers[i].data, im.layers[i].len);
		}
		put_member(&b, "./config.json", im.config.data, im.config.len);
		manifest_json(&docker, "config.json", "[\"app:1\"]", layers, 3);
		put_member(&b, "./manifest.json", docker.data, docker.len);
		put_end(&b);
		AUTO(pack_file) f = open_good(&b);
		check_image(f, 0, "docker.io/library/app:1", &im);
		assert_true(says_unproved(f, "app:1: nothing in the archive says the digest of its configuration"));
		check_verified(f);
		/* Two layers changed places: nothing but the diff IDs can know. */
		AUTO_BUF bad = { 0 };
		put_member(&bad, names[0], im.layers[1].data, im.layers[1].len);
		put_member(&bad, names[1], im.layers[0].data, im.layers[0].len);
		put_member(&bad, "config.json", im.config.data, im.config.len);
		put_member(&bad, "manifest.json", docker.data, docker.len);
		put_end(&bad);
		refuses(bad.data, bad.len, "its content has diff ID");
	}
}

static void docker_refused(void **state)
{
	static const char *const two[] = { "1.tar", "2.tar" };
	static const char *const three[] = { "1.tar", "2.tar", "1.tar" };
	AUTO_IMAGE im = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_BUF docker = { 0 };

	(void)state;
	image_make(&im, false, AMD64);
	/* A layer too few for the config. */
	put_member(&b, "1.tar", im.layers[0].data, im.layers[0].len);
	put_member(&b, "2.tar", im.layers[1].data, im.layers[1].len);
	put_member(&b, "c.json", im.config.data, im.config.len);
	size_t common = b.len;
	manifest_json(&docker, "c.json", "[\"app:1\"]", two, 2);
	put_member(&b, "manifest.json", docker.data, docker.len);
	put_end(&b);
	refuses(b.data, b.len, "lists 2 layers, the config has 3");
	/* A layer, then a config, that is not there. */
	b.len = common;
	buf_clear(&docker);
	manifest_json(&docker, "c.json", "[\"app:1\"]", (const char *const[]){ "1.tar", "2.tar", "../3.tar" }, 3);
	put_member(&b, "manifest.json", docker.data, docker.len);
	put_end(&b);
	refuses(b.data, b.len, "names ../3.tar, which is not in the archive");
	b.len = common;
	buf_clear(&docker);
	manifest_json(&docker, "d.json", "[\"app:1\"]", three, 3);
	put_member(&b, "manifest.json", docker.data, docker.len);
	put_end(&b);
	refuses(b.data, b.len, "names d.json, which is not in the archive");
	/* Keys that Go folds (library-facts, E12). */
	static const char *const folded[] = {
		"[{\"Config\":\"c.json\",\"Layers\":[\"1.tar\",\"2.tar\",\"1.tar\"],\"layers\":[]}]",
		"[{\"Config\":\"c.json\",\"Layers\":[\"1.tar\",\"2.tar\",\"1.tar\"],\"Layer\xc5\xbf\":[]}]",
		"[{\"Config\":\"c.json\",\"Config\":\"c.json\",\"Layers\":[\"1.tar\",\"2.tar\",\"1.tar\"]}]",
		"[{\"config\":\"c.json\",\"Layers\":[\"1.tar\",\"2.tar\",\"1.tar\"]}]",
		"{\"Config\":\"c.json\"}",
		"[",
	};
	for (size_t i = 0; i < sizeof(folded) / sizeof(folded[0]); i++) {
		b.len = common;
		put_text(&b, "manifest.json", folded[i]);
		put_end(&b);
		struct err e = { 0 };
		assert_null(open_bytes(b.data, b.len, &e));
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
}

/* The outer tar. */

/* A good docker-archive whose members follow whatever is in b already. */
static void finish_good(struct buf *b)
{
	static const char *const layers[] = { "1.tar", "2.tar", "1.tar" };
	AUTO_IMAGE im = { 0 };
	AUTO_BUF docker = { 0 };

	image_make(&im, false, AMD64);
	put_member(b, "1.tar", im.layers[0].data, im.layers[0].len);
	put_member(b, "2.tar", im.layers[1].data, im.layers[1].len);
	put_member(b, "c.json", im.config.data, im.config.len);
	manifest_json(&docker, "c.json", "[\"app:1\"]", layers, 3);
	put_member(b, "manifest.json", docker.data, docker.len);
}

static void refuses_behind(struct buf *b, const char *why)
{
	finish_good(b);
	put_end(b);
	refuses(b->data, b->len, why);
	buf_clear(b);
}

static void tar_names(void **state)
{
	static const char *const bad[] = { "../x", "a/../../x", "a/../x", "/etc/passwd", "..", "./..", "a/.." };
	AUTO_BUF b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		put_text(&b, bad[i], "x");
		refuses_behind(&b, "has a name that leaves the archive");
	}
	/* The name that counts is the pax one. */
	put_pax(&b, 'x', "20 path=../harmless\n");
	put_text(&b, "harmless", "x");
	refuses_behind(&b, "has a name that leaves the archive");
	/* Odd, but only names to us: nothing is ever extracted. */
	put_text(&b, "C:\\x", "x");
	put_text(&b, "a//b", "x");
	put_text(&b, "..a/b..", "x");
	put_text(&b, "\xc3\xa9", "x");
	put_header(&b, "./", '5', NULL, 0);
	put_header(&b, "twice/", '5', NULL, 0);
	put_header(&b, "twice/", '5', NULL, 0);
	finish_good(&b);
	put_end(&b);
	AUTO(pack_file) f = open_good(&b);
	check_verified(f);
}

static void tar_long_name(void **state)
{
	AUTO_BUF b = { 0 };
	char name[1100];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[1024] = '\0';
	put_header(&b, "././@LongLink", 'L', NULL, 1025);
	put(&b, name, 1025);
	put_padding(&b);
	put_text(&b, "short", "x");
	finish_good(&b);
	put_end(&b);
	AUTO(pack_file) f = open_good(&b);
	check_verified(f);
	buf_clear(&b);
	name[1024] = 'n';
	name[1025] = '\0';
	put_header(&b, "././@LongLink", 'L', NULL, 1026);
	put(&b, name, 1026);
	put_padding(&b);
	put_text(&b, "short", "x");
	refuses_behind(&b, "has a name of 1025 bytes");
}

static void tar_twice(void **state)
{
	AUTO_BUF b = { 0 };

	(void)state;
	put_text(&b, "manifest.json", "[]");
	refuses_behind(&b, "manifest.json: stands in the tar twice");
	put_text(&b, "./x/../manifest.json", "[]");
	refuses_behind(&b, "leaves the archive");
	put_text(&b, ".//manifest.json", "[]");
	refuses_behind(&b, "stands in the tar twice");
	put_header(&b, "1.tar", '2', "2.tar", 0);
	refuses_behind(&b, "stands in the tar twice");
}

/* S16 */
static void tar_links(void **state)
{
	AUTO_BUF b = { 0 };
	char from[16];
	char to[16];

	(void)state;
	put_header(&b, "self", '2', "self", 0);
	refuses_behind(&b, "itself a link");
	put_header(&b, "a", '2', "b", 0);
	put_header(&b, "b", '2', "a", 0);
	refuses_behind(&b, "itself a link");
	put_header(&b, "a", '2', "b", 0);
	put_header(&b, "b", '2', "1.tar", 0);
	refuses_behind(&b, "itself a link");
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(from, sizeof(from), "l%d", i);
		(void)snprintf(to, sizeof(to), "l%d", i + 1);
		put_header(&b, from, '1', to, 0);
	}
	refuses_behind(&b, "itself a link");
	put_header(&b, "out", '2', "../../etc/passwd", 0);
	refuses_behind(&b, "is a link that leaves the archive");
	put_header(&b, "out", '2', "/etc/passwd", 0);
	refuses_behind(&b, "is a link that leaves the archive");
	put_header(&b, "out", '1', "/etc/passwd", 0);
	refuses_behind(&b, "is a link that leaves the archive");
	put_header(&b, "nowhere", '2', "nothing", 0);
	refuses_behind(&b, "not a file of this archive");
	/* Good ones, of both kinds. */
	put_header(&b, "d/soft", '2', "../1.tar", 0);
	put_header(&b, "hard", '1', "2.tar", 0);
	finish_good(&b);
	put_end(&b);
	AUTO(pack_file) f = open_good(&b);
	check_verified(f);
}

static void tar_types(void **state)
{
	static const char types[] = "346SVMD7A";
	AUTO_BUF b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(types) - 1; i++) {
		struct err e = { 0 };
		put_header(&b, "odd", types[i], NULL, 0);
		finish_good(&b);
		put_end(&b);
		assert_null(open_bytes(b.data, b.len, &e));
		assert_int_equal(e.kind, ERR_CORRUPT);
		buf_clear(&b);
	}
	put_pax(&b, 'g', "13 comment=x\n");
	refuses_behind(&b, "global pax header");
	put_pax(&b, 'x', "22 GNU.sparse.major=1\n");
	put_text(&b, "sparse", "x");
	refuses_behind(&b, "sparse file");
	put_pax(&b, 'x', "23 SUN.holesdata= 0 10\n");
	put_text(&b, "sparse", "x");
	refuses_behind(&b, "sparse file");
	put_header(&b, "records", 'x', NULL, 1u << 30);
	refuses_behind(&b, "bytes of header records");
}

/* A size in a pax header counts for all readers or the tar is refused (S20). */
static void tar_sizes(void **state)
{
	AUTO_BUF b = { 0 };

	(void)state;
	put_pax(&b, 'x', "9 size=3\n");
	put_header(&b, "pax", '0', NULL, 0);
	put(&b, "abc", 3);
	put_padding(&b);
	finish_good(&b);
	put_end(&b);
	AUTO(pack_file) f = open_good(&b);
	check_verified(f);
	buf_clear(&b);
	/* Lies: past the end of the file, and into the next header. */
	put_header(&b, "long", '0', NULL, UINT64_C(1) << 40);
	refuses_behind(&b, "long: the file ends inside it");
	put_header(&b, "short", '0', NULL, 2);
	put_zeros(&b, 1024);
	refuses_behind(&b, "behind the end of the tar");
}

static void tar_ends(void **state)
{
	AUTO_BUF b = { 0 };

	(void)state;
	finish_good(&b);
	size_t end = b.len;
	refuses(b.data, b.len, "end-of-archive blocks");
	put_zeros(&b, 512);
	refuses(b.data, b.len, "end-of-archive blocks");
	put_zeros(&b, 512);
	AUTO(pack_file) f = open_good(&b);
	check_verified(f);
	put_zeros(&b, 9000);
	AUTO(pack_file) padded = open_good(&b);
	check_verified(padded);
	put(&b, "x", 1);
	refuses(b.data, b.len, "behind the end of the tar");
	/* A second tar behind the first, and one block of zeros between two members (E4, E5). */
	b.len = end + 1024;
	finish_good(&b);
	put_end(&b);
	refuses(b.data, b.len, "behind the end of the tar");
	b.len = end;
	put_zeros(&b, 512);
	put_text(&b, "more", "x");
	put_end(&b);
	refuses(b.data, b.len, "behind the end of the tar");
	/* Cut anywhere. */
	buf_clear(&b);
	finish_good(&b);
	put_end(&b);
	for (size_t len = 0; len < b.len; len += 37) {
		struct err e = { 0 };
		assert_null(open_bytes(b.data, len, &e));
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
	/* A damaged header in the middle. */
	char *at = memmem(b.data, b.len, "c.json", 6);
	assert_non_null(at);
	*at = 'd';
	refuses(b.data, b.len, "is not a tar from there on");
}

static void not_an_image(void **state)
{
	static const struct {
		const char *name;
		const char *why;
	} cases[] = {
		{ "repositories", "docker older than 1.10" },
		{ "etc/passwd", "docker export" },
		{ "folder/index.json", "in its folder folder" },
		{ "folder/manifest.json", "in its folder folder" },
		{ "chart/Chart.yaml", "Helm chart" },
		{ "README", "without index.json and manifest.json" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO_BUF b = { 0 };
		put_text(&b, cases[i].name, "{}");
		put_end(&b);
		refuses(b.data, b.len, cases[i].why);
	}
}

/* The same archives inside gzip and zstd; a pax size does not confuse the unpacker. */
static void compressed(void **state)
{
	AUTO_BUF b = { 0 };

	(void)state;
	put_pax(&b, 'x', "14 mtime=1.50\n12 size=700\n");
	put_header(&b, "pax", '0', NULL, 0);
	for (int i = 0; i < 700; i++)
		put(&b, "x", 1);
	put_padding(&b);
	put_header(&b, "folder", '5', NULL, 512);
	finish_good(&b);
	put_end(&b);
	AUTO(pack_file) plain = open_good(&b);
	check_verified(plain);
	for (int i = 0; i < 2; i++) {
		AUTO_BUF packed = { 0 };
		if (i)
			gzip_bytes(&packed, b.data, b.len);
		else
			zstd_bytes(&packed, b.data, b.len);
		AUTO(pack_file) f = open_good(&packed);
		assert_string_equal(f->compression, i ? "gzip" : "zstd");
		assert_int_equal(f->pack->image_count, 1);
		check_verified(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oci_names),      cmocka_unit_test(oci_several),       cmocka_unit_test(oci_name_twice),
		cmocka_unit_test(oci_index),      cmocka_unit_test(oci_attestation),   cmocka_unit_test(oci_nesting),
		cmocka_unit_test(oci_refused),    cmocka_unit_test(oci_foreign_layer), cmocka_unit_test(docker_names),
		cmocka_unit_test(docker_legacy),  cmocka_unit_test(docker_podman),     cmocka_unit_test(docker_crane),
		cmocka_unit_test(docker_unnamed), cmocka_unit_test(docker_refused),    cmocka_unit_test(tar_names),
		cmocka_unit_test(tar_long_name),  cmocka_unit_test(tar_twice),         cmocka_unit_test(tar_links),
		cmocka_unit_test(tar_types),      cmocka_unit_test(tar_sizes),         cmocka_unit_test(tar_ends),
		cmocka_unit_test(not_an_image),   cmocka_unit_test(compressed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
