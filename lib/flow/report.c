/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/report.h"

#include <string.h>

int report_copy(char **out, const char *text, struct err *e)
{
	if (!text)
		return 0;
	*out = strdup(text);
	return *out ? 0 : err_memory(e);
}

static int add_platforms(struct flow_image *to, const struct pack *p, const struct pack_image *image, struct err *e)
{
	char text[PLATFORM_TEXT_SIZE];

	to->platforms = calloc(image->manifest_count + 1, sizeof(*to->platforms));
	if (!to->platforms)
		return err_memory(e);
	for (size_t m = 0; m < image->manifest_count; m++) {
		const struct pack_manifest *pm = &image->manifests[m];
		if (!pm->image)
			continue;
		struct flow_platform *f = &to->platforms[to->platform_count++];
		f->manifest = p->blobs[pm->blob].promise.digest;
		if (report_copy(&f->name, platform_text(&pm->platform, text), e))
			return -1;
	}
	return 0;
}

static int add_layer(struct flow_image *to, size_t *capacity, const struct pack_blob *b, struct err *e)
{
	if (GROW(to->layers, *capacity, to->layer_count, e))
		return -1;
	struct flow_layer *layer = &to->layers[to->layer_count++];
	*layer = (struct flow_layer){ .digest = b->promise.digest, .bytes = b->promise.size, .absent = b->absent };
	return report_copy(&layer->media_type, b->media_type, e);
}

static int add_layers(struct flow_image *to, const struct pack *p, const struct pack_image *image, struct err *e)
{
	AUTO_MEM bool *seen = calloc(p->blob_count + 1, sizeof(*seen));
	size_t capacity = 0;

	if (!seen)
		return err_memory(e);
	for (size_t m = 0; m < image->manifest_count; m++) {
		const struct pack_manifest *pm = &image->manifests[m];
		for (size_t i = 0; i < pm->layer_count; i++) {
			if (seen[pm->layers[i]])
				continue;
			seen[pm->layers[i]] = true;
			if (add_layer(to, &capacity, &p->blobs[pm->layers[i]], e))
				return -1;
		}
	}
	return 0;
}

static int add_referrers(struct flow_image *to, const struct pack *p, const struct pack_image *image, struct err *e)
{
	to->referrers = calloc(image->referrer_count + 1, sizeof(*to->referrers));
	if (!to->referrers)
		return err_memory(e);
	for (size_t i = 0; i < image->referrer_count; i++) {
		const struct pack_referrer *from = &image->referrers[i];
		struct flow_referrer *r = &to->referrers[to->referrer_count++];
		*r = (struct flow_referrer){ .manifest = p->blobs[from->blob].promise.digest,
					     .subject = from->subject,
					     .bytes = p->blobs[from->blob].promise.size };
		for (size_t k = 0; k < from->part_count; k++)
			r->bytes += p->blobs[from->parts[k]].promise.size;
		if (report_copy(&r->tag, *from->tag ? from->tag : NULL, e) || report_copy(&r->type, from->type, e))
			return -1;
	}
	return 0;
}

/* When the preferred platform's config says it was built. */
static int add_created(struct flow_image *to, const struct pack *p, const struct pack_image *image, struct err *e)
{
	if (image->preferred >= image->manifest_count || !image->manifests[image->preferred].image)
		return 0;
	const struct pack_blob *config = &p->blobs[image->manifests[image->preferred].config];
	if (!config->bytes)
		return 0;
	AUTO(config) parsed = config_parse(config->bytes, config->promise.size, e);
	return parsed ? report_copy(&to->created, parsed->created, e) : -1;
}

static int add_image(struct flow_image *to, const struct pack *p, const struct pack_image *image, struct err *e)
{
	to->digest = image->has_source ? image->source.digest : p->blobs[image->root].promise.digest;
	to->bytes = pack_image_bytes(p, image);
	if (report_copy(&to->name, image->name, e) || add_platforms(to, p, image, e) || add_layers(to, p, image, e) ||
	    add_created(to, p, image, e) || add_referrers(to, p, image, e))
		return -1;
	return 0;
}

int report_images(struct flow_images *out, const struct pack *p, struct err *e)
{
	out->items = calloc(p->image_count + 1, sizeof(*out->items));
	if (!out->items)
		return err_memory(e);
	out->count = p->image_count;
	for (size_t i = 0; i < p->image_count; i++) {
		if (add_image(&out->items[i], p, &p->images[i], e)) {
			report_images_release(out);
			return -1;
		}
	}
	return 0;
}

void report_images_release(struct flow_images *images)
{
	for (size_t i = 0; i < images->count; i++) {
		struct flow_image *image = &images->items[i];
		for (size_t k = 0; k < image->platform_count; k++)
			free(image->platforms[k].name);
		for (size_t k = 0; k < image->layer_count; k++)
			free(image->layers[k].media_type);
		for (size_t k = 0; k < image->referrer_count; k++) {
			free(image->referrers[k].tag);
			free(image->referrers[k].type);
		}
		free(image->referrers);
		free(image->platforms);
		free(image->layers);
		free(image->name);
		free(image->created);
	}
	free(images->items);
	*images = (struct flow_images){ 0 };
}

void report_platforms_json(struct jout *j, const struct flow_platform *platforms, size_t count)
{
	jout_key(j, "platforms");
	jout_array(j);
	for (size_t i = 0; i < count; i++) {
		jout_object(j);
		jout_key(j, "platform");
		jout_text(j, platforms[i].name);
		jout_key(j, "digest");
		jout_digest(j, &platforms[i].manifest);
		jout_end(j);
	}
	jout_end(j);
}

/* Left out if there are none. */
static void referrers_json(struct jout *j, const struct flow_image *image)
{
	if (!image->referrer_count)
		return;
	jout_key(j, "referrers");
	jout_array(j);
	for (size_t i = 0; i < image->referrer_count; i++) {
		const struct flow_referrer *r = &image->referrers[i];
		jout_object(j);
		jout_key(j, "digest");
		jout_digest(j, &r->manifest);
		jout_key(j, "subject");
		jout_digest(j, &r->subject);
		jout_key(j, "tag");
		jout_text(j, r->tag);
		jout_key(j, "artifactType");
		jout_text(j, r->type);
		jout_key(j, "bytes");
		jout_u64(j, r->bytes);
		jout_end(j);
	}
	jout_end(j);
}

static void image_json(struct jout *j, const struct flow_image *image)
{
	jout_object(j);
	jout_key(j, "name");
	jout_text(j, image->name);
	jout_key(j, "digest");
	jout_digest(j, &image->digest);
	report_platforms_json(j, image->platforms, image->platform_count);
	jout_key(j, "layers");
	jout_array(j);
	for (size_t i = 0; i < image->layer_count; i++) {
		jout_object(j);
		jout_key(j, "digest");
		jout_digest(j, &image->layers[i].digest);
		jout_key(j, "bytes");
		jout_u64(j, image->layers[i].bytes);
		jout_key(j, "mediaType");
		jout_text(j, image->layers[i].media_type);
		if (image->layers[i].absent) {
			jout_key(j, "absent");
			jout_bool(j, true);
		}
		jout_end(j);
	}
	jout_end(j);
	referrers_json(j, image);
	jout_key(j, "bytes");
	jout_u64(j, image->bytes);
	jout_end(j);
}

void report_images_json(struct jout *j, const struct flow_images *images)
{
	jout_key(j, "images");
	jout_array(j);
	for (size_t i = 0; i < images->count; i++)
		image_json(j, &images->items[i]);
	jout_end(j);
}

void report_files_json(struct jout *j, const char *key, const struct fetch_file *files, size_t count, bool written)
{
	jout_key(j, key);
	jout_array(j);
	for (size_t i = 0; i < count; i++) {
		jout_object(j);
		jout_key(j, "file");
		jout_text(j, files[i].file);
		jout_key(j, "bytes");
		jout_u64(j, files[i].bytes);
		if (written) {
			jout_key(j, "sha256");
			jout_digest(j, &files[i].sha256);
		}
		jout_end(j);
	}
	jout_end(j);
}

static void number_or_null(struct jout *j, const char *key, bool known, uint64_t number)
{
	jout_key(j, key);
	if (known)
		jout_u64(j, number);
	else
		jout_null(j);
}

static void number(struct jout *j, const char *key, uint64_t n)
{
	number_or_null(j, key, true, n);
}

static void pulls_json(struct jout *j, const struct forecast *f)
{
	jout_key(j, "manifest_requests");
	jout_array(j);
	for (size_t i = 0; i < f->pull_count; i++) {
		const struct flow_pulls *p = &f->pulls[i];
		jout_object(j);
		jout_key(j, "registry");
		jout_text(j, p->host);
		number(j, "count", p->manifests);
		number_or_null(j, "left", p->known, p->left);
		number_or_null(j, "limit", p->known && p->limit, p->limit);
		number_or_null(j, "window_seconds", p->known && p->window, p->window);
		jout_end(j);
	}
	jout_end(j);
}

/* "plan":{...}, key included. */
static void forecast_json(struct jout *j, const struct fetch_report *r)
{
	const struct forecast *f = r->forecast;

	jout_key(j, "plan");
	jout_object(j);
	jout_key(j, "images");
	jout_array(j);
	for (size_t i = 0; i < r->images.count; i++) {
		jout_object(j);
		jout_key(j, "name");
		jout_text(j, r->images.items[i].name);
		number(j, "download_bytes", f->images[i].download);
		number(j, "there_bytes", f->images[i].there);
		number(j, "left_out_bytes", f->images[i].left_out);
		jout_end(j);
	}
	jout_end(j);
	number(j, "here_bytes", f->here_bytes);
	number_or_null(j, "free_bytes", f->free_known, f->free_bytes);
	jout_key(j, "fits");
	if (f->free_known)
		jout_bool(j, f->fits);
	else
		jout_null(j);
	number(j, "registry_bytes", f->load_bytes);
	pulls_json(j, f);
	jout_end(j);
}

/* Only of a run that had one. */
static void shard_json(struct jout *j, const struct shard *s)
{
	if (!s->count)
		return;
	jout_key(j, "shard");
	jout_object(j);
	jout_key(j, "index");
	jout_u64(j, s->index);
	jout_key(j, "count");
	jout_u64(j, s->count);
	jout_end(j);
}

int fetch_report_json(const struct fetch_report *r, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "archive");
	jout_text(&j, r->archive);
	jout_key(&j, "id");
	if (r->images.count)
		jout_digest(&j, &r->id);
	else
		jout_null(&j);
	jout_key(&j, "bytes");
	jout_u64(&j, r->bytes);
	shard_json(&j, &r->shard);
	report_images_json(&j, &r->images);
	/* One file is not split: `archive` and `bytes` say all there is. */
	report_files_json(&j, "chunks", r->chunks, r->chunk_count, !r->plan_only);
	report_files_json(&j, "parity", r->parity, r->parity_count, !r->plan_only);
	jout_key(&j, "downloaded_bytes");
	jout_u64(&j, r->downloaded_bytes);
	jout_key(&j, "reused_bytes");
	jout_u64(&j, r->reused_bytes);
	jout_key(&j, "left_out");
	jout_u64(&j, r->left_out);
	jout_key(&j, "left_out_bytes");
	jout_u64(&j, r->left_out_bytes);
	if (r->forecast)
		forecast_json(&j, r);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}

static void problem_json(struct jout *j, const struct flow_problem *p)
{
	jout_object(j);
	jout_key(j, "chunk");
	jout_text(j, p->chunk);
	jout_key(j, "offset");
	jout_u64(j, p->offset);
	jout_key(j, "length");
	jout_u64(j, p->length);
	jout_key(j, "member");
	jout_text(j, p->member);
	jout_key(j, "image");
	jout_text(j, p->image);
	jout_key(j, "what");
	jout_text(j, p->what);
	jout_end(j);
}

void report_problems_json(struct jout *j, const struct flow_problem *problems, size_t count)
{
	jout_key(j, "problems");
	jout_array(j);
	for (size_t i = 0; i < count; i++)
		problem_json(j, &problems[i]);
	jout_end(j);
}
