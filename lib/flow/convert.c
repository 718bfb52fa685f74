/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/archive.h"
#include "flow/regroup.h"
#include "flow/report.h"
#include "flow/stage.h"
#include "flow/written.h"

#include "pack/supply.h"
#include "stream/sink.h"

#include <string.h>

/*
 * convert: an archive of whatever kind becomes ours.
 *
 *     archive opened -> every byte verified -> pack in our order -> layout -> its papers read back
 *                    -> disk reserved, blobs copied, hashing again -> fsync, rename
 */

/* Names that were asked for need new papers; without them our own archive stays as it is, byte for byte. */
static bool stands(const struct convert_options *o, const struct pack_file *f)
{
	return f->layout && !(o->names && *o->names);
}

static struct pack *arrange(const struct convert_options *o, const struct pack_file *f, struct err *e)
{
	AUTO(maps) none = maps_new(NULL, e);
	AUTO(names) names = none ? names_new(f->pack, o->names, none, NULL, NULL, e) : NULL;

	return names ? regroup(f->pack, names, o->to.events, e) : NULL;
}

/* What will be written is read as `verify` will read it, before any of it is: papers alone, in a file with holes. */
static int try_papers(const struct layout *l, struct err *e)
{
	AUTO(space) scratch = space_scratch(e);

	if (!scratch || layout_write_frame(l, scratch, e))
		return -1;
	AUTO(pack_file) ours = pack_file_open_space(TAKE(scratch), NULL, e);
	return ours ? 0 : err_at(e, "it cannot be written as an archive of imgpack");
}

static int write_out(const struct layout *l, struct supply *from, struct err *e)
{
	AUTO(source) tar = layout_source(l, supply_open_blob, from, e);
	AUTO(sink) out = sink_fd(STDOUT_FILENO, e);

	if (tar && out && !pump(tar, out, e))
		return 0;
	return e && e->kind == ERR_LOCAL ? err_at(e, "standard output") : -1;
}

static struct fetch_report *report_written(const struct convert_options *o, const struct layout *l,
					   const struct sums *sums, struct err *e)
{
	AUTO(fetch_report) r = calloc(1, sizeof(*r));

	if (!r) {
		err_memory(e);
		return NULL;
	}
	r->id = l->id;
	r->bytes = l->size;
	if (report_copy(&r->archive, o->to.output, e) || report_images(&r->images, l->pack, e) ||
	    (sums && written_files(r, sums, o->to.output, e)))
		return NULL;
	return TAKE(r);
}

static struct fetch_report *write_all(const struct convert_options *o, const struct layout *l, struct pack_file *f,
				      struct err *e)
{
	struct supply from = supply_of_file(f);

	if (fetch_to_stdout(&o->to))
		return write_out(l, &from, e) ? NULL : report_written(o, l, NULL, e);
	AUTO(stage) stage = stage_open(&o->to, l, e);
	if (!stage || stage_copy(stage, &from, e) || stage_seal(stage, e))
		return NULL;
	return report_written(o, l, stage_sums(stage), e);
}

static struct convert_report *report(const struct archive *a, struct fetch_report *written, struct err *e)
{
	AUTO(fetch_report) taken = written;
	AUTO(convert_report) r = taken ? calloc(1, sizeof(*r)) : NULL;

	if (!taken)
		return NULL;
	if (r)
		r->unproved = calloc(a->file->unproved_count + 1, sizeof(*r->unproved));
	if (!r || !r->unproved) {
		err_memory(e);
		return NULL;
	}
	r->written = TAKE(taken);
	if (report_copy(&r->source, a->name, e) || report_copy(&r->format, a->file->format, e) ||
	    report_copy(&r->compression, a->file->compression, e))
		return NULL;
	for (size_t i = 0; i < a->file->unproved_count; i++, r->unproved_count++)
		if (report_copy(&r->unproved[i], a->file->unproved[i], e))
			return NULL;
	return TAKE(r);
}

/* Opened, and known to be good. A pipe is kept first: our papers stand in front of what it may bring last. */
static int read_all(struct archive *a, const struct convert_options *o, struct err *e)
{
	const struct archive_wish wish = { .events = o->to.events };
	char shown[160];

	if (archive_open(a, &o->from, &wish, e))
		return -1;
	if (!a->file->pack->image_count)
		err_set(e, ERR_ABSENT, "holds no image");
	else if (!pack_file_spool(a->file, o->to.events, e) && !archive_verify(a, true, e))
		return 0;
	return err_at(e, "%s", flow_archive_noun(a->name, shown));
}

struct convert_report *flow_convert(const struct convert_options *o, struct err *e)
{
	AUTO_ARCHIVE a = { 0 };

	if (read_all(&a, o, e))
		return NULL;
	AUTO(pack) made = stands(o, a.file) ? NULL : arrange(o, a.file, e);
	if (!made && !stands(o, a.file))
		return NULL;
	AUTO(layout) l = layout_new(made ? made : a.file->pack, NULL, e);
	if (!l || (made && try_papers(l, e)))
		return NULL;
	return report(&a, write_all(o, l, a.file, e), e);
}

void convert_report_free(struct convert_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->unproved_count; i++)
		free(r->unproved[i]);
	free(r->unproved);
	free(r->source);
	free(r->format);
	free(r->compression);
	fetch_report_free(r->written);
	free(r);
}

static void source_json(struct jout *j, const struct convert_report *r)
{
	jout_key(j, "source");
	jout_object(j);
	jout_key(j, "archive");
	jout_text(j, r->source);
	jout_key(j, "format");
	jout_text(j, r->format);
	jout_key(j, "compression");
	jout_text(j, r->compression);
	jout_end(j);
}

int convert_report_json(const struct convert_report *r, struct buf *out, struct err *e)
{
	const struct fetch_report *w = r->written;
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "archive");
	jout_text(&j, w->archive);
	jout_key(&j, "id");
	jout_digest(&j, &w->id);
	jout_key(&j, "bytes");
	jout_u64(&j, w->bytes);
	source_json(&j, r);
	report_images_json(&j, &w->images);
	report_files_json(&j, "chunks", w->chunks, w->chunk_count, true);
	report_files_json(&j, "parity", w->parity, w->parity_count, true);
	jout_key(&j, "unproved");
	jout_array(&j);
	for (size_t i = 0; i < r->unproved_count; i++)
		jout_text(&j, r->unproved[i]);
	jout_end(&j);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}
