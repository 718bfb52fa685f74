/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wire.h"

#include "base/text.h"

#include <string.h>
#include <strings.h>
#include <sys/un.h>

/*
 * Choices that no option's manual explains:
 *
 * HTTP/1.1 on TLS, too. A client has one reply open, so there is nothing to multiplex; what HTTP/2 would bring is its
 * frames' CPU (measured on a loopback: a fifth more), a receive window that libcurl may fill while we are paused, and
 * the stream errors of content delivery networks (registry-quirks.md N12). More throughput comes from more clients.
 *
 * No "Expect: 100-continue", ever. A refusal that arrives while a body is sent stops the body and is delivered
 * (upload.c), so waiting would save what fits the socket buffers and one round trip; it would cost a round trip on
 * every upload, and a whole second on each server that does not know the word. Uploads to a registry begin with an
 * authorised POST without a body in any case.
 *
 * Header bytes come as the caller gave them; curl adds Host, User-Agent, Accept and the length.
 */

/* Receive buffer. A small answer gets a smaller one, so that an endless one is stopped soon after its limit. */
#define BUFFER_BYTES (256u << 10)
#define BUFFER_BYTES_SMALL (64u << 10)
#define SMALL_ANSWER (8u << 20)

static int add_header(struct http_reply *r, const char *line, struct err *e)
{
	struct curl_slist *longer = curl_slist_append(r->header_list, line);

	if (!longer)
		return err_memory(e);
	r->header_list = longer;
	return 0;
}

static bool token_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* The value may be a secret and is never shown. */
static int caller_header(struct http_reply *r, const char *line, struct err *e)
{
	static const char *const ours[] = { "Content-Length", "Transfer-Encoding", "Expect", "Connection" };
	char shown[80];
	size_t len = 0;

	while (token_char(line[len]))
		len++;
	if (!len || line[len] != ':')
		return err_set(e, ERR_USAGE, "a request header without \"Name: value\"");
	text_escape(shown, sizeof(shown), line, len);
	for (const char *p = line + len; *p; p++)
		if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
			return err_set(e, ERR_USAGE,
				       "the request header %s has a line break or a control character in it", shown);
	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		if (strlen(ours[i]) == len && strncasecmp(line, ours[i], len) == 0)
			return err_set(e, ERR_USAGE, "the request header %s follows from the request itself", shown);
	if (line[len + 1 + strspn(line + len + 1, " \t")])
		return add_header(r, line, e);
	/* "Name;" is how curl is told to send an empty value; "Name:" would take the header away. */
	AUTO_MEM char *empty = strndup(line, len + 1);
	if (!empty)
		return err_memory(e);
	empty[len] = ';';
	return add_header(r, empty, e);
}

static int set_headers(struct http_reply *r, const char *const *headers, struct err *e)
{
	static const char encoding[] = "Accept-Encoding:";
	bool has_encoding = false;

	for (const char *const *p = headers; p && *p; p++) {
		if (caller_header(r, *p, e))
			return -1;
		has_encoding = has_encoding || strncasecmp(*p, encoding, sizeof(encoding) - 1) == 0;
	}
	if (!has_encoding && add_header(r, "Accept-Encoding: identity", e))
		return -1;
	return add_header(r, "Expect:", e);
}

static CURLcode set_callbacks(struct http_reply *r)
{
	struct http_client *c = r->client;
	CURLcode rc = CURLE_OK;

	SET(rc, c->easy, CURLOPT_ERRORBUFFER, c->errors);
	SET(rc, c->easy, CURLOPT_HEADERFUNCTION, wire_on_header);
	SET(rc, c->easy, CURLOPT_HEADERDATA, r);
	SET(rc, c->easy, CURLOPT_WRITEFUNCTION, wire_on_body);
	SET(rc, c->easy, CURLOPT_WRITEDATA, r);
	SET(rc, c->easy, CURLOPT_READFUNCTION, wire_on_upload);
	SET(rc, c->easy, CURLOPT_READDATA, r);
	SET(rc, c->easy, CURLOPT_SEEKFUNCTION, wire_on_seek);
	SET(rc, c->easy, CURLOPT_SEEKDATA, r);
	SET(rc, c->easy, CURLOPT_OPENSOCKETFUNCTION, wire_on_open);
	SET(rc, c->easy, CURLOPT_OPENSOCKETDATA, c);
	SET(rc, c->easy, CURLOPT_CLOSESOCKETFUNCTION, wire_on_close);
	SET(rc, c->easy, CURLOPT_CLOSESOCKETDATA, c);
	SET(rc, c->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	return rc;
}

static CURLcode set_transport(struct http_reply *r, const struct http_request *q)
{
	const struct http *h = r->client->http;
	CURL *easy = r->client->easy;
	CURLcode rc = CURLE_OK;

	SET(rc, easy, CURLOPT_URL, q->url);
	SET(rc, easy, CURLOPT_PROTOCOLS_STR, "http,https");
	SET(rc, easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
	SET(rc, easy, CURLOPT_FOLLOWLOCATION, 0L);
	SET(rc, easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	SET(rc, easy, CURLOPT_UNRESTRICTED_AUTH, 0L);
	SET(rc, easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
	SET(rc, easy, CURLOPT_HTTP09_ALLOWED, 0L);
	SET(rc, easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(rc, easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	/* A resolver that hangs is left behind; a cancel does not wait for it. */
	SET(rc, easy, CURLOPT_QUICK_EXIT, 1L);
#endif
	SET(rc, easy, CURLOPT_TCP_KEEPALIVE, 1L);
	SET(rc, easy, CURLOPT_CONNECTTIMEOUT, (long)h->connect_seconds);
	bool small = q->max_body && q->max_body <= SMALL_ANSWER;
	SET(rc, easy, CURLOPT_BUFFERSIZE, (long)wire_piece(r, small ? BUFFER_BYTES_SMALL : BUFFER_BYTES));
	SET(rc, easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)wire_piece(r, BUFFER_BYTES));
	SET(rc, easy, CURLOPT_USERAGENT, h->user_agent);
	SET(rc, easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
	SET(rc, easy, CURLOPT_HTTPHEADER, r->header_list);
	SET(rc, easy, CURLOPT_UNIX_SOCKET_PATH, q->unix_socket);
	return rc;
}

/* Always set both: curl's own reading of the environment differs from ours. */
static CURLcode set_proxy(struct http_reply *r)
{
	CURL *easy = r->client->easy;
	CURLcode rc = CURLE_OK;

	SET(rc, easy, CURLOPT_NOPROXY, "");
	SET(rc, easy, CURLOPT_PROXY, r->proxy ? r->proxy->address : "");
	if (r->proxy && r->proxy->user) {
		SET(rc, easy, CURLOPT_PROXYUSERNAME, r->proxy->user);
		SET(rc, easy, CURLOPT_PROXYPASSWORD, r->proxy->password ? r->proxy->password : "");
		SET(rc, easy, CURLOPT_PROXYAUTH, (long)CURLAUTH_BASIC);
	}
	return rc;
}

static CURLcode set_method(struct http_reply *r, const struct http_request *q)
{
	static const char *const names[] = {
		[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
		[HTTP_PUT] = "PUT", [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
	};
	CURL *easy = r->client->easy;
	CURLcode rc = CURLE_OK;
	bool sends = q->body || q->method == HTTP_POST || q->method == HTTP_PUT || q->method == HTTP_PATCH;

	if (q->method == HTTP_HEAD) {
		SET(rc, easy, CURLOPT_NOBODY, 1L);
		return rc;
	}
	if (sends) {
		curl_off_t size = !q->body ? 0 : q->body_sized ? (curl_off_t)q->body_size : -1;
		SET(rc, easy, CURLOPT_UPLOAD, 1L);
		SET(rc, easy, CURLOPT_INFILESIZE_LARGE, size);
	}
	if (q->method != HTTP_GET || sends)
		SET(rc, easy, CURLOPT_CUSTOMREQUEST, names[q->method]);
	return rc;
}

/* The noun of every error of this request. */
static int name_it(struct http_reply *r, const struct http_request *q, const char *host_port, struct err *e)
{
	AUTO_BUF where = { 0 };
	char shown[256];
	int failed;

	if (q->unix_socket)
		failed = buf_printf(&where, e, "unix socket %s", text_escape_str(shown, sizeof(shown), q->unix_socket));
	else if (r->proxy)
		failed = buf_printf(&where, e, "%s (through the proxy %s)", host_port,
				    text_escape_str(shown, sizeof(shown), r->proxy->address));
	else
		failed = buf_puts(&where, host_port, e);
	if (!failed)
		r->where = buf_take(&where);
	return failed;
}

static int check_request(const struct http_request *q, const struct url *u, struct err *e)
{
	const struct sockaddr_un *address;

	if (u->has_userinfo)
		return err_set(e, ERR_USAGE, "a URL with credentials in it is not used (imgpack login stores them)");
	/* curl would answer a longer name with "cannot resolve". 256 is what SOCKS can carry, CVE-2023-38545. */
	if (strlen(u->host) > 255)
		return err_set(e, ERR_USAGE, "a host name of more than 255 bytes");
	if (q->unix_socket && strlen(q->unix_socket) >= sizeof(address->sun_path))
		return err_set(e, ERR_USAGE, "the path of a unix socket has at most %zu bytes",
			       sizeof(address->sun_path) - 1);
	if (q->body && q->method == HTTP_HEAD)
		return err_set(e, ERR_USAGE, "a HEAD request has no body");
	if (q->body && q->body_sized && q->body_size > INT64_MAX)
		return err_set(e, ERR_USAGE, "a body of more than 2^63 bytes");
	return 0;
}

static struct http_reply *reply_new(struct http_client *c, const struct http_request *q, struct err *e)
{
	AUTO(http_reply) r = calloc(1, sizeof(*r));

	if (!r) {
		err_memory(e);
		return NULL;
	}
	r->client = c;
	r->head = q->method == HTTP_HEAD;
	r->unix_socket = q->unix_socket != NULL;
	r->pace = q->unix_socket ? NULL : c->http->pace;
	r->body = q->body;
	r->body_sized = q->body_sized;
	r->body_size = q->body_size;
	r->max_body = q->max_body;
	r->headers.content_length = UINT64_MAX;
	r->url = url_parse(q->url, e);
	if (!r->url || check_request(q, r->url, e))
		return NULL;
	if (!q->unix_socket &&
	    proxy_choose(&c->http->proxies, r->url->scheme, r->url->host, r->url->port, &r->proxy, e))
		return NULL;
	return TAKE(r);
}

static int set_up(struct http_reply *r, const struct http_request *q, struct err *e)
{
	struct http_client *c = r->client;
	AUTO_BUF host_port = { 0 };

	if (url_host_port(r->url, &host_port, e) || name_it(r, q, host_port.data, e) || set_headers(r, q->headers, e))
		return -1;
	curl_easy_reset(c->easy); /* keeps the connections */
	c->errors[0] = '\0';
	CURLcode rc = set_callbacks(r);
	if (rc == CURLE_OK)
		rc = set_transport(r, q);
	if (rc == CURLE_OK)
		rc = trust_apply(r, host_port.data);
	if (rc == CURLE_OK)
		rc = set_proxy(r);
	if (rc == CURLE_OK)
		rc = set_method(r, q);
	if (rc == CURLE_OUT_OF_MEMORY)
		return err_memory(e);
	if (rc != CURLE_OK)
		return err_set(e, ERR_LOCAL, "this machine's libcurl lacks something: %s", curl_easy_strerror(rc));
	return 0;
}

static bool headers_there(const struct http_reply *r)
{
	return r->headers.complete || r->failure.kind != ERR_NONE;
}

/* An answer that came is delivered, even if the transfer broke right behind its headers: http_read() will say so. */
static int exchange(struct http_reply *r)
{
	if (wire_check_empty_body(r))
		return -1;
	CURLMcode rc = curl_multi_add_handle(r->client->multi, r->client->easy);
	if (rc != CURLM_OK)
		return err_set(&r->failure, ERR_LOCAL, "libcurl: %s", curl_multi_strerror(rc));
	r->attached = true;
	int failed = wire_drive(r, headers_there);
	if (r->body_failed || (failed && !r->headers.complete))
		return -1;
	if (!r->headers.complete && r->failure.kind == ERR_NONE)
		return err_set(&r->failure, ERR_NETWORK, "%s: the connection ended without an answer", r->where);
	if (!r->headers.complete)
		return -1;
	if (r->headers.status == 407 && r->proxy) {
		wire_fault(r, CURLE_RECV_ERROR);
		return -1;
	}
	return 0;
}

/*
 * A kept connection may have been closed, or spoilt by bytes that belong to no answer, while nobody looked. If such a
 * one gave no answer to a request that can be sent twice, it says nothing about the server.
 */
static bool kept_too_long(const struct http_reply *r, const struct http_request *q)
{
	long connects = 1;
	curl_off_t sent = 0; /* when the request began to be sent; 0: there never was a connection */

	return r->failure.kind == ERR_NETWORK && !r->stalled && !q->body &&
	       (q->method == HTTP_GET || q->method == HTTP_HEAD) && !r->headers.complete &&
	       curl_easy_getinfo(r->client->easy, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK && connects == 0 &&
	       curl_easy_getinfo(r->client->easy, CURLINFO_PRETRANSFER_TIME_T, &sent) == CURLE_OK && sent > 0;
}

/* One try; *again says that a connection of its own deserves another. */
static struct http_reply *send_once(struct http_client *c, const struct http_request *request, bool fresh, bool *again,
				    struct err *e)
{
	AUTO(http_reply) r = reply_new(c, request, e);

	*again = false;
	if (!r || set_up(r, request, e))
		return NULL;
	if (fresh && curl_easy_setopt(c->easy, CURLOPT_FRESH_CONNECT, 1L) != CURLE_OK) {
		err_set(e, ERR_LOCAL, "this machine's libcurl cannot open a new connection on demand");
		return NULL;
	}
	if (exchange(r)) {
		*again = !fresh && kept_too_long(r, request);
		if (e)
			*e = r->failure;
		return NULL;
	}
	c->open = r;
	return TAKE(r);
}

struct http_reply *http_send(struct http_client *c, const struct http_request *request, struct err *e)
{
	struct err first = { 0 };
	bool again;

	if (c->open) {
		err_set(e, ERR_USAGE, "the client's last reply is still open");
		return NULL;
	}
	struct http_reply *r = send_once(c, request, false, &again, &first);
	if (!r && again)
		return send_once(c, request, true, &again, e);
	if (!r && e)
		*e = first;
	return r;
}
