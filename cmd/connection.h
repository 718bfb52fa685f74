/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_CONNECTION_H
#define CMD_CONNECTION_H

/* The connection options, as fetch, load and login share them. */

#include "cmd/options.h"
#include "flow/flow.h"

struct connection {
	struct connect_options options; /* points into this struct and into argv */
	struct credential credential;
};

/*
 * Checks and fills. With --password-stdin standard input is read, so this comes after all checks that need no input.
 * *c must not move afterwards; release it in either case.
 */
int connection_fill(struct connection *c, const struct options *o, struct err *e);

/* The password is wiped. */
void connection_release(struct connection *c);
#define AUTO_CONNECTION __attribute__((cleanup(connection_release))) struct connection

#endif
