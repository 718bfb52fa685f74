/* SPDX-License-Identifier: Apache-2.0 */
#include "target/docker_check.h"

#include "base/limits.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

/* True if `text` is this reference, however docker or podman shorten it. */
static bool same_name(const struct reference *want, const char *text, bool by_digest)
{
	struct reference have;
	struct err ignored;

	if (!text || reference_parse(&have, text, &ignored))
		return false;
	if (strcmp(have.registry, want->registry) != 0 || strcmp(have.repository, want->repository) != 0)
		return false;
	if (by_digest)
		return have.has_digest && digest_equal(&have.digest, &want->digest);
	return !have.has_digest && !strcmp(have.tag, want->tag);
}

static bool list_has(const struct jval *list, const struct reference *want, bool by_digest)
{
	for (size_t i = 0; i < jval_count(list); i++)
		if (same_name(want, jval_text(jval_at(list, i)), by_digest))
			return true;
	return false;
}

static bool layers_equal(const struct jval *layers, const struct pack_manifest *m)
{
	struct digest d;

	if (!jval_is_array(layers) || jval_count(layers) != m->layer_count)
		return m->layer_count == 0 && jval_is_null(layers);
	for (size_t i = 0; i < m->layer_count; i++) {
		const char *text = jval_text(jval_at(layers, i));
		if (!text || digest_parse(&d, text, strlen(text), NULL) || !digest_equal(&d, &m->diff_ids[i]))
			return false;
	}
	return true;
}

/* "sha256:<hex>"; old podmans leave the algorithm out. */
static int read_id(const struct jval *image, struct digest *out, struct err *e)
{
	char shown[128];
	const char *text = jval_text(jval_get(image, "Id"));

	if (!text)
		return err_set(e, ERR_TARGET, "the daemon shows the image without an ID");
	if (digest_parse(out, text, strlen(text), NULL) && !digest_parse_hex(out, text, strlen(text)))
		return err_set(e, ERR_TARGET, "the daemon shows the image with an ID that is none: %s",
			       text_escape_str(shown, sizeof(shown), text));
	return 0;
}

int docker_look(struct docker *d, const struct docker_want *want, struct docker_seen *seen, struct err *e)
{
	char path[REFERENCE_TEXT_SIZE + 16];
	struct docker_seen s = { 0 };
	struct jdoc *answer = NULL;

	/* Names are made of letters, digits and "._-/:@[]": nothing that a path would have to escape. */
	(void)snprintf(path, sizeof(path), "/images/%s/json", want->ask);
	if (docker_get(d, path, true, &answer, e))
		return -1;
	AUTO(jdoc) doc = answer;
	if (doc) {
		const struct jval *image = jdoc_root(doc);
		const struct jval *layers = jval_get(jval_get(image, "RootFS"), "Layers");
		if (read_id(image, &s.id, e))
			return err_at(e, "%s", path);
		s.there = true;
		s.layer_count = jval_count(layers);
		s.layers_equal = layers_equal(layers, want->run);
		s.tag_there = want->tagged && list_has(jval_get(image, "RepoTags"), &want->reference, false);
		if (want->load->name) {
			struct reference root = want->reference;
			root.digest = want->root;
			s.root_there = list_has(jval_get(image, "RepoDigests"), &root, true);
		}
		s.digest_there = !want->tagged && want->load->name &&
				 list_has(jval_get(image, "RepoDigests"), &want->reference, true);
	}
	*seen = s;
	return 0;
}

bool docker_is_right(const struct docker_want *want, const struct docker_seen *seen)
{
	return seen->there && digest_equal(&seen->id, &want->id) && seen->layers_equal &&
	       (!want->tagged || seen->tag_there);
}

int docker_mismatch(const struct docker_want *want, const struct docker_seen *seen, struct err *e)
{
	char expected[DIGEST_TEXT_SIZE];
	char found[DIGEST_TEXT_SIZE];

	digest_text(&want->id, expected);
	if (!seen->there)
		return err_set(e, ERR_TARGET, "is not there, expected image %s", expected);
	if (!digest_equal(&seen->id, &want->id))
		return err_set(e, ERR_TARGET, "is image %s there, expected %s", digest_text(&seen->id, found),
			       expected);
	if (!seen->layers_equal)
		return err_set(e, ERR_TARGET, "image %s has %zu layers there that are not the expected %zu", expected,
			       seen->layer_count, want->run->layer_count);
	return err_set(e, ERR_TARGET, "image %s is there, but not under this name", expected);
}
