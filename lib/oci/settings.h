/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_SETTINGS_H
#define OCI_SETTINGS_H

/*
 * A YAML file that a person wrote for this program (configuration, rules), as a tree in which every value knows its
 * line and column. Scalars are texts: what looks like a number or a date stays as it is written.
 *
 * One document. Refused, with "line:column: " in front (ERR_USAGE): what libyaml refuses, aliases (&a, *a) and tags
 * (!x), a second document, a key twice in a mapping, a key that is no scalar, bytes that are not UTF-8 and NUL in a
 * text, more than LIMIT_SETTINGS bytes, LIMIT_SETTINGS_VALUES values or LIMIT_SETTINGS_DEPTH levels.
 */

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>

enum setting_kind { SETTING_EMPTY, SETTING_TEXT, SETTING_LIST, SETTING_MAP };

struct setting {
	enum setting_kind kind;
	size_t line, column; /* from 1 */
	char *text;          /* of a text; of an empty one "" */
	bool quoted;         /* the text was in quotes: its first byte stands behind the column */
	/* Elements of a list; of a mapping, key and value by turns. */
	struct setting *items;
	size_t count, capacity;
};

/* The root; SETTING_EMPTY for a file with nothing but comments. Owned. */
struct setting *settings_parse(const char *bytes, size_t len, struct err *e);
void setting_free(struct setting *s);
OWNED(setting)

#endif
