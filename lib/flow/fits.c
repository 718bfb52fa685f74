/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/archive.h"
#include "flow/consumers.h"
#include "flow/regroup.h"
#include "flow/report.h"

#include "base/text.h"
#include "oci/platform.h"
#include "oci/reference.h"
#include "pack/select.h"

#include <string.h>

/*
 * check: papers read -> traits of each image and of the archive -> what the facts (flow/consumers.c) make of them.
 */

struct traits {
	bool has[TRAIT_COUNT];
};

static void look_at_layers(struct traits *t, const struct pack *p, const struct pack_manifest *m, bool thin)
{
	t->has[TRAIT_MANY_LAYERS] |= m->layer_count > DOCKER_LAYERS_MOST;
	for (size_t i = 0; i < m->layer_count; i++) {
		const struct pack_blob *layer = &p->blobs[m->layers[i]];
		t->has[TRAIT_ZSTD_LAYERS] |= layer_coding(layer->media_type) == LAYER_ZSTD;
		t->has[TRAIT_THIN] |= layer->absent && thin;
		t->has[TRAIT_LEFT_OUT] |= layer->absent && !thin;
	}
}

static void look_at_name(struct traits *t, const char *name)
{
	struct reference r;

	t->has[TRAIT_NAMELESS] = !name;
	t->has[TRAIT_PINNED] = name != NULL;
	t->has[TRAIT_DIGEST_NAME] = name && !reference_parse(&r, name, NULL) && r.has_digest && !*r.tag;
}

/* Attestations and artifacts travel along; nobody unpacks them. */
static int look_at_image(struct traits *t, const struct pack_file *f, const struct pack_image *image,
			 const struct platform *platform, struct err *e)
{
	const struct pack *p = f->pack;
	const char *type = p->blobs[image->root].media_type;
	bool whole = true;

	*t = (struct traits){ 0 };
	for (size_t i = 0; i < image->manifest_count; i++)
		if (image->manifests[i].image)
			look_at_layers(t, p, &image->manifests[i], f->origin == ORIGIN_IMGPACK);
	look_at_name(t, image->name);
	if (regroup_is_whole(p, image, &whole, e))
		return -1;
	t->has[TRAIT_SPARSE] = !whole;
	t->has[TRAIT_NO_PLATFORM] = platform && pack_image_choose(image, platform, NULL) < 0;
	t->has[TRAIT_MADE_UP] = f->origin == ORIGIN_DOCKER_ARCHIVE;
	t->has[TRAIT_DOCKER_TYPE] = !strcmp(type, MEDIA_DOCKER_MANIFEST) || !strcmp(type, MEDIA_DOCKER_LIST);
	t->has[TRAIT_LARGE_PAPER] = p->blobs[image->root].promise.size > REGISTRY_PAPER_MOST;
	return 0;
}

static void look_at_archive(struct traits *t, const struct archive *a)
{
	static const struct {
		const char *name;
		enum trait trait;
	} codings[] = { { "gzip", TRAIT_GZIP },
			{ "bzip2", TRAIT_BZIP2 },
			{ "xz", TRAIT_XZ },
			{ "zstd", TRAIT_ZSTD },
			{ "lz4", TRAIT_LZ4 } };
	const struct pack_file *f = a->file;

	*t = (struct traits){ 0 };
	t->has[TRAIT_SEVERAL] = f->pack->image_count > 1;
	t->has[TRAIT_CHUNKS] = a->set != NULL;
	t->has[TRAIT_DOCKER_ONLY] = f->origin == ORIGIN_DOCKER_ARCHIVE;
	t->has[TRAIT_OCI_ONLY] = f->origin == ORIGIN_OCI && !f->docker_papers;
	for (size_t i = 0; i < sizeof(codings) / sizeof(codings[0]); i++)
		t->has[codings[i].trait] = !strcmp(f->compression, codings[i].name);
}

/* The facts of one target that hold. */
static int add_finding(struct check_target *target, const struct consumer_fact *fact, const char *image, size_t images,
		       struct err *e)
{
	struct check_finding *list = realloc(target->findings, (target->count + 1) * sizeof(*list));

	if (!list)
		return err_memory(e);
	target->findings = list;
	struct check_finding *f = &list[target->count++];
	*f = (struct check_finding){ .images = images,
				     .refuses = fact->weight == REFUSES,
				     .own_tool = fact->way == OWN_TOOL,
				     .why = fact->why };
	if (f->refuses && !f->own_tool)
		target->loads = false;
	if (f->refuses)
		target->own_tool_loads = false;
	return report_copy(&f->image, image, e);
}

static int apply(struct check_target *target, enum consumer consumer, const struct pack *p, const struct traits *images,
		 const struct traits *archive, struct err *e)
{
	target->name = consumer_names[consumer].name;
	target->about = consumer_names[consumer].about;
	target->loads = target->own_tool_loads = true;
	for (size_t i = 0; i < consumer_fact_count; i++) {
		const struct consumer_fact *fact = &consumer_facts[i];
		const char *first = NULL;
		size_t count = 0;
		if (!(fact->consumers & 1u << consumer))
			continue;
		for (size_t k = 0; k < p->image_count; k++)
			if (images[k].has[fact->trait] && !count++)
				first = p->images[k].name ? p->images[k].name : "an image without a name";
		if ((count || archive->has[fact->trait]) && add_finding(target, fact, first, count, e))
			return -1;
	}
	return 0;
}

static int find_target(const char *name, enum consumer *out, struct err *e)
{
	AUTO_BUF list = { 0 };
	char shown[64];

	for (size_t i = 0; i < CONSUMER_COUNT; i++) {
		*out = (enum consumer)i;
		if (!strcmp(consumer_names[i].name, name))
			return 0;
		if (buf_printf(&list, e, "%s%s", i ? ", " : "", consumer_names[i].name))
			return -1;
	}
	return err_set(e, ERR_USAGE, "--target %s: is not one of %s", text_escape_str(shown, sizeof(shown), name),
		       list.data);
}

/* *count of them into chosen; without a list all. */
static int choose_targets(const char *const *names, enum consumer *chosen, size_t *count, struct err *e)
{
	*count = 0;
	for (size_t i = 0; !names && i < CONSUMER_COUNT; i++)
		chosen[(*count)++] = (enum consumer)i;
	for (const char *const *n = names; n && *n; n++) {
		enum consumer c;
		bool twice = false;
		if (find_target(*n, &c, e))
			return -1;
		for (size_t i = 0; i < *count; i++)
			twice = twice || chosen[i] == c;
		if (!twice)
			chosen[(*count)++] = c;
	}
	return 0;
}

static int fill(struct check_report *r, const struct check_options *o, const struct archive *a,
		const enum consumer *chosen, size_t count, struct err *e)
{
	const struct pack *p = a->file->pack;
	AUTO_MEM struct traits *images = calloc(p->image_count + 1, sizeof(*images));
	struct traits archive;

	r->targets = calloc(count + 1, sizeof(*r->targets));
	if (!images || !r->targets)
		return err_memory(e);
	for (size_t i = 0; i < p->image_count; i++)
		if (look_at_image(&images[i], a->file, &p->images[i], o->platform, e))
			return -1;
	look_at_archive(&archive, a);
	if (report_copy(&r->archive, a->name, e) || report_copy(&r->format, a->file->format, e) ||
	    report_copy(&r->compression, a->file->compression, e) || report_images(&r->images, p, e))
		return -1;
	for (size_t i = 0; i < count; i++, r->count++)
		if (apply(&r->targets[i], chosen[i], p, images, &archive, e)) {
			r->count++;
			return -1;
		}
	return 0;
}

struct check_report *flow_check(const struct check_options *o, struct err *e)
{
	const struct archive_wish wish = { .events = o->events };
	enum consumer chosen[CONSUMER_COUNT];
	size_t count;
	char shown[160];
	AUTO_ARCHIVE a = { 0 };
	AUTO(check_report) r = calloc(1, sizeof(*r));

	if (!r) {
		err_memory(e);
		return NULL;
	}
	if (choose_targets(o->targets, chosen, &count, e) || archive_open(&a, &o->archive, &wish, e))
		return NULL;
	if (!a.file->pack->image_count) {
		err_set(e, ERR_ABSENT, "%s: holds no image", flow_archive_noun(a.name, shown));
		return NULL;
	}
	return fill(r, o, &a, chosen, count, e) ? NULL : TAKE(r);
}

void check_report_free(struct check_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; r->targets && i < r->count; i++) {
		for (size_t k = 0; k < r->targets[i].count; k++)
			free(r->targets[i].findings[k].image);
		free(r->targets[i].findings);
	}
	free(r->targets);
	free(r->archive);
	free(r->format);
	free(r->compression);
	report_images_release(&r->images);
	free(r);
}

static void target_json(struct jout *j, const struct check_target *t)
{
	jout_object(j);
	jout_key(j, "target");
	jout_text(j, t->name);
	jout_key(j, "loads");
	jout_bool(j, t->loads);
	jout_key(j, "loads_with_own_tool");
	jout_bool(j, t->own_tool_loads);
	jout_key(j, "findings");
	jout_array(j);
	for (size_t i = 0; i < t->count; i++) {
		const struct check_finding *f = &t->findings[i];
		jout_object(j);
		jout_key(j, "image");
		jout_text(j, f->image);
		jout_key(j, "images");
		jout_u64(j, f->images);
		jout_key(j, "refuses");
		jout_bool(j, f->refuses);
		jout_key(j, "own_tool_only");
		jout_bool(j, f->own_tool);
		jout_key(j, "why");
		jout_text(j, f->why);
		jout_end(j);
	}
	jout_end(j);
	jout_end(j);
}

int check_report_json(const struct check_report *r, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "archive");
	jout_text(&j, r->archive);
	jout_key(&j, "format");
	jout_text(&j, r->format);
	jout_key(&j, "compression");
	jout_text(&j, r->compression);
	report_images_json(&j, &r->images);
	jout_key(&j, "targets");
	jout_array(&j);
	for (size_t i = 0; i < r->count; i++)
		target_json(&j, &r->targets[i]);
	jout_end(&j);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}
