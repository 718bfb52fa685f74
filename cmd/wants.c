/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack wants FILE|DIR... */
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/show.h"

#include <inttypes.h>
#include <string.h>

#define FILES_SHOWN 20

/* What is wrong, file by file. */
static void say_files(const struct run *run, const struct wants_report *r)
{
	char name[SHOW_NAME], size[TEXT_SIZE_CAP];

	for (size_t i = 0; i < r->file_count && i < FILES_SHOWN; i++)
		event_text(run->events, EVENT_NOTE, "%s: %s %s", text_escape_str(name, sizeof(name), r->files[i].name),
			   text_size(size, r->files[i].bytes), r->files[i].missing ? "missing" : "damaged");
	if (r->file_count > FILES_SHOWN)
		event_text(run->events, EVENT_NOTE, "and %zu more", r->file_count - FILES_SHOWN);
}

/* What the list asks for, and what to do with it. */
static void say_list(const struct run *run, const struct wants_report *r)
{
	char size[TEXT_SIZE_CAP];

	if (!r->file_count) {
		event_text(run->events, EVENT_NOTE, "nothing is missing or damaged; the list is empty");
		return;
	}
	if (r->repairable)
		event_text(run->events, EVENT_NOTE,
			   "%s come back from the parity files at hand: `imgpack repair` does it",
			   text_size(size, r->repairable));
	if (!r->blocks)
		event_text(run->events, EVENT_NOTE, "nothing has to be carried over; the list is empty");
	else
		event_text(run->events, EVENT_NOTE,
			   "the list asks for %" PRIu64 " block%s, %s; carry it out, then: "
			   "imgpack fetch --only LIST REF... -o FILE.blocks",
			   r->blocks, r->blocks == 1 ? "" : "s", text_size(size, r->bytes));
}

int wants_run(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	const struct wants_options options = {
		.paths = { o->operands.items, o->operands.count },
		.output = options_value(o, OPT_OUTPUT),
		.no_parity = o->given[OPT_NO_PARITY],
		.events = run->events,
	};
	char path[SHOW_NAME];

	if (options.output && strcmp(options.output, "-") == 0)
		return err_set(e, ERR_USAGE, "-o -: without -o the list goes to standard output");
	AUTO(wants_report) r = flow_wants(&options, e);
	if (!r)
		return -1;
	say_files(run, r);
	say_list(run, r);
	if (run->json)
		return wants_report_json(r, &run->out, e);
	if (!options.output)
		return buf_add(&run->out, r->list.data, r->list.len, e);
	if (run->quiet)
		return 0;
	return buf_printf(&run->out, e, "%swrote%s %s: ", run_green(run), run_plain(run),
			  text_escape_str(path, sizeof(path), options.output)) ||
			       show_count(&run->out, r->blocks, "block", e) || buf_puts(&run->out, "\n", e)
		       ? -1
		       : 0;
}
