/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a command line is understood as the tables say and not otherwise: every spelling of an option, its order, its
 * edges; and what is not understood is refused with a guess, without repeating what may be a secret.
 */
#include "cmd/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define WORDS_MAX 16

/* Splits `line` at blanks and parses it for the verb. "''" is an empty word. */
static int parse(struct options *o, enum verb_id verb, const char *line, struct err *e)
{
	static char copy[512];
	char *argv[WORDS_MAX];
	int argc = 0;
	char *save = NULL;

	assert_true(strlen(line) < sizeof(copy));
	memcpy(copy, line, strlen(line) + 1);
	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		assert_true(argc < WORDS_MAX);
		argv[argc++] = strcmp(word, "''") == 0 ? word + 2 : word;
	}
	return options_parse(o, verb, argc, argv, e);
}

static void good(struct options *o, enum verb_id verb, const char *line)
{
	struct err e = { 0 };

	if (parse(o, verb, line, &e))
		fail_msg("%s: %s", line, e.text);
	assert_int_equal(e.kind, ERR_NONE);
}

static void bad(enum verb_id verb, const char *line, const char *said)
{
	struct options o;
	struct err e = { 0 };

	assert_int_equal(parse(&o, verb, line, &e), -1);
	options_release(&o);
	assert_int_equal(e.kind, ERR_USAGE);
	if (!strstr(e.text, said))
		fail_msg("%s: \"%s\" is not in: %s", line, said, e.text);
}

static void spellings(void **state)
{
	static const char *const lines[] = {
		"nginx -o x.tar",       "-o x.tar nginx",       "-ox.tar nginx",
		"nginx --output x.tar", "nginx --output=x.tar", "--output=x.tar -- nginx"
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		good(&o, VERB_FETCH, lines[i]);
		assert_string_equal(options_value(&o, OPT_OUTPUT), "x.tar");
		assert_int_equal(o.operands.count, 1);
		assert_string_equal(o.operands.items[0], "nginx");
		assert_null(o.operands.items[1]);
		options_release(&o);
	}
}

static void flags_and_bundles(void **state)
{
	struct options o;

	(void)state;
	good(&o, VERB_FETCH, "-qvoout.tar --json --plan a");
	assert_true(o.given[OPT_QUIET] && o.given[OPT_VERBOSE] && o.given[OPT_JSON] && o.given[OPT_PLAN]);
	assert_string_equal(options_value(&o, OPT_OUTPUT), "out.tar");
	assert_false(o.given[OPT_ALL_PLATFORMS]);
	assert_null(options_value(&o, OPT_CACERT));
	assert_null(options_all(&o, OPT_PLATFORM));
	options_release(&o);
	good(&o, VERB_FETCH, "-q -q --json --json a");
	options_release(&o);
}

static void repeated(void **state)
{
	struct options o;
	const char *const *all;

	(void)state;
	good(&o, VERB_FETCH, "--platform a/b --platform=c/d --platform e/f x");
	all = options_all(&o, OPT_PLATFORM);
	assert_string_equal(all[0], "a/b");
	assert_string_equal(all[1], "c/d");
	assert_string_equal(all[2], "e/f");
	assert_null(all[3]);
	options_release(&o);
	/* fetch has many, load has one. */
	bad(VERB_LOAD, "f --platform a/b --platform c/d", "--platform is given twice");
	bad(VERB_FETCH, "a -o x -o y", "--output is given twice");
	bad(VERB_FETCH, "a -o x --output=x", "--output is given twice");
}

static void many_operands(void **state)
{
	static char name[] = "x";
	static char *argv[1000];
	struct options o;
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < 1000; i++)
		argv[i] = name;
	assert_int_equal(options_parse(&o, VERB_FETCH, 1000, argv, &e), 0);
	assert_int_equal(o.operands.count, 1000);
	assert_null(o.operands.items[1000]);
	options_release(&o);
}

static void ends(void **state)
{
	struct options o;

	(void)state;
	good(&o, VERB_FETCH, "a -- -o --plan --");
	assert_int_equal(o.operands.count, 4);
	assert_string_equal(o.operands.items[1], "-o");
	assert_string_equal(o.operands.items[3], "--");
	assert_false(o.given[OPT_PLAN]);
	options_release(&o);
	/* A single dash is an operand, and a value. */
	good(&o, VERB_FETCH, "- --images -");
	assert_string_equal(o.operands.items[0], "-");
	assert_string_equal(options_value(&o, OPT_IMAGES), "-");
	options_release(&o);
	/* A value may hold anything behind the equals sign. */
	good(&o, VERB_LOAD, "f --name=-a=b=c");
	assert_string_equal(options_value(&o, OPT_NAME), "-a=b=c");
	options_release(&o);
}

static void missing_values(void **state)
{
	(void)state;
	bad(VERB_FETCH, "a -o", "-o needs a value: -o FILE");
	bad(VERB_FETCH, "a --output", "--output needs a value: --output FILE");
	bad(VERB_FETCH, "a --output --plan", "--output needs a value");
	bad(VERB_FETCH, "a -o -q", "-o needs a value");
	bad(VERB_FETCH, "a --output -- b", "--output needs a value");
	bad(VERB_FETCH, "a --output=", "--output: the FILE is empty");
	bad(VERB_FETCH, "a --output ''", "--output: the FILE is empty");
	bad(VERB_FETCH, "a --plan=1", "--plan takes no value");
}

static void unknown_ones(void **state)
{
	(void)state;
	bad(VERB_FETCH, "--platfrom a/b", "did you mean --platform?");
	bad(VERB_FETCH, "--platforms a/b", "did you mean --platform?");
	bad(VERB_FETCH, "--conections 3", "did you mean --connections?");
	bad(VERB_LOAD, "f --repalce", "did you mean --replace?");
	bad(VERB_VERIFY, "f --no-progres", "did you mean --no-progress?");
	bad(VERB_VERIFY, "f --plan", "unknown option --plan");
	bad(VERB_VERIFY, "f -o", "unknown option -o");
	bad(VERB_VERIFY, "f -qz", "unknown option -z");
	bad(VERB_VERIFY, "f -\xc3\xa9", "unknown option -\xc3\xa9");
	bad(VERB_VERIFY, "f --\x1b[2J", "unknown option --\\x1b[2J");
	bad(VERB_VERIFY, "f --=x", "unknown option --");
	bad(VERB_FETCH, "--zstd=3 a", "--zstd: not in this release");
	bad(VERB_LOAD, "--verify-key a", "--verify-key: not in this release");
}

/* No guess for what is far from everything: a wrong one is worse than none. */
static void no_wild_guesses(void **state)
{
	(void)state;
	assert_null(words_nearest_option(VERB_FETCH, "frobnicate", 10));
	assert_null(words_nearest_option(VERB_FETCH, "x", 1));
	assert_null(words_nearest_option(VERB_FETCH, "", 0));
	assert_null(words_nearest_verb("xyzzy"));
	assert_null(words_nearest_verb(""));
	assert_null(words_nearest_verb("a-very-long-word-that-nobody-would-ever-type-by-mistake"));
	assert_string_equal(words_nearest_verb("fecth"), "fetch");
	assert_string_equal(words_nearest_verb("inspec"), "inspect");
	assert_string_equal(words_nearest_verb("veryfy"), "verify");
	assert_string_equal(words_nearest_verb("laod"), "load");
}

/* What stands behind an option that does not exist may be a password. */
static void secrets_are_not_repeated(void **state)
{
	static const char *const lines[] = { "a --password=hunter2",
					     "a --password hunter2",
					     "a -p hunter2",
					     "a -phunter2",
					     "a --passwd=hunter2",
					     "a --token=hunter2",
					     "a --password-stdin=hunter2" };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct options o;
		struct err e = { 0 };
		assert_int_equal(parse(&o, VERB_FETCH, lines[i], &e), -1);
		options_release(&o);
		assert_null(strstr(e.text, "hunter2"));
	}
	bad(VERB_LOGIN, "--password x", "use --password-stdin");
	bad(VERB_LOGIN, "-p x", "use --password-stdin");
}

static void operands_are_counted(void **state)
{
	struct options o;

	(void)state;
	bad(VERB_LOAD, "", "load: which FILE|DIR...?");
	bad(VERB_LOGOUT, "a b", "'b' is one argument too many");
	bad(VERB_VERSION, "a", "'a' is one argument too many");
	good(&o, VERB_LOGIN, "");
	options_release(&o);
	/* Who asks for help need not get the rest right. */
	good(&o, VERB_LOAD, "--help");
	assert_true(o.given[OPT_HELP]);
	options_release(&o);
	good(&o, VERB_LOAD, "a b c -h");
	options_release(&o);
}

/* The tables themselves: no name or letter twice in a verb, words of later releases are not offered. */
static void tables_are_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < VERB_COUNT; i++) {
		assert_non_null(words_verbs[i].name);
		assert_int_equal(words_verb(words_verbs[i].name), i);
		assert_null(words_later_verb(words_verbs[i].name));
		assert_non_null(words_option((enum verb_id)i, "help", 4));
	}
	for (size_t i = 0; i < words_option_count; i++) {
		const struct option *o = &words_options[i];
		assert_true(o->verbs != 0);
		assert_null(words_later_option(o->name, strlen(o->name)));
		assert_int_equal(o->value == NULL, o->kind == VALUE_NONE);
		for (size_t v = 0; v < VERB_COUNT; v++) {
			if (!option_has_verb(o, (enum verb_id)v))
				continue;
			assert_ptr_equal(words_option((enum verb_id)v, o->name, strlen(o->name)), o);
			if (o->letter)
				assert_ptr_equal(words_letter((enum verb_id)v, o->letter), o);
		}
	}
	assert_int_equal(words_verb("nothing"), VERB_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spellings),
		cmocka_unit_test(flags_and_bundles),
		cmocka_unit_test(repeated),
		cmocka_unit_test(many_operands),
		cmocka_unit_test(ends),
		cmocka_unit_test(missing_values),
		cmocka_unit_test(unknown_ones),
		cmocka_unit_test(no_wild_guesses),
		cmocka_unit_test(secrets_are_not_repeated),
		cmocka_unit_test(operands_are_counted),
		cmocka_unit_test(tables_are_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
