/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_LISTEN_H
#define SERVE_LISTEN_H

/* Where a server listens, and what it is called from elsewhere. */

#include "base/err.h"

#include <stdbool.h>

#define LISTEN_DEFAULT "127.0.0.1:5000"
#define LISTEN_PORT "5000"
#define LISTEN_TEXT_SIZE 300

struct listen_address {
	char host[256]; /* "" all addresses; IPv6 without brackets */
	char port[6];
};

/* "HOST:PORT", "HOST", ":PORT", "[v6]:PORT", "[v6]". Without a port it is 5000. ERR_USAGE. */
int listen_parse(struct listen_address *out, const char *text, struct err *e);

/* Everybody in the network can reach it, or only this machine. */
bool listen_is_local(const struct listen_address *a);

/* The listening socket; *port: the one it has (the kernel's choice for 0). ERR_LOCAL. */
int listen_open(const struct listen_address *a, unsigned *port, struct err *e);

/*
 * "HOST:PORT" as other machines say it: of an address that is none (all addresses), this machine's name.
 */
void listen_name(const struct listen_address *a, unsigned port, char out[LISTEN_TEXT_SIZE]);

#endif
