/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/manifest.h"

#include "base/limits.h"
#include "oci/descriptor.h"

#include <string.h>

void manifest_free(struct manifest *m)
{
	if (!m)
		return;
	free(m->layers);
	free(m);
}

/*
 * True for an image's configuration. Docker 1.10 and old registries left other types in schema 2 manifests, and docker
 * still takes them (distribution issue 1621); in OCI manifests the same types mean an artifact.
 */
static bool is_image_config(const char *media_type, const char *manifest_type)
{
	static const char *const old[] = { "application/octet-stream", "application/json", "text/html" };

	if (strcmp(media_type, MEDIA_OCI_CONFIG) == 0 || strcmp(media_type, MEDIA_DOCKER_CONFIG) == 0)
		return true;
	for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++)
		if (strcmp(manifest_type, MEDIA_DOCKER_MANIFEST) == 0 && strcmp(media_type, old[i]) == 0)
			return true;
	return false;
}

/* cosign and BuildKit store signatures and attestations as manifests with an image's config: their layers tell. */
static bool is_image(const struct manifest *m, const char *manifest_type)
{
	for (size_t i = 0; i < m->count; i++)
		if (!media_is_layer(m->layers[i].media_type))
			return false;
	return is_image_config(m->config.media_type, manifest_type);
}

static void take_artifact(struct manifest *m, const struct jval *root)
{
	const char *type = jval_text(jval_get(root, "artifactType"));
	struct descriptor subject;

	if (!type || !media_type_valid(type))
		type = m->config.media_type;
	memcpy(m->artifact_type, type, strlen(type) + 1);
	m->has_subject = !descriptor_parse(&subject, jval_get(root, "subject"), NULL);
	if (m->has_subject)
		m->subject = subject.promise.digest;
}

struct manifest *manifest_parse(const char *bytes, size_t len, struct err *e)
{
	enum paper_kind kind;
	const char *type;
	AUTO(jdoc) d = jdoc_parse(bytes, len, e);

	if (!d || paper_kind_of(jdoc_root(d), NULL, &kind, &type, e))
		return NULL;
	if (kind != PAPER_MANIFEST) {
		err_set(e, ERR_CORRUPT, "it is %s, expected a manifest",
			kind == PAPER_INDEX ? "an index" : "a manifest of the old schema 1");
		return NULL;
	}
	AUTO(manifest) m = calloc(1, sizeof(*m));
	if (!m) {
		err_memory(e);
		return NULL;
	}
	if (descriptor_parse(&m->config, jval_get(jdoc_root(d), "config"), e)) {
		err_at(e, "config");
		return NULL;
	}
	if (descriptors_parse(&m->layers, &m->count, jval_get(jdoc_root(d), "layers"), LIMIT_LAYERS, "layers", e))
		return NULL;
	m->image = is_image(m, type);
	take_artifact(m, jdoc_root(d));
	return TAKE(m);
}
