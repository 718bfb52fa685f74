/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack load FILE|DIR... */
#include "base/text.h"
#include "cmd/cli.h"
#include "cmd/connection.h"
#include "cmd/medium.h"
#include "cmd/show.h"

#include <string.h>

static int check(const struct options *o, struct err *e)
{
	const struct values *names = &o->values[OPT_NAME];
	char shown[128];

	if (o->given[OPT_PASSWORD_STDIN] && !strcmp(o->operands.items[0], "-"))
		return err_set(e, ERR_USAGE, "standard input can be read once: by - or by --password-stdin");
	for (size_t i = 0; i < names->count; i++) {
		const char *equals = strchr(names->items[i], '=');
		if (!equals || equals == names->items[i] || !equals[1])
			return err_set(e, ERR_USAGE, "--name: '%s' is not OLD=NEW",
				       text_escape_str(shown, sizeof(shown), names->items[i]));
	}
	return 0;
}

static int show(struct run *run, const struct load_report *r, struct err *e)
{
	char name[SHOW_NAME], as[SHOW_NAME], digest[DIGEST_TEXT_SIZE], sent[TEXT_SIZE_CAP], skipped[TEXT_SIZE_CAP];

	for (size_t i = 0; i < r->count; i++) {
		const struct load_report_image *image = &r->images[i];
		digest_text(&image->digest, digest);
		if (buf_printf(&run->out, e, "%sloaded%s %s as %s (%s)\n", run_green(run), run_plain(run),
			       image->name ? text_escape_str(name, sizeof(name), image->name)
					   : "an image without a name",
			       image->loaded_as ? text_escape_str(as, sizeof(as), image->loaded_as) : "its digest",
			       digest))
			return -1;
	}
	if (buf_printf(&run->out, e, "%s: ", text_escape_str(name, sizeof(name), r->target)) ||
	    show_count(&run->out, r->count, "image", e) ||
	    (r->referrers && (buf_puts(&run->out, ", ", e) || show_count(&run->out, r->referrers, "referrer", e))))
		return -1;
	return buf_printf(&run->out, e, ", %s sent, %s were there already\n", text_size(sent, r->sent_bytes),
			  text_size(skipped, r->skipped_bytes));
}

int load_run(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	const char *platform_text = options_value(o, OPT_PLATFORM);
	AUTO_CONNECTION connection = { 0 };
	struct platform platform;
	struct load_options options = {
		.archive = { o->operands.items, o->operands.count },
		.ask = medium_asker(),
		.to = options_value(o, OPT_TO),
		.replace = o->given[OPT_REPLACE],
		.pin = o->given[OPT_PIN],
		.create_project = o->given[OPT_CREATE_PROJECT],
		.receipt = options_value(o, OPT_RECEIPT),
		.names = options_all(o, OPT_NAME),
		.maps = options_all(o, OPT_MAP),
		.expect = options_value(o, OPT_EXPECT),
		.events = run->events,
	};

	if (check(o, e))
		return -1;
	if (platform_text) {
		if (platform_parse(&platform, platform_text, e))
			return err_at(e, "--platform");
		options.platform = &platform;
	}
	if (connection_fill(&connection, o, e))
		return -1;
	options.connect = connection.options;
	AUTO(load_report) r = flow_load(&options, e);
	if (!r)
		return -1;
	if (run->json)
		return load_report_json(r, &run->out, e);
	return run->quiet ? 0 : show(run, r, e);
}
