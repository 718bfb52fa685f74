/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/rules.h"

#include "base/buf.h"
#include "base/text.h"
#include "oci/rules_inside.h"

#include <stdlib.h>
#include <string.h>

#define BOM "\xef\xbb\xbf"
#define SHOWN 100

/* Variables. */

static ptrdiff_t find_variable(const struct rules *r, const char *name, size_t len)
{
	for (size_t i = 0; i < r->variable_count; i++)
		if (strlen(r->variables[i].name) == len && memcmp(r->variables[i].name, name, len) == 0)
			return (ptrdiff_t)i;
	return -1;
}

ptrdiff_t rule_variable(struct rules *r, const char *name, size_t len, struct err *e)
{
	ptrdiff_t found = find_variable(r, name, len);

	if (found >= 0)
		return found;
	if (r->variable_count == LIMIT_RULE_VARIABLES)
		return err_set(e, ERR_USAGE, "%s: more than %d variables", r->file, LIMIT_RULE_VARIABLES);
	if (GROW(r->variables, r->variable_capacity, r->variable_count, e))
		return -1;
	char *copy = strndup(name, len);
	if (!copy)
		return err_memory(e);
	r->variables[r->variable_count] = (struct rule_variable){ .name = copy };
	return (ptrdiff_t)r->variable_count++;
}

/* A value of a reference's characters; what they make together is seen when a rule is used. */
static bool value_valid(const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		const char c = value[i];
		const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!letter && (!c || !strchr("._-:/[]", c)))
			return false;
	}
	return len && len <= LIMIT_REFERENCE;
}

static int give(struct rule_variable *v, const char *value, size_t len, struct err *e)
{
	char *copy = strndup(value, len);

	if (!copy)
		return err_memory(e);
	free(v->value);
	v->value = copy;
	return 0;
}

int rule_define(const struct rule_place *place, const char *name, size_t name_len, const struct rule_place *value_place,
		const char *value, size_t value_len, struct err *e)
{
	struct rules *r = place->rules;
	const ptrdiff_t i = rule_variable(r, name, name_len, e);
	char shown[SHOWN];

	if (i < 0)
		return -1;
	if (r->variables[i].value)
		return rule_refuse(place, 0, e, "%s has a value already", r->variables[i].name);
	if (!value_valid(value, value_len))
		return rule_refuse(value_place, 0, e,
				   "'%s' is not a value: letters, digits, . _ - : and / as in a name",
				   text_escape(shown, sizeof(shown), value, value_len));
	return give(&r->variables[i], value, value_len, e);
}

int rules_set(struct rules *r, const char *name, size_t len, const char *value, struct err *e)
{
	const ptrdiff_t i = find_variable(r, name, len);
	char shown[SHOWN];

	if (!value_valid(value, strlen(value)))
		return err_set(e, ERR_USAGE, "%.*s: '%s' is not a value: letters, digits, . _ - : and / as in a name",
			       (int)len, name, text_escape_str(shown, sizeof(shown), value));
	if (i < 0)
		return 0;
	return give(&r->variables[i], value, strlen(value), e) ? -1 : r->variables[i].used_line != 0;
}

const char *rules_unset(const struct rules *r, size_t *line)
{
	for (size_t i = 0; i < r->variable_count; i++) {
		if (r->variables[i].value || !r->variables[i].used_line)
			continue;
		*line = r->variables[i].used_line;
		return r->variables[i].name;
	}
	return NULL;
}

/* The file. */

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Without blanks at both ends; *at moves with the beginning. */
static size_t trim(const char *text, size_t *at, size_t end)
{
	while (*at < end && blank(text[*at]))
		(*at)++;
	while (end > *at && blank(text[end - 1]))
		end--;
	return end;
}

static size_t without_comment(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (line[i] == '#' && (i == 0 || blank(line[i - 1])))
			return i;
	return len;
}

static int read_line(struct rules *r, const char *line, size_t len, size_t number, struct err *e)
{
	size_t left = 0, right;
	const size_t end = trim(line, &left, without_comment(line, len));
	const char *equals = memchr(line + left, '=', end - left);
	struct rule_place place = { r, number, left + 1 };

	if (left == end)
		return 0;
	if (end - left > LIMIT_RULE)
		return rule_refuse(&place, 0, e, "a line longer than %d bytes", LIMIT_RULE);
	if (!equals)
		return rule_refuse(&place, 0, e, "no '='; write PATTERN = RESULT, or NAME = VALUE for a variable");
	right = (size_t)(equals - line) + 1;
	const size_t left_end = trim(line, &left, right - 1);
	const size_t right_end = trim(line, &right, end);
	const struct rule_place behind = { r, number, right + 1 };
	if (rules_variable_valid(line + left, left_end - left))
		return rule_define(&place, line + left, left_end - left, &behind, line + right, right_end - right, e);
	return rule_add(&place, line + left, left_end - left, &behind, line + right, right_end - right, e);
}

static struct rules *rules_new(const char *name, size_t len, struct err *e)
{
	AUTO(rules) r = calloc(1, sizeof(*r));
	char shown[SHOWN];

	if (!r || !(r->file = strdup(text_escape_str(shown, sizeof(shown), name)))) {
		err_memory(e);
		return NULL;
	}
	if (len > LIMIT_SETTINGS) {
		err_set(e, ERR_USAGE, "%s: larger than %u bytes: this is no file of rules", r->file, LIMIT_SETTINGS);
		return NULL;
	}
	return TAKE(r);
}

struct rules *rules_read(const char *name, const char *bytes, size_t len, struct err *e)
{
	AUTO(rules) r = rules_new(name, len, e);
	const char *end = bytes + len;

	if (!r)
		return NULL;
	if (len >= strlen(BOM) && memcmp(bytes, BOM, strlen(BOM)) == 0)
		bytes += strlen(BOM);
	for (size_t number = 1; bytes < end; number++) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *line_end = newline ? newline : end;
		if (read_line(r, bytes, (size_t)(line_end - bytes), number, e))
			return NULL;
		bytes = newline ? newline + 1 : end;
	}
	return TAKE(r);
}

const char *rules_file(const struct rules *r)
{
	return r->file;
}

void rules_free(struct rules *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++) {
		free(r->rules[i].pattern);
		free(r->rules[i].result);
		free(r->rules[i].name.pieces);
		free(r->rules[i].tag.pieces);
		free(r->rules[i].out.pieces);
	}
	for (size_t i = 0; i < r->variable_count; i++) {
		free(r->variables[i].name);
		free(r->variables[i].value);
	}
	free(r->rules);
	free(r->variables);
	free(r->file);
	free(r);
}
