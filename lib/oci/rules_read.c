/* SPDX-License-Identifier: Apache-2.0 */
/* One rule: its pattern and its result, cut into pieces. */
#include "oci/rules_inside.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SHOWN 100

/* A side while it is read. */
struct reading {
	const struct rule_place *place;
	const char *text; /* the whole side; `at` counts from here */
	size_t len;
	size_t at;
	size_t end; /* of what belongs to this part of it */
	struct rule *rule;
	struct rule_side *side;
	bool pattern;
};

int rule_refuse(const struct rule_place *place, size_t at, struct err *e, const char *fmt, ...)
{
	char why[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_USAGE, "%s:%zu:%zu: %s", place->rules->file, place->line, place->column + at, why);
}

static bool is_lower(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool is_upper(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool rules_variable_valid(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_upper(name[i]))
			return false;
	return len && name[0] >= 'A' && name[0] <= 'Z';
}

static bool capture_valid(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_lower(name[i]))
			return false;
	return len > 0;
}

static bool is_capture(const struct rule_piece *p)
{
	return p->kind == PIECE_PART || p->kind == PIECE_PARTS || p->kind == PIECE_ANY;
}

static int add_piece(struct reading *r, const struct rule_piece *p, struct err *e)
{
	const struct rule_piece *last = r->side->count ? &r->side->pieces[r->side->count - 1] : NULL;

	if (r->pattern && last && is_capture(last) && is_capture(p))
		return rule_refuse(r->place, r->at, e,
				   "two captures touch, so nobody knows where one ends; put text between them");
	if (r->side->count == LIMIT_RULE_PIECES)
		return rule_refuse(r->place, r->at, e, "more than %d captures and texts in a rule", LIMIT_RULE_PIECES);
	if (GROW(r->side->pieces, r->side->capacity, r->side->count, e))
		return -1;
	r->side->pieces[r->side->count++] = *p;
	return 0;
}

/* The named capture among the pieces of a pattern's side; its count if it is not there, or has no name. */
static size_t find_capture(const struct rule_side *side, const char *name, size_t len)
{
	size_t i = 0;

	while (i < side->count && !(len && is_capture(&side->pieces[i]) && side->pieces[i].len == len &&
				    memcmp(side->pieces[i].text, name, len) == 0))
		i++;
	return i;
}

/* Whole parts of a path stand between slashes, or end it. */
static int check_whole(const struct reading *r, size_t from, size_t to, struct err *e)
{
	if (!memchr(r->text, '/', from))
		return rule_refuse(r->place, from, e, "** stands for parts of the path, not for the registry");
	if (r->text[from - 1] == '/' && (to == r->end || r->text[to] == '/'))
		return 0;
	return rule_refuse(r->place, from, e, "** stands for whole parts of the path, between slashes or at the end");
}

static int add_variable(struct reading *r, const char *name, size_t len, struct err *e)
{
	struct rules *rules = r->place->rules;
	const ptrdiff_t variable = rule_variable(rules, name, len, e);

	if (variable < 0)
		return -1;
	if (!rules->variables[variable].used_line)
		rules->variables[variable].used_line = r->place->line;
	return add_piece(
		r,
		&(struct rule_piece){ .kind = PIECE_VARIABLE, .text = name, .len = len, .variable = (size_t)variable },
		e);
}

/* "{name}" or "{name**}" of a pattern; `name` of `len` bytes is what stands inside. */
static int add_capture(struct reading *r, const char *name, size_t len, struct err *e)
{
	const bool parts = len > 2 && memcmp(name + len - 2, "**", 2) == 0;
	const size_t short_len = parts ? len - 2 : len;
	const struct rule_piece p = { .kind = parts ? PIECE_PARTS : PIECE_PART, .text = name, .len = short_len };
	char shown[SHOWN];

	text_escape(shown, sizeof(shown), name, len);
	if (!capture_valid(name, short_len))
		return rule_refuse(r->place, r->at + 1, e,
				   "{%s}: write {name} or {name**} in lower-case letters, or {NAME} for a variable",
				   shown);
	if (find_capture(&r->rule->name, name, short_len) < r->rule->name.count ||
	    find_capture(&r->rule->tag, name, short_len) < r->rule->tag.count)
		return rule_refuse(r->place, r->at + 1, e, "{%s} is captured twice; give one another name", shown);
	if (parts && check_whole(r, r->at, r->at + len + 2, e))
		return -1;
	return add_piece(r, &p, e);
}

/* "{name}" or "{name|C=TEXT}" of a result. */
static int add_use(struct reading *r, const char *name, size_t len, struct err *e)
{
	const char *bar = memchr(name, '|', len);
	const size_t name_len = bar ? (size_t)(bar - name) : len;
	struct rule_piece p = { .kind = PIECE_PART, .text = name, .len = name_len };
	const struct rule *rule = r->rule;
	char shown[SHOWN];

	if (bar && (len < name_len + 3 || bar[2] != '='))
		return rule_refuse(r->place, r->at + 1 + name_len, e,
				   "write {name|C=TEXT}: every character C of it becomes TEXT");
	if (bar) {
		p.from = bar[1];
		p.to = bar + 3;
		p.to_len = len - name_len - 3;
	}
	p.source = find_capture(&rule->name, name, name_len);
	if (p.source == rule->name.count)
		p.source = LIMIT_RULE_PIECES + find_capture(&rule->tag, name, name_len);
	if (p.source == LIMIT_RULE_PIECES + rule->tag.count)
		return rule_refuse(r->place, r->at + 1, e, "the pattern captures no {%s}",
				   text_escape(shown, sizeof(shown), name, name_len));
	return add_piece(r, &p, e);
}

static int read_braces(struct reading *r, struct err *e)
{
	const char *name = r->text + r->at + 1;
	const char *close = memchr(name, '}', r->end - r->at - 1);

	if (!close)
		return rule_refuse(r->place, r->at, e, "a { without its }");
	const size_t len = (size_t)(close - name);
	int rc = rules_variable_valid(name, len) ? add_variable(r, name, len, e)
		 : r->pattern                    ? add_capture(r, name, len, e)
						 : add_use(r, name, len, e);
	r->at += len + 2;
	return rc;
}

static int read_stars(struct reading *r, struct err *e)
{
	const size_t stars = strspn(r->text + r->at, "*");
	struct rule_piece p = { .kind = PIECE_ANY };

	if (!r->pattern)
		return rule_refuse(r->place, r->at, e,
				   "a * on the right side; capture with {name} what you want to use");
	if (stars > 2)
		return rule_refuse(r->place, r->at, e, "write * or **");
	if (stars == 2) {
		if (check_whole(r, r->at, r->at + 2, e))
			return -1;
		p.kind = r->at + 2 == r->end ? PIECE_PARTS : PIECE_FOLDERS;
	}
	int rc = add_piece(r, &p, e);
	/* The slash behind belongs to it: there may be no part at all. */
	r->at += stars + (p.kind == PIECE_FOLDERS ? 1 : 0);
	return rc;
}

static int read_text(struct reading *r, struct err *e)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:/[]@";
	size_t len = 0;
	char shown[SHOWN];

	while (r->at + len < r->end && r->text[r->at + len] != '{' && r->text[r->at + len] != '*') {
		const char c = r->text[r->at + len];
		if (!c || !strchr(allowed, c))
			return rule_refuse(r->place, r->at + len, e, "'%s' is in no image's name",
					   text_escape(shown, sizeof(shown), &c, 1));
		if (r->pattern && c == '@')
			return rule_refuse(r->place, r->at + len, e,
					   "a pattern names no digest; it fits with and without one");
		len++;
	}
	int rc = add_piece(r, &(struct rule_piece){ .kind = PIECE_TEXT, .text = r->text + r->at, .len = len }, e);
	r->at += len;
	return rc;
}

/* r->text from r->at to r->end into r->side. */
static int read_pieces(struct reading *r, struct err *e)
{
	while (r->at < r->end) {
		const char c = r->text[r->at];
		if (c == '{' ? read_braces(r, e) : c == '*' ? read_stars(r, e) : read_text(r, e))
			return -1;
	}
	return 0;
}

/* A name begins with its registry: what is short for docker would be guessed at otherwise. */
static int check_registry(const struct rule_place *place, const char *text, size_t len, struct err *e)
{
	const char *slash = memchr(text, '/', len);
	const size_t host = slash ? (size_t)(slash - text) : 0;
	char shown[SHOWN];

	if (!host || (!memchr(text, '.', host) && !memchr(text, ':', host) && text[0] != '{' && text[0] != '*' &&
		      !(host == strlen("localhost") && memcmp(text, "localhost", host) == 0)))
		return rule_refuse(place, 0, e, "'%s' does not begin with a registry; Docker Hub's is docker.io/",
				   text_escape(shown, sizeof(shown), text, len));
	return 0;
}

/* Patterns that no name can fit. */
static int check_reachable(const struct rule_place *place, const char *text, struct err *e)
{
	const char *slash = strchr(text, '/');

	if (text_starts(text, "index.docker.io/"))
		return rule_refuse(place, 0, e, "write docker.io: that is what names begin with");
	if (text_starts(text, "docker.io/") && !strchr(slash + 1, '/') && !strstr(slash, "**"))
		return rule_refuse(place, 0, e,
				   "fits nothing: Docker Hub's names have two parts or more, write docker.io/library%s",
				   slash);
	return 0;
}

static int read_pattern(struct rule *rule, const struct rule_place *place, struct err *e)
{
	const size_t len = strlen(rule->pattern);
	const char *slash = strrchr(rule->pattern, '/');
	const char *colon = slash ? strchr(slash, ':') : NULL;
	struct reading r = { .place = place,
			     .text = rule->pattern,
			     .len = len,
			     .end = colon ? (size_t)(colon - rule->pattern) : len,
			     .rule = rule,
			     .side = &rule->name,
			     .pattern = true };

	if (check_registry(place, rule->pattern, len, e) || check_reachable(place, rule->pattern, e) ||
	    read_pieces(&r, e))
		return -1;
	rule->has_tag = colon != NULL;
	if (!colon)
		return 0;
	r.side = &rule->tag;
	r.at = r.end + 1;
	r.end = len;
	return r.at == len ? rule_refuse(place, len, e, "behind the ':' belongs a pattern for the tag")
			   : read_pieces(&r, e);
}

static int read_result(struct rule *rule, const struct rule_place *place, struct err *e)
{
	const size_t len = strlen(rule->result);
	struct reading r = {
		.place = place, .text = rule->result, .len = len, .end = len, .rule = rule, .side = &rule->out
	};

	rule->keep = !strcmp(rule->result, "keep");
	if (rule->keep)
		return 0;
	return check_registry(place, rule->result, len, e) || read_pieces(&r, e) ? -1 : 0;
}

int rule_add(const struct rule_place *pattern_place, const char *pattern, size_t pattern_len,
	     const struct rule_place *result_place, const char *result, size_t result_len, struct err *e)
{
	struct rules *r = pattern_place->rules;

	if (!pattern_len || memchr(pattern, '\0', pattern_len))
		return rule_refuse(pattern_place, 0, e, "no pattern; write PATTERN = RESULT");
	if (!result_len || memchr(result, '\0', result_len))
		return rule_refuse(result_place, 0, e,
				   "no result; write what the name becomes, or keep to leave it as it is");
	if (pattern_len > LIMIT_RULE || result_len > LIMIT_RULE)
		return rule_refuse(pattern_place, 0, e, "longer than %d bytes", LIMIT_RULE);
	if (r->count == LIMIT_RULES)
		return rule_refuse(pattern_place, 0, e, "more than %d rules", LIMIT_RULES);
	if (GROW(r->rules, r->capacity, r->count, e))
		return -1;
	struct rule *rule = &r->rules[r->count++];
	*rule = (struct rule){ .line = pattern_place->line };
	rule->pattern = strndup(pattern, pattern_len);
	rule->result = strndup(result, result_len);
	if (!rule->pattern || !rule->result)
		return err_memory(e);
	return read_pattern(rule, pattern_place, e) || read_result(rule, result_place, e) ? -1 : 0;
}
