/* SPDX-License-Identifier: Apache-2.0 */
/* A file of rules as YAML. */
#include "oci/rules_inside.h"
#include "oci/settings.h"

#include "base/text.h"

#include <string.h>

#define SHOWN 100

static struct rule_place place_of(struct rules *r, const struct setting *s)
{
	return (struct rule_place){ r, s->line, s->column + (s->quoted ? 1 : 0) };
}

static int refuse(struct rules *r, const struct setting *s, struct err *e, const char *why)
{
	const struct rule_place place = { r, s->line, s->column };

	return rule_refuse(&place, 0, e, "%s", why);
}

static int read_variables(struct rules *r, const struct setting *s, struct err *e)
{
	if (s->kind != SETTING_MAP)
		return refuse(r, s, e, "variables: write NAME: VALUE, one a line");
	for (size_t i = 0; i < s->count; i += 2) {
		const struct setting *name = &s->items[i], *value = &s->items[i + 1];
		const struct rule_place place = place_of(r, name), behind = place_of(r, value);
		if (!rules_variable_valid(name->text, strlen(name->text)))
			return refuse(r, name, e, "a variable's name is of upper-case letters, digits and _");
		if (value->kind != SETTING_TEXT)
			return refuse(r, value, e, "a variable's value is a text");
		if (rule_define(&place, name->text, strlen(name->text), &behind, value->text, strlen(value->text), e))
			return -1;
	}
	return 0;
}

static int read_rule(struct rules *r, const struct setting *s, struct err *e)
{
	const struct setting *from = NULL, *to = NULL;

	for (size_t i = 0; s->kind == SETTING_MAP && i < s->count; i += 2) {
		const struct setting *key = &s->items[i], *value = &s->items[i + 1];
		const bool is_from = !strcmp(key->text, "from");
		if (!is_from && strcmp(key->text, "to") != 0)
			return refuse(r, key, e, "a rule has the keys from and to");
		if (value->kind != SETTING_TEXT)
			return refuse(r, value, e,
				      "from and to are texts; put one with { in front or : in it in quotes");
		*(is_from ? &from : &to) = value;
	}
	if (!from || !to)
		return refuse(r, s, e, "a rule has the keys from and to");
	const struct rule_place place = place_of(r, from), behind = place_of(r, to);
	return rule_add(&place, from->text, strlen(from->text), &behind, to->text, strlen(to->text), e);
}

static int read_list(struct rules *r, const struct setting *s, struct err *e)
{
	if (s->kind != SETTING_LIST)
		return refuse(r, s, e, "rules: write a list, - from: PATTERN and to: RESULT");
	for (size_t i = 0; i < s->count; i++)
		if (read_rule(r, &s->items[i], e))
			return -1;
	return 0;
}

static int read_root(struct rules *r, const struct setting *root, struct err *e)
{
	if (root->kind == SETTING_EMPTY)
		return 0;
	if (root->kind != SETTING_MAP)
		return refuse(r, root, e, "a file of rules has the keys variables and rules");
	for (size_t i = 0; i < root->count; i += 2) {
		const struct setting *key = &root->items[i], *value = &root->items[i + 1];
		int rc = !strcmp(key->text, "variables") ? read_variables(r, value, e)
			 : !strcmp(key->text, "rules")   ? read_list(r, value, e)
							 : refuse(r, key, e, "the keys here are variables and rules");
		if (rc)
			return -1;
	}
	return 0;
}

struct rules *rules_read_yaml(const char *name, const char *bytes, size_t len, struct err *e)
{
	AUTO(rules) r = rules_read(name, "", 0, e);
	AUTO(setting) root = r ? settings_parse(bytes, len, e) : NULL;

	if (!r)
		return NULL;
	if (!root) {
		/* "FILE:LINE:COLUMN: ", as everywhere. */
		const struct err why = e ? *e : (struct err){ 0 };
		err_set(e, why.kind, why.kind == ERR_USAGE ? "%s:%s" : "%s: %s", r->file, why.text);
		return NULL;
	}
	return read_root(r, root, e) ? NULL : TAKE(r);
}
