/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/archive.h"
#include "flow/report.h"

#include <string.h>

/*
 * verify: load into nothing. inspect: load that stops after the papers.
 */

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

/* What the archive holds, and what it relies on. */
static int count_blobs(struct verify_report *r, const struct pack *p, struct err *e)
{
	size_t capacity = 0;

	for (size_t i = 0; i < p->blob_count; i++) {
		const struct pack_blob *b = &p->blobs[i];
		if (!b->absent) {
			r->blobs++;
			r->blob_bytes += b->promise.size;
			continue;
		}
		if (GROW(r->absent, capacity, r->absent_count, e))
			return -1;
		struct flow_layer *l = &r->absent[r->absent_count++];
		*l = (struct flow_layer){ .digest = b->promise.digest, .bytes = b->promise.size, .absent = true };
		r->absent_bytes += b->promise.size;
		if (report_copy(&l->media_type, b->media_type, e))
			return -1;
	}
	return 0;
}

/* What the papers say. */
static int report_papers(struct verify_report *r, const struct pack_file *f, struct err *e)
{
	r->bytes = f->bytes;
	if (f->layout) {
		r->has_id = true;
		r->id = f->layout->id;
	}
	return count_blobs(r, f->pack, e) || report_copy(&r->format, f->format, e) ||
			       report_copy(&r->compression, f->compression, e) ||
			       report_images(&r->images, f->pack, e) || copy_unproved(r, f, e)
		       ? -1
		       : 0;
}

/* Not even the papers could be read: what the chunks' table says. */
static int report_table(struct verify_report *r, const struct chunkset *c, struct err *e)
{
	r->bytes = c->sums.size;
	r->has_id = true;
	r->id = c->sums.set;
	return report_copy(&r->format, "imgpack archive", e) || report_copy(&r->compression, "none", e) ? -1 : 0;
}

static struct verify_report *report(struct archive *a, struct err *e)
{
	AUTO(verify_report) r = calloc(1, sizeof(*r));

	if (!r) {
		err_memory(e);
		return NULL;
	}
	if (report_copy(&r->archive, a->name, e) ||
	    (a->file ? report_papers(r, a->file, e) : report_table(r, a->set, e)))
		return NULL;
	r->problems = TAKE(a->problems);
	r->problem_count = a->problem_count;
	a->problem_count = a->problem_capacity = 0;
	return TAKE(r);
}

struct verify_report *flow_inspect(const struct archive_paths *paths, const struct events *events, struct err *e)
{
	const struct archive_wish wish = { .events = events };
	AUTO_ARCHIVE a = { 0 };

	return archive_open(&a, paths, &wish, e) ? NULL : report(&a, e);
}

/* Every byte of the archive, and of the parity files that stand beside it. */
static int check_all(struct archive *a, bool diff_ids, struct err *e)
{
	char shown[160];

	if (archive_verify(a, diff_ids, e))
		return err_at(e, "%s", flow_archive_noun(a->name, shown));
	if (archive_check_parity(a, e))
		return -1;
	return a->problem_count
		       ? err_set(e, ERR_CORRUPT, "%s: the parity files are not good", flow_archive_noun(a->name, shown))
		       : 0;
}

struct verify_report *flow_verify(const struct archive_paths *paths, bool diff_ids, const struct events *events,
				  struct err *e)
{
	const struct archive_wish wish = { .list = true, .events = events };
	AUTO_ARCHIVE a = { 0 };
	struct err bad = { 0 };

	if (archive_open(&a, paths, &wish, &bad)) {
		*e = bad;
		return bad.kind == ERR_CORRUPT && a.set ? report(&a, e) : NULL;
	}
	if (check_all(&a, diff_ids, &bad)) {
		*e = bad;
		if (bad.kind != ERR_CORRUPT)
			return NULL; /* stopped, or the disk failed: no verdict */
	}
	return report(&a, e);
}

void verify_report_free(struct verify_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->problem_count; i++)
		flow_problem_release(&r->problems[i]);
	for (size_t i = 0; i < r->unproved_count; i++)
		free(r->unproved[i]);
	for (size_t i = 0; i < r->absent_count; i++)
		free(r->absent[i].media_type);
	free(r->problems);
	free(r->unproved);
	free(r->absent);
	free(r->archive);
	free(r->format);
	free(r->compression);
	report_images_release(&r->images);
	free(r);
}

/* Empty: the archive stands by itself. */
static void absent_json(struct jout *j, const struct verify_report *r)
{
	jout_key(j, "absent");
	jout_array(j);
	for (size_t i = 0; i < r->absent_count; i++) {
		jout_object(j);
		jout_key(j, "digest");
		jout_digest(j, &r->absent[i].digest);
		jout_key(j, "bytes");
		jout_u64(j, r->absent[i].bytes);
		jout_end(j);
	}
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
	absent_json(&j, r);
	jout_key(&j, "unproved");
	jout_array(&j);
	for (size_t i = 0; i < r->unproved_count; i++)
		jout_text(&j, r->unproved[i]);
	jout_end(&j);
	report_problems_json(&j, r->problems, r->problem_count);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}
