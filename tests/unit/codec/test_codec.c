/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: source_decode() gives exactly the bytes that zlib's, zstd's, xz's, bzip2's and lz4's own programs would,
 * however the input is cut into pieces, and refuses what they refuse: every truncation, every flipped bit that a check
 * covers, bytes behind the end, more output than allowed. The gzip inputs were made by Python's zlib, so ISA-L is
 * compared with it.
 */
#include "codec/codec.h"

#include "base/limits.h"

#include <bzlib.h>
#include <inttypes.h>
#include <isa-l/igzip_lib.h>
#include <lz4frame.h>
#include <lzma.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zstd.h>
/* cmocka last: it wants the four above. */
#include <cmocka.h>

/* A source that gives at most `piece` bytes a read, and fails at the end if asked to. */
struct drip {
	struct source base;
	const uint8_t *at;
	size_t left;
	size_t piece;
	bool fails;
};

static ssize_t drip_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct drip *d = (struct drip *)s;
	size_t n = d->left < cap ? d->left : cap;

	if (n > d->piece)
		n = d->piece;
	if (!n && d->fails)
		return err_set(e, ERR_LOCAL, "the disk is gone");
	if (n)
		memcpy(buf, d->at, n);
	d->at += n;
	d->left -= n;
	return (ssize_t)n;
}

static void drip_free(struct source *s)
{
	free(s);
}

static struct source *drip(const void *bytes, size_t len, size_t piece, bool fails)
{
	static const struct source_ops ops = { drip_read, drip_free };
	struct drip *d = malloc(sizeof(*d));

	assert_non_null(d);
	*d = (struct drip){ { &ops }, bytes, len, piece, fails };
	return &d->base;
}

/* Decodes it all, reading `room` bytes at a time: 0, or -1 with *e. */
static int decode(enum coding c, const void *bytes, size_t len, size_t piece, size_t room, struct buf *out,
		  struct err *e)
{
	AUTO(source) s = source_decode(drip(bytes, len, piece, false), c, UINT64_MAX, e);
	AUTO_MEM char *to = malloc(room);

	assert_non_null(s);
	assert_non_null(to);
	for (;;) {
		ssize_t n = source_read(s, to, room, e);
		if (n < 0) {
			struct err again = { 0 };
			assert_int_equal(source_read(s, to, room, &again), -1);
			assert_string_equal(again.text, e->text);
			return -1;
		}
		if (n == 0) {
			assert_int_equal(source_read(s, to, room, e), 0);
			return 0;
		}
		assert_int_equal(buf_add(out, to, (size_t)n, e), 0);
	}
}

static void gives(enum coding c, const void *bytes, size_t len, const void *want, size_t want_len)
{
	static const size_t pieces[] = { 1, 2, 3, 7, 64, 1000, SIZE_MAX };
	static const size_t rooms[] = { 1, 5, 4096, 131072 };

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		for (size_t k = 0; k < sizeof(rooms) / sizeof(*rooms); k++) {
			struct err e = { 0 };
			AUTO_BUF out = { 0 };
			if (decode(c, bytes, len, pieces[i], rooms[k], &out, &e))
				fail_msg("pieces of %zu, room %zu: %s", pieces[i], rooms[k], e.text);
			assert_int_equal(out.len, want_len);
			if (want_len)
				assert_memory_equal(out.data, want, want_len);
		}
	}
}

static void refuses(enum coding c, const void *bytes, size_t len, const char *why)
{
	static const size_t pieces[] = { 1, 5, SIZE_MAX };

	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		struct err e = { 0 };
		AUTO_BUF out = { 0 };
		assert_int_equal(decode(c, bytes, len, pieces[i], 4096, &out, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		if (why && !strstr(e.text, why))
			fail_msg("\"%s\" does not say \"%s\"", e.text, why);
	}
}

static void refuses_whole(enum coding c, const void *bytes, size_t len)
{
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	assert_int_equal(decode(c, bytes, len, SIZE_MAX, 65536, &out, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

static size_t unhex(uint8_t *out, const char *hex)
{
	size_t n = 0;

	for (; hex[2 * n]; n++) {
		char pair[3] = { hex[2 * n], hex[2 * n + 1], '\0' };
		out[n] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

/* Made by Python 3.11's gzip and zlib modules. */
#define GZ_NAMED "1f8b08080100000002ff6e616d652e74787400cb48cdc9c9d75148afca2ce00200861f82a40c000000"
#define GZ_FLUSHED "1f8b08000000000000034a4c4a06000000ffff000000ffff4b494d0300ef398e4b06000000"
#define GZ_STORED "1f8b0800000000000403010c00f3ff73746f7265642062797465737877a60f0c000000"
#define GZ_EMPTY "1f8b080000000000020303000000000000000000"
#define GZ_ALL_FIELDS                                                                                                  \
	"1f8b081f00000000000304006162636466696c6500636f6d6d656e740026944bccc95148cb4ccd49290600cbbb26e00a000000"

static const struct {
	const char *hex;
	const char *plain;
} gzips[] = {
	{ GZ_NAMED, "hello, gzip\n" },   { GZ_FLUSHED, "abcdef" }, { GZ_STORED, "stored bytes" }, { GZ_EMPTY, "" },
	{ GZ_ALL_FIELDS, "all fields" },
};
#define GZIPS (sizeof(gzips) / sizeof(*gzips))

static void gzip_of_others(void **state)
{
	uint8_t b[256];

	(void)state;
	for (size_t i = 0; i < GZIPS; i++)
		gives(CODING_GZIP, b, unhex(b, gzips[i].hex), gzips[i].plain, strlen(gzips[i].plain));
}

/* Members behind each other are one stream, at every pair, empty ones too; zeros behind are padding. */
static void gzip_members(void **state)
{
	uint8_t b[512];
	char plain[64];

	(void)state;
	for (size_t i = 0; i < GZIPS; i++) {
		for (size_t k = 0; k < GZIPS; k++) {
			size_t n = unhex(b, gzips[i].hex);
			n += unhex(b + n, gzips[k].hex);
			memset(b + n, 0, 17);
			(void)snprintf(plain, sizeof(plain), "%s%s", gzips[i].plain, gzips[k].plain);
			gives(CODING_GZIP, b, n, plain, strlen(plain));
			gives(CODING_GZIP, b, n + 17, plain, strlen(plain));
		}
	}
}

static void gzip_trailing(void **state)
{
	uint8_t b[256];
	size_t n = unhex(b, GZ_NAMED);

	(void)state;
	b[n] = 'x';
	refuses(CODING_GZIP, b, n + 1, "other bytes follow");
	b[n] = 0;
	b[n + 1] = 'x';
	refuses(CODING_GZIP, b, n + 2, "other bytes follow");
	/* Flags that no RFC names: zlib refuses them as well. */
	b[3] |= 0x20;
	refuses(CODING_GZIP, b, n, "unknown flags");
	b[3] &= 0x1f;
	/* Half of a magic number, and a magic number alone. */
	b[n] = 0x1f;
	refuses(CODING_GZIP, b, n + 1, "ends in the middle");
	b[n + 1] = 0x8b;
	refuses(CODING_GZIP, b, n + 2, "ends in the middle");
	/* A member behind padding is not what gzip(1) takes either. */
	b[n] = 0;
	n += 1 + unhex(b + n + 1, GZ_NAMED);
	refuses(CODING_GZIP, b, n, "other bytes follow");
	refuses(CODING_GZIP, "", 0, "empty");
}

/* What no check covers: time, extra flags, system, and the name of GZ_NAMED. The unused bits of deflate's last byte
 * too. */
static bool free_byte(size_t i)
{
	return (i >= 4 && i < 10) || (i >= 10 && i < 18);
}

/* The header's own CRC covers each of its bytes. */
static void gzip_header_crc(void **state)
{
	uint8_t b[256];
	size_t n = unhex(b, GZ_ALL_FIELDS);

	(void)state;
	for (size_t i = 0; i < 31; i++) {
		b[i] ^= 0x40;
		refuses(CODING_GZIP, b, n, NULL);
		b[i] ^= 0x40;
	}
	gives(CODING_GZIP, b, n, "all fields", 10);
}

static void gzip_damage(void **state)
{
	uint8_t b[256];
	size_t n = unhex(b, GZ_NAMED);

	(void)state;
	for (size_t cut = 0; cut < n; cut++)
		refuses(CODING_GZIP, b, cut, cut ? "ends in the middle" : "empty");
	for (size_t i = 0; i < n; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			struct err e = { 0 };
			AUTO_BUF out = { 0 };
			b[i] ^= (uint8_t)(1u << bit);
			int r = decode(CODING_GZIP, b, n, SIZE_MAX, 4096, &out, &e);
			b[i] ^= (uint8_t)(1u << bit);
			/* What is accepted must be the same text (FTEXT and the fields that nothing covers). */
			if (r == 0 && (out.len != 12 || memcmp(out.data, "hello, gzip\n", 12) != 0))
				fail_msg("bit %u of byte %zu: accepted with another content", bit, i);
			if (r == 0 && !free_byte(i) && i != 3 && i != n - 9)
				fail_msg("bit %u of byte %zu: accepted", bit, i);
		}
	}
}

/* Bytes that look like a layer: some runs, some noise; the same each time. */
static uint8_t *noise(size_t len)
{
	uint8_t *b = malloc(len);
	uint64_t x = 88172645463325252u;

	assert_non_null(b);
	for (size_t i = 0; i < len; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		b[i] = (i / 4096) % 3 == 0 ? (uint8_t)(i / 100) : (i / 4096) % 3 == 1 ? (uint8_t)x : (uint8_t)(x & 15);
	}
	return b;
}

static size_t pack_gzip(uint8_t *to, size_t room, const uint8_t *from, size_t len, unsigned level)
{
	struct isal_zstream z;
	AUTO_MEM uint8_t *work = malloc(ISAL_DEF_LVL3_DEFAULT);

	assert_non_null(work);
	isal_deflate_stateless_init(&z);
	z.gzip_flag = IGZIP_GZIP;
	z.level = level;
	z.level_buf = work;
	z.level_buf_size = ISAL_DEF_LVL3_DEFAULT;
	z.next_in = (uint8_t *)(uintptr_t)from;
	z.avail_in = (uint32_t)len;
	z.end_of_stream = 1;
	z.next_out = to;
	z.avail_out = (uint32_t)room;
	assert_int_equal(isal_deflate_stateless(&z), COMP_OK);
	return z.total_out;
}

/* Large enough to pass every buffer several times. */
#define LARGE (1500u << 10)

static void large(void **state)
{
	AUTO_MEM uint8_t *plain = noise(LARGE);
	size_t room = 2 * (size_t)LARGE + 65536;
	AUTO_MEM uint8_t *packed = malloc(room);
	static const enum coding codings[] = { CODING_GZIP, CODING_GZIP, CODING_ZSTD, CODING_XZ };

	(void)state;
	assert_non_null(packed);
	for (size_t i = 0; i < 4; i++) {
		size_t n = 0;
		if (codings[i] == CODING_GZIP)
			n = pack_gzip(packed, room, plain, LARGE, i ? 3 : 0);
		else if (codings[i] == CODING_ZSTD)
			n = ZSTD_compress(packed, room, plain, LARGE, 3);
		else
			assert_int_equal(
				lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, plain, LARGE, packed, &n, room), 0);
		for (size_t k = 0; k < 4; k++) {
			static const size_t pieces[] = { 1000, 65537, 131072, SIZE_MAX };
			static const size_t rooms[] = { 131072, 777, 1u << 20, 65536 };
			struct err e = { 0 };
			AUTO_BUF out = { 0 };
			assert_int_equal(decode(codings[i], packed, n, pieces[k], rooms[k], &out, &e), 0);
			assert_int_equal(out.len, LARGE);
			assert_memory_equal(out.data, plain, LARGE);
		}
		refuses_whole(codings[i], packed, n - 1);
		packed[n / 2] ^= 0x10;
		if (codings[i] != CODING_ZSTD) /* this frame has no checksum */
			refuses_whole(codings[i], packed, n);
	}
}

static size_t frame(uint8_t *to, const char *text, bool checksum)
{
	ZSTD_CCtx *c = ZSTD_createCCtx();

	assert_non_null(c);
	ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, checksum);
	size_t n = ZSTD_compress2(c, to, 256, text, strlen(text));
	assert_false(ZSTD_isError(n));
	ZSTD_freeCCtx(c);
	return n;
}

static void zstd_frames(void **state)
{
	static const uint8_t skippable[] = { 0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z' };
	uint8_t b[1024];
	size_t n = 0;

	(void)state;
	memcpy(b, skippable, sizeof(skippable));
	n = sizeof(skippable);
	gives(CODING_ZSTD, b, n, "", 0);
	n += frame(b + n, "first ", true);
	n += frame(b + n, "", true);
	memcpy(b + n, skippable, sizeof(skippable));
	n += sizeof(skippable);
	n += frame(b + n, "second", false);
	gives(CODING_ZSTD, b, n, "first second", 12);
	b[n] = 0;
	refuses(CODING_ZSTD, b, n + 1, NULL);
	b[n] = 0x28;
	refuses(CODING_ZSTD, b, n + 1, "ends in the middle");
	refuses(CODING_ZSTD, "", 0, "empty");
	refuses(CODING_ZSTD, b, 10, "ends in the middle");
}

static void zstd_damage(void **state)
{
	uint8_t b[256];
	size_t n = frame(b, "a text whose checksum is in the frame", true);

	(void)state;
	for (size_t cut = 0; cut < n; cut++)
		refuses(CODING_ZSTD, b, cut, cut ? "ends in the middle" : "empty");
	for (size_t i = 0; i < n; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			struct err e = { 0 };
			AUTO_BUF out = { 0 };
			b[i] ^= (uint8_t)(1u << bit);
			int r = decode(CODING_ZSTD, b, n, SIZE_MAX, 4096, &out, &e);
			b[i] ^= (uint8_t)(1u << bit);
			if (r == 0 &&
			    (out.len != 37 || memcmp(out.data, "a text whose checksum is in the frame", 37) != 0))
				fail_msg("bit %u of byte %zu: accepted with another content", bit, i);
		}
	}
}

/* A window of 2^28 is refused, one of 2^27 is not. Frame header only: magic, descriptor, window byte; an empty last
 * block. */
static void zstd_window(void **state)
{
	uint8_t b[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0x00, 0x00 };

	(void)state;
	AUTO_BUF out = { 0 };
	struct err e = { 0 };
	assert_int_equal(decode(CODING_ZSTD, b, sizeof(b), SIZE_MAX, 4096, &out, &e), 0);
	assert_int_equal(out.len, 0);
	b[5] = (28 - 10) << 3;
	refuses(CODING_ZSTD, b, sizeof(b), "emory");
}

static size_t pack_xz(uint8_t *to, size_t room, const char *text, lzma_check check)
{
	size_t n = 0;

	assert_int_equal(lzma_easy_buffer_encode(0, check, NULL, (const uint8_t *)text, strlen(text), to, &n, room), 0);
	return n;
}

static void xz_streams(void **state)
{
	uint8_t b[2048];
	size_t n = pack_xz(b, sizeof(b), "first ", LZMA_CHECK_SHA256);

	(void)state;
	for (size_t cut = 0; cut < n; cut++)
		refuses(CODING_XZ, b, cut, "ends in the middle");
	memset(b + n, 0, 4);
	n += 4;
	n += pack_xz(b + n, sizeof(b) - n, "second", LZMA_CHECK_CRC32);
	gives(CODING_XZ, b, n, "first second", 12);
	for (size_t i = 0; i < n; i++) {
		b[i] ^= 0x20;
		refuses(CODING_XZ, b, n, NULL);
		b[i] ^= 0x20;
	}
	memset(b + n, 0, 3);
	refuses(CODING_XZ, b, n + 3, NULL);
	b[n] = 'x';
	refuses(CODING_XZ, b, n + 1, NULL);
}

/* A dictionary over LIMIT_XZ_MEMORY is refused before it is allocated. */
static void xz_memory(void **state)
{
	uint8_t b[1024];
	size_t n = 0;
	lzma_options_lzma o;
	lzma_filter filters[] = { { LZMA_FILTER_LZMA2, &o }, { LZMA_VLI_UNKNOWN, NULL } };

	(void)state;
	assert_false(lzma_lzma_preset(&o, 0));
	o.dict_size = LIMIT_XZ_MEMORY / 2;
	assert_int_equal(
		lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, (const uint8_t *)"x", 1, b, &n, sizeof(b)),
		0);
	AUTO_BUF out = { 0 };
	struct err e = { 0 };
	assert_int_equal(decode(CODING_XZ, b, n, SIZE_MAX, 4096, &out, &e), 0);
	assert_int_equal(out.len, 1);
	n = 0;
	o.dict_size = LIMIT_XZ_MEMORY;
	assert_int_equal(
		lzma_stream_buffer_encode(filters, LZMA_CHECK_CRC32, NULL, (const uint8_t *)"x", 1, b, &n, sizeof(b)),
		0);
	refuses(CODING_XZ, b, n, "memory");
}

static size_t pack_bzip2(uint8_t *to, size_t room, const char *text)
{
	unsigned int n = (unsigned int)room;
	char copy[64];

	(void)snprintf(copy, sizeof(copy), "%s", text);
	assert_int_equal(BZ2_bzBuffToBuffCompress((char *)to, &n, copy, (unsigned int)strlen(copy), 1, 0, 0), BZ_OK);
	return n;
}

static void bzip2_streams(void **state)
{
	uint8_t b[2048];
	size_t n = pack_bzip2(b, sizeof(b), "first ");

	(void)state;
	refuses(CODING_BZIP2, b, 0, "empty");
	for (size_t cut = 1; cut < n; cut++)
		refuses(CODING_BZIP2, b, cut, "ends in the middle");
	n += pack_bzip2(b + n, sizeof(b) - n, "");
	n += pack_bzip2(b + n, sizeof(b) - n, "second");
	gives(CODING_BZIP2, b, n, "first second", 12);
	/* Behind the last block up to seven bits are filling, which no check covers. */
	for (size_t i = 0; i < n * 8; i++) {
		struct err e = { 0 };
		AUTO_BUF out = { 0 };
		b[i / 8] ^= (uint8_t)(1 << i % 8);
		if (!decode(CODING_BZIP2, b, n, SIZE_MAX, 4096, &out, &e)) {
			assert_int_equal(out.len, 12);
			assert_memory_equal(out.data, "first second", 12);
		}
		b[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	b[n] = 'x';
	refuses(CODING_BZIP2, b, n + 1, NULL);
}

static size_t pack_lz4(uint8_t *to, size_t room, const char *text)
{
	LZ4F_preferences_t how = { 0 };

	how.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	size_t n = LZ4F_compressFrame(to, room, text, strlen(text), &how);
	assert_false(LZ4F_isError(n));
	return n;
}

static void lz4_frames(void **state)
{
	uint8_t b[2048];
	size_t n = pack_lz4(b, sizeof(b), "first ");

	(void)state;
	refuses(CODING_LZ4, b, 0, "empty");
	for (size_t cut = 1; cut < n; cut++)
		refuses(CODING_LZ4, b, cut, "ends in the middle");
	for (size_t i = 0; i < n; i++) {
		b[i] ^= 0x08;
		refuses(CODING_LZ4, b, n, NULL);
		b[i] ^= 0x08;
	}
	/* A skippable frame between two. */
	memcpy(b + n, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11);
	n += 11;
	n += pack_lz4(b + n, sizeof(b) - n, "second");
	gives(CODING_LZ4, b, n, "first second", 12);
	b[n] = 'x';
	refuses(CODING_LZ4, b, n + 1, NULL);
}

/* One layer of coding is undone, not what is inside. */
static void one_layer(void **state)
{
	uint8_t inside[256];
	uint8_t outside[1024];
	size_t n = unhex(inside, GZ_NAMED);
	size_t m = pack_gzip(outside, sizeof(outside), inside, n, 1);

	(void)state;
	gives(CODING_GZIP, outside, m, inside, n);
}

static void limit(void **state)
{
	uint8_t b[256];
	size_t n = unhex(b, GZ_NAMED);
	char to[64];

	(void)state;
	for (uint64_t max = 0; max < 14; max++) {
		struct err e = { 0 };
		uint64_t given = 0;
		ssize_t got;
		AUTO(source) s = source_decode(drip(b, n, 3, false), CODING_GZIP, max, &e);
		assert_non_null(s);
		while ((got = source_read(s, to, sizeof(to), &e)) > 0)
			given += (uint64_t)got;
		assert_int_equal(got, max < 12 ? -1 : 0);
		assert_true(given <= max);
		if (max < 12)
			assert_non_null(strstr(e.text, "more than the expected"));
	}
}

/* 1 GiB of zeros in 1 MB: stops one byte behind the limit, not after a gigabyte. */
static void bomb(void **state)
{
	AUTO_MEM uint8_t *zeros = calloc(1, 16u << 20);
	AUTO_MEM uint8_t *packed = malloc(1u << 20);
	struct err e = { 0 };

	(void)state;
	assert_non_null(zeros);
	assert_non_null(packed);
	size_t n = pack_gzip(packed, 1u << 20, zeros, 16u << 20, 1);
	AUTO(source) s = source_decode(drip(packed, n, SIZE_MAX, false), CODING_GZIP, 1000, &e);
	assert_non_null(s);
	assert_int_equal(source_drain(s, &e), -1);
	assert_non_null(strstr(e.text, "more than the expected 1000 bytes"));
}

/* The inner source's error is the verdict, also when the coded data looked complete. */
static void inner_fails(void **state)
{
	uint8_t b[256];
	size_t n = unhex(b, GZ_NAMED);
	struct err e = { 0 };

	(void)state;
	AUTO(source) s = source_decode(drip(b, n, 8, true), CODING_GZIP, UINT64_MAX, &e);
	assert_non_null(s);
	assert_int_equal(source_drain(s, &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_non_null(strstr(e.text, "the disk is gone"));
}

static void detect(void **state)
{
	(void)state;
	assert_int_equal(coding_detect("\x1f\x8b\x08", 3), CODING_GZIP);
	assert_int_equal(coding_detect("\x1f", 1), CODING_NONE);
	assert_int_equal(coding_detect("\x28\xb5\x2f\xfd", 4), CODING_ZSTD);
	assert_int_equal(coding_detect("\x50\x2a\x4d\x18", 4), CODING_ZSTD);
	assert_int_equal(coding_detect("\x5f\x2a\x4d\x18", 4), CODING_ZSTD);
	assert_int_equal(coding_detect("\x60\x2a\x4d\x18", 4), CODING_NONE);
	assert_int_equal(coding_detect("\xfd"
				       "7zXZ\0",
				       6),
			 CODING_XZ);
	assert_int_equal(coding_detect("\xfd"
				       "7zXZ",
				       5),
			 CODING_NONE);
	assert_int_equal(coding_detect("BZh91AY&SY", 10), CODING_BZIP2);
	assert_int_equal(coding_detect("BZh9\x17\x72\x45\x38\x50\x90", 10), CODING_BZIP2);
	assert_int_equal(coding_detect("BZh9/folder", 11), CODING_NONE);
	assert_int_equal(coding_detect("\x04\x22\x4d\x18", 4), CODING_LZ4);
	assert_int_equal(coding_detect("imgpack.json", 12), CODING_NONE);
	assert_int_equal(coding_detect("", 0), CODING_NONE);
	assert_string_equal(coding_name(CODING_NONE), "none");
	assert_string_equal(coding_name(CODING_LZ4), "lz4");
}

static void no_source(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(source_decode(NULL, CODING_GZIP, 1, &e));
	/* CODING_NONE gives the inner source back. */
	struct source *inner = drip("x", 1, 1, false);
	AUTO(source) s = source_decode(inner, CODING_NONE, 1, &e);
	assert_ptr_equal(s, inner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_of_others), cmocka_unit_test(gzip_members),    cmocka_unit_test(gzip_trailing),
		cmocka_unit_test(gzip_damage),    cmocka_unit_test(large),           cmocka_unit_test(zstd_frames),
		cmocka_unit_test(zstd_damage),    cmocka_unit_test(zstd_window),     cmocka_unit_test(xz_streams),
		cmocka_unit_test(xz_memory),      cmocka_unit_test(one_layer),       cmocka_unit_test(limit),
		cmocka_unit_test(bomb),           cmocka_unit_test(inner_fails),     cmocka_unit_test(detect),
		cmocka_unit_test(no_source),      cmocka_unit_test(gzip_header_crc), cmocka_unit_test(bzip2_streams),
		cmocka_unit_test(lz4_frames),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
