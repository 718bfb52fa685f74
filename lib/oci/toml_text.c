/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/toml_read.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int toml_refuse(struct toml *t, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(t->e, ERR_USAGE, "line %zu: %s", t->line, text);
}

char toml_peek(const struct toml *t)
{
	return t->at < t->end ? *t->at : '\0';
}

bool toml_take(struct toml *t, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(t->end - t->at) < len || memcmp(t->at, word, len) != 0)
		return false;
	t->at += len;
	return true;
}

void toml_spaces(struct toml *t)
{
	while (toml_peek(t) == ' ' || toml_peek(t) == '\t')
		t->at++;
}

void toml_blank(struct toml *t)
{
	for (;;) {
		toml_spaces(t);
		if (toml_peek(t) == '#')
			while (t->at < t->end && *t->at != '\n')
				t->at++;
		if (toml_peek(t) == '\r') /* a '\n' is behind each */
			t->at++;
		if (toml_peek(t) != '\n')
			return;
		t->at++;
		t->line++;
	}
}

const char *toml_shown(const struct toml *t, char *out, size_t cap)
{
	size_t len = 0;

	while (t->at + len < t->end && !strchr(" \t\r\n,]}#", t->at[len]))
		len++;
	if (!len)
		return t->at == t->end || strchr("\r\n#", *t->at) ? "the end of the line"
								  : text_escape(out, cap, t->at, 1);
	return text_escape(out, cap, t->at, len);
}

static int add_code(struct toml *t, struct buf *out, uint32_t code)
{
	char bytes[4];
	size_t len = 0;

	if (code < 0x80) {
		bytes[len++] = (char)code;
	} else if (code < 0x800) {
		bytes[len++] = (char)(0xC0 | code >> 6);
	} else if (code < 0x10000) {
		bytes[len++] = (char)(0xE0 | code >> 12);
		bytes[len++] = (char)(0x80 | (code >> 6 & 0x3F));
	} else {
		bytes[len++] = (char)(0xF0 | code >> 18);
		bytes[len++] = (char)(0x80 | (code >> 12 & 0x3F));
		bytes[len++] = (char)(0x80 | (code >> 6 & 0x3F));
	}
	if (code >= 0x80)
		bytes[len++] = (char)(0x80 | (code & 0x3F));
	return buf_add(out, bytes, len, t->e);
}

/* The hex digits behind \u and \U. */
static int unicode(struct toml *t, size_t digits, struct buf *out)
{
	uint32_t code = 0;

	for (size_t i = 0; i < digits; i++, t->at++) {
		char c = toml_peek(t);
		uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
				 : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
				 : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
							: 16;
		if (digit == 16)
			return toml_refuse(t, "\\u and \\U in a string have %zu hex digits", digits);
		code = code << 4 | digit;
	}
	if (!code || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return toml_refuse(t, "a string has the character U+%04X, which is none", (unsigned)code);
	return add_code(t, out, code);
}

/* A backslash was taken. At the end of a line it joins the lines. */
static int escape(struct toml *t, bool lines, struct buf *out)
{
	static const char names[] = "btnfr\"\\";
	static const char meant[] = "\b\t\n\f\r\"\\";
	char c = toml_peek(t);
	const char *found = c ? strchr(names, c) : NULL;

	if (found) {
		t->at++;
		return buf_add(out, meant + (found - names), 1, t->e);
	}
	if (toml_take(t, "u"))
		return unicode(t, 4, out);
	if (toml_take(t, "U"))
		return unicode(t, 8, out);
	const char *rest = t->at;
	while (lines && rest < t->end && (*rest == ' ' || *rest == '\t' || *rest == '\r'))
		rest++;
	if (!lines || rest == t->end || *rest != '\n')
		return toml_refuse(t, "a string has a backslash that means nothing; 'single quotes' keep it");
	for (; rest < t->end && strchr(" \t\r\n", *rest); rest++)
		t->line += *rest == '\n';
	t->at = rest;
	return 0;
}

/* Between `quote`s; three of them: over several lines. */
static int body(struct toml *t, const char *quote, struct buf *out)
{
	bool literal = quote[0] == '\'';
	bool lines = quote[1] != '\0';
	size_t begun = t->line;

	if (lines && (toml_take(t, "\r\n") || toml_take(t, "\n")))
		t->line++;
	while (!toml_take(t, quote)) {
		if (t->at == t->end || (!lines && (*t->at == '\n' || *t->at == '\r'))) {
			t->line = begun;
			return toml_refuse(t, "the string that begins here does not end with %s", quote);
		}
		if (!literal && toml_take(t, "\\")) {
			if (escape(t, lines, out))
				return -1;
			continue;
		}
		t->line += *t->at == '\n';
		if (buf_add(out, t->at++, 1, t->e))
			return -1;
	}
	/* Up to two quotes may stand right in front of the closing three. */
	for (int i = 0; lines && i < 2 && toml_peek(t) == quote[0]; i++)
		if (buf_add(out, t->at++, 1, t->e))
			return -1;
	return 0;
}

int toml_string(struct toml *t, bool lines, struct buf *out)
{
	static const char *const quotes[] = { "\"\"\"", "'''", "\"", "'" };

	if (buf_reserve(out, 1, t->e))
		return -1;
	out->data[0] = '\0';
	/* Two quotes alone are an empty string, three begin a long one. */
	for (size_t i = 0; i < 4; i++) {
		if (!toml_take(t, quotes[i]))
			continue;
		if (quotes[i][1] && !lines)
			return toml_refuse(t, "a key is not written over several lines");
		return body(t, quotes[i], out);
	}
	return toml_refuse(t, "a string is expected");
}
