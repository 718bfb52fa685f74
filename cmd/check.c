/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack check FILE|DIR... */
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/images.h"
#include "cmd/show.h"

#include <string.h>

static int show_finding(struct buf *out, const struct check_finding *f, struct err *e)
{
	char image[SHOW_NAME];

	if (buf_printf(out, e, "  %s%s", f->own_tool ? "with its own tool: " : "", f->refuses ? "" : "note: "))
		return -1;
	if (f->image && buf_puts(out, text_escape_str(image, sizeof(image), f->image), e))
		return -1;
	if (f->images > 1 && buf_printf(out, e, " and %zu more", f->images - 1))
		return -1;
	return buf_printf(out, e, "%s%s\n", f->image ? ": " : "", f->why);
}

static int show(struct run *run, const struct check_report *r, struct err *e)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct check_target *t = &r->targets[i];
		const char *verdict = !t->loads           ? "does not load"
				      : t->own_tool_loads ? "loads"
							  : "loads, with imgpack load";
		if (run->quiet && t->loads)
			continue;
		if (buf_printf(&run->out, e, "%s (%s): %s%s%s\n", t->name, t->about, t->loads ? run_green(run) : "",
			       verdict, t->loads ? run_plain(run) : ""))
			return -1;
		for (size_t k = 0; k < t->count; k++)
			if ((!run->quiet || (t->findings[k].refuses && !t->findings[k].own_tool)) &&
			    show_finding(&run->out, &t->findings[k], e))
				return -1;
	}
	return 0;
}

int check_run(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	AUTO_MEM struct platform *platforms = NULL;
	size_t platform_count = 0;
	size_t refused = 0;
	char shown[160];
	struct check_options options = {
		.archive = { o->operands.items, o->operands.count },
		.targets = options_all(o, OPT_TARGET),
		.events = run->events,
	};

	if (images_platforms(&platforms, &platform_count, o, e))
		return -1;
	options.platform = platform_count ? platforms : NULL;
	AUTO(check_report) r = flow_check(&options, e);
	if (!r || (run->json ? check_report_json(r, &run->out, e) : show(run, r, e)))
		return -1;
	for (size_t i = 0; i < r->count; i++)
		refused += !r->targets[i].loads;
	return refused ? err_set(e, ERR_TARGET, "%s: does not load in %zu of %zu targets",
				 flow_archive_noun(r->archive, shown), refused, r->count)
		       : 0;
}
