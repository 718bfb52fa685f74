/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack inventory TARGET|FILE... */
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/connection.h"
#include "cmd/show.h"

#include <string.h>

/* What the list holds, in a line; where the list itself goes to standard output, as a note. */
static int say_counts(const struct inventory_report *r, struct buf *out, struct err *e)
{
	if (!r->blobs && !r->chains)
		return buf_puts(out, "nothing is there; the list is empty", e);
	if (r->blobs && show_count(out, r->blobs, "blob", e))
		return -1;
	if (r->blobs && r->chains && buf_puts(out, " and ", e))
		return -1;
	return r->chains ? show_count(out, r->chains, "unpacked layer", e) : 0;
}

int inventory_run(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	AUTO_CONNECTION connection = { 0 };
	AUTO_BUF counts = { 0 };
	char path[SHOW_NAME];
	struct inventory_options options = {
		.places = o->operands.items,
		.count = o->operands.count,
		.output = options_value(o, OPT_OUTPUT),
		.events = run->events,
	};

	if (options.output && strcmp(options.output, "-") == 0)
		return err_set(e, ERR_USAGE, "-o -: without -o the list goes to standard output");
	if (connection_fill(&connection, o, e))
		return -1;
	options.connect = connection.options;
	AUTO(inventory_report) r = flow_inventory(&options, e);
	if (!r || say_counts(r, &counts, e))
		return -1;
	if (run->json)
		return inventory_report_json(r, &run->out, e);
	if (!options.output) {
		event_text(run->events, EVENT_NOTE, "%s", counts.data);
		return buf_add(&run->out, r->list.data, r->list.len, e);
	}
	if (run->quiet)
		return 0;
	return buf_printf(&run->out, e, "%swrote%s %s: %s\n", run_green(run), run_plain(run),
			  text_escape_str(path, sizeof(path), options.output), counts.data);
}
