/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a rule does what oci/rules.h says, no more; what is wrong in a file is told with file, line and column and what
 * would be right; what comes out is a reference that keeps tag and digest; and no pattern takes long.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "oci/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "@sha256:" HEX

struct rule_case {
	const char *rules;
	const char *from;
	const char *to; /* NULL: no rule fits; "keep": one says so; "!TEXT": refused with TEXT */
};

static void apply(const struct rule_case *c, const struct rules *r)
{
	struct reference from, out, same;
	struct rule_found found;
	struct err e = { 0 };
	char text[REFERENCE_TEXT_SIZE], before[REFERENCE_TEXT_SIZE];

	assert_int_equal(reference_parse(&from, c->from, &e), 0);
	reference_text(&from, before);
	int rc = rules_apply(r, &from, &out, &found, &e);
	if (c->to && c->to[0] == '!') {
		assert_int_equal(rc, -1);
		assert_int_equal(e.kind, ERR_USAGE);
		if (!strstr(e.text, c->to + 1))
			fail_msg("%s of %s: %s", c->rules, c->from, e.text);
		return;
	}
	if (rc < 0)
		fail_msg("%s of %s: %s", c->rules, c->from, e.text);
	const bool made = c->to && strcmp(c->to, "keep") != 0;
	assert_int_equal(rc, made);
	assert_int_equal(found.file != NULL, c->to != NULL);
	if (strcmp(reference_text(&out, text), made ? c->to : before) != 0)
		fail_msg("%s of %s: %s, not %s", c->rules, c->from, text, made ? c->to : before);
	/* In place, too. */
	same = from;
	assert_int_equal(rules_apply(r, &same, &same, NULL, &e), rc);
	assert_string_equal(reference_text(&same, before), text);
}

static void test_what_rules_make(void **state)
{
	static const struct rule_case cases[] = {
		{ "", "nginx", NULL },
		{ "quay.io/x/y = a.b/c", "quay.io/x/y:1", "a.b/c:1" },
		{ "quay.io/x/y = a.b/c", "quay.io/x/y", "a.b/c:latest" },
		{ "quay.io/x/y = a.b/c", "quay.io/x/y" DIGEST, "a.b/c" DIGEST },
		{ "quay.io/x/y = a.b/c", "quay.io/x/y:1" DIGEST, "a.b/c:1" DIGEST },
		{ "quay.io/x/y = a.b/c", "quay.io/x/yy:1", NULL },
		{ "quay.io/x/y = a.b/c", "quay.io/x/y/z:1", NULL },
		{ "docker.io/library/{image} = a.b/{image}", "nginx:1", "a.b/nginx:1" },
		{ "a.b/{x} = docker.io/{x}", "a.b/nginx:1", "docker.io/library/nginx:1" },
		/* Tags. */
		{ "a.b/c:v{tag} = d.e/c:{tag}", "a.b/c:v1.2", "d.e/c:1.2" },
		{ "a.b/c:v{tag} = d.e/c:{tag}", "a.b/c:1.2", NULL },
		{ "a.b/c:v{tag} = d.e/c:{tag}", "a.b/c:v", NULL },
		{ "a.b/c:v{tag} = d.e/c:{tag}", "a.b/c" DIGEST, NULL },
		{ "a.b/c:v{tag} = d.e/c:{tag}", "a.b/c:v1" DIGEST, "d.e/c:1" DIGEST },
		{ "a.b/c:* = d.e/c:x", "a.b/c:v1", "d.e/c:x" },
		{ "a.b/c:latest = d.e/c", "a.b/c", "d.e/c:latest" },
		{ "a.b/{n} = d.e/all:{n}", "a.b/c:1", "d.e/all:c" },
		{ "a.b/{n}:{t} = d.e/all:{n}-{t}", "a.b/c:1", "d.e/all:c-1" },
		{ "a.b/c = d.e/c:x", "a.b/c" DIGEST, "d.e/c:x" DIGEST },
		{ "a.b/c = d.e/c" DIGEST, "a.b/c:1", "d.e/c" DIGEST },
		{ "a.b/c = d.e/c" DIGEST, "a.b/c" DIGEST, "d.e/c" DIGEST },
		{ "a.b/c = d.e/c@sha256:1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		  "a.b/c" DIGEST, "!f:1: this rule takes another digest" },
		/* Parts. */
		{ "a.b/{x}/{y} = d.e/{y}/{x}", "a.b/1/2:t", "d.e/2/1:t" },
		{ "a.b/{x}/{y} = d.e/{y}/{x}", "a.b/1:t", NULL },
		{ "a.b/{x}/{y} = d.e/{y}/{x}", "a.b/1/2/3:t", NULL },
		{ "a.b/**/{y} = d.e/{y}", "a.b/1:t", "d.e/1:t" },
		{ "a.b/**/{y} = d.e/{y}", "a.b/1/2/3:t", "d.e/3:t" },
		{ "a.b/**/x/{y} = d.e/{y}", "a.b/x/x/3:t", "d.e/3:t" },
		{ "a.b/**/x/{y} = d.e/{y}", "a.b/xx/3:t", NULL },
		{ "a.b/x/** = d.e/y", "a.b/x/1/2:t", "d.e/y:t" },
		{ "a.b/x/** = d.e/y", "a.b/x:t", NULL },
		{ "a.b/{p**} = d.e/{p}", "a.b/1/2/3:t", "d.e/1/2/3:t" },
		{ "a.b/{p**}/{n} = d.e/{n}/{p}", "a.b/1/2/3:t", "d.e/3/1/2:t" },
		{ "a.b/{p**}/{n} = d.e/{n}/{p}", "a.b/3:t", NULL },
		{ "a.b/*/{n} = d.e/{n}", "a.b/1/2:t", "d.e/2:t" },
		{ "a.b/x*/{n} = d.e/{n}", "a.b/x/2:t", "d.e/2:t" },
		{ "a.b/{n}-*z = d.e/{n}", "a.b/1-2-z:t", "d.e/1-2:t" },
		{ "a.b/{x}-{y} = d.e/{x}/{y}", "a.b/1-2-3:t", "d.e/1-2/3:t" },
		/* Registries and ports. */
		{ "{host}/{p**} = m.d/{host}/{p}", "quay.io/x/y:1", "m.d/quay.io/x/y:1" },
		{ "{host}/{p**} = m.d/{host}/{p}", "localhost:5000/x:1", NULL },
		{ "{host}:{port}/{p**} = m.d/{host}-{port}/{p}", "a.b:5000/x:1", "m.d/a.b-5000/x:1" },
		{ "a.b:5000/{p**} = [::1]:6000/{p}", "a.b:5000/x:1", "[::1]:6000/x:1" },
		{ "[::1]:6000/{p**} = localhost/{p}", "[::1]:6000/x:1", "localhost/x:1" },
		/* Replacing, variables, order. */
		{ "U = me\na.b/{p**} = docker.io/{U}/{p|/=.}", "a.b/1/2/3:t", "docker.io/me/1.2.3:t" },
		{ "a.b/{p**} = d.e/{p|/=--}/{p|.=}", "a.b/1/2.3:t", "d.e/1--2.3/1/23:t" },
		{ "a.b/{p**} = d.e/{U}/{p}\nU = me", "a.b/1:t", "d.e/me/1:t" },
		{ "U = a.b\n{U}/x = d.e/y", "a.b/x:1", "d.e/y:1" },
		{ "a.b/x = d.e/1\na.b/* = d.e/2", "a.b/x:1", "d.e/1:1" },
		{ "a.b/x = d.e/1\na.b/* = d.e/2", "a.b/y:1", "d.e/2:1" },
		{ "a.b/x = keep\na.b/* = d.e/2", "a.b/x:1", "keep" },
		{ "\xef\xbb\xbf# head\r\n\r\n  a.b/x  =  d.e/1  # why\r\n", "a.b/x:1", "d.e/1:1" },
		{ "a.b/x = d.e/1", "a.b/x:1", "d.e/1:1" },
		/* What comes out is no reference. */
		{ "U = ME\na.b/{p**} = d.e/{U}/{p}", "a.b/1:t", "!f:2: of a.b/1:t this rule makes: \"d.e/ME/1:t\"" },
		{ "a.b/{x} = d.e/{x|1=}", "a.b/1:t", "!f:1: of a.b/1:t this rule makes" },
		{ "a.b/{x} = d.e/{x}/", "a.b/1:t", "!f:1: of a.b/1:t" },
		{ "a.b/{x}:{t} = d.e/{x}/{t}", "a.b/1:T", "!upper-case" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };
		AUTO(rules) r = rules_read("f", cases[i].rules, strlen(cases[i].rules), &e);
		if (!r)
			fail_msg("%s: %s", cases[i].rules, e.text);
		apply(&cases[i], r);
	}
}

static void test_what_is_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "a.b/x", "f:1:1: no '='; write PATTERN = RESULT" },
		{ "\n  = d.e/x", "f:2:3: no pattern" },
		{ "a.b/x =", "f:1:8: no result" },
		{ "a.b/x = # why", "f:1:8: no result" },
		{ "nginx = a.b/x", "f:1:1: 'nginx' does not begin with a registry; Docker Hub's is docker.io/" },
		{ "x/y = a.b/x", "f:1:1: 'x/y' does not begin with a registry" },
		{ "a.b/x = y", "f:1:9: 'y' does not begin with a registry" },
		{ "docker.io/{x} = a.b/{x}", "f:1:1: fits nothing: Docker Hub's names have two parts or more" },
		{ "index.docker.io/{x**} = a.b/{x}", "f:1:1: write docker.io" },
		{ "a.b/{x = d.e/y", "f:1:5: a { without its }" },
		{ "a.b/{} = d.e/y", "f:1:6: {}: write {name}" },
		{ "a.b/{a-b} = d.e/y", "f:1:6: {a-b}: write {name}" },
		{ "a.b/{**} = d.e/y", "f:1:6: {**}: write {name}" },
		{ "a.b/{x}{y} = d.e/y", "f:1:8: two captures touch" },
		{ "a.b/{x}* = d.e/y", "f:1:8: two captures touch" },
		{ "a.b/{x}/{x} = d.e/y", "f:1:10: {x} is captured twice" },
		{ "a.b/{x}:{x} = d.e/y", "f:1:10: {x} is captured twice" },
		{ "a.b/*** = d.e/y", "f:1:5: write * or **" },
		{ "a.b/x** = d.e/y", "f:1:6: ** stands for whole parts" },
		{ "a.b/**x = d.e/y", "f:1:5: ** stands for whole parts" },
		{ "a.b/x{p**} = d.e/y", "f:1:6: ** stands for whole parts" },
		{ "**/x = d.e/y", "f:1:1: ** stands for parts of the path, not for the registry" },
		{ "{p**}/x = d.e/y", "f:1:1: ** stands for parts of the path, not for the registry" },
		{ "a.b/x: = d.e/y", "f:1:7: behind the ':'" },
		{ "a.b/x@sha256:{d} = d.e/y", "f:1:6: a pattern names no digest" },
		{ "a.b/x y = d.e/y", "f:1:6: ' ' is in no image's name" },
		{ "a.b/x = d.e/y?", "f:1:14: '?' is in no image's name" },
		{ "a.b/x = d.e/\033[1m", "f:1:13: '\\x1b' is in no image's name" },
		{ "a.b/x = d.e/*", "f:1:13: a * on the right side" },
		{ "a.b/{x} = d.e/{y}", "f:1:16: the pattern captures no {y}" },
		{ "a.b/* = d.e/{}", "f:1:14: the pattern captures no {}" },
		{ "a.b/{x} = d.e/{x**}", "f:1:16: the pattern captures no {x**}" },
		{ "a.b/{x} = d.e/{x|}", "f:1:17: write {name|C=TEXT}" },
		{ "a.b/{x} = d.e/{x|ab=c}", "f:1:17: write {name|C=TEXT}" },
		{ "U = a b", "f:1:5: 'a b' is not a value" },
		{ "U =", "f:1:4: '' is not a value" },
		{ "U = a\nU = b", "f:2:1: U has a value already" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };
		assert_null(rules_read("f", cases[i][0], strlen(cases[i][0]), &e));
		assert_int_equal(e.kind, ERR_USAGE);
		if (strncmp(e.text, cases[i][1], strlen(cases[i][1])) != 0)
			fail_msg("%s: %s", cases[i][0], e.text);
	}
}

static void test_yaml(void **state)
{
	static const char text[] = "variables:\n  U: me\n  V: \"1.2\"\nrules:\n"
				   "- from: a.b/{p**}\n  to: docker.io/{U}/{p|/=.}\n"
				   "- {from: 'c.d/x:{t}', to: \"e.f/{V}:{t}\"}\n";
	static const char *const bad[][2] = {
		{ "- a\n", "f:1:1: a file of rules has the keys" },
		{ "rule: []\n", "f:1:1: the keys here are" },
		{ "rules: x\n", "f:1:8: rules: write a list" },
		{ "rules:\n- from: a.b/x\n", "f:2:3: a rule has the keys from and to" },
		{ "rules:\n- x\n", "f:2:3: a rule has the keys from and to" },
		{ "rules:\n- {from: a.b/x, too: d.e/x}\n", "f:2:17: a rule has the keys from and to" },
		{ "rules:\n- from: a.b/{x}\n  to: d.e/{y}\n", "f:3:12: the pattern captures no {y}" },
		{ "rules:\n- from: 'a.b/{x}'\n  to: 'd.e/{y}'\n", "f:3:13: the pattern captures no {y}" },
		{ "rules:\n- from: a.b/x\n  to: {U}/x\n", "f:3:" },
		{ "variables: [a]\n", "f:1:12: variables: write NAME: VALUE" },
		{ "variables: {u: a}\n", "f:1:13: a variable's name" },
		{ "variables: {U: [a]}\n", "f:1:16: a variable's value" },
		{ "variables: {U: \"a b\"}\n", "f:1:17: 'a b' is not a value" },
		{ "rules: [\n", "f:2:1: this is not YAML" },
	};
	const struct rule_case first = { text, "a.b/1/2:t", "docker.io/me/1.2:t" };
	const struct rule_case second = { text, "c.d/x:t", "e.f/1.2:t" };
	struct err e = { 0 };

	(void)state;
	AUTO(rules) r = rules_read_yaml("f", text, strlen(text), &e);
	if (!r)
		fail_msg("%s", e.text);
	apply(&first, r);
	apply(&second, r);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(rules_read_yaml("f", bad[i][0], strlen(bad[i][0]), &e));
		if (e.kind != ERR_USAGE || strncmp(e.text, bad[i][1], strlen(bad[i][1])) != 0)
			fail_msg("%s: %s", bad[i][0], e.text);
	}
}

static void test_variables(void **state)
{
	static const char text[] = "H = docker.io\na.b/{x} = {H}/{U}/{x}\n";
	const struct rule_case made = { text, "a.b/1:t", "h.i/me/1:t" };
	struct err e = { 0 };
	size_t line = 0;

	(void)state;
	AUTO(rules) r = rules_read("f", text, strlen(text), &e);
	assert_non_null(r);
	assert_string_equal(rules_unset(r, &line), "U");
	assert_int_equal(line, 2);
	assert_int_equal(rules_set(r, "X", 1, "me", &e), 0);
	assert_int_equal(rules_set(r, "U", 1, "m e", &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_int_equal(rules_set(r, "U", 1, "", &e), -1);
	assert_int_equal(rules_set(r, "U", 1, "me", &e), 1);
	assert_int_equal(rules_set(r, "H", 1, "h.i", &e), 1);
	assert_null(rules_unset(r, &line));
	apply(&made, r);
}

/* Each limit at its edge. */
static void test_limits(void **state)
{
	static char text[LIMIT_SETTINGS + 2];
	struct err e = { 0 };
	size_t len = 0;

	(void)state;
	for (int i = 0; i < LIMIT_RULES; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "a.b/x = d.e/x\n");
	AUTO(rules) most = rules_read("f", text, len, &e);
	assert_non_null(most);
	len += (size_t)snprintf(text + len, sizeof(text) - len, "a.b/x = d.e/x\n");
	assert_null(rules_read("f", text, len, &e));
	assert_non_null(strstr(e.text, "f:4097:1: more than 4096 rules"));

	memset(text, '#', sizeof(text));
	AUTO(rules) comment = rules_read("f", text, LIMIT_SETTINGS, &e);
	assert_non_null(comment);
	assert_null(rules_read("f", text, LIMIT_SETTINGS + 1, &e));

	memset(text, 'x', sizeof(text));
	memcpy(text, "a.b/x = d.e/", 12);
	AUTO(rules) wide = rules_read("f", text, LIMIT_RULE, &e);
	assert_non_null(wide);
	assert_null(rules_read("f", text, LIMIT_RULE + 1, &e));

	/* "a.b/{a}/{b}...": 64 pieces fit, one more does not. */
	for (int more = 0; more < 2; more++) {
		len = (size_t)snprintf(text, sizeof(text), "a.b/");
		for (int i = 1; i < LIMIT_RULE_PIECES + more; i++)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", i % 2 ? "*" : "/");
		len += (size_t)snprintf(text + len, sizeof(text) - len, " = d.e/x");
		AUTO(rules) r = rules_read("f", text, len, &e);
		assert_int_equal(r == NULL, more);
	}
}

/* Patterns that make a backtracking matcher try for ever: 4,096 of them, on the longest name, in a moment. */
static void test_time(void **state)
{
	char line[512], from[LIMIT_REFERENCE];
	AUTO_BUF text = { 0 };
	struct reference ref, out;
	struct timespec begin, end;
	struct err e = { 0 };
	size_t len = (size_t)snprintf(line, sizeof(line), "a.b/");

	(void)state;
	for (int i = 0; i < 31; i++)
		len += (size_t)snprintf(line + len, sizeof(line) - len, "*a");
	(void)snprintf(line + len, sizeof(line) - len, "b = d.e/x\n");
	const int count = getenv("IMGPACK_TEST_FEW") ? LIMIT_RULES / 16 : LIMIT_RULES;
	for (int i = 0; i < count; i++)
		assert_int_equal(buf_puts(&text, line, &e), 0);
	len = (size_t)snprintf(from, sizeof(from), "a.b/");
	memset(from + len, 'a', LIMIT_REPOSITORY - len);
	from[LIMIT_REPOSITORY] = '\0';
	assert_int_equal(reference_parse(&ref, from, &e), 0);
	AUTO(rules) r = rules_read("f", text.data, text.len, &e);
	assert_non_null(r);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	assert_int_equal(rules_apply(r, &ref, &out, NULL, &e), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	/* 4,096 x 62 pieces x 255 bytes: some 65 million steps; backtracking would take 10^30. */
	assert_true(end.tv_sec - begin.tv_sec < 10);
}

/* The sets that the program carries are good, each says in one line what it is, and only one asks for a variable. */
static void test_shipped(void **state)
{
	size_t count = 0, line;
	struct err e = { 0 };

	(void)state;
	for (const struct rules_shipped *s = rules_shipped; s->name; s++, count++) {
		AUTO(rules) r = rules_read(s->name, s->text, strlen(s->text), &e);
		if (!r)
			fail_msg("%s", e.text);
		assert_memory_equal(s->text, "# ", 2);
		assert_true(strcspn(s->text, "\n") < 70);
		assert_int_equal(rules_unset(r, &line) != NULL, !strcmp(s->name, "gcr-mirror"));
	}
	assert_int_equal(count, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_rules_make),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_shipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
