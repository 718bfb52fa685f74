/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "oci/json.h"
#include "oci/manifest.h"

#include <string.h>

void config_free(struct config *c)
{
	if (!c)
		return;
	free(c->diff_ids);
	free(c->created);
	free(c);
}

static int take_diff_ids(struct config *c, const struct jval *rootfs, struct err *e)
{
	static const char *const names[] = { "diff_ids" };
	const struct jval *ids = jval_get(rootfs, "diff_ids");
	size_t count = jval_count(ids);

	if (!jval_is_object(rootfs))
		return err_set(e, ERR_CORRUPT,
			       "\"rootfs\" is missing or not an object; it is not the configuration of an image");
	if (jval_check_names(rootfs, names, 1, e))
		return -1;
	if (!jval_is_null(ids) && !jval_is_array(ids))
		return err_set(e, ERR_CORRUPT, "\"diff_ids\" is not an array");
	if (count > LIMIT_LAYERS)
		return err_set(e, ERR_CORRUPT, "\"diff_ids\" names %zu layers, at most %d are allowed", count,
			       LIMIT_LAYERS);
	if (!count)
		return 0;
	c->diff_ids = calloc(count, sizeof(*c->diff_ids));
	if (!c->diff_ids)
		return err_memory(e);
	for (size_t i = 0; i < count; i++) {
		const char *text = jval_text(jval_at(ids, i));

		if (!text)
			return err_set(e, ERR_CORRUPT, "\"diff_ids\" has an element that is not a string");
		if (digest_parse(&c->diff_ids[i], text, strlen(text), e))
			return err_at(e, "%zu of %zu diff_ids", i + 1, count);
	}
	c->count = count;
	return 0;
}

static int take_created(struct config *c, const struct jval *root, struct err *e)
{
	const char *created = NULL;

	if (jval_get_text(root, "created", false, &created, e))
		return -1;
	if (!created)
		return 0;
	c->created = strdup(created);
	return c->created ? 0 : err_memory(e);
}

struct config *config_parse(const char *bytes, size_t len, struct err *e)
{
	static const char *const names[] = { "rootfs", "created" };
	AUTO(jdoc) d = jdoc_parse(bytes, len, e);

	if (!d)
		return NULL;
	const struct jval *root = jdoc_root(d);
	if (!jval_is_object(root)) {
		err_set(e, ERR_CORRUPT, "it is not a JSON object");
		return NULL;
	}
	AUTO(config) c = calloc(1, sizeof(*c));
	if (!c) {
		err_memory(e);
		return NULL;
	}
	if (jval_check_names(root, names, sizeof(names) / sizeof(names[0]), e) ||
	    platform_from_json(&c->platform, root, e) || take_diff_ids(c, jval_get(root, "rootfs"), e) ||
	    take_created(c, root, e))
		return NULL;
	return TAKE(c);
}
