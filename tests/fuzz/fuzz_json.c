/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: no document crashes the reader; what it accepts can be walked, written again and is then read as the same. */
#include "base/limits.h"
#include "oci/json.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Writes what jout can write; false for numbers it has no call for. */
static bool write_again(struct jout *j, const struct jval *v)
{
	const struct jval *child = NULL;

	if (jval_is_object(v) || jval_is_array(v)) {
		if (j->depth == JOUT_DEPTH)
			return false;
		if (jval_is_object(v))
			jout_object(j);
		else
			jout_array(j);
		for (size_t i = 0; i < jval_count(v); i++) {
			if (jval_is_object(v)) {
				jout_key(j, jval_key_at(v, i, &child));
				assert(jval_get(v, jval_key_at(v, i, NULL)) == child);
			} else {
				child = jval_at(v, i);
			}
			if (!write_again(j, child))
				return false;
		}
		jout_end(j);
		return true;
	}
	if (jval_is_string(v)) {
		jout_text(j, jval_text(v));
		return true;
	}
	jout_null(j);
	return jval_is_null(v);
}

static void same(const struct jval *a, const struct jval *b)
{
	const struct jval *x = NULL, *y = NULL;

	assert(jval_is_object(a) == jval_is_object(b) && jval_is_array(a) == jval_is_array(b));
	assert(jval_is_null(a) == jval_is_null(b) && jval_count(a) == jval_count(b));
	if (jval_text(a))
		assert(strcmp(jval_text(a), jval_text(b)) == 0);
	for (size_t i = 0; i < jval_count(a); i++) {
		if (jval_is_array(a))
			same(jval_at(a, i), jval_at(b, i));
		else
			assert(strcmp(jval_key_at(a, i, &x), jval_key_at(b, i, &y)) == 0);
		if (jval_is_object(a))
			same(x, y);
	}
}

static void typed(const struct jval *v)
{
	const char *text;
	uint64_t n;
	struct digest d;

	for (size_t i = 0; i < jval_count(v) && i < 100 && jval_is_object(v); i++) {
		const char *key = jval_key_at(v, i, NULL);

		if (jval_get_u64(v, key, true, &n, NULL) == 0)
			assert(n <= INT64_MAX);
		(void)jval_get_text(v, key, false, &text, NULL);
		(void)jval_get_digest(v, key, false, &d, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	size_t used = size + 1;
	struct err e = { 0 };
	AUTO(jdoc) d = jdoc_parse(bytes, size, &e);
	AUTO(jdoc) first = jdoc_parse_first(bytes, size, &used, NULL);

	assert(d || e.kind == ERR_CORRUPT);
	for (const char *p = e.text; *p; p++)
		assert((unsigned char)*p >= 0x20 && *p != 0x7F);
	if (first) {
		/* exactly these bytes are a document */
		assert(used <= size);
		AUTO(jdoc) cut = jdoc_parse(bytes, used, NULL);
		assert(cut);
		same(jdoc_root(first), jdoc_root(cut));
	}
	if (!d)
		return 0;
	assert(first);
	typed(jdoc_root(d));
	AUTO_BUF out = { 0 };
	struct jout j = jout_begin(&out);
	if (!write_again(&j, jdoc_root(d)))
		return 0;
	assert(jout_finish(&j, NULL) == 0);
	AUTO(jdoc) again = jdoc_parse(out.data, out.len, &e);
	/* without the spaces there may be more values in a byte than LIMIT_JSON_DENSITY grants */
	assert(again || size > LIMIT_JSON_VALUES);
	if (again)
		same(jdoc_root(d), jdoc_root(again));
	return 0;
}
