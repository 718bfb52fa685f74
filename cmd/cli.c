/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/cli.h"

#include "base/text.h"
#include "cmd/config.h"
#include "cmd/help.h"
#include "cmd/process.h"
#include "cmd/progress.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GREEN "\033[1;32m"
#define RED "\033[1;31m"
#define PLAIN "\033[0m"
#define SHOWN 128 /* of a word that is not understood */

static int version_run(struct run *run, struct err *e)
{
	return buf_puts(&run->out, "imgpack " IMGPACK_VERSION "\n", e);
}

/* clang-format off */
static verb_run *const runs[VERB_COUNT] = {
	[VERB_FETCH] = fetch_run,
	[VERB_LOAD] = load_run,
	[VERB_COPY] = copy_run,
	[VERB_SERVE] = serve_run,
	[VERB_SCAN] = scan_run,
	[VERB_INVENTORY] = inventory_run,
	[VERB_VERIFY] = verify_run,
	[VERB_INSPECT] = inspect_run,
	[VERB_CHECK] = check_run,
	[VERB_CONVERT] = convert_run,
	[VERB_REPAIR] = repair_run,
	[VERB_WANTS] = wants_run,
	[VERB_RULES] = rules_run,
	[VERB_PORTER] = porter_run,
	[VERB_LOGIN] = login_run,
	[VERB_LOGOUT] = logout_run,
	[VERB_HELP] = help_run,
	[VERB_VERSION] = version_run,
	[VERB_COMPLETION] = completion_run,
};
/* clang-format on */

const char *run_green(const struct run *run)
{
	return run->colour ? GREEN : "";
}

const char *run_plain(const struct run *run)
{
	return run->colour ? PLAIN : "";
}

/* Says the error and returns the exit code. `verb`: whose help a usage error points at; VERB_COUNT: the program's. */
static int report(const struct err *e, enum verb_id verb)
{
	/* On the stack: "out of memory" must be said, too. */
	char line[sizeof(e->text) + 100];
	bool colour = process_has_colour(STDERR_FILENO);
	const bool usage = e->kind == ERR_USAGE;
	const bool known = usage && verb < VERB_COUNT;

	int len = snprintf(line, sizeof(line), "%simgpack:%s %s\n%s%s%s%s", colour ? RED : "", colour ? PLAIN : "",
			   e->text, usage ? "See: imgpack " : "", known ? words_verbs[verb].name : "", known ? " " : "",
			   usage ? "--help\n" : "");
	if (len > 0)
		(void)process_write(STDERR_FILENO, "standard error", line, (size_t)len, NULL);
	return err_exit_code(e);
}

/* The result leaves, and the disk behind standard output has taken it: some say so only when the file is closed. */
static int deliver(const struct buf *out, bool to_stderr, struct err *e)
{
	if (!out->len)
		return 0;
	if (to_stderr)
		return process_write(STDERR_FILENO, "standard error", out->data, out->len, e);
	if (process_write(STDOUT_FILENO, "standard output", out->data, out->len, e))
		return -1;
	int copy = dup(STDOUT_FILENO);
	if (copy < 0)
		return err_sys(e, ERR_LOCAL, errno, "standard output");
	return close(copy) ? err_sys(e, ERR_LOCAL, errno, "standard output") : 0;
}

/* Runs the verb with its picture on standard error. */
static int run_verb(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	const struct progress_options how = {
		.terminal = process_is_terminal(STDERR_FILENO),
		.silent = o->given[OPT_NO_PROGRESS],
		.quiet = o->given[OPT_QUIET],
		.verbose = o->given[OPT_VERBOSE],
		.colour = process_has_colour(STDERR_FILENO),
	};

	if (how.quiet && how.verbose)
		return err_set(e, ERR_USAGE, "--quiet and --verbose exclude each other");
	AUTO(progress) progress = progress_new(&how, &progress_stderr, e);
	if (!progress)
		return -1;
	const struct events events = { .emit = progress_event, .ctx = progress };
	AUTO(ticker) ticker = ticker_new(progress);
	run->events = &events;
	int rc = runs[o->verb](run, e);
	run->events = NULL;
	ticker_free(TAKE(ticker));
	progress_finish(progress);
	return rc;
}

static int run_options(const struct options *o)
{
	struct run run = {
		.options = o,
		.colour = process_has_colour(STDOUT_FILENO),
		.json = o->given[OPT_JSON],
		.quiet = o->given[OPT_QUIET],
	};
	struct err e = { 0 }, out = { 0 };
	int rc;

	if (o->given[OPT_HELP])
		rc = help_verb(&run.out, o->verb, &e);
	else
		rc = run_verb(&run, &e);
	int code = 0;
	if (rc && e.kind == ERR_USAGE)
		config_blame(o, &e);
	if (deliver(&run.out, run.to_stderr, &out))
		code = report(&out, VERB_COUNT);
	buf_release(&run.out);
	return rc ? report(&e, o->verb) : code;
}

static int run_named(const char *name, int argc, char *const *argv)
{
	enum verb_id verb = words_verb(name);
	struct options o;
	struct err e = { 0 };
	char shown[SHOWN];

	if (verb < VERB_COUNT) {
		int code = options_parse(&o, verb, argc, argv, &e) || config_merge(&o, &e) ? report(&e, verb)
											   : run_options(&o);
		options_release(&o);
		return code;
	}
	const char *answer = words_later_verb(name);
	const char *nearest = words_nearest_verb(name);
	text_escape_str(shown, sizeof(shown), name);
	if (answer)
		err_set(&e, ERR_USAGE, "%s: %s", shown, answer);
	else if (name[0] == '-')
		err_set(&e, ERR_USAGE, "unknown option %.*s; options follow the command", (int)strcspn(shown, "="),
			shown);
	else
		err_set(&e, ERR_USAGE, "unknown command '%s'", shown);
	if (!answer && nearest)
		err_hint(&e, "did you mean %s?", nearest);
	return report(&e, VERB_COUNT);
}

int cli_main(int argc, char **argv)
{
	struct err e = { 0 };

	if (argc < 2) {
		err_set(&e, ERR_USAGE,
			"which command? fetch, load, copy, serve, verify, inspect, scan, inventory, repair ...");
		return report(&e, VERB_COUNT);
	}
	const char *name = argv[1];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	else if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		name = "version";
	else
		return run_named(name, argc - 2, argv + 2);
	return run_named(name, 0, NULL);
}
