/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_RULES_H
#define OCI_RULES_H

/*
 * Rules that make one reference of another: where a mirror keeps an image, what an image is called on the other side.
 *
 * A file of rules is text, one rule a line; the first rule whose pattern fits wins, the others are not looked at.
 *
 *     # A comment, from # at the beginning or behind a blank to the end of the line.
 *     USER = me                                           a variable: upper-case letters, digits, _
 *     gcr.io/distroless/{all**} = keep                    what fits is left as it is
 *     gcr.io/{path**} = docker.io/{USER}/{path|/=.}       PATTERN = RESULT
 *     registry.k8s.io/coredns/coredns:v{tag} = registry.example/coredns:{tag}
 *
 * A pattern is compared with the whole name, "docker.io/library/nginx", never with the short one, and must fit from end
 * to end. Behind its last slash it may go on with ":" and a pattern for the tag; without one it fits any tag and none.
 *
 *     {name}     one or more characters without "/" and ":"; lower-case letters, digits, _
 *     {name**}   the same, slashes too; a whole part of the path: between slashes, or at the end
 *     *          none or more characters without "/" and ":"
 *     **         whole parts of the path: between slashes none, one or several; at the end one or more
 *     {NAME}     the variable's value
 *     other      itself: letters, digits, . _ - : / [ ]
 *
 * What is captured is as long as it can be, the leftmost first. Two captures do not touch.
 *
 * A result is text with {name}, {NAME} and {name|C=TEXT}: every character C of what was captured becomes TEXT (which
 * may be empty). The reference's tag and digest are kept; a result with ":TAG" behind its last slash says another tag,
 * one with "@DIGEST" is taken as it stands. What comes out must be a reference, and may not change a digest that was
 * asked for.
 *
 * The same in YAML (files called *.yaml or *.yml): "variables", a mapping, and "rules", a list of mappings with the
 * keys "from" and "to".
 *
 * A pattern is tried in time proportional to its length times the reference's, whatever stands in it.
 */

#include "base/err.h"
#include "base/own.h"
#include "oci/reference.h"

#include <stddef.h>

struct rules;

/*
 * The rules in `bytes`; `name` is what errors call the file, copied. ERR_USAGE with file:line:column for what is wrong
 * and what would be right; more than LIMIT_SETTINGS bytes, LIMIT_RULES rules, LIMIT_RULE bytes a line, or
 * LIMIT_RULE_PIECES captures and texts in a rule.
 */
struct rules *rules_read(const char *name, const char *bytes, size_t len, struct err *e);
struct rules *rules_read_yaml(const char *name, const char *bytes, size_t len, struct err *e);
void rules_free(struct rules *r);
OWNED(rules)

/* What errors call the file. */
const char *rules_file(const struct rules *r);

/* True if `len` bytes could be a variable's name. */
bool rules_variable_valid(const char *name, size_t len);

/*
 * Gives a variable its value, over the one that the file gives. 1: a rule uses it; 0: none does; -1: out of memory, or
 * a value that no reference can hold (ERR_USAGE).
 */
int rules_set(struct rules *r, const char *name, size_t len, const char *value, struct err *e);

/* A variable that rules use and that has no value, or NULL; *line: where. */
const char *rules_unset(const struct rules *r, size_t *line);

/* Which rule did it; borrowed from the rules. */
struct rule_found {
	const char *file;
	size_t line;
	const char *pattern, *result; /* as written */
};

/*
 * 1: a rule fits and *out is what it makes; 0: none does, or it says "keep" (then *found names it): *out is *from. -1:
 * what the rule makes is no reference, or loses the digest that *from has: ERR_USAGE, with the rule's file and line.
 * *found (may be NULL) is all NULL if no rule fits. `out` and `from` may be one.
 */
int rules_apply(const struct rules *r, const struct reference *from, struct reference *out, struct rule_found *found,
		struct err *e);

/* The sets that the program carries: the files of lib/oci/rules. Ends with a NULL name. */
struct rules_shipped {
	const char *name; /* "aliyun" */
	const char *text; /* of the file; NUL-terminated. Its first line is a comment that says what it is */
};
extern const struct rules_shipped rules_shipped[];

#endif
