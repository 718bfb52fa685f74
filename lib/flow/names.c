/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/names.h"

#include "base/text.h"
#include "oci/reference.h"

#include <stdio.h>
#include <string.h>

/* The image that OLD means: by its name, or by the digest of its root, of its source or of a manifest's config. count
 * if none. */
static size_t find_image(const struct pack *p, const char *old, struct err *e)
{
	struct reference r;
	struct digest d;
	char name[REFERENCE_TEXT_SIZE];

	if (digest_parse(&d, old, strlen(old), NULL) == 0) {
		for (size_t i = 0; i < p->image_count; i++) {
			const struct pack_image *image = &p->images[i];
			if (digest_equal(&p->blobs[image->root].promise.digest, &d) ||
			    (image->has_source && digest_equal(&image->source.digest, &d)))
				return i;
			for (size_t m = 0; m < image->manifest_count; m++)
				if (image->manifests[m].image &&
				    digest_equal(&p->blobs[image->manifests[m].config].promise.digest, &d))
					return i;
		}
		return p->image_count;
	}
	if (reference_parse(&r, old, e))
		return SIZE_MAX;
	reference_local_name(&r, name);
	for (size_t i = 0; i < p->image_count; i++)
		if (p->images[i].name && !strcmp(p->images[i].name, name))
			return i;
	return p->image_count;
}

/* One "OLD=NEW" into chosen[image]. */
static int rename_one(const struct pack *p, const char *rename, const char **chosen, struct err *e)
{
	char shown[160];
	const char *equals = strchr(rename, '=');

	text_escape_str(shown, sizeof(shown), rename);
	if (!equals || equals == rename || !equals[1])
		return err_set(e, ERR_USAGE, "--name %s: write OLD=NEW", shown);
	AUTO_MEM char *old = strndup(rename, (size_t)(equals - rename));
	if (!old)
		return err_memory(e);
	size_t i = find_image(p, old, e);
	if (i == SIZE_MAX)
		return err_at(e, "--name %s", shown);
	if (i == p->image_count)
		return err_set(e, ERR_USAGE,
			       "--name %s: the archive has no image of the old name; imgpack inspect lists them",
			       shown);
	chosen[i] = equals + 1;
	return 0;
}

/* Moves a name to the target registry, under the prefix. */
static int place(struct reference *r, const char *registry, const char *prefix, struct err *e)
{
	char path[2 * LIMIT_REPOSITORY + 2];

	(void)snprintf(path, sizeof(path), "%s%s%s", prefix ? prefix : "", prefix && *prefix ? "/" : "", r->repository);
	if (strlen(path) + strlen(registry) + 1 > LIMIT_REPOSITORY)
		return err_set(e, ERR_USAGE, "%s/%s: the name is longer than %d bytes", registry, path,
			       LIMIT_REPOSITORY);
	(void)snprintf(r->registry, sizeof(r->registry), "%s", registry);
	(void)snprintf(r->repository, sizeof(r->repository), "%.*s", LIMIT_REPOSITORY, path);
	return 0;
}

static char *name_of(const struct pack *p, const struct pack_image *image, const char *asked, const struct maps *maps,
		     const char *registry, const char *prefix, struct err *e)
{
	struct reference r;
	char text[REFERENCE_TEXT_SIZE];
	char *copy;

	if (reference_parse(&r, asked, e))
		return NULL;
	int mapped = asked == image->name ? maps_apply(maps, &r, &r, e) : 0;
	if (mapped < 0)
		return NULL;
	const bool stands = (asked != image->name || mapped) && registry && !strcmp(r.registry, registry);
	if (registry && !stands && place(&r, registry, prefix, e))
		return NULL;
	if (registry && r.has_digest)
		r.digest = p->blobs[image->root].promise.digest;
	copy = strdup(reference_local_name(&r, text));
	if (!copy)
		err_memory(e);
	return copy;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int check_distinct(const struct names *n, struct err *e)
{
	AUTO_MEM const char **sorted = calloc(n->count + 1, sizeof(*sorted));
	size_t count = 0;

	if (!sorted)
		return err_memory(e);
	for (size_t i = 0; i < n->count; i++)
		if (n->items[i])
			sorted[count++] = n->items[i];
	qsort(sorted, count, sizeof(*sorted), compare_text);
	for (size_t i = 1; i < count; i++)
		if (!strcmp(sorted[i - 1], sorted[i]))
			return err_set(e, ERR_USAGE,
				       "two images would both be named %s; --name OLD=NEW names one of them otherwise",
				       sorted[i]);
	return 0;
}

struct names *names_new(const struct pack *p, const char *const *renames, const struct maps *maps, const char *registry,
			const char *prefix, struct err *e)
{
	AUTO(names) n = calloc(1, sizeof(*n));
	AUTO_MEM const char **chosen = calloc(p->image_count + 1, sizeof(*chosen));

	if (n)
		n->items = calloc(p->image_count + 1, sizeof(char *));
	if (!n || !n->items || !chosen) {
		err_memory(e);
		return NULL;
	}
	n->count = p->image_count;
	for (size_t i = 0; i < p->image_count; i++)
		chosen[i] = p->images[i].name;
	for (const char *const *r = renames; r && *r; r++)
		if (rename_one(p, *r, chosen, e))
			return NULL;
	for (size_t i = 0; i < n->count; i++) {
		char root[DIGEST_TEXT_SIZE];
		if (!chosen[i] && !registry)
			continue;
		if (!chosen[i]) {
			err_set(e, ERR_USAGE, "image %zu has no name in the archive; --name %s=NAME gives it one",
				i + 1, digest_text(&p->blobs[p->images[i].root].promise.digest, root));
			return NULL;
		}
		n->items[i] = name_of(p, &p->images[i], chosen[i], maps, registry, prefix, e);
		if (!n->items[i])
			return NULL;
	}
	return check_distinct(n, e) ? NULL : TAKE(n);
}

void names_free(struct names *n)
{
	if (!n)
		return;
	for (size_t i = 0; n->items && i < n->count; i++)
		free(n->items[i]);
	free(n->items);
	free(n);
}
