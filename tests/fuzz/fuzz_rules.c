/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no bytes make the readers of rules and settings crash, leak or take long; what is refused says file, line and
 * column; and what a rule makes is a reference that its own text gives back. The first line is the reference that the
 * rules behind it are tried on.
 */
#include "base/buf.h"
#include "oci/rules.h"
#include "oci/settings.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_refusal(const struct err *e)
{
	if (e->kind != ERR_USAGE || strncmp(e->text, "f:", 2) != 0)
		abort();
}

static void apply(const struct rules *r, const struct reference *from)
{
	struct reference out, again;
	struct rule_found found;
	struct err e = { 0 };
	char text[REFERENCE_TEXT_SIZE], same[REFERENCE_TEXT_SIZE];
	int rc = rules_apply(r, from, &out, &found, &e);

	if (rc < 0) {
		check_refusal(&e);
		return;
	}
	if (rc && !found.file)
		abort();
	if (reference_parse(&again, reference_text(&out, text), &e) || strcmp(text, reference_text(&again, same)) != 0)
		abort();
	if (from->has_digest && !digest_equal(&from->digest, &out.digest))
		abort();
}

static void read_both(const char *text, size_t len, const struct reference *from)
{
	struct err e = { 0 }, yaml = { 0 };
	AUTO(rules) r = rules_read("f", text, len, &e);
	AUTO(rules) y = rules_read_yaml("f", text, len, &yaml);

	if (r)
		apply(r, from);
	else
		check_refusal(&e);
	if (y)
		apply(y, from);
	else
		check_refusal(&yaml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	const size_t first = newline ? (size_t)(newline - data) : size;
	AUTO_BUF line = { 0 };
	struct reference from;

	if (buf_add(&line, data, first, NULL))
		return 0;
	if (reference_parse(&from, line.data, NULL) && reference_parse(&from, "quay.io/a/b.c/d:v1", NULL))
		abort();
	const size_t rest = newline ? first + 1 : first;
	read_both((const char *)data + rest, size - rest, &from);
	return 0;
}
