/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack inspect FILE|DIR... */
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/show.h"

#include <string.h>

static int show_head(struct run *run, const struct verify_report *r, struct err *e)
{
	char path[160], format[SHOW_NAME], digest[DIGEST_TEXT_SIZE], size[TEXT_SIZE_CAP];
	const char *compression = r->compression && strcmp(r->compression, "none") != 0 ? r->compression : "";

	if (buf_printf(&run->out, e, "%s: %s", flow_archive_noun(r->archive, path),
		       r->format ? text_escape_str(format, sizeof(format), r->format) : "archive"))
		return -1;
	if (*compression && buf_printf(&run->out, e, " in %s", text_escape_str(format, sizeof(format), compression)))
		return -1;
	if (buf_printf(&run->out, e, ", %s, ", text_size(size, r->bytes)) ||
	    show_count(&run->out, r->images.count, "image", e) || buf_puts(&run->out, "\n", e))
		return -1;
	if (r->has_id && buf_printf(&run->out, e, "ID %s\n", digest_text(&r->id, digest)))
		return -1;
	return show_absent(&run->out, r, e);
}

static int show(struct run *run, const struct verify_report *r, struct err *e)
{
	if (show_head(run, r, e) || buf_puts(&run->out, "\n", e) || show_images(&run->out, &r->images, NULL, e))
		return -1;
	for (size_t i = 0; i < r->images.count; i++) {
		if (buf_puts(&run->out, "\n", e) || show_image(&run->out, &r->images.items[i], e))
			return -1;
	}
	return 0;
}

int inspect_run(struct run *run, struct err *e)
{
	const struct archive_paths paths = { run->options->operands.items, run->options->operands.count };

	AUTO(verify_report) r = flow_inspect(&paths, run->events, e);
	if (!r)
		return -1;
	return run->json ? verify_report_json(r, &run->out, e) : show(run, r, e);
}
