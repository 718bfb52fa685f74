/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/referrers.h"

#include "base/limits.h"
#include "oci/descriptor.h"

#include <stdio.h>
#include <string.h>

const char *const referrers_suffixes[] = { ".sig", ".att", ".sbom", NULL };

const char *referrers_tag(const struct digest *subject, const char *suffix, char out[REFERRERS_TAG_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	(void)snprintf(out, REFERRERS_TAG_SIZE, "sha256-%s%s", digest_hex(subject, hex), suffix);
	return out;
}

bool referrers_tag_valid(const char *tag, const struct digest *subject)
{
	char want[REFERRERS_TAG_SIZE];

	for (const char *const *suffix = referrers_suffixes; *suffix; suffix++)
		if (!strcmp(tag, referrers_tag(subject, *suffix, want)))
			return true;
	return false;
}

/* What the entry says of the manifest. */
struct entry {
	const struct jval *root; /* of the manifest */
	const struct manifest *manifest;
	struct promise promise;
	char media_type[MEDIA_TYPE_SIZE];
};

static int put_entry(struct jout *j, const struct entry *entry, struct err *e)
{
	const struct jval *annotations = jval_get(entry->root, "annotations");

	descriptor_begin(j, entry->media_type, &entry->promise);
	jout_key(j, "artifactType");
	jout_text(j, entry->manifest->artifact_type);
	if (jval_is_object(annotations)) {
		jout_key(j, "annotations");
		if (jout_value(j, annotations))
			return err_set(e, ERR_CORRUPT, "its annotations hold a number with a fraction");
	}
	jout_end(j);
	return 0;
}

static bool names(const struct jval *manifests, const struct digest *d)
{
	char want[DIGEST_TEXT_SIZE];

	digest_text(d, want);
	for (size_t i = 0; i < jval_count(manifests); i++) {
		const char *have = jval_text(jval_get(jval_at(manifests, i), "digest"));
		if (have && !strcmp(have, want))
			return true;
	}
	return false;
}

static int put_new(struct jout *j, const struct entry *entry, struct err *e)
{
	index_begin(j);
	if (put_entry(j, entry, e))
		return -1;
	index_end(j);
	return 0;
}

static int cannot_copy(struct err *e)
{
	return err_set(e, ERR_TARGET,
		       "the index that stands there holds a number with a fraction, so it is not touched");
}

/* Everything that stands there in its order, and the entry behind the others. */
static int put_grown(struct jout *j, const struct jval *old, const struct entry *entry, struct err *e)
{
	bool done = false;

	jout_object(j);
	for (size_t i = 0; i < jval_count(old); i++) {
		const struct jval *value;
		const char *key = jval_key_at(old, i, &value);
		jout_key(j, key);
		if (strcmp(key, "manifests") != 0) {
			if (jout_value(j, value))
				return cannot_copy(e);
			continue;
		}
		jout_array(j);
		for (size_t k = 0; k < jval_count(value); k++)
			if (jout_value(j, jval_at(value, k)))
				return cannot_copy(e);
		if (put_entry(j, entry, e))
			return -1;
		jout_end(j);
		done = true;
	}
	if (!done) {
		jout_key(j, "manifests");
		jout_array(j);
		if (put_entry(j, entry, e))
			return -1;
		jout_end(j);
	}
	jout_end(j);
	return 0;
}

static int merge(const struct jval *old, const struct entry *entry, struct buf *out, struct err *e)
{
	enum paper_kind kind;
	const char *type;
	struct err why = { 0 };
	struct jout j = jout_begin(out);

	if (old && (paper_kind_of(old, NULL, &kind, &type, &why) || kind != PAPER_INDEX))
		return err_set(e, ERR_TARGET, "what stands there is no index of referrers, so it is not touched");
	if (old && names(jval_get(old, "manifests"), &entry->promise.digest))
		return 0;
	if ((old ? put_grown(&j, old, entry, e) : put_new(&j, entry, e)) || jout_finish(&j, e))
		return -1;
	if (out->len > LIMIT_MANIFEST)
		return err_set(e, ERR_TARGET, "the index of referrers there would have %zu bytes, more than %u",
			       out->len, LIMIT_MANIFEST);
	return 1;
}

int referrers_merge(const char *old, size_t old_len, const char *manifest, size_t len, struct buf *out, struct err *e)
{
	struct err why = { 0 };
	enum paper_kind kind;
	struct entry entry = { .promise.size = len };
	AUTO(jdoc) doc = jdoc_parse(manifest, len, e);
	AUTO(manifest) parsed = doc ? manifest_parse(manifest, len, e) : NULL;
	AUTO(jdoc) there = NULL;

	if (!parsed || paper_kind(manifest, len, NULL, &kind, entry.media_type, e) ||
	    digest_of(&entry.promise.digest, manifest, len, e))
		return -1;
	entry.root = jdoc_root(doc);
	entry.manifest = parsed;
	if (old && !(there = jdoc_parse(old, old_len, &why)))
		return err_set(e, ERR_TARGET, "what stands there is no index of referrers: %s", why.text);
	return merge(there ? jdoc_root(there) : NULL, &entry, out, e);
}
