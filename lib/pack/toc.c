/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/text.h"
#include "pack/toc_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void toc_free(struct toc *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->image_count; i++) {
		free(t->images[i].name);
		free(t->images[i].platforms);
		free(t->images[i].referrers);
	}
	free(t->images);
	free(t->members);
	free(t->absent);
	free(t);
}

/* Reading the fields. What a value means is checked later, in toc_check.c. */

static int list_of(const struct jval *object, const char *key, size_t max, const struct jval **list, struct err *e)
{
	const struct jval *v = jval_get(object, key);

	if (!jval_is_array(v))
		return err_set(e, ERR_CORRUPT, "%s is no list", key);
	if (jval_count(v) > max)
		return err_set(e, ERR_CORRUPT, "%s has %zu entries, at most %zu are allowed", key, jval_count(v), max);
	*list = v;
	return 0;
}

static int read_media_type(const struct jval *object, char out[MEDIA_TYPE_SIZE], struct err *e)
{
	const char *text = NULL;

	if (jval_get_text(object, "mediaType", true, &text, e))
		return -1;
	if (strlen(text) >= MEDIA_TYPE_SIZE)
		return err_set(e, ERR_CORRUPT, "mediaType has %zu bytes, at most %d are allowed", strlen(text),
			       MEDIA_TYPE_SIZE - 1);
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int read_promise(const struct jval *object, struct promise *out, struct err *e)
{
	if (jval_get_digest(object, "digest", true, &out->digest, e) ||
	    jval_get_u64(object, "size", true, &out->size, e))
		return -1;
	if (out->size > INT64_MAX)
		return err_set(e, ERR_CORRUPT, "size %" PRIu64 " is more than a file can have", out->size);
	return 0;
}

static int read_platforms(const struct jval *object, struct toc_image *image, struct err *e)
{
	const struct jval *list = NULL;

	if (list_of(object, "platforms", LIMIT_INDEX_ENTRIES, &list, e))
		return -1;
	image->platforms = calloc(jval_count(list) + 1, sizeof(*image->platforms));
	if (!image->platforms)
		return err_memory(e);
	for (size_t i = 0; i < jval_count(list); i++) {
		struct toc_platform *p = &image->platforms[i];
		const struct jval *v = jval_at(list, i);
		const struct jval *platform = jval_get(v, "platform");
		if (jval_get_digest(v, "manifest", true, &p->manifest, e) ||
		    (platform && platform_from_json(&p->platform, platform, e)))
			return err_at(e, "platforms[%zu]", i);
	}
	image->platform_count = jval_count(list);
	return 0;
}

static int read_referrer(const struct jval *v, struct toc_referrer *r, struct err *e)
{
	const char *tag = "";

	if (jval_get_digest(v, "manifest", true, &r->manifest, e) || jval_get_text(v, "tag", false, &tag, e) ||
	    jval_get_digest(v, "subject", true, &r->subject, e))
		return -1;
	if (strlen(tag) >= sizeof(r->tag))
		return err_set(e, ERR_CORRUPT, "its tag has %zu characters", strlen(tag));
	memcpy(r->tag, tag, strlen(tag) + 1);
	return 0;
}

static int read_referrers(const struct jval *object, struct toc_image *image, struct err *e)
{
	const struct jval *list = NULL;

	if (!jval_get(object, "referrers"))
		return 0;
	if (list_of(object, "referrers", LIMIT_REFERRERS, &list, e))
		return -1;
	image->referrers = calloc(jval_count(list) + 1, sizeof(*image->referrers));
	if (!image->referrers)
		return err_memory(e);
	for (size_t i = 0; i < jval_count(list); i++)
		if (read_referrer(jval_at(list, i), &image->referrers[i], e))
			return err_at(e, "referrers[%zu]", i);
	image->referrer_count = jval_count(list);
	return 0;
}

static int read_image(const struct jval *v, struct toc_image *image, struct err *e)
{
	const struct jval *source = jval_get(v, "source");
	const char *name = NULL;

	if (jval_get_text(v, "name", false, &name, e) || jval_get_digest(v, "root", true, &image->root, e) ||
	    read_media_type(v, image->root_media_type, e))
		return -1;
	if (source) {
		image->has_source = true;
		if (read_promise(source, &image->source, e) || read_media_type(source, image->source_media_type, e))
			return err_at(e, "source");
	}
	if (name) {
		image->name = strdup(name);
		if (!image->name)
			return err_memory(e);
	}
	return read_platforms(v, image, e) || read_referrers(v, image, e) ? -1 : 0;
}

static int read_images(const struct jval *root, struct toc *t, struct err *e)
{
	const struct jval *list = NULL;

	if (list_of(root, "images", LIMIT_IMAGES, &list, e))
		return -1;
	t->images = calloc(jval_count(list) + 1, sizeof(*t->images));
	if (!t->images)
		return err_memory(e);
	for (size_t i = 0; i < jval_count(list); i++) {
		t->image_count = i + 1;
		if (read_image(jval_at(list, i), &t->images[i], e))
			return err_at(e, "images[%zu]", i);
	}
	return 0;
}

static int read_member(const struct jval *v, struct toc_member *m, struct err *e)
{
	char shown[MEMBER_NAME_SIZE];
	const char *name = NULL;
	const char *hex = NULL;

	if (jval_get_text(v, "name", true, &name, e) || jval_get_u64(v, "size", true, &m->promise.size, e) ||
	    jval_get_text(v, "sha256", true, &hex, e))
		return -1;
	if (strlen(name) >= sizeof(m->name))
		return err_set(e, ERR_CORRUPT, "its name has %zu bytes", strlen(name));
	memcpy(m->name, name, strlen(name) + 1);
	if (!digest_parse_hex(&m->promise.digest, hex, strlen(hex)))
		return err_set(e, ERR_CORRUPT, "its sha256 is '%s', not 64 hex digits",
			       text_escape_str(shown, sizeof(shown), hex));
	if (m->promise.size > INT64_MAX)
		return err_set(e, ERR_CORRUPT, "size %" PRIu64 " is more than a file can have", m->promise.size);
	return 0;
}

static int read_members(const struct jval *root, struct toc *t, struct err *e)
{
	const struct jval *list = NULL;

	if (list_of(root, "members", LIMIT_MEMBERS - 1, &list, e))
		return -1;
	t->members = calloc(jval_count(list) + 1, sizeof(*t->members));
	if (!t->members)
		return err_memory(e);
	for (size_t i = 0; i < jval_count(list); i++)
		if (read_member(jval_at(list, i), &t->members[i], e))
			return err_at(e, "members[%zu]", i);
	t->member_count = jval_count(list);
	return 0;
}

static int read_absent(const struct jval *root, struct toc *t, struct err *e)
{
	const struct jval *list = NULL;

	if (!jval_get(root, "absent"))
		return 0;
	if (list_of(root, "absent", LIMIT_MEMBERS, &list, e))
		return -1;
	t->absent = calloc(jval_count(list) + 1, sizeof(*t->absent));
	if (!t->absent)
		return err_memory(e);
	for (size_t i = 0; i < jval_count(list); i++)
		if (read_promise(jval_at(list, i), &t->absent[i], e))
			return err_at(e, "absent[%zu]", i);
	t->absent_count = jval_count(list);
	return 0;
}

static int read_version(const struct jval *root, struct err *e)
{
	uint64_t version = 0;

	if (!jval_is_object(root))
		return err_set(e, ERR_CORRUPT, "is not a JSON object");
	if (jval_get_u64(root, "imgpack", true, &version, e))
		return -1;
	if (version != TOC_VERSION)
		return err_set(e, ERR_CORRUPT,
			       "has version %" PRIu64 ", this program knows version %d; use a newer imgpack", version,
			       TOC_VERSION);
	return 0;
}

struct toc *toc_parse(const char *bytes, size_t len, struct err *e)
{
	if (len > LIMIT_TOC) {
		err_set(e, ERR_CORRUPT, "has %zu bytes, at most %u are allowed", len, LIMIT_TOC);
		return NULL;
	}
	AUTO(toc) t = calloc(1, sizeof(*t));
	if (!t) {
		err_memory(e);
		return NULL;
	}
	AUTO(jdoc) doc = jdoc_parse(bytes, len, e);
	if (!doc)
		return NULL;
	const struct jval *root = jdoc_root(doc);
	if (read_version(root, e) || read_images(root, t, e) || read_members(root, t, e) || read_absent(root, t, e) ||
	    toc_check(t, bytes, len, e))
		return NULL;
	return TAKE(t);
}
