/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack copy SRC DST, imgpack copy SRC... --to registry:HOST */
#include "base/own.h"
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/connection.h"
#include "cmd/images.h"
#include "cmd/show.h"

#include <stdlib.h>

#define TO "--to registry:HOST[:PORT][/PREFIX]"

static bool typed(const struct options *o, enum option_id id)
{
	return o->given[id] && !o->from_config[id];
}

/* The configuration's `to` may be meant for load; one that is no registry is not for copy. */
static const char *target(const struct options *o)
{
	const char *to = options_value(o, OPT_TO);

	return to && (typed(o, OPT_TO) || text_starts(to, "registry:")) ? to : NULL;
}

static int no_target(const struct options *o, struct err *e)
{
	if (typed(o, OPT_NAME))
		return err_set(e, ERR_USAGE, "--name names images of several: it needs " TO);
	if (o->given[OPT_IMAGES])
		return err_set(e, ERR_USAGE, "copy: where do the images of --images go? Add " TO ", or rules: --map");
	if (o->operands.count == 1)
		return err_set(e, ERR_USAGE, "copy: where to? Name DST behind SRC, or add " TO);
	return err_set(e, ERR_USAGE, "copy: %zu names without --to: one SRC and one DST, or several SRC with " TO,
		       o->operands.count);
}

/*
 * SRC DST, or all are SRC: then --to or rules say where they go. What could be either is refused; what stands in the
 * configuration alone does not make two names more than SRC DST.
 */
static int read_words(struct copy_options *out, const struct options *o, struct err *e)
{
	const size_t n = o->operands.count;
	const bool list = o->given[OPT_IMAGES];
	char shown[SHOW_NAME];

	if (o->given[OPT_PLAN] && typed(o, OPT_RECEIPT))
		return err_set(e, ERR_USAGE, "--plan sends nothing, so there is nothing to write to --receipt");
	if (!n && !list)
		return err_set(e, ERR_USAGE, "copy: which images? SRC DST, or SRC... or --images FILE with --to");
	if (n == 2 && !list && !typed(o, OPT_TO)) {
		if (typed(o, OPT_MAP))
			return err_set(e, ERR_USAGE,
				       "copy: is '%s' DST, or another SRC of --map? Leave --map out, or put the SRCs "
				       "into --images FILE",
				       text_escape_str(shown, sizeof(shown), o->operands.items[1]));
		if (typed(o, OPT_NAME))
			return no_target(o, e);
		out->destination = o->operands.items[1];
		return 0;
	}
	out->to = target(o);
	out->names = options_all(o, OPT_NAME);
	out->maps = options_all(o, OPT_MAP);
	return out->to || (out->maps && !out->names) ? 0 : no_target(o, e);
}

static int show_image_line(struct run *run, const struct load_report_image *image, const char *word, struct err *e)
{
	char name[SHOW_NAME], as[SHOW_NAME], digest[DIGEST_TEXT_SIZE], size[TEXT_SIZE_CAP];

	return buf_printf(&run->out, e, "%s%s%s %s to %s (%s, %s)\n", run_green(run),
			  image->had_it ? "there already:" : word, run_plain(run),
			  text_escape_str(name, sizeof(name), image->name),
			  text_escape_str(as, sizeof(as), image->loaded_as), digest_text(&image->digest, digest),
			  text_size(size, image->bytes));
}

static int show(struct run *run, const struct load_report *r, bool plan, struct err *e)
{
	char name[SHOW_NAME], sent[TEXT_SIZE_CAP], skipped[TEXT_SIZE_CAP];

	for (size_t i = 0; i < r->count; i++)
		if (show_image_line(run, &r->images[i], plan ? "would copy" : "copied", e))
			return -1;
	text_size(sent, r->sent_bytes);
	text_size(skipped, r->skipped_bytes);
	if (r->target && buf_printf(&run->out, e, "%s: ", text_escape_str(name, sizeof(name), r->target)))
		return -1;
	if (show_count(&run->out, r->count, "image", e) ||
	    (r->referrers && (buf_puts(&run->out, ", ", e) || show_count(&run->out, r->referrers, "referrer", e))))
		return -1;
	return buf_printf(&run->out, e,
			  plan ? ", %s to send, %s are there or would be mounted; nothing was sent\n"
			       : ", %s sent, %s were there already or mounted\n",
			  sent, skipped);
}

int copy_run(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	AUTO_IMAGES list = { 0 };
	AUTO_CONNECTION connection = { 0 };
	AUTO_MEM struct platform *platforms = NULL;
	struct copy_options options = {
		.replace = o->given[OPT_REPLACE],
		.create_project = o->given[OPT_CREATE_PROJECT],
		.receipt = o->given[OPT_PLAN] ? NULL : options_value(o, OPT_RECEIPT),
		.referrers = o->given[OPT_REFERRERS],
		.plan_only = o->given[OPT_PLAN],
		.events = run->events,
	};

	if (read_words(&options, o, e) || images_check(o, e) || images_shard(&options.shard, o, e) ||
	    images_platforms(&platforms, &options.platform_count, o, e) ||
	    images_gather(&list, o, options.destination ? 1 : o->operands.count, e) ||
	    connection_fill(&connection, o, e))
		return -1;
	options.sources = list.items;
	options.source_count = list.count;
	options.platforms = platforms;
	options.connect = connection.options;
	AUTO(load_report) r = flow_copy(&options, e);
	if (!r)
		return -1;
	if (run->json)
		return load_report_json(r, &run->out, e);
	if (run->quiet)
		return 0;
	if (!r->count)
		return buf_printf(&run->out, e, "shard %zu of %zu is empty: nothing to copy\n", options.shard.index,
				  options.shard.count);
	return show(run, r, options.plan_only, e);
}
