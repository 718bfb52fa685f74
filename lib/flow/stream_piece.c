/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/stream_out.h"

#include "base/cancel.h"
#include "stream/sink.h"

#include <stdio.h>
#include <string.h>

/* One piece of a blob for a stream, asked for as often as it takes; or, where a server knows no ranges, all pieces. */

struct carry {
	struct out *out;
	uint64_t number;
	struct slot *slot;
	struct out_blob *blob;
	bool runner;
	struct err fatal; /* what no other place can help with: the writing failed */
};

/* A blob that is one piece is proved before a byte of it goes out: another place may have the right ones. */
static int prove_small(const struct carry *c, struct err *e)
{
	const struct promise *promise = &c->blob->member->promise;
	char have[DIGEST_TEXT_SIZE];
	char want[DIGEST_TEXT_SIZE];
	struct digest d;

	if (c->slot->len != promise->size)
		return 0;
	if (digest_of(&d, c->slot->bytes, c->slot->len, e))
		return -1;
	if (digest_equal(&d, &promise->digest))
		return 0;
	c->slot->have = 0;
	return err_set(e, ERR_CORRUPT, "has digest %s, expected %s", digest_text(&d, have),
		       digest_text(&promise->digest, want));
}

static int make_room(struct slot *s, size_t piece, struct err *e)
{
	if (!s->bytes)
		s->bytes = malloc(piece);
	return s->bytes ? 0 : err_memory(e);
}

/* Reads and forgets what is in front of the bytes that are wanted. */
static int skip(struct source *body, uint64_t len, struct err *e)
{
	AUTO_MEM char *room = malloc(PUMP_PIECE);

	if (!room)
		return err_memory(e);
	while (len) {
		ssize_t n = source_read(body, room, len < PUMP_PIECE ? (size_t)len : PUMP_PIECE, e);
		if (n < 0 || cancel_check(e))
			return -1;
		if (n == 0)
			return err_set(e, ERR_NETWORK, "the blob ended too early");
		len -= (uint64_t)n;
	}
	return 0;
}

/* The slot is full. 1: the runner is at the next one of the blob; 0: no more is to be brought; -1. */
static int end_slot(struct carry *c, struct source *body, struct err *e)
{
	const uint64_t size = c->blob->member->promise.size;
	/* Once it is put, the slot may be another piece's. */
	uint64_t end = c->slot->from + c->slot->len;

	if (prove_small(c, e))
		return -1;
	if (out_put(c->out, c->number, &c->fatal))
		return 0;
	while (c->runner && end < size) {
		int rc = out_follow(c->out, ++c->number, e);
		if (rc <= 0)
			return -1;
		c->slot = &c->out->slots[c->number % c->out->slot_count];
		if (rc == 1)
			return 1;
		/* Another was faster. */
		const uint64_t len = size - end < c->out->piece ? size - end : c->out->piece;
		if (skip(body, len, e))
			return -1;
		end += len;
	}
	return 0;
}

/* 1: the piece is here (of a whole blob: all are); 0: the range is at its end; -1. */
static int stream(struct ask *a, struct carry *c, struct source *body, struct err *e)
{
	for (;;) {
		struct slot *s = c->slot;
		if (make_room(s, c->out->piece, e) || cancel_check(e))
			return -1;
		const size_t left = s->len - s->have;
		ssize_t n = source_read(body, s->bytes + s->have, left < PUMP_PIECE ? left : PUMP_PIECE, e);
		if (n <= 0)
			return (int)n;
		s->have += (size_t)n;
		a->progressed = true;
		atomic_fetch_add(&c->out->received, (uint64_t)n);
		registries_gave(c->out->registries, a->registry, a->endpoint, (uint64_t)n);
		if (s->have < s->len)
			continue;
		int more = end_slot(c, body, e);
		if (more <= 0)
			return more ? -1 : 1;
	}
}

/* No range is to be had here: who has the first missing piece brings all that follow, the others leave theirs. */
static int go_whole(struct ask *a, struct carry *c)
{
	registries_note_no_ranges(c->out->registries, a->registry, a->endpoint);
	pthread_mutex_lock(&c->out->lock);
	c->blob->whole = true;
	c->slot->state = SLOT_WAITS;
	pthread_cond_broadcast(&c->out->changed);
	pthread_mutex_unlock(&c->out->lock);
	return 1;
}

/* One request. 1: done with, 0: there may be more of the piece, -1. */
static int one_range(struct ask *a, struct carry *c, struct registry_conn *conn, const char *repository, struct err *e)
{
	const struct promise *blob = &c->blob->member->promise;
	const uint64_t at = c->slot->from + c->slot->have;
	const uint64_t to = c->slot->from + c->slot->len;
	const bool all = c->runner;
	struct blob_range got;
	struct err failure = { 0 };

	const bool none = registries_no_ranges(c->out->registries, a->registry, a->endpoint);
	if (!all && none && blob->size > c->slot->len)
		return go_whole(a, c);
	AUTO(source)
	body = registry_open_range(conn, repository, blob, none ? 0 : at, none || all ? blob->size : to, &got,
				   &failure);
	if (!body && !none && registries_refuses_ranges(&failure)) {
		registries_note_no_ranges(c->out->registries, a->registry, a->endpoint);
		return 0;
	}
	if (!body) {
		if (e)
			*e = failure;
		return -1;
	}
	if (got.encoded)
		return err_set(e, ERR_NETWORK, "%s comes with Content-Encoding %s; fetch it into a file, -o FILE",
			       repository, got.coding);
	if (got.from > at)
		return err_set(e, ERR_NETWORK, "%s: other bytes than were asked for", repository);
	if (got.from < at && !all)
		return go_whole(a, c);
	if (skip(body, at - got.from, e))
		return -1;
	return stream(a, c, body, e);
}

static int try_piece(struct ask *a, struct registry_conn *conn, const char *repository, struct err *e)
{
	struct carry *c = a->ctx;
	int rc = 0;

	/* A server may send less than was asked for; two ranges in a row that bring nothing are one too many. */
	for (unsigned barren = 0; !rc && barren < 3;) {
		const uint64_t before = c->slot->from + c->slot->have;
		rc = one_range(a, c, conn, repository, e);
		barren = c->slot->from + c->slot->have > before ? 0 : barren + 1;
	}
	if (!rc)
		return err_set(e, ERR_NETWORK, "%s sends ranges without a byte", repository);
	return rc < 0 ? -1 : 0;
}

static void end_run(struct carry *c)
{
	pthread_mutex_lock(&c->out->lock);
	c->blob->runs = c->blob->runs && !c->runner;
	pthread_cond_broadcast(&c->out->changed);
	pthread_mutex_unlock(&c->out->lock);
}

int out_bring(struct out *o, uint64_t number, size_t worker, struct err *e)
{
	struct slot *s = &o->slots[number % o->slot_count];
	struct carry c = { .out = o, .number = number, .slot = s, .blob = &o->blobs[s->blob], .runner = s->runner };
	const struct promise *promise = &c.blob->member->promise;
	char id[13];
	char what[64];

	digest_short(&promise->digest, id);
	(void)snprintf(what, sizeof(what), "%s %s", blob_role_text(c.blob->blob->role), id);
	if (!s->from && !s->have)
		event_begin(o->events, s->blob, promise->size, "%s %s", id, blob_role_text(c.blob->blob->role));
	struct ask a = {
		.registry = c.blob->home.registry,
		.repository = c.blob->home.repository,
		.worker = worker,
		.what = what,
		.attempt = try_piece,
		.ctx = &c,
		.patience = &c.blob->patience,
		.stop = &o->failed,
	};
	int rc = ask(o->registries, &a, e);
	end_run(&c);
	if (c.fatal.kind != ERR_NONE) {
		if (e)
			*e = c.fatal;
		return -1;
	}
	if (!rc)
		return 0;
	return err_at(e, "%s/%s: %s sha256:%s...", o->registries->items[a.registry]->host, a.repository,
		      blob_role_text(c.blob->blob->role), id);
}
