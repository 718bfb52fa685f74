/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a list of what a site has says the same after a mail program or an editor had it; every other change of one
 * character is noticed, and the message says where; chain IDs are those of the OCI image specification.
 */
#include "base/limits.h"
#include "pack/inventory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct digest low = { .raw = { 0x01 } };
static const struct digest high = { .raw = { 0xfe, 2 } };
static const struct digest layer = { .raw = { 0x7a, 3 } };

static struct inventory *make(void)
{
	struct err e = { 0 };
	struct inventory *v = inventory_new(&e);

	assert_non_null(v);
	assert_int_equal(inventory_comment(v, "from registry:example.com", &e), 0);
	assert_int_equal(inventory_add(v, HAVE_BLOB, &high, &e), 0);
	assert_int_equal(inventory_add(v, HAVE_BLOB, &low, &e), 0);
	assert_int_equal(inventory_add(v, HAVE_BLOB, &high, &e), 0);
	assert_int_equal(inventory_add(v, HAVE_CHAIN, &layer, &e), 0);
	return v;
}

static void write_list(struct buf *text)
{
	AUTO(inventory) v = make();
	struct err e = { 0 };

	assert_int_equal(inventory_write(v, text, &e), 0);
}

/* From a copy of its own, so that a sanitizer sees who reads behind the end. NULL: refused. */
static struct inventory *parse(const char *text, size_t len, struct err *e)
{
	AUTO_MEM char *copy = malloc(len ? len : 1);
	AUTO(inventory) v = inventory_new(e);

	assert_non_null(copy);
	assert_non_null(v);
	memcpy(copy, text, len);
	if (!inventory_parse(v, copy, len, e))
		return TAKE(v);
	assert_int_equal(e->kind, ERR_CORRUPT);
	assert_true(*e->text);
	assert_int_equal(inventory_count(v, HAVE_BLOB) + inventory_count(v, HAVE_CHAIN), 0);
	return NULL;
}

static bool is_whole(const struct inventory *v)
{
	return v && inventory_count(v, HAVE_BLOB) == 2 && inventory_count(v, HAVE_CHAIN) == 1 &&
	       inventory_has(v, HAVE_BLOB, &low) && inventory_has(v, HAVE_BLOB, &high) &&
	       inventory_has(v, HAVE_CHAIN, &layer) && !inventory_has(v, HAVE_CHAIN, &low) &&
	       !inventory_has(v, HAVE_BLOB, &layer);
}

static void takes(const char *text, size_t len)
{
	struct err e = { 0 };
	AUTO(inventory) v = parse(text, len, &e);

	if (!is_whole(v))
		fail_msg("%s\n%.*s", e.text, (int)len, text);
}

static void refuses(const char *text, size_t len, const char *why)
{
	struct err e = { 0 };
	AUTO(inventory) v = parse(text, len, &e);

	assert_null(v);
	if (!strstr(e.text, why))
		fail_msg("\"%s\" does not say \"%s\"", e.text, why);
}

/* The text itself is a contract: `fetch` of another version reads it. */
static void test_text(void **state)
{
	AUTO_BUF text = { 0 };

	(void)state;
	write_list(&text);
	assert_string_equal(text.data, "imgpack-inventory 1\n"
				       "# from registry:example.com\n"
				       "chain:7a03000000000000000000000000000000000000000000000000000000000000\n"
				       "sha256:0100000000000000000000000000000000000000000000000000000000000000\n"
				       "sha256:fe02000000000000000000000000000000000000000000000000000000000000\n"
				       "end 3 64254fa263f53bafc56e638d4f05c676ce219d2647f05b76f3027c1797c94b96\n");
	takes(text.data, text.len);
	assert_true(inventory_detect(text.data, text.len));
}

/* Every line with another end, another beginning. */
static void dress(const struct buf *plain, const char *before, const char *head, const char *tail)
{
	AUTO_BUF text = { 0 };

	assert_int_equal(buf_puts(&text, before, NULL), 0);
	for (const char *at = plain->data; *at;) {
		const size_t n = strcspn(at, "\n");
		assert_int_equal(buf_printf(&text, NULL, "%s%.*s%s", head, (int)n, at, tail), 0);
		at += n + 1;
	}
	takes(text.data, text.len);
	assert_true(inventory_detect(text.data, text.len));
}

static void test_mail(void **state)
{
	AUTO_BUF text = { 0 };

	(void)state;
	write_list(&text);
	dress(&text, "", "", "\r\n");
	dress(&text, "", "", "\r");
	dress(&text, "", "", " \t \n");
	dress(&text, "", "   ", "\n\n\n");
	dress(&text, "\xef\xbb\xbf", "", "\r\n");
	dress(&text, "", "> ", "\r\n");
	dress(&text, "", "> >> ", " \n");
	dress(&text, "# my note\n\n", "", "\n# another = note \xff\n");
	takes(text.data, text.len - 1);
}

/* No line is so long, and no byte such, that a mail program would touch it. */
static void test_lines(void **state)
{
	AUTO(inventory) v = make();
	AUTO_BUF text = { 0 };
	char long_word[2000];
	size_t column = 0;

	(void)state;
	memset(long_word, 'x', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	assert_int_equal(inventory_comment(v, long_word, NULL), 0);
	assert_int_equal(inventory_comment(v, "a\nchain:b \xc3\xa4 \x1b[0m", NULL), 0);
	assert_int_equal(inventory_comment(v,
					   "one two three four five six seven eight nine ten eleven twelve thirteen "
					   "fourteen fifteen",
					   NULL),
			 0);
	assert_int_equal(inventory_write(v, &text, NULL), 0);
	takes(text.data, text.len);
	for (size_t i = 0; i < text.len; i++) {
		column = text.data[i] == '\n' ? 0 : column + 1;
		assert_true(column <= INVENTORY_LINE);
		assert_true(text.data[i] == '\n' || (text.data[i] >= ' ' && text.data[i] < 0x7f));
	}
	assert_non_null(strstr(text.data, "\n# one two three four five six seven eight nine ten eleven twelve\n"
					  "#   thirteen fourteen fifteen\n"));
}

static bool in_comment(const struct buf *text, size_t at)
{
	while (at > 0 && text->data[at - 1] != '\n')
		at--;
	return text->data[at] == '#';
}

/* What a change may do without being noticed: a comment's text, and other blanks for blanks. */
static bool harmless(const struct buf *text, size_t at, char now)
{
	const char was = text->data[at];

	if (was == '\n')
		return now == '\r' || (at + 1 == text->len && strchr(" \t", now));
	if (was == ' ' && !in_comment(text, at))
		return now == '\t';
	return in_comment(text, at);
}

static void test_every_change(void **state)
{
	AUTO_BUF text = { 0 };

	(void)state;
	write_list(&text);
	for (size_t i = 0; i < text.len; i++) {
		const char was = text.data[i];
		for (int c = 0; c < 256; c++) {
			struct err e = { 0 };
			if ((char)c == was)
				continue;
			text.data[i] = (char)c;
			AUTO(inventory) v = parse(text.data, text.len, &e);
			text.data[i] = was;
			if (v && !(is_whole(v) && harmless(&text, i, (char)c)))
				fail_msg("byte %zu as 0x%02x is not noticed", i, (unsigned)c);
		}
	}
}

/* A line lost, twice, moved; cut at every byte; one character lost. */
static void test_every_loss(void **state)
{
	AUTO_BUF text = { 0 };

	(void)state;
	write_list(&text);
	for (size_t n = 0; n + 1 < text.len; n++) {
		struct err e = { 0 };
		AUTO(inventory) v = parse(text.data, n, &e);
		assert_null(v);
	}
	for (size_t i = 0; i + 1 < text.len; i++) {
		AUTO_BUF less = { 0 };
		struct err e = { 0 };
		assert_int_equal(buf_add(&less, text.data, i, NULL), 0);
		assert_int_equal(buf_add(&less, text.data + i + 1, text.len - i - 1, NULL), 0);
		AUTO(inventory) v = parse(less.data, less.len, &e);
		if (v && !(is_whole(v) && in_comment(&text, i)))
			fail_msg("byte %zu is lost, and nobody notices", i);
	}
}

#define ONE "sha256:0100000000000000000000000000000000000000000000000000000000000000\n"
#define TWO "sha256:0200000000000000000000000000000000000000000000000000000000000000\n"
#define SUM "0000000000000000000000000000000000000000000000000000000000000000\n"

static void test_messages(void **state)
{
	static const struct {
		const char *text;
		const char *why;
	} cases[] = {
		{ "", "it is no list of `imgpack inventory`" },
		{ "imgpack-wants 1\n", "it is no list of `imgpack inventory`" },
		{ "imgpack-inventory 2\n", "is of version \"2\"" },
		{ "imgpack-inventory 1\n" ONE, "cut behind 1 digests" },
		{ "imgpack-inventory 1\n" TWO ONE "end 2 " SUM, "line 3: \"sha256:01" },
		{ "imgpack-inventory 1\n" ONE ONE "end 2 " SUM, "out of order" },
		{ "imgpack-inventory 1\n" ONE "chain:1\nend 2 " SUM, "line 3: \"chain:1\" is no digest" },
		{ "imgpack-inventory 1\n" ONE "end 2 " SUM, "has 1 digests, and its end line counts 2" },
		{ "imgpack-inventory 1\n" ONE "end 1 " SUM, "not those that its end line is about" },
		{ "imgpack-inventory 1\nsha256:01=\n", "quoted-printable" },
		{ "imgpack-inventory 1\nsha256:01\x1b[2J\n", "\\x1b[2J" },
	};
	AUTO_BUF text = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		refuses(cases[i].text, strlen(cases[i].text), cases[i].why);
	refuses("\xff\xfei\0m\0", 6, "UTF-16");
	write_list(&text);
	assert_int_equal(buf_puts(&text, "Greetings\n", NULL), 0);
	refuses(text.data, text.len, "line 7: \"Greetings\" stands behind the end line");
}

/* A union, and nothing of a list that is refused. */
static void test_union(void **state)
{
	AUTO(inventory) v = make();
	AUTO(inventory) other = inventory_new(NULL);
	AUTO_BUF text = { 0 };
	struct err e = { 0 };
	const struct digest more = { .raw = { 9 } };

	(void)state;
	assert_int_equal(inventory_add(other, HAVE_BLOB, &more, NULL), 0);
	assert_int_equal(inventory_add(other, HAVE_BLOB, &low, NULL), 0);
	assert_int_equal(inventory_write(other, &text, NULL), 0);
	assert_int_equal(inventory_parse(v, text.data, text.len, &e), 0);
	assert_int_equal(inventory_count(v, HAVE_BLOB), 3);
	assert_true(inventory_has(v, HAVE_BLOB, &more));
}

/* What may be left out: of every consumer that the list is about, and of none if it is about none. */
static void test_covers(void **state)
{
	AUTO(inventory) v = inventory_new(NULL);

	(void)state;
	assert_false(inventory_covers(v, &low, &layer));
	assert_int_equal(inventory_add(v, HAVE_BLOB, &low, NULL), 0);
	assert_true(inventory_covers(v, &low, NULL));
	assert_true(inventory_covers(v, &low, &layer));
	assert_false(inventory_covers(v, &high, &layer));
	assert_int_equal(inventory_add(v, HAVE_CHAIN, &layer, NULL), 0);
	assert_true(inventory_covers(v, &low, &layer));
	assert_false(inventory_covers(v, &low, NULL));
	assert_false(inventory_covers(v, &low, &low));
	assert_false(inventory_covers(v, &high, &layer));
	AUTO(inventory) docker = inventory_new(NULL);
	assert_int_equal(inventory_add(docker, HAVE_CHAIN, &layer, NULL), 0);
	assert_true(inventory_covers(docker, &high, &layer));
	assert_false(inventory_covers(docker, &layer, &low));
}

/* Nothing at all is a list, too: a new site. */
static void test_empty(void **state)
{
	AUTO(inventory) v = inventory_new(NULL);
	AUTO(inventory) again = inventory_new(NULL);
	AUTO_BUF text = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(inventory_write(v, &text, NULL), 0);
	assert_int_equal(inventory_parse(again, text.data, text.len, &e), 0);
	assert_int_equal(inventory_count(again, HAVE_BLOB), 0);
}

/* The example of the OCI image specification's formula, computed by sha256sum. */
static void test_chain(void **state)
{
	struct digest chain;
	struct digest want;

	(void)state;
	assert_int_equal(inventory_chain(&chain, true, &low, NULL), 0);
	assert_true(digest_equal(&chain, &low));
	assert_int_equal(inventory_chain(&chain, false, &high, NULL), 0);
	assert_true(digest_parse_hex(&want, "16a6aa9df1dc3d22b644be35a8d5f65627ae388ca8114424ac5865c45b5a15e3", 64));
	assert_true(digest_equal(&chain, &want));
	AUTO(inventory) v = inventory_new(NULL);
	const struct digest diffs[] = { low, high };
	assert_int_equal(inventory_add_chains(v, diffs, 2, NULL), 0);
	assert_int_equal(inventory_count(v, HAVE_CHAIN), 2);
	assert_true(inventory_has(v, HAVE_CHAIN, &want));
	assert_true(inventory_has(v, HAVE_CHAIN, &low));
	assert_false(inventory_has(v, HAVE_CHAIN, &high));
}

static void test_limit(void **state)
{
	AUTO_MEM char *much = calloc(1, LIMIT_INVENTORY + 1);
	struct err e = { 0 };
	AUTO(inventory) v = inventory_new(NULL);

	(void)state;
	assert_non_null(much);
	memset(much, '\n', LIMIT_INVENTORY + 1);
	assert_int_equal(inventory_parse(v, much, LIMIT_INVENTORY + 1, &e), -1);
	assert_non_null(strstr(e.text, "at most"));
	assert_int_equal(inventory_parse(v, much, LIMIT_INVENTORY, &e), -1);
	assert_non_null(strstr(e.text, "it is no list"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),  cmocka_unit_test(test_mail),         cmocka_unit_test(test_lines),
		cmocka_unit_test(test_union), cmocka_unit_test(test_every_change), cmocka_unit_test(test_every_loss),
		cmocka_unit_test(test_empty), cmocka_unit_test(test_messages),     cmocka_unit_test(test_chain),
		cmocka_unit_test(test_limit), cmocka_unit_test(test_covers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
