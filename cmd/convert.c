/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack convert FILE|DIR... -o FILE */
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/output.h"
#include "cmd/show.h"

static int show(struct run *run, const struct convert_report *r, struct err *e)
{
	const struct fetch_report *w = r->written;
	char path[SHOW_NAME], digest[DIGEST_TEXT_SIZE], bytes[TEXT_SIZE_CAP];

	text_escape_str(path, sizeof(path), run->to_stderr ? "standard output" : w->archive);
	if (show_images(&run->out, &w->images, NULL, e) ||
	    show_unproved(&run->out, r->unproved, r->unproved_count, e) ||
	    buf_printf(&run->out, e, "%swrote%s %s: ", run_green(run), run_plain(run), path) ||
	    show_count(&run->out, w->images.count, "image", e) ||
	    buf_printf(&run->out, e, ", %s", text_size(bytes, w->bytes)))
		return -1;
	if (w->chunk_count && (buf_puts(&run->out, " in ", e) || show_chunks(&run->out, w, e)))
		return -1;
	return buf_puts(&run->out, "\n", e) || show_files(&run->out, w, e) ||
			       buf_printf(&run->out, e, "ID %s\n", digest_text(&w->id, digest))
		       ? -1
		       : 0;
}

int convert_run(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	struct convert_options options = {
		.from = { o->operands.items, o->operands.count },
		.names = options_all(o, OPT_NAME),
		.to = { .events = run->events },
	};

	if (!options_value(o, OPT_OUTPUT))
		return err_set(e, ERR_USAGE, "convert: where to? Give -o FILE");
	if (output_check(o, "imgpack convert FILE", e) || output_fill(&options.to, o, e))
		return -1;
	run->to_stderr = fetch_to_stdout(&options.to);
	run->colour = run->colour && !run->to_stderr;
	AUTO(convert_report) r = flow_convert(&options, e);
	if (!r)
		return -1;
	if (run->json)
		return convert_report_json(r, &run->out, e);
	return run->quiet ? 0 : show(run, r, e);
}
