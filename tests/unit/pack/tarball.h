/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_PACK_TARBALL_H
#define TESTS_PACK_TARBALL_H

/*
 * Tars of any shape in memory, good and bad, and files for pack_file_open() made of them without touching a folder.
 * Included by one test program each, behind sample.h; every helper fails the test by itself.
 */

#include "pack/open.h"
#include "sample.h"

#include <isa-l/igzip_lib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zstd.h>

UNUSED static void put(struct buf *b, const void *bytes, size_t len)
{
	OK(buf_add(b, bytes, len, &sample_err));
}

UNUSED static void put_zeros(struct buf *b, size_t len)
{
	AUTO_MEM char *zeros = calloc(1, len + 1);

	assert_non_null(zeros);
	put(b, zeros, len);
}

/* A header as tar_header() writes it, then with another type and link; the checksum holds again. */
UNUSED static void put_header(struct buf *b, const char *name, char type, const char *link, uint64_t size)
{
	char h[TAR_BLOCK];
	unsigned sum = 0;

	tar_header(h, name, size);
	h[156] = type;
	if (link)
		memcpy(h + 157, link, strlen(link));
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += (unsigned char)h[i];
	(void)snprintf(h + 148, 7, "%06o", sum);
	put(b, h, sizeof(h));
}

UNUSED static void put_padding(struct buf *b)
{
	put_zeros(b, (TAR_BLOCK - b->len % TAR_BLOCK) % TAR_BLOCK);
}

UNUSED static void put_member(struct buf *b, const char *name, const void *bytes, size_t len)
{
	put_header(b, name, '0', NULL, len);
	put(b, bytes, len);
	put_padding(b);
}

UNUSED static void put_text(struct buf *b, const char *name, const char *text)
{
	put_member(b, name, text, strlen(text));
}

/* As a blob under its own digest. */
UNUSED static struct promise put_blob(struct buf *b, const void *bytes, size_t len)
{
	struct promise p = promise_of(bytes, len);
	char name[MEMBER_NAME_SIZE];

	put_member(b, blob_member_name(&p.digest, name), bytes, len);
	return p;
}

UNUSED static void put_end(struct buf *b)
{
	put_zeros(b, (size_t)2 * TAR_BLOCK);
}

/* A pax header with these records in front of the next member. */
UNUSED static void put_pax(struct buf *b, char type, const char *records)
{
	put_header(b, "PaxHeaders/x", type, NULL, strlen(records));
	put(b, records, strlen(records));
	put_padding(b);
}

/* A file without a name, and the name under which it can be opened while the descriptor lives. */
UNUSED static int memory_file(const void *bytes, size_t len, char path[64])
{
	int fd = memfd_create("tarball", MFD_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const char *)bytes + done, len - done);
		assert_true(n > 0);
		done += (size_t)n;
	}
	(void)snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

UNUSED static struct pack_file *open_bytes(const void *bytes, size_t len, struct err *e)
{
	char path[64];
	AUTO_FD int fd = memory_file(bytes, len, path);

	(void)fd;
	return pack_file_open(path, NULL, e);
}

UNUSED static struct pack_file *open_good(const struct buf *b)
{
	struct err e = { 0 };
	struct pack_file *f = open_bytes(b->data, b->len, &e);

	if (!f)
		fail_msg("%s", e.text);
	return f;
}

/* ERR_CORRUPT, in words that hold `why`. */
UNUSED static void refuses(const void *bytes, size_t len, const char *why)
{
	struct err e = { 0 };
	AUTO(pack_file) f = open_bytes(bytes, len, &e);

	if (f)
		fail_msg("accepted; expected \"%s\"", why);
	if (!strstr(e.text, why))
		fail_msg("\"%s\" does not say \"%s\"", e.text, why);
	assert_int_equal(e.kind, ERR_CORRUPT);
}

UNUSED static bool says_unproved(const struct pack_file *f, const char *what)
{
	for (size_t i = 0; i < f->unproved_count; i++)
		if (strstr(f->unproved[i], what))
			return true;
	return false;
}

UNUSED static void gzip_bytes(struct buf *to, const void *from, size_t len)
{
	struct isal_zstream z;

	OK(buf_reserve(to, len + len / 8 + 512, &sample_err));
	isal_deflate_stateless_init(&z);
	z.gzip_flag = IGZIP_GZIP;
	z.next_in = (uint8_t *)(uintptr_t)from;
	z.avail_in = (uint32_t)len;
	z.end_of_stream = 1;
	z.next_out = (uint8_t *)to->data + to->len;
	z.avail_out = (uint32_t)(to->capacity - to->len - 1);
	assert_int_equal(isal_deflate_stateless(&z), COMP_OK);
	to->len += z.total_out;
}

UNUSED static void zstd_bytes(struct buf *to, const void *from, size_t len)
{
	OK(buf_reserve(to, ZSTD_compressBound(len), &sample_err));
	size_t n = ZSTD_compress(to->data + to->len, ZSTD_compressBound(len), from, len, 3);
	assert_false(ZSTD_isError(n));
	to->len += n;
}

#endif
