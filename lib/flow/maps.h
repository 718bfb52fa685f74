/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_MAPS_H
#define FLOW_MAPS_H

/* What --map names: files of rules (oci/rules.h) and shipped sets, one after the other, and values for their variables.
 */

#include "base/err.h"
#include "base/own.h"
#include "oci/rules.h"

struct maps;

/*
 * `files`: NULL-terminated; each is the name of a shipped set ("aliyun"; a file of that name is written ./aliyun), a
 * file (YAML if it ends in .yaml or .yml), or VARIABLE=VALUE for all of them. NULL: no rules. Everything is read here
 * and not again. ERR_LOCAL if a file cannot be read; ERR_USAGE for bad rules (file:line:column), a variable that no
 * rule has, one that a rule uses and nobody gave a value.
 */
struct maps *maps_new(const char *const *files, struct err *e);
void maps_free(struct maps *m);
OWNED(maps)

/*
 * The first rule that fits, in the order of `files`. 1: *out is the new reference; 0: none fits, or the one that does
 * says "keep", and *out is *from; -1: the rule makes no reference of it (ERR_USAGE, with its file and line). m may be
 * NULL: no rules. `out` and `from` may be one.
 */
int maps_apply(const struct maps *m, const struct reference *from, struct reference *out, struct err *e);

/* maps_apply() that also tells which rule it was; *found (borrowed from m) is all NULL if none fits. */
int maps_find(const struct maps *m, const struct reference *from, struct reference *out, struct rule_found *found,
	      struct err *e);

/* "aliyun, daocloud, ...", for messages; returns out. */
const char *maps_shipped_names(char *out, size_t cap);

#endif
