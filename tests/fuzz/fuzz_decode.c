/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no bytes make a decoder crash, leak or give more than it may; and how the input is cut into pieces changes
 * nothing of what comes out. The first byte chooses the format and the cuts, the rest is the input.
 */
#include "codec/codec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_OUTPUT (1u << 20)

struct drip {
	struct source base;
	const uint8_t *at;
	size_t left;
	size_t piece;
};

static ssize_t drip_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct drip *d = (struct drip *)s;
	size_t n = d->left < cap ? d->left : cap;

	(void)e;
	if (n > d->piece)
		n = d->piece;
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

static int decode(enum coding c, const uint8_t *data, size_t size, size_t piece, size_t room, struct buf *out,
		  struct err *e)
{
	static const struct source_ops ops = { drip_read, drip_free };
	struct drip *d = malloc(sizeof(*d));
	AUTO_MEM char *to = malloc(room);
	ssize_t n;

	if (!d || !to)
		abort();
	*d = (struct drip){ { &ops }, data, size, piece };
	AUTO(source) s = source_decode(&d->base, c, MAX_OUTPUT, e);
	if (!s)
		abort();
	while ((n = source_read(s, to, room, e)) > 0)
		if ((size_t)n > room || buf_add(out, to, (size_t)n, e) || out->len > MAX_OUTPUT)
			abort();
	return (int)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum coding codings[] = { CODING_GZIP, CODING_ZSTD, CODING_XZ };
	AUTO_BUF whole = { 0 };
	AUTO_BUF cut = { 0 };
	struct err a = { 0 };
	struct err b = { 0 };

	if (!size)
		return 0;
	enum coding c = codings[data[0] % 3];
	size_t piece = 1 + data[0] / 3 % 13;
	int first = decode(c, data + 1, size - 1, SIZE_MAX, 65536, &whole, &a);
	int second = decode(c, data + 1, size - 1, piece, 1 + data[0] % 997, &cut, &b);
	if (first != second || (first < 0 && (a.kind == ERR_NONE || b.kind == ERR_NONE || !*a.text)))
		abort();
	/* What came before a failure may differ in length, never in content. */
	size_t common = whole.len < cut.len ? whole.len : cut.len;
	if ((first == 0 && whole.len != cut.len) || (common && memcmp(whole.data, cut.data, common) != 0))
		abort();
	return 0;
}
