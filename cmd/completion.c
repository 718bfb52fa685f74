/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack completion bash|zsh|fish, and the man page for the build ("man", not offered). */
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/help.h"

#include <string.h>

/* Every name and letter of the verb's options, with dashes, blanks between. */
static int option_words(struct buf *out, enum verb_id verb, struct err *e)
{
	for (size_t i = 0; i < words_option_count; i++) {
		const struct option *o = &words_options[i];
		if (!option_has_verb(o, verb))
			continue;
		if (o->letter && buf_printf(out, e, "-%c ", o->letter))
			return -1;
		if (buf_printf(out, e, "--%s ", o->name))
			return -1;
	}
	return 0;
}

static int verb_names(struct buf *out, struct err *e)
{
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (buf_printf(out, e, "%s%s", i ? " " : "", words_verbs[i].name))
			return -1;
	}
	return 0;
}

static int joined(struct buf *out, const char *const *values, struct err *e)
{
	for (size_t i = 0; values && values[i]; i++) {
		if (buf_printf(out, e, "%s%s", i ? " " : "", values[i]))
			return -1;
	}
	return 0;
}

/* bash: what follows an option. */
static int bash_value(struct buf *out, enum value_kind kind, struct err *e)
{
	if (kind == VALUE_FILE)
		return buf_puts(out, "compopt -o default; COMPREPLY=(); return", e);
	if (!words_values(kind))
		return buf_puts(out, "COMPREPLY=(); return", e);
	/* Files are for what is no word of ours. */
	if (kind == VALUE_RULES && buf_puts(out, "compopt -o default; ", e))
		return -1;
	if (buf_puts(out, "words=\"", e) || joined(out, words_values(kind), e))
		return -1;
	return buf_puts(out, "\"", e);
}

static int bash_verb(struct buf *out, enum verb_id verb, struct err *e)
{
	const struct verb *v = &words_verbs[verb];

	if (buf_printf(out, e, "\t%s)\n\t\toptions=\"", v->name) || option_words(out, verb, e) ||
	    buf_puts(out, "\"\n\t\tcase \"$before\" in\n", e))
		return -1;
	for (size_t i = 0; i < words_option_count; i++) {
		const struct option *o = &words_options[i];
		if (!option_has_verb(o, verb) || !o->value)
			continue;
		if (buf_puts(out, "\t\t", e) || (o->letter && buf_printf(out, e, "-%c|", o->letter)) ||
		    buf_printf(out, e, "--%s) ", o->name) || bash_value(out, o->kind, e) || buf_puts(out, " ;;\n", e))
			return -1;
	}
	if (buf_puts(out, "\t\t*) ", e))
		return -1;
	if (v->operand_kind == VALUE_VERB) {
		if (buf_puts(out, "words=\"", e) || verb_names(out, e) || buf_puts(out, "\"", e))
			return -1;
	} else if (v->operand_kind == VALUE_FILE) {
		if (buf_puts(out, "[[ $current == -* ]] || { compopt -o default; COMPREPLY=(); return; }", e))
			return -1;
	} else if (words_values(v->operand_kind)) {
		if (bash_value(out, v->operand_kind, e))
			return -1;
	} else if (buf_puts(out, "words=", e)) {
		return -1;
	}
	return buf_puts(out, " ;;\n\t\tesac ;;\n", e);
}

/* "--to=docker" comes as three words, since '=' breaks words in bash. */
static int bash(struct buf *out, struct err *e)
{
	if (buf_puts(out,
		     "# bash completion for imgpack\n"
		     "_imgpack()\n{\n"
		     "\tlocal current=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\" words= "
		     "options=\n"
		     "\tif [[ $current == = ]]; then\n\t\tcurrent=\n"
		     "\telif [[ $before == = && COMP_CWORD -gt 2 ]]; "
		     "then\n\t\tbefore=\"${COMP_WORDS[COMP_CWORD-2]}\"\n\tfi\n"
		     "\tif [[ COMP_CWORD -eq 1 ]]; then\n\t\tmapfile -t COMPREPLY < <(compgen -W \"",
		     e) ||
	    verb_names(out, e) ||
	    buf_puts(out, " --help --version\" -- \"$current\")\n\t\treturn\n\tfi\n\tcase \"${COMP_WORDS[1]}\" in\n",
		     e))
		return -1;
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (bash_verb(out, (enum verb_id)i, e))
			return -1;
	}
	return buf_puts(out,
			"\tesac\n"
			"\t[[ $current == -* ]] && words=$options\n"
			"\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
			"}\ncomplete -F _imgpack imgpack\n",
			e);
}

/* Inside '...' of zsh and fish; `special` are the characters that zsh's _arguments would read. */
static int quoted(struct buf *out, const char *text, const char *special, struct err *e)
{
	for (; *text; text++) {
		char one[3] = { *text };
		const char *as = one;
		if (*text == '\'')
			as = *special ? "'\\''" : "\\'";
		else if (*text == '\\' || strchr(special, *text))
			as = memcpy(one, (char[3]){ '\\', *text }, sizeof(one));
		if (buf_puts(out, as, e))
			return -1;
	}
	return 0;
}

#define ZSH_SPECIAL "[]:"

static int zsh_value(struct buf *out, enum value_kind kind, struct err *e)
{
	if (kind == VALUE_FILE)
		return buf_puts(out, "_files", e);
	if (kind == VALUE_VERB)
		return buf_puts(out, "(", e) || verb_names(out, e) || buf_puts(out, ")", e) ? -1 : 0;
	if (!words_values(kind))
		return buf_puts(out, " ", e);
	if (buf_puts(out, "(", e))
		return -1;
	for (const char *const *value = words_values(kind); *value; value++) {
		if (quoted(out, *value, ZSH_SPECIAL, e) || (value[1] && buf_puts(out, " ", e)))
			return -1;
	}
	return buf_puts(out, ")", e);
}

/* One spelling of one option: '*--name=[help]:VALUE:action'. */
static int zsh_option(struct buf *out, const struct option *o, const char *dashes, const char *name, const char *glue,
		      struct err *e)
{
	if (buf_printf(out, e, " \\\n\t\t\t'%s%s%s%s[", o->repeatable ? "*" : "", dashes, name, o->value ? glue : "") ||
	    quoted(out, o->help, ZSH_SPECIAL, e) || buf_puts(out, "]", e))
		return -1;
	if (o->value && (buf_puts(out, ":", e) || quoted(out, o->value, ZSH_SPECIAL, e) || buf_puts(out, ":", e) ||
			 zsh_value(out, o->kind, e)))
		return -1;
	return buf_puts(out, "'", e);
}

static int zsh_verb(struct buf *out, enum verb_id verb, struct err *e)
{
	const struct verb *v = &words_verbs[verb];

	if (buf_printf(out, e, "\t%s)\n\t\t_arguments -s", v->name))
		return -1;
	for (size_t i = 0; i < words_option_count; i++) {
		const struct option *o = &words_options[i];
		char letter[2] = { o->letter };
		if (!option_has_verb(o, verb))
			continue;
		if ((o->letter && zsh_option(out, o, "-", letter, "+", e)) || zsh_option(out, o, "--", o->name, "=", e))
			return -1;
	}
	if (*v->operands && (buf_printf(out, e, " \\\n\t\t\t'%s", v->most > 1 ? "*:" : ":") ||
			     quoted(out, v->operands, ZSH_SPECIAL, e) || buf_puts(out, ":", e) ||
			     zsh_value(out, v->operand_kind, e) || buf_puts(out, "'", e)))
		return -1;
	return buf_puts(out, " ;;\n", e);
}

static int zsh(struct buf *out, struct err *e)
{
	if (buf_puts(out,
		     "#compdef imgpack\n"
		     "_imgpack()\n{\n\tlocal -a verbs\n\tverbs=(\n",
		     e))
		return -1;
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (buf_printf(out, e, "\t\t'%s:", words_verbs[i].name) ||
		    quoted(out, words_verbs[i].summary, ZSH_SPECIAL, e) || buf_puts(out, "'\n", e))
			return -1;
	}
	if (buf_puts(out,
		     "\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe command verbs\n\t\treturn\n\tfi\n"
		     "\tlocal verb=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n\tcase $verb in\n",
		     e))
		return -1;
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (zsh_verb(out, (enum verb_id)i, e))
			return -1;
	}
	/* Sourced or autoloaded: both work. */
	return buf_puts(
		out,
		"\tesac\n}\n"
		"if [[ $funcstack[1] == _imgpack ]]; then\n\t_imgpack \"$@\"\nelse\n\tcompdef _imgpack imgpack\nfi\n",
		e);
}

static int fish_option(struct buf *out, const struct verb *v, const struct option *o, struct err *e)
{
	if (buf_printf(out, e, "complete -c imgpack -n '__fish_seen_subcommand_from %s'", v->name) ||
	    (o->letter && buf_printf(out, e, " -s %c", o->letter)) || buf_printf(out, e, " -l %s", o->name))
		return -1;
	if (o->kind == VALUE_FILE && buf_puts(out, " -r -F", e))
		return -1;
	if (o->value && o->kind != VALUE_FILE &&
	    (buf_puts(out, o->kind == VALUE_RULES ? " -r" : " -x", e) ||
	     (words_values(o->kind) &&
	      (buf_puts(out, " -a '", e) || joined(out, words_values(o->kind), e) || buf_puts(out, "'", e)))))
		return -1;
	return buf_puts(out, " -d '", e) || quoted(out, o->help, "", e) || buf_puts(out, "'\n", e) ? -1 : 0;
}

static int fish_verb(struct buf *out, const struct verb *v, struct err *e)
{
	if (buf_printf(out, e, "complete -c imgpack -n __fish_use_subcommand -a %s -d '", v->name) ||
	    quoted(out, v->summary, "", e) || buf_puts(out, "'\n", e))
		return -1;
	for (size_t i = 0; i < words_option_count; i++) {
		if (option_has_verb(&words_options[i], (enum verb_id)(v - words_verbs)) &&
		    fish_option(out, v, &words_options[i], e))
			return -1;
	}
	if (v->operand_kind == VALUE_FILE)
		return buf_printf(out, e, "complete -c imgpack -n '__fish_seen_subcommand_from %s' -F\n", v->name);
	if (v->operand_kind != VALUE_VERB && !words_values(v->operand_kind))
		return 0;
	if (buf_printf(out, e, "complete -c imgpack -n '__fish_seen_subcommand_from %s' -a '", v->name) ||
	    (v->operand_kind == VALUE_VERB ? verb_names(out, e) : joined(out, words_values(v->operand_kind), e)))
		return -1;
	return buf_puts(out, "'\n", e);
}

static int fish(struct buf *out, struct err *e)
{
	if (buf_puts(out, "# fish completion for imgpack\ncomplete -c imgpack -f\n", e))
		return -1;
	for (size_t i = 0; i < VERB_COUNT; i++) {
		if (fish_verb(out, &words_verbs[i], e))
			return -1;
	}
	return 0;
}

int completion_run(struct run *run, struct err *e)
{
	static const struct {
		const char *name;
		int (*print)(struct buf *out, struct err *e);
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish }, { "man", man_page } };
	const char *name = run->options->operands.items[0];
	char shown[64];

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (strcmp(shells[i].name, name) == 0)
			return shells[i].print(&run->out, e);
	}
	return err_set(e, ERR_USAGE, "completion: '%s' is none of bash, zsh and fish",
		       text_escape_str(shown, sizeof(shown), name));
}
