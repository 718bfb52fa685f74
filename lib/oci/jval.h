/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_JVAL_H
#define OCI_JVAL_H

/* What a value of a parsed document is, for json.c, which fills it, and jval.c, which answers about it. */

#include "oci/json.h"

#include <jansson.h>

enum jval_kind { JVAL_NULL, JVAL_BOOL, JVAL_INTEGER, JVAL_REAL, JVAL_STRING, JVAL_ARRAY, JVAL_OBJECT };

/*
 * jansson's tree is copied into one block of these: the i-th member of an object is then one step away (jansson would
 * walk a list), and no cast to a type that is not ours is needed. The texts stay in jansson's tree.
 */
struct jval {
	const char *key; /* of a member; NULL for elements and the root */
	union {
		const char *text;
		int64_t integer;
		const struct jval *children;
	};
	uint32_t count; /* of children */
	enum jval_kind kind;
};

/*
 * The document of a tree that somebody else built, of at most `values` values. Takes the tree, on failure too. Keys
 * that differ only in case stay two.
 */
struct jdoc *jdoc_from_tree(json_t *tree /* taken */, size_t values, struct err *e);

#endif
