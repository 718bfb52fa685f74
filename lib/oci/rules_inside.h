/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_RULES_INSIDE_H
#define OCI_RULES_INSIDE_H

/*
 * Between rules.c (files, variables), rules_yaml.c (the same file as YAML), rules_read.c (one rule), rules_match.c
 * (fitting) and rules_apply.c. Private to oci/.
 */

#include "base/limits.h"
#include "oci/rules.h"

enum rule_piece_kind {
	PIECE_TEXT,     /* itself */
	PIECE_VARIABLE, /* {NAME} */
	PIECE_PART,     /* {name} */
	PIECE_PARTS,    /* {name**} and ** at the end */
	PIECE_ANY,      /* * */
	PIECE_FOLDERS,  /* ** and its slash */
};

struct rule_piece {
	enum rule_piece_kind kind;
	const char *text; /* the text, or the name; into the rule's pattern or result */
	size_t len;       /* of it; 0: a capture without a name */
	size_t variable;  /* rules->variables[] */
	size_t source;    /* in a result: the capture's number */
	/* In a result: every `from` becomes `to`. NUL: nothing is replaced. */
	char from;
	const char *to;
	size_t to_len;
};

struct rule_side {
	struct rule_piece *pieces;
	size_t count, capacity;
};

struct rule {
	size_t line;
	char *pattern, *result; /* as written */
	struct rule_side name;
	bool has_tag;
	struct rule_side tag;
	bool keep;
	struct rule_side out;
};

struct rule_variable {
	char *name;
	char *value;      /* NULL: none yet */
	size_t used_line; /* of the first rule that uses it; 0: none does */
};

struct rules {
	char *file; /* escaped */
	struct rule *rules;
	size_t count, capacity;
	struct rule_variable *variables;
	size_t variable_count, variable_capacity;
};

/* Where a side of a rule stands in its file, for errors. */
struct rule_place {
	struct rules *rules;
	size_t line, column; /* of its first byte, from 1 */
};

/* What a pattern's capture took, in the pieces' order: name first, then tag. */
struct rule_span {
	const char *text;
	size_t len;
};
#define RULE_SPANS (2 * LIMIT_RULE_PIECES)

/* Always -1: "FILE:LINE:COLUMN: ..." at byte `at` behind the place's beginning. */
int rule_refuse(const struct rule_place *place, size_t at, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Adds a variable's definition; its value is copied. */
int rule_define(const struct rule_place *place, const char *name, size_t name_len, const struct rule_place *value_place,
		const char *value, size_t value_len, struct err *e);

/* Reads one rule and adds it to place->rules; both sides are copied. */
int rule_add(const struct rule_place *pattern_place, const char *pattern, size_t pattern_len,
	     const struct rule_place *result_place, const char *result, size_t result_len, struct err *e);

/* The variable's number, made if it is not there; -1: too many, or out of memory. */
ptrdiff_t rule_variable(struct rules *r, const char *name, size_t len, struct err *e);

/* True if the side fits the whole text (at most 2 * LIMIT_REPOSITORY + 1 bytes); spans: one each piece, then filled. */
bool rule_match(const struct rules *r, const struct rule_side *side, const char *text, struct rule_span *spans);

#endif
