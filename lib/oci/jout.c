/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "oci/json.h"
#include "oci/jval.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct jout jout_begin(struct buf *out)
{
	return (struct jout){ .out = out };
}

static void put(struct jout *j, const char *bytes, size_t len)
{
	if (!j->failed && buf_add(j->out, bytes, len, NULL))
		j->failed = true;
}

/* In front of a key, or of a value that has none. */
static void separate(struct jout *j)
{
	if (j->comma)
		put(j, ",", 1);
	j->comma = true;
}

static void scalar(struct jout *j, const char *bytes, size_t len)
{
	separate(j);
	put(j, bytes, len);
}

static void open_container(struct jout *j, const char *opening, char closing)
{
	assert(j->depth < JOUT_DEPTH);
	scalar(j, opening, 1);
	j->closing[j->depth++] = closing;
	j->comma = false;
}

void jout_object(struct jout *j)
{
	open_container(j, "{", '}');
}

void jout_array(struct jout *j)
{
	open_container(j, "[", ']');
}

void jout_end(struct jout *j)
{
	assert(j->depth > 0);
	j->depth--;
	put(j, &j->closing[j->depth], 1);
	j->comma = true;
}

/* The short form where RFC 8259 has one, else \u00NN. */
static void put_control(struct jout *j, unsigned char c)
{
	static const char named[] = "\bb\tt\nn\ff\rr\"\"\\\\";
	static const char hex[] = "0123456789abcdef";
	char code[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

	for (size_t i = 0; i + 1 < sizeof(named); i += 2) {
		if (named[i] != (char)c)
			continue;
		code[1] = named[i + 1];
		put(j, code, 2);
		return;
	}
	put(j, code, sizeof(code));
}

static void put_string(struct jout *j, const char *text)
{
	size_t len = strlen(text);
	size_t plain = 0; /* start of the run that can be copied as it is */

	put(j, "\"", 1);
	for (size_t i = 0; i < len;) {
		unsigned char c = (unsigned char)text[i];
		uint32_t code = 0;
		size_t n = text_utf8(text + i, len - i, &code);

		if (n && c >= 0x20 && c != '"' && c != '\\') {
			i += n;
			continue;
		}
		put(j, text + plain, i - plain);
		if (n)
			put_control(j, c);
		else
			put(j, "\xEF\xBF\xBD", 3);
		plain = ++i;
	}
	put(j, text + plain, len - plain);
	put(j, "\"", 1);
}

void jout_key(struct jout *j, const char *key)
{
	assert(j->depth > 0 && j->closing[j->depth - 1] == '}');
	separate(j);
	put_string(j, key);
	put(j, ":", 1);
	j->comma = false;
}

void jout_text(struct jout *j, const char *text)
{
	if (!text) {
		jout_null(j);
		return;
	}
	separate(j);
	put_string(j, text);
}

void jout_u64(struct jout *j, uint64_t n)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	scalar(j, digits + at, sizeof(digits) - at);
}

void jout_bool(struct jout *j, bool b)
{
	scalar(j, b ? "true" : "false", b ? 4 : 5);
}

void jout_null(struct jout *j)
{
	scalar(j, "null", 4);
}

void jout_digest(struct jout *j, const struct digest *d)
{
	char text[DIGEST_TEXT_SIZE];

	jout_text(j, digest_text(d, text));
}

static void put_integer(struct jout *j, int64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%" PRId64, n);

	scalar(j, digits, (size_t)len);
}

static int put_children(struct jout *j, const struct jval *v)
{
	for (uint32_t i = 0; i < v->count; i++) {
		if (v->kind == JVAL_OBJECT)
			jout_key(j, v->children[i].key);
		if (jout_value(j, &v->children[i]))
			return -1;
	}
	jout_end(j);
	return 0;
}

int jout_value(struct jout *j, const struct jval *v)
{
	switch (v ? v->kind : JVAL_NULL) {
	case JVAL_NULL:
		jout_null(j);
		return 0;
	case JVAL_BOOL:
		jout_bool(j, v->integer != 0);
		return 0;
	case JVAL_INTEGER:
		put_integer(j, v->integer);
		return 0;
	case JVAL_STRING:
		jout_text(j, v->text);
		return 0;
	case JVAL_ARRAY:
		jout_array(j);
		return put_children(j, v);
	case JVAL_OBJECT:
		jout_object(j);
		return put_children(j, v);
	case JVAL_REAL:
		break;
	}
	return -1;
}

int jout_finish(struct jout *j, struct err *e)
{
	assert(j->depth == 0);
	return j->failed ? err_memory(e) : 0;
}
