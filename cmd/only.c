/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/only.h"

#include "base/text.h"
#include "cmd/show.h"

#include <string.h>

int only_check(const struct options *o, struct err *e)
{
	static const struct {
		enum option_id id;
		const char *name;
	} others[] = { { OPT_SPLIT, "--split" },   { OPT_PARITY, "--parity" },
		       { OPT_PLAN, "--plan" },     { OPT_HAVE_ARCHIVE, "--have-archive" },
		       { OPT_REREAD, "--reread" }, { OPT_NO_REREAD, "--no-reread" } };
	const char *output = options_value(o, OPT_OUTPUT);

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (o->given[others[i].id])
			return err_set(e, ERR_USAGE, "--only and %s exclude each other: the list says which blocks",
				       others[i].name);
	if (!output)
		return err_set(e, ERR_USAGE, "fetch --only: where to? Give -o FILE.blocks");
	if (strcmp(output, "-") == 0)
		return err_set(e, ERR_USAGE, "-o -: not with --only; write to a file");
	return 0;
}

int only_run(struct run *run, const struct fetch_options *options, struct err *e)
{
	char path[SHOW_NAME], bytes[TEXT_SIZE_CAP], digest[DIGEST_TEXT_SIZE];

	AUTO(only_report) r = flow_fetch_only(options, e);
	if (!r)
		return -1;
	if (run->json)
		return only_report_json(r, &run->out, e);
	if (run->quiet)
		return 0;
	text_escape_str(path, sizeof(path), r->output);
	if (buf_printf(&run->out, e, "%swrote%s %s: ", run_green(run), run_plain(run), path) ||
	    show_count(&run->out, r->blocks, "block", e))
		return -1;
	/* Over there it stands in another folder. */
	const char *slash = strrchr(path, '/');
	return buf_printf(&run->out, e, ", %s\nfor ID %s\nNext: carry it over, then: imgpack repair DIR %s\n",
			  text_size(bytes, r->block_bytes), digest_text(&r->id, digest), slash ? slash + 1 : path);
}
