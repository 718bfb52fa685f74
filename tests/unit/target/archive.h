/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TARGET_ARCHIVE_H
#define TESTS_TARGET_ARCHIVE_H

/*
 * Small archives for the tests of target/: real tars as layers, so that a real daemon unpacks them; written by pack/
 * and opened again by it. Everything is a function of the numbers given, so digests can be compared between tests.
 */

#include "base/text.h"
#include "pack/layout.h"
#include "pack/open.h"
#include "stream/sink.h"

#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ASSERT_OK(call, e)                                                                                             \
	do {                                                                                                           \
		if (call)                                                                                              \
			fail_msg("%s: %s", #call, (e)->text);                                                          \
	} while (0)

/* An image to be made. */
struct recipe {
	const char *name;      /* or NULL */
	const char *platforms; /* "linux/amd64 linux/arm64": more than one makes an index */
	const char *layers;    /* one letter a layer; the same letter, the same layer. Capital: a large one */
};

static inline void layer_bytes(struct buf *out, char letter, const char *salt)
{
	struct err e = { 0 };
	char header[TAR_BLOCK];
	static const char zeros[2 * TAR_BLOCK];
	size_t size = letter >= 'A' && letter <= 'Z' ? 3u << 20 : 3000;
	char name[64];

	(void)snprintf(name, sizeof(name), "file-%c%s", letter, salt);
	tar_header(header, name, size);
	ASSERT_OK(buf_add(out, header, sizeof(header), &e), &e);
	uint32_t noise = (uint32_t)letter * 2654435761u + (uint32_t)strlen(salt);
	for (size_t i = 0; i < size; i++) {
		noise = noise * 1664525u + 1013904223u;
		char c = (char)(noise >> 24);
		ASSERT_OK(buf_add(out, &c, 1, &e), &e);
	}
	ASSERT_OK(buf_add(out, zeros, (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK, &e), &e);
	ASSERT_OK(buf_add(out, zeros, sizeof(zeros), &e), &e);
}

static inline ptrdiff_t add_bytes(struct pack *p, enum blob_role role, const char *type, const struct buf *b)
{
	struct err e = { 0 };
	struct promise promise = { .size = b->len };

	ASSERT_OK(digest_of(&promise.digest, b->data, b->len, &e), &e);
	ptrdiff_t at = pack_add_blob(p, &promise, role, type, b->data, &e);
	ASSERT_OK(at < 0, &e);
	return at;
}

static inline void put_descriptor(struct buf *out, const struct pack *p, ptrdiff_t blob)
{
	struct err e = { 0 };
	char digest[DIGEST_TEXT_SIZE];
	const struct pack_blob *b = &p->blobs[blob];

	ASSERT_OK(buf_printf(out, &e, "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%" PRIu64, b->media_type,
			     digest_text(&b->promise.digest, digest), b->promise.size),
		  &e);
}

/* One platform's manifest: its blob; *config gets the configuration's bytes. */
static inline ptrdiff_t add_platform(struct pack *p, const struct recipe *r, const char *platform, struct buf *config)
{
	struct err e = { 0 };
	struct platform parsed;
	char digest[DIGEST_TEXT_SIZE];
	AUTO_BUF manifest = { 0 };
	AUTO_BUF layers = { 0 };

	ASSERT_OK(platform_parse(&parsed, platform, &e), &e);
	ASSERT_OK(buf_printf(config, &e,
			     "{\"architecture\":\"%s\",\"os\":\"%s\",\"config\":{},\"rootfs\":{\"type\":\"layers\","
			     "\"diff_ids\":[",
			     parsed.architecture, parsed.os),
		  &e);
	for (const char *c = r->layers; *c; c++) {
		AUTO_BUF layer = { 0 };
		layer_bytes(&layer, *c, strcmp(platform, "linux/amd64") != 0 ? parsed.architecture : "");
		ptrdiff_t blob = add_bytes(p, BLOB_LAYER, MEDIA_OCI_LAYER, &layer);
		const char *comma = c == r->layers ? "" : ",";
		ASSERT_OK(
			buf_printf(config, &e, "%s\"%s\"", comma, digest_text(&p->blobs[blob].promise.digest, digest)),
			&e);
		ASSERT_OK(buf_puts(&layers, comma, &e), &e);
		put_descriptor(&layers, p, blob);
		ASSERT_OK(buf_puts(&layers, "}", &e), &e);
	}
	ASSERT_OK(buf_puts(config, "]},\"history\":[]}", &e), &e);
	ptrdiff_t at = add_bytes(p, BLOB_CONFIG, MEDIA_OCI_CONFIG, config);
	ASSERT_OK(
		buf_printf(&manifest, &e, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":", MEDIA_OCI_MANIFEST),
		&e);
	put_descriptor(&manifest, p, at);
	ASSERT_OK(buf_printf(&manifest, &e, "},\"layers\":[%s]}", layers.len ? layers.data : ""), &e);
	return add_bytes(p, BLOB_MANIFEST, MEDIA_OCI_MANIFEST, &manifest);
}

static inline void add_recipe(struct pack *p, const struct recipe *r)
{
	struct err e = { 0 };
	AUTO_BUF index = { 0 };
	AUTO_MEM char *platforms = strdup(r->platforms);
	struct pack_image *image = pack_add_image(p, r->name, &e);
	size_t count = 0;
	ptrdiff_t blob = -1;
	char *save = NULL;

	ASSERT_OK(!image, &e);
	ASSERT_OK(buf_printf(&index, &e, "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"manifests\":[", MEDIA_OCI_INDEX),
		  &e);
	for (char *one = strtok_r(platforms, " ", &save); one; one = strtok_r(NULL, " ", &save)) {
		AUTO_BUF config = { 0 };
		struct platform parsed;
		ASSERT_OK(platform_parse(&parsed, one, &e), &e);
		blob = add_platform(p, r, one, &config);
		ASSERT_OK(pack_image_add_manifest(p, image, (size_t)blob, &parsed, false, config.data, config.len, &e),
			  &e);
		ASSERT_OK(buf_puts(&index, count++ ? "," : "", &e), &e);
		put_descriptor(&index, p, blob);
		ASSERT_OK(buf_printf(&index, &e, ",\"platform\":{\"architecture\":\"%s\",\"os\":\"%s\"}}",
				     parsed.architecture, parsed.os),
			  &e);
	}
	ASSERT_OK(buf_puts(&index, "]}", &e), &e);
	if (count > 1)
		blob = add_bytes(p, BLOB_INDEX, MEDIA_OCI_INDEX, &index);
	image->root = (size_t)blob;
	image->has_source = true;
	image->source = p->blobs[blob].promise;
	(void)snprintf(image->source_media_type, sizeof(image->source_media_type), "%s", p->blobs[blob].media_type);
	ASSERT_OK(pack_image_choose_preferred(image, &e), &e);
}

/* The images as a pack in memory. */
static inline struct pack *make_pack(const struct recipe *recipes, size_t count)
{
	struct err e = { 0 };
	struct pack *p = pack_new(&e);

	ASSERT_OK(!p, &e);
	for (size_t i = 0; i < count; i++)
		add_recipe(p, &recipes[i]);
	return p;
}

/* Writes the archive to `path` and opens it. */
static inline struct pack_file *make_archive(const char *path, const struct recipe *recipes, size_t count)
{
	struct err e = { 0 };
	AUTO(pack) p = make_pack(recipes, count);
	AUTO(layout) l = layout_new(p, NULL, &e);
	ASSERT_OK(!l, &e);
	AUTO(source) s = layout_source(l, NULL, NULL, &e);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	AUTO(sink) out = sink_fd(fd, &e);
	ASSERT_OK(!s || !out || pump(s, out, &e), &e);
	assert_int_equal(close(fd), 0);
	struct pack_file *f = pack_file_open(path, NULL, &e);
	ASSERT_OK(!f, &e);
	assert_int_equal(f->pack->image_count, count);
	return f;
}

/* Changes one byte of the first blob of this size class behind the back of who has verified it. */
static inline void spoil_layer(const char *path, const struct pack_file *f, size_t layer_blob, uint64_t at)
{
	const struct pack_blob *b = &f->pack->blobs[layer_blob];
	char c;
	int fd = open(path, O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &c, 1, (off_t)(b->offset + at)), 1);
	c = (char)(c ^ 1);
	assert_int_equal(pwrite(fd, &c, 1, (off_t)(b->offset + at)), 1);
	assert_int_equal(close(fd), 0);
}

#endif
