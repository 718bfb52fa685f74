/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_JSONEDIT_H
#define REGISTRY_JSONEDIT_H

/*
 * Changing one member in JSON that belongs to somebody else. Reading it into values and writing it anew would change
 * its numbers, its spaces and its order, so the text is cut at the member and the rest is copied byte for byte. The
 * text must have been accepted by jdoc_parse() before: here nothing is checked again.
 */

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* Bytes from..to-1. */
struct span {
	size_t from;
	size_t to;
};

struct member {
	struct span key; /* with its quotes */
	struct span value;
};

/* The i-th member of the object that starts at byte `at` of text ('{', after space). False: it has fewer. */
bool jsonedit_member(const char *text, size_t len, size_t at, size_t i, struct member *out);

/* text with `value` in place of span, appended to *out. */
int jsonedit_replace(const char *text, size_t len, struct span old, const char *value, struct buf *out, struct err *e);

/*
 * text with one member more at the end of the object that starts at `at`, on a line of its own that is indented by
 * `depth` tabs, as docker writes. `new_key` is plain text.
 */
int jsonedit_append(const char *text, size_t len, size_t at, unsigned depth, const char *new_key, const char *value,
		    struct buf *out, struct err *e);

/* text without the i-th member of the object that starts at `at`, and without the comma that went with it. */
int jsonedit_remove(const char *text, size_t len, size_t at, size_t i, struct buf *out, struct err *e);

#endif
