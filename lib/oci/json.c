/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/json.h"

#include "base/limits.h"
#include "base/text.h"
#include "oci/fold.h"
#include "oci/jval.h"

#include <jansson.h>
#include <malloc.h>
#include <pthread.h>
#include <string.h>

struct jdoc {
	json_t *tree;
	struct jval *values; /* the root first, children of one container side by side */
	size_t used;
	size_t cap;
	bool exact; /* keys that differ only in case are two */
};

void jdoc_free(struct jdoc *d)
{
	if (!d)
		return;
	json_decref(d->tree);
	free(d->values);
	free(d);
}

/*
 * jansson 2.14 takes no notice when memory for one more byte of a string is not there: the byte is missing in a
 * document that "parsed". So each failed allocation leaves a mark, for the thread it happened in.
 */
static pthread_once_t allocator_once = PTHREAD_ONCE_INIT;
static _Thread_local bool starved;

static void *marked_malloc(size_t size)
{
	void *p = malloc(size);

	if (!p)
		starved = true;
	return p;
}

/*
 * Tokens and passwords arrive as JSON, and jansson copies them several times. Which document holds one is not known
 * here, so all of them are wiped; beside the parsing that is too little to measure.
 */
static void wiping_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void allocator_set(void)
{
	json_set_alloc_funcs(marked_malloc, wiping_free);
}

/* What a look at the brackets shows before any memory is spent. */
struct shape {
	size_t values; /* at least as many as there are */
	size_t end;    /* of the first object or array; else of the bytes */
};

static int limits_check(size_t values, size_t depth, size_t len, struct err *e)
{
	if (depth > LIMIT_JSON_DEPTH)
		return err_set(e, ERR_CORRUPT, "JSON is nested deeper than %d levels", LIMIT_JSON_DEPTH);
	if (values > LIMIT_JSON_VALUES + len / LIMIT_JSON_DENSITY)
		return err_set(e, ERR_CORRUPT, "JSON of %zu bytes has more than %zu values", len,
			       LIMIT_JSON_VALUES + len / LIMIT_JSON_DENSITY);
	return 0;
}

/*
 * Counts levels and values, strings skipped. What is not JSON may be counted wrong, never too low for what a parser
 * would take for JSON: it then refuses it.
 */
static int scan(const char *bytes, size_t len, bool first, struct shape *shape, struct err *e)
{
	size_t depth = 0;
	size_t values = 1;
	bool string = false;

	*shape = (struct shape){ 1, len };
	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];

		if (string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				string = false;
			continue;
		}
		if (c == '"') {
			string = true;
		} else if (c == ',') {
			values++;
		} else if (c == '{' || c == '[') {
			values++;
			depth++;
		} else if (c == '}' || c == ']') {
			if (depth)
				depth--;
			if (first && !depth) {
				shape->end = i + 1;
				break;
			}
		}
		if (limits_check(values, depth, len, e))
			return -1;
	}
	shape->values = values;
	return 0;
}

struct key {
	const char *text;
};

static int key_compare(const void *a, const void *b)
{
	const struct key *one = a;
	const struct key *two = b;

	return fold_compare(one->text, two->text);
}

/* Members of one object whose keys are equal but for case: what docker reads would depend on their order. */
static int keys_check(const struct jval *object, struct err *e)
{
	AUTO_MEM struct key *keys = NULL;
	char one[64], two[64];

	if (object->count < 2)
		return 0;
	keys = calloc(object->count, sizeof(*keys));
	if (!keys)
		return err_memory(e);
	for (size_t i = 0; i < object->count; i++)
		keys[i].text = object->children[i].key;
	qsort(keys, object->count, sizeof(*keys), key_compare);
	for (size_t i = 1; i < object->count; i++)
		if (key_compare(&keys[i - 1], &keys[i]) == 0)
			return err_set(e, ERR_CORRUPT,
				       "JSON has the keys \"%s\" and \"%s\" in one object, which docker takes for one",
				       text_escape_str(one, sizeof(one), keys[i - 1].text),
				       text_escape_str(two, sizeof(two), keys[i].text));
	return 0;
}

/* Go reads the values of these members into a map, whose keys are not folded. */
static bool is_map(const char *key)
{
	static const char *const maps[] = { "labels", "annotations", "volumes",    "exposedports",
					    "auths",  "credhelpers", "httpheaders" };

	for (size_t i = 0; key && i < sizeof(maps) / sizeof(maps[0]); i++)
		if (fold_compare(key, maps[i]) == 0)
			return true;
	return false;
}

static int fill(struct jdoc *d, struct jval *v, const json_t *from, struct err *e);

/* The next `count` values of the block, for the children of v. scan() counted every one of them. */
static struct jval *children_of(struct jdoc *d, struct jval *v, size_t count, struct err *e)
{
	struct jval *children = d->values + d->used;

	if (count > d->cap - d->used) {
		err_set(e, ERR_CORRUPT, "JSON has more values than separators");
		return NULL;
	}
	d->used += count;
	v->children = children;
	v->count = (uint32_t)count;
	return children;
}

static int fill_array(struct jdoc *d, struct jval *v, const json_t *from, struct err *e)
{
	size_t count = json_array_size(from);
	struct jval *children = children_of(d, v, count, e);

	if (!children)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (fill(d, &children[i], json_array_get(from, i), e))
			return -1;
	return 0;
}

static int fill_object(struct jdoc *d, struct jval *v, const json_t *from, struct err *e)
{
	/* jansson's iterators want a json_t that is not const, though they do not change it */
	union {
		const json_t *constant;
		json_t *plain;
	} object = { from };
	size_t i = 0;
	struct jval *children = children_of(d, v, json_object_size(from), e);

	if (!children)
		return -1;
	for (void *at = json_object_iter(object.plain); at; at = json_object_iter_next(object.plain, at), i++) {
		children[i].key = json_object_iter_key(at);
		if (fill(d, &children[i], json_object_iter_value(at), e))
			return -1;
	}
	return d->exact || is_map(v->key) ? 0 : keys_check(v, e);
}

/* Copies one value; as deep as scan() allowed. */
static int fill(struct jdoc *d, struct jval *v, const json_t *from, struct err *e)
{
	switch (json_typeof(from)) {
	case JSON_OBJECT:
		v->kind = JVAL_OBJECT;
		return fill_object(d, v, from, e);
	case JSON_ARRAY:
		v->kind = JVAL_ARRAY;
		return fill_array(d, v, from, e);
	case JSON_STRING:
		v->kind = JVAL_STRING;
		v->text = json_string_value(from);
		return 0;
	case JSON_INTEGER:
		v->kind = JVAL_INTEGER;
		v->integer = json_integer_value(from);
		return 0;
	case JSON_REAL:
		v->kind = JVAL_REAL;
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		v->kind = JVAL_BOOL;
		v->integer = json_typeof(from) == JSON_TRUE;
		return 0;
	case JSON_NULL:
		break;
	}
	v->kind = JVAL_NULL;
	return 0;
}

static int parser_error(const json_error_t *error, const char *bytes, size_t len, struct err *e)
{
	char what[200];

	if (len >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0)
		return err_set(e, ERR_CORRUPT, "JSON begins with a byte-order mark");
	return err_set(e, ERR_CORRUPT, "JSON, line %d, column %d: %s", error->line, error->column,
		       text_escape_str(what, sizeof(what), error->text));
}

/* jansson's tree of these bytes; NULL on error. */
static json_t *load(const char *bytes, size_t len, struct err *e)
{
	json_error_t error;

	(void)pthread_once(&allocator_once, allocator_set);
	starved = false;
	json_t *tree = json_loadb(len ? bytes : "", len, JSON_REJECT_DUPLICATES, &error);
	if (starved) {
		json_decref(tree);
		err_memory(e);
		return NULL;
	}
	if (!tree)
		parser_error(&error, bytes, len, e);
	return tree;
}

static struct jdoc *document(json_t *tree /* taken */, size_t values, bool exact, struct err *e)
{
	AUTO(jdoc) d = calloc(1, sizeof(*d));

	if (!d) {
		json_decref(tree);
		err_memory(e);
		return NULL;
	}
	d->tree = tree;
	d->cap = values;
	d->used = 1;
	d->exact = exact;
	d->values = calloc(d->cap, sizeof(*d->values));
	if (!d->values) {
		err_memory(e);
		return NULL;
	}
	if (fill(d, d->values, d->tree, e))
		return NULL;
	return TAKE(d);
}

struct jdoc *jdoc_from_tree(json_t *tree, size_t values, struct err *e)
{
	return document(tree, values, true, e);
}

static struct jdoc *parse(const char *bytes, size_t len, bool first, size_t *used, struct err *e)
{
	struct shape shape;

	if (scan(bytes, len, first, &shape, e))
		return NULL;
	json_t *tree = load(bytes, shape.end, e);
	if (!tree)
		return NULL;
	struct jdoc *d = document(tree, shape.values, false, e);
	if (d)
		*used = shape.end;
	return d;
}

struct jdoc *jdoc_parse(const char *bytes, size_t len, struct err *e)
{
	size_t used;

	return parse(bytes, len, false, &used, e);
}

struct jdoc *jdoc_parse_first(const char *bytes, size_t len, size_t *used, struct err *e)
{
	return parse(bytes, len, true, used, e);
}

const struct jval *jdoc_root(const struct jdoc *d)
{
	return d->values;
}
