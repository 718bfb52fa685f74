/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack(1), made from the tables: `imgpack completion man`, called by the build. */
#include "cmd/help.h"

#include <string.h>

/* Text with what roff would read as its own made plain. Words in backquotes are set in bold. */
static int roff(struct buf *out, const char *text, struct err *e)
{
	bool bold = false, line_start = true;

	for (; *text; text++) {
		const char *as = NULL;
		char one[2] = { *text };
		if (*text == '\\')
			as = "\\e";
		else if (*text == '-')
			as = "\\-";
		else if (*text == '`')
			as = (bold = !bold) ? "\\fB" : "\\fR";
		else if (*text == '~')
			as = "\\(ti";
		else if (*text == '\'')
			as = "\\(aq";
		else if (*text == '.' && line_start)
			as = "\\&.";
		if (buf_puts(out, as ? as : one, e))
			return -1;
		line_start = *text == '\n';
	}
	return 0;
}

/* ".TP", the head in bold, and the text. */
static int tagged(struct buf *out, const char *head, const char *text, struct err *e)
{
	if (buf_puts(out, ".TP\n\\fB", e) || roff(out, head, e) || buf_puts(out, "\\fR\n", e) || roff(out, text, e))
		return -1;
	return buf_puts(out, "\n", e);
}

static int examples(struct buf *out, const char *lines, struct err *e)
{
	if (buf_puts(out, ".nf\n.RS\n", e) || roff(out, lines, e))
		return -1;
	return buf_puts(out, ".RE\n.fi\n", e);
}

static int option(struct buf *out, const struct option *o, struct err *e)
{
	if (buf_puts(out, ".TP\n", e))
		return -1;
	if (o->letter && buf_printf(out, e, "\\fB\\-%c\\fR, ", o->letter))
		return -1;
	if (buf_puts(out, "\\fB\\-\\-", e) || roff(out, o->name, e) || buf_puts(out, "\\fR", e))
		return -1;
	if (o->value && (buf_puts(out, " \\fI", e) || roff(out, o->value, e) || buf_puts(out, "\\fR", e)))
		return -1;
	return buf_puts(out, "\n", e) || roff(out, o->help, e) || buf_puts(out, ".\n", e) ? -1 : 0;
}

static int verb(struct buf *out, enum verb_id id, struct err *e)
{
	const struct verb *v = &words_verbs[id];

	if (buf_printf(out, e, ".SS \"imgpack %s%s%s\"\n", v->name, *v->operands ? " " : "", v->operands) ||
	    roff(out, v->about, e) || buf_puts(out, "\n", e))
		return -1;
	for (size_t i = 0; i < words_option_count; i++) {
		const struct option *o = &words_options[i];
		/* --help is the same everywhere and said once. */
		if (option_has_verb(o, id) && o->id != OPT_HELP && option(out, o, e))
			return -1;
	}
	return buf_puts(out, ".PP\n", e) || examples(out, v->examples, e) ? -1 : 0;
}

static int tail(struct buf *out, struct err *e)
{
	if (buf_puts(out, ".SH EXIT STATUS\n", e))
		return -1;
	for (size_t i = 0; words_exits[i].text; i++) {
		if (tagged(out, words_exits[i].code, words_exits[i].text, e))
			return -1;
	}
	if (buf_puts(out, ".SH ENVIRONMENT\n", e))
		return -1;
	for (size_t i = 0; words_variables[i].name; i++) {
		if (tagged(out, words_variables[i].name, words_variables[i].text, e))
			return -1;
	}
	if (buf_puts(out, ".SH FILES\n", e) ||
	    tagged(out, "~/.docker/config.json", "credentials, credential helpers and proxies, shared with docker",
		   e) ||
	    tagged(out, "~/.config/imgpack/config.yaml",
		   "options for every command (connections: 16), or below a command's name for that one; the keys are "
		   "the "
		   "long options, lists for those that may be repeated, true or false for flags; what is typed wins, "
		   "and "
		   "secrets are refused",
		   e) ||
	    buf_puts(out, ".SH EXAMPLES\n", e) || examples(out, help_examples, e))
		return -1;
	return buf_puts(out, ".SH SEE ALSO\n.BR docker\\-load (1),\n.BR skopeo (1),\n.BR tar (1)\n", e);
}

int man_page(struct buf *out, struct err *e)
{
	if (buf_puts(out, ".TH IMGPACK 1 \"\" \"imgpack " IMGPACK_VERSION "\" \"User Commands\"\n", e) ||
	    buf_puts(out, ".SH NAME\nimgpack \\- container images across the air gap, digests intact\n", e) ||
	    buf_puts(out, ".SH SYNOPSIS\n.B imgpack\n.I COMMAND\n[\\fIOPTION\\fR...] [\\fIARGUMENT\\fR...]\n", e) ||
	    buf_puts(out, ".SH DESCRIPTION\n", e) || roff(out, help_about, e) ||
	    buf_puts(out,
		     "\n.PP\nResults go to standard output, everything else to standard error.\n"
		     "Every command takes \\fB\\-h\\fR or \\fB\\-\\-help\\fR.\n"
		     "A value may follow its option as the next word or after an equals sign;\n"
		     "\\fB\\-\\-\\fR ends the options.\n.SH COMMANDS\n",
		     e))
		return -1;
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (verb(out, (enum verb_id)i, e))
			return -1;
	}
	return tail(out, e);
}
