/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/settings.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reading {
	yaml_parser_t parser;
	yaml_event_t event; /* the one at hand */
	bool has_event;
	size_t values;
};

static int refuse(const yaml_mark_t *mark, struct err *e, const char *why)
{
	return err_set(e, ERR_USAGE, "%zu:%zu: %s", mark->line + 1, mark->column + 1, why);
}

static int refuse_syntax(const yaml_parser_t *p, struct err *e)
{
	char why[200], shown[220];

	if (p->error == YAML_MEMORY_ERROR)
		return err_memory(e);
	(void)snprintf(why, sizeof(why), "this is not YAML: %s%s%s", p->context ? p->context : "",
		       p->context ? ", " : "", p->problem ? p->problem : "");
	/* A byte that is no text has an offset, but no line yet: the scanner's is the nearest. */
	return refuse(p->error == YAML_READER_ERROR ? &p->mark : &p->problem_mark, e,
		      text_escape_str(shown, sizeof(shown), why));
}

static int next(struct reading *r, struct err *e)
{
	if (r->has_event)
		yaml_event_delete(&r->event);
	r->has_event = false;
	if (!yaml_parser_parse(&r->parser, &r->event))
		return refuse_syntax(&r->parser, e);
	r->has_event = true;
	return 0;
}

/* Names for values (&a), values by name (*a) and types (!x) are for programs; a file of settings says things once. */
static int check_plain(const struct reading *r, struct err *e)
{
	const yaml_event_t *ev = &r->event;
	const yaml_char_t *anchor = NULL, *tag = NULL;

	if (ev->type == YAML_SCALAR_EVENT) {
		anchor = ev->data.scalar.anchor;
		tag = ev->data.scalar.tag;
	} else if (ev->type == YAML_SEQUENCE_START_EVENT) {
		anchor = ev->data.sequence_start.anchor;
		tag = ev->data.sequence_start.tag;
	} else if (ev->type == YAML_MAPPING_START_EVENT) {
		anchor = ev->data.mapping_start.anchor;
		tag = ev->data.mapping_start.tag;
	}
	if (anchor || ev->type == YAML_ALIAS_EVENT)
		return refuse(&ev->start_mark, e,
			      "anchors and aliases (&, *) are not taken here; put a text that begins so in quotes");
	return tag ? refuse(&ev->start_mark, e, "a type (!) is not taken here; put a text that begins so in quotes")
		   : 0;
}

static struct setting *add_item(struct setting *s, struct err *e)
{
	if (GROW(s->items, s->capacity, s->count, e))
		return NULL;
	s->items[s->count] = (struct setting){ 0 };
	return &s->items[s->count++];
}

static int read_scalar(const struct reading *r, struct setting *s, struct err *e)
{
	const yaml_event_t *ev = &r->event;
	const char *text = (const char *)ev->data.scalar.value;

	if (memchr(text, '\0', ev->data.scalar.length))
		return refuse(&ev->start_mark, e, "a NUL in a text");
	s->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	s->kind = !s->quoted && (!*text || !strcmp(text, "~") || !strcmp(text, "null")) ? SETTING_EMPTY : SETTING_TEXT;
	s->text = strdup(s->kind == SETTING_EMPTY ? "" : text);
	return s->text ? 0 : err_memory(e);
}

/* The last key is one that stands before. */
static int check_key(const struct setting *map, const struct setting *key, const yaml_mark_t *mark, struct err *e)
{
	char why[160], shown[100];

	if (key->kind != SETTING_TEXT)
		return refuse(mark, e, "a key is a word");
	for (const struct setting *k = map->items; k < key; k += 2) {
		if (strcmp(k->text, key->text) != 0)
			continue;
		(void)snprintf(why, sizeof(why), "%s stands here twice, first in line %zu",
			       text_escape_str(shown, sizeof(shown), key->text), k->line);
		return refuse(mark, e, why);
	}
	return 0;
}

static int read_value(struct reading *r, struct setting *s, unsigned depth, struct err *e);

/* What stands between a start and its end. */
static int read_items(struct reading *r, struct setting *s, yaml_event_type_t end, unsigned depth, struct err *e)
{
	for (;;) {
		if (next(r, e))
			return -1;
		if (r->event.type == end)
			return 0;
		const yaml_mark_t mark = r->event.start_mark;
		struct setting *item = add_item(s, e);
		if (!item || read_value(r, item, depth + 1, e))
			return -1;
		if (s->kind == SETTING_MAP && s->count % 2 && check_key(s, item, &mark, e))
			return -1;
	}
}

/* The value that the event at hand begins. */
static int read_value(struct reading *r, struct setting *s, unsigned depth, struct err *e)
{
	const yaml_mark_t mark = r->event.start_mark;

	s->line = mark.line + 1;
	s->column = mark.column + 1;
	if (check_plain(r, e))
		return -1;
	if (depth > LIMIT_SETTINGS_DEPTH)
		return refuse(&mark, e, "too many levels inside each other");
	if (r->values++ == LIMIT_SETTINGS_VALUES)
		return refuse(&mark, e, "too many values");
	switch (r->event.type) {
	case YAML_SCALAR_EVENT:
		return read_scalar(r, s, e);
	case YAML_SEQUENCE_START_EVENT:
		s->kind = SETTING_LIST;
		return read_items(r, s, YAML_SEQUENCE_END_EVENT, depth, e);
	case YAML_MAPPING_START_EVENT:
		s->kind = SETTING_MAP;
		return read_items(r, s, YAML_MAPPING_END_EVENT, depth, e);
	default:
		return refuse(&mark, e, "a value was expected here");
	}
}

/* stream start, then nothing, or a document with its value, then the stream's end */
static int read_stream(struct reading *r, struct setting *root, struct err *e)
{
	if (next(r, e) || next(r, e))
		return -1;
	if (r->event.type == YAML_STREAM_END_EVENT)
		return 0;
	if (next(r, e) || read_value(r, root, 1, e) || next(r, e) || next(r, e))
		return -1;
	return r->event.type == YAML_STREAM_END_EVENT
		       ? 0
		       : refuse(&r->event.start_mark, e, "a second document; write one, without ---");
}

struct setting *settings_parse(const char *bytes, size_t len, struct err *e)
{
	AUTO(setting) root = calloc(1, sizeof(*root));
	struct reading r = { 0 };

	if (!root || !yaml_parser_initialize(&r.parser)) {
		err_memory(e);
		return NULL;
	}
	root->line = root->column = 1;
	yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&r.parser, (const unsigned char *)bytes, len);
	int rc = len > LIMIT_SETTINGS ? err_set(e, ERR_USAGE, "1:1: larger than %u bytes", LIMIT_SETTINGS)
				      : read_stream(&r, root, e);
	if (r.has_event)
		yaml_event_delete(&r.event);
	yaml_parser_delete(&r.parser);
	return rc ? NULL : TAKE(root);
}

static void release(struct setting *s)
{
	for (size_t i = 0; i < s->count; i++)
		release(&s->items[i]);
	free(s->items);
	free(s->text);
}

void setting_free(struct setting *s)
{
	if (!s)
		return;
	release(s);
	free(s);
}
