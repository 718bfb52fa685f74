/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_TOML_READ_H
#define OCI_TOML_READ_H

/* Between toml.c (statements, tables, keys), toml_value.c (values) and toml_text.c (strings and characters). */

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* How a table or an array came to be decides what may still be added to it. */
enum toml_how {
	TOML_CLOSED,   /* an inline table, or an array that was written as a value */
	TOML_IMPLIED,  /* [a.b] made a */
	TOML_HEADED,   /* it has its own header, or is an element of an array of tables */
	TOML_DOTTED,   /* a.b = 1 made a */
	TOML_ELEMENTS, /* an array of tables */
};

struct toml_made {
	const json_t *what;
	enum toml_how how;
};

struct toml {
	const char *at;
	const char *end;
	size_t line;
	unsigned depth; /* of the value that is being read */
	json_t *root;
	json_t *table; /* borrowed: where "key = value" goes */
	struct toml_made *made;
	size_t made_count;
	size_t made_capacity;
	size_t values; /* all, containers included */
	struct err *e;
};

/* The parts of a key: "a", "b", "c" of a . "b" . c, each NUL-terminated. */
struct toml_key {
	char *part[LIMIT_TOML_DEPTH];
	size_t count;
};
void toml_key_release(struct toml_key *key);

/* ERR_USAGE with the line in front. -1. */
int toml_refuse(struct toml *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The byte at the front, 0 at the end (no NUL is in the text). */
char toml_peek(const struct toml *t);
/* True, and past it, if `word` is at the front. */
bool toml_take(struct toml *t, const char *word);
void toml_spaces(struct toml *t); /* spaces and tabs */
/* Spaces, comments and line breaks. */
void toml_blank(struct toml *t);
/* The bytes at the front up to a space or a sign, for a message; `cap` bytes of room. */
const char *toml_shown(const struct toml *t, char *out, size_t cap);

/* A quoted string at the front, its text in *out (NUL-terminated even if empty); of several lines only if `lines`. */
int toml_string(struct toml *t, bool lines, struct buf *out);

/* One value. NULL on error. */
json_t *toml_value(struct toml *t);
int toml_key(struct toml *t, struct toml_key *out);
/* "key = value" into this table. */
int toml_pair(struct toml *t, json_t *table);

/* Counts a new value and remembers how it was made (containers only). NULL passes through as out of memory. */
json_t *toml_made(struct toml *t, json_t *what /* taken */, enum toml_how how);
json_t *toml_counted(struct toml *t, json_t *what /* taken */);

#endif
