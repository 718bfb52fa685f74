/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wire.h"

#include "base/cancel.h"
#include "base/clock.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* How long one wait lasts at most, so that a cancel is seen. */
#define TICK_MS 100

/* As tcpi_state has it; <netinet/tcp.h>, which names it, does not go together with the kernel's struct tcp_info. */
#define TCP_ESTABLISHED 1

/*
 * Something that changes whenever a byte moves on one of the client's sockets, whatever phase curl is in. The kernel is
 * asked because curl cannot know: a TLS handshake and half a header line are not counted by it, and an upload over a
 * slow line goes on for minutes after the last byte went into the socket's buffer.
 */
static uint64_t moved(const struct http_client *c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->socket_count; i++) {
		struct tcp_info info = { 0 };
		socklen_t len = sizeof(info);
		int queued = 0;
		if (getsockopt(c->sockets[i], IPPROTO_TCP, TCP_INFO, &info, &len) == 0)
			sum += info.tcpi_bytes_received + info.tcpi_bytes_acked + info.tcpi_state;
		else if (ioctl(c->sockets[i], SIOCOUTQ, &queued) == 0)
			sum += (uint64_t)queued;
	}
	return sum;
}

/* True if the socket opened last has reached its peer: curl tells that apart from the TLS handshake only afterwards. */
static bool connected(const struct http_client *c)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);

	return c->socket_count &&
	       getsockopt(c->sockets[c->socket_count - 1], IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
	       info.tcpi_state == TCP_ESTABLISHED;
}

/* What curl counts itself; a change of phase counts as life, too. */
static uint64_t counted(const struct http_reply *r)
{
	static const CURLINFO infos[] = { CURLINFO_SIZE_UPLOAD_T,     CURLINFO_SIZE_DOWNLOAD_T,
					  CURLINFO_NAMELOOKUP_TIME_T, CURLINFO_CONNECT_TIME_T,
					  CURLINFO_APPCONNECT_TIME_T, CURLINFO_PRETRANSFER_TIME_T };
	uint64_t sum = r->headers.seen + r->received + r->body_sent;

	for (size_t i = 0; i < sizeof(infos) / sizeof(infos[0]); i++) {
		curl_off_t value = 0;
		if (curl_easy_getinfo(r->client->easy, infos[i], &value) == CURLE_OK)
			sum += (uint64_t)value;
	}
	return sum;
}

void wire_detach(struct http_reply *r)
{
	if (r->attached)
		(void)curl_multi_remove_handle(r->client->multi, r->client->easy);
	r->attached = false;
}

void wire_unpause(struct http_reply *r, bool receive)
{
	if (!r->upload_paused && !(receive && r->paused))
		return;
	/* curl may call back from here, and be paused again. */
	r->upload_paused = false;
	r->paused = r->paused && !receive;
	CURLcode rc = curl_easy_pause(r->client->easy, r->paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
	if (rc != CURLE_OK)
		wire_fault(r, rc);
}

void wire_turn(struct http_reply *r)
{
	struct http_client *c = r->client;
	int running;
	int queued;
	const CURLMsg *msg;
	CURLMcode rc = curl_multi_perform(c->multi, &running);

	while ((msg = curl_multi_info_read(c->multi, &queued)))
		if (msg->msg == CURLMSG_DONE && msg->easy_handle == c->easy) {
			r->done = true;
			if (msg->data.result != CURLE_OK)
				wire_fault(r, msg->data.result);
			break;
		}
	if (rc != CURLM_OK && !r->done) {
		if (r->failure.kind == ERR_NONE)
			err_set(&r->failure, ERR_LOCAL, "%s: libcurl: %s", r->where, curl_multi_strerror(rc));
		r->done = true;
	}
	if (r->done)
		wire_detach(r);
	else
		wire_unpause(r, false);
}

static int give_up(struct http_reply *r)
{
	r->done = true;
	wire_detach(r);
	return -1;
}

/* How long the network has been silent; time outside of this function, or in the body's source, is not the network's.
 */
struct silence {
	int64_t since;
	int64_t source_ns;
	int64_t total;
	uint64_t moved;
	uint64_t counted;
};

/* Notes a wait that ended without news for the caller. True if the silence has lasted too long. */
static bool too_silent(struct silence *s, struct http_reply *r)
{
	int64_t now = clock_ns();
	int64_t source_ns = r->source_ns;
	uint64_t m = moved(r->client);
	uint64_t c = counted(r);

	r->connected = r->connected || connected(r->client);
	if (m != s->moved || c != s->counted)
		s->total = 0;
	else
		s->total += now - s->since - (source_ns - s->source_ns);
	s->since = now;
	s->source_ns = source_ns;
	s->moved = m;
	s->counted = c;
	return s->total >= (int64_t)r->client->http->stall_seconds * 1000000000;
}

int wire_drive(struct http_reply *r, bool (*until)(const struct http_reply *r))
{
	struct silence s = { 0 };
	int64_t looked = 0;

	for (;;) {
		if (cancel_check(&r->failure))
			return give_up(r);
		if (r->client->stop && atomic_load(r->client->stop)) {
			err_set(&r->failure, ERR_NETWORK, "%s: given up, others are at it", r->where);
			return give_up(r);
		}
		wire_turn(r);
		if (until(r))
			return 0;
		if (r->done)
			return r->failure.kind == ERR_NONE ? 0 : -1;
		/* A busy transfer comes by here often; the kernel is asked only every tick. */
		int64_t now = clock_ns();
		if (!looked)
			s = (struct silence){ now, r->source_ns, 0, moved(r->client), counted(r) };
		if (looked && now - looked >= (int64_t)TICK_MS * 1000000 - 1000000 && too_silent(&s, r)) {
			wire_stalled(r, r->client->http->stall_seconds);
			return give_up(r);
		}
		if (!looked || now - looked >= (int64_t)TICK_MS * 1000000 - 1000000)
			looked = now;
		CURLMcode rc = curl_multi_poll(r->client->multi, NULL, 0, TICK_MS, NULL);
		if (rc != CURLM_OK) {
			err_set(&r->failure, ERR_LOCAL, "%s: libcurl: %s", r->where, curl_multi_strerror(rc));
			return give_up(r);
		}
	}
}
