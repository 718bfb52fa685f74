/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack --help, imgpack VERB --help, imgpack help [VERB] */
#include "cmd/help.h"

#include "base/text.h"
#include "cmd/cli.h"

#include <stdio.h>
#include <string.h>

#define WIDTH 80
#define OPTION_COLUMN 30 /* where the text beside an option begins */
#define VERB_COLUMN 14
#define HEAD_MAX 96

const char help_about[] =
	"imgpack carries container images across an air gap: it downloads them from registries into one tar that "
	"`docker load` takes, checks every byte, and loads them into docker or a registry with their digests intact.";

const char help_examples[] = "imgpack fetch nginx:1.27 quay.io/prometheus/prometheus:v3.1.0 -o apps.tar\n"
			     "imgpack load apps.tar --to registry:registry.local:5000\n";

/*
 * Appends words from column `at`, lines broken before column WIDTH and begun at column `indent`. '\n' in the text
 * begins a new line too.
 */
static int wrap(struct buf *out, const char *text, size_t at, size_t indent, struct err *e)
{
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " \n");
		if (!first && at + 1 + len > WIDTH) {
			if (buf_printf(out, e, "\n%*s", (int)indent, ""))
				return -1;
			at = indent;
		} else if (!first) {
			if (buf_puts(out, " ", e))
				return -1;
			at++;
		}
		if (buf_add(out, text, len, e))
			return -1;
		at += len;
		text += len;
		first = false;
		if (*text == '\n') {
			if (buf_printf(out, e, "\n%*s", (int)indent, ""))
				return -1;
			at = indent;
			first = true;
		}
		if (*text)
			text++;
	}
	return buf_puts(out, "\n", e);
}

/* "  HEAD        text text", the text at `column`; on the next line if the head is too long. */
static int entry(struct buf *out, const char *head, const char *text, size_t column, struct err *e)
{
	size_t at = 2 + strlen(head);

	if (buf_printf(out, e, "  %s", head))
		return -1;
	if (at + 1 >= column) {
		if (buf_puts(out, "\n", e))
			return -1;
		at = 0;
	}
	if (buf_printf(out, e, "%*s", (int)(column - at), ""))
		return -1;
	return wrap(out, text, column, column, e);
}

static int examples(struct buf *out, const char *lines, struct err *e)
{
	if (buf_puts(out, "\nExamples:\n", e))
		return -1;
	while (*lines) {
		size_t len = strcspn(lines, "\n");
		if (buf_printf(out, e, "  %.*s\n", (int)len, lines))
			return -1;
		lines += len;
		if (*lines)
			lines++;
	}
	return 0;
}

int help_program(struct buf *out, struct err *e)
{
	if (wrap(out, help_about, 0, 0, e) ||
	    buf_puts(out, "\nUsage: imgpack COMMAND [OPTION...] [ARGUMENT...]\n\nCommands:\n", e))
		return -1;
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (entry(out, words_verbs[i].name, words_verbs[i].summary, VERB_COLUMN, e))
			return -1;
	}
	if (examples(out, help_examples, e) || buf_puts(out, "\nExit codes:\n", e))
		return -1;
	for (size_t i = 0; words_exits[i].text; i++) {
		if (entry(out, words_exits[i].code, words_exits[i].text, VERB_COLUMN - 5, e))
			return -1;
	}
	return buf_puts(out, "\n`imgpack COMMAND --help` explains a command.\n", e);
}

static int option_entry(struct buf *out, const struct option *o, struct err *e)
{
	char head[HEAD_MAX], letter[8] = "    ";

	if (o->letter)
		(void)snprintf(letter, sizeof(letter), "-%c, ", o->letter);
	(void)snprintf(head, sizeof(head), "%s--%s%s%s", letter, o->name, o->value ? " " : "",
		       o->value ? o->value : "");
	return entry(out, head, o->help, OPTION_COLUMN, e);
}

static int option_group(struct buf *out, enum verb_id verb, enum option_group group, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < words_option_count; i++) {
		const struct option *o = &words_options[i];
		if (o->group != group || !option_has_verb(o, verb))
			continue;
		if (!any && buf_printf(out, e, "\n%s:\n", words_groups[group]))
			return -1;
		any = true;
		if (option_entry(out, o, e))
			return -1;
	}
	return 0;
}

int help_verb(struct buf *out, enum verb_id verb, struct err *e)
{
	const struct verb *v = &words_verbs[verb];

	if (buf_printf(out, e, "Usage: imgpack %s%s%s [OPTION...]\n\n", v->name, *v->operands ? " " : "",
		       v->operands) ||
	    wrap(out, v->about, 0, 0, e))
		return -1;
	for (size_t group = 0; group < GROUP_COUNT; group++) {
		if (option_group(out, verb, (enum option_group)group, e))
			return -1;
	}
	return examples(out, v->examples, e);
}

int help_run(struct run *run, struct err *e)
{
	const struct values *operands = &run->options->operands;
	char shown[128];

	if (!operands->count)
		return help_program(&run->out, e);
	enum verb_id verb = words_verb(operands->items[0]);
	if (verb == VERB_COUNT)
		return err_set(e, ERR_USAGE, "unknown command '%s'",
			       text_escape_str(shown, sizeof(shown), operands->items[0]));
	return help_verb(&run->out, verb, e);
}
