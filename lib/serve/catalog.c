/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/catalog_inside.h"

#include "base/text.h"
#include "oci/json.h"
#include "oci/reference.h"

#include <stdio.h>
#include <string.h>

struct catalog *catalog_new(struct err *e)
{
	AUTO(catalog) c = calloc(1, sizeof(*c));

	if (!c) {
		err_memory(e);
		return NULL;
	}
	c->paper_of = digestmap_new(e);
	c->blob_of = digestmap_new(e);
	return c->paper_of && c->blob_of ? TAKE(c) : NULL;
}

static void release_repository(struct catalog_repository *r)
{
	free(r->name);
	free(r->path);
	free(r->registry);
	free(r->tags);
}

void catalog_free(struct catalog *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		release_repository(&c->repositories[i]);
	for (size_t i = 0; i < c->paper_count; i++)
		jdoc_free(c->papers[i].referrer);
	free(c->repositories);
	free(c->by_path);
	free(c->papers);
	free(c->blobs);
	digestmap_free(c->paper_of);
	digestmap_free(c->blob_of);
	free(c);
}

/* ---- blobs and papers */

static int add_blob(struct catalog *c, const struct held *held, struct err *e)
{
	if (digestmap_get(c->blob_of, &held->blob->promise.digest) >= 0)
		return 0;
	if (GROW(c->blobs, c->blob_capacity, c->blob_count, e) ||
	    digestmap_put(c->blob_of, &held->blob->promise.digest, c->blob_count, e))
		return -1;
	c->blobs[c->blob_count++] = *held;
	return 0;
}

/* Of a blob that no image uses, a signature say, nobody knows before it is read. */
static bool may_be_paper(const struct pack_blob *b)
{
	return b->promise.size <= LIMIT_MANIFEST && b->role != BLOB_LAYER && b->role != BLOB_CONFIG;
}

/* "Listing Referrers": the artifact type, or else the config's media type. */
static void read_subject(struct catalog_paper *p, const char *bytes, size_t len)
{
	AUTO(jdoc) d = jdoc_parse(bytes, len, NULL);
	const struct jval *root = d ? jdoc_root(d) : NULL;
	const struct jval *subject = jval_get(root, "subject");
	const char *type = jval_text(jval_get(root, "artifactType"));

	if (!jval_is_object(subject) || jval_get_digest(subject, "digest", true, &p->subject, NULL))
		return;
	if (!type || !*type)
		type = jval_text(jval_get(jval_get(root, "config"), "mediaType"));
	if (type && strlen(type) < sizeof(p->artifact_type))
		(void)snprintf(p->artifact_type, sizeof(p->artifact_type), "%s", type);
	p->referrer = TAKE(d);
}

/* What cannot be read as a manifest is a blob like any other: what an image needs was proved when it was opened. */
static int add_paper(struct catalog *c, const struct held *held, struct err *e)
{
	const struct pack_blob *b = held->blob;
	struct catalog_paper p = { .held = *held };
	enum paper_kind kind;
	AUTO_BUF bytes = { 0 };
	struct err why = { 0 };

	if (!may_be_paper(b) || digestmap_get(c->paper_of, &b->promise.digest) >= 0)
		return 0;
	AUTO(source) s = pack_file_blob(held->file, b, &why);
	if (!s || buf_reserve(&bytes, 0, &why) || source_slurp(s, LIMIT_MANIFEST, &bytes, &why) ||
	    paper_kind(bytes.data, bytes.len, b->media_type, &kind, p.media_type, &why))
		return why.kind == ERR_CORRUPT ? 0 : (*e = why, -1);
	read_subject(&p, bytes.data, bytes.len);
	if (GROW(c->papers, c->paper_capacity, c->paper_count, e) ||
	    digestmap_put(c->paper_of, &b->promise.digest, c->paper_count, e)) {
		jdoc_free(p.referrer);
		return -1;
	}
	c->papers[c->paper_count++] = p;
	return 0;
}

/* ---- names */

static struct catalog_repository *named(const struct catalog *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (!strcmp(c->repositories[i].name, name))
			return &c->repositories[i];
	return NULL;
}

static struct catalog_repository *add_repository(struct catalog *c, const char *registry, const char *path,
						 struct err *e)
{
	char name[2 * LIMIT_REPOSITORY + 2];

	(void)snprintf(name, sizeof(name), "%s%s%s", registry, *registry ? "/" : "", path);
	struct catalog_repository *there = named(c, name);
	if (there)
		return there;
	if (GROW(c->repositories, c->capacity, c->count, e))
		return NULL;
	struct catalog_repository r = { .name = strdup(name), .path = strdup(path), .registry = strdup(registry) };
	if (!r.name || !r.path || !r.registry) {
		release_repository(&r);
		err_memory(e);
		return NULL;
	}
	c->repositories[c->count] = r;
	return &c->repositories[c->count++];
}

static int add_tag(struct catalog_repository *r, const struct catalog_tag *t, const char *noun,
		   const struct events *events, struct err *e)
{
	const struct catalog_tag *there = *t->tag ? catalog_tag(r, t->tag) : NULL;

	if (there) {
		if (!digest_equal(&there->root.blob->promise.digest, &t->root.blob->promise.digest))
			event_text(events, EVENT_WARNING,
				   "%s: its %s is another image than the one of an archive before it, which is served",
				   noun, t->image->name);
		return 0;
	}
	if (GROW(r->tags, r->tag_capacity, r->tag_count, e))
		return -1;
	r->tags[r->tag_count++] = *t;
	return 0;
}

static int add_image(struct catalog *c, struct pack_file *file, const struct pack_image *image, const char *noun,
		     const struct events *events, struct err *e)
{
	struct reference ref = { 0 };
	char shown[256];
	struct catalog_tag t = { .image = image, .root = { file, &file->pack->blobs[image->root] } };
	const bool has_name = image->name && !reference_parse(&ref, image->name, NULL);

	if (image->name && !has_name)
		event_text(events, EVENT_WARNING,
			   "%s: \"%s\" is no name that can be asked for; its image is served as %s", noun,
			   text_escape_str(shown, sizeof(shown), image->name), CATALOG_UNNAMED);
	if (has_name)
		memcpy(t.tag, ref.tag, sizeof(t.tag));
	struct catalog_repository *r = add_repository(c, has_name ? ref.registry : "",
						      has_name ? ref.repository : CATALOG_UNNAMED, e);
	return r ? add_tag(r, &t, noun, events, e) : -1;
}

int catalog_add(struct catalog *c, struct pack_file *file, const char *noun, const struct events *events, struct err *e)
{
	for (size_t i = 0; i < file->pack->blob_count; i++) {
		const struct held held = { file, &file->pack->blobs[i] };
		if (!held.blob->absent && (add_blob(c, &held, e) || add_paper(c, &held, e)))
			return -1;
	}
	for (size_t i = 0; i < file->pack->image_count; i++)
		if (add_image(c, file, &file->pack->images[i], noun, events, e))
			return -1;
	if (c->count)
		c->by_path = reallocarray(c->by_path, c->count, sizeof(struct catalog_repository *));
	return !c->count || c->by_path ? 0 : err_memory(e);
}

static int compare_tags(const void *a, const void *b)
{
	return strcmp(((const struct catalog_tag *)a)->tag, ((const struct catalog_tag *)b)->tag);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct catalog_repository *)a)->name, ((const struct catalog_repository *)b)->name);
}

static int compare_paths(const void *a, const void *b)
{
	const struct catalog_repository *x = *(struct catalog_repository *const *)a;
	const struct catalog_repository *y = *(struct catalog_repository *const *)b;
	int order = strcmp(x->path, y->path);

	return order ? order : strcmp(x->name, y->name);
}

void catalog_sort(struct catalog *c)
{
	if (!c->count)
		return;
	qsort(c->repositories, c->count, sizeof(*c->repositories), compare_names);
	for (size_t i = 0; i < c->count; i++) {
		struct catalog_repository *r = &c->repositories[i];
		if (r->tag_count)
			qsort(r->tags, r->tag_count, sizeof(*r->tags), compare_tags);
		c->by_path[i] = r;
	}
	qsort(c->by_path, c->count, sizeof(struct catalog_repository *), compare_paths);
}
