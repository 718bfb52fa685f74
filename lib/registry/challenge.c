/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/challenge.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/own.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

void challenge_release(struct challenge *c)
{
	free(c->realm);
	free(c->service);
	free(c->scope);
	*c = (struct challenge){ 0 };
}

static int copy_text(char **out, const char *from, struct err *e)
{
	if (!from)
		return 0;
	*out = strdup(from);
	return *out ? 0 : err_memory(e);
}

int challenge_copy(struct challenge *out, const struct challenge *from, struct err *e)
{
	AUTO_CHALLENGE c = { .scheme = from->scheme };

	memcpy(c.other, from->other, sizeof(c.other));
	if (copy_text(&c.realm, from->realm, e) || copy_text(&c.service, from->service, e) ||
	    copy_text(&c.scope, from->scope, e))
		return -1;
	*out = c;
	c = (struct challenge){ 0 };
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

bool challenge_same(const struct challenge *a, const struct challenge *b)
{
	return a->scheme == b->scheme && same_text(a->realm, b->realm) && same_text(a->service, b->service);
}

/* The header under the reader's finger. */
struct reader {
	const char *at;
	const char *end;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t';
}

/* tchar of RFC 9110, and '/', so that a token68 is one word too. */
static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("!#$%&'*+-.^_`|~/", c));
}

static void skip_space(struct reader *r)
{
	while (r->at < r->end && is_space(*r->at))
		r->at++;
}

static size_t read_word(struct reader *r, const char **word)
{
	*word = r->at;
	while (r->at < r->end && is_word(*r->at))
		r->at++;
	return (size_t)(r->at - *word);
}

/* A value with control bytes in it, or an overlong one, is read past and thrown away. */
static bool value_usable(const struct buf *value)
{
	if (value->len > LIMIT_CHALLENGE_VALUE)
		return false;
	for (size_t i = 0; i < value->len; i++)
		if ((unsigned char)value->data[i] < 0x20 || value->data[i] == 0x7f)
			return false;
	return true;
}

/* 1: read into *value, 0: it does not end, -1: memory. The opening quote is read already. */
static int read_quoted(struct reader *r, struct buf *value, struct err *e)
{
	while (r->at < r->end) {
		char c = *r->at++;
		if (c == '"')
			return 1;
		if (c == '\\' && r->at < r->end)
			c = *r->at++;
		if (buf_add(value, &c, 1, e))
			return -1;
	}
	return 0;
}

/* Without quotes only tokens are legal; addresses are met nevertheless, so everything to the comma or space counts. */
static int read_bare(struct reader *r, struct buf *value, struct err *e)
{
	const char *start = r->at;

	while (r->at < r->end && *r->at != ',' && *r->at != '"' && !is_space(*r->at))
		r->at++;
	return buf_add(value, start, (size_t)(r->at - start), e) ? -1 : 1;
}

/* One challenge while its parameters are being read. */
struct offer {
	struct challenge c;
	bool known;     /* Bearer or Basic */
	bool may_token; /* the scheme's name was the last thing read: a token68 may follow */
};

static void begin_offer(struct offer *o, const char *name, size_t len, struct challenge *best)
{
	challenge_release(&o->c);
	o->may_token = true;
	o->known = true;
	if (len == 6 && !strncasecmp(name, "Bearer", 6))
		o->c.scheme = CHALLENGE_BEARER;
	else if (len == 5 && !strncasecmp(name, "Basic", 5))
		o->c.scheme = CHALLENGE_BASIC;
	else
		o->known = false;
	if (!o->known && !best->other[0])
		text_escape(best->other, sizeof(best->other), name, len);
}

/* Takes the finished offer if it is better than what we have. */
static void end_offer(struct offer *o, struct challenge *best)
{
	if (o->c.scheme == CHALLENGE_BEARER && !o->c.realm)
		o->c.scheme = CHALLENGE_NONE;
	if (o->c.scheme > best->scheme) {
		memcpy(o->c.other, best->other, sizeof(o->c.other));
		challenge_release(best);
		*best = o->c;
		o->c = (struct challenge){ 0 };
	}
	challenge_release(&o->c);
}

/* The first of several parameters of one name counts. */
static void keep_param(struct offer *o, const char *name, size_t len, struct buf *value)
{
	static const char *const names[] = { "realm", "service", "scope" };
	char **const slots[] = { &o->c.realm, &o->c.service, &o->c.scope };

	if (o->c.scheme != CHALLENGE_BEARER || !value->len || !value_usable(value))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (len == strlen(names[i]) && !strncasecmp(name, names[i], len) && !*slots[i])
			*slots[i] = buf_take(value);
}

/* Behind `name`, on its '='. A token68 ends in '='; anything else is a parameter of the open challenge. */
static int read_param(struct reader *r, struct offer *o, const char *name, size_t len, struct err *e)
{
	AUTO_BUF value = { 0 };
	int rc;

	r->at++;
	skip_space(r);
	if (r->at < r->end && *r->at == '=') {
		while (r->at < r->end && *r->at == '=')
			r->at++;
		return 0;
	}
	if (r->at < r->end && *r->at == '"') {
		r->at++;
		rc = read_quoted(r, &value, e);
	} else {
		rc = read_bare(r, &value, e);
	}
	if (rc < 0)
		return -1;
	if (rc)
		keep_param(o, name, len, &value);
	return 0;
}

/* One word and what hangs on it: a parameter, a token68, or the next scheme's name. */
static int read_item(struct reader *r, struct offer *o, struct challenge *best, bool after_comma, struct err *e)
{
	const char *word;
	size_t len = read_word(r, &word);

	skip_space(r);
	if (r->at < r->end && *r->at == '=') {
		o->may_token = false;
		return read_param(r, o, word, len, e);
	}
	if (o->may_token && !after_comma) {
		o->may_token = false;
		return 0;
	}
	end_offer(o, best);
	begin_offer(o, word, len, best);
	return 0;
}

/* Steps over what cannot start an item. A stray quoted string is stepped over as one, for it may hold anything. */
static int skip_nonsense(struct reader *r, struct err *e)
{
	AUTO_BUF forgotten = { 0 };

	if (*r->at++ == '"' && read_quoted(r, &forgotten, e) < 0)
		return -1;
	return 0;
}

int challenge_add(struct challenge *best, const char *header, size_t len, struct err *e)
{
	struct reader r = { header, header + len };
	struct offer o = { 0 };
	bool after_comma = true;
	int rc = 0;

	while (!rc && r.at < r.end) {
		if (is_space(*r.at)) {
			skip_space(&r);
		} else if (*r.at == ',') {
			r.at++;
			after_comma = true;
		} else if (is_word(*r.at)) {
			rc = read_item(&r, &o, best, after_comma, e);
			after_comma = false;
		} else {
			rc = skip_nonsense(&r, e);
		}
	}
	if (!rc)
		end_offer(&o, best);
	challenge_release(&o.c);
	return rc;
}
