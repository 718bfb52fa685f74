/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_HTTP_H
#define HTTP_HTTP_H

/*
 * The wire: HTTP over TCP, TLS or a unix socket. The only place that knows curl; library-facts.md says why each option
 * is set as it is. Nothing here knows registries, tokens or retries.
 *
 * A client is one worker's: it keeps its connections alive from request to request and is used by one thread at a time,
 * with at most one reply open. Redirects are never followed here (the caller decides, per origin); credentials are
 * headers that the caller gives for one request; .netrc is never read; bodies are never decoded.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "stream/source.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Proxies as some setting states them; owned, NULL or empty: none. The URLs may hold passwords. */
struct http_proxies {
	char *https;
	char *http;
	char *all;  /* for a scheme that has none of its own */
	char *none; /* who is reached without: as NO_PROXY */
};
/* Wiped, then freed; *p is empty again. */
void http_proxies_release(struct http_proxies *p);
#define AUTO_PROXIES __attribute__((cleanup(http_proxies_release))) struct http_proxies

/* True if the environment has something to say about proxies: then docker's settings do not count (proxy.h). */
bool http_proxies_in_environment(void);

/* What clients of one run share: settings, and curl's DNS and TLS session caches. Thread-safe. */
struct http_options {
	const char *user_agent; /* NULL: "imgpack/VERSION" */
	const char *cacert;     /* file that replaces the system's store, or NULL */
	const char *cert;       /* client certificate file, or NULL */
	const char *key;        /* its key, or NULL */
	const char *proxy;      /* http, https, socks5, socks5h URL; NULL: from the environment (Go's rules) */
	const struct http_proxies *docker_proxies; /* where the environment says nothing; or NULL */
	uint64_t limit_rate; /* bytes of bodies a second, all clients and both ways; unix sockets are free; 0: none */
	unsigned connect_seconds;    /* 0: 15 */
	unsigned stall_seconds;      /* no byte in either direction for so long: ERR_NETWORK. 0: 30 */
	const char *const *insecure; /* NULL-terminated "host[:port]" whose certificates are not checked, or NULL */
};
struct http;
struct http *http_new(const struct http_options *options, struct err *e);
void http_free(struct http *h); /* after its clients */
OWNED(http)

/*
 * What is special about one host's TLS, whoever leads there (a redirect, too); for the others http_options count.
 * Copied: the authorities are read now, and count beside the system's (or --cacert's); they are not asked about a
 * proxy. Told twice about one host: authorities add up, the first client certificate stays, `insecure` stays. Before
 * the first request. ERR_LOCAL names the file that cannot be used, as a key with a password, which nobody is asked for.
 */
struct http_trust {
	const char *host_port;      /* "host", or "host:port" where it is not 443; IPv6 in brackets */
	const char *const *cacerts; /* NULL-terminated files (PEM), or NULL */
	const char *cert;           /* client certificate file, or NULL */
	const char *key;            /* its key; NULL: in `cert` */
	bool insecure;              /* the certificate is not checked */
};
int http_trust(struct http *h, const struct http_trust *t, struct err *e);

struct http_client;
struct http_client *http_client_new(struct http *h, struct err *e);
void http_client_free(struct http_client *c);
OWNED(http_client)
/* From now on a request that waits while *stop is true ends within a tick (0.1 s), ERR_NETWORK. NULL: never. Borrowed.
 */
void http_client_watch(struct http_client *c, const atomic_bool *stop);

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE };

struct http_request {
	enum http_method method;
	const char *url;            /* http:// or https:// */
	const char *unix_socket;    /* connect there; the URL's host is only a name. Or NULL */
	const char *const *headers; /* NULL-terminated "Name: value", or NULL. Values with CR or LF are refused */
	struct source *body;        /* borrowed until the reply is freed; read while the request is sent; or NULL */
	bool body_sized;            /* true: Content-Length is body_size; false: chunked */
	uint64_t body_size;
	uint64_t max_body; /* an answer longer than this is ERR_NETWORK; 0: no limit here */
};

/*
 * Sends the request and waits for the answer's status and headers. If the body source fails, the request is cut so that
 * the other side sees a broken transfer, and the source's error is returned. Failures: ERR_NETWORK with the host and
 * the cause ("cannot connect", "certificate has expired (is this machine's clock right?)"), ERR_CANCELLED. 4xx and 5xx
 * are answers, not failures.
 */
struct http_reply;
struct http_reply *http_send(struct http_client *c, const struct http_request *request, struct err *e);

int http_status(const struct http_reply *r);
/* The first header of this name (case-insensitive), without surrounding space; NULL if absent. Foreign text! */
const char *http_header(const struct http_reply *r, const char *name);
/* The n-th header of this name (0, 1, ...), or NULL. */
const char *http_header_nth(const struct http_reply *r, const char *name, size_t n);
/* Content-Length, or UINT64_MAX if there is none. */
uint64_t http_content_length(const struct http_reply *r);

/*
 * Retry-After (RFC 9110 10.2.3) in milliseconds, at least 1; 0 if the answer has none that makes sense. Seconds and
 * dates as specified, and what servers send beside: fractions, and Go's durations ("880.092us", "1m30s"). A moment that
 * has passed, and a number below zero, is 1.
 */
int64_t http_retry_after(const struct http_reply *r);
/* The same of the header's text at `now` (seconds since 1970), for tests. */
int64_t http_parse_retry_after(const char *text, int64_t now);

/* The body as it arrives. Same rules as source_read(): 0 = the transfer ended as HTTP says it should. */
ssize_t http_read(struct http_reply *r, void *buf, size_t cap, struct err *e);

/* The body as a source that takes the reply. NULL passes through. */
struct source *http_body(struct http_reply *r /* taken */, struct err *e);

/* Ends the reply; a body that was not read to its end costs the connection. */
void http_reply_free(struct http_reply *r);
OWNED(http_reply)

/* URLs. An origin is scheme, host and port; secrets belong to one. */
bool http_same_origin(const char *url_a, const char *url_b);
/* `location` resolved against `base` (RFC 3986) into *out; only http and https come out, else ERR_NETWORK. */
int http_resolve_url(const char *base, const char *location, struct buf *out, struct err *e);
/* "https://host[:port]" of a URL into *out, for messages and comparing; userinfo, path and query dropped. */
int http_origin(const char *url, struct buf *out, struct err *e);
/* Percent-encodes into *out (RFC 3986 unreserved stay). */
int http_escape(const char *text, struct buf *out, struct err *e);
/* True if the URL's host is written as an IP literal in a loopback, link-local, private or unspecified range. */
bool http_host_is_private_literal(const char *url);

#endif
