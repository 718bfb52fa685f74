/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/flow.h"
#include "flow/report.h"

#include "base/text.h"
#include "pack/open.h"

#include <string.h>

/*
 * verify: load into nothing. inspect: load that stops after the papers.
 */

struct collector {
	struct verify_report *report;
	size_t capacity;
	bool failed; /* no memory for a problem: the verdict stands, the list is short */
};

static void collect(void *ctx, const struct pack_problem *problem)
{
	struct collector *c = ctx;
	struct verify_report *r = c->report;

	if (c->failed || GROW(r->problems, c->capacity, r->problem_count, NULL)) {
		c->failed = true;
		return;
	}
	struct flow_problem *p = &r->problems[r->problem_count++];
	*p = (struct flow_problem){ .offset = problem->offset, .length = problem->length };
	c->failed = report_copy(&p->chunk, r->archive, NULL) || report_copy(&p->member, problem->member, NULL) ||
		    report_copy(&p->image, problem->image, NULL) || report_copy(&p->what, problem->what, NULL);
}

static int copy_unproved(struct verify_report *r, const struct pack_file *f, struct err *e)
{
	r->unproved = calloc(f->unproved_count + 1, sizeof(*r->unproved));
	if (!r->unproved)
		return err_memory(e);
	for (size_t i = 0; i < f->unproved_count; i++) {
		if (report_copy(&r->unproved[i], f->unproved[i], e))
			return -1;
		r->unproved_count++;
	}
	return 0;
}

/* What the papers say. */
static struct verify_report *report_papers(const char *path, const struct pack_file *f, struct err *e)
{
	AUTO(verify_report) r = calloc(1, sizeof(*r));

	if (!r) {
		err_memory(e);
		return NULL;
	}
	r->bytes = f->bytes;
	if (f->layout) {
		r->has_id = true;
		r->id = f->layout->id;
	}
	for (size_t i = 0; i < f->pack->blob_count; i++) {
		if (f->pack->blobs[i].absent)
			continue;
		r->blobs++;
		r->blob_bytes += f->pack->blobs[i].promise.size;
	}
	if (report_copy(&r->archive, path, e) || report_copy(&r->format, f->format, e) ||
	    report_copy(&r->compression, f->compression, e) || report_images(&r->images, f->pack, e) ||
	    copy_unproved(r, f, e))
		return NULL;
	return TAKE(r);
}

static struct pack_file *open_archive(const char *path, const struct events *events, struct err *e)
{
	char shown[160];
	struct pack_file *f = pack_file_open(path, events, e);

	if (!f)
		err_at(e, "%s", text_escape_str(shown, sizeof(shown), path));
	return f;
}

struct verify_report *flow_inspect(const char *path, const struct events *events, struct err *e)
{
	AUTO(pack_file) f = open_archive(path, events, e);

	return f ? report_papers(path, f, e) : NULL;
}

struct verify_report *flow_verify(const char *path, bool diff_ids, const struct events *events, struct err *e)
{
	char shown[160];
	AUTO(pack_file) f = open_archive(path, events, e);
	if (!f)
		return NULL;

	AUTO(verify_report) r = report_papers(path, f, e);
	if (!r)
		return NULL;

	struct collector collector = { .report = r };
	const struct verify_options options = { .diff_ids = diff_ids, .problem = collect, .ctx = &collector };
	if (pack_file_verify(f, &options, events, e)) {
		err_at(e, "%s", text_escape_str(shown, sizeof(shown), path));
		if (e->kind != ERR_CORRUPT)
			return NULL; /* stopped, or the disk failed: no verdict */
	}
	return TAKE(r);
}

void verify_report_free(struct verify_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->problem_count; i++) {
		free(r->problems[i].chunk);
		free(r->problems[i].member);
		free(r->problems[i].image);
		free(r->problems[i].what);
	}
	for (size_t i = 0; i < r->unproved_count; i++)
		free(r->unproved[i]);
	free(r->problems);
	free(r->unproved);
	free(r->archive);
	free(r->format);
	free(r->compression);
	report_images_release(&r->images);
	free(r);
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

int verify_report_json(const struct verify_report *r, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "archive");
	jout_text(&j, r->archive);
	jout_key(&j, "id");
	if (r->has_id)
		jout_digest(&j, &r->id);
	else
		jout_null(&j);
	jout_key(&j, "format");
	jout_text(&j, r->format);
	jout_key(&j, "compression");
	jout_text(&j, r->compression);
	jout_key(&j, "bytes");
	jout_u64(&j, r->bytes);
	report_images_json(&j, &r->images);
	jout_key(&j, "unproved");
	jout_array(&j);
	for (size_t i = 0; i < r->unproved_count; i++)
		jout_text(&j, r->unproved[i]);
	jout_end(&j);
	jout_key(&j, "problems");
	jout_array(&j);
	for (size_t i = 0; i < r->problem_count; i++)
		problem_json(&j, &r->problems[i]);
	jout_end(&j);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}
