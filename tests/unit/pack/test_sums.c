/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a table comes back from its text as it was; sha256sum(1) takes the text; and a text that was cut or altered
 * anywhere, or whose numbers do not fit together although its end line is right, is refused.
 */
#include "base/limits.h"
#include "pack/parity.h"
#include "pack/sums.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define CHUNK (SUMS_BLOCK + 5000)
static const struct digest set = { .raw = { 0xab, 1 } };

static void fill(struct sums_file *f, unsigned seed)
{
	memset(f->digest.raw, (int)seed, DIGEST_RAW);
	for (size_t i = 0; i < sums_blocks(f); i++)
		memset(f->blocks[i].raw, (int)(seed + i + 1), DIGEST_RAW);
}

/* Three chunks, the last one short, and two parity files. */
static void make(struct sums *s, const char *path, size_t parity)
{
	struct err e = { 0 };

	assert_int_equal(sums_make(s, path, &set, 2 * CHUNK + 77, CHUNK, parity, &e), 0);
	for (size_t i = 0; i < s->count; i++)
		fill(&s->chunks[i], (unsigned)(16 * i));
	for (size_t i = 0; i < s->parity_count; i++)
		fill(&s->parity[i], (unsigned)(128 + 16 * i));
}

static void same_file(const struct sums_file *a, const struct sums_file *b, bool digest)
{
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->header, b->header);
	assert_int_equal(b->has_digest, digest);
	assert_true(!digest || digest_equal(&a->digest, &b->digest));
	assert_memory_equal(a->blocks, b->blocks, sums_blocks(a) * sizeof(*a->blocks));
}

static void round_trip(const char *path, size_t parity, bool inside)
{
	AUTO_SUMS a = { 0 };
	AUTO_SUMS b = { 0 };
	AUTO_BUF text = { 0 };
	struct err e = { 0 };
	size_t size;

	make(&a, path, parity);
	assert_int_equal(sums_write(&a, inside, &text, &e), 0);
	assert_int_equal(sums_text_size(&a, inside, &size, &e), 0);
	assert_int_equal(size, text.len);
	assert_true(sums_detect(text.data, text.len));
	assert_int_equal(sums_parse(&b, text.data, text.len, &e), 0);
	assert_string_equal(a.archive, b.archive);
	assert_true(digest_equal(&b.set, &set));
	assert_int_equal(b.size, 2 * CHUNK + 77);
	assert_int_equal(b.chunk, CHUNK);
	assert_int_equal(b.count, 3);
	assert_int_equal(b.parity_count, parity);
	for (size_t i = 0; i < b.count; i++)
		same_file(&a.chunks[i], &b.chunks[i], true);
	for (size_t i = 0; i < parity; i++)
		same_file(&a.parity[i], &b.parity[i], !inside);
}

static void test_round(void **state)
{
	(void)state;
	round_trip("x.tar", 0, false);
	round_trip("/a/b/x.tar", 2, false);
	round_trip("x.tar", 2, true);
	round_trip("nr", 1, true);
	round_trip("a \\odd\nname\r.tar", 2, false);
	round_trip("-", 1, false);
}

/* Sizes as the header says; the last chunk may be short, a parity file is as long as the longest, behind its head. */
static void test_shape(void **state)
{
	AUTO_SUMS s = { 0 };
	AUTO_SUMS one = { 0 };
	struct err e = { 0 };

	(void)state;
	make(&s, "dir/x.tar", 2);
	assert_string_equal(s.archive, "x.tar");
	assert_string_equal(s.chunks[2].name, "x.tar.003");
	assert_string_equal(s.parity[1].name, "x.parity.02");
	assert_int_equal(s.chunks[0].size, CHUNK);
	assert_int_equal(s.chunks[2].size, 77);
	assert_int_equal(sums_blocks(&s.chunks[0]), 2);
	assert_int_equal(sums_block_size(&s.chunks[0], 0), SUMS_BLOCK);
	assert_int_equal(sums_block_size(&s.chunks[0], 1), 5000);
	assert_int_equal(sums_block_size(&s.chunks[2], 0), 77);
	assert_int_equal(s.parity[0].header, PARITY_ALIGN);
	assert_int_equal(s.parity[0].size, PARITY_ALIGN + CHUNK);
	assert_int_equal(sums_blocks(&s.parity[0]), 2);
	/* Not cut: one file under the archive's own name. */
	assert_int_equal(sums_make(&one, "d/y.tar.zst", &set, 5 * SUMS_BLOCK, 0, 1, &e), 0);
	assert_int_equal(one.count, 1);
	assert_string_equal(one.chunks[0].name, "y.tar.zst");
	assert_int_equal(one.chunks[0].size, 5 * SUMS_BLOCK);
	assert_string_equal(one.parity[0].name, "y.parity.01");
}

static void assert_path(char *got, const char *want)
{
	assert_non_null(got);
	assert_string_equal(got, want);
	free(got);
}

static void test_paths(void **state)
{
	(void)state;
	assert_path(sums_path("dir/x.tar", SUMS_SUFFIX, NULL), "dir/x.sha256");
	assert_path(sums_path("x.tar.zst", SUMS_SUFFIX, NULL), "x.sha256");
	assert_path(sums_path("a.tar/x", SUMS_SUFFIX, NULL), "a.tar/x.sha256");
	assert_path(sums_path("d/.tar", SUMS_SUFFIX, NULL), "d/.tar.sha256");
	assert_path(sums_path("x.tar.tar", SUMS_SUFFIX, NULL), "x.tar.sha256");
	assert_path(sums_parity_path("x.tar", 7, 99, NULL), "x.parity.07");
	assert_path(sums_parity_path("d.tar/x.tar", 7, 100, NULL), "d.tar/x.parity.007");
}

/* sha256sum -c takes the text, odd names included, and sees that a file is not what it was. */
static void test_sha256sum(void **state)
{
	static const char *const names[] = { "x.tar", "a \\odd\nname\r.tar" };
	char dir[] = "/tmp/imgpack-sums-XXXXXX";
	struct err e = { 0 };

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	for (size_t n = 0; n < 2; n++) {
		AUTO_SUMS s = { 0 };
		AUTO_BUF text = { 0 };
		assert_int_equal(sums_make(&s, names[n], &set, 25, 10, 0, &e), 0);
		for (size_t i = 0; i < s.count; i++) {
			FILE *f = fopen(s.chunks[i].name, "w");
			assert_non_null(f);
			assert_int_equal(fwrite("0123456789", 1, s.chunks[i].size, f), s.chunks[i].size);
			assert_int_equal(fclose(f), 0);
			assert_int_equal(digest_of(&s.chunks[i].digest, "0123456789", s.chunks[i].size, &e), 0);
		}
		assert_int_equal(sums_write(&s, false, &text, &e), 0);
		FILE *f = fopen("sums", "w");
		assert_non_null(f);
		assert_int_equal(fwrite(text.data, 1, text.len, f), text.len);
		assert_int_equal(fclose(f), 0);
		assert_int_equal(system("sha256sum -c --strict --quiet sums"), 0);
		assert_int_equal(truncate(s.chunks[1].name, 3), 0);
		assert_int_not_equal(system("sha256sum -c --status sums"), 0);
		for (size_t i = 0; i < s.count; i++)
			assert_int_equal(unlink(s.chunks[i].name), 0);
	}
	assert_int_equal(unlink("sums"), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(dir), 0);
}

static void refuse(const char *text, size_t len, const char *what)
{
	struct sums s = { .size = 7 };
	struct err e = { 0 };
	AUTO_MEM char *copy = malloc(len ? len : 1); /* exactly so long: a read behind it is seen */

	assert_non_null(copy);
	memcpy(copy, text, len);
	if (!sums_parse(&s, copy, len, &e))
		fail_msg("taken: %s", what);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.text, "the table is damaged"));
	assert_int_equal(s.size, 7);
}

static void test_damage(void **state)
{
	AUTO_SUMS s = { 0 };
	AUTO_BUF text = { 0 };
	struct err e = { 0 };

	(void)state;
	make(&s, "x.tar", 1);
	assert_int_equal(sums_write(&s, false, &text, &e), 0);
	for (size_t len = 0; len < text.len; len++)
		refuse(text.data, len, "a text that was cut");
	for (size_t i = 0; i < text.len; i++) {
		for (unsigned char bit = 1; bit; bit = (unsigned char)(bit << 1)) {
			text.data[i] = (char)(text.data[i] ^ bit);
			refuse(text.data, text.len, "a flipped bit");
			text.data[i] = (char)(text.data[i] ^ bit);
		}
	}
	assert_int_equal(buf_puts(&text, "\n", &e), 0);
	refuse(text.data, text.len, "a line too many");
}

/* Replaces `from` by `to` and sets the end line right. */
static void forge(const struct buf *text, const char *from, const char *to)
{
	AUTO_BUF b = { 0 };
	char hex[DIGEST_HEX_SIZE];
	struct digest d;
	const char *end = strstr(text->data, "# end ");
	const char *at = memmem(text->data, text->len, from, strlen(from));

	assert_non_null(at);
	assert_int_equal(buf_add(&b, text->data, (size_t)(at - text->data), NULL), 0);
	assert_int_equal(buf_puts(&b, to, NULL), 0);
	at += strlen(from);
	assert_int_equal(buf_add(&b, at, (size_t)(end - at), NULL), 0);
	assert_int_equal(digest_of(&d, b.data, b.len, NULL), 0);
	assert_int_equal(buf_printf(&b, NULL, "# end %s\n", digest_hex(&d, hex)), 0);
	refuse(b.data, b.len, to);
}

static void test_hostile(void **state)
{
	static const char *const forged[][2] = {
		{ "# archive 8398685 4199304 x.tar", "# archive 8398686 4199304 x.tar" },
		{ "# archive 8398685 4199304 x.tar", "# archive 8398685 4199305 x.tar" },
		{ "# archive 8398685 4199304 x.tar", "# archive 8398685 1 x.tar" },
		{ "# archive 8398685 4199304 x.tar", "# archive 8398685 0 x.tar" },
		{ "# archive 8398685 4199304 x.tar", "# archive 0 4199304 x.tar" },
		{ "# archive 8398685 4199304 x.tar", "# archive 9223372036854775807 4199304 x.tar" },
		{ "# archive 8398685 4199304 x.tar", "# archive 9223372036854775807 922337203685477580 x.tar" },
		{ "# archive 8398685 4199304 x.tar", "# archive 18446744073709551616 4199304 x.tar" },
		{ "# archive 8398685 4199304 x.tar", "# archive 08398685 4199304 x.tar" },
		{ "# archive 8398685 4199304 x.tar", "# archive 8398685 4199304 ../x.tar" },
		{ "# archive 8398685 4199304 x.tar", "# archive 8398685 4199304 .." },
		{ "# archive 8398685 4199304 x.tar", "# archive 8398685 4199304 " },
		{ "# archive 8398685 4199304 x.tar", "# archive 8398685 4199304 x\\.tar" },
		{ "# archive 8398685 4199304 x.tar", "# archive 8398685 4199304 x.tar\\" },
		{ "# parity 2", "# parity 1" },
		{ "# parity 2", "# parity 3" },
		{ "# parity 2", "# parity 65" },
		{ "# parity 2", "# parity 18446744073709551615" },
		{ "# chunk 2", "# chunk 3" },
		{ "# chunk 3 77\n", "# chunk 3 78\n" },
		{ "  x.tar.002", "  x.tar.003" },
		{ "  x.tar.002", " *x.tar.002" },
		{ "  x.tar.002", "  /etc/passwd" },
		{ "  x.parity.02", "  x.parity.2" },
		{ "# parity-file 1 4203400 4096", "# parity-file 1 4203400 8192" },
		{ "# parity-file 1 4203400 4096", "# parity-file 1 4207496 8192" },
		{ "# parity-file 2", "# parity-file 1" },
		{ "# block ", "# Block " },
		{ "# set sha256:", "# set sha512:" },
	};
	AUTO_SUMS s = { 0 };
	AUTO_BUF text = { 0 };
	struct err e = { 0 };

	(void)state;
	make(&s, "x.tar", 2);
	assert_int_equal(sums_write(&s, false, &text, &e), 0);
	for (size_t i = 0; i < sizeof(forged) / sizeof(*forged); i++)
		forge(&text, forged[i][0], forged[i][1]);
	forge(&text, "# imgpack-sums 1", "# imgpack-sums 2");
	/* With no parity files the text's length says less. */
	sums_release(&s);
	buf_clear(&text);
	make(&s, "x.tar", 0);
	assert_int_equal(sums_write(&s, false, &text, &e), 0);
	for (size_t i = 0; i < sizeof(forged) / sizeof(*forged); i++)
		if (strstr(text.data, forged[i][0]))
			forge(&text, forged[i][0], forged[i][1]);
	assert_false(sums_detect("# imgpack-sum", 13));
	assert_false(sums_detect("", 0));
}

/* Every number of chunks and parity files at its edge. */
static void test_limits(void **state)
{
	AUTO_SUMS s = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(sums_make(&s, "x.tar", &set, LIMIT_CHUNKS, 1, 0, &e), 0);
	assert_int_equal(s.count, LIMIT_CHUNKS);
	assert_string_equal(s.chunks[0].name, "x.tar.0001");
	sums_release(&s);
	assert_int_equal(sums_make(&s, "x.tar", &set, LIMIT_CHUNKS + 1, 1, 0, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_int_equal(sums_make(&s, "x.tar", &set, LIMIT_ERASURE - LIMIT_PARITY, 1, LIMIT_PARITY, &e), 0);
	sums_release(&s);
	assert_int_equal(sums_make(&s, "x.tar", &set, LIMIT_ERASURE - LIMIT_PARITY + 1, 1, LIMIT_PARITY, &e), -1);
	assert_int_equal(sums_make(&s, "x.tar", &set, 10, 1, LIMIT_PARITY + 1, &e), -1);
	assert_int_equal(sums_make(&s, "x.tar", &set, 0, 1, 0, &e), -1);
	/* What has more blocks than a table may have is refused before they take memory. */
	assert_int_equal(sums_make(&s, "x.tar", &set, UINT64_C(5) << 40, UINT64_C(1) << 40, 0, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_int_equal(sums_make(&s, "x.tar", &set, INT64_MAX, 0, 64, &e), -1);
	assert_int_equal(sums_make(&s, "x.tar", &set, UINT64_MAX, 0, 0, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),     cmocka_unit_test(test_shape),   cmocka_unit_test(test_paths),
		cmocka_unit_test(test_damage),    cmocka_unit_test(test_hostile), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_sha256sum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
