/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/forecast.h"

#include "base/text.h"
#include "flow/report.h"
#include "pack/journal.h"
#include "pack/open.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* What is on this disk already. */

struct there {
	const struct plan *plan;
	uint64_t *bytes; /* one a blob of the pack */
};

/* Not less than what was found elsewhere, and no more than all of it. */
static void note(struct there *t, size_t blob, uint64_t bytes)
{
	const struct pack_blob *b = &t->plan->pack->blobs[blob];

	if (b->absent || b->bytes)
		return;
	if (bytes > b->promise.size)
		bytes = b->promise.size;
	if (bytes > t->bytes[blob])
		t->bytes[blob] = bytes;
}

/* The blob of the plan that is this one, or -1. */
static ptrdiff_t same_blob(const struct there *t, const struct promise *promise)
{
	ptrdiff_t blob = pack_find_blob(t->plan->pack, &promise->digest);

	return blob >= 0 && t->plan->pack->blobs[blob].promise.size == promise->size ? blob : -1;
}

static int look_at_journal(struct there *t, const char *path, struct err *e)
{
	AUTO_JOURNAL_READ j = { 0 };
	int found = journal_read(path, &j, e);

	if (found <= 0)
		return found;
	AUTO_MEM uint64_t *sums = calloc(j.blob_count + 1, sizeof(*sums));
	if (!sums)
		return err_memory(e);
	for (size_t i = 0; i < j.count; i++)
		sums[j.stretches[i].blob] += j.stretches[i].len;
	for (size_t i = 0; i < j.blob_count; i++) {
		ptrdiff_t blob = j.blobs[i].named ? same_blob(t, &j.blobs[i].promise) : -1;
		if (blob >= 0)
			note(t, (size_t)blob, sums[i]);
	}
	return 0;
}

/* What an earlier run of this command left: stage.c says which names it looks at. */
static int look_at_part(struct there *t, const char *part, struct err *e)
{
	static const char *const journals[] = { ".journal", ".old.journal" };
	struct stat st;

	for (size_t i = 0; i < sizeof(journals) / sizeof(journals[0]); i++) {
		AUTO_MEM char *path = NULL;
		if (asprintf(&path, "%s%s", part, journals[i]) < 0) {
			path = NULL;
			return err_memory(e);
		}
		if (!stat(path, &st) && look_at_journal(t, path, e))
			return -1;
	}
	return 0;
}

static int look_at_archive(struct there *t, const char *path, const struct events *events, struct err *e)
{
	char shown[160];
	AUTO(pack_file) f = pack_file_open(path, events, e);

	if (!f)
		return err_at(e, "--have-archive %s", text_escape_str(shown, sizeof(shown), path));
	for (size_t i = 0; i < f->pack->blob_count; i++) {
		const struct pack_blob *b = &f->pack->blobs[i];
		ptrdiff_t blob = b->absent ? -1 : same_blob(t, &b->promise);
		if (blob >= 0)
			note(t, (size_t)blob, b->promise.size);
	}
	return 0;
}

/* The first temporary name, owned; NULL in *out without a file to write. */
static int part_of(const struct fetch_options *o, uint64_t size, char **out, struct err *e)
{
	*out = NULL;
	if (!o->output || fetch_to_stdout(o))
		return 0;
	AUTO_MEM char *name = o->split ? space_chunk_name(o->output, 1, space_chunk_count(size, o->split), e)
				       : strdup(o->output);
	if (!name)
		return err_memory(e);
	if (asprintf(out, "%s.part", name) >= 0)
		return 0;
	*out = NULL;
	return err_memory(e);
}

static int look(struct there *t, const struct fetch_options *o, uint64_t size, struct err *e)
{
	AUTO_MEM char *part = NULL;

	if (part_of(o, size, &part, e) || (part && look_at_part(t, part, e)))
		return -1;
	for (const char *const *p = o->have_archives; p && *p; p++)
		if (look_at_archive(t, *p, o->events, e))
			return -1;
	return 0;
}

/* What each image brings. */

struct counting {
	struct forecast *forecast;
	const struct there *there;
	bool *seen; /* one a blob of the pack */
};

static void count_blob(struct counting *c, struct forecast_image *image, size_t blob)
{
	const struct pack_blob *b = &c->there->plan->pack->blobs[blob];

	if (c->seen[blob] || b->bytes)
		return;
	c->seen[blob] = true;
	if (b->absent) {
		image->left_out += b->promise.size;
		return;
	}
	image->there += c->there->bytes[blob];
	image->download += b->promise.size - c->there->bytes[blob];
}

/* A blob that several images share is the first one's, so that the lines add up. */
static int count_images(struct counting *c, struct err *e)
{
	const struct pack *p = c->there->plan->pack;
	struct forecast *f = c->forecast;

	f->images = calloc(p->image_count + 1, sizeof(*f->images));
	c->seen = calloc(p->blob_count + 1, sizeof(*c->seen));
	if (!f->images || !c->seen)
		return err_memory(e);
	for (size_t i = 0; i < p->image_count; i++) {
		struct forecast_image *image = &f->images[i];
		for (size_t k = 0; k < p->images[i].manifest_count; k++) {
			const struct pack_manifest *m = &p->images[i].manifests[k];
			count_blob(c, image, m->config);
			for (size_t l = 0; l < m->layer_count; l++)
				count_blob(c, image, m->layers[l]);
		}
		f->download_bytes += image->download;
		f->there_bytes += image->there;
	}
	return 0;
}

/* Things that an index names and that are neither manifest nor layer belong to no line. */
static void count_rest(struct counting *c)
{
	struct forecast_image rest = { 0 };

	for (size_t i = 0; i < c->there->plan->pack->blob_count; i++)
		count_blob(c, &rest, i);
	c->forecast->download_bytes += rest.download;
	c->forecast->there_bytes += rest.there;
}

static int count(struct forecast *f, const struct there *t, struct err *e)
{
	struct counting c = { .forecast = f, .there = t };
	int failed = count_images(&c, e);

	if (!failed)
		count_rest(&c);
	free(c.seen);
	return failed;
}

/* Room. */

/* What an earlier run reserved is taken already. */
static uint64_t reserved(const char *part)
{
	struct stat st;

	return part && !stat(part, &st) && S_ISREG(st.st_mode) ? (uint64_t)st.st_blocks * 512 : 0;
}

static int measure_disk(struct forecast *f, const struct fetch_options *o, uint64_t size, struct err *e)
{
	const char *slash = o->output ? strrchr(o->output, '/') : NULL;
	AUTO_MEM char *part = NULL;
	struct statvfs fs;

	if (!o->output || fetch_to_stdout(o))
		return 0;
	f->folder = slash ? strndup(o->output, slash == o->output ? 1 : (size_t)(slash - o->output)) : strdup(".");
	if (!f->folder || part_of(o, size, &part, e))
		return err_memory(e);
	if (statvfs(f->folder, &fs))
		return 0; /* it is not there yet; the fetch will say so */
	f->free_known = true;
	f->free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize + reserved(part);
	f->fits = f->free_bytes >= f->here_bytes;
	return 0;
}

static int measure(struct forecast *f, const struct fetch_options *o, const struct layout *layout,
		   const struct sums *sums, struct err *e)
{
	size_t text = 0;

	f->here_bytes = layout->size;
	for (size_t i = 0; sums && i < sums->parity_count; i++)
		f->here_bytes += sums->parity[i].size;
	if (sums && sums_text_size(sums, false, &text, e))
		return -1;
	f->here_bytes += text;
	for (size_t i = 0; i < layout->count; i++)
		if (layout->members[i].blob >= 0)
			f->load_bytes += layout->members[i].promise.size;
	return measure_disk(f, o, layout->size, e);
}

/* Pull limits. */

static int add_pulls(struct forecast *f, const struct endpoint *ep, size_t *capacity, struct err *e)
{
	struct registry_quota quota;

	if (!ep->manifests)
		return 0;
	if (GROW(f->pulls, *capacity, f->pull_count, e))
		return -1;
	struct flow_pulls *p = &f->pulls[f->pull_count++];
	*p = (struct flow_pulls){ .manifests = ep->manifests };
	p->known = registry_quota(ep->registry, &quota);
	if (p->known) {
		p->left = quota.left;
		p->limit = quota.limit;
		p->window = quota.window;
	}
	return report_copy(&p->host, registry_host(ep->registry), e);
}

static int list_pulls(struct forecast *f, const struct registries *r, struct err *e)
{
	size_t capacity = 0;

	for (size_t n = 0; n < r->count; n++)
		for (size_t i = 0; i < r->items[n]->count; i++)
			if (add_pulls(f, &r->items[n]->endpoints[i], &capacity, e))
				return -1;
	return 0;
}

struct forecast *forecast_new(const struct fetch_options *o, const struct plan *plan, const struct layout *layout,
			      const struct sums *sums, struct registries *registries, struct err *e)
{
	AUTO(forecast) f = calloc(1, sizeof(*f));
	AUTO_MEM uint64_t *bytes = calloc(plan->pack->blob_count + 1, sizeof(*bytes));
	struct there there = { plan, bytes };

	if (!f || !bytes) {
		err_memory(e);
		return NULL;
	}
	if (look(&there, o, layout->size, e) || count(f, &there, e) || measure(f, o, layout, sums, e) ||
	    list_pulls(f, registries, e))
		return NULL;
	return TAKE(f);
}

void forecast_free(struct forecast *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->pull_count; i++)
		free(f->pulls[i].host);
	free(f->pulls);
	free(f->images);
	free(f->folder);
	free(f);
}
