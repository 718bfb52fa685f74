/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/toml.h"

#include "base/text.h"
#include "oci/jval.h"
#include "oci/toml_read.h"

#include <string.h>

/* Which tables may be opened again, and how, is TOML's hard part: each one's maker is remembered. */

static struct toml_made *how_made(struct toml *t, const json_t *what)
{
	/* The last one is asked for most often. */
	for (size_t i = t->made_count; i-- > 0;)
		if (t->made[i].what == what)
			return &t->made[i];
	return NULL;
}

json_t *toml_counted(struct toml *t, json_t *what)
{
	if (!what) {
		err_memory(t->e);
		return NULL;
	}
	if (t->values >= LIMIT_JSON_VALUES) {
		(void)toml_refuse(t, "the file has more than %d values", LIMIT_JSON_VALUES);
		json_decref(what);
		return NULL;
	}
	t->values++;
	return what;
}

json_t *toml_made(struct toml *t, json_t *what, enum toml_how how)
{
	what = toml_counted(t, what);
	if (!what)
		return NULL;
	if (t->made_count >= LIMIT_TOML_TABLES) {
		(void)toml_refuse(t, "the file has more than %d tables and arrays", LIMIT_TOML_TABLES);
		json_decref(what);
		return NULL;
	}
	if (GROW(t->made, t->made_capacity, t->made_count, t->e)) {
		json_decref(what);
		return NULL;
	}
	t->made[t->made_count++] = (struct toml_made){ what, how };
	return what;
}

/* A new container under `key`, which is free. Borrowed from the table. */
static json_t *put_container(struct toml *t, json_t *table, const char *key, bool array, enum toml_how how)
{
	json_t *made = toml_made(t, array ? json_array() : json_object(), how);

	if (made && json_object_set_new(table, key, made)) {
		err_memory(t->e);
		return NULL;
	}
	return made;
}

static json_t *add_element(struct toml *t, json_t *array)
{
	json_t *made = toml_made(t, json_object(), TOML_HEADED);

	if (made && json_array_append_new(array, made)) {
		err_memory(t->e);
		return NULL;
	}
	return made;
}

static json_t *twice(struct toml *t, const char *key)
{
	char shown[80];

	(void)toml_refuse(t, "\"%s\" is there already", text_escape_str(shown, sizeof(shown), key));
	return NULL;
}

void toml_key_release(struct toml_key *key)
{
	while (key->count)
		free(key->part[--key->count]);
}

static int key_part(struct toml *t, struct buf *out)
{
	static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	char shown[80];
	size_t len = 0;

	if (toml_peek(t) == '"' || toml_peek(t) == '\'')
		return toml_string(t, false, out);
	while (t->at + len < t->end && strchr(bare, t->at[len]))
		len++;
	if (!len)
		return toml_refuse(
			t,
			"a key is expected, not %s (a name with other signs than letters, digits, _ and - stands in "
			"\"quotes\")",
			toml_shown(t, shown, sizeof(shown)));
	if (buf_add(out, t->at, len, t->e))
		return -1;
	t->at += len;
	return 0;
}

int toml_key(struct toml *t, struct toml_key *out)
{
	*out = (struct toml_key){ 0 };
	for (;;) {
		AUTO_BUF part = { 0 };
		if (out->count == LIMIT_TOML_DEPTH)
			return toml_refuse(t, "a key has more than %d parts", LIMIT_TOML_DEPTH);
		if (key_part(t, &part))
			return -1;
		out->part[out->count++] = buf_take(&part);
		toml_spaces(t);
		if (!toml_take(t, "."))
			return 0;
		toml_spaces(t);
	}
}

/* The table that the last part of a dotted key goes into. */
static json_t *dotted(struct toml *t, json_t *table, const struct toml_key *key)
{
	for (size_t i = 0; i + 1 < key->count; i++) {
		json_t *next = json_object_get(table, key->part[i]);
		struct toml_made *made = next ? how_made(t, next) : NULL;
		if (!next)
			next = put_container(t, table, key->part[i], false, TOML_DOTTED);
		else if (!made || made->how != TOML_DOTTED)
			return twice(t, key->part[i]);
		if (!next)
			return NULL;
		table = next;
	}
	return table;
}

int toml_pair(struct toml *t, json_t *table)
{
	__attribute__((cleanup(toml_key_release))) struct toml_key key = { 0 };

	if (toml_key(t, &key))
		return -1;
	if (!toml_take(t, "="))
		return toml_refuse(t, "= is expected behind the key");
	toml_spaces(t);
	table = dotted(t, table, &key);
	if (!table)
		return -1;
	if (json_object_get(table, key.part[key.count - 1])) {
		(void)twice(t, key.part[key.count - 1]);
		return -1;
	}
	json_t *value = toml_value(t);
	if (!value)
		return -1;
	return json_object_set_new(table, key.part[key.count - 1], value) ? err_memory(t->e) : 0;
}

/* The table in front of a header's last part. */
static json_t *walk(struct toml *t, const struct toml_key *key)
{
	json_t *table = t->root;

	for (size_t i = 0; i + 1 < key->count; i++) {
		json_t *next = json_object_get(table, key->part[i]);
		struct toml_made *made = next ? how_made(t, next) : NULL;
		if (!next)
			next = put_container(t, table, key->part[i], false, TOML_IMPLIED);
		else if (!made || made->how == TOML_CLOSED)
			return twice(t, key->part[i]);
		else if (made->how == TOML_ELEMENTS)
			next = json_array_get(next, json_array_size(next) - 1);
		if (!next)
			return NULL;
		table = next;
	}
	return table;
}

/* [key] or [[key]], brackets taken. The table it opens. */
static json_t *open_table(struct toml *t, const struct toml_key *key, bool element)
{
	const char *name = key->part[key->count - 1];
	json_t *table = walk(t, key);
	json_t *there = table ? json_object_get(table, name) : NULL;
	struct toml_made *made = there ? how_made(t, there) : NULL;

	if (!table)
		return NULL;
	if (!there && element)
		there = put_container(t, table, name, true, TOML_ELEMENTS);
	else if (!there)
		return put_container(t, table, name, false, TOML_HEADED);
	else if (!made || made->how != (element ? TOML_ELEMENTS : TOML_IMPLIED))
		return twice(t, name);
	if (element)
		return there ? add_element(t, there) : NULL;
	made->how = TOML_HEADED;
	return there;
}

static int header(struct toml *t)
{
	__attribute__((cleanup(toml_key_release))) struct toml_key key = { 0 };
	bool element = toml_take(t, "[");

	toml_spaces(t);
	if (toml_key(t, &key))
		return -1;
	if (!toml_take(t, element ? "]]" : "]"))
		return toml_refuse(t, "%s is expected behind the table's name", element ? "]]" : "]");
	t->table = open_table(t, &key, element);
	return t->table ? 0 : -1;
}

static int statements(struct toml *t)
{
	char shown[80];

	for (;;) {
		toml_blank(t);
		if (t->at == t->end)
			return 0;
		if (toml_take(t, "[") ? header(t) : toml_pair(t, t->table))
			return -1;
		toml_spaces(t);
		if (t->at < t->end && !strchr("\r\n#", *t->at))
			return toml_refuse(t, "the line goes on with %s", toml_shown(t, shown, sizeof(shown)));
	}
}

/* Every byte, before anything is made of them. */
static int check_bytes(struct toml *t)
{
	uint32_t code;

	if (t->end - t->at > (ptrdiff_t)LIMIT_SETTINGS)
		return toml_refuse(t, "the file is larger than %u bytes", LIMIT_SETTINGS);
	for (const char *p = t->at; p < t->end;) {
		size_t n = text_utf8(p, (size_t)(t->end - p), &code);
		if (!n)
			return toml_refuse(t, "is not UTF-8");
		if (code == 0xFEFF && p == t->at)
			return toml_refuse(t, "the file begins with a byte-order mark");
		if (code == '\n')
			t->line++;
		else if ((code == '\r' && (p + 1 == t->end || p[1] != '\n')) ||
			 (code < 0x20 && code != '\t' && code != '\r') || code == 0x7F)
			return toml_refuse(t, "has the control character 0x%02x", (unsigned)code);
		p += n;
	}
	t->line = 1;
	return 0;
}

struct jdoc *toml_parse(const char *bytes, size_t len, struct err *e)
{
	const char *text = len ? bytes : "";
	struct toml t = { .at = text, .end = text + len, .line = 1, .e = e };
	struct jdoc *d = NULL;

	if (check_bytes(&t))
		return NULL;
	t.root = toml_made(&t, json_object(), TOML_HEADED);
	t.table = t.root;
	if (t.root && statements(&t) == 0) {
		d = jdoc_from_tree(t.root, t.values, e);
		t.root = NULL;
	}
	json_decref(t.root);
	free(t.made);
	return d;
}
