/* SPDX-License-Identifier: Apache-2.0 */
/* Goal: no file crashes the reader; a refusal names a line of the file, and what is accepted can be walked. */
#include "base/limits.h"
#include "oci/toml.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* All values below and with v. */
static size_t walk(const struct jval *v, size_t depth)
{
	const struct jval *child = NULL;
	size_t n = 1;

	/* as many levels of arrays and tables, each with a key of as many parts, and a header in front */
	assert(depth <= (LIMIT_TOML_DEPTH + 2) * (LIMIT_TOML_DEPTH + 2));
	assert(!jval_is_null(v));
	for (size_t i = 0; i < jval_count(v); i++) {
		child = jval_at(v, i);
		if (jval_is_object(v)) {
			const char *key = jval_key_at(v, i, &child);
			assert(jval_get(v, key) == child);
		}
		n += walk(child, depth + 1);
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	size_t lines = 1;
	size_t line = 0;
	struct err e = { 0 };
	AUTO(jdoc) d = toml_parse(bytes, size, &e);

	for (size_t i = 0; i < size; i++)
		lines += bytes[i] == '\n';
	if (d) {
		assert(jval_is_object(jdoc_root(d)));
		assert(walk(jdoc_root(d), 0) <= LIMIT_JSON_VALUES);
		return 0;
	}
	assert(e.kind == ERR_USAGE);
	assert(sscanf(e.text, "line %zu: ", &line) == 1 && line >= 1 && line <= lines);
	for (const char *p = e.text; *p; p++)
		assert((unsigned char)*p >= 0x20 && *p != 0x7F);
	return 0;
}
