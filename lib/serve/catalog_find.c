/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/catalog_inside.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define HUB "docker.io"

size_t catalog_count(const struct catalog *c)
{
	return c->count;
}

const struct catalog_repository *catalog_at(const struct catalog *c, size_t i)
{
	return &c->repositories[i];
}

static const struct catalog_repository *by_name(const struct catalog *c, const char *name)
{
	size_t low = 0;
	size_t high = c->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const int order = strcmp(c->repositories[middle].name, name);
		if (!order)
			return &c->repositories[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Of those with this path the first; *count: how many there are. */
static struct catalog_repository **by_path(const struct catalog *c, const char *path, size_t *count)
{
	size_t low = 0;
	size_t high = c->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (strcmp(c->by_path[middle]->path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (*count = 0; low + *count < c->count && !strcmp(c->by_path[low + *count]->path, path);)
		++*count;
	return &c->by_path[low];
}

/* Docker Hub has several hosts, and one name. */
static const char *registry_of(const char *ns)
{
	return !strcmp(ns, "registry-1.docker.io") || !strcmp(ns, "index.docker.io") ? HUB : ns;
}

static const struct catalog_repository *in_registry(const struct catalog *c, const char *registry, const char *path)
{
	char name[2 * LIMIT_REPOSITORY + 2];
	const bool bare = !strcmp(registry, HUB) && !strchr(path, '/');

	/* What is too long is nobody's name. */
	if (snprintf(name, sizeof(name), "%s/%s", registry, path) >= (int)sizeof(name))
		return NULL;
	const struct catalog_repository *r = by_name(c, name);
	if (r || !bare)
		return r;
	if (snprintf(name, sizeof(name), "%s/library/%s", registry, path) >= (int)sizeof(name))
		return NULL;
	return by_name(c, name);
}

static const struct catalog_repository *refuse(struct err *e, const char *path)
{
	char shown[LIMIT_REPOSITORY + 8];

	err_set(e, ERR_ABSENT, "no archive that is served here holds %s", text_escape_str(shown, sizeof(shown), path));
	return NULL;
}

const struct catalog_repository *catalog_find(const struct catalog *c, const char *ns, const char *path, struct err *e)
{
	size_t count = 0;
	const struct catalog_repository *r;

	if (!c->count)
		return refuse(e, path);
	if (ns && *ns) {
		r = in_registry(c, registry_of(ns), path);
		return r ? r : refuse(e, path);
	}
	if ((r = by_name(c, path)) || (r = in_registry(c, HUB, path)))
		return r;
	struct catalog_repository *const *same = by_path(c, path, &count);
	if (count == 1)
		return same[0];
	if (!count)
		return refuse(e, path);
	err_set(e, ERR_USAGE, "several registries have %s: ask for %s or %s", path, same[0]->name, same[1]->name);
	return NULL;
}

bool catalog_knows(const struct catalog *c, const char *ns, const char *path)
{
	struct err why = { 0 };

	return catalog_find(c, ns, path, &why) || why.kind == ERR_USAGE;
}

const struct catalog_tag *catalog_tag(const struct catalog_repository *r, const char *tag)
{
	for (size_t i = 0; i < r->tag_count; i++)
		if (!strcmp(r->tags[i].tag, tag))
			return &r->tags[i];
	return NULL;
}

const struct catalog_paper *catalog_paper(const struct catalog *c, const struct digest *d)
{
	ptrdiff_t i = digestmap_get(c->paper_of, d);

	return i < 0 ? NULL : &c->papers[i];
}

bool catalog_blob(const struct catalog *c, const struct digest *d, struct held *out)
{
	ptrdiff_t i = digestmap_get(c->blob_of, d);

	if (i < 0)
		return false;
	*out = c->blobs[i];
	return true;
}

const struct catalog_paper *catalog_referrer(const struct catalog *c, const struct digest *subject, size_t *at)
{
	while (*at < c->paper_count) {
		const struct catalog_paper *p = &c->papers[(*at)++];
		if (p->referrer && digest_equal(&p->subject, subject))
			return p;
	}
	return NULL;
}
