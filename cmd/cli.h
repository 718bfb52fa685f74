/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_CLI_H
#define CMD_CLI_H

/* From argv to the exit code: finds the verb, runs it, shows its result or its error. */

#include "base/buf.h"
#include "base/err.h"
#include "base/events.h"
#include "cmd/options.h"

/* The whole program behind main(). Returns the exit code. */
int cli_main(int argc, char **argv);

/* One run of a verb. */
struct run {
	const struct options *options;
	const struct events *events; /* for the flow */
	struct buf out; /* the result, for standard output; written when the verb returns, also when it fails */
	bool colour;    /* `out` may have colours */
	bool to_stderr; /* `out` goes to standard error: standard output is the archive */
	bool json;
	bool quiet;
};

/*
 * A verb: 0, or -1 with *e filled. It reads run->options, calls one flow and puts the result into run->out.
 */
typedef int verb_run(struct run *run, struct err *e);
verb_run fetch_run, load_run, copy_run, serve_run, scan_run, inventory_run, verify_run, inspect_run, check_run,
	convert_run, repair_run, wants_run, rules_run, porter_run, login_run, logout_run, help_run, completion_run;

/* To green and back, or "" where colours are not wanted. */
const char *run_green(const struct run *run);
const char *run_plain(const struct run *run);

#endif
