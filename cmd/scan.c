/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack scan FILE|DIR... */
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/show.h"

#include <stdio.h>
#include <string.h>

#define WHERE 200

static const char *where(const struct scan_place *p, char out[WHERE])
{
	char shown[160];

	(void)snprintf(out, WHERE, "%s:%zu", flow_archive_noun(p->file, shown), p->line);
	return out;
}

static void say_places(const struct run *run, const struct scan_report *r)
{
	char place[WHERE], name[SHOW_NAME];

	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; k < r->images[i].place_count; k++)
			event_text(run->events, EVENT_DETAIL, "%s: %s", where(&r->images[i].places[k], place),
				   text_escape_str(name, sizeof(name), r->images[i].name));
}

/* Returns how many of them are doubts. */
static size_t say_skipped(const struct run *run, const struct scan_report *r)
{
	char place[WHERE], text[SHOW_NAME];
	size_t doubts = 0;

	for (size_t i = 0; i < r->skipped_count; i++) {
		const struct scan_skipped *s = &r->skipped[i];
		text_escape_str(text, sizeof(text), s->text);
		doubts += s->doubt ? 1 : 0;
		event_text(run->events, s->doubt ? EVENT_DETAIL : EVENT_WARNING, "%s: not taken: %s%s%s",
			   where(&s->place, place), text, *text ? ": " : "", s->why);
	}
	return doubts;
}

static void say(const struct run *run, const struct scan_report *r)
{
	char shown[SHOW_NAME], place[WHERE];

	say_places(run, r);
	const size_t doubts = say_skipped(run, r);
	/* The first one is the run's error. */
	for (size_t i = 1; i < r->problem_count; i++)
		event_text(run->events, EVENT_WARNING, "%s: %s", where(&r->problems[i].place, place),
			   r->problems[i].why);
	for (size_t i = 0; i < r->chart_count; i++) {
		text_escape_str(shown, sizeof(shown), r->charts[i]);
		event_text(run->events, EVENT_WARNING,
			   "%s is a Helm chart, its templates are not read: helm template %s | imgpack scan -", shown,
			   shown);
	}
	if (doubts && !run->options->given[OPT_VERBOSE])
		event_text(run->events, EVENT_NOTE,
			   "%zu field%s named like an image %s not taken, having no tag or digest; -v lists them",
			   doubts, doubts == 1 ? "" : "s", doubts == 1 ? "is" : "are");
	if (!r->count)
		event_text(run->events, EVENT_NOTE, "no image is named in %zu file%s", r->file_count,
			   r->file_count == 1 ? "" : "s");
}

static int check(const struct options *o, struct err *e)
{
	size_t from_stdin = 0;

	for (size_t i = 0; i < o->operands.count; i++) {
		if (!*o->operands.items[i])
			return err_set(e, ERR_USAGE, "scan: the name of a file is empty");
		from_stdin += strcmp(o->operands.items[i], "-") == 0;
	}
	return from_stdin > 1 ? err_set(e, ERR_USAGE, "standard input can be read once") : 0;
}

int scan_run(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	const struct scan_options options = { o->operands.items, o->operands.count, run->events };
	struct err broken = { 0 };

	if (check(o, e))
		return -1;
	AUTO(scan_report) r = flow_scan(&options, &broken);
	if (r)
		say(run, r);
	if (r && run->json && scan_report_json(r, &run->out, e))
		return -1;
	for (size_t i = 0; r && !run->json && i < r->count; i++)
		if (buf_printf(&run->out, e, "%s\n", r->images[i].name))
			return -1;
	if (broken.kind == ERR_NONE)
		return 0;
	*e = broken;
	return -1;
}
