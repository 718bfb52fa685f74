/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whose a referrer is, is proved by cosign's tag or by its own manifest, and it belongs to something of the
 * image; anything else is refused, and leaves the image as it was. What is made for a daemon has none.
 */
#include "sample.h"
#include "tarball.h"

#include "base/limits.h"
#include "pack/select.h"

struct made {
	struct store store;
	struct pack *pack;
	struct promise root;
};

static void made_release(struct made *m)
{
	pack_free(m->pack);
	store_release(&m->store);
}
#define AUTO_MADE __attribute__((cleanup(made_release))) struct made

static struct pack_image *make(struct made *m)
{
	m->pack = pack_new(&sample_err);
	assert_non_null(m->pack);
	const struct promise layer = sample_layer(&m->store, 3);
	struct pack_image *image = sample_image(m->pack, "docker.io/library/app:1", AMD64, &layer, 1);
	m->root = m->pack->blobs[image->root].promise;
	return image;
}

static void fails(struct made *m, struct pack_image *image, size_t blob, const char *tag, const struct digest *subject,
		  const char *says)
{
	struct err e = { 0 };
	const size_t before = image->referrer_count;

	assert_int_equal(pack_image_add_referrer(m->pack, image, blob, tag, subject, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	if (!strstr(e.text, says))
		fail_msg("\"%s\" does not say \"%s\"", e.text, says);
	assert_int_equal(image->referrer_count, before);
}

static void proofs(void **state)
{
	AUTO_MADE m = { 0 };
	struct pack_image *image = make(&m);
	const struct promise other = promise_of("other", 5);
	const size_t mute = sample_referrer(m.pack, &m.store, &m.root, true);
	const size_t self = sample_referrer(m.pack, &m.store, &m.root, false);
	char tag[REFERRERS_TAG_SIZE];

	(void)state;
	fails(&m, image, mute, NULL, &m.root.digest, "does not name");
	fails(&m, image, mute, "latest", &m.root.digest, "its tag does not name");
	fails(&m, image, mute, referrers_tag(&m.root.digest, "", tag), &m.root.digest, "its tag does not name");
	fails(&m, image, mute, referrers_tag(&other.digest, ".sig", tag), &m.root.digest, "its tag does not name");
	fails(&m, image, mute, tag, &other.digest, "is no part of the image");
	/* What names itself cannot be given to another part of the image. */
	fails(&m, image, self, NULL, &m.pack->blobs[image->manifests[0].config].promise.digest, "is no part");
	OK(pack_image_add_referrer(m.pack, image, mute, referrers_tag(&m.root.digest, ".att", tag), &m.root.digest,
				   &sample_err));
	fails(&m, image, mute, tag, &m.root.digest, "twice");
	OK(pack_image_add_referrer(m.pack, image, self, "", &m.root.digest, &sample_err));
	fails(&m, image, self, "", &m.root.digest, "twice");
	fails(&m, image, self, "", &m.pack->blobs[mute].promise.digest, "does not name");
}

/* As fetch would write it: the tag's, what names its subject itself, and a signature of that. */
static void written(void **state)
{
	AUTO_MADE m = { 0 };
	struct pack_image *image = make(&m);
	const size_t blobs[] = { sample_referrer(m.pack, &m.store, &m.root, true),
				 sample_referrer(m.pack, &m.store, &m.root, false) };
	const struct promise second = m.pack->blobs[blobs[1]].promise;
	const size_t third = sample_referrer(m.pack, &m.store, &second, true);
	char tag[REFERRERS_TAG_SIZE];
	AUTO_BUF tar = { 0 };

	(void)state;
	OK(pack_image_add_referrer(m.pack, image, blobs[0], referrers_tag(&m.root.digest, ".sig", tag), &m.root.digest,
				   &sample_err));
	OK(pack_image_add_referrer(m.pack, image, blobs[1], NULL, &m.root.digest, &sample_err));
	OK(pack_image_add_referrer(m.pack, image, third, referrers_tag(&second.digest, ".sig", tag), &second.digest,
				   &sample_err));
	AUTO(layout) l = layout_new(m.pack, NULL, &sample_err);
	assert_non_null(l);
	sample_tar(l, &m.store, &tar);
	AUTO(pack_file) f = open_bytes(tar.data, tar.len, &sample_err);
	if (!f)
		fail_msg("%s", sample_err.text);
	assert_true(digest_equal(&f->layout->id, &l->id));
	assert_int_equal(pack_referrers(f->pack), 3);
	assert_string_equal(f->pack->images[0].referrers[1].tag, "");
	assert_string_equal(f->pack->images[0].referrers[1].type, "application/vnd.oci.empty.v1+json");
	assert_int_equal(f->pack->images[0].referrers[1].part_count, 2);
	assert_string_equal(f->pack->blobs[f->pack->images[0].referrers[2].blob].media_type, MEDIA_OCI_MANIFEST);
	/* Each byte of what the TOC says of them. */
	const char *from = strstr(tar.data + TAR_BLOCK, "\"referrers\"");
	const char *to = strstr(tar.data + TAR_BLOCK, "\"members\"");
	assert_true(from && to && from < to);
	for (size_t at = (size_t)(from - tar.data); at < (size_t)(to - tar.data); at++) {
		struct err e = { 0 };
		tar.data[at] ^= 1;
		AUTO(pack_file) bad = open_bytes(tar.data, tar.len, &e);
		assert_null(bad);
		assert_int_equal(e.kind, ERR_CORRUPT);
		tar.data[at] ^= 1;
	}
}

static void too_many(void **state)
{
	AUTO_MADE m = { 0 };
	struct pack_image *image = make(&m);
	const size_t self = sample_referrer(m.pack, &m.store, &m.root, false);

	(void)state;
	image->referrers = calloc(LIMIT_REFERRERS, sizeof(*image->referrers));
	assert_non_null(image->referrers);
	image->referrer_count = image->referrer_capacity = LIMIT_REFERRERS;
	fails(&m, image, self, NULL, &m.root.digest, "more than");
	image->referrer_count--;
	OK(pack_image_add_referrer(m.pack, image, self, NULL, &m.root.digest, &sample_err));
}

static void left_behind(void **state)
{
	AUTO_MADE m = { 0 };
	struct pack_image *image = make(&m);
	const size_t self = sample_referrer(m.pack, &m.store, &m.root, false);

	(void)state;
	OK(pack_image_add_referrer(m.pack, image, self, NULL, &m.root.digest, &sample_err));
	const struct pack_choice whole = { .image = image, .name = "docker.io/library/b:2", .whole = true };
	AUTO(pack) selected = pack_select(m.pack, &whole, 1, &sample_err);
	assert_non_null(selected);
	assert_int_equal(pack_referrers(selected), 0);
	assert_int_equal(selected->blob_count, m.pack->blob_count - 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proofs),
		cmocka_unit_test(written),
		cmocka_unit_test(too_many),
		cmocka_unit_test(left_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
