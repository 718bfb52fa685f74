/* SPDX-License-Identifier: Apache-2.0 */
/* imgpack porter < TITLE */
#include "flow/porter.h"
#include "cmd/cli.h"

#include <unistd.h>

int porter_run(struct run *run, struct err *e)
{
	AUTO_BUF title = { 0 };
	struct porter p;

	if (buf_read(&title, STDIN_FILENO, LIMIT_TITLE + 2, e)) {
		if (e->kind == ERR_LOCAL && !e->sys)
			e->kind = ERR_USAGE;
		return err_at(e, "standard input");
	}
	if (porter_parse(&p, title.data ? title.data : "", title.len, options_all(run->options, OPT_ALLOW), e))
		return -1;
	return run->json ? porter_json(&p, &run->out, e) : porter_lines(&p, &run->out, e);
}
