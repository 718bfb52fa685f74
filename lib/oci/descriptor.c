/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/descriptor.h"

#include "base/text.h"

#include <string.h>

#define ATTESTATION "vnd.docker.reference.type"

/* RFC 6838 has fewer characters than this; what matters is that nothing in it can end a header line or drive a screen.
 */
bool media_type_valid(const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++)
		if (s[i] < 0x20 || s[i] > 0x7E)
			return false;
	return len > 0 && len < MEDIA_TYPE_SIZE;
}

static int take_media_type(struct descriptor *d, const struct jval *v, struct err *e)
{
	const char *text = NULL;
	char shown[64];

	if (jval_get_text(v, "mediaType", true, &text, e))
		return -1;
	if (!media_type_valid(text))
		return err_set(e, ERR_CORRUPT,
			       "\"mediaType\" is \"%s\", which is not a media type of at most %d characters",
			       text_escape_str(shown, sizeof(shown), text), MEDIA_TYPE_SIZE - 1);
	memcpy(d->media_type, text, strlen(text) + 1);
	return 0;
}

static int take_urls(struct descriptor *d, const struct jval *v, struct err *e)
{
	const struct jval *urls = jval_get(v, "urls");

	if (!jval_is_null(urls) && !jval_is_array(urls))
		return err_set(e, ERR_CORRUPT, "\"urls\" is not an array");
	for (size_t i = 0; i < jval_count(urls); i++)
		if (!jval_is_string(jval_at(urls, i)))
			return err_set(e, ERR_CORRUPT, "\"urls\" has an element that is not a string");
	d->foreign = jval_count(urls) > 0;
	return 0;
}

static int take_annotations(struct descriptor *d, const struct jval *v, struct err *e)
{
	const struct jval *annotations = jval_get(v, "annotations");

	if (!jval_is_null(annotations) && !jval_is_object(annotations))
		return err_set(e, ERR_CORRUPT, "\"annotations\" is not an object");
	d->attestation = jval_get(annotations, ATTESTATION) != NULL;
	return 0;
}

int descriptor_parse(struct descriptor *out, const struct jval *v, struct err *e)
{
	static const char *const names[] = { "mediaType", "digest", "size", "urls", "annotations", "platform" };
	struct descriptor d = { 0 };

	if (!jval_is_object(v))
		return err_set(e, ERR_CORRUPT, "not a descriptor, expected an object with mediaType, digest and size");
	if (jval_check_names(v, names, sizeof(names) / sizeof(names[0]), e) || take_media_type(&d, v, e) ||
	    jval_get_digest(v, "digest", true, &d.promise.digest, e) ||
	    jval_get_u64(v, "size", true, &d.promise.size, e) || take_urls(&d, v, e) || take_annotations(&d, v, e))
		return -1;
	if (platform_from_json(&d.platform, jval_get(v, "platform"), e))
		return err_at(e, "\"platform\"");
	*out = d;
	return 0;
}

int descriptors_parse(struct descriptor **out, size_t *count, const struct jval *array, size_t limit, const char *noun,
		      struct err *e)
{
	AUTO_MEM struct descriptor *all = NULL;
	size_t n = jval_count(array);

	if (!jval_is_null(array) && !jval_is_array(array))
		return err_set(e, ERR_CORRUPT, "the list of %s is not an array", noun);
	if (n > limit)
		return err_set(e, ERR_CORRUPT, "%zu %s, at most %zu are allowed", n, noun, limit);
	if (n) {
		all = calloc(n, sizeof(*all));
		if (!all)
			return err_memory(e);
	}
	for (size_t i = 0; i < n; i++)
		if (descriptor_parse(&all[i], jval_at(array, i), e))
			return err_at(e, "%zu of %zu %s", i + 1, n, noun);
	*out = TAKE(all);
	*count = n;
	return 0;
}

void descriptor_begin(struct jout *j, const char *media_type, const struct promise *p)
{
	jout_object(j);
	jout_key(j, "mediaType");
	jout_text(j, media_type);
	jout_key(j, "digest");
	jout_digest(j, &p->digest);
	jout_key(j, "size");
	jout_u64(j, p->size);
}

void index_begin(struct jout *j)
{
	jout_object(j);
	jout_key(j, "schemaVersion");
	jout_u64(j, 2);
	jout_key(j, "mediaType");
	jout_text(j, MEDIA_OCI_INDEX);
	jout_key(j, "manifests");
	jout_array(j);
}

void index_end(struct jout *j)
{
	jout_end(j);
	jout_end(j);
}
