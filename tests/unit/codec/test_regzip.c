/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what the real encoders wrote (fixtures/regzip/make.sh) comes back byte for byte out of the raw bytes and a
 * small recipe without corrections, however the streams are cut into pieces; what differs from an encoder is corrected
 * or given up; damaged gzip is refused; and a damaged recipe ends in an error or in other bytes: each bit of one is
 * flipped. IMGPACK_TEST_FEW: of the damage every thirteenth, and streams in one kind of pieces.
 */
#include "codec/regzip/rebuild.h"

#include "base/limits.h"
#include "codec/codec.h"
#include "codec/regzip/match.h"
#include "codec/regzip/tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka last: it wants the four above. */
#include <cmocka.h>

/* A source that gives at most `piece` bytes a read. */
struct drip {
	struct source base;
	const char *at;
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

static struct source *drip(const struct buf *b, size_t piece)
{
	static const struct source_ops ops = { drip_read, drip_free };
	struct drip *d = malloc(sizeof(*d));

	assert_non_null(d);
	*d = (struct drip){ { &ops }, b->data, b->len, piece };
	return &d->base;
}

static void blob(const char *name, struct buf *out)
{
	char path[512];
	struct err e = { 0 };

	(void)snprintf(path, sizeof(path), "%s/regzip/blobs/%s", FIXTURES, name);
	FILE *f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(buf_read(out, fileno(f), 16u << 20, &e), 0);
	(void)fclose(f);
}

static int simulate(const struct buf *gzip, size_t piece, struct simulated *how, struct buf *raw, struct err *e)
{
	AUTO(source) s = source_simulate(drip(gzip, piece), how, e);

	assert_non_null(s);
	return source_slurp(s, 64u << 20, raw, e);
}

/* A damaged recipe may ask for any number of zeros: more than 64 MiB are an error here. */
static int rebuild(const struct buf *raw, size_t piece, const struct buf *recipe, struct buf *out, struct err *e)
{
	AUTO(source) s = source_rebuild(drip(raw, piece), recipe->data, recipe->len, e);

	return s ? source_slurp(s, 64u << 20, out, e) : -1;
}

static size_t step(void)
{
	return getenv("IMGPACK_TEST_FEW") ? 13 : 1;
}

static void comes_back(const char *name, const char *encoder)
{
	static const size_t pieces[] = { SIZE_MAX, 4093, 7 };
	AUTO_BUF gzip = { 0 };
	AUTO_BUF decoded = { 0 };
	struct err e = { 0 };

	blob(name, &gzip);
	AUTO(source) plain = source_decode(drip(&gzip, SIZE_MAX), CODING_GZIP, UINT64_MAX, &e);
	assert_int_equal(source_slurp(plain, 64u << 20, &decoded, &e), 0);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i += step()) {
		AUTO_BUF raw = { 0 };
		AUTO_BUF again = { 0 };
		struct simulated how = { 0 };
		if (simulate(&gzip, pieces[i], &how, &raw, &e))
			fail_msg("%s: %s", name, e.text);
		assert_int_equal(raw.len, decoded.len);
		if (raw.len)
			assert_memory_equal(raw.data, decoded.data, raw.len);
		if (!how.good)
			fail_msg("%s: given up: %s", name, how.why);
		assert_string_equal(how.encoder, encoder);
		assert_int_equal(how.corrections, 0);
		assert_int_equal(how.raw, raw.len);
		assert_int_equal(how.gzip, gzip.len);
		assert_in_range(how.recipe.len, 1, 100);
		if (rebuild(&raw, pieces[i], &how.recipe, &again, &e))
			fail_msg("%s: %s", name, e.text);
		assert_int_equal(again.len, gzip.len);
		assert_memory_equal(again.data, gzip.data, gzip.len);
		simulated_release(&how);
	}
}

static void blobs_of_real_encoders(void **state)
{
	static const char *const blobs[][2] = {
		{ "go-1.gz", "Go compress/flate to 1.26, level 6" },
		{ "go1.gz", "Go compress/flate to 1.26, level 1" },
		{ "go3.gz", "Go compress/flate to 1.26, level 3" },
		{ "go9.gz", "Go compress/flate to 1.26, level 9" },
		{ "go-tiny.gz", "Go compress/flate to 1.26, level 6" },
		{ "go-empty.gz", "Go compress/flate to 1.26, level 6" },
		{ "klauspost1.gz", "klauspost/compress, level 1" },
		{ "klauspost5.gz", "klauspost/compress, level 5" },
		{ "klauspost6.gz", "klauspost/compress, level 6 (Go from 1.27 on)" },
		{ "pgzip1.gz", "klauspost/compress, level 1" },
		{ "pgzip5.gz", "klauspost/compress, level 5" },
		{ "zlib1.gz", "zlib, level 1" },
		{ "zlib4.gz", "zlib, level 4" },
		{ "zlib6.gz", "zlib, level 6" },
		{ "gzip9.gz", "zlib, level 9" },
		{ "busybox.gz", "zlib, level 6" },
		{ "pigz6.gz", "zlib, level 6" },
		{ "pigz9i.gz", "zlib, level 9, independent segments" },
		{ "members.gz", "zlib, level 6" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(blobs) / sizeof(*blobs); i++)
		comes_back(blobs[i][0], blobs[i][1]);
}

/* Every encoder has its own number: recipes carry it. */
static void numbers_are_different(void **state)
{
	(void)state;
	for (size_t i = 0; i < encoder_count; i++) {
		assert_ptr_equal(encoder_by_id(encoders[i].id), &encoders[i]);
		assert_int_not_equal(encoders[i].id, 0);
	}
	assert_null(encoder_by_id(0));
}

/* An encoder that is almost one of ours: what differs is corrected. */
static void corrections(void **state)
{
	AUTO_BUF gzip = { 0 };
	AUTO_BUF raw = { 0 };
	AUTO_BUF again = { 0 };
	struct simulated how = { 0 };
	struct err e = { 0 };

	(void)state;
	blob("zlib6-memory9.gz", &gzip);
	assert_int_equal(simulate(&gzip, SIZE_MAX, &how, &raw, &e), 0);
	assert_true(how.good);
	assert_in_range(how.corrections, 1, 50);
	assert_int_equal(rebuild(&raw, SIZE_MAX, &how.recipe, &again, &e), 0);
	assert_int_equal(again.len, gzip.len);
	assert_memory_equal(again.data, gzip.data, gzip.len);
	simulated_release(&how);
}

/* An encoder that is not known: the raw bytes come all the same, and the reason is said. */
static void unknown_encoder(void **state)
{
	static const uint8_t stored[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 3, 0, 0xfc, 0xff, 'a', 'b', 'c' };
	AUTO_BUF gzip = { 0 };
	AUTO_BUF raw = { 0 };
	struct simulated how = { 0 };
	struct err e = { 0 };
	uint8_t trailer[8] = { 0xc2, 0x41, 0x24, 0x35, 3, 0, 0, 0 };

	(void)state;
	/* Padding bits in front of a stored block that are not zero. */
	assert_int_equal(buf_add(&gzip, stored, sizeof(stored), &e), 0);
	assert_int_equal(buf_add(&gzip, trailer, sizeof(trailer), &e), 0);
	gzip.data[10] = (char)0xf9;
	assert_int_equal(simulate(&gzip, SIZE_MAX, &how, &raw, &e), 0);
	assert_false(how.good);
	assert_string_equal(how.why, "padding that is not zero");
	assert_int_equal(how.recipe.len, 0);
	assert_memory_equal(raw.data, "abc", 3);
	simulated_release(&how);
}

/* Cut anywhere, and each byte changed: refused, or what it then is comes back. */
static void damaged_gzip(void **state)
{
	AUTO_BUF gzip = { 0 };
	size_t whole;

	(void)state;
	blob("members.gz", &gzip);
	whole = gzip.len;
	for (size_t len = 0; len < whole; len += step()) {
		AUTO_BUF raw = { 0 };
		struct simulated how = { 0 };
		struct err e = { 0 };
		gzip.len = len;
		/* Cut behind a member, or in the zeros, it is a shorter stream. */
		if (!simulate(&gzip, SIZE_MAX, &how, &raw, &e))
			assert_true(how.good);
		else
			assert_int_equal(e.kind, ERR_CORRUPT);
		simulated_release(&how);
	}
	gzip.len = whole;
	for (size_t i = 0; i < whole; i += step()) {
		AUTO_BUF raw = { 0 };
		AUTO_BUF again = { 0 };
		struct simulated how = { 0 };
		struct err e = { 0 };
		gzip.data[i] = (char)(gzip.data[i] ^ 1);
		if (!simulate(&gzip, SIZE_MAX, &how, &raw, &e) && how.good) {
			assert_int_equal(rebuild(&raw, SIZE_MAX, &how.recipe, &again, &e), 0);
			assert_int_equal(again.len, gzip.len);
			assert_memory_equal(again.data, gzip.data, gzip.len);
		}
		gzip.data[i] = (char)(gzip.data[i] ^ 1);
		simulated_release(&how);
	}
}

/* Each byte of a recipe changed, and each cut: an error, or other bytes. Never a crash, never more than it may take. */
static void damaged_recipe(void **state)
{
	AUTO_BUF gzip = { 0 };
	AUTO_BUF raw = { 0 };
	struct simulated how = { 0 };
	struct err e = { 0 };

	(void)state;
	blob("members.gz", &gzip);
	assert_int_equal(simulate(&gzip, SIZE_MAX, &how, &raw, &e), 0);
	assert_true(how.good);
	size_t whole = how.recipe.len;
	for (size_t i = 0; i < whole; i += step()) {
		for (unsigned bit = 0; bit < 8; bit++) {
			AUTO_BUF again = { 0 };
			how.recipe.data[i] = (char)(how.recipe.data[i] ^ (1 << bit));
			/* Another encoder, another header byte: the rebuild may go through, and the digest tells. */
			if (rebuild(&raw, SIZE_MAX, &how.recipe, &again, &e))
				assert_int_not_equal(e.kind, ERR_NONE);
			how.recipe.data[i] = (char)(how.recipe.data[i] ^ (1 << bit));
		}
	}
	for (size_t len = 0; len < whole; len++) {
		AUTO_BUF again = { 0 };
		how.recipe.len = len;
		assert_int_equal(rebuild(&raw, SIZE_MAX, &how.recipe, &again, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
	}
	how.recipe.len = whole;
	/* Raw bytes too few and too many. */
	AUTO_BUF again = { 0 };
	raw.len--;
	assert_int_equal(rebuild(&raw, SIZE_MAX, &how.recipe, &again, &e), -1);
	raw.len++;
	assert_int_equal(buf_add(&raw, "x", 1, &e), 0);
	assert_int_equal(rebuild(&raw, SIZE_MAX, &how.recipe, &again, &e), -1);
	assert_non_null(strstr(e.text, "longer than its gzip recipe says"));
	simulated_release(&how);
}

/* The edge of LIMIT_RECIPE. */
static void large_recipe(void **state)
{
	AUTO_BUF raw = { 0 };
	AUTO_BUF recipe = { 0 };
	AUTO_BUF out = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(buf_reserve(&recipe, LIMIT_RECIPE + 1, &e), 0);
	memset(recipe.data, 0, LIMIT_RECIPE + 1);
	memcpy(recipe.data, "IGR\1", 4);
	recipe.len = LIMIT_RECIPE + 1;
	assert_int_equal(rebuild(&raw, SIZE_MAX, &recipe, &out, &e), -1);
	assert_non_null(strstr(e.text, "too large"));
	recipe.len = LIMIT_RECIPE;
	assert_int_equal(rebuild(&raw, SIZE_MAX, &recipe, &out, &e), -1);
	assert_non_null(strstr(e.text, "bytes behind its end"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blobs_of_real_encoders), cmocka_unit_test(numbers_are_different),
		cmocka_unit_test(unknown_encoder),        cmocka_unit_test(corrections),
		cmocka_unit_test(damaged_gzip),           cmocka_unit_test(damaged_recipe),
		cmocka_unit_test(large_recipe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
