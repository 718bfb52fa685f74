/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_EXPLAIN_H
#define FLOW_EXPLAIN_H

/* What `imgpack rules` tells: the shipped sets, and what rules make of references. Nothing is asked of any registry. */

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>

/* The i-th shipped set: its name, what it is (one line, into `summary`) and its text; false behind the last. */
#define RULE_SET_SUMMARY 160
bool flow_rule_set(size_t i, const char **name, char summary[RULE_SET_SUMMARY], const char **text);

/* The text of the set of this name; NULL and ERR_USAGE, with the names that there are, if there is none. */
const char *flow_rule_set_text(const char *name, struct err *e);

enum explained_kind {
	EXPLAINED_MADE,    /* a rule makes `result` of it */
	EXPLAINED_KEPT,    /* a rule says that it is left as it is */
	EXPLAINED_NONE,    /* no rule fits */
	EXPLAINED_PROBLEM, /* `problem` says why there is no answer */
};
struct explained {
	enum explained_kind kind;
	char *name;    /* the reference, fully qualified */
	char *set;     /* of the shipped ones; NULL: what --map names */
	char *result;  /* MADE */
	char *rule;    /* MADE, KEPT: "FILE:LINE" */
	char *text;    /* MADE, KEPT: "PATTERN = RESULT" */
	char *problem; /* PROBLEM */
};
struct explain_report {
	struct explained *items; /* in the references' order */
	size_t count, capacity;
};

/*
 * One item a reference by the rules of `maps` (flow/maps.h); `maps` NULL or empty: one a reference and shipped set.
 * NULL: a bad reference, or rules that cannot be read. A rule that fits and makes no reference is an item.
 */
struct explain_report *flow_explain(const char *const *references, size_t count, const char *const *maps,
				    struct err *e);
void explain_report_free(struct explain_report *r);
OWNED(explain_report)

/* {"references":[{"name","set","result","rule","text","problem"}]}: null where there is none. */
int explain_report_json(const struct explain_report *r, struct buf *out, struct err *e);
/* {"sets":[{"name","summary"}]} */
int flow_rule_sets_json(struct buf *out, struct err *e);

#endif
