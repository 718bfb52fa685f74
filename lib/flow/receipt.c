/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/receipt.h"

#include "base/text.h"
#include "flow/report.h"
#include "stream/space.h"

#include <string.h>
#include <time.h>

struct receipt_file {
	struct space *space;
	char shown[160]; /* its path, for messages */
};

struct receipt_file *receipt_open(const char *path, struct err *e)
{
	AUTO(receipt_file) f = calloc(1, sizeof(*f));

	if (!f) {
		err_memory(e);
		return NULL;
	}
	text_escape_str(f->shown, sizeof(f->shown), path);
	f->space = space_stage(path, e);
	if (!f->space) {
		err_at(e, "--receipt");
		err_hint(e, "nothing was loaded");
		return NULL;
	}
	return TAKE(f);
}

void receipt_file_free(struct receipt_file *f)
{
	if (!f)
		return;
	space_free(f->space);
	free(f);
}

static void write_time(struct jout *j, int64_t now)
{
	const time_t seconds = (time_t)now;
	struct tm tm;
	char text[sizeof("2026-11-24T21:15:00Z") + 8] = "";

	if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		jout_text(j, text);
	else
		jout_null(j);
}

static void write_image(struct jout *j, const struct receipt_image *image)
{
	jout_object(j);
	jout_key(j, "name");
	jout_text(j, image->name);
	jout_key(j, "digest");
	jout_digest(j, &image->digest);
	jout_key(j, "loaded_as");
	jout_text(j, image->loaded_as);
	jout_key(j, "already_there");
	jout_bool(j, image->had_it);
	report_platforms_json(j, image->platforms, image->platform_count);
	jout_end(j);
}

int receipt_json(const struct receipt *r, int64_t now, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "imgpack");
	jout_text(&j, IMGPACK_VERSION);
	jout_key(&j, "command");
	jout_text(&j, r->command);
	jout_key(&j, "time");
	write_time(&j, now);
	jout_key(&j, "archive");
	jout_text(&j, r->archive);
	jout_key(&j, "id");
	if (r->id)
		jout_digest(&j, r->id);
	else
		jout_null(&j);
	jout_key(&j, "target");
	jout_text(&j, r->target);
	jout_key(&j, "images");
	jout_array(&j);
	for (size_t i = 0; i < r->count; i++)
		write_image(&j, &r->images[i]);
	jout_end(&j);
	jout_key(&j, "sent_bytes");
	jout_u64(&j, r->sent_bytes);
	jout_key(&j, "skipped_bytes");
	jout_u64(&j, r->skipped_bytes);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}

int receipt_write(struct receipt_file *f, const struct receipt *r, struct err *e)
{
	AUTO_BUF text = { 0 };

	if (!receipt_json(r, (int64_t)time(NULL), &text, e) && !space_reserve(f->space, text.len, e) &&
	    !space_pwrite(f->space, text.data, text.len, 0, e) && !space_commit(f->space, e))
		return 0;
	err_at(e, "--receipt %s", f->shown);
	return err_hint(e, "the images are loaded; only the receipt is not written");
}
