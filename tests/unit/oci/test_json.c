/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: JSON that two parsers could read differently is refused (S20, E12, E13), every bound holds at its edge (S21),
 * and typed members say what was wrong. Ordinary papers pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/limits.h"
#include "oci/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct jdoc *must_parse(const char *text)
{
	struct err e = { 0 };
	struct jdoc *d = jdoc_parse(text, strlen(text), &e);

	if (!d)
		fail_msg("%s: %s", text, e.text);
	return d;
}

static void must_refuse(const char *bytes, size_t len, const char *words)
{
	struct err e = { 0 };
	struct jdoc *d = jdoc_parse(bytes, len, &e);

	if (d)
		fail_msg("accepted: %s", bytes);
	assert_int_equal(e.kind, ERR_CORRUPT);
	if (!strstr(e.text, words))
		fail_msg("\"%s\" is not in \"%s\"", words, e.text);
	for (const char *p = e.text; *p; p++)
		assert_true((unsigned char)*p >= 0x20 && *p != 0x7F);
}

static void refused_documents(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *words;
	} rows[] = {
#define ROW(text, words) { text, sizeof(text) - 1, words }
		ROW("", "JSON, line"),
		ROW("   ", "JSON, line"),
		ROW("{", "JSON, line"),
		ROW("{\"a\":", "JSON, line"),
		ROW("{\"a\":1", "JSON, line"),
		ROW("{\"a", "JSON, line"),
		ROW("{\"a\\", "JSON, line"),
		ROW("]", "JSON, line"),
		ROW("}{", "JSON, line"),
		ROW("{\"a\":1]", "JSON, line"),
		ROW("{}x", "end of file expected"),
		ROW("{} {}", "end of file expected"),
		ROW("{}\0", "end of file expected"),
		ROW("1", "JSON, line"),
		ROW("\"a\"", "JSON, line"),
		ROW("null", "JSON, line"),
		ROW("{\"a\":01}", "JSON, line"),
		ROW("{\"a\":+1}", "JSON, line"),
		ROW("{\"a\":.5}", "JSON, line"),
		ROW("{\"a\":NaN}", "JSON, line"),
		ROW("{\"a\":1,}", "JSON, line"),
		ROW("[1,]", "JSON, line"),
		ROW("{'a':1}", "JSON, line"),
		ROW("{a:1}", "JSON, line"),
		ROW("/* */{}", "JSON, line"),
		ROW("{\"a\":9223372036854775808}", "too big"),
		ROW("{\"a\":\"\\u0000\"}", "JSON, line"),
		ROW("{\"\\u0000\":1}", "JSON, line"),
		ROW("{\"a\":\"\\ud800\"}", "JSON, line"),
		ROW("{\"a\":\"\xFF\"}", "JSON, line"),
		ROW("{\"a\":\"\xC0\x80\"}", "JSON, line"),
		ROW("{\"a\":\"\xED\xA0\x80\"}", "JSON, line"),
		ROW("{\"a\":\"x\ny\"}", "JSON, line"),
		ROW("\xEF\xBB\xBF{}", "byte-order mark"),
		ROW("\xFE\xFF\0{\0}", "JSON, line"),
		ROW("{\"\x1b[31m\":1}", "JSON, line"),
		ROW("{\"a\":1,\"a\":1}", "duplicate"),
		ROW("{\"a\":1,\"\\u0061\":1}", "duplicate"),
		ROW("[{\"b\":{\"a\":1,\"a\":1}}]", "duplicate"),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		must_refuse(rows[i].bytes, rows[i].len, rows[i].words);
}

/* Keys that Go takes for one, and keys that it does not. */
static void folded_keys(void **state)
{
	static const char *const same[][2] = {
		{ "layers", "Layers" },
		{ "LAYERS", "layers" },
		{ "layers", "layer\xC5\xBF" }, /* U+017F long s */
		{ "Layer\xC5\xBF", "LAYERS" },
		{ "k", "\xE2\x84\xAA" }, /* U+212A Kelvin */
		{ "K", "\xE2\x84\xAA" },
		{ "\xC3\xA9", "\xC3\x89" },                 /* e with acute */
		{ "\xCF\x83", "\xCF\x82" },                 /* two small sigmas */
		{ "\xCE\xA3", "\xCF\x82" },                 /* capital and final sigma */
		{ "\xC2\xB5", "\xCE\xBC" },                 /* micro, mu */
		{ "\xE2\x84\xAB", "\xC3\xA5" },             /* Angstrom, a with ring */
		{ "\xD0\x96", "\xD0\xB6" },                 /* Cyrillic */
		{ "\xF0\x90\x90\x80", "\xF0\x90\x90\xA8" }, /* Deseret, four bytes */
	};
	static const char *const other[][2] = {
		{ "layers", "layer" },
		{ "layers", "layers " },
		{ "", "a" },
		{ "i", "\xC4\xB0" }, /* I with dot: folds to itself in Unicode's simple folding */
		{ "i", "\xC4\xB1" }, /* dotless i */
		{ "ss", "\xC3\x9F" },
		{ "[", "{" }, /* 0x20 apart, but no letters */
		{ "@", "`" },
		{ "e\xCC\x81", "\xC3\xA9" }, /* composed or not: different keys for every parser */
	};
	char text[128];

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		(void)snprintf(text, sizeof(text), "{\"%s\":1,\"x\":2,\"%s\":3}", same[i][0], same[i][1]);
		must_refuse(text, strlen(text), "which docker takes for one");
		(void)snprintf(text, sizeof(text), "[[{\"%s\":1,\"x\":2,\"%s\":3}]]", same[i][1], same[i][0]);
		must_refuse(text, strlen(text), "which docker takes for one");
	}
	for (size_t i = 0; i < COUNT(other); i++) {
		(void)snprintf(text, sizeof(text), "{\"%s\":1,\"x\":2,\"%s\":3}", other[i][0], other[i][1]);
		AUTO(jdoc) d = must_parse(text);
		assert_int_equal(jval_count(jdoc_root(d)), 3);
	}
	/* written as escapes they are the same letters */
	must_refuse("{\"Layer\\u017f\":1,\"layers\":2}", 28, "which docker takes for one");
}

/* Go reads these into a map: real images have labels that differ only in case. Equal keys are still refused. */
static void maps_keep_case(void **state)
{
	static const char *const maps[] = { "Labels",       "labels", "annotations", "Volumes",
					    "ExposedPorts", "auths",  "credHelpers", "HttpHeaders" };
	char text[160];

	(void)state;
	for (size_t i = 0; i < COUNT(maps); i++) {
		(void)snprintf(text, sizeof(text), "{\"config\":{\"%s\":{\"Maintainer\":\"a\",\"maintainer\":\"b\"}}}",
			       maps[i]);
		AUTO(jdoc) d = must_parse(text);
		const struct jval *map = jval_get(jval_get(jdoc_root(d), "config"), maps[i]);
		assert_string_equal(jval_text(jval_get(map, "maintainer")), "b");
		(void)snprintf(text, sizeof(text), "{\"%s\":{\"a\":1,\"a\":2}}", maps[i]);
		must_refuse(text, strlen(text), "duplicate");
		/* the map's own name is a field's name */
		(void)snprintf(text, sizeof(text), "{\"%s\":{},\"%c%s\":{}}", maps[i], maps[i][0] ^ 0x20, maps[i] + 1);
		must_refuse(text, strlen(text), "which docker takes for one");
		/* an array's elements, or an object deeper inside, are no map */
		(void)snprintf(text, sizeof(text), "{\"%s\":[{\"a\":1,\"A\":2}]}", maps[i]);
		must_refuse(text, strlen(text), "which docker takes for one");
		(void)snprintf(text, sizeof(text), "{\"%s\":{\"x\":{\"a\":1,\"A\":2}}}", maps[i]);
		must_refuse(text, strlen(text), "which docker takes for one");
	}
}

static void nest(struct buf *b, size_t depth, const char *opening, const char *closing)
{
	for (size_t i = 0; i < depth; i++)
		assert_int_equal(buf_puts(b, opening, NULL), 0);
	for (size_t i = 0; i < depth; i++)
		assert_int_equal(buf_puts(b, closing, NULL), 0);
}

static void depth_edge(void **state)
{
	struct err e = { 0 };
	AUTO_BUF good = { 0 };
	AUTO_BUF bad = { 0 };
	AUTO_BUF bomb = { 0 };

	(void)state;
	nest(&good, LIMIT_JSON_DEPTH, "[", "]");
	nest(&bad, LIMIT_JSON_DEPTH + 1, "[", "]");
	nest(&bomb, 1u << 20, "[", "");
	AUTO(jdoc) d = jdoc_parse(good.data, good.len, &e);
	assert_non_null(d);
	must_refuse(bad.data, bad.len, "deeper than 64");
	must_refuse(bomb.data, bomb.len, "deeper than 64");
	buf_clear(&bad);
	assert_int_equal(buf_puts(&bad, "{\"k\":", NULL), 0);
	nest(&bad, LIMIT_JSON_DEPTH, "[", "]");
	assert_int_equal(buf_puts(&bad, "}", NULL), 0);
	must_refuse(bad.data, bad.len, "deeper than 64");
	/* brackets inside a string are text, also behind an escaped quote */
	buf_clear(&good);
	assert_int_equal(buf_puts(&good, "{\"k\":\"\\\"\\\\\\\"", NULL), 0);
	nest(&good, 1000, "[{", ",");
	assert_int_equal(buf_puts(&good, "\"}", NULL), 0);
	AUTO(jdoc) text = jdoc_parse(good.data, good.len, &e);
	assert_non_null(text);
}

/* "[0,0,...]" of the largest manifest would take 100 MB; a paper of the same size with 20 bytes a value passes. */
static void value_edge(void **state)
{
	struct err e = { 0 };
	AUTO_BUF b = { 0 };
	/* v values of 2 bytes each: the array and its elements may be LIMIT_JSON_VALUES + len / LIMIT_JSON_DENSITY */
	size_t n = 0;

	(void)state;
	assert_int_equal(buf_puts(&b, "[0", NULL), 0);
	while (n + 3 <= LIMIT_JSON_VALUES + (b.len + 3) / LIMIT_JSON_DENSITY) {
		assert_int_equal(buf_puts(&b, ",0", NULL), 0);
		n++;
	}
	assert_int_equal(buf_puts(&b, "]", NULL), 0);
	AUTO(jdoc) d = jdoc_parse(b.data, b.len, &e);
	assert_non_null(d);
	assert_int_equal(jval_count(jdoc_root(d)), n + 1);
	b.len--;
	assert_int_equal(buf_puts(&b, ",0,0,0]", NULL), 0);
	must_refuse(b.data, b.len, "values");
	buf_clear(&b);
	assert_int_equal(buf_puts(&b, "[", NULL), 0);
	for (size_t i = 0; i < 250000; i++)
		assert_int_equal(buf_puts(&b, i ? ",\"0123456789abcdefg\"" : "\"0123456789abcdefg\"", NULL), 0);
	assert_int_equal(buf_puts(&b, "]", NULL), 0);
	AUTO(jdoc) wide = jdoc_parse(b.data, b.len, &e);
	assert_non_null(wide);
}

/* 60,000 keys with a long common start: the check of folded keys must not be quadratic. */
static void many_keys(void **state)
{
	struct err e = { 0 };
	AUTO_BUF b = { 0 };
	struct timespec from, to;

	(void)state;
	assert_int_equal(buf_puts(&b, "{", NULL), 0);
	for (int i = 0; i < 60000; i++)
		assert_int_equal(buf_printf(&b, NULL, "%s\"a-common-beginning-%d\":%d", i ? "," : "", i, i), 0);
	assert_int_equal(buf_puts(&b, "}", NULL), 0);
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &from), 0);
	AUTO(jdoc) d = jdoc_parse(b.data, b.len, &e);
	assert_non_null(d);
	for (size_t i = 0; i < 60000; i++) { /* and walking is not either */
		const struct jval *v = NULL;
		assert_non_null(jval_key_at(jdoc_root(d), i, &v));
		assert_false(jval_is_null(v));
	}
	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &to), 0);
	assert_true(to.tv_sec - from.tv_sec < 20);
	b.len--;
	assert_int_equal(buf_puts(&b, ",\"A-COMMON-BEGINNING-31415\":0}", NULL), 0);
	must_refuse(b.data, b.len, "A-COMMON-BEGINNING-31415");
}

static void walking(void **state)
{
	AUTO(jdoc) d = must_parse(" {\"z\":[1,\"two\",null,{},[],true,-5,1.5],\"a\":{\"b\":\"c\"},\"n\":null}\n");
	const struct jval *root = jdoc_root(d);
	const struct jval *z = jval_get(root, "z");
	const struct jval *v = root;

	(void)state;
	assert_true(jval_is_object(root));
	assert_false(jval_is_array(root));
	assert_int_equal(jval_count(root), 3);
	assert_string_equal(jval_key_at(root, 0, &v), "z"); /* the document's order */
	assert_ptr_equal(v, z);
	assert_string_equal(jval_key_at(root, 1, NULL), "a");
	assert_string_equal(jval_key_at(root, 2, &v), "n");
	assert_true(jval_is_null(v));
	assert_null(jval_key_at(root, 3, &v));
	assert_null(jval_key_at(z, 0, &v));
	assert_true(jval_is_array(z));
	assert_int_equal(jval_count(z), 8);
	assert_string_equal(jval_text(jval_at(z, 1)), "two");
	assert_true(jval_is_string(jval_at(z, 1)));
	assert_true(jval_is_null(jval_at(z, 2)));
	assert_true(jval_is_object(jval_at(z, 3)));
	assert_int_equal(jval_count(jval_at(z, 3)), 0);
	assert_true(jval_is_array(jval_at(z, 4)));
	assert_null(jval_at(z, 8));
	assert_null(jval_at(root, 0));
	assert_null(jval_text(jval_at(z, 0)));
	assert_string_equal(jval_text(jval_get(jval_get(root, "a"), "b")), "c");
	/* absent all the way down */
	assert_null(jval_get(root, "A"));
	assert_null(jval_get(NULL, "a"));
	assert_null(jval_get(z, "a"));
	assert_null(jval_at(NULL, 0));
	assert_null(jval_text(NULL));
	assert_null(jval_key_at(NULL, 0, &v));
	assert_int_equal(jval_count(NULL), 0);
	assert_int_equal(jval_count(jval_at(z, 0)), 0);
	assert_true(jval_is_null(NULL));
	assert_false(jval_is_object(NULL) || jval_is_array(NULL) || jval_is_string(NULL));
}

static void typed_members(void **state)
{
	static const char hex[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	char text[512];
	struct err e = { 0 };
	const char *s = "kept";
	uint64_t n = 42;
	struct digest digest = { { 7 } };
	char shown[DIGEST_TEXT_SIZE];

	(void)state;
	(void)snprintf(text, sizeof(text),
		       "{\"s\":\"x\",\"n\":9223372036854775807,\"neg\":-1,\"exp\":1e3,\"frac\":1.0,\"null\":null,"
		       "\"bool\":true,"
		       "\"arr\":[],\"obj\":{},\"zero\":0,\"d\":\"sha256:%s\",\"upper\":\"sha256:A%s\",\"long\":"
		       "\"sha512:%s%s\"}",
		       hex, hex + 1, hex, hex);
	AUTO(jdoc) d = must_parse(text);
	const struct jval *o = jdoc_root(d);

	/* absent and null: untouched, or named */
	assert_int_equal(jval_get_text(o, "no", false, &s, &e), 0);
	assert_int_equal(jval_get_text(o, "null", false, &s, &e), 0);
	assert_int_equal(jval_get_text(NULL, "s", false, &s, &e), 0);
	assert_int_equal(jval_get_u64(o, "no", false, &n, &e), 0);
	assert_int_equal(jval_get_digest(o, "null", false, &digest, &e), 0);
	assert_string_equal(s, "kept");
	assert_int_equal(n, 42);
	assert_int_equal(digest.raw[0], 7);
	assert_int_equal(e.kind, ERR_NONE);
	assert_int_equal(jval_get_text(o, "no", true, &s, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_string_equal(e.text, "\"no\" is missing, expected a string");
	assert_int_equal(jval_get_u64(o, "null", true, &n, &e), -1);
	assert_int_equal(jval_get_digest(NULL, "d", true, &digest, &e), -1);

	static const char *const not_number[] = { "s", "neg", "exp", "frac", "bool", "arr", "obj", "d" };
	for (size_t i = 0; i < COUNT(not_number); i++) {
		e = (struct err){ 0 };
		assert_int_equal(jval_get_u64(o, not_number[i], false, &n, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_non_null(strstr(e.text, not_number[i]));
	}
	static const char *const not_text[] = { "n", "neg", "exp", "bool", "arr", "obj" };
	for (size_t i = 0; i < COUNT(not_text); i++) {
		assert_int_equal(jval_get_text(o, not_text[i], false, &s, &e), -1);
		assert_int_equal(jval_get_digest(o, not_text[i], false, &digest, &e), -1);
	}
	static const char *const not_digest[] = { "s", "upper", "long" };
	for (size_t i = 0; i < COUNT(not_digest); i++) {
		assert_int_equal(jval_get_digest(o, not_digest[i], false, &digest, &e), -1);
		assert_non_null(strstr(e.text, not_digest[i]));
	}
	assert_string_equal(s, "kept");
	assert_int_equal(n, 42);
	assert_int_equal(digest.raw[0], 7);

	assert_int_equal(jval_get_text(o, "s", true, &s, &e), 0);
	assert_string_equal(s, "x");
	assert_int_equal(jval_get_u64(o, "n", true, &n, &e), 0);
	assert_true(n == INT64_MAX);
	assert_int_equal(jval_get_u64(o, "zero", true, &n, &e), 0);
	assert_int_equal(n, 0);
	assert_int_equal(jval_get_digest(o, "d", true, &digest, &e), 0);
	assert_string_equal(digest_text(&digest, shown) + 7, hex);
}

/* docker's answer to a load: objects behind each other, split anywhere. */
static void stream_of_objects(void **state)
{
	static const char stream[] = "{\"stream\":\"a}\\\"]{\"}\r\n{\"e\":[{}]} [1]\n{\"cut\":";
	static const size_t ends[] = { 19, 31, 35 };
	struct err e = { 0 };
	size_t at = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(ends); i++) {
		size_t used = 0;
		AUTO(jdoc) d = jdoc_parse_first(stream + at, sizeof(stream) - 1 - at, &used, &e);
		assert_non_null(d);
		at += used;
		assert_int_equal(at, ends[i]);
		if (i == 0)
			assert_string_equal(jval_text(jval_get(jdoc_root(d), "stream")), "a}\"]{");
	}
	size_t untouched = 99;
	assert_null(jdoc_parse_first(stream + at, sizeof(stream) - 1 - at, &untouched, &e));
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_null(jdoc_parse_first("  \n", 3, &untouched, &e));
	assert_null(jdoc_parse_first("x{}", 3, &untouched, &e));
	assert_null(jdoc_parse_first("Too many requests", 17, &untouched, &e));
	assert_null(jdoc_parse_first("{\"a\":1]{}", 9, &untouched, &e));
	assert_null(jdoc_parse_first("{\"a\":1,\"A\":1}{}", 15, &untouched, &e));
	assert_int_equal(untouched, 99);
	/* what stands behind is not looked at: not its depth, not its syntax */
	AUTO(jdoc) d = jdoc_parse_first("{}\xFF\xFF", 4, &untouched, &e);
	assert_non_null(d);
	assert_int_equal(untouched, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_documents), cmocka_unit_test(folded_keys),
		cmocka_unit_test(maps_keep_case),    cmocka_unit_test(depth_edge),
		cmocka_unit_test(value_edge),        cmocka_unit_test(many_keys),
		cmocka_unit_test(walking),           cmocka_unit_test(typed_members),
		cmocka_unit_test(stream_of_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
