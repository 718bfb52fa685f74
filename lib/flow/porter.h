/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_PORTER_H
#define FLOW_PORTER_H

/*
 * porter: what the title of an issue asks for. Anybody can write a title, and what is made of it goes into shell lines,
 * files of KEY=VALUE lines and logs. So no byte of it is passed on: what comes out was read by the grammars of
 * references and platforms and written anew, in letters, digits and "./:@_-,[]" alone.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "oci/platform.h"
#include "oci/reference.h"

#include <stddef.h>

struct porter {
	struct reference reference;
	struct platform platforms[LIMIT_PORTER_PLATFORMS]; /* each once */
	size_t platform_count;                             /* 0: none was named */
};

/*
 * "[PORTER] REFERENCE" or "[PORTER] REFERENCE | OS/ARCH[/VARIANT],...": blanks may stand around each part, one line end
 * behind the last. ERR_USAGE says what is wrong, with the title's bytes escaped. `allow`: a NULL-terminated list of the
 * only registries (HOST[:PORT]) that may be named; or NULL: every one with a host name from the public's DNS, so no
 * localhost, no address, no name without a dot, which would be something near the machine that runs this.
 */
int porter_parse(struct porter *out, const char *title, size_t len, const char *const *allow, struct err *e);

/*
 * "reference=NAME\nplatforms=A,B\n", as $GITHUB_OUTPUT takes it, or {"reference":"NAME","platforms":["A","B"]} and a
 * newline.
 */
int porter_lines(const struct porter *p, struct buf *out, struct err *e);
int porter_json(const struct porter *p, struct buf *out, struct err *e);

#endif
