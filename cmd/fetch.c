/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack fetch REF... -o FILE */
#include "base/limits.h"
#include "base/own.h"
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/connection.h"
#include "cmd/images.h"
#include "cmd/only.h"
#include "cmd/output.h"
#include "cmd/plan.h"
#include "cmd/show.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What can be said before anything is read or asked. */
static int check(const struct options *o, struct err *e)
{
	const char *output = options_value(o, OPT_OUTPUT);

	if (!o->operands.count && !o->given[OPT_IMAGES])
		return err_set(e, ERR_USAGE, "fetch: which images? Name them, or give a list with --images FILE");
	if (o->given[OPT_ONLY] && only_check(o, e))
		return -1;
	if (!output && !o->given[OPT_PLAN])
		return err_set(e, ERR_USAGE, "fetch: where to? Give -o FILE, or --plan to see the sizes");
	if (output && strcmp(output, "-") == 0 && !o->given[OPT_PLAN] && o->given[OPT_HAVE_ARCHIVE])
		return err_set(e, ERR_USAGE, "-o - and --have-archive exclude each other; write to a file");
	if (output_check(o, "imgpack fetch ...", e))
		return -1;
	return images_check(o, e);
}

/* A part of the list without images is no error: the other runs have them. */
static int show_nothing(struct run *run, const struct fetch_report *r, struct err *e)
{
	return buf_printf(&run->out, e, "shard %zu of %zu is empty: nothing to fetch, no archive is written\n",
			  r->shard.index, r->shard.count);
}

/* "; 3 layers (31 MB) are left out, the other side has them" */
static int show_left_out(struct run *run, const struct fetch_report *r, struct err *e)
{
	char size[TEXT_SIZE_CAP];

	if (!r->left_out)
		return 0;
	return buf_puts(&run->out, "; ", e) || show_count(&run->out, r->left_out, "layer", e) ||
			       buf_printf(&run->out, e, " (%s) %s left out: it loads only where they are",
					  text_size(size, r->left_out_bytes), r->left_out == 1 ? "is" : "are")
		       ? -1
		       : 0;
}

static int show(struct run *run, const struct fetch_report *r, struct err *e)
{
	char path[SHOW_NAME], digest[DIGEST_TEXT_SIZE], bytes[TEXT_SIZE_CAP], reused[TEXT_SIZE_CAP];

	text_escape_str(path, sizeof(path), run->to_stderr ? "standard output" : r->archive);
	if (show_images(&run->out, &r->images, NULL, e) ||
	    buf_printf(&run->out, e, "%swrote%s %s: ", run_green(run), run_plain(run), path) ||
	    show_count(&run->out, r->images.count, "image", e) || show_referrers(&run->out, &r->images, e) ||
	    buf_printf(&run->out, e, ", %s", text_size(bytes, r->bytes)))
		return -1;
	if (r->chunk_count && (buf_puts(&run->out, " in ", e) || show_chunks(&run->out, r, e)))
		return -1;
	if (r->reused_bytes && buf_printf(&run->out, e, " (%s were there already)", text_size(reused, r->reused_bytes)))
		return -1;
	if (show_left_out(run, r, e) || buf_puts(&run->out, "\n", e) || show_files(&run->out, r, e))
		return -1;
	if (run->to_stderr)
		return buf_printf(&run->out, e, "ID %s\n", digest_text(&r->id, digest));
	if (r->chunk_count)
		return buf_printf(&run->out, e, "ID %s\nNext: carry all of them over, then: imgpack load FOLDER...\n",
				  digest_text(&r->id, digest));
	/* Over there it stands in another folder. */
	const char *slash = strrchr(path, '/');
	return buf_printf(&run->out, e, "ID %s\nNext: carry it over, then: imgpack load %s\n",
			  digest_text(&r->id, digest), slash ? slash + 1 : path);
}

int fetch_run(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	AUTO_IMAGES list = { 0 };
	AUTO_CONNECTION connection = { 0 };
	AUTO_MEM struct platform *platforms = NULL;
	struct fetch_options options = {
		.all_platforms = o->given[OPT_ALL_PLATFORMS],
		.referrers = o->given[OPT_REFERRERS],
		.plan_only = o->given[OPT_PLAN],
		.only = options_value(o, OPT_ONLY),
		.maps = options_all(o, OPT_MAP),
		.have_archives = options_all(o, OPT_HAVE_ARCHIVE),
		.have = options_all(o, OPT_HAVE),
		.events = run->events,
	};

	if (check(o, e) || output_fill(&options, o, e) || images_shard(&options.shard, o, e) ||
	    images_platforms(&platforms, &options.platform_count, o, e) ||
	    images_gather(&list, o, o->operands.count, e) || connection_fill(&connection, o, e))
		return -1;
	run->to_stderr = fetch_to_stdout(&options) && !options.plan_only;
	run->colour = run->colour && !run->to_stderr;
	options.references = list.items;
	options.reference_count = list.count;
	options.platforms = platforms;
	options.connect = connection.options;
	if (options.only)
		return only_run(run, &options, e);
	AUTO(fetch_report) r = flow_fetch(&options, e);
	if (!r)
		return -1;
	if (run->json)
		return fetch_report_json(r, &run->out, e);
	if (run->quiet)
		return 0;
	if (!r->images.count)
		return show_nothing(run, r, e);
	return options.plan_only ? plan_show(run, r, e) : show(run, r, e);
}
