/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PACK_MADE_H
#define TESTS_PACK_MADE_H

/* An archive of ours with layers of several codings, and ways to make it a liar. Included by one test program each. */

#include "sample.h"
#include "tarball.h"

#define LAYERS 5

/* An archive of ours with gzip and zstd layers. */
struct made {
	struct store store;
	struct pack *pack;
	struct layout *layout;
	struct buf tar;
	struct promise layers[LAYERS];
};

static void made_release(struct made *m)
{
	buf_release(&m->tar);
	layout_free(m->layout);
	pack_free(m->pack);
	store_release(&m->store);
}
#define AUTO_MADE __attribute__((cleanup(made_release))) struct made

static void text_of(struct buf *b, unsigned n, size_t len)
{
	while (b->len < len)
		OK(buf_printf(b, &sample_err, "layer %u at %zu\n", n, b->len * 2654435761u));
}

/*
 * One image "q.io/x:1". Layer i is plain, gzip or zstd in turn; `liar` (< LAYERS) has a diff ID in the config that its
 * content does not have, `broken` is cut in the middle, under the digest of what is left.
 */
static void made_make(struct made *m, size_t size, size_t liar, size_t broken)
{
	struct promise contents[LAYERS];
	AUTO_BUF config = { 0 };
	AUTO_BUF manifest = { 0 };

	for (unsigned i = 0; i < LAYERS; i++) {
		AUTO_BUF plain = { 0 };
		AUTO_BUF stored = { 0 };
		text_of(&plain, i, size);
		contents[i] = promise_of(plain.data, i == liar ? plain.len - 1 : plain.len);
		if (i % 3 == 1)
			gzip_bytes(&stored, plain.data, plain.len);
		else if (i % 3 == 2)
			zstd_bytes(&stored, plain.data, plain.len);
		else
			put(&stored, plain.data, plain.len);
		m->layers[i] = store_add(&m->store, stored.data, i == broken ? stored.len / 2 : stored.len);
	}
	m->pack = pack_new(&sample_err);
	assert_non_null(m->pack);
	struct pack_image *image = pack_add_image(m->pack, "q.io/x:1", &sample_err);
	assert_non_null(image);
	sample_config(&config, AMD64, contents, LAYERS);
	struct promise cp = promise_of(config.data, config.len);
	sample_manifest(&manifest, MEDIA_OCI_CONFIG, &cp, m->layers, LAYERS);
	struct promise mp = promise_of(manifest.data, manifest.len);
	ptrdiff_t blob = pack_add_blob(m->pack, &mp, BLOB_MANIFEST, MEDIA_OCI_MANIFEST, manifest.data, &sample_err);
	assert_true(blob >= 0);
	image->root = (size_t)blob;
	OK(pack_image_add_manifest(m->pack, image, (size_t)blob, NULL, false, config.data, config.len, &sample_err));
	OK(pack_image_choose_preferred(image, &sample_err));
	m->layout = layout_new(m->pack, NULL, &sample_err);
	assert_non_null(m->layout);
	sample_tar(m->layout, &m->store, &m->tar);
}

#endif
