/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wire.h"

#include <inttypes.h>
#include <string.h>

/* The answer's body: straight into http_read()'s buffer while somebody is reading, else into the spill. */

static int too_long(struct http_reply *r)
{
	err_set(&r->failure, ERR_NETWORK, "%s: the answer is longer than the %" PRIu64 " bytes expected", r->where,
		r->max_body);
	r->failure.sys = r->headers.status;
	return -1;
}

/* The bytes that nobody has asked for yet. -1: they do not fit now. */
static int keep(struct http_reply *r, const char *bytes, size_t len)
{
	if (!r->spill && !(r->spill = malloc(WIRE_SPILL)))
		return err_memory(&r->failure);
	if (!r->spill_len)
		r->spill_at = 0;
	else if (len > WIRE_SPILL - r->spill_at - r->spill_len) {
		memmove(r->spill, r->spill + r->spill_at, r->spill_len);
		r->spill_at = 0;
	}
	memcpy(r->spill + r->spill_at + r->spill_len, bytes, len);
	r->spill_len += len;
	return 0;
}

size_t wire_on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct http_reply *r = ctx;
	size_t len = size * count;

	if (r->discard)
		return len;
	if (r->max_body && len > r->max_body - r->received) {
		(void)too_long(r);
		return 0;
	}
	size_t direct = r->want_len - r->want_got;
	if (direct > len)
		direct = len;
	size_t spill = r->pace && r->spill_len ? WIRE_SPILL_PACED : WIRE_SPILL;
	if (r->spill_len > spill || len - direct > spill - r->spill_len) {
		r->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (direct)
		memcpy(r->want + r->want_got, bytes, direct);
	if (len > direct && keep(r, bytes + direct, len - direct))
		return 0;
	r->want_got += direct;
	r->received += len;
	return len;
}

static bool bytes_there(const struct http_reply *r)
{
	return r->want_got > 0;
}

static ssize_t from_spill(struct http_reply *r, void *buf, size_t cap)
{
	size_t n = r->spill_len < cap ? r->spill_len : cap;

	memcpy(buf, r->spill + r->spill_at, n);
	r->spill_at += n;
	r->spill_len -= n;
	return (ssize_t)n;
}

/* Lets curl write into buf until something is there. */
static size_t receive(struct http_reply *r, void *buf, size_t cap)
{
	r->want = buf;
	r->want_len = cap;
	r->want_got = 0;
	wire_unpause(r, true);
	if (!r->want_got && r->failure.kind == ERR_NONE)
		(void)wire_drive(r, bytes_there);
	size_t got = r->want_got;
	r->want = NULL;
	r->want_len = r->want_got = 0;
	return got;
}

/* A limit counts what has come from the network, asked for or not. */
static int hold_back(struct http_reply *r)
{
	uint64_t fresh = r->received - r->paced;

	r->paced = r->received;
	return pace_wait(r->pace, (size_t)fresh, &r->failure);
}

ssize_t http_read(struct http_reply *r, void *buf, size_t cap, struct err *e)
{
	if (r->max_body && !r->head && r->failure.kind == ERR_NONE && http_content_length(r) != UINT64_MAX &&
	    http_content_length(r) > r->max_body)
		(void)too_long(r);
	if (r->spill_len)
		return from_spill(r, buf, cap);
	if (!r->done && r->failure.kind == ERR_NONE) {
		size_t n = receive(r, buf, wire_piece(r, cap));
		if (hold_back(r) == 0 && n)
			return (ssize_t)n;
	}
	if (r->failure.kind == ERR_NONE)
		return 0;
	if (e)
		*e = r->failure;
	return -1;
}

int http_status(const struct http_reply *r)
{
	return r->headers.status;
}

const char *http_header(const struct http_reply *r, const char *name)
{
	return headers_find(&r->headers, name, 0);
}

const char *http_header_nth(const struct http_reply *r, const char *name, size_t n)
{
	return headers_find(&r->headers, name, n);
}

uint64_t http_content_length(const struct http_reply *r)
{
	return r->headers.content_length;
}

/* A short rest that is already here is swallowed without waiting, which saves the connection for the next request. */
static void swallow(struct http_reply *r)
{
	bool sending = r->body && !r->body_done;

	if (!r->attached || r->done || sending || r->failure.kind != ERR_NONE)
		return;
	r->discard = true;
	wire_unpause(r, true);
	wire_turn(r);
}

void http_reply_free(struct http_reply *r)
{
	if (!r)
		return;
	swallow(r);
	wire_detach(r);
	if (r->client->open == r)
		r->client->open = NULL;
	curl_easy_reset(r->client->easy); /* it points into the reply */
	/* Authorization is in there. */
	for (struct curl_slist *p = r->header_list; p; p = p->next)
		explicit_bzero(p->data, strlen(p->data));
	curl_slist_free_all(r->header_list);
	headers_release(&r->headers);
	proxy_free(r->proxy);
	url_free(r->url);
	free(r->where);
	free(r->spill);
	free(r->held);
	free(r);
}

struct body {
	struct source base;
	struct http_reply *reply;
};

static ssize_t body_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	return http_read(((struct body *)s)->reply, buf, cap, e);
}

static void body_free(struct source *s)
{
	http_reply_free(((struct body *)s)->reply);
	free(s);
}

struct source *http_body(struct http_reply *r, struct err *e)
{
	static const struct source_ops ops = { body_read, body_free };

	if (!r)
		return NULL;
	struct body *b = malloc(sizeof(*b));
	if (!b) {
		http_reply_free(r);
		err_memory(e);
		return NULL;
	}
	*b = (struct body){ { &ops }, r };
	return &b->base;
}
