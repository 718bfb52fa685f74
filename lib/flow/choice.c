/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/choice.h"

#include "base/limits.h"
#include "oci/json.h"

static int add_item(struct choice *c, const struct descriptor *d, unsigned depth, struct err *e)
{
	if (c->count >= LIMIT_INDEX_ENTRIES)
		return err_set(e, ERR_CORRUPT, "its index names more than %d manifests", LIMIT_INDEX_ENTRIES);
	if (GROW(c->items, c->capacity, c->count, e))
		return -1;
	c->items[c->count++] = (struct chosen){ .descriptor = *d, .depth = depth };
	return 0;
}

/* Everything an index names. */
static int add_entries(struct choice *c, const struct index *x, unsigned depth, struct err *e)
{
	for (size_t i = 0; i < x->count; i++)
		if (add_item(c, &x->entries[i], depth, e))
			return -1;
	return 0;
}

static bool has_item(const struct choice *c, const struct digest *d)
{
	for (size_t i = 0; i < c->count; i++)
		if (digest_equal(&c->items[i].descriptor.promise.digest, d))
			return true;
	return false;
}

/* The best entry for each wanted platform; two that are served by one entry are one. */
static int choose_platforms(struct choice *c, const struct index *x, const struct choice_options *o, struct err *e)
{
	const struct platform here = platform_default();
	const struct platform *wanted = o->platform_count ? o->platforms : &here;
	size_t n = o->platform_count ? o->platform_count : 1;

	for (size_t i = 0; i < n; i++) {
		ptrdiff_t at = index_choose(x, &wanted[i], e);
		if (at < 0)
			return -1;
		const struct descriptor *d = &x->entries[at];
		if (!has_item(c, &d->promise.digest) && add_item(c, d, 1, e))
			return -1;
	}
	c->narrowed = true;
	return 0;
}

static int open_source(struct choice *c, const struct choice_options *o, struct err *e)
{
	const struct paper *p = c->source;

	if (p->kind == PAPER_SCHEMA1)
		return err_set(
			e, ERR_ABSENT,
			"is a docker schema 1 image, a format given up in 2017 that has no image ID; push it again "
			"with a newer docker");
	if (p->kind == PAPER_MANIFEST) {
		struct descriptor d = { .promise = p->promise };
		(void)snprintf(d.media_type, sizeof(d.media_type), "%s", p->media_type);
		return add_item(c, &d, 0, e) || choice_take(c, 0, p, e) ? -1 : 0;
	}
	AUTO(index) x = index_parse(p->bytes.data, p->bytes.len, e);
	if (!x)
		return -1;
	return c->whole ? add_entries(c, x, 1, e) : choose_platforms(c, x, o, e);
}

struct choice *choice_new(const struct paper *source, const struct choice_options *options, struct err *e)
{
	AUTO(choice) c = calloc(1, sizeof(*c));

	if (!c) {
		err_memory(e);
		return NULL;
	}
	c->source = source;
	c->whole = options->whole;
	if (open_source(c, options, e))
		return NULL;
	return TAKE(c);
}

void choice_free(struct choice *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->count; i++)
		manifest_free(c->items[i].manifest);
	free(c->items);
	free(c);
}

static int take_nested(struct choice *c, unsigned depth, const struct paper *paper, struct err *e)
{
	if (depth >= LIMIT_INDEX_NESTING)
		return err_set(e, ERR_CORRUPT, "indexes stand in each other more than %d deep", LIMIT_INDEX_NESTING);
	AUTO(index) x = index_parse(paper->bytes.data, paper->bytes.len, e);
	return x ? add_entries(c, x, depth + 1, e) : -1;
}

int choice_take(struct choice *c, size_t i, const struct paper *paper, struct err *e)
{
	struct chosen *item = &c->items[i];

	if (item->paper) {
		item->config = paper;
		return 0;
	}
	item->paper = paper;
	if (paper->kind == PAPER_INDEX)
		return take_nested(c, item->depth, paper, e); /* may move c->items */
	if (paper->kind == PAPER_SCHEMA1)
		return err_set(e, ERR_CORRUPT, "its index names a docker schema 1 manifest");
	item->manifest = manifest_parse(paper->bytes.data, paper->bytes.len, e);
	return item->manifest ? 0 : -1;
}

/* One manifest whose descriptor does not say its platform: its config does. */
static int check_item(const struct chosen *item, const struct fetch_options *o, const char *noun, struct err *e)
{
	char have[PLATFORM_TEXT_SIZE];
	char want[PLATFORM_TEXT_SIZE];

	if (!item->manifest->image) {
		event_text(o->events, EVENT_WARNING,
			   "%s is not a container image (%s): it can be loaded into a registry only", noun,
			   item->manifest->config.media_type);
		return 0;
	}
	AUTO(config) parsed = config_parse(item->config->bytes.data, item->config->bytes.len, e);
	if (!parsed)
		return err_at(e, "%s", noun);
	const struct platform here = platform_default();
	const struct platform *wanted = o->platform_count ? o->platforms : &here;
	size_t n = o->platform_count ? o->platform_count : 1;
	for (size_t i = 0; i < n; i++)
		if (platform_score(&wanted[i], &parsed->platform))
			return 0;
	platform_text(&parsed->platform, have);
	platform_text(&wanted[0], want);
	if (o->platform_count)
		return err_set(e, ERR_ABSENT, "%s: there is only %s, not %s", noun, have, want);
	event_text(o->events, EVENT_WARNING, "%s is for %s only, this machine is %s", noun, have, want);
	return 0;
}

int choice_check_platform(const struct choice *c, const struct fetch_options *o, const char *noun, struct err *e)
{
	if (o->all_platforms || (c->source->kind == PAPER_INDEX && c->whole))
		return 0;
	for (size_t i = 0; i < c->count; i++)
		if (c->items[i].manifest && !c->items[i].descriptor.platform.os[0] &&
		    check_item(&c->items[i], o, noun, e))
			return -1;
	return 0;
}

static int write_index(const struct choice *c, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	index_begin(&j);
	for (size_t i = 0; i < c->count; i++) {
		const struct descriptor *d = &c->items[i].descriptor;
		descriptor_begin(&j, d->media_type, &d->promise);
		platform_put(&j, &d->platform);
		jout_end(&j);
	}
	index_end(&j);
	return jout_finish(&j, e);
}

/* What the name will point at: the manifest itself, the whole index, or a new index of just the chosen platforms. */
static const struct paper *root_of(const struct choice *c, struct library *library, struct err *e)
{
	AUTO_BUF bytes = { 0 };

	if (!c->narrowed)
		return c->source;
	if (c->count == 1)
		return c->items[0].paper;
	if (write_index(c, &bytes, e))
		return NULL;
	return library_add(library, PAPER_INDEX, MEDIA_OCI_INDEX, bytes.data, bytes.len, e);
}

static ptrdiff_t add_paper(struct pack *pack, const struct paper *p, struct err *e)
{
	return pack_add_blob(pack, &p->promise, p->kind == PAPER_INDEX ? BLOB_INDEX : BLOB_MANIFEST, p->media_type,
			     p->bytes.data, e);
}

static int add_items(const struct choice *c, struct pack *pack, struct pack_image *image, struct err *e)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct chosen *item = &c->items[i];
		ptrdiff_t blob = add_paper(pack, item->paper, e);
		if (blob < 0)
			return -1;
		if (!item->manifest)
			continue;
		const struct platform *platform = item->depth && item->descriptor.platform.os[0]
							  ? &item->descriptor.platform
							  : NULL;
		const char *config = item->config ? item->config->bytes.data : NULL;
		size_t config_len = item->config ? item->config->bytes.len : 0;
		if (pack_image_add_manifest(pack, image, (size_t)blob, platform, item->descriptor.attestation, config,
					    config_len, e))
			return -1;
	}
	return 0;
}

int choice_add_papers(const struct choice *c, struct pack *pack, struct library *library, struct err *e)
{
	const struct paper *root = root_of(c, library, e);

	/* The original index stands beside what was taken from it: its digest can be told on the other side. */
	if (!root || add_paper(pack, root, e) < 0 || (c->narrowed && add_paper(pack, c->source, e) < 0))
		return -1;
	for (size_t i = 0; i < c->count; i++)
		if (add_paper(pack, c->items[i].paper, e) < 0)
			return -1;
	for (size_t i = 0; i < c->count; i++) {
		const struct chosen *item = &c->items[i];
		if (item->manifest && item->config &&
		    pack_add_blob(pack, &item->manifest->config.promise, BLOB_CONFIG, item->manifest->config.media_type,
				  item->config->bytes.data, e) < 0)
			return -1;
	}
	return 0;
}

int choice_add_to_pack(const struct choice *c, struct pack *pack, struct pack_image *image, struct library *library,
		       struct err *e)
{
	const struct paper *root = root_of(c, library, e);

	if (!root)
		return -1;
	ptrdiff_t blob = add_paper(pack, root, e);
	if (blob < 0 || add_items(c, pack, image, e))
		return -1;
	image->root = (size_t)blob;
	struct err none = { 0 };
	(void)pack_image_choose_preferred(image, &none); /* an artifact alone has none, and needs none */
	return 0;
}

static bool has_zstd(const struct pack *pack, const struct pack_image *image)
{
	for (size_t m = 0; m < image->manifest_count; m++) {
		const struct pack_manifest *pm = &image->manifests[m];
		for (size_t i = 0; pm->image && i < pm->layer_count; i++)
			if (layer_coding(pack->blobs[pm->layers[i]].media_type) == LAYER_ZSTD)
				return true;
	}
	return false;
}

static void say_narrowed(const struct choice *c, bool by_digest, const char *noun, const struct events *events)
{
	char text[DIGEST_TEXT_SIZE];

	digest_text(&c->source->promise.digest, text);
	event_text(events, EVENT_DETAIL, "%s: took %zu of the platforms of %s", noun, c->count, text);
	if (by_digest || c->count > 1)
		event_text(events, EVENT_WARNING,
			   "%s: only some of its platforms are taken, so %s will not resolve on the other side%s", noun,
			   text, by_digest ? " (leave out --platform to take the whole index)" : "");
}

void choice_say(const struct choice *c, const struct pack *pack, const struct pack_image *image, bool by_digest,
		const char *noun, const struct events *events)
{
	if (c->narrowed)
		say_narrowed(c, by_digest, noun, events);
	if (has_zstd(pack, image))
		event_text(events, EVENT_WARNING, "%s has zstd layers: docker before 23 cannot load it", noun);
}
