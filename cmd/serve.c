/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack serve FILE|DIR... */
#include "cmd/cli.h"
#include "flow/flow.h"

int serve_run(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	const struct serve_options options = {
		.paths = { o->operands.items, o->operands.count },
		.listen = options_value(o, OPT_LISTEN),
		.url = options_value(o, OPT_URL),
		.certificate = options_value(o, OPT_CERT),
		.key = options_value(o, OPT_KEY),
		.users = options_value(o, OPT_AUTH),
		.log = options_value(o, OPT_ACCESS_LOG),
		.no_verify = o->given[OPT_NO_VERIFY],
		.events = run->events,
	};
	const char *client = options_value(o, OPT_PRINT_CONFIG);

	if (options.key && !options.certificate)
		return err_set(e, ERR_USAGE, "--key without --cert");
	if (client)
		return flow_serve_config(&options, client, &run->out, e);
	if (options.url)
		return err_set(e, ERR_USAGE, "--url is for --print-config; --listen says where to serve");
	if (!options.paths.count)
		return err_set(e, ERR_USAGE, "which archive? name a file, or the chunks' folder");
	return flow_serve(&options, e);
}
