/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack rules [show NAME | explain REF...] */
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/show.h"
#include "flow/explain.h"

#include <stdio.h>
#include <string.h>

static int list(struct run *run, struct err *e)
{
	char summary[RULE_SET_SUMMARY];
	const char *name, *text;

	if (run->json)
		return flow_rule_sets_json(&run->out, e);
	for (size_t i = 0; flow_rule_set(i, &name, summary, &text); i++)
		if (buf_printf(&run->out, e, "%-12s %s\n", name, summary))
			return -1;
	return 0;
}

static int show_set(struct run *run, const char *name, struct err *e)
{
	const char *text = flow_rule_set_text(name, e);

	if (!text)
		return -1;
	if (run->json)
		return err_set(e, ERR_USAGE, "rules show prints a file of rules, which is no JSON; leave --json out");
	return buf_puts(&run->out, text, e);
}

/* "  aliyun: registry.aliyuncs.com/google_containers/pause:3.9", and the rule below it. */
static int show_item(struct run *run, const struct explained *x, struct err *e)
{
	char text[SHOW_NAME], rule[SHOW_NAME], set[64] = "";

	if (x->set)
		(void)snprintf(set, sizeof(set), "%s: ", x->set);
	text_escape_str(text, sizeof(text), x->text);
	text_escape_str(rule, sizeof(rule), x->rule);
	switch (x->kind) {
	case EXPLAINED_MADE:
		return buf_printf(&run->out, e, "  %s%s\n      by %s: %s\n", set, x->result, rule, text);
	case EXPLAINED_KEPT:
		return buf_printf(&run->out, e, "  %sleft as it is\n      by %s: %s\n", set, rule, text);
	case EXPLAINED_PROBLEM:
		return buf_printf(&run->out, e, "  %s%s\n", set, x->problem);
	case EXPLAINED_NONE:
		break;
	}
	return x->set ? buf_printf(&run->out, e, "  %sno rule fits\n", set)
		      : buf_puts(&run->out,
				 "  no rule fits: fetched from where it says, loaded under the name that it has\n", e);
}

/* A rule that makes no reference would stop a fetch, too. */
static int verdict(const struct explain_report *r, struct err *e)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->items[i].kind == EXPLAINED_PROBLEM && !r->items[i].set)
			return err_set(e, ERR_USAGE, "%s", r->items[i].problem);
	return 0;
}

static int explain(struct run *run, struct err *e)
{
	const struct values *words = &run->options->operands;
	AUTO(explain_report)
	r = flow_explain(words->items + 1, words->count - 1, options_all(run->options, OPT_MAP), e);

	if (!r)
		return -1;
	if (run->json)
		return explain_report_json(r, &run->out, e) ? -1 : verdict(r, e);
	for (size_t i = 0; i < r->count; i++) {
		const struct explained *x = &r->items[i];
		const bool another = i == 0 || strcmp(x->name, r->items[i - 1].name) != 0;
		if ((another && buf_printf(&run->out, e, "%s\n", x->name)) || show_item(run, x, e))
			return -1;
	}
	return verdict(r, e);
}

int rules_run(struct run *run, struct err *e)
{
	const struct values *words = &run->options->operands;
	const char *what = words->count ? words->items[0] : "list";
	char shown[100];

	if (!words->count || (!strcmp(what, "list") && words->count == 1))
		return list(run, e);
	if (!strcmp(what, "show"))
		return words->count == 2
			       ? show_set(run, words->items[1], e)
			       : err_set(e, ERR_USAGE, "rules show: name one set; `imgpack rules` lists them");
	if (!strcmp(what, "explain"))
		return words->count > 1 ? explain(run, e) : err_set(e, ERR_USAGE, "rules explain: which references?");
	return err_set(e, ERR_USAGE, "rules: '%s' is not show or explain", text_escape_str(shown, sizeof(shown), what));
}
