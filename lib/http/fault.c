/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wire.h"

#include "base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What went wrong, in words: the sentence behind the host's name. Nothing of a URL's query or a header is in here. */

static long info(const struct http_reply *r, CURLINFO what)
{
	long value = 0;

	return curl_easy_getinfo(r->client->easy, what, &value) == CURLE_OK ? value : 0;
}

static bool reached(const struct http_reply *r, CURLINFO what)
{
	curl_off_t us = 0;

	return curl_easy_getinfo(r->client->easy, what, &us) == CURLE_OK && us > 0;
}

/* curl's own words, which may quote the other side. */
static const char *details(const struct http_reply *r, char *out, CURLcode code)
{
	const char *text = r->client->errors[0] ? r->client->errors : curl_easy_strerror(code);

	return text_escape_str(out, 200, text);
}

/* "at 12 of 4096 bytes", "after 12 bytes". */
static const char *progress(char out[64], uint64_t done, uint64_t total)
{
	if (total != UINT64_MAX)
		(void)snprintf(out, 64, "at %" PRIu64 " of %" PRIu64 " bytes", done, total);
	else
		(void)snprintf(out, 64, "after %" PRIu64 " bytes", done);
	return out;
}

static const char *phase(const struct http_reply *r, char out[120])
{
	char at[64];
	const char *text = NULL;

	if (!reached(r, CURLINFO_PRETRANSFER_TIME_T)) {
		if (!r->unix_socket && !reached(r, CURLINFO_NAMELOOKUP_TIME_T))
			text = "while the name was looked up";
		else if (!reached(r, CURLINFO_CONNECT_TIME_T) && !r->connected)
			text = "while connecting";
		else
			text = r->proxy ? "in the handshake with the proxy or through it" : "in the TLS handshake";
	} else if (!r->headers.complete && r->body && !r->body_done) {
		(void)snprintf(out, 120, "while the request's body was sent, %s",
			       progress(at, r->body_sent, r->body_sized ? r->body_size : UINT64_MAX));
	} else if (!r->headers.complete) {
		text = r->headers.seen ? "in the middle of the answer's headers" : "while waiting for the answer";
	} else {
		(void)snprintf(out, 120, "in the answer's body, %s",
			       progress(at, r->received, r->headers.content_length));
	}
	if (text)
		(void)snprintf(out, 120, "%s", text);
	return out;
}

/* Every network failure: the kind, the noun, and the status if there is one. */
#define FAULT(r, ...) fault_kind(r, ERR_NETWORK, __VA_ARGS__)

static void fault_kind(struct http_reply *r, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void fault_kind(struct http_reply *r, enum err_kind kind, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_set(&r->failure, kind, "%s: %s", r->where, text);
	r->failure.sys = r->headers.complete ? r->headers.status : 0;
}

void wire_stalled(struct http_reply *r, unsigned seconds)
{
	char where[120];

	FAULT(r, "no byte for %u seconds %s; --stall-timeout allows more", seconds, phase(r, where));
	r->stalled = true;
}

static void no_connection(struct http_reply *r, CURLcode code)
{
	char text[200];
	char reason[100];
	int sys = (int)info(r, CURLINFO_OS_ERRNO);

	if (r->unix_socket && sys == ENOENT)
		FAULT(r, "there is no such socket (is the daemon running?)");
	else if (r->unix_socket && (sys == EACCES || sys == EPERM))
		fault_kind(r, ERR_DENIED, "this user may not open it (docker: its group, or root)");
	else if (r->unix_socket && sys == ECONNREFUSED)
		FAULT(r, "nobody listens there (is the daemon running?)");
	else if (sys)
		FAULT(r, "cannot connect: %s", strerror_r(sys, reason, sizeof(reason)));
	else
		FAULT(r, "cannot connect: %s", details(r, text, code));
	r->failure.unreached = r->unix_socket || sys == ECONNREFUSED;
}

/* The connection broke or closed once it was there. */
static void lost(struct http_reply *r, CURLcode code)
{
	char where[120];
	char text[200];
	/* Behind these words curl's errno is this connection's; elsewhere it may be an older one's. */
	bool has_errno = strstr(r->client->errors, "Recv failure") || strstr(r->client->errors, "Send failure");
	int sys = has_errno ? (int)info(r, CURLINFO_OS_ERRNO) : 0;

	if (r->headers.complete && code == CURLE_PARTIAL_FILE)
		FAULT(r, "the answer's body ended early, %s%s", progress(where, r->received, r->headers.content_length),
		      r->headers.chunked ? " and without its last chunk" : "");
	else if (code == CURLE_GOT_NOTHING || code == CURLE_PARTIAL_FILE)
		FAULT(r, "the connection was closed without an answer (%s)", phase(r, where));
	else if (sys == ECONNRESET || sys == EPIPE || strstr(r->client->errors, "getpeername() failed"))
		FAULT(r, "the connection was reset %s%s", phase(r, where),
		      r->has_cert && !reached(r, CURLINFO_PRETRANSFER_TIME_T)
			      ? " (it may not accept the client certificate of --cert)"
			      : "");
	else
		FAULT(r, "the connection was lost %s: %s", phase(r, where), details(r, text, code));
}

static void wrong_user(struct http_reply *r)
{
	if (r->proxy->user)
		fault_kind(r, ERR_DENIED, "the proxy refuses this user and password");
	else
		fault_kind(r, ERR_DENIED, "the proxy wants a user and a password (%.*s://USER:PASSWORD@HOST:PORT)",
			   (int)strcspn(r->proxy->address, ":"), r->proxy->address);
}

/* True if a SOCKS proxy did not like the user, and that was said. */
static bool refused_by_socks(struct http_reply *r)
{
	long why = info(r, CURLINFO_PROXY_ERROR);

	if (!r->proxy || (why != CURLPX_USER_REJECTED && why != CURLPX_NO_AUTH))
		return false;
	wrong_user(r);
	return true;
}

/* True if the proxy said no, and that was said. */
static bool refused_by_proxy(struct http_reply *r)
{
	long status = r->proxy ? info(r, CURLINFO_HTTP_CONNECTCODE) : 0;

	if (r->proxy && !status && r->headers.status == 407)
		status = 407;
	if (!status || (status >= 200 && status < 300))
		return false;
	if (status == 407)
		wrong_user(r);
	else if (status == 403)
		FAULT(r,
		      "the proxy refuses the tunnel, status 403 (its rules must allow this host and port, or NO_PROXY "
		      "name the host)");
	else
		FAULT(r, "the proxy refuses the tunnel, status %ld", status);
	r->failure.sys = (int)status;
	r->failure.lasting = status >= 400 && status < 500;
	return true;
}

/* True for what is this machine's trouble and not the network's. */
static bool local_fault(struct http_reply *r, CURLcode code)
{
	char text[200];

	switch (code) {
	case CURLE_OUT_OF_MEMORY:
		err_memory(&r->failure);
		return true;
	case CURLE_SSL_CERTPROBLEM:
		fault_kind(r, ERR_LOCAL, "the client certificate or its key (--cert, --key) cannot be used: %s",
			   details(r, text, code));
		return true;
	case CURLE_SSL_CACERT_BADFILE:
		fault_kind(r, ERR_LOCAL, "the file of certificate authorities cannot be used: %s",
			   details(r, text, code));
		return true;
	case CURLE_URL_MALFORMAT:
	case CURLE_BAD_FUNCTION_ARGUMENT:
		fault_kind(r, ERR_USAGE, "libcurl refuses this request: %s", curl_easy_strerror(code));
		return true;
	default:
		return false;
	}
}

/* What stays so until somebody changes something: a certificate, another protocol. */
static void lasting(struct http_reply *r)
{
	r->failure.lasting = true;
}

static void remote_fault(struct http_reply *r, CURLcode code)
{
	char where[120];
	char text[WIRE_WORDS];

	switch ((int)code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		FAULT(r, "this name has no address (is it right, and does this machine's DNS work?)");
		r->failure.unreached = true;
		return;
	case CURLE_COULDNT_RESOLVE_PROXY:
		FAULT(r, "the proxy's name has no address");
		r->failure.unreached = true;
		return;
	case CURLE_PROXY:
		if (info(r, CURLINFO_PROXY_ERROR) == CURLPX_RESOLVE_HOST)
			FAULT(r, "this name has no address here; socks5h:// lets the proxy look it up");
		else
			FAULT(r, "the proxy cannot reach it: %s", details(r, text, code));
		return;
	case CURLE_COULDNT_CONNECT:
		no_connection(r, code);
		return;
	case CURLE_OPERATION_TIMEDOUT:
		FAULT(r, "no connection within %u seconds (it hung %s)", r->client->http->connect_seconds,
		      phase(r, where));
		return;
	case CURLE_PEER_FAILED_VERIFICATION:
		wire_certificate_words(r, text);
		FAULT(r, "%s", text);
		lasting(r);
		return;
	case CURLE_SSL_CONNECT_ERROR: {
		const bool lasts = wire_handshake_words(r, text);
		FAULT(r, "%s", text);
		r->failure.lasting = lasts;
		return;
	}
	case CURLE_UNSUPPORTED_PROTOCOL:
		FAULT(r, "does not answer in HTTP");
		lasting(r);
		return;
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_FAIL_REWIND:
		lost(r, code);
		return;
	default:
		FAULT(r, "%s (%s)", details(r, text, code), phase(r, where));
	}
}

/* CURLE_TOO_LARGE since libcurl 8.6; before, a header line that was too long for it was "out of memory". */
#define TOO_LARGE 100

void wire_fault(struct http_reply *r, CURLcode code)
{
	char text[WIRE_WORDS];

	if (r->failure.kind != ERR_NONE)
		return; /* a callback knew better */
	if (refused_by_proxy(r) || refused_by_socks(r))
		return;
	if (((int)code == TOO_LARGE || code == CURLE_OUT_OF_MEMORY) && !r->headers.complete &&
	    reached(r, CURLINFO_PRETRANSFER_TIME_T))
		FAULT(r, "a header line of the answer is too long");
	else if (wire_client_words(r, text))
		fault_kind(r, ERR_DENIED, "%s", text);
	else if (!local_fault(r, code))
		remote_fault(r, code);
}
