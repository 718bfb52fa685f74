/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_WIRE_H
#define HTTP_WIRE_H

/*
 * The inside of http.h. One request goes through the files in this order:
 *
 *   share.c    what the clients of one run have in common
 *   trust.c    which certificates count, for all hosts and for one
 *   client.c   a client: one curl easy handle, driven by a private multi handle, and its sockets
 *   request.c  sets the handle up for a request, http_send()
 *   upload.c   curl asks for the request's body
 *   headers.c  curl hands over the answer's header lines
 *   reply.c    curl hands over the answer's body, http_read(), the reply's end
 *   drive.c    turns the multi handle until something is there: stall, cancel
 *   fault.c    a curl code becomes a sentence
 *   words.c    so do TLS's own reasons
 */

#include "base/buf.h"
#include "http/http.h"
#include "http/proxy.h"
#include "http/url.h"
#include "stream/pace.h"

#include <curl/curl.h>
#include <pthread.h>

/* Options in a row: the first that fails is the result. */
#define SET(rc, easy, option, value)                                                                                   \
	do {                                                                                                           \
		if ((rc) == CURLE_OK)                                                                                  \
			(rc) = curl_easy_setopt(easy, option, value);                                                  \
	} while (0)

/* http_trust, kept. */
struct trust {
	char *host_port;
	struct buf own;         /* its authorities (PEM) */
	struct buf authorities; /* those, and the ones that count for all hosts; empty if it has none of its own */
	char *cert;
	char *key;
	bool insecure;
};

struct http {
	char *user_agent;
	char *cacert;
	char *cert;
	char *key;
	char **insecure; /* NULL-terminated */
	struct trust *trusts;
	size_t trust_count;
	size_t trust_capacity;
	unsigned connect_seconds;
	unsigned stall_seconds;
	struct proxy_rules proxies;
	struct pace *pace; /* NULL: no limit */
	CURLSH *share;
	pthread_mutex_t locks[CURL_LOCK_DATA_LAST]; /* one for each kind of shared data */
	size_t locks_made;
};

/* Sockets that a client may have open; more are not watched (see drive.c), nothing else happens. */
#define WIRE_SOCKETS 16

struct http_client {
	struct http *http; /* borrowed */
	CURLM *multi;
	CURL *easy;
	struct http_reply *open; /* borrowed; NULL: free for a request */
	const atomic_bool *stop; /* borrowed, or NULL */
	curl_socket_t sockets[WIRE_SOCKETS];
	size_t socket_count;
	char errors[CURL_ERROR_SIZE];
};

/* The answer's headers: text holds "name\0value\0" for each. */
struct header_at {
	size_t name;
	size_t value;
};
struct headers {
	struct buf text;
	struct header_at *at;
	size_t count;
	size_t capacity;
	size_t seen;   /* bytes of every block of this request, 1xx included */
	int status;    /* 0: none yet */
	bool complete; /* the final answer's block has ended */
	bool chunked;
	uint64_t content_length; /* UINT64_MAX: none */
};
/* One line as curl hands it over. ERR_NETWORK if it, or all of them together, cannot be accepted. */
int headers_line(struct headers *h, const char *line, size_t len, struct err *e);
const char *headers_find(const struct headers *h, const char *name, size_t n);
void headers_release(struct headers *h);

/* Bytes that arrived before somebody asked for them; fewer where a limit wants them to stay in the network. */
#define WIRE_SPILL (256u << 10)
#define WIRE_SPILL_PACED (16u << 10)

struct http_reply {
	struct http_client *client; /* borrowed */
	char *where;                /* "host:port", "host:port (through the proxy http://p:3128)"; printable */
	struct url *url;
	struct proxy *proxy; /* NULL: straight */
	struct curl_slist *header_list;
	struct pace *pace; /* borrowed; NULL: no limit */
	bool head;         /* the answer has no body */
	bool unix_socket;  /* the request goes through one */
	bool has_cert;     /* a client certificate was there to be shown */
	bool connected;    /* its socket was seen to have reached the other side */
	bool stalled;      /* it ended by the stall timeout */
	bool attached;     /* the easy handle is in the multi handle */

	/* The request's body. */
	struct source *body; /* borrowed */
	bool body_sized;
	uint64_t body_size;
	uint64_t body_sent; /* handed to curl */
	bool body_done;
	bool body_failed; /* failure is the body's own */
	char *held;       /* a piece that waits until curl has looked for an answer */
	size_t held_at;
	size_t held_len;
	bool upload_paused;
	int64_t source_ns; /* time spent in the body's source, not in the network */

	/* The answer. */
	struct headers headers;
	uint64_t max_body;
	uint64_t received; /* bytes of the body */
	uint64_t paced;    /* of these, the bytes that were waited for */
	char *spill;       /* WIRE_SPILL bytes, made when first needed */
	size_t spill_at;
	size_t spill_len;
	char *want; /* http_read()'s buffer while it runs; bytes go straight there */
	size_t want_len;
	size_t want_got;
	bool paused;
	bool discard; /* the reply is being ended: count, forget */

	bool done;          /* the transfer has ended, well or not */
	struct err failure; /* kind != ERR_NONE: how it failed */
};

/* Sets the handle up for the certificates of this request's host; `host_port` as url_host_port() writes it. */
CURLcode trust_apply(struct http_reply *r, const char *host_port);
void trust_release(struct http *h);
/* A file of a client certificate or key: can be opened, and no password protects it. `whose` is the error's noun. */
int trust_check_file(const char *path, const char *whose, struct err *e);

/* Callbacks of curl; ctx is the http_reply. */
size_t wire_on_header(char *line, size_t size, size_t count, void *ctx);
size_t wire_on_body(char *bytes, size_t size, size_t count, void *ctx);
size_t wire_on_upload(char *out, size_t size, size_t count, void *ctx);
int wire_on_seek(void *ctx, curl_off_t offset, int origin);
/* ctx is the http_client. */
curl_socket_t wire_on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address);
int wire_on_close(void *ctx, curl_socket_t fd);

/* Asks a body of 0 bytes for its verdict, since curl would not. 0, or -1 with r->failure filled. */
int wire_check_empty_body(struct http_reply *r);

/* Turns the wheel until until(r) or the transfer's end. 0, or -1 with r->failure filled: the transfer is over. */
int wire_drive(struct http_reply *r, bool (*until)(const struct http_reply *r));
/* Turns it once, without waiting. */
void wire_turn(struct http_reply *r);
/* Lets curl go on with what a callback paused; the receiving side only if `receive`. */
void wire_unpause(struct http_reply *r, bool receive);
/* Takes the handle out of the multi handle; an unfinished transfer loses its connection. */
void wire_detach(struct http_reply *r);

/* Fills r->failure for curl's code, once the transfer has ended. */
void wire_fault(struct http_reply *r, CURLcode code);
/* r->failure for a stall of so many seconds: names the phase. */
void wire_stalled(struct http_reply *r, unsigned seconds);

/* TLS's reasons, as the part of a sentence behind the host's name. */
#define WIRE_WORDS 360
void wire_certificate_words(const struct http_reply *r, char out[WIRE_WORDS]);
/* True if the same would happen again. */
bool wire_handshake_words(const struct http_reply *r, char out[WIRE_WORDS]);
/* True if the other side wants a client certificate, or does not take ours. */
bool wire_client_words(const struct http_reply *r, char out[WIRE_WORDS]);
/* `bytes`, or fewer where a limit wants what moves at once to be little. */
size_t wire_piece(const struct http_reply *r, size_t bytes);

#endif
