/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_PROXY_H
#define HTTP_PROXY_H

/*
 * Which proxy a request goes through, decided here and not by curl, whose rules differ (library-facts.md E18). The
 * rules are those of Go's httpproxy, which docker, containerd and podman follow, so what works for them works for us:
 *
 *   HTTPS_PROXY, else https_proxy, for https URLs; HTTP_PROXY, else http_proxy, for http URLs (the first non-empty
 *   one). NO_PROXY, else no_proxy: entries between commas. "*": no proxy at all. An address or a CIDR range matches
 *   hosts written as addresses. "x.y" matches x.y and all below it, ".x.y" and "*.x.y" only what is below. An entry may
 *   end in ":port".
 *   localhost and loopback addresses are never proxied.
 *   With REQUEST_METHOD in the environment (CGI), HTTP_PROXY may be a client's "Proxy:" header: refused.
 *
 * One thing is added: ALL_PROXY, else all_proxy, stands for the scheme whose own variable is not set. Go ignores it,
 * curl and docker's config.json have it. NO_PROXY and loopback hold for it as for the others.
 *
 * Where none of these variables is set (NO_PROXY counts: it can be how a user says "none"), the `proxies` of docker's
 * config.json are read by the same rules. docker hands those to its builds and containers only; its own pull, which is
 * the daemon's, has proxies that a client cannot see.
 *
 * --proxy is for everything but loopback: NO_PROXY belongs to the variables it replaces.
 *
 * In the environment and in config.json, socks5:// means what Go does with it: the proxy resolves the name. In --proxy
 * it means what curl means: we resolve, and socks5h:// leaves it to the proxy.
 */

#include "base/err.h"
#include "base/own.h"
#include "http/http.h"

#include <stdbool.h>
#include <stdint.h>

/* Where the choice comes from; strings are owned. All NULL: no proxy. */
struct proxy_rules {
	char *forced; /* --proxy; the rest is then ignored */
	struct http_proxies proxies;
	bool from_docker; /* `proxies` are config.json's, not the environment's */
	bool cgi;
};

/* `forced`; if NULL, the process's environment; if that says nothing, `docker` (or NULL). A bad `forced` is ERR_USAGE.
 */
int proxy_rules_init(struct proxy_rules *rules, const char *forced, const struct http_proxies *docker, struct err *e);
void proxy_rules_release(struct proxy_rules *rules);

/* A proxy, taken apart. The user and the password appear in no error. */
struct proxy {
	char *address; /* scheme://host:port */
	char *user;    /* decoded; NULL: none */
	char *password;
};

/*
 * The proxy for a request to host:port (`host` in lower case, IPv6 without brackets) into *out, to be freed; *out =
 * NULL: straight. ERR_USAGE if the one that applies is no proxy address.
 */
int proxy_choose(const struct proxy_rules *rules, const char *scheme, const char *host, uint16_t port,
		 struct proxy **out, struct err *e);
void proxy_free(struct proxy *p);
OWNED(proxy)

#endif
