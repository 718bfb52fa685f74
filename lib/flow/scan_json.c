/* SPDX-License-Identifier: Apache-2.0 */
/* What `imgpack scan --json` prints. */
#include "flow/report.h"

static void place(struct jout *j, const struct scan_place *p)
{
	jout_key(j, "file");
	jout_text(j, p->file);
	jout_key(j, "line");
	jout_u64(j, p->line);
}

static void skipped(struct jout *j, const char *key, const struct scan_skipped *items, size_t count)
{
	jout_key(j, key);
	jout_array(j);
	for (size_t i = 0; i < count; i++) {
		jout_object(j);
		place(j, &items[i].place);
		jout_key(j, "text");
		jout_text(j, items[i].text);
		jout_key(j, "why");
		jout_text(j, items[i].why);
		jout_end(j);
	}
	jout_end(j);
}

int scan_report_json(const struct scan_report *r, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "images");
	jout_array(&j);
	for (size_t i = 0; i < r->count; i++) {
		jout_object(&j);
		jout_key(&j, "name");
		jout_text(&j, r->images[i].name);
		jout_key(&j, "places");
		jout_array(&j);
		for (size_t k = 0; k < r->images[i].place_count; k++) {
			jout_object(&j);
			place(&j, &r->images[i].places[k]);
			jout_end(&j);
		}
		jout_end(&j);
		jout_end(&j);
	}
	jout_end(&j);
	skipped(&j, "skipped", r->skipped, r->skipped_count);
	skipped(&j, "problems", r->problems, r->problem_count);
	jout_key(&j, "files");
	jout_u64(&j, r->file_count);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}
