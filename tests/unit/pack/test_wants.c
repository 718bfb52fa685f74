/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a list of wanted blocks comes back from its text as it was, also after a mail program had it; and a list or a
 * blocks file that was cut or altered anywhere, or whose numbers do not fit together although its end line is right,
 * is refused.
 */
#include "base/limits.h"
#include "pack/wants.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CHUNK (2 * SUMS_BLOCK + 5000)
static const struct digest set = { .raw = { 0xab, 1 } };

/* Three chunks of three, three and one block; four blocks are wanted. */
static void make(struct wants *w, const char *path)
{
	AUTO_SUMS s = { 0 };
	struct err e = { 0 };

	assert_int_equal(sums_make(&s, path, &set, 2 * CHUNK + 77, CHUNK, 0, &e), 0);
	for (size_t i = 0; i < s.count; i++)
		for (size_t b = 0; b < sums_blocks(&s.chunks[i]); b++)
			memset(s.chunks[i].blocks[b].raw, (int)(16 * i + b + 1), DIGEST_RAW);
	assert_int_equal(wants_begin(w, &s, &e), 0);
	assert_int_equal(wants_add(w, &s, 0, 1, &e), 0);
	assert_int_equal(wants_add(w, &s, 1, 0, &e), 0);
	assert_int_equal(wants_add(w, &s, 1, 2, &e), 0);
	assert_int_equal(wants_add(w, &s, 2, 0, &e), 0);
}

static void same(const struct wants *a, const struct wants *b)
{
	assert_true(digest_equal(&a->set, &b->set));
	assert_string_equal(a->archive, b->archive);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->chunk, b->chunk);
	assert_int_equal(a->bytes, b->bytes);
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++) {
		assert_int_equal(a->blocks[i].chunk, b->blocks[i].chunk);
		assert_int_equal(a->blocks[i].block, b->blocks[i].block);
		assert_int_equal(a->blocks[i].size, b->blocks[i].size);
		assert_int_equal(a->blocks[i].place, b->blocks[i].place);
		assert_true(digest_equal(&a->blocks[i].digest, &b->blocks[i].digest));
	}
}

static void test_round(void **state)
{
	static const char *const names[] = { "x.tar", "a b%\n\t\xc3\xa4\r.tar", "-", "100%" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		AUTO_WANTS a = { 0 };
		AUTO_WANTS b = { 0 };
		AUTO_BUF text = { 0 };
		struct err e = { 0 };
		make(&a, names[i]);
		assert_int_equal(wants_write(&a, &text, &e), 0);
		assert_int_equal(wants_parse(&b, text.data, text.len, &e), 0);
		same(&a, &b);
	}
}

static void test_places(void **state)
{
	AUTO_WANTS w = { 0 };

	(void)state;
	make(&w, "x.tar");
	assert_int_equal(w.bytes, 2 * SUMS_BLOCK + 5000 + 77);
	assert_int_equal(wants_offset(&w, 0), SUMS_BLOCK);
	assert_int_equal(wants_offset(&w, 1), CHUNK);
	assert_int_equal(wants_offset(&w, 2), CHUNK + 2 * SUMS_BLOCK);
	assert_int_equal(wants_offset(&w, 3), 2 * CHUNK);
	assert_int_equal(w.blocks[3].place, 2 * SUMS_BLOCK + 5000);
}

/* Nothing wanted, and an archive that is one file. */
static void test_small(void **state)
{
	AUTO_SUMS s = { 0 };
	AUTO_WANTS a = { 0 };
	AUTO_WANTS b = { 0 };
	AUTO_WANTS c = { 0 };
	AUTO_BUF text = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(sums_make(&s, "x.tar", &set, 2 * SUMS_BLOCK, 0, 0, &e), 0);
	assert_int_equal(wants_begin(&a, &s, &e), 0);
	assert_int_equal(wants_write(&a, &text, &e), 0);
	assert_int_equal(wants_parse(&b, text.data, text.len, &e), 0);
	same(&a, &b);
	assert_int_equal(wants_add(&a, &s, 0, 1, &e), 0);
	buf_clear(&text);
	assert_int_equal(wants_write(&a, &text, &e), 0);
	assert_int_equal(wants_parse(&c, text.data, text.len, &e), 0);
	same(&a, &c);
}

static bool parses(const char *text, size_t len)
{
	AUTO_WANTS w = { 0 };
	struct err e = { 0 };
	/* A copy of its own, so that a sanitizer sees who reads behind the end. */
	AUTO_MEM char *copy = malloc(len + 1);

	assert_non_null(copy);
	memcpy(copy, text, len);
	AUTO_MEM char *exact = realloc(TAKE(copy), len ? len : 1);
	assert_non_null(exact);
	if (!wants_parse(&w, exact, len, &e))
		return true;
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_true(*e.text);
	return false;
}

/* What mail programs and editors do: CRLF, a mark, blanks at the ends, blank lines, lines wrapped at a blank. */
static void test_mailed(void **state)
{
	AUTO_WANTS w = { 0 };
	AUTO_WANTS back = { 0 };
	AUTO_BUF text = { 0 };
	AUTO_BUF mailed = { 0 };
	struct err e = { 0 };

	(void)state;
	make(&w, "x y.tar");
	assert_int_equal(wants_write(&w, &text, &e), 0);
	assert_int_equal(buf_puts(&mailed, "\xef\xbb\xbf\r\n", &e), 0);
	for (size_t i = 0, column = 0; i < text.len; i++, column++) {
		if (text.data[i] == '\n' || (text.data[i] == ' ' && column > 10)) {
			assert_int_equal(buf_puts(&mailed, " \r\n\r\n\t", &e), 0);
			column = 0;
		} else {
			assert_int_equal(buf_add(&mailed, &text.data[i], 1, &e), 0);
		}
	}
	assert_int_equal(wants_parse(&back, mailed.data, mailed.len, &e), 0);
	same(&w, &back);
}

static bool blank(char c)
{
	return c && strchr(" \t\r\n", c);
}

static void test_damaged(void **state)
{
	AUTO_WANTS w = { 0 };
	AUTO_BUF text = { 0 };
	struct err e = { 0 };

	(void)state;
	make(&w, "x.tar");
	assert_int_equal(wants_write(&w, &text, &e), 0);
	/* The last line break may be lost. */
	assert_true(parses(text.data, text.len - 1));
	for (size_t i = 0; i < text.len - 1; i++)
		assert_false(parses(text.data, i));
	for (size_t i = 0; i < text.len; i++) {
		const char was = text.data[i];
		for (unsigned to = 0; to < 256; to++) {
			text.data[i] = (char)to;
			if (text.data[i] != was && !(blank(was) && blank(text.data[i])))
				assert_false(parses(text.data, text.len));
		}
		text.data[i] = was;
	}
	assert_int_equal(buf_puts(&text, "x", &e), 0);
	assert_false(parses(text.data, text.len));
}

static void says(const char *text, size_t len, const char *what)
{
	AUTO_WANTS w = { 0 };
	struct err e = { 0 };

	assert_int_equal(wants_parse(&w, text, len, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.text, what));
}

static void test_something_else(void **state)
{
	(void)state;
	says("", 0, "no list");
	says("\xff\xfei\0m\0", 6, "UTF-16");
	says("# imgpack-sums 1\n", 17, "no list");
	says("imgpack-wants 2\n", 16, "newer");
	says("imgpack-wants 1\n", 16, "not complete");
}

/* The end line is right, the rest is a lie. */
static bool believed(const char *head, const char *a, const char *b)
{
	AUTO_BUF text = { 0 };
	struct err e = { 0 };
	struct digest d;
	char hex[DIGEST_HEX_SIZE];

	assert_int_equal(buf_puts(&text, "imgpack-wants 1\nset sha256:", &e), 0);
	assert_int_equal(buf_puts(&text, digest_hex(&set, hex), &e), 0);
	assert_int_equal(buf_puts(&text, "\n", &e), 0);
	assert_int_equal(buf_puts(&text, head, &e), 0);
	for (size_t i = 0; i < 2; i++)
		if (i ? b : a)
			assert_int_equal(buf_printf(&text, &e, "block %s %s\n", i ? b : a, digest_hex(&set, hex)), 0);
	assert_int_equal(digest_of(&d, text.data, text.len, &e), 0);
	assert_int_equal(buf_printf(&text, &e, "end %s\n", digest_hex(&d, hex)), 0);
	return parses(text.data, text.len);
}

static void lie(const char *head, const char *a, const char *b)
{
	if (believed(head, a, b))
		fail_msg("%s", head);
}

static void test_lies(void **state)
{
	(void)state;
	/* Chunks of 5,000,000 bytes, the third and last has 10. */
	assert_true(believed("archive 10000010 5000000 x\nblocks 2 805706\n", "1 4194304 805696", "3 0 10"));
	assert_true(believed("archive 9999 1 x\nblocks 0 0\n", NULL, NULL));
	lie("archive 10000010 5000000 x\nblocks 1 10\n", "3 0 11", NULL);
	lie("archive 10000010 5000000 x\nblocks 1 11\n", "3 0 11", NULL);
	lie("archive 10000010 5000000 x\nblocks 1 11\n", "3 0 10", NULL);
	lie("archive 10000010 5000000 x\nblocks 1 10\n", "4 0 10", NULL);
	lie("archive 10000010 5000000 x\nblocks 1 10\n", "0 0 10", NULL);
	lie("archive 10000010 5000000 x\nblocks 1 5000000\n", "1 0 5000000", NULL);
	lie("archive 10000010 5000000 x\nblocks 1 805696\n", "1 4194305 805696", NULL);
	lie("archive 10000010 5000000 x\nblocks 1 0\n", "3 4194304 0", NULL);
	lie("archive 10000010 5000000 x\nblocks 2 20\n", "3 0 10", "3 0 10");
	lie("archive 10000010 5000000 x\nblocks 2 4194314\n", "3 0 10", "1 0 4194304");
	lie("archive 10000010 5000000 x\nblocks 1 10\n", "3 0 10", "3 0 10");
	lie("archive 10000010 5000000 x\nblocks 2 10\n", "3 0 10", NULL);
	lie("archive 10000010 5000000 a/b\nblocks 0 0\n", NULL, NULL);
	lie("archive 10000010 5000000 ..\nblocks 0 0\n", NULL, NULL);
	lie("archive 10000010 5000000 %00\nblocks 0 0\n", NULL, NULL);
	lie("archive 10000010 5000000 %41\nblocks 0 0\n", NULL, NULL);
	lie("archive 10000010 05000000 x\nblocks 0 0\n", NULL, NULL);
	lie("archive 0 5000000 x\nblocks 0 0\n", NULL, NULL);
	lie("archive 9223372036854775808 0 x\nblocks 0 0\n", NULL, NULL);
	lie("archive 10000 1 x\nblocks 0 0\n", NULL, NULL); /* LIMIT_CHUNKS, and one more */
	lie("archive 10000010 5000000 x\nblocks 9223372036854775807 10\n", "3 0 10", NULL);
}

/* The blocks file. */

static struct space *as_file(const char *bytes, size_t len)
{
	struct err e = { 0 };
	struct space *s = space_scratch(&e);

	assert_non_null(s);
	assert_int_equal(space_pwrite(s, bytes, len, 0, &e), 0);
	return s;
}

static int opens(const char *bytes, size_t len, struct err *e)
{
	AUTO(space) s = as_file(bytes, len);
	AUTO_WANTS w = { 0 };
	uint64_t header;

	return blocks_open(s, &w, &header, e);
}

static void test_blocks(void **state)
{
	AUTO_WANTS w = { 0 };
	AUTO_WANTS back = { 0 };
	AUTO_BUF file = { 0 };
	struct err e = { 0 };
	uint64_t header = 0;

	(void)state;
	make(&w, "x.tar");
	assert_int_equal(blocks_write_head(&w, &file, &e), 0);
	const size_t head = file.len;
	AUTO_MEM char *bytes = calloc(1, w.bytes + 1);
	assert_non_null(bytes);
	assert_int_equal(buf_add(&file, bytes, w.bytes, &e), 0);
	AUTO(space) s = as_file(file.data, file.len);
	assert_int_equal(blocks_open(s, &back, &header, &e), 1);
	assert_int_equal(header, head);
	same(&w, &back);
	/* Every cut of its head, and some behind it. */
	for (size_t len = 0; len < head; len++)
		assert_int_equal(opens(file.data, len, &e), len < strlen("imgpack-blocks ") ? 0 : -1);
	assert_int_equal(opens(file.data, head, &e), -1);
	assert_int_equal(opens(file.data, file.len - 1, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.text, "copy it again"));
	assert_int_equal(buf_puts(&file, "x", &e), 0);
	assert_int_equal(opens(file.data, file.len, &e), -1);
}

/* Here blanks count, too: one file has one text. */
static void test_head_exact(void **state)
{
	static const char others[] = "0\n\t \rz\xff";
	AUTO_WANTS w = { 0 };
	AUTO_BUF head = { 0 };
	AUTO_SUMS s = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(sums_make(&s, "x.tar", &set, 10, 0, 0, &e), 0);
	assert_int_equal(wants_begin(&w, &s, &e), 0);
	assert_int_equal(wants_add(&w, &s, 0, 0, &e), 0);
	assert_int_equal(blocks_write_head(&w, &head, &e), 0);
	assert_int_equal(buf_add(&head, "0123456789", 10, &e), 0);
	assert_int_equal(opens(head.data, head.len, &e), 1);
	for (size_t i = 0; i < head.len - 10; i++) {
		const char was = head.data[i];
		for (size_t k = 0; others[k]; k++) {
			head.data[i] = others[k];
			if (others[k] != was)
				assert_int_not_equal(opens(head.data, head.len, &e), 1);
		}
		head.data[i] = was;
	}
	assert_int_equal(opens("imgpack-blocks 1 99999999999\n", 29, &e), -1);
	assert_int_equal(opens("imgpack-blocks 1 67108865\n", 26, &e), -1);
	assert_int_equal(opens("imgpack-blocks 2 1\n", 19, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round),          cmocka_unit_test(test_places),
		cmocka_unit_test(test_small),          cmocka_unit_test(test_mailed),
		cmocka_unit_test(test_damaged),        cmocka_unit_test(test_lies),
		cmocka_unit_test(test_something_else), cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_head_exact),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
