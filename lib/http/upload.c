/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wire.h"

#include "base/clock.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>

/*
 * The request's body. A source's end is its verdict ("complete and proved"), so the last bytes are held back until the
 * source has said it: a body that turns out bad at its very end never becomes a complete request.
 */

/* source_read(), timed: a slow disk or a slow pipe is no silence of the network. */
static ssize_t pull(struct http_reply *r, void *buf, size_t cap)
{
	int64_t start = clock_ns();
	ssize_t n = source_read(r->body, buf, cap, &r->failure);

	r->source_ns += clock_ns() - start;
	return n;
}

/* A limit's wait is no silence of the network either. */
static int hold_back(struct http_reply *r, size_t n)
{
	int64_t start = clock_ns();
	int failed = pace_wait(r->pace, n, &r->failure);

	r->source_ns += clock_ns() - start;
	return failed;
}

/* 0 if the source ends here, as it should. */
static int prove_end(struct http_reply *r)
{
	char extra;
	ssize_t n = pull(r, &extra, 1);

	if (n > 0)
		err_set(&r->failure, ERR_LOCAL, "the body to send is longer than its %" PRIu64 " bytes", r->body_size);
	return n ? -1 : 0;
}

int wire_check_empty_body(struct http_reply *r)
{
	if (!r->body || !r->body_sized || r->body_size)
		return 0;
	r->body_done = true;
	if (prove_end(r) == 0)
		return 0;
	r->body_failed = true;
	return -1;
}

/*
 * A server that refuses a body answers and closes; the bytes we send after that come back as a reset, and curl, whose
 * send() meets it, forgets the answer that lies unread behind it. So if something has arrived by the time a piece is
 * ready, the piece is held and curl reads first. What is held goes out next time without another look: a socket that
 * stays readable for another reason (a kept connection that the far side closed) must not stop the upload.
 */
static bool answer_waits(const struct http_reply *r)
{
	const struct http_client *c = r->client;
	struct pollfd fds[WIRE_SOCKETS];

	if (r->headers.complete)
		return false;
	for (size_t i = 0; i < c->socket_count; i++)
		fds[i] = (struct pollfd){ .fd = c->sockets[i], .events = POLLIN };
	return poll(fds, c->socket_count, 0) > 0;
}

static bool hold(struct http_reply *r, const char *bytes, size_t len)
{
	r->held = malloc(len);
	if (!r->held)
		return false; /* then it goes out now, as it would without all this */
	memcpy(r->held, bytes, len);
	r->held_at = 0;
	r->held_len = len;
	r->upload_paused = true;
	return true;
}

static size_t from_held(struct http_reply *r, char *out, size_t cap)
{
	size_t n = r->held_len < cap ? r->held_len : cap;

	memcpy(out, r->held + r->held_at, n);
	r->held_at += n;
	r->held_len -= n;
	if (!r->held_len)
		free(TAKE(r->held));
	return n;
}

/* The next piece from the source into out: its length, 0 at the end, -1 with r->failure filled. */
static ssize_t next_piece(struct http_reply *r, char *out, size_t cap)
{
	uint64_t left = r->body_size - r->body_sent;

	if (r->body_sized && left < cap)
		cap = (size_t)left;
	ssize_t n = pull(r, out, wire_piece(r, cap));
	if (n < 0 || hold_back(r, (size_t)n))
		return -1;
	r->body_sent += (uint64_t)n;
	if (n == 0 && r->body_sized)
		return err_set(&r->failure, ERR_LOCAL, "the body to send ended at %" PRIu64 " of %" PRIu64 " bytes",
			       r->body_sent, r->body_size);
	bool last = n == 0 || (r->body_sized && r->body_sent == r->body_size);
	if (last && n && prove_end(r))
		return -1;
	r->body_done = last;
	return n;
}

size_t wire_on_upload(char *out, size_t size, size_t count, void *ctx)
{
	struct http_reply *r = ctx;
	size_t cap = size * count;

	if (r->discard || r->failure.kind != ERR_NONE)
		return CURL_READFUNC_ABORT;
	if (r->held_len)
		return from_held(r, out, cap);
	if (!r->body || r->body_done)
		return 0;
	ssize_t n = next_piece(r, out, cap);
	if (n < 0) {
		r->body_failed = true;
		return CURL_READFUNC_ABORT;
	}
	if (n > 0 && answer_waits(r) && hold(r, out, (size_t)n))
		return CURL_READFUNC_PAUSE;
	return (size_t)n;
}

/* curl rewinds when a kept connection turned out dead and it tries a new one: possible only before the first byte. */
int wire_on_seek(void *ctx, curl_off_t offset, int origin)
{
	const struct http_reply *r = ctx;

	return offset == 0 && origin == SEEK_SET && r->body_sent == 0 ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}
