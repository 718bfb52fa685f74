/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever is lost, as long as at no block position more is lost than there are good parity blocks, comes back
 * byte for byte; where more is lost nothing is given at all; and no wrong byte is ever called good. The table and the
 * parity are what another reckoning says they are.
 */
#include "pack/parity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define FILES 66
#define BLOCKS 3
static const struct digest set = { .raw = { 1 } };

/* An archive in memory with its parity, what is lost of it, and what was given. */
struct world {
	struct sums s;
	uint8_t *files[FILES]; /* what follows the header */
	uint8_t *given[FILES];
	bool bad[FILES][BLOCKS];
	size_t gifts; /* calls of give(), of one thread's tests */
	bool lie;     /* a good block is read with a wrong byte */
	struct space *archive;
	struct space *parity[FILES];
};

static const struct sums_file *file_at(const struct world *w, size_t file)
{
	return file < w->s.count ? &w->s.chunks[file] : &w->s.parity[file - w->s.count];
}

static bool is_good(void *ctx, size_t file, size_t block)
{
	const struct world *w = ctx;

	assert_true(block < sums_blocks(file_at(w, file)));
	return !w->bad[file][block];
}

static int read_block(void *ctx, size_t file, size_t block, void *buf, size_t from, size_t len, struct err *e)
{
	const struct world *w = ctx;

	(void)e;
	assert_false(w->bad[file][block]);
	assert_true(from + len <= sums_block_size(file_at(w, file), block));
	memcpy(buf, w->files[file] + block * SUMS_BLOCK + from, len);
	if (w->lie)
		*(uint8_t *)buf ^= 1;
	return 0;
}

static int give_block(void *ctx, size_t file, size_t block, const void *buf, size_t from, size_t len, struct err *e)
{
	struct world *w = ctx;

	(void)e;
	assert_true(w->bad[file][block]);
	assert_true(from + len <= sums_block_size(file_at(w, file), block));
	memcpy(w->given[file] + block * SUMS_BLOCK + from, buf, len);
	w->gifts++;
	return 0;
}

static struct parity_source source_of(struct world *w)
{
	return (struct parity_source){ is_good, read_block, give_block, w };
}

static uint64_t seed = 1;

static uint32_t random32(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33);
}

static void build(struct world *w, uint64_t size, uint64_t chunk, size_t parity)
{
	struct err e = { 0 };

	*w = (struct world){ 0 };
	assert_int_equal(sums_make(&w->s, "x.tar", &set, size, chunk, parity, &e), 0);
	assert_true(w->s.count + parity <= FILES && sums_blocks(&w->s.chunks[0]) <= BLOCKS);
	assert_non_null(w->archive = space_scratch(&e));
	for (size_t i = 0; i < w->s.count + parity; i++) {
		const uint64_t n = file_at(w, i)->size - file_at(w, i)->header;
		assert_non_null(w->files[i] = malloc(n));
		assert_non_null(w->given[i] = malloc(n));
		if (i >= w->s.count) {
			assert_non_null(w->parity[i - w->s.count] = space_scratch(&e));
			continue;
		}
		for (uint64_t k = 0; k < n; k++)
			w->files[i][k] = (uint8_t)random32();
		assert_int_equal(space_pwrite(w->archive, w->files[i], n, i * chunk, &e), 0);
	}
}

static void make(struct world *w, uint64_t size, uint64_t chunk, size_t parity)
{
	struct err e = { 0 };

	build(w, size, chunk, parity);
	assert_int_equal(parity_seal(&w->s, w->archive, w->parity, NULL, &e), 0);
	for (size_t i = 0; i < parity; i++) {
		const struct sums_file *f = &w->s.parity[i];
		assert_int_equal(space_size(w->parity[i]), f->size);
		assert_int_equal(
			space_pread(w->parity[i], w->files[w->s.count + i], f->size - f->header, f->header, &e), 0);
	}
}

static void release(struct world *w)
{
	for (size_t i = 0; i < w->s.count + w->s.parity_count; i++) {
		free(w->files[i]);
		free(w->given[i]);
	}
	for (size_t i = 0; i < w->s.parity_count; i++)
		space_free(w->parity[i]);
	space_free(w->archive);
	sums_release(&w->s);
}

/* What was bad came back, and nothing else was given; or, where it cannot, nothing was. */
static void check_rebuild(struct world *w, bool can)
{
	const struct parity_source source = source_of(w);
	struct err e = { 0 };

	w->gifts = 0;
	for (size_t i = 0; i < w->s.count + w->s.parity_count; i++)
		memset(w->given[i], 0x55, file_at(w, i)->size - file_at(w, i)->header);
	assert_int_equal(parity_beyond(&w->s, &source) == 0, can);
	int rc = parity_rebuild(&w->s, &source, NULL, &e);
	assert_int_equal(rc, can ? 0 : -1);
	if (!can) {
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_int_equal(w->gifts, 0);
		return;
	}
	for (size_t i = 0; i < w->s.count + w->s.parity_count; i++)
		for (size_t b = 0; b < sums_blocks(file_at(w, i)); b++)
			if (w->bad[i][b])
				assert_memory_equal(w->given[i] + b * SUMS_BLOCK, w->files[i] + b * SUMS_BLOCK,
						    sums_block_size(file_at(w, i), b));
}

/* Every subset of lost files, of every n + k up to 12. */
static void test_subsets(void **state)
{
	(void)state;
	for (size_t n = 1; n < 12; n++) {
		for (size_t k = 1; n + k <= 12; k++) {
			struct world w;
			make(&w, (n - 1) * 200 + 33, 200, k);
			assert_int_equal(w.s.count, n);
			for (unsigned lost = 0; lost < 1u << (n + k); lost++) {
				for (size_t i = 0; i < n + k; i++)
					w.bad[i][0] = lost >> i & 1;
				check_rebuild(&w, (size_t)__builtin_popcount(lost) <= k);
			}
			release(&w);
		}
	}
}

static void test_random(void **state)
{
	struct world w;

	(void)state;
	make(&w, 59 * 128 + 5, 128, 6);
	for (unsigned turn = 0; turn < 10000; turn++) {
		const size_t lost = random32() % 9;
		memset(w.bad, 0, sizeof(w.bad));
		for (size_t n = 0; n < lost;) {
			const size_t file = random32() % 66;
			n += !w.bad[file][0];
			w.bad[file][0] = true;
		}
		check_rebuild(&w, lost <= 6);
	}
	release(&w);
}

/* Damage in more files than there are parity files, but never more at one position; then one more, everywhere. */
static void test_positions(void **state)
{
	struct world w;

	(void)state;
	make(&w, 5 * (2 * SUMS_BLOCK + 777) + SUMS_BLOCK + 3, 2 * SUMS_BLOCK + 777, 2);
	assert_int_equal(w.s.count, 6);
	for (size_t first = 0; first < 8; first++) {
		memset(w.bad, 0, sizeof(w.bad));
		for (size_t b = 0; b < BLOCKS; b++) {
			w.bad[(first + 2 * b) % 8][b] = true;
			w.bad[(first + 2 * b + 1) % 8][b] = true;
		}
		w.bad[5][2] = false; /* the last chunk has no third block */
		check_rebuild(&w, true);
	}
	for (size_t b = 0; b < BLOCKS; b++) {
		memset(w.bad, 0, sizeof(w.bad));
		w.bad[0][b] = w.bad[4][b] = w.bad[7][b] = true;
		check_rebuild(&w, false);
	}
	release(&w);
}

/* x * y in GF(2^8), x^8 + x^4 + x^3 + x^2 + 1. */
static uint8_t multiply(uint8_t x, uint8_t y)
{
	uint8_t product = 0;

	for (; y; y >>= 1) {
		if (y & 1)
			product ^= x;
		x = (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1d : 0));
	}
	return product;
}

static uint8_t inverse(uint8_t x)
{
	for (unsigned y = 1; y < 256; y++)
		if (multiply(x, (uint8_t)y) == 1)
			return (uint8_t)y;
	return 0;
}

/* The format, pinned: byte i of parity file p is the sum of byte i of each chunk c, over ((n + p) xor c). */
static void test_code(void **state)
{
	struct world w;

	(void)state;
	make(&w, 4 * 300 + 120, 300, 3);
	for (size_t p = 0; p < 3; p++) {
		for (size_t i = 0; i < 300; i++) {
			uint8_t sum = 0;
			for (size_t c = 0; c < 5; c++)
				if (i < w.s.chunks[c].size)
					sum ^= multiply(w.files[c][i], inverse((uint8_t)((5 + p) ^ c)));
			assert_int_equal(w.files[5 + p][i], sum);
		}
	}
	release(&w);
}

static void check_digests(struct world *w)
{
	struct digest d;

	for (size_t i = 0; i < w->s.count + w->s.parity_count; i++) {
		const struct sums_file *f = file_at(w, i);
		AUTO_MEM uint8_t *whole = malloc(f->size);
		assert_non_null(whole);
		if (i >= w->s.count)
			assert_int_equal(space_pread(w->parity[i - w->s.count], whole, f->size, 0, NULL), 0);
		else
			memcpy(whole, w->files[i], f->size);
		assert_int_equal(digest_of(&d, whole, f->size, NULL), 0);
		assert_true(f->has_digest && digest_equal(&d, &f->digest));
		for (size_t b = 0; b < sums_blocks(f); b++) {
			assert_int_equal(digest_of(&d, w->files[i] + b * SUMS_BLOCK, sums_block_size(f, b), NULL), 0);
			assert_true(digest_equal(&d, &f->blocks[b]));
		}
	}
}

/* The sums: with many files and with few, with parity and without, one block and several, an archive that is not cut.
 */
static void test_digests(void **state)
{
	static const struct {
		uint64_t size;
		uint64_t chunk;
		size_t parity;
	} shapes[] = {
		{ 50 * 300000 + 12345, 300000, 5 },
		{ 2 * SUMS_BLOCK, SUMS_BLOCK, 1 },
		{ 5, 1, 1 },
		{ 2 * SUMS_BLOCK + 1, SUMS_BLOCK, 2 },
		{ 9000001, 9000000, 1 },
		{ 9000001, 9000000, 0 },
		{ 65 * 5000, 5000, 0 },
		{ 9000000, 0, 1 },
		{ 10, 5, 60 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct world w;
		make(&w, shapes[i].size, shapes[i].chunk, shapes[i].parity);
		check_digests(&w);
		release(&w);
	}
}

/* A parity file says what it is; one whose head was cut or altered anywhere is refused, other files are none. */
static void test_header(void **state)
{
	struct world w;
	struct err e = { 0 };
	AUTO_SUMS s = { 0 };
	AUTO(space) copy = space_scratch(&e);
	AUTO(space) empty = space_scratch(&e);
	uint64_t size;
	size_t number = 0;

	(void)state;
	make(&w, 2500, 1000, 2);
	assert_int_equal(parity_header_size(&w.s, &size, &e), 0);
	assert_int_equal(size, PARITY_ALIGN);
	assert_int_equal(parity_read_header(w.parity[1], &s, &number, &e), 1);
	assert_int_equal(number, 2);
	assert_string_equal(s.parity[0].name, "x.parity.01");
	assert_true(digest_equal(&s.chunks[2].digest, &w.s.chunks[2].digest));
	assert_true(digest_equal(&s.parity[0].blocks[0], &w.s.parity[0].blocks[0]));
	sums_release(&s);
	assert_int_equal(parity_read_header(w.archive, &s, &number, &e), 0);
	assert_int_equal(parity_read_header(empty, &s, &number, &e), 0);

	AUTO_MEM uint8_t *head = malloc(size);
	assert_int_equal(space_pread(w.parity[1], head, size, 0, &e), 0);
	for (size_t i = 0; i < size; i++) {
		/* The magic word and the number apart, every byte counts. */
		head[i] ^= 0x10;
		assert_int_equal(space_pwrite(copy, head, size, 0, &e), 0);
		e = (struct err){ 0 };
		assert_int_equal(parity_read_header(copy, &s, &number, &e), i < strlen("imgpack-parity ") ? 0 : -1);
		assert_true(i < strlen("imgpack-parity ") || e.kind == ERR_CORRUPT);
		head[i] ^= 0x10;
	}
	for (size_t len = 0; len < size; len++) {
		AUTO(space) cut = space_scratch(&e);
		assert_int_equal(space_pwrite(cut, head, len, 0, &e), 0);
		assert_int_equal(parity_read_header(cut, &s, &number, &e), len < strlen("imgpack-parity ") ? 0 : -1);
	}
	release(&w);
}

/* Sources that lie or fail, disks that fail: an error, no hanging thread, and no success. */
static void test_failures(void **state)
{
	struct world w;
	struct err e = { 0 };

	(void)state;
	make(&w, 3000, 1000, 2);
	const struct parity_source source = source_of(&w);
	w.bad[1][0] = true;
	w.lie = true;
	assert_int_equal(parity_rebuild(&w.s, &source, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.text, "block 1 of x.tar.002 was rebuilt and is not what the table says"));
	release(&w);

	build(&w, 5 * SUMS_BLOCK, SUMS_BLOCK, 2);
	space_free(w.parity[1]);
	assert_non_null(w.parity[1] = space_open("/etc/passwd", &e)); /* for reading alone */
	e = (struct err){ 0 };
	assert_int_equal(parity_seal(&w.s, w.archive, w.parity, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_non_null(strstr(e.text, "x.parity.02"));
	space_free(w.archive);
	assert_non_null(w.archive = space_scratch(&e));
	assert_int_equal(space_pwrite(w.archive, w.files[0], SUMS_BLOCK, 3 * SUMS_BLOCK, &e), 0);
	e = (struct err){ 0 };
	assert_int_equal(parity_seal(&w.s, w.archive, w.parity, NULL, &e), -1);
	release(&w);

	build(&w, 2 * SUMS_BLOCK, SUMS_BLOCK, 0);
	space_free(w.archive);
	assert_non_null(w.archive = space_scratch(&e));
	e = (struct err){ 0 };
	assert_int_equal(parity_seal(&w.s, w.archive, NULL, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	release(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_code),     cmocka_unit_test(test_digests),   cmocka_unit_test(test_subsets),
		cmocka_unit_test(test_random),   cmocka_unit_test(test_positions), cmocka_unit_test(test_header),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
