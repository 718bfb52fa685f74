/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an archive of ours is taken exactly as it was written and in no other form. Every byte changed, every length it
 * can be cut to, and anything added to it is refused by open and verify; a TOC that lies in words of its own is
 * refused; and what is no archive at all is named.
 */
#include "sample.h"
#include "tarball.h"

#include <lzma.h>

/* All of them; with the sanitizers, which make each ten times as slow, every seventh. */
#ifdef __SANITIZE_ADDRESS__
#define STEP 7
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STEP 7
#endif
#endif
#ifndef STEP
#define STEP 1
#endif

struct ours {
	struct store store;
	struct pack *pack;
	struct layout *layout;
	struct buf tar;
};

static void ours_release(struct ours *o)
{
	buf_release(&o->tar);
	layout_free(o->layout);
	pack_free(o->pack);
	store_release(&o->store);
}
#define AUTO_OURS __attribute__((cleanup(ours_release))) struct ours

/*
 * One platform taken from an index, which stands beside it: the index knows the platform better than the config. Its
 * last layer was shipped earlier.
 */
static void narrowed_make(struct ours *o, const struct promise *layers, size_t count)
{
	struct pack_image *image = sample_image(o->pack, "docker.io/library/narrow:1", AMD64, layers, count);
	const struct promise root = o->pack->blobs[image->root].promise;
	AUTO_BUF index = { 0 };
	char text[DIGEST_TEXT_SIZE];

	OK(buf_printf(&index, &sample_err,
		      "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":\"" MEDIA_OCI_MANIFEST
		      "\",\"digest\":\"%s\",\"size\":%" PRIu64
		      ",\"platform\":{\"architecture\":\"amd64\",\"os\":\"linux\",\"variant\":\"v2\"}},{\"mediaType\":"
		      "\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"sha256:%064d\",\"size\":7,\"platform\":{" ARM64 "}}]}",
		      digest_text(&root.digest, text), root.size, 5));
	image->source = promise_of(index.data, index.len);
	(void)snprintf(image->source_media_type, sizeof(image->source_media_type), "%s", MEDIA_OCI_INDEX);
	(void)snprintf(image->manifests[0].platform.variant, sizeof(image->manifests[0].platform.variant), "v2");
	o->pack->blobs[image->manifests[0].layers[count - 1]].absent = true;
	assert_true(pack_add_blob(o->pack, &image->source, BLOB_INDEX, MEDIA_OCI_INDEX, index.data, &sample_err) >= 0);
}

/*
 * Three images: one of one platform, one behind an index, one taken out of an index; a layer is shared, another is
 * empty, a third is relied on.
 */
static void ours_make(struct ours *o)
{
	struct promise layers[3];
	struct promise few[2];

	o->pack = pack_new(&sample_err);
	assert_non_null(o->pack);
	layers[0] = sample_layer(&o->store, 7);
	layers[1] = sample_layer(&o->store, 30);
	layers[2] = store_add(&o->store, "", 0);
	sample_image(o->pack, "docker.io/library/app:1", AMD64, layers, 3);
	sample_index(o->pack, "quay.io/team/multi:2", layers, 2);
	few[0] = layers[1];
	few[1] = promise_of("shipped earlier", 15);
	narrowed_make(o, few, 2);
	o->layout = layout_new(o->pack, NULL, &sample_err);
	assert_non_null(o->layout);
	sample_tar(o->layout, &o->store, &o->tar);
	assert_int_equal(o->tar.len, o->layout->size);
}

static int verify_one(struct pack_file *f, struct err *e)
{
	const struct verify_options options = { .diff_ids = true, .threads = 1 };

	return pack_file_verify(f, &options, NULL, e);
}

static void check_same(const struct pack_file *f, const struct ours *o)
{
	assert_int_equal(f->origin, ORIGIN_IMGPACK);
	assert_string_equal(f->format, "imgpack archive");
	assert_non_null(f->layout);
	assert_true(digest_equal(&f->layout->id, &o->layout->id));
	assert_int_equal(f->pack->image_count, 3);
	assert_int_equal(f->pack->blob_count, o->pack->blob_count);
	assert_string_equal(f->pack->images[0].name, "docker.io/library/app:1");
	assert_string_equal(f->pack->images[1].name, "quay.io/team/multi:2");
	assert_int_equal(f->pack->images[1].manifest_count, 2);
	assert_int_equal(f->pack->images[1].preferred, 1);
	assert_int_equal(f->unproved_count, 0);
	/* What is relied on comes last, wherever it stood. */
	for (size_t i = 0; i < f->pack->blob_count; i++) {
		const struct pack_blob *have = &f->pack->blobs[i];
		ptrdiff_t at = pack_find_blob(o->pack, &have->promise.digest);
		assert_true(at >= 0);
		assert_int_equal(have->role, o->pack->blobs[at].role);
		assert_int_equal(have->absent, o->pack->blobs[at].absent);
		assert_string_equal(have->media_type, o->pack->blobs[at].media_type);
	}
	assert_string_equal(f->pack->images[2].manifests[0].platform.variant, "v2");
	assert_string_equal(f->pack->images[2].source_media_type, MEDIA_OCI_INDEX);
}

/* Each blob read back is what was packed. */
static void check_blobs(struct pack_file *f, struct ours *o)
{
	for (size_t i = 0; i < f->pack->blob_count; i++) {
		AUTO_BUF have = { 0 };
		if (f->pack->blobs[i].absent) {
			struct err e = { 0 };
			assert_null(pack_file_blob(f, &f->pack->blobs[i], &e));
			assert_non_null(strstr(e.text, "is not in the archive"));
			continue;
		}
		AUTO(source) s = pack_file_blob(f, &f->pack->blobs[i], &sample_err);
		assert_non_null(s);
		OK(source_slurp(s, 1u << 20, &have, &sample_err));
		const struct member *m = NULL;
		for (size_t k = 0; k < o->layout->count; k++)
			if (digest_equal(&o->layout->members[k].promise.digest, &f->pack->blobs[i].promise.digest))
				m = &o->layout->members[k];
		assert_non_null(m);
		assert_int_equal(have.len, m->promise.size);
		if (have.len)
			assert_memory_equal(have.data, o->tar.data + m->data, have.len);
	}
}

static void opens(void **state)
{
	AUTO_OURS o = { 0 };

	(void)state;
	ours_make(&o);
	AUTO(pack_file) f = open_good(&o.tar);
	check_same(f, &o);
	assert_string_equal(f->compression, "none");
	assert_int_equal(f->bytes, o.tar.len);
	check_blobs(f, &o);
	OK(verify_one(f, &sample_err));
}

static void note(void *ctx, const struct event *ev)
{
	if (ev->kind == EVENT_NOTE && strstr(ev->text, "unpacking"))
		++*(int *)ctx;
}

static void opens_compressed(void **state)
{
	static const char *const names[] = { "gzip", "zstd", "xz" };
	AUTO_OURS o = { 0 };

	(void)state;
	ours_make(&o);
	for (size_t i = 0; i < 3; i++) {
		AUTO_BUF packed = { 0 };
		struct err e = { 0 };
		char path[64];
		int notes = 0;
		const struct events events = { note, &notes };
		if (i == 0)
			gzip_bytes(&packed, o.tar.data, o.tar.len);
		else if (i == 1)
			zstd_bytes(&packed, o.tar.data, o.tar.len);
		else {
			OK(buf_reserve(&packed, 1u << 20, &sample_err));
			assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, (uint8_t *)o.tar.data,
								 o.tar.len, (uint8_t *)packed.data, &packed.len,
								 1u << 20),
					 LZMA_OK);
		}
		AUTO_FD int fd = memory_file(packed.data, packed.len, path);
		AUTO(pack_file) f = pack_file_open(path, &events, &e);
		(void)fd;
		if (!f)
			fail_msg("%s", e.text);
		assert_int_equal(notes, 1);
		assert_string_equal(f->compression, names[i]);
		assert_int_equal(f->bytes, packed.len);
		check_same(f, &o);
		check_blobs(f, &o);
		OK(verify_one(f, &sample_err));
		/* Cut, and with bytes behind. */
		refuses(packed.data, packed.len - 1, "cannot unpack");
		put(&packed, "x", 1);
		refuses(packed.data, packed.len, "cannot unpack");
	}
}

/* True if open or verify says no, with a reason. */
static bool refused(const char *path)
{
	struct err e = { 0 };
	AUTO(pack_file) f = pack_file_open(path, NULL, &e);

	if (f && !verify_one(f, &e))
		return false;
	return e.kind == ERR_CORRUPT && *e.text;
}

static void every_byte(void **state)
{
	AUTO_OURS o = { 0 };
	char path[64];

	(void)state;
	ours_make(&o);
	AUTO_FD int fd = memory_file(o.tar.data, o.tar.len, path);
	assert_false(refused(path));
	for (size_t i = 0; i < o.tar.len; i += STEP) {
		/* Another bit at each byte, and now and then all of them. */
		char good = o.tar.data[i];
		char bad = (char)(good ^ (i % 9 == 8 ? 0xff : 1 << i % 9));
		assert_int_equal(pwrite(fd, &bad, 1, (off_t)i), 1);
		if (!refused(path))
			fail_msg("byte %zu of %zu: accepted with 0x%02x instead of 0x%02x, in %.60s", i, o.tar.len,
				 (unsigned char)bad, (unsigned char)good, o.tar.data + (i > 30 ? i - 30 : 0));
		assert_int_equal(pwrite(fd, &good, 1, (off_t)i), 1);
	}
	assert_false(refused(path));
}

static void every_cut(void **state)
{
	AUTO_OURS o = { 0 };
	char path[64];

	(void)state;
	ours_make(&o);
	AUTO_FD int fd = memory_file(o.tar.data, o.tar.len, path);
	for (size_t len = o.tar.len - 1; len >= STEP; len -= STEP) {
		assert_int_equal(ftruncate(fd, (off_t)len), 0);
		if (!refused(path))
			fail_msg("cut to %zu of %zu bytes: accepted", len, o.tar.len);
	}
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_true(refused(path));
}

static void appended(void **state)
{
	static const size_t lengths[] = { 1, 511, 512, 1024, 10240 };
	AUTO_OURS o = { 0 };

	(void)state;
	ours_make(&o);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		AUTO_BUF more = { 0 };
		put(&more, o.tar.data, o.tar.len);
		put_zeros(&more, lengths[i]);
		refuses(more.data, more.len, "added at its end");
		more.data[more.len - 1] = 'x';
		refuses(more.data, more.len, "added at its end");
	}
	AUTO_BUF twice = { 0 };
	put(&twice, o.tar.data, o.tar.len);
	put(&twice, o.tar.data, o.tar.len);
	refuses(twice.data, twice.len, "added at its end");
}

static void cut_is_named(void **state)
{
	AUTO_OURS o = { 0 };
	const struct member *last;

	(void)state;
	ours_make(&o);
	last = &o.layout->members[o.layout->count - 1];
	refuses(o.tar.data, last->data + 1, "manifest.json and 0 members behind it are cut or missing; copy it again");
	refuses(o.tar.data, o.tar.len - 1, "the copy was cut");
	refuses(o.tar.data, o.layout->members[3].header, "members behind it are cut or missing");
}

/* Replaces a text in the TOC by one of the same length, and makes the TOC's header hold again. */
static void toc_lie(const struct ours *o, const char *from, const char *to, const char *why)
{
	AUTO_BUF bad = { 0 };
	char *at;

	assert_int_equal(strlen(from), strlen(to));
	put(&bad, o->tar.data, o->tar.len);
	at = memmem(bad.data + TAR_BLOCK, o->layout->toc.len, from, strlen(from));
	assert_non_null(at);
	memcpy(at, to, strlen(to));
	refuses(bad.data, bad.len, why);
}

/* A TOC that is well formed but says something else than the archive's own papers. */
static void toc_lies(void **state)
{
	AUTO_OURS o = { 0 };

	(void)state;
	ours_make(&o);
	toc_lie(&o, "library/app:1", "library/app:9", "does not say what the archive's own manifests say");
	toc_lie(&o, "\"amd64\"", "\"arm64\"", "does not say what");
	toc_lie(&o, MEDIA_OCI_INDEX, "application/vnd.oci.image.indix.v1+json", "imgpack");
	/* Two members change places in the TOC, not in the file. */
	AUTO_BUF bad = { 0 };
	char one[DIGEST_HEX_SIZE];
	char two[DIGEST_HEX_SIZE];
	put(&bad, o.tar.data, o.tar.len);
	digest_hex(&o.layout->members[1].promise.digest, one);
	digest_hex(&o.layout->members[2].promise.digest, two);
	for (char *at = bad.data + TAR_BLOCK; at < bad.data + TAR_BLOCK + o.layout->toc.len; at++) {
		if (!memcmp(at, one, sizeof(one) - 1))
			memcpy(at, two, sizeof(two) - 1);
		else if (!memcmp(at, two, sizeof(two) - 1))
			memcpy(at, one, sizeof(one) - 1);
	}
	struct err e = { 0 };
	AUTO(pack_file) f = open_bytes(bad.data, bad.len, &e);
	assert_null(f);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static void toc_header(void **state)
{
	AUTO_BUF b = { 0 };

	(void)state;
	/* A TOC over its limit is refused before a byte of it is read or a buffer made. */
	put_header(&b, TOC_NAME, '0', NULL, (64u << 20) + 1);
	refuses(b.data, b.len, "the limit is");
	buf_clear(&b);
	put_header(&b, TOC_NAME, '5', NULL, 0);
	refuses(b.data, b.len, "the header is damaged");
	buf_clear(&b);
	put_text(&b, TOC_NAME, "{}");
	put_end(&b);
	refuses(b.data, b.len, TOC_NAME);
}

/* M14: what is no archive is named. */
static void named(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *why;
	} kinds[] = {
		{ "", 0, "is empty" },
		{ "\xff\xfei\0m\0g\0p\0a\0c\0k\0", 16, "PowerShell" },
		{ "\xfe\xff\0i\0m\0g", 8, "UTF-16" },
		{ "\x1f\xef\xbf\xbd\x08\0\0\0\0", 9, "gzip that was treated as text" },
		{ "\xef\xbb\xbf{}", 5, "byte-order mark" },
		{ "PK\x03\x04\x14\0\0\0", 8, "zip" },
		{ "7z\xbc\xaf\x27\x1c\0\x04", 8, "7-Zip" },
		{ "\r\n <!DOCTYPE HTML><html>", 24, "web page" },
		{ "<HTML><body>502 Bad Gateway", 27, "web page" },
		{ "<?xml version=\"1.0\"?><Error>", 28, "XML" },
		{ "{\"errors\":[{\"code\":\"DENIED\"}]}", 30, "JSON" },
		{ "version https://git-lfs.github.com/spec/v1\n", 43, "Git LFS" },
		{ "BZh91AY&SY\x12\x34", 12, "cannot unpack its bzip2" },
		{ "\x04\x22\x4d\x18\x64\x40", 6, "cannot unpack its lz4" },
		{ "404 page not found\n", 19, "text, \"404 page not found" },
		{ "\x7f"
		  "ELF\x02\x01\x01",
		  7, "a program" },
		{ "\x80\x81\x82\x83", 4, "too short" },
		{ "\0\0\0\0", 4, "nothing but zeros" },
		{ "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10, "cannot unpack its gzip" },
	};
	AUTO_BUF b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		refuses(kinds[i].bytes, kinds[i].len, kinds[i].why);
	for (size_t i = 0; i < 2000; i++)
		put(&b, &(char){ (char)(0x80 + i % 101) }, 1);
	refuses(b.data, b.len, "no tar header");
	buf_clear(&b);
	put_zeros(&b, 10240);
	refuses(b.data, b.len, "nothing but zeros");
	struct err e = { 0 };
	assert_null(pack_file_open("/", NULL, &e));
	assert_non_null(strstr(e.text, "folder"));
	e = (struct err){ 0 };
	assert_null(pack_file_open("/nowhere/at/all.tar", NULL, &e));
	assert_int_equal(e.kind, ERR_LOCAL);
}

/* A folder that holds a layout is not taken for an archive, and the way out is said. */
static void folder(void **state)
{
	char dir[] = "/tmp/imgpack-test-XXXXXX";
	char index[64];
	char layout[64];
	struct err e = { 0 };

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(index, sizeof(index), "%s/index.json", dir);
	(void)snprintf(layout, sizeof(layout), "%s/oci-layout", dir);
	FILE *f = fopen(index, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	f = fopen(layout, "w");
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	assert_null(pack_file_open(dir, NULL, &e));
	assert_non_null(strstr(e.text, "OCI layout; put it into a tar"));
	assert_int_equal(unlink(index), 0);
	assert_int_equal(unlink(layout), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* LF to CR LF, and bytes that are no text to U+FFFD: what copying "as text" does to a tar. */
static void text_damage(void **state)
{
	AUTO_OURS o = { 0 };
	AUTO_BUF crlf = { 0 };
	AUTO_BUF replaced = { 0 };

	(void)state;
	ours_make(&o);
	for (size_t i = 0; i < o.tar.len; i++) {
		if (o.tar.data[i] == '\n')
			put(&crlf, "\r", 1);
		put(&crlf, &o.tar.data[i], 1);
	}
	assert_true(crlf.len > o.tar.len);
	refuses(crlf.data, crlf.len, "CR LF");
	AUTO_BUF packed = { 0 };
	gzip_bytes(&packed, o.tar.data, o.tar.len);
	for (size_t i = 0; i < packed.len; i++) {
		if (packed.data[i] & 0x80)
			put(&replaced, "\xef\xbf\xbd", 3);
		else
			put(&replaced, &packed.data[i], 1);
	}
	refuses(replaced.data, replaced.len, "treated as text");
}

/* What unpacks to something else than a tar stops at once; zeros behind a tar stop at the limit. */
static void bombs(void **state)
{
	AUTO_BUF zeros = { 0 };
	AUTO_BUF once = { 0 };
	AUTO_BUF twice = { 0 };
	AUTO_BUF tar = { 0 };
	AUTO_BUF tail = { 0 };

	(void)state;
	put_zeros(&zeros, 8u << 20);
	gzip_bytes(&once, zeros.data, zeros.len);
	refuses(once.data, once.len, "nothing but zeros");
	gzip_bytes(&twice, once.data, once.len);
	refuses(twice.data, twice.len, "there is gzip in it: it was compressed twice");
	zstd_bytes(&tail, "hello", 5);
	refuses(tail.data, tail.len, "text, \"hello\"");
	/* 80 MiB of zeros behind a good tar: eleven times eight and a bit, as one gzip stream of several members. */
	put_text(&tar, "a", "b");
	put_end(&tar);
	buf_clear(&tail);
	gzip_bytes(&tail, tar.data, tar.len);
	for (int i = 0; i < 10; i++)
		put(&tail, once.data, once.len);
	refuses(tail.data, tail.len, "follow the end of the tar");
	/* A header record of more than anybody needs. */
	buf_clear(&tar);
	buf_clear(&tail);
	put_header(&tar, "x", 'x', NULL, 1u << 30);
	put_zeros(&tar, 1u << 20);
	gzip_bytes(&tail, tar.data, tar.len);
	refuses(tail.data, tail.len, "header records");
	refuses(tar.data, tar.len, "header records");
	/* And a tar that stops being one. */
	buf_clear(&tar);
	buf_clear(&tail);
	put_text(&tar, "a", "b");
	put(&tar, "no header", 9);
	put_padding(&tar);
	gzip_bytes(&tail, tar.data, tar.len);
	refuses(tail.data, tail.len, "byte 1024 of it: is not a tar");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens),     cmocka_unit_test(opens_compressed), cmocka_unit_test(every_byte),
		cmocka_unit_test(every_cut), cmocka_unit_test(appended),         cmocka_unit_test(cut_is_named),
		cmocka_unit_test(toc_lies),  cmocka_unit_test(toc_header),       cmocka_unit_test(named),
		cmocka_unit_test(folder),    cmocka_unit_test(text_damage),      cmocka_unit_test(bombs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
