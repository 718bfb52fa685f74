/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of paper some bytes are, and what a media type says about a layer. */
#include "base/text.h"
#include "oci/descriptor.h"

#include <string.h>
#include <strings.h>

static const struct known {
	const char *media_type;
	enum paper_kind kind;
} known[] = {
	{ MEDIA_OCI_INDEX, PAPER_INDEX },        { MEDIA_DOCKER_LIST, PAPER_INDEX },
	{ MEDIA_OCI_MANIFEST, PAPER_MANIFEST },  { MEDIA_DOCKER_MANIFEST, PAPER_MANIFEST },
	{ MEDIA_DOCKER_SCHEMA1, PAPER_SCHEMA1 }, { MEDIA_DOCKER_SCHEMA1_SIGNED, PAPER_SCHEMA1 },
};

static const char *const kind_names[] = { "an index", "a manifest", "a manifest of schema 1" };

static const struct known *known_body(const char *media_type)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(media_type, known[i].media_type) == 0)
			return &known[i];
	return NULL;
}

/* A header's value: parameters are cut off, letters may be of either case. NULL for types that say nothing. */
static const struct known *known_header(const char *content_type)
{
	size_t len;

	if (!content_type)
		return NULL;
	content_type += strspn(content_type, " \t");
	len = strcspn(content_type, "; \t,");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].media_type) == len && strncasecmp(content_type, known[i].media_type, len) == 0)
			return &known[i];
	return NULL;
}

static bool has(const struct jval *root, const char *key)
{
	return !jval_is_null(jval_get(root, key));
}

/* What the keys alone say: *kinds[k] is true if there are keys that only papers of kind k have. */
static void look_at_keys(const struct jval *root, bool kinds[3])
{
	kinds[PAPER_INDEX] = has(root, "manifests");
	kinds[PAPER_MANIFEST] = has(root, "layers") || has(root, "config");
	kinds[PAPER_SCHEMA1] = has(root, "fsLayers");
}

static const struct known *known_keys(const struct jval *root, const bool kinds[3])
{
	if (kinds[PAPER_INDEX])
		return known_body(MEDIA_OCI_INDEX);
	if (kinds[PAPER_MANIFEST])
		return known_body(MEDIA_OCI_MANIFEST);
	if (kinds[PAPER_SCHEMA1])
		return known_body(has(root, "signatures") ? MEDIA_DOCKER_SCHEMA1_SIGNED : MEDIA_DOCKER_SCHEMA1);
	return NULL;
}

/* What the body's mediaType says; *said stays NULL if it has none. */
static int look_at_type(const struct jval *root, const struct known **said, struct err *e)
{
	const char *text = NULL;
	char shown[MEDIA_TYPE_SIZE];

	if (jval_get_text(root, "mediaType", false, &text, e))
		return -1;
	if (!text || !*text) /* "" is to a Go program the same as none */
		return 0;
	*said = known_body(text);
	if (!*said)
		return err_set(e, ERR_CORRUPT, "its mediaType is \"%s\", which is neither an image nor an index",
			       text_escape_str(shown, sizeof(shown), text));
	return 0;
}

/* The keys must be those of the type; without a mediaType in the body they are the only proof, so some must be there.
 */
static int keys_fit(const struct known *type, const bool kinds[3], bool proven, struct err *e)
{
	for (int k = 0; k < 3; k++)
		if (kinds[k] && k != (int)type->kind)
			return err_set(e, ERR_CORRUPT, "its type is \"%s\", its keys are those of %s", type->media_type,
				       kind_names[k]);
	if (!proven && !kinds[type->kind])
		return err_set(e, ERR_CORRUPT, "the registry's Content-Type is \"%s\", but it has no key of %s",
			       type->media_type, kind_names[type->kind]);
	return 0;
}

/* The type that the body, the header and the keys agree about; NULL on error. */
static const struct known *decide(const struct jval *root, const char *content_type, struct err *e)
{
	const struct known *header = known_header(content_type);
	const struct known *body = NULL;
	const struct known *chosen;
	bool kinds[3];

	look_at_keys(root, kinds);
	if (kinds[PAPER_INDEX] + kinds[PAPER_MANIFEST] + kinds[PAPER_SCHEMA1] > 1) {
		err_set(e, ERR_CORRUPT,
			"it has the keys of an index and of a manifest at once, so programs would disagree "
			"about what it is");
		return NULL;
	}
	if (look_at_type(root, &body, e))
		return NULL;
	if (body && header && header != body) {
		err_set(e, ERR_CORRUPT, "its mediaType is \"%s\", the registry's Content-Type is \"%s\"",
			body->media_type, header->media_type);
		return NULL;
	}
	chosen = body ? body : header ? header : known_keys(root, kinds);
	if (!chosen) {
		err_set(e, ERR_CORRUPT,
			"it is neither an index nor a manifest, expected the key \"manifests\" or \"layers\"");
		return NULL;
	}
	return keys_fit(chosen, kinds, body != NULL, e) ? NULL : chosen;
}

/* The version must be the kind's; Go programs take an absent one for 0 and do not mind. */
static int version_check(const struct jval *root, enum paper_kind kind, struct err *e)
{
	uint64_t wanted = kind == PAPER_SCHEMA1 ? 1 : 2;
	uint64_t version = wanted;

	if (jval_get_u64(root, "schemaVersion", false, &version, e))
		return -1;
	if (version != wanted)
		return err_set(e, ERR_CORRUPT, "its schemaVersion is %llu, expected %llu for %s",
			       (unsigned long long)version, (unsigned long long)wanted, kind_names[kind]);
	return 0;
}

int paper_kind_of(const struct jval *root, const char *content_type, enum paper_kind *kind, const char **media_type,
		  struct err *e)
{
	static const char *const names[] = {
		"mediaType", "manifests", "layers", "config", "fsLayers", "schemaVersion"
	};

	if (!jval_is_object(root))
		return err_set(e, ERR_CORRUPT, "it is not a JSON object");
	if (jval_check_names(root, names, sizeof(names) / sizeof(names[0]), e))
		return -1;
	const struct known *chosen = decide(root, content_type, e);
	if (!chosen || version_check(root, chosen->kind, e))
		return -1;
	*kind = chosen->kind;
	*media_type = chosen->media_type;
	return 0;
}

int paper_kind(const char *bytes, size_t len, const char *content_type, enum paper_kind *kind,
	       char media_type[MEDIA_TYPE_SIZE], struct err *e)
{
	const char *type = "";
	AUTO(jdoc) d = jdoc_parse(bytes, len, e);

	if (!d || paper_kind_of(jdoc_root(d), content_type, kind, &type, e))
		return -1;
	memcpy(media_type, type, strlen(type) + 1);
	return 0;
}

/* What stands behind the part that all layers of one family share, or NULL. */
static const char *layer_suffix(const char *media_type)
{
	static const char *const families[] = {
		MEDIA_OCI_LAYER,
		"application/vnd.oci.image.layer.nondistributable.v1.tar",
		MEDIA_DOCKER_LAYER,
		"application/vnd.docker.image.rootfs.foreign.diff.tar",
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (strncasecmp(media_type, families[i], strlen(families[i])) == 0)
			return media_type + strlen(families[i]);
	return NULL;
}

bool media_is_layer(const char *media_type)
{
	return layer_suffix(media_type) != NULL;
}

enum layer_coding layer_coding(const char *media_type)
{
	static const struct {
		const char *suffix;
		enum layer_coding coding;
	} codings[] = { { "", LAYER_TAR },     { "+gzip", LAYER_GZIP }, { ".gzip", LAYER_GZIP },
			{ ".gz", LAYER_GZIP }, { "+zstd", LAYER_ZSTD }, { ".zstd", LAYER_ZSTD } };
	const char *suffix = layer_suffix(media_type);

	if (!suffix)
		return LAYER_UNKNOWN;
	size_t len = strcspn(suffix, "; \t");
	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
		if (strlen(codings[i].suffix) == len && strncasecmp(suffix, codings[i].suffix, len) == 0)
			return codings[i].coding;
	return LAYER_UNKNOWN;
}
