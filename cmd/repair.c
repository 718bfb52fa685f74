/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack repair FILE|DIR... */
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/show.h"

#include <string.h>

static int show_problems(struct run *run, const struct repair_report *r, struct err *e)
{
	for (size_t i = 0; i < r->problem_count; i++)
		if (show_problem(&run->out, &r->problems[i], e))
			return -1;
	return 0;
}

static int show_made(struct run *run, const struct repair_report *r, struct err *e)
{
	char name[SHOW_NAME];
	char size[TEXT_SIZE_CAP];

	for (size_t i = 0; i < r->repaired_count; i++) {
		const struct fetch_file *f = &r->repaired[i];
		if (buf_printf(&run->out, e, "%srebuilt%s %s (%s)\n", run_green(run), run_plain(run),
			       text_escape_str(name, sizeof(name), f->file), text_size(size, f->bytes)))
			return -1;
	}
	if (r->repaired_count)
		return 0;
	if (buf_printf(&run->out, e, "%s: %sgood%s: ", text_escape_str(name, sizeof(name), r->archive), run_green(run),
		       run_plain(run)) ||
	    show_count(&run->out, r->chunks, "chunk", e) || buf_puts(&run->out, " and ", e) ||
	    show_count(&run->out, r->parity, "parity file", e))
		return -1;
	return buf_puts(&run->out, ", nothing to repair\n", e);
}

int repair_run(struct run *run, struct err *e)
{
	const struct repair_options options = {
		.paths = { run->options->operands.items, run->options->operands.count },
		.folder = options_value(run->options, OPT_OUTPUT),
		.events = run->events,
	};
	struct err verdict = { 0 };

	if (strcmp(options.paths.items[0], "-") == 0)
		return err_set(e, ERR_USAGE, "-: chunks are files; name one of them, or their folder");
	AUTO(repair_report) r = flow_repair(&options, &verdict);
	const bool bad = !r || verdict.kind != ERR_NONE;
	if (r && run->json && repair_report_json(r, &run->out, e))
		return -1;
	if (r && !run->json && (bad || !run->quiet) && show_problems(run, r, e))
		return -1;
	if (r && !run->json && !bad && !run->quiet && show_made(run, r, e))
		return -1;
	if (bad)
		*e = verdict;
	return bad ? -1 : 0;
}
