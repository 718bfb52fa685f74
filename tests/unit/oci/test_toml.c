/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what hosts.toml and registries.conf are written in is read as TOML says; what is not read, or not TOML, is
 * refused with its line and never becomes another value.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/limits.h"
#include "oci/jval.h"
#include "oci/toml.h"

#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void write_value(struct jout *j, const struct jval *v)
{
	const struct jval *child = NULL;

	if (jval_is_object(v) || jval_is_array(v)) {
		if (jval_is_object(v))
			jout_object(j);
		else
			jout_array(j);
		for (size_t i = 0; i < jval_count(v); i++) {
			child = jval_at(v, i);
			if (jval_is_object(v))
				jout_key(j, jval_key_at(v, i, &child));
			write_value(j, child);
		}
		jout_end(j);
	} else if (jval_is_string(v)) {
		jout_text(j, jval_text(v));
	} else if (v->kind == JVAL_BOOL) {
		jout_bool(j, v->integer != 0);
	} else if (v->kind == JVAL_INTEGER && v->integer >= 0) {
		jout_u64(j, (uint64_t)v->integer);
	} else {
		char number[32];
		snprintf(number, sizeof(number), "<%lld>", (long long)v->integer);
		jout_text(j, number);
	}
}

/* The document as JSON; a negative number as "<-1>". */
static void becomes(const char *toml, const char *json)
{
	AUTO_BUF out = { 0 };
	struct err e = { 0 };
	AUTO(jdoc) d = toml_parse(toml, strlen(toml), &e);

	if (!d)
		fail_msg("%s\n%s", toml, e.text);
	struct jout j = jout_begin(&out);
	write_value(&j, jdoc_root(d));
	assert_int_equal(jout_finish(&j, &e), 0);
	if (strcmp(out.data, json) != 0)
		fail_msg("%s\nhave %s\nwant %s", toml, out.data, json);
}

static void refused(const char *toml, const char *words)
{
	struct err e = { 0 };
	AUTO(jdoc) d = toml_parse(toml, strlen(toml), &e);

	if (d)
		fail_msg("accepted: %s", toml);
	assert_int_equal(e.kind, ERR_USAGE);
	if (strncmp(e.text, "line ", 5) != 0 || !strstr(e.text, words))
		fail_msg("%s\nhave %s\nwant %s", toml, e.text, words);
}

static void files_as_people_write_them(void **state)
{
	(void)state;
	becomes("server = \"https://registry-1.docker.io\"    # upstream\n\n"
		"[host.\"https://mirror.local\"]\r\n  capabilities = [\"pull\", \"resolve\"]\n"
		"  client = [[\"c\",\"k\"], [\"d\", \"\"],]\n  skip_verify = true\n"
		"  [host.\"https://mirror.local\".header]\n    x-custom = [\"a\",\n      # why\n      \"b\",\n    ]\n"
		"[host.'http://b:5000']\n",
		"{\"server\":\"https://registry-1.docker.io\",\"host\":{\"https://mirror.local\":{\"capabilities\":"
		"[\"pull\",\"resolve\"],\"client\":[[\"c\",\"k\"],[\"d\",\"\"]],\"skip_verify\":true,\"header\":"
		"{\"x-custom\":[\"a\",\"b\"]}},\"http://b:5000\":{}}}");
	becomes("unqualified-search-registries = ['a', \"b\"]\n[[registry]]\nprefix=\"x\"\nlocation=\"y\"\n"
		"[[registry.mirror]]\nlocation=\"m\"\ninsecure=true\n[[registry.mirror]]\nlocation=\"n\"\n"
		"[[registry]]\nlocation=\"z\"\nblocked=false\n[aliases]\n\"a/b\" = \"c/d\"",
		"{\"unqualified-search-registries\":[\"a\",\"b\"],\"registry\":[{\"prefix\":\"x\",\"location\":\"y\","
		"\"mirror\":[{\"location\":\"m\",\"insecure\":true},{\"location\":\"n\"}]},{\"location\":\"z\","
		"\"blocked\":false}],\"aliases\":{\"a/b\":\"c/d\"}}");
	becomes("", "{}");
	becomes("# nothing", "{}");
	becomes("\n\n\t \r\n", "{}");
}

static void strings(void **state)
{
	(void)state;
	becomes("a = \"\\b\\t\\n\\f\\r\\\"\\\\\\u00e9\\U0001F600/\"",
		"{\"a\":\"\\b\\t\\n\\f\\r\\\"\\\\\u00e9\U0001F600/\"}");
	becomes("a = 'C:\\x\\n\"'", "{\"a\":\"C:\\\\x\\\\n\\\"\"}");
	becomes("a = \"\"\nb = ''", "{\"a\":\"\",\"b\":\"\"}");
	becomes("a = \"\"\"\none\ntwo \\\n   three\\\n\n\n four\"\"\"", "{\"a\":\"one\\ntwo threefour\"}");
	becomes("a = '''\n\\n\n'x' '''", "{\"a\":\"\\\\n\\n'x' \"}");
	becomes("a = \"\"\"\"quoted\"\"\"\"\"\nb = 1", "{\"a\":\"\\\"quoted\\\"\\\"\",\"b\":1}");
	becomes("a = \"\u00fcber # no comment\" # one", "{\"a\":\"\u00fcber # no comment\"}");
	refused("\na = \"x", "line 2: the string that begins here");
	refused("a = 'x\n'", "line 1: the string that begins here");
	refused("a = \"\"\"\n\n\nx\"\"", "line 1: the string that begins here");
	refused("a = \"\\x\"", "backslash");
	refused("a = \"\\u12g4\"", "4 hex digits");
	refused("a = \"\\u0000\"", "U+0000");
	refused("a = \"\\ud800\"", "U+D800");
	refused("a = \"\\U00110000\"", "U+110000");
	refused("a = \"x\\", "backslash");
	refused("a = \"\"\"x\\", "backslash");
}

static void numbers(void **state)
{
	static const char *const bad[] = {
		"1.5",
		"1e6",
		"inf",
		"+inf",
		"nan",
		"-nan",
		"1979-05-27",
		"07:32:00",
		"1979-05-27T07:32:00Z",
		"007",
		"-01",
		"1__0",
		"_1",
		"1_",
		"0x",
		"0xg",
		"0X1",
		"+0x1",
		"0b2",
		"9223372036854775808",
		"-9223372036854775809",
		"0x8000000000000000",
		"99999999999999999999999",
		"+",
		"-",
		"1 2",
		"1\"",
		"0x1.0",
	};

	(void)state;
	becomes("a=0\nb=+1\nc=-17\nd=1_000\ne=0xff_FF\nf=0o17\ng=0b101\nh=-0\ni=9223372036854775807\nj=-"
		"9223372036854775808",
		"{\"a\":0,\"b\":1,\"c\":\"<-17>\",\"d\":1000,\"e\":65535,\"f\":15,\"g\":5,\"h\":0,"
		"\"i\":9223372036854775807,\"j\":\"<-9223372036854775808>\"}");
	becomes("a=true\nb=false\n", "{\"a\":true,\"b\":false}");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[64];
		snprintf(text, sizeof(text), "\n\na = %s\n", bad[i]);
		refused(text, "line 3: ");
	}
	refused("a = 1.5", "1.5: is no whole number");
	refused("a = yes", "\"quotes\"");
	refused("a = True", "\"quotes\"");
	refused("a =", "the end of the line");
	refused("a = # c", "the end of the line");
}

static void keys_and_tables(void **state)
{
	(void)state;
	becomes("a.b . \"c.d\".'e' = 1\na.b.f = 2\n1234 = 3\n\"\" = 4\n-_ = 5",
		"{\"a\":{\"b\":{\"c.d\":{\"e\":1},\"f\":2}},\"1234\":3,\"\":4,\"-_\":5}");
	becomes("[a.b.c]\nx=1\n[a]\ny=2\n[a.b]\nz=3", "{\"a\":{\"b\":{\"c\":{\"x\":1},\"z\":3},\"y\":2}}");
	becomes("[ a . \"b\" ]\n[[ c ]]\n[c.d]\nx=1\n[[c]]\n", "{\"a\":{\"b\":{}},\"c\":[{\"d\":{\"x\":1}},{}]}");
	becomes("[f]\na.c=1\n[f.a.s]\nx=1", "{\"f\":{\"a\":{\"c\":1,\"s\":{\"x\":1}}}}");
	becomes("a = { x = 1, y.z = \"q\", w = {} }", "{\"a\":{\"x\":1,\"y\":{\"z\":\"q\"},\"w\":{}}}");
	becomes("Key=1\nkey=2", "{\"Key\":1,\"key\":2}");
	refused("a=1\na=2", "line 2: \"a\" is there already");
	refused("a=1\n'a'=2", "there already");
	refused("[a]\n[b]\n[a]", "line 3: \"a\"");
	refused("[a]\nb=1\n[a.b]", "\"b\"");
	refused("[a]\nb=1\n[a.b.c]", "\"b\"");
	refused("a.b=1\n[a]", "\"a\"");
	refused("[a.b]\nx=1\n[a]\nb.y=2", "\"b\"");
	refused("[a.b.c]\nx=1\n[a]\nb.y=2", "\"b\"");
	refused("a=1\na.b=2", "\"a\"");
	refused("a={b=1}\n[a.c]", "\"a\"");
	refused("a={b=1}\na.c=1", "\"a\"");
	refused("a={b={}, b.c=1}", "\"b\"");
	refused("a={b=1,b=2}", "\"b\"");
	refused("a=[]\n[[a]]", "\"a\"");
	refused("a=[{}]\n[a.b]", "\"a\"");
	refused("[[a]]\n[a]", "\"a\"");
	refused("[a]\n[[a]]", "\"a\"");
	refused("[a.b]\n[[a]]", "\"a\"");
	refused("[[a.b]]\n[a.b]", "\"b\"");
	refused("[]", "a key is expected");
	refused("[a.]", "a key is expected");
	refused("a. = 1", "a key is expected");
	refused("= 1", "a key is expected");
	refused("\u00e9 = 1", "\"quotes\"");
	refused("a b = 1", "= is expected");
	refused("a", "= is expected");
	refused("[a", "] is expected");
	refused("[[a]", "]] is expected");
	refused("[a] b=1", "goes on with b=1");
	refused("a=1 b=2", "goes on with b=2");
	refused("a={x=1\n}", "comma or }");
	refused("a={x=1,}", "a key is expected");
	refused("\"\"\"a\"\"\"=1", "several lines");
}

static void arrays(void **state)
{
	(void)state;
	becomes("a=[]\nb=[1,\n\n# x\n2 , ]\nc=[[],[1],[\"x\",{y=1}]]",
		"{\"a\":[],\"b\":[1,2],\"c\":[[],[1],[\"x\",{\"y\":1}]]}");
	refused("a=[1 2]", "comma or ]");
	refused("a=[,]", "is no value");
	refused("a=[1,,2]", "is no value");
	refused("\na=[1,\n2", "line 2: the array that begins here");
	refused("a=[1\nb=2", "comma or ]");
	refused("a=]", "is no value");
}

static void bytes(void **state)
{
	struct err e = { 0 };

	(void)state;
	refused("\xEF\xBB\xBF"
		"a=1",
		"byte-order mark");
	refused("a=1\nb='\xff'", "line 2: is not UTF-8");
	refused("a=1\rb=2", "0x0d");
	refused("a='\x1b'", "0x1b");
	refused("# \x07", "0x07");
	refused("a='\x7f'", "0x7f");
	refused("a=1\r", "0x0d");
	assert_null(toml_parse("a=1\0b", 5, &e));
	assert_string_equal(e.text, "line 1: has the control character 0x00");
	AUTO(jdoc) d = toml_parse(NULL, 0, &e);
	assert_non_null(d);
}

static char *repeated(const char *head, const char *piece, size_t times, const char *tail)
{
	size_t len = strlen(piece);
	char *text = malloc(strlen(head) + len * times + strlen(tail) + 1);

	assert_non_null(text);
	char *p = text + sprintf(text, "%s", head);
	for (size_t i = 0; i < times; i++, p += len)
		memcpy(p, piece, len);
	strcpy(p, tail);
	return text;
}

static bool accepted(char *text /* taken */, const char *words)
{
	struct err e = { 0 };
	AUTO(jdoc) d = toml_parse(text, strlen(text), &e);

	if (!d && !strstr(e.text, words))
		fail_msg("%s", e.text);
	free(text);
	return d != NULL;
}

static void limits(void **state)
{
	(void)state;
	assert_true(accepted(repeated("a=", "[", LIMIT_TOML_DEPTH, "]]]]]]]]]]]]]]]]"), ""));
	assert_false(accepted(repeated("a=", "[", LIMIT_TOML_DEPTH + 1, "]]]]]]]]]]]]]]]]]"), "more than 16 times"));
	assert_true(accepted(repeated("a", ".a", LIMIT_TOML_DEPTH - 1, "=1"), ""));
	assert_false(accepted(repeated("a", ".a", LIMIT_TOML_DEPTH, "=1"), "more than 16 parts"));
	/* The root, the array of tables, and its elements. */
	assert_true(accepted(repeated("", "[[a]]\n", LIMIT_TOML_TABLES - 2, ""), ""));
	assert_false(accepted(repeated("", "[[a]]\n", LIMIT_TOML_TABLES - 1, ""), "more than 4096 tables"));
	assert_true(accepted(repeated("a=[", "1,", LIMIT_JSON_VALUES - 2, "]"), ""));
	assert_false(accepted(repeated("a=[", "1,", LIMIT_JSON_VALUES - 1, "]"), "more than 65536 values"));
	assert_true(accepted(repeated("#", "x", LIMIT_SETTINGS - 1, ""), ""));
	assert_false(accepted(repeated("#", "x", LIMIT_SETTINGS, ""), "is larger than"));
	/* Three millions of brackets cost no stack. */
	assert_false(accepted(repeated("a=", "[{b=", 200000, ""), "more than 16 times"));
}

static void typed(void **state)
{
	static const char text[] = "a = true\nb = 1\nc = 'x'";
	struct err e = { 0 };
	bool flag = false;
	AUTO(jdoc) d = toml_parse(text, strlen(text), &e);

	(void)state;
	assert_non_null(d);
	assert_int_equal(jval_get_bool(jdoc_root(d), "a", true, &flag, &e), 0);
	assert_true(flag);
	assert_int_equal(jval_get_bool(jdoc_root(d), "none", false, &flag, &e), 0);
	assert_true(flag);
	assert_int_equal(jval_get_bool(jdoc_root(d), "none", true, &flag, &e), -1);
	assert_int_equal(jval_get_bool(jdoc_root(d), "b", false, &flag, &e), -1);
	assert_non_null(strstr(e.text, "\"b\" is a whole number, expected true or false"));
	assert_int_equal(jval_get_bool(jdoc_root(d), "c", false, &flag, &e), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_as_people_write_them),
		cmocka_unit_test(strings),
		cmocka_unit_test(numbers),
		cmocka_unit_test(keys_and_tables),
		cmocka_unit_test(arrays),
		cmocka_unit_test(bytes),
		cmocka_unit_test(limits),
		cmocka_unit_test(typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
