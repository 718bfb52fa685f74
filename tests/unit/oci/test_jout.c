/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: the bytes written depend on the calls alone, are what RFC 8259 asks for, and come back through our own reader.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oci/json.h"

#include <string.h>

static void structure(void **state)
{
	struct err e = { 0 };
	struct digest d = { { 0xab } };
	AUTO_BUF b = { 0 };
	struct jout j = jout_begin(&b);

	(void)state;
	jout_object(&j);
	jout_key(&j, "schemaVersion");
	jout_u64(&j, 2);
	jout_key(&j, "empty");
	jout_array(&j);
	jout_end(&j);
	jout_key(&j, "list");
	jout_array(&j);
	jout_u64(&j, 0);
	jout_u64(&j, UINT64_MAX);
	jout_object(&j);
	jout_end(&j);
	jout_object(&j);
	jout_key(&j, "a");
	jout_bool(&j, true);
	jout_key(&j, "b");
	jout_bool(&j, false);
	jout_end(&j);
	jout_null(&j);
	jout_text(&j, NULL);
	jout_text(&j, "");
	jout_end(&j);
	jout_key(&j, "d");
	jout_digest(&j, &d);
	jout_end(&j);
	assert_int_equal(jout_finish(&j, &e), 0);
	assert_string_equal(b.data,
			    "{\"schemaVersion\":2,\"empty\":[],\"list\":[0,18446744073709551615,{},"
			    "{\"a\":true,\"b\":false},null,null,\"\"],\"d\":\"sha256:ab000000000000000000000000000000"
			    "00000000000000000000000000000000\"}");
	/* behind what the buffer already had */
	struct jout more = jout_begin(&b);
	size_t before = b.len;
	jout_array(&more);
	jout_end(&more);
	assert_int_equal(jout_finish(&more, &e), 0);
	assert_string_equal(b.data + before, "[]");
}

static void text_is(const char *in, const char *want)
{
	struct err e = { 0 };
	AUTO_BUF b = { 0 };
	struct jout j = jout_begin(&b);

	jout_object(&j);
	jout_key(&j, in);
	jout_text(&j, in);
	jout_end(&j);
	assert_int_equal(jout_finish(&j, &e), 0);
	AUTO_BUF expected = { 0 };
	assert_int_equal(buf_printf(&expected, &e, "{\"%s\":\"%s\"}", want, want), 0);
	assert_string_equal(b.data, expected.data);
	AUTO(jdoc) back = jdoc_parse(b.data, b.len, &e);
	if (!back)
		fail_msg("%s: %s", b.data, e.text);
}

static void escapes(void **state)
{
	(void)state;
	text_is("plain", "plain");
	text_is("\" \\ / \b\f\n\r\t", "\\\" \\\\ / \\b\\f\\n\\r\\t");
	text_is("\x01\x1f\x7f", "\\u0001\\u001f\x7f");
	text_is("gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\xB3", "gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\xB3");
	text_is("<&>\xE2\x80\xA8", "<&>\xE2\x80\xA8");
	text_is("a\xFFz", "a\xEF\xBF\xBDz");
	text_is("\xC0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD");
	text_is("\xE2\x80", "\xEF\xBF\xBD\xEF\xBF\xBD");
	text_is("\xED\xA0\x80\"", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\\\"");
}

/* All bytes, alone and in pairs, come back through the reader: valid ones unchanged. */
static void every_pair(void **state)
{
	struct err e = { 0 };
	AUTO_BUF b = { 0 };

	(void)state;
	for (unsigned i = 1; i < 256; i++) {
		for (unsigned k = 1; k < 256; k++) {
			char in[] = { (char)i, (char)k, '\0' };
			struct jout j = jout_begin(&b);

			buf_clear(&b);
			jout_array(&j);
			jout_text(&j, in);
			jout_end(&j);
			assert_int_equal(jout_finish(&j, &e), 0);
			AUTO(jdoc) d = jdoc_parse(b.data, b.len, &e);
			assert_non_null(d);
			if (i < 0x80 && k < 0x80)
				assert_string_equal(jval_text(jval_at(jdoc_root(d), 0)), in);
		}
	}
}

static void deep(void **state)
{
	struct err e = { 0 };
	AUTO_BUF b = { 0 };
	struct jout j = jout_begin(&b);

	(void)state;
	for (int i = 0; i < JOUT_DEPTH; i++)
		jout_array(&j);
	for (int i = 0; i < JOUT_DEPTH; i++)
		jout_end(&j);
	assert_int_equal(jout_finish(&j, &e), 0);
	assert_int_equal(b.len, (size_t)2 * JOUT_DEPTH);
}

/* Out of memory is met by a buffer that claims to be nearly as large as the address space. */
static void failure_sticks(void **state)
{
	struct err e = { 0 };
	struct buf b = { .len = SIZE_MAX / 4 - 1 };
	struct jout j = jout_begin(&b);

	(void)state;
	jout_array(&j);
	jout_text(&j, "too long for it");
	b.len = 0; /* room again, but the text is already broken */
	jout_end(&j);
	assert_int_equal(jout_finish(&j, &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	buf_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(structure), cmocka_unit_test(escapes),        cmocka_unit_test(every_pair),
		cmocka_unit_test(deep),      cmocka_unit_test(failure_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
