/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_YAMLTREE_H
#define OCI_YAMLTREE_H

/*
 * YAML 1.1 (and so JSON) that other people wrote, one document after the other, as a tree whose values know their line.
 *
 * Anchors, aliases and merge keys ("<<") are resolved: an aliased value is the same node in several places, so the tree
 * is a graph without circles, and who walks it counts the steps (LIMIT_YAML_VISITS). Texts are kept as they were
 * written: 1.10 stays "1.10". Refused with ERR_CORRUPT, "line N: " in front: what YAML forbids, an alias of nothing or
 * of what it stands in, and more than LIMIT_YAML_NODES values, LIMIT_YAML_DEPTH levels, LIMIT_YAML_ANCHORS anchors, or
 * LIMIT_YAML_MERGE entries where maps are merged, in one document.
 */

#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>

enum ynode_kind { YNODE_TEXT, YNODE_LIST, YNODE_MAP };

struct ynode {
	enum ynode_kind kind;
	bool plain;           /* a text without quotes: "null" is none */
	bool open;            /* private */
	size_t line;          /* where it begins, from 1 */
	char *text;           /* NUL-terminated */
	size_t len;           /* of the text; it may hold NUL bytes */
	struct ynode **items; /* of a list; of a map, key and value in turns, merged ones last */
	size_t count, capacity;
};

struct ystream;

/* The bytes are borrowed until the stream is freed. NULL: out of memory. */
struct ystream *ystream_new(const char *bytes, size_t len, struct err *e);
void ystream_free(struct ystream *s);
OWNED(ystream)

/* 1: *root is the next document, which lives until the next call; 0: there is none; -1 (nothing follows then). */
int ystream_next(struct ystream *s, const struct ynode **root, struct err *e);

/* The line that the last -1 is about. */
size_t ystream_line(const struct ystream *s);

/* The value of a map's key, or NULL; NULL for anything but a map. */
const struct ynode *ynode_get(const struct ynode *map, const char *key);

/* The text, or NULL for lists, maps, null and a text with a NUL byte in it. */
const char *ynode_text(const struct ynode *n);

/* ynode_text(ynode_get()) */
const char *ynode_get_text(const struct ynode *map, const char *key);

#endif
