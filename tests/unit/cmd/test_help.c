/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: help says all that is understood and fits a terminal of 80 columns; the man page and the completion scripts
 * name the same verbs and options, and the scripts do in a shell what they are for.
 */
#include "base/own.h"
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* No line over 80 columns, none that ends in a blank, a newline at the end. */
static void fits(const char *what, const struct buf *b)
{
	AUTO_MEM char *copy = strdup(b->data);
	char *save = NULL;

	assert_non_null(copy);
	assert_int_equal(b->data[b->len - 1], '\n');
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (text_columns(line) > 80)
			fail_msg("%s: %zu columns: %s", what, text_columns(line), line);
		if (line[strlen(line) - 1] == ' ' || strchr(line, '\t'))
			fail_msg("%s: a blank at the end, or a tab: %s", what, line);
	}
}

static void has(const char *what, const struct buf *b, const char *text)
{
	if (!strstr(b->data, text))
		fail_msg("%s does not say \"%s\"", what, text);
}

static void program_help(void **state)
{
	AUTO_BUF b = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(help_program(&b, &e), 0);
	fits("imgpack --help", &b);
	for (size_t i = 0; i < VERB_COUNT; i++) {
		has("help", &b, words_verbs[i].name);
		has("help", &b, words_verbs[i].summary);
	}
	for (size_t i = 0; words_exits[i].text; i++)
		has("help", &b, words_exits[i].text);
	has("help", &b, "Examples:");
}

static void verb_help(void **state)
{
	(void)state;
	for (size_t v = 0; v < VERB_COUNT; v++) {
		AUTO_BUF b = { 0 };
		struct err e = { 0 };
		assert_int_equal(help_verb(&b, (enum verb_id)v, &e), 0);
		fits(words_verbs[v].name, &b);
		has(words_verbs[v].name, &b, "Examples:\n  imgpack ");
		for (size_t i = 0; i < words_option_count; i++) {
			const struct option *o = &words_options[i];
			char spelling[64];
			if (!option_has_verb(o, (enum verb_id)v))
				continue;
			(void)snprintf(spelling, sizeof(spelling), "--%s %s", o->name, o->value ? o->value : "");
			has(words_verbs[v].name, &b, spelling);
			if (o->letter) {
				(void)snprintf(spelling, sizeof(spelling), "-%c, --%s", o->letter, o->name);
				has(words_verbs[v].name, &b, spelling);
			}
		}
	}
}

/* Each example of the help is a command line that its verb takes. */
static void examples_parse(void **state)
{
	(void)state;
	for (size_t v = 0; v < VERB_COUNT; v++) {
		AUTO_MEM char *lines = strdup(words_verbs[v].examples);
		char *save = NULL;
		assert_non_null(lines);
		for (char *line = strtok_r(lines, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
			char *argv[16], *blank = NULL;
			int argc = 0;
			struct options o;
			struct err e = { 0 };
			line[strcspn(line, "|<>")] = '\0';
			for (char *w = strtok_r(line, " ", &blank); w; w = strtok_r(NULL, " ", &blank))
				argv[argc++] = w;
			assert_string_equal(argv[0], "imgpack");
			assert_int_equal(words_verb(argv[1]), v);
			if (options_parse(&o, (enum verb_id)v, argc - 2, argv + 2, &e))
				fail_msg("%s", e.text);
			options_release(&o);
		}
	}
}

static void man(void **state)
{
	AUTO_BUF b = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(man_page(&b, &e), 0);
	assert_true(text_starts(b.data, ".TH IMGPACK 1 "));
	for (size_t i = 0; i < VERB_COUNT; i++) {
		char head[64];
		(void)snprintf(head, sizeof(head), ".SS \"imgpack %s", words_verbs[i].name);
		has("man", &b, head);
	}
	has("man", &b, "\\fB\\-o\\fR, \\fB\\-\\-output\\fR \\fIFILE\\fR");
	has("man", &b, "\\fB\\-\\-no\\-diff\\-ids\\fR\n");
	has("man", &b, ".SH EXIT STATUS");
	has("man", &b, "DOCKER_CONFIG");
	/* roff reads lines that begin with a dot or a quote as its own. */
	for (const char *line = b.data; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		static const char *const known[] = { ".TH", ".SH", ".SS", ".TP", ".PP", ".B ",
						     ".I ", ".BR", ".nf", ".fi", ".RS", ".RE" };
		bool ours = *line != '.' && *line != '\'';
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			ours = ours || text_starts(line, known[i]);
		assert_true(ours);
	}
}

static void script(struct buf *out, const char *shell)
{
	const char *words[] = { shell, NULL };
	struct options o = { .verb = VERB_COMPLETION, .operands = { .items = words, .count = 1 } };
	struct run run = { .options = &o };
	struct err e = { 0 };

	assert_int_equal(completion_run(&run, &e), 0);
	*out = run.out;
}

static void scripts_name_everything(void **state)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };

	(void)state;
	for (size_t s = 0; s < 3; s++) {
		AUTO_BUF b = { 0 };
		script(&b, shells[s]);
		for (size_t i = 0; i < VERB_COUNT; i++)
			has(shells[s], &b, words_verbs[i].name);
		for (size_t i = 0; i < words_option_count; i++)
			has(shells[s], &b, words_options[i].name);
		assert_null(strstr(b.data, " man ")); /* the build's business */
	}
}

/* Runs `shell -c` on the script and what follows it; the output into `out`. False: no such shell here. */
static bool run_shell(const char *shell, const char *const *flags, const struct buf *program, char *out, size_t cap)
{
	int in[2], back[2], status;
	size_t len = 0;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(back), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(in[0], 0);
		(void)dup2(back[1], 1);
		(void)dup2(back[1], 2);
		for (int fd = 3; fd < 64; fd++)
			(void)close(fd);
		execlp(shell, shell, flags[0], flags[0] ? flags[1] : NULL, (char *)NULL);
		_exit(127);
	}
	close(in[0]);
	close(back[1]);
	assert_int_equal(write(in[1], program->data, program->len), (ssize_t)program->len);
	close(in[1]);
	for (ssize_t n; len + 1 < cap && (n = read(back[0], out + len, cap - 1 - len)) > 0;)
		len += (size_t)n;
	out[len] = '\0';
	close(back[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return !(WIFEXITED(status) && WEXITSTATUS(status) == 127);
}

/* What bash offers for the words (the last one is being typed), blanks between. */
static void bash_offers(const char *words, const char *expected)
{
	static const char *const flags[] = { "--norc", NULL };
	AUTO_BUF b = { 0 };
	struct err e = { 0 };
	char out[4096];

	script(&b, "bash");
	/* compopt only works while bash completes: here it says that files would come. */
	assert_int_equal(
		buf_printf(&b, &e,
			   "compopt() { echo FILES; }\nCOMP_WORDS=(%s)\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
			   "_imgpack\necho \"${COMPREPLY[*]}\"\n",
			   words),
		0);
	if (!run_shell("bash", flags, &b, out, sizeof(out)))
		skip();
	out[strcspn(out, "\n")] = '\0';
	if (strcmp(out, expected) != 0)
		fail_msg("%s: bash offers \"%s\", not \"%s\"", words, out, expected);
}

static void bash_completes(void **state)
{
	(void)state;
	bash_offers("imgpack fe", "fetch");
	bash_offers("imgpack log", "login logout");
	bash_offers("imgpack fetch --pla", "--platform --plan --plain-http");
	bash_offers("imgpack verify x.tar --no", "--no-diff-ids --no-progress");
	bash_offers("imgpack fetch --platform linux/arm6", "linux/arm64");
	bash_offers("imgpack load x.tar --to d", "docker");
	bash_offers("imgpack load x.tar --to = d", "docker");
	bash_offers("imgpack load x.tar --to =", "docker podman containerd k3s registry: oci:");
	bash_offers("imgpack fetch nginx -o x", "FILES");
	bash_offers("imgpack fetch nginx --cacert x", "FILES");
	bash_offers("imgpack load x", "FILES");
	bash_offers("imgpack fetch ngi", "");
	bash_offers("imgpack completion z", "zsh");
	bash_offers("imgpack help insp", "inspect");
	bash_offers("imgpack frobnicate x", "");
}

static void fish_completes(void **state)
{
	static const char *const flags[] = { "--no-config", NULL };
	AUTO_BUF b = { 0 };
	struct err e = { 0 };
	char out[8192];

	(void)state;
	script(&b, "fish");
	assert_int_equal(buf_puts(&b,
				  "complete -C 'imgpack insp'\ncomplete -C 'imgpack fetch --all'\n"
				  "complete -C 'imgpack load x --to reg'\ncomplete -C 'imgpack fetch ngi'\n",
				  &e),
			 0);
	if (!run_shell("fish", flags, &b, out, sizeof(out)))
		skip();
	assert_string_equal(
		out,
		"inspect\tshow what is inside: images, platforms, layers, sizes\n"
		"--all-platforms\tfetch everything that an image's index names\n"
		"registry:\twhere to: docker, podman, containerd, k3s, registry:HOST, oci:DIR (default: the first of "
		"docker, podman and containerd that answers)\n");
}

/* zsh completes on a terminal alone: here, that it reads the script and knows the function afterwards. */
static void zsh_reads_it(void **state)
{
	static const char *const flags[] = { "-f", NULL };
	AUTO_BUF b = { 0 };
	struct err e = { 0 };
	char out[4096];

	(void)state;
	assert_int_equal(buf_puts(&b, "compdef() { echo \"compdef $*\" }\n", &e), 0);
	AUTO_BUF zsh = { 0 };
	script(&zsh, "zsh");
	assert_int_equal(buf_add(&b, zsh.data, zsh.len, &e), 0);
	assert_int_equal(buf_puts(&b,
				  "_describe() { echo \"verbs ${#verbs}\" }\nCURRENT=2; words=(imgpack fe); _imgpack\n"
				  "_arguments() { print -rl -- \"$@\" }\n"
				  "CURRENT=3; words=(imgpack verify x); _imgpack\n",
				  &e),
			 0);
	if (!run_shell("zsh", flags, &b, out, sizeof(out)))
		skip();
	char expected[64];
	(void)snprintf(expected, sizeof(expected), "compdef _imgpack imgpack\nverbs %d\n-s\n", VERB_COUNT);
	if (!text_starts(out, expected))
		fail_msg("zsh says: %s", out);
	assert_non_null(strstr(out, "--no-diff-ids[do not decompress layers to check their diff IDs\\: faster"));
	assert_non_null(strstr(out, ":FILE|DIR...:_files\n"));
	assert_null(strstr(out, "--platform"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(program_help),
		cmocka_unit_test(verb_help),
		cmocka_unit_test(examples_parse),
		cmocka_unit_test(man),
		cmocka_unit_test(scripts_name_everything),
		cmocka_unit_test(bash_completes),
		cmocka_unit_test(fish_completes),
		cmocka_unit_test(zsh_reads_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
