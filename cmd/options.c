/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/options.h"

#include "base/buf.h"
#include "base/text.h"
#include "oci/settings.h"

#include <stdlib.h>
#include <string.h>

#define SHOWN 128 /* of a word that is not understood */

static int values_add(struct values *v, const char *value, struct err *e)
{
	/* One more than is used, for the NULL behind. */
	if (GROW(v->items, v->capacity, v->count + 1, e))
		return -1;
	v->items[v->count++] = value;
	v->items[v->count] = NULL;
	return 0;
}

static int unknown_option(enum verb_id verb, const char *name, size_t len, struct err *e)
{
	char shown[SHOWN];
	const char *answer = words_later_option(name, len);
	const char *nearest = words_nearest_option(verb, name, len);

	/* What stands behind "=" is not repeated: it may be a secret. */
	text_escape(shown, sizeof(shown), name, len);
	if (answer)
		return err_set(e, ERR_USAGE, "--%s: %s", shown, answer);
	err_set(e, ERR_USAGE, "unknown option --%s", shown);
	if (nearest)
		err_hint(e, "did you mean --%s?", nearest);
	return -1;
}

static int unknown_letter(const char *letter, struct err *e)
{
	char shown[SHOWN];
	size_t len = 1;

	if (*letter == 'p')
		return err_set(e, ERR_USAGE, "-p: %s", words_later_option("password", strlen("password")));
	if (*letter == 'u')
		return err_set(e, ERR_USAGE, "unknown option -u; did you mean --username?");
	while (((unsigned char)letter[len] & 0xc0) == 0x80)
		len++;
	text_escape(shown, sizeof(shown), letter, len);
	return err_set(e, ERR_USAGE, "unknown option -%s", shown);
}

int options_add(struct options *out, const struct option *o, const char *value, struct err *e)
{
	bool again = out->given[o->id];

	out->given[o->id] = true;
	if (!value)
		return 0;
	if (again && !o->repeatable)
		return err_set(e, ERR_USAGE, "--%s is given twice", o->name);
	if (!*value && o->id != OPT_CONFIG)
		return err_set(e, ERR_USAGE, "--%s: the %s is empty", o->name, o->value);
	return values_add(&out->values[o->id], value, e);
}

/* The word behind argv[*at] as a value. Another option there is a forgotten value, not a file called "--plan". */
static const char *next_word(int argc, char *const *argv, int *at)
{
	if (*at + 1 >= argc)
		return NULL;
	const char *word = argv[*at + 1];
	if (word[0] == '-' && word[1])
		return NULL;
	(*at)++;
	return word;
}

/* "--name" or "--name=value" at argv[*at]; *at moves over a value of its own. */
static int long_option(struct options *out, int argc, char *const *argv, int *at, struct err *e)
{
	const char *name = argv[*at] + 2;
	size_t len = strcspn(name, "=");
	const char *value = name[len] ? name + len + 1 : NULL;
	const struct option *o = words_option(out->verb, name, len);

	if (!o)
		return unknown_option(out->verb, name, len, e);
	if (!o->value && value)
		return err_set(e, ERR_USAGE, "--%s takes no value", o->name);
	if (o->value && !value)
		value = next_word(argc, argv, at);
	if (o->value && !value)
		return err_set(e, ERR_USAGE, "--%s needs a value: --%s %s", o->name, o->name, o->value);
	return options_add(out, o, value, e);
}

/* "-o FILE", "-oFILE", "-qv" at argv[*at]. */
static int short_options(struct options *out, int argc, char *const *argv, int *at, struct err *e)
{
	for (const char *letter = argv[*at] + 1; *letter; letter++) {
		const struct option *o = words_letter(out->verb, *letter);
		if (!o)
			return unknown_letter(letter, e);
		if (!o->value) {
			if (options_add(out, o, NULL, e))
				return -1;
			continue;
		}
		const char *value = letter[1] ? letter + 1 : next_word(argc, argv, at);
		if (!value)
			return err_set(e, ERR_USAGE, "-%c needs a value: -%c %s", o->letter, o->letter, o->value);
		return options_add(out, o, value, e);
	}
	return 0;
}

static int count_operands(const struct options *o, struct err *e)
{
	const struct verb *verb = &words_verbs[o->verb];
	char shown[SHOWN];

	if (o->operands.count < verb->least)
		return err_set(e, ERR_USAGE, "%s: which %s?", verb->name, verb->operands);
	if (o->operands.count <= verb->most)
		return 0;
	text_escape_str(shown, sizeof(shown), o->operands.items[verb->most]);
	return err_set(e, ERR_USAGE, "%s: '%s' is one argument too many", verb->name, shown);
}

int options_parse(struct options *out, enum verb_id verb, int argc, char *const *argv, struct err *e)
{
	bool options = true;

	*out = (struct options){ .verb = verb };
	for (int i = 0; i < argc; i++) {
		const char *word = argv[i];
		int rc;
		if (options && strcmp(word, "--") == 0) {
			options = false;
			continue;
		}
		if (!options || word[0] != '-' || !word[1])
			rc = values_add(&out->operands, word, e);
		else if (word[1] == '-')
			rc = long_option(out, argc, argv, &i, e);
		else
			rc = short_options(out, argc, argv, &i, e);
		if (rc)
			return -1;
	}
	return out->given[OPT_HELP] ? 0 : count_operands(out, e);
}

void options_release(struct options *o)
{
	for (size_t i = 0; i < OPT_COUNT; i++)
		free(o->values[i].items);
	free(o->operands.items);
	setting_free(o->config);
	free(o->config_path);
	*o = (struct options){ 0 };
}

const char *options_value(const struct options *o, enum option_id id)
{
	const struct values *v = &o->values[id];

	return v->count ? v->items[v->count - 1] : NULL;
}

const char *const *options_all(const struct options *o, enum option_id id)
{
	return o->values[id].items;
}
