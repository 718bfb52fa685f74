/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/jsonedit.h"

#include "oci/json.h"
#include "registry/secret.h"

#include <string.h>

static size_t skip_space(const char *text, size_t len, size_t at)
{
	while (at < len && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r'))
		at++;
	return at;
}

/* Behind the string that starts at `at`. */
static size_t skip_string(const char *text, size_t len, size_t at)
{
	for (at++; at < len && text[at] != '"'; at++)
		if (text[at] == '\\')
			at++;
	return at < len ? at + 1 : len;
}

/* Behind the value that starts at `at`: brackets are counted outside strings, everything else ends at a delimiter. */
static size_t skip_value(const char *text, size_t len, size_t at)
{
	size_t depth = 0;

	if (at < len && text[at] == '"')
		return skip_string(text, len, at);
	while (at < len) {
		char c = text[at];
		if (c == '"') {
			at = skip_string(text, len, at);
			continue;
		}
		if (depth == 0 && strchr(",]} \t\r\n", c))
			return at;
		if (c == '{' || c == '[')
			depth++;
		else if ((c == '}' || c == ']') && --depth == 0)
			return at + 1;
		at++;
	}
	return len;
}

/* On the first key of the object that starts at `at`, or on its closing brace. */
static size_t first_member(const char *text, size_t len, size_t at)
{
	at = skip_space(text, len, at);
	return at < len && text[at] == '{' ? skip_space(text, len, at + 1) : len;
}

/* Reads the member whose key starts at *at and moves *at to the next one. False at the end of the object. */
static bool next_member(const char *text, size_t len, size_t *at, struct member *out)
{
	if (*at >= len || text[*at] != '"')
		return false;
	out->key = (struct span){ *at, skip_string(text, len, *at) };
	size_t colon = skip_space(text, len, out->key.to);
	out->value.from = skip_space(text, len, colon + 1);
	out->value.to = skip_value(text, len, out->value.from);
	*at = skip_space(text, len, out->value.to);
	if (*at < len && text[*at] == ',')
		*at = skip_space(text, len, *at + 1);
	return true;
}

bool jsonedit_member(const char *text, size_t len, size_t at, size_t i, struct member *out)
{
	struct member m;

	at = first_member(text, len, at);
	while (next_member(text, len, &at, &m)) {
		if (i-- == 0) {
			*out = m;
			return true;
		}
	}
	return false;
}

int jsonedit_replace(const char *text, size_t len, struct span old, const char *value, struct buf *out, struct err *e)
{
	if (secret_add(out, text, old.from, e) || secret_puts(out, value, e))
		return -1;
	return secret_add(out, text + old.to, len - old.to, e);
}

static int add_indent(struct buf *out, unsigned depth, struct err *e)
{
	if (secret_puts(out, "\n", e))
		return -1;
	while (depth--)
		if (secret_puts(out, "\t", e))
			return -1;
	return 0;
}

static int add_key(struct buf *out, const char *key, struct err *e)
{
	AUTO_BUF quoted = { 0 };
	struct jout j = jout_begin(&quoted);

	jout_text(&j, key);
	if (jout_finish(&j, e))
		return -1;
	return secret_add(out, quoted.data, quoted.len, e) || secret_puts(out, ": ", e) ? -1 : 0;
}

int jsonedit_append(const char *text, size_t len, size_t at, unsigned depth, const char *new_key, const char *value,
		    struct buf *out, struct err *e)
{
	struct member last;
	bool any = false;
	size_t key_at = first_member(text, len, at);

	while (next_member(text, len, &key_at, &last))
		any = true;
	/* Behind the last member, or behind the brace of an object that has none. */
	size_t cut = any ? last.value.to : skip_space(text, len, at) + 1;
	if (secret_add(out, text, cut, e) || (any && secret_puts(out, ",", e)) || add_indent(out, depth, e) ||
	    add_key(out, new_key, e) || secret_puts(out, value, e))
		return -1;
	size_t rest = skip_space(text, len, cut);
	/* The closing brace keeps its own space if it had a line of its own. */
	if (memchr(text + cut, '\n', rest - cut))
		rest = cut;
	else if (add_indent(out, depth - 1, e))
		return -1;
	return secret_add(out, text + rest, len - rest, e);
}

int jsonedit_remove(const char *text, size_t len, size_t at, size_t i, struct buf *out, struct err *e)
{
	struct member gone;
	struct member other;
	struct span cut;

	if (!jsonedit_member(text, len, at, i, &gone))
		return err_set(e, ERR_LOCAL, "a member that was there is not there any more");
	cut = (struct span){ gone.key.from, gone.value.to };
	if (i > 0 && jsonedit_member(text, len, at, i - 1, &other)) {
		cut.from = other.value.to; /* the comma in front goes too */
	} else if (jsonedit_member(text, len, at, 1, &other)) {
		cut.to = other.key.from; /* the first of several: the comma behind it */
	} else {
		/* The only one: the object is empty then, "{}". */
		cut.from = skip_space(text, len, at) + 1;
		cut.to = skip_space(text, len, gone.value.to);
	}
	if (secret_add(out, text, cut.from, e))
		return -1;
	return secret_add(out, text + cut.to, len - cut.to, e);
}
