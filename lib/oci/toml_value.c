/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/toml_read.h"

#include "base/text.h"

#include <stdint.h>
#include <string.h>

static json_t *refuse_value(struct toml *t, const char *what)
{
	char shown[80];

	(void)toml_refuse(t, "%s: %s", toml_shown(t, shown, sizeof(shown)), what);
	return NULL;
}

/* The digits of a number into *out: underscores stand between digits only. False: it is no such number, or too large.
 */
static bool digits(const char *text, size_t len, unsigned base, uint64_t most, uint64_t *out)
{
	uint64_t n = 0;
	bool digit_before = false;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		unsigned d = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
			     : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
			     : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
						    : 99;
		if (c == '_' && digit_before && i + 1 < len) {
			digit_before = false;
			continue;
		}
		if (d >= base || n > (most - d) / base)
			return false;
		n = n * base + d;
		digit_before = true;
	}
	*out = n;
	return digit_before;
}

static json_t *number(struct toml *t, const char *word, size_t len)
{
	static const char bases[] = "xob";
	static const unsigned base_of[] = { 16, 8, 2 };
	bool sign = word[0] == '+' || word[0] == '-';
	bool minus = word[0] == '-';
	uint64_t n;
	bool good;

	if (!sign && len > 2 && word[0] == '0' && strchr(bases, word[1]))
		good = digits(word + 2, len - 2, base_of[strchr(bases, word[1]) - bases], INT64_MAX, &n);
	else if (len - sign > 1 && word[sign] == '0')
		good = false; /* "007" could be meant in octal */
	else
		good = digits(word + sign, len - sign, 10, (uint64_t)INT64_MAX + minus, &n);
	if (!good)
		return refuse_value(
			t, "is no whole number that is read here (numbers with a fraction, dates and times are not)");
	t->at += len;
	return toml_counted(t, json_integer(minus ? (json_int_t)(0 - n) : (json_int_t)n));
}

/* true, false, a number: what has no quotes and no brackets. */
static json_t *word(struct toml *t)
{
	const char *start = t->at;
	size_t len = 0;

	while (start + len < t->end && !strchr(" \t\r\n,]}#", start[len]))
		len++;
	if (len == 4 && memcmp(start, "true", 4) == 0) {
		t->at += len;
		return toml_counted(t, json_true());
	}
	if (len == 5 && memcmp(start, "false", 5) == 0) {
		t->at += len;
		return toml_counted(t, json_false());
	}
	if (len && strchr("+-0123456789", start[0]))
		return number(t, start, len);
	return refuse_value(t, "is no value; a text stands in \"quotes\"");
}

static json_t *text(struct toml *t)
{
	AUTO_BUF out = { 0 };

	if (toml_string(t, true, &out))
		return NULL;
	return toml_counted(t, json_stringn(out.data, out.len));
}

static int elements(struct toml *t, json_t *array)
{
	size_t begun = t->line;

	for (;;) {
		toml_blank(t);
		if (toml_take(t, "]"))
			return 0;
		if (t->at == t->end) {
			t->line = begun;
			return toml_refuse(t, "the array that begins here does not end with ]");
		}
		json_t *value = toml_value(t);
		if (!value)
			return -1;
		if (json_array_append_new(array, value))
			return err_memory(t->e);
		toml_blank(t);
		if (!toml_take(t, ",") && toml_peek(t) != ']' && t->at != t->end)
			return toml_refuse(t, "a comma or ] is expected in the array");
	}
}

static int members(struct toml *t, json_t *table)
{
	toml_spaces(t);
	if (toml_take(t, "}"))
		return 0;
	for (;;) {
		toml_spaces(t);
		if (toml_pair(t, table))
			return -1;
		toml_spaces(t);
		if (toml_take(t, "}"))
			return 0;
		if (!toml_take(t, ","))
			return toml_refuse(t, "a comma or } is expected in the table, on the same line");
	}
}

static json_t *container(struct toml *t, bool array)
{
	if (t->depth == LIMIT_TOML_DEPTH) {
		(void)toml_refuse(t, "arrays and tables stand inside each other more than %d times", LIMIT_TOML_DEPTH);
		return NULL;
	}
	json_t *value = toml_made(t, array ? json_array() : json_object(), TOML_CLOSED);
	if (!value)
		return NULL;
	t->depth++;
	int failed = array ? elements(t, value) : members(t, value);
	t->depth--;
	if (failed) {
		json_decref(value);
		return NULL;
	}
	return value;
}

json_t *toml_value(struct toml *t)
{
	switch (toml_peek(t)) {
	case '"':
	case '\'':
		return text(t);
	case '[':
		t->at++;
		return container(t, true);
	case '{':
		t->at++;
		return container(t, false);
	default:
		return word(t);
	}
}
