/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/interpolate.h"

#include "base/limits.h"

#include <stdio.h>
#include <string.h>

/* Defaults inside defaults. */
#define DEPTH 8

static size_t name_length(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";

	return strchr(letters, s[0]) && s[0] ? 1 + strspn(s + 1, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
								 "0123456789")
					     : 0;
}

/* Up to the brace that closes: inner ones are skipped. NULL: there is none. */
static const char *find_end(const char *s, const char *end)
{
	size_t depth = 1;

	for (; s < end; s++) {
		if (s[0] == '$' && s + 1 < end && s[1] == '{') {
			depth++;
			s++;
		} else if (s[0] == '}' && --depth == 0) {
			return s;
		}
	}
	return NULL;
}

static int expand(struct interpolate *p, const char *s, const char *end, unsigned depth, struct buf *out,
		  struct err *e);

static int give_up(struct interpolate *p, const char *name)
{
	(void)snprintf(p->missing, sizeof(p->missing), "%s", name);
	return 0;
}

/* What stands behind the name inside braces: an operator and its word. */
static int expand_operator(struct interpolate *p, const char *name, const char *s, const char *end, unsigned depth,
			   struct buf *out, struct err *e)
{
	const char *value = p->variable ? p->variable(p->ctx, name) : NULL;
	const bool colon = s < end && *s == ':';
	const bool set = value && (!colon || *value);

	if (colon)
		s++;
	const char op = s < end ? *s : '\0';
	switch (op) {
	case '-':
		return set ? buf_puts(out, value, e) ? -1 : 1 : expand(p, s + 1, end, depth + 1, out, e);
	case '+':
		return set ? expand(p, s + 1, end, depth + 1, out, e) : 1;
	case '?':
		return set ? buf_puts(out, value, e) ? -1 : 1 : give_up(p, name);
	case '\0':
		if (!colon)
			return set ? buf_puts(out, value, e) ? -1 : 1 : give_up(p, name);
		break;
	default:
		break;
	}
	return give_up(p, "");
}

/* *s stands behind a dollar sign; it is moved behind the variable. */
static int expand_variable(struct interpolate *p, const char **s, const char *end, unsigned depth, struct buf *out,
			   struct err *e)
{
	const bool brace = *s < end && **s == '{';
	const char *from = *s + (brace ? 1 : 0);
	const char *stop = brace ? find_end(from, end) : end;
	const size_t len = stop && from < stop ? name_length(from) : 0;
	char name[INTERPOLATE_NAME];

	if (!stop || !len || len >= sizeof(name) || from + len > stop)
		return give_up(p, "");
	memcpy(name, from, len);
	name[len] = '\0';
	*s = brace ? stop + 1 : from + len;
	return expand_operator(p, name, from + len, brace ? stop : from + len, depth, out, e);
}

static int expand(struct interpolate *p, const char *s, const char *end, unsigned depth, struct buf *out, struct err *e)
{
	if (depth > DEPTH)
		return give_up(p, "");
	while (s < end) {
		const char *dollar = memchr(s, '$', (size_t)(end - s));
		if (buf_add(out, s, (size_t)((dollar ? dollar : end) - s), e))
			return -1;
		/* A variable may be longer than any reference; what grows from that is bounded here. */
		if (out->len > 4 * LIMIT_REFERENCE)
			return give_up(p, "");
		if (!dollar)
			break;
		s = dollar + 1;
		if (p->dollars && s < end && *s == '$') {
			if (buf_puts(out, "$", e))
				return -1;
			s++;
			continue;
		}
		const int rc = expand_variable(p, &s, end, depth, out, e);
		if (rc != 1)
			return rc;
	}
	return 1;
}

int interpolate(struct interpolate *p, const char *text, struct buf *out, struct err *e)
{
	return expand(p, text, text + strlen(text), 0, out, e);
}
