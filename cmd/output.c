/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/output.h"

#include "base/limits.h"
#include "base/text.h"
#include "cmd/split.h"

#include <string.h>
#include <unistd.h>

/* -o -: standard output is the archive, and nothing of it can be taken back. Options that need a file end here. */
static int check_stdout(const struct options *o, const char *example, struct err *e)
{
	if (isatty(STDOUT_FILENO))
		return err_set(e, ERR_USAGE,
			       "-o -: standard output is a terminal; pipe it: %s -o - | ssh HOST imgpack load -",
			       example);
	if (o->given[OPT_JSON])
		return err_set(e, ERR_USAGE,
			       "-o - and --json: standard output is the archive; write to a file for a "
			       "JSON result");
	if (o->given[OPT_SPLIT] || o->given[OPT_REREAD])
		return err_set(e, ERR_USAGE, "-o - is one stream: --split and --reread want a file");
	return 0;
}

int output_check(const struct options *o, const char *example, struct err *e)
{
	const char *output = options_value(o, OPT_OUTPUT);

	if (output && strcmp(output, "-") == 0 && !o->given[OPT_PLAN] && check_stdout(o, example, e))
		return -1;
	if (o->given[OPT_PARITY] && !o->given[OPT_SPLIT])
		return err_set(e, ERR_USAGE, "--parity repairs chunks: add --split SIZE");
	if (o->given[OPT_REREAD] && o->given[OPT_NO_REREAD])
		return err_set(e, ERR_USAGE, "--reread and --no-reread exclude each other");
	return 0;
}

int output_fill(struct fetch_options *out, const struct options *o, struct err *e)
{
	const char *split = options_value(o, OPT_SPLIT);
	const char *parity = options_value(o, OPT_PARITY);
	uint64_t n = 0;
	char shown[128];

	out->output = options_value(o, OPT_OUTPUT);
	if (o->given[OPT_REREAD])
		out->reread = REREAD_ALWAYS;
	if (o->given[OPT_NO_REREAD])
		out->reread = REREAD_NEVER;
	if (split && split_parse(&out->split, split, e))
		return -1;
	if (parity && (!text_parse_u64(parity, strlen(parity), LIMIT_PARITY, &n) || !n))
		return err_set(e, ERR_USAGE, "--parity: '%s' is not a number from 1 to %d",
			       text_escape_str(shown, sizeof(shown), parity), LIMIT_PARITY);
	out->parity = (size_t)n;
	return 0;
}
