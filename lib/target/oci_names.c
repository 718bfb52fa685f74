/* SPDX-License-Identifier: Apache-2.0 */
#include "target/oci_names.h"

#include "oci/json.h"
#include "oci/manifest.h"
#include "oci/platform.h"

#include <string.h>

#define FULL_NAME "io.containerd.image.name"
#define SHORT_NAME "org.opencontainers.image.ref.name"

struct addition {
	char *name;
	char *short_name;
	struct promise root;
	char media_type[MEDIA_TYPE_SIZE];
	bool has_platform;
	struct platform platform;
};

struct oci_names {
	struct jdoc *doc;
	const struct jval *manifests;
	bool *dropped; /* one a descriptor of it */
	struct addition *items;
	size_t count, capacity;
};

static int not_kept(struct err *e)
{
	if (e && e->kind == ERR_CORRUPT)
		e->kind = ERR_TARGET;
	return err_at(e, "index.json");
}

struct oci_names *oci_names_parse(const char *bytes, size_t len, struct err *e)
{
	AUTO(oci_names) n = calloc(1, sizeof(*n));

	if (!n) {
		err_memory(e);
		return NULL;
	}
	n->doc = jdoc_parse(len ? bytes : "", len, e);
	if (!n->doc) {
		not_kept(e);
		return NULL;
	}
	n->manifests = jval_get(jdoc_root(n->doc), "manifests");
	if (!jval_is_object(jdoc_root(n->doc)) || !(jval_is_array(n->manifests) || jval_is_null(n->manifests))) {
		err_set(e, ERR_TARGET, "index.json: is no image index");
		return NULL;
	}
	n->dropped = calloc(jval_count(n->manifests) + 1, sizeof(*n->dropped));
	if (!n->dropped) {
		err_memory(e);
		return NULL;
	}
	return TAKE(n);
}

void oci_names_free(struct oci_names *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->count; i++) {
		free(n->items[i].name);
		free(n->items[i].short_name);
	}
	free(n->items);
	free(n->dropped);
	jdoc_free(n->doc);
	free(n);
}

static const char *annotation(const struct jval *descriptor, const char *key)
{
	return jval_text(jval_get(jval_get(descriptor, "annotations"), key));
}

static bool is_text(const char *have, const char *want)
{
	return have && !strcmp(have, want);
}

static bool has_name(const struct jval *descriptor, const char *name)
{
	return is_text(annotation(descriptor, FULL_NAME), name) || is_text(annotation(descriptor, SHORT_NAME), name);
}

/* The next descriptor from *i on that has this full name; NULL: none. */
static const struct jval *next_named(const struct oci_names *n, const char *name, size_t *i)
{
	for (; *i < jval_count(n->manifests); (*i)++) {
		const struct jval *d = jval_at(n->manifests, *i);
		if (!n->dropped[*i] && has_name(d, name))
			return d;
	}
	return NULL;
}

bool oci_names_find(const struct oci_names *n, const char *name, struct digest *out)
{
	size_t i = 0;
	const struct jval *d = next_named(n, name, &i);

	return d && !jval_get_digest(d, "digest", true, out, NULL);
}

static bool is_free(const struct oci_names *n, const char *short_name)
{
	for (size_t i = 0; i < jval_count(n->manifests); i++)
		if (!n->dropped[i] && is_text(annotation(jval_at(n->manifests, i), SHORT_NAME), short_name))
			return false;
	for (size_t i = 0; i < n->count; i++)
		if (!strcmp(n->items[i].short_name, short_name))
			return false;
	return true;
}

/* It may be there as it shall be: then nothing is changed. */
static bool stands(const struct oci_names *n, const char *name, const struct digest *root, const char **short_name)
{
	struct digest d;

	for (size_t i = 0; next_named(n, name, &i); i++) {
		const struct jval *there = jval_at(n->manifests, i);
		const char *asked = annotation(there, SHORT_NAME);
		if (asked && !jval_get_digest(there, "digest", true, &d, NULL) && digest_equal(&d, root)) {
			*short_name = asked;
			return true;
		}
	}
	return false;
}

int oci_names_add(struct oci_names *n, const char *name, const struct reference *reference,
		  const struct pack_blob *root, const struct platform *platform, const char **short_name, struct err *e)
{
	if (stands(n, name, &root->promise.digest, short_name))
		return 0;
	for (size_t i = 0; next_named(n, name, &i); i++)
		n->dropped[i] = true;
	if (GROW(n->items, n->capacity, n->count, e))
		return -1;
	const bool tag = !reference->has_digest && *reference->tag && is_free(n, reference->tag);
	struct addition *a = &n->items[n->count];
	*a = (struct addition){ .name = strdup(name),
				.short_name = strdup(tag ? reference->tag : name),
				.root = root->promise,
				.has_platform = platform != NULL };
	n->count++;
	if (!a->name || !a->short_name)
		return err_memory(e);
	memcpy(a->media_type, root->media_type, sizeof(a->media_type));
	if (platform)
		a->platform = *platform;
	*short_name = a->short_name;
	return 0;
}

bool oci_names_changed(const struct oci_names *n)
{
	return n->count > 0;
}

static void put_addition(struct jout *j, const struct addition *a)
{
	descriptor_begin(j, a->media_type, &a->root);
	jout_key(j, "annotations");
	jout_object(j);
	jout_key(j, FULL_NAME);
	jout_text(j, a->name);
	jout_key(j, SHORT_NAME);
	jout_text(j, a->short_name);
	jout_end(j);
	if (a->has_platform)
		platform_put(j, &a->platform);
	jout_end(j);
}

static int put_manifests(struct jout *j, const struct oci_names *n)
{
	jout_array(j);
	for (size_t i = 0; i < jval_count(n->manifests); i++)
		if (!n->dropped[i] && jout_value(j, jval_at(n->manifests, i)))
			return -1;
	for (size_t i = 0; i < n->count; i++)
		put_addition(j, &n->items[i]);
	jout_end(j);
	return 0;
}

int oci_names_write(const struct oci_names *n, struct buf *out, struct err *e)
{
	const struct jval *root = jdoc_root(n->doc);
	struct jout j = jout_begin(out);
	const struct jval *value;
	bool put = false;

	jout_object(&j);
	for (size_t i = 0; i < jval_count(root); i++) {
		const char *key = jval_key_at(root, i, &value);
		const bool manifests = !strcmp(key, "manifests");
		jout_key(&j, key);
		if (manifests ? put_manifests(&j, n) : jout_value(&j, value))
			return err_set(e, ERR_TARGET, "index.json: holds a number that cannot be kept as it is");
		put = put || manifests;
	}
	if (!put) {
		jout_key(&j, "manifests");
		(void)put_manifests(&j, n);
	}
	jout_end(&j);
	return jout_finish(&j, e);
}
