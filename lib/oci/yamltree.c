/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/yamltree.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

#include <string.h>
#include <yaml.h>

struct anchor {
	char *name;
	struct ynode *node;
};

struct ystream {
	yaml_parser_t parser;
	const char *bytes;
	size_t len;
	bool over;
	size_t line; /* of what is refused */
	/* Of the current document. */
	struct ynode **nodes; /* all, to be freed: one that is aliased stands in several places */
	size_t node_count, node_capacity;
	size_t merged; /* entries that merge keys added */
	struct anchor *anchors;
	size_t anchor_count, anchor_capacity;
	struct ynode *stack[LIMIT_YAML_DEPTH];
	size_t depth;
	struct ynode *root;
};

static void node_free(struct ynode *n)
{
	free(n->text);
	free(n->items);
	free(n);
}

static void forget(struct ystream *s)
{
	for (size_t i = 0; i < s->node_count; i++)
		node_free(s->nodes[i]);
	for (size_t i = 0; i < s->anchor_count; i++)
		free(s->anchors[i].name);
	s->node_count = s->anchor_count = s->merged = s->depth = 0;
	s->root = NULL;
}

struct ystream *ystream_new(const char *bytes, size_t len, struct err *e)
{
	AUTO_MEM struct ystream *s = calloc(1, sizeof(*s));

	if (!s || !yaml_parser_initialize(&s->parser)) {
		err_memory(e);
		return NULL;
	}
	s->bytes = bytes;
	s->len = len;
	yaml_parser_set_input_string(&s->parser, (const unsigned char *)bytes, len);
	return TAKE(s);
}

void ystream_free(struct ystream *s)
{
	if (!s)
		return;
	forget(s);
	free(s->nodes);
	free(s->anchors);
	yaml_parser_delete(&s->parser);
	free(s);
}

size_t ystream_line(const struct ystream *s)
{
	return s->line;
}

static int refuse(struct ystream *s, size_t line, const char *what, struct err *e)
{
	s->line = line;
	return err_set(e, ERR_CORRUPT, "line %zu: %s", line, what);
}

/* The reader, which meets bad UTF-8, knows the byte alone. */
static size_t line_at(const struct ystream *s, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset && i < s->len; i++)
		line += s->bytes[i] == '\n';
	return line;
}

static int refuse_syntax(struct ystream *s, struct err *e)
{
	const yaml_parser_t *p = &s->parser;

	if (p->error == YAML_MEMORY_ERROR)
		return err_memory(e);
	if (p->error == YAML_READER_ERROR)
		return refuse(s, line_at(s, p->problem_offset), p->problem ? p->problem : "it is no text", e);
	return refuse(s, p->problem_mark.line + 1, p->problem ? p->problem : "it is not YAML", e);
}

/* Anchors. */

static int note_anchor(struct ystream *s, const yaml_char_t *name, struct ynode *n, struct err *e)
{
	if (!name)
		return 0;
	if (s->anchor_count >= LIMIT_YAML_ANCHORS)
		return refuse(s, n->line, "more anchors than a manifest has", e);
	if (GROW(s->anchors, s->anchor_capacity, s->anchor_count, e))
		return -1;
	char *copy = strdup((const char *)name);
	if (!copy)
		return err_memory(e);
	s->anchors[s->anchor_count++] = (struct anchor){ copy, n };
	return 0;
}

/* The latest of this name, as YAML wants it. */
static struct ynode *find_anchor(const struct ystream *s, const char *name)
{
	for (size_t i = s->anchor_count; i-- > 0;)
		if (!strcmp(s->anchors[i].name, name))
			return s->anchors[i].node;
	return NULL;
}

/* The tree. */

/* Where the next value belongs: into the innermost open list or map, or it is the document. */
static int put(struct ystream *s, struct ynode *n, struct err *e)
{
	if (!s->depth) {
		s->root = n;
		return 0;
	}
	struct ynode *up = s->stack[s->depth - 1];
	if (GROW(up->items, up->capacity, up->count, e))
		return -1;
	up->items[up->count++] = n;
	return 0;
}

static struct ynode *add_node(struct ystream *s, enum ynode_kind kind, const yaml_event_t *ev, struct err *e)
{
	const size_t line = ev->start_mark.line + 1;

	if (s->node_count >= LIMIT_YAML_NODES) {
		refuse(s, line, "more values than a manifest has", e);
		return NULL;
	}
	if (GROW(s->nodes, s->node_capacity, s->node_count, e))
		return NULL;
	struct ynode *n = calloc(1, sizeof(*n));
	if (!n) {
		err_memory(e);
		return NULL;
	}
	s->nodes[s->node_count++] = n;
	n->kind = kind;
	n->line = line;
	return n;
}

static int on_text(struct ystream *s, const yaml_event_t *ev, struct err *e)
{
	struct ynode *n = add_node(s, YNODE_TEXT, ev, e);

	if (!n)
		return -1;
	n->len = ev->data.scalar.length;
	n->text = malloc(n->len + 1);
	if (!n->text)
		return err_memory(e);
	memcpy(n->text, ev->data.scalar.value, n->len);
	n->text[n->len] = '\0';
	n->plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !ev->data.scalar.tag;
	return note_anchor(s, ev->data.scalar.anchor, n, e) || put(s, n, e) ? -1 : 0;
}

static int on_alias(struct ystream *s, const yaml_event_t *ev, struct err *e)
{
	struct ynode *n = find_anchor(s, (const char *)ev->data.alias.anchor);
	const size_t line = ev->start_mark.line + 1;

	if (!n)
		return refuse(s, line, "an alias of an anchor that is not there", e);
	if (n->open)
		return refuse(s, line, "an alias inside what it stands for", e);
	return put(s, n, e);
}

static int on_open(struct ystream *s, enum ynode_kind kind, const yaml_char_t *anchor, const yaml_event_t *ev,
		   struct err *e)
{
	struct ynode *n = add_node(s, kind, ev, e);

	if (!n || note_anchor(s, anchor, n, e) || put(s, n, e))
		return -1;
	if (s->depth >= LIMIT_YAML_DEPTH)
		return refuse(s, n->line, "lists and maps too deep inside each other", e);
	n->open = true;
	s->stack[s->depth++] = n;
	return 0;
}

/* Adds the entries of `from` that the map does not have. */
static int merge_map(struct ystream *s, struct ynode *map, const struct ynode *from, struct err *e)
{
	if (from->kind != YNODE_MAP)
		return refuse(s, from->line, "a merge key (<<) wants a map", e);
	if (from->count > 2 * LIMIT_YAML_MERGE || map->count > 2 * LIMIT_YAML_MERGE ||
	    s->merged + from->count > LIMIT_YAML_NODES)
		return refuse(s, map->line, "a merge (<<) of more entries than a manifest has", e);
	for (size_t i = 0; i + 1 < from->count; i += 2) {
		const struct ynode *key = from->items[i];
		if (key->kind != YNODE_TEXT || ynode_get(map, key->text))
			continue;
		for (size_t k = 0; k < 2; k++) {
			if (GROW(map->items, map->capacity, map->count, e))
				return -1;
			map->items[map->count++] = from->items[i + k];
		}
		s->merged += 2;
	}
	return 0;
}

static int merge(struct ystream *s, struct ynode *map, struct err *e)
{
	const size_t own = map->count;

	for (size_t i = 0; i + 1 < own; i += 2) {
		const struct ynode *key = map->items[i], *from = map->items[i + 1];
		if (key->kind != YNODE_TEXT || !key->plain || strcmp(key->text, "<<") != 0)
			continue;
		if (from->kind != YNODE_LIST) {
			if (merge_map(s, map, from, e))
				return -1;
			continue;
		}
		for (size_t k = 0; k < from->count; k++)
			if (merge_map(s, map, from->items[k], e))
				return -1;
	}
	return 0;
}

static int on_close(struct ystream *s, struct err *e)
{
	struct ynode *n = s->stack[--s->depth];

	n->open = false;
	return n->kind == YNODE_MAP ? merge(s, n, e) : 0;
}

/* 1: the document is complete; 2: the stream is. */
static int take(struct ystream *s, const yaml_event_t *ev, struct err *e)
{
	switch (ev->type) {
	case YAML_SCALAR_EVENT:
		return on_text(s, ev, e);
	case YAML_ALIAS_EVENT:
		return on_alias(s, ev, e);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(s, YNODE_LIST, ev->data.sequence_start.anchor, ev, e);
	case YAML_MAPPING_START_EVENT:
		return on_open(s, YNODE_MAP, ev->data.mapping_start.anchor, ev, e);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_close(s, e);
	case YAML_DOCUMENT_END_EVENT:
		return 1;
	case YAML_STREAM_END_EVENT:
		return 2;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_START_EVENT:
		break;
	}
	return 0;
}

int ystream_next(struct ystream *s, const struct ynode **root, struct err *e)
{
	forget(s);
	while (!s->over) {
		yaml_event_t ev;
		if (!yaml_parser_parse(&s->parser, &ev)) {
			s->over = true;
			return refuse_syntax(s, e);
		}
		const int rc = take(s, &ev, e);
		yaml_event_delete(&ev);
		if (rc == 1) {
			*root = s->root;
			return 1;
		}
		if (rc) {
			s->over = true;
			return rc < 0 ? -1 : 0;
		}
	}
	return 0;
}

const struct ynode *ynode_get(const struct ynode *map, const char *key)
{
	if (!map || map->kind != YNODE_MAP)
		return NULL;
	for (size_t i = 0; i + 1 < map->count; i += 2)
		if (map->items[i]->kind == YNODE_TEXT && !strcmp(map->items[i]->text, key))
			return map->items[i + 1];
	return NULL;
}

const char *ynode_text(const struct ynode *n)
{
	if (!n || n->kind != YNODE_TEXT || strlen(n->text) != n->len)
		return NULL;
	if (n->plain && (!strcmp(n->text, "null") || !strcmp(n->text, "~")))
		return NULL;
	return n->text;
}

const char *ynode_get_text(const struct ynode *map, const char *key)
{
	return ynode_text(ynode_get(map, key));
}
