/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_ONLY_H
#define CMD_ONLY_H

/* fetch --only LIST: what differs from other fetches. */

#include "cmd/cli.h"
#include "flow/flow.h"

/* ERR_USAGE for options that mean nothing beside --only. */
int only_check(const struct options *o, struct err *e);

/* Fetches the list's blocks and shows the result. */
int only_run(struct run *run, const struct fetch_options *options, struct err *e);

#endif
