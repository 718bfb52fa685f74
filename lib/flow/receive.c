/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/fill.h"

#include "base/cancel.h"
#include "codec/crc32c.h"
#include "stream/sink.h"

#include <time.h>

/* One piece of a blob from one place: asked for, written, noted in the journal. */

/* So many bytes are noted as one: what a kill costs, for each connection, and a line of the journal. */
#define NOTE_BYTES (64u << 10)

/*
 * How often the disk is told to begin with what has come: on a slow line little is left for the fsync at the end. More
 * often would cost a fast one CPU (measured: half as much again with every note).
 */
#define PUSH_NS INT64_C(500000000)

/* What was written and is not in the journal yet. */
struct unnoted {
	uint64_t from;
	uint64_t len;
	uint32_t crc;
};

static int note(struct errand *x, struct unnoted *u, struct err *e)
{
	int rc = u->len ? journal_note(x->fill->journal, x->blob->number, u->from, u->len, u->crc, e) : 0;

	*u = (struct unnoted){ .from = u->from + u->len };
	return rc;
}

/* What was written and the disk does not know yet that it may begin. */
struct unpushed {
	uint64_t from;
	int64_t since;
};

/* Coarse: it is asked after every read, and half a second need not be exact. */
static int64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void push(const struct errand *x, struct unpushed *p)
{
	const int64_t now = now_ns();

	if (now - p->since < PUSH_NS)
		return;
	space_push(x->fill->space, x->blob->member->data + p->from, x->at - p->from);
	*p = (struct unpushed){ x->at, now };
}

static void note_giver(const struct ask *a, struct errand *x, uint64_t bytes, bool web_page)
{
	pthread_mutex_lock(&x->fill->lock);
	x->blob->from.gave |= UINT32_C(1) << a->endpoint;
	x->blob->web_page = x->blob->web_page || web_page;
	pthread_mutex_unlock(&x->fill->lock);
	registries_gave(x->fill->registries, a->registry, a->endpoint, bytes);
}

/* 1: the piece is at its end, or another's; 0: the range is; -1. */
static int stream(struct ask *a, struct errand *x, struct source *body, const struct blob_range *got, char *buf,
		  struct err *e)
{
	struct unnoted u = { .from = x->at };
	struct unpushed p = { .from = x->at, .since = now_ns() };
	uint64_t skip = x->at - got->from;
	uint64_t taken = 0;
	ssize_t n = 0;
	int rc = 0;

	while (!rc) {
		uint64_t left = pieces_left(x->fill->pieces, a->worker);
		if (!left) {
			rc = 1;
			break;
		}
		/* Not more than is wanted: the last bytes leave the connection ready for the next request. */
		size_t cap = skip + left < PUMP_PIECE ? (size_t)(skip + left) : PUMP_PIECE;
		n = source_read(body, buf, cap, e);
		if (n <= 0)
			break;
		atomic_fetch_add(&x->fill->received, (uint64_t)n);
		size_t over = skip < (uint64_t)n ? (size_t)skip : (size_t)n;
		skip -= over;
		size_t len = (size_t)n - over;
		if (!len)
			continue;
		if (fill_write(x, a->worker, buf + over, x->at, len, e) || cancel_check(e)) {
			rc = -1;
			break;
		}
		u.crc = crc32c(u.crc, buf + over, len);
		u.len += len;
		x->at += len;
		taken += len;
		a->progressed = true;
		push(x, &p);
		if (u.len >= NOTE_BYTES && note(x, &u, e))
			rc = -1;
	}
	/* The failure that is told is the first one. */
	if (note(x, &u, n < 0 || rc < 0 ? NULL : e))
		rc = -1;
	if (taken)
		note_giver(a, x, taken, got->web_page);
	return n < 0 ? -1 : rc;
}

/* A server that sends all of a blob whatever is asked: the foremost worker takes all of it, the others none. */
static bool take_all(struct ask *a, struct errand *x)
{
	registries_note_no_ranges(x->fill->registries, a->registry, a->endpoint);
	return pieces_take_rest(x->fill->pieces, a->worker);
}

/* One request. 1: the piece is done with, 0: there may be more of it, -1. */
static int one_range(struct ask *a, struct errand *x, struct registry_conn *conn, const char *repository, char *buf,
		     struct err *e)
{
	const struct promise *blob = &x->blob->member->promise;
	uint64_t left = pieces_left(x->fill->pieces, a->worker);
	const bool all = registries_no_ranges(x->fill->registries, a->registry, a->endpoint);
	struct blob_range got;
	struct err failure = { 0 };

	if (!left)
		return 1;
	if (all && x->at && !take_all(a, x))
		return 1;
	AUTO(source)
	body = registry_open_range(conn, repository, blob, all ? 0 : x->at, all ? blob->size : x->at + left, &got,
				   &failure);
	if (!body && !all && registries_refuses_ranges(&failure)) {
		registries_note_no_ranges(x->fill->registries, a->registry, a->endpoint);
		return 0;
	}
	if (!body) {
		if (e)
			*e = failure;
		return -1;
	}
	if (got.encoded) {
		pthread_mutex_lock(&x->fill->lock);
		x->blob->encoded = true;
		pthread_mutex_unlock(&x->fill->lock);
		pieces_restart(x->fill->pieces, x->index);
		return 1;
	}
	if ((got.from < x->at || got.to > x->at + left) && !take_all(a, x))
		return 1;
	return stream(a, x, body, &got, buf, e);
}

int receive(struct ask *a, struct registry_conn *conn, const char *repository, struct err *e)
{
	struct errand *x = a->ctx;
	AUTO_MEM char *buf = malloc(PUMP_PIECE);
	int rc = 0;

	if (!buf)
		return err_memory(e);
	/* A server may send less than was asked for; two ranges in a row that bring nothing are one too many. */
	for (unsigned barren = 0; !rc && barren < 3;) {
		uint64_t before = x->at;
		rc = one_range(a, x, conn, repository, buf, e);
		barren = x->at > before ? 0 : barren + 1;
	}
	if (!rc)
		return err_set(e, ERR_NETWORK, "%s sends ranges without a byte", repository);
	return rc < 0 ? -1 : 0;
}
