/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_OUTPUT_H
#define CMD_OUTPUT_H

/* Where an archive goes: -o, --split, --parity, --reread, the same for every verb that writes one. */

#include "base/err.h"
#include "cmd/options.h"
#include "flow/flow.h"

/* What can be said before anything is read: combinations that make no sense. `example` names the verb's use in a pipe
 * ("imgpack fetch ..."). ERR_USAGE. */
int output_check(const struct options *o, const char *example, struct err *e);

/* Fills output, split, parity and reread. ERR_USAGE. */
int output_fill(struct fetch_options *out, const struct options *o, struct err *e);

#endif
