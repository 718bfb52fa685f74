/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_URL_H
#define HTTP_URL_H

/* URLs inside the room: taken apart by curl's own parser, so that what was judged is what curl connects to. */

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"

#include <stdbool.h>
#include <stdint.h>

struct url {
	char *scheme; /* lower case */
	char *host;   /* lower case; an IPv6 address without its brackets */
	uint16_t port;
	bool default_port; /* the scheme's own: 80, 443 */
	bool has_userinfo;
};

/* Takes `text` apart; only http and https with a host. ERR_USAGE otherwise, and the text shows no query and no
 * userinfo. */
struct url *url_parse(const char *text, struct err *e);
void url_free(struct url *u);
OWNED(url)

/* "host" or "host:port" (port only if it is not the scheme's own), IPv6 in brackets, escaped, into *out. */
int url_host_port(const struct url *u, struct buf *out, struct err *e);

/*
 * Reads an IPv4 or IPv6 address in its usual spelling (no zone, no leading zeros) into 16 bytes, IPv4 as
 * ::ffff:a.b.c.d. False if `host` is something else.
 */
bool ip_parse(const char *host, uint8_t out[16]);
/* True for ::ffff:a.b.c.d. */
bool ip_is_v4(const uint8_t ip[16]);
bool ip_is_loopback(const uint8_t ip[16]);

#endif
