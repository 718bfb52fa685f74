/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "oci/descriptor.h"

#include <stdio.h>
#include <string.h>

void index_free(struct index *x)
{
	if (!x)
		return;
	free(x->entries);
	free(x);
}

struct index *index_parse(const char *bytes, size_t len, struct err *e)
{
	enum paper_kind kind;
	const char *type;
	AUTO(jdoc) d = jdoc_parse(bytes, len, e);

	if (!d || paper_kind_of(jdoc_root(d), NULL, &kind, &type, e))
		return NULL;
	if (kind != PAPER_INDEX) {
		err_set(e, ERR_CORRUPT, "it is a manifest, expected an index");
		return NULL;
	}
	AUTO(index) x = calloc(1, sizeof(*x));
	if (!x) {
		err_memory(e);
		return NULL;
	}
	if (descriptors_parse(&x->entries, &x->count, jval_get(jdoc_root(d), "manifests"), LIMIT_INDEX_ENTRIES,
			      "index entries", e))
		return NULL;
	return TAKE(x);
}

/* True for an entry that leads to an image. */
static bool is_image(const struct descriptor *d)
{
	static const char *const types[] = { MEDIA_OCI_MANIFEST, MEDIA_DOCKER_MANIFEST, MEDIA_OCI_INDEX,
					     MEDIA_DOCKER_LIST };

	if (d->attestation || platform_is_unknown(&d->platform))
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(d->media_type, types[i]) == 0)
			return true;
	return false;
}

/* platform_score() is far above this for whatever fits. */
#define SCORE_UNSAID 1

static int score(const struct descriptor *d, const struct platform *want)
{
	if (!is_image(d))
		return 0;
	if (!d->platform.os[0] && !d->platform.architecture[0])
		return SCORE_UNSAID;
	return platform_score(want, &d->platform);
}

/* True if an image entry in front of the i-th has the same platform. */
static bool listed(const struct index *x, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (is_image(&x->entries[k]) && platform_equal(&x->entries[k].platform, &x->entries[i].platform))
			return true;
	return false;
}

/* "linux/amd64, linux/arm64, ...": the platforms of the images, as many as fit into an error's text. */
static size_t list(const struct index *x, char *out, size_t cap)
{
	char text[PLATFORM_TEXT_SIZE];
	size_t used = 0;
	size_t count = 0;

	out[0] = '\0';
	for (size_t i = 0; i < x->count; i++) {
		if (!is_image(&x->entries[i]) || listed(x, i))
			continue;
		platform_text(&x->entries[i].platform, text);
		if (used + strlen(text) + sizeof(", ...") > cap) {
			(void)snprintf(out + used, cap - used, ", ...");
			return count + 1;
		}
		used += (size_t)snprintf(out + used, cap - used, "%s%s", count ? ", " : "", text);
		count++;
	}
	return count;
}

ptrdiff_t index_choose(const struct index *x, const struct platform *want, struct err *e)
{
	char wanted[PLATFORM_TEXT_SIZE];
	char there[300];
	ptrdiff_t best = -1;
	int best_score = 0;

	for (size_t i = 0; i < x->count; i++) {
		int s = score(&x->entries[i], want);

		if (s > best_score) {
			best = (ptrdiff_t)i;
			best_score = s;
		}
	}
	if (best >= 0)
		return best;
	platform_text(want, wanted);
	if (!list(x, there, sizeof(there)))
		return err_set(e, ERR_ABSENT, "no image for %s: the index names no image at all", wanted);
	return err_set(e, ERR_ABSENT, "no image for %s: there is %s", wanted, there);
}
