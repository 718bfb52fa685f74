/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/redact.h"

#include "registry/secret.h"

#include <string.h>

#define LEAST 4 /* a shorter text says nothing, and stands in many words by chance */

static void hide_text(struct buf *text, const char *secret, size_t len)
{
	char *at = text->data;

	if (len < LEAST)
		return;
	while ((at = memmem(at, text->len - (size_t)(at - text->data), secret, len)))
		memset(at, '*', len);
}

static void hide_forms(struct buf *text, const char *secret)
{
	AUTO_SECRET escaped = { 0 };

	hide_text(text, secret, strlen(secret));
	if (!secret_escape(&escaped, secret, NULL) && escaped.len)
		hide_text(text, escaped.data, escaped.len);
}

static void hide_secret(struct buf *text, const char *secret)
{
	AUTO_SECRET plain = { 0 };

	hide_forms(text, secret);
	if (secret_unbase64(&plain, secret, strlen(secret), NULL) <= 0)
		return;
	const char *colon = memchr(plain.data, ':', plain.len);
	if (colon)
		hide_forms(text, colon + 1);
}

/* From `at` to the first of the bytes, or to the end. */
static size_t span(const struct buf *text, size_t at, const char *until)
{
	size_t n = 0;

	while (at + n < text->len && !strchr(until, text->data[at + n]))
		n++;
	return n;
}

/* "name=VALUE" behind '?', '&' or ';' : names stay, they say what kind of URL it was. */
static void hide_queries(struct buf *text)
{
	for (size_t at = 0; at < text->len;) {
		if (!strchr("?&;", text->data[at])) {
			at++;
			continue;
		}
		at++;
		size_t name = span(text, at, "=?&;#\"'<> \t\r\n");
		if (at + name >= text->len || text->data[at + name] != '=')
			continue;
		at += name + 1;
		size_t value = span(text, at, "&;#\"'<> \t\r\n");
		memset(text->data + at, '*', value);
		at += value;
	}
}

/* "://user:password@" */
static void hide_userinfo(struct buf *text)
{
	char *at = text->data;

	while ((at = memmem(at, text->len - (size_t)(at - text->data), "://", 3))) {
		at += 3;
		size_t from = (size_t)(at - text->data);
		size_t len = span(text, from, "/?#\"'<> \t\r\n");
		char *end = memrchr(at, '@', len);
		if (end)
			memset(at, '*', (size_t)(end - at));
	}
}

void redact(struct buf *text, const char *secret)
{
	if (!text->len)
		return;
	if (secret)
		hide_secret(text, secret);
	hide_userinfo(text);
	hide_queries(text);
}
