/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/jval.h"

#include "base/text.h"
#include "oci/fold.h"

#include <string.h>

static bool is(const struct jval *v, enum jval_kind kind)
{
	return v && v->kind == kind;
}

bool jval_is_object(const struct jval *v)
{
	return is(v, JVAL_OBJECT);
}

bool jval_is_array(const struct jval *v)
{
	return is(v, JVAL_ARRAY);
}

bool jval_is_string(const struct jval *v)
{
	return is(v, JVAL_STRING);
}

bool jval_is_null(const struct jval *v)
{
	return !v || v->kind == JVAL_NULL;
}

const struct jval *jval_get(const struct jval *v, const char *key)
{
	if (!jval_is_object(v))
		return NULL;
	for (size_t i = 0; i < v->count; i++)
		if (strcmp(v->children[i].key, key) == 0)
			return &v->children[i];
	return NULL;
}

size_t jval_count(const struct jval *v)
{
	return jval_is_array(v) || jval_is_object(v) ? v->count : 0;
}

const struct jval *jval_at(const struct jval *array, size_t i)
{
	return jval_is_array(array) && i < array->count ? &array->children[i] : NULL;
}

const char *jval_key_at(const struct jval *object, size_t i, const struct jval **value)
{
	if (!jval_is_object(object) || i >= object->count)
		return NULL;
	if (value)
		*value = &object->children[i];
	return object->children[i].key;
}

const char *jval_text(const struct jval *v)
{
	return jval_is_string(v) ? v->text : NULL;
}

static const char *kind_name(const struct jval *v)
{
	static const char *const names[] = { "null",           "true or false",
					     "a whole number", "a number with a fraction or exponent",
					     "a string",       "an array",
					     "an object" };

	return names[v->kind];
}

/*
 * The member `key`, which must be of this kind: *found. NULL in *found if it is absent or null and need not be there.
 * docker takes a null for the zero value, so null stands for absent.
 */
static int member(const struct jval *object, const char *key, bool required, enum jval_kind kind, const char *expected,
		  const struct jval **found, struct err *e)
{
	const struct jval *v = jval_get(object, key);

	*found = NULL;
	if (jval_is_null(v))
		return required ? err_set(e, ERR_CORRUPT, "\"%s\" is missing, expected %s", key, expected) : 0;
	if (v->kind != kind)
		return err_set(e, ERR_CORRUPT, "\"%s\" is %s, expected %s", key, kind_name(v), expected);
	*found = v;
	return 0;
}

int jval_get_text(const struct jval *object, const char *key, bool required, const char **out, struct err *e)
{
	const struct jval *v;

	if (member(object, key, required, JVAL_STRING, "a string", &v, e))
		return -1;
	if (v)
		*out = v->text;
	return 0;
}

int jval_get_u64(const struct jval *object, const char *key, bool required, uint64_t *out, struct err *e)
{
	const struct jval *v;

	if (member(object, key, required, JVAL_INTEGER, "a whole number", &v, e))
		return -1;
	if (v && v->integer < 0)
		return err_set(e, ERR_CORRUPT, "\"%s\" is %lld, expected 0 or more", key, (long long)v->integer);
	if (v)
		*out = (uint64_t)v->integer;
	return 0;
}

int jval_get_bool(const struct jval *object, const char *key, bool required, bool *out, struct err *e)
{
	const struct jval *v;

	if (member(object, key, required, JVAL_BOOL, "true or false", &v, e))
		return -1;
	if (v)
		*out = v->integer != 0;
	return 0;
}

int jval_get_digest(const struct jval *object, const char *key, bool required, struct digest *out, struct err *e)
{
	const struct jval *v;

	if (member(object, key, required, JVAL_STRING, "a digest", &v, e))
		return -1;
	if (v && digest_parse(out, v->text, strlen(v->text), e))
		return err_at(e, "\"%s\"", key);
	return 0;
}

int jval_check_names(const struct jval *object, const char *const *names, size_t count, struct err *e)
{
	char shown[64];

	for (size_t i = 0; jval_is_object(object) && i < object->count; i++) {
		const char *key = object->children[i].key;

		for (size_t k = 0; k < count; k++)
			if (fold_compare(key, names[k]) == 0 && strcmp(key, names[k]) != 0)
				return err_set(e, ERR_CORRUPT, "JSON has the key \"%s\", which docker takes for \"%s\"",
					       text_escape_str(shown, sizeof(shown), key), names[k]);
	}
	return 0;
}
