/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack verify FILE|DIR... */
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/show.h"

#include <string.h>

static int show_good(struct run *run, const struct verify_report *r, const char *path, struct err *e)
{
	char size[TEXT_SIZE_CAP];

	if (buf_printf(&run->out, e, "%s: %sgood%s: ", path, run_green(run), run_plain(run)) ||
	    show_count(&run->out, r->images.count, "image", e) || buf_puts(&run->out, ", ", e) ||
	    show_count(&run->out, r->blobs, "blob", e) ||
	    buf_printf(&run->out, e, ", %s checked\n", text_size(size, r->blob_bytes)))
		return -1;
	return show_absent(&run->out, r, e) || show_unproved(&run->out, r->unproved, r->unproved_count, e) ? -1 : 0;
}

static int show_bad(struct run *run, const struct verify_report *r, struct err *e)
{
	for (size_t i = 0; i < r->problem_count; i++) {
		if (show_problem(&run->out, &r->problems[i], e))
			return -1;
	}
	return 0;
}

int verify_run(struct run *run, struct err *e)
{
	const struct archive_paths paths = { run->options->operands.items, run->options->operands.count };
	struct err verdict = { 0 };
	char shown[160];

	AUTO(verify_report) r = flow_verify(&paths, !run->options->given[OPT_NO_DIFF_IDS], run->events, &verdict);
	const bool bad = !r || r->problem_count || verdict.kind != ERR_NONE;
	const char *noun = flow_archive_noun(r && r->archive ? r->archive : paths.items[0], shown);
	if (r && run->json && verify_report_json(r, &run->out, e))
		return -1;
	if (r && !run->json && bad && show_bad(run, r, e))
		return -1;
	if (r && !run->json && !bad && !run->quiet && show_good(run, r, noun, e))
		return -1;
	if (!bad)
		return 0;
	/* The list says what is wrong; the error is the verdict, and the whole story only where there is no list. */
	*e = verdict;
	if (r && r->problem_count)
		err_set(e, verdict.kind ? verdict.kind : ERR_CORRUPT, "%s: not good: %zu problem%s", noun,
			r->problem_count, r->problem_count == 1 ? "" : "s");
	return -1;
}
