/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack copy SRC DST, imgpack copy SRC... --to registry:HOST */
#include "base/own.h"
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/connection.h"
#include "cmd/images.h"
#include "cmd/show.h"

#include <stdlib.h>

/* How many operands are sources. With --to all are, else the last one is DST. ERR_USAGE where it is not clear. */
static int count_sources(const struct options *o, size_t *sources, struct err *e)
{
	const size_t n = o->operands.count;
	const bool to = o->given[OPT_TO];

	if (!n && !o->given[OPT_IMAGES])
		return err_set(e, ERR_USAGE, "copy: which images? SRC DST, or SRC... or --images FILE with --to");
	*sources = n;
	if (to)
		return 0;
	if (o->given[OPT_NAME])
		return err_set(e, ERR_USAGE,
			       "--name names images of several: it needs --to registry:HOST[:PORT][/PREFIX]");
	if (o->given[OPT_IMAGES])
		return err_set(e, ERR_USAGE,
			       "copy: where do the images of --images go? Add --to registry:HOST[:PORT][/PREFIX]");
	if (n == 1)
		return err_set(e, ERR_USAGE,
			       "copy: where to? Name DST behind SRC, or add --to registry:HOST[:PORT][/PREFIX]");
	if (n > 2)
		return err_set(e, ERR_USAGE,
			       "copy: %zu names without --to: one SRC and one DST, or several SRC with --to "
			       "registry:HOST[:PORT][/PREFIX]",
			       n);
	*sources = 1;
	return 0;
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
	if (show_count(&run->out, r->count, "image", e))
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
	size_t sources = 0;
	struct copy_options options = {
		.to = options_value(o, OPT_TO),
		.names = options_all(o, OPT_NAME),
		.replace = o->given[OPT_REPLACE],
		.plan_only = o->given[OPT_PLAN],
		.events = run->events,
	};

	if (count_sources(o, &sources, e) || images_check(o, e) ||
	    images_platforms(&platforms, &options.platform_count, o, e) || images_gather(&list, o, sources, e) ||
	    connection_fill(&connection, o, e))
		return -1;
	if (sources < o->operands.count)
		options.destination = o->operands.items[sources];
	options.sources = list.items;
	options.source_count = list.count;
	options.platforms = platforms;
	options.connect = connection.options;
	AUTO(load_report) r = flow_copy(&options, e);
	if (!r)
		return -1;
	if (run->json)
		return load_report_json(r, &run->out, e);
	return run->quiet ? 0 : show(run, r, options.plan_only, e);
}
