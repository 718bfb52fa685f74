/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/only.h"

#include "base/cancel.h"
#include "codec/codec.h"
#include "stream/sink.h"

#include <stdio.h>

/* Bytes of a blob for a block: out of the answer that is open, or of a new one. */

/* A place without ranges is read from the blob's start at once if no more than this is to be dropped. */
#define DROP_MOST (UINT64_C(1) << 20)

struct errand {
	struct only *only;
	struct only_worker *w;
	const struct member *member;
	uint64_t from, to;
	char *buf;
	size_t len;
	size_t done;
	bool later;
};

static void close_body(struct only_worker *w)
{
	source_free(TAKE(w->body));
	w->member = NULL;
}

void only_worker_release(struct only_worker *w)
{
	close_body(w);
	free(w->block);
	free(w->givers);
	free(w->barred);
}

/* What was got of the blob, for the summary and for the blame. */
static void note_giver(struct errand *x, uint64_t bytes)
{
	struct only_worker *w = x->w;
	const size_t registry = x->only->plan->homes[x->member->blob].registry;

	w->givers[registry] |= UINT32_C(1) << w->endpoint;
	registries_gave(x->only->registries, registry, w->endpoint, bytes);
}

/* Fewer bytes than the blob has: what came encoded may have as many when it is decoded. */
static int ended_early(struct errand *x, struct err *e)
{
	if (x->w->encoded)
		atomic_store(&x->only->decode[x->member->blob], true);
	return err_set(e, ERR_NETWORK, "the answer ended early");
}

/* Reads on in the open answer until the errand is done, or the answer is at its end. */
static int read_on(struct errand *x, struct err *e)
{
	struct only_worker *w = x->w;
	char dropped[16384] = { 0 };
	uint64_t taken = 0;
	int rc = 0;

	while (!rc && x->done < x->len && w->at < w->end) {
		const uint64_t next = x->from + x->done;
		const uint64_t drop = next - w->at;
		char *to = drop ? dropped : x->buf + x->done;
		uint64_t cap = drop ? (drop < sizeof(dropped) ? drop : sizeof(dropped)) : x->len - x->done;
		if (cap > PUMP_PIECE)
			cap = PUMP_PIECE;
		ssize_t n = cancel_check(e) ? -1 : source_read(w->body, to, (size_t)cap, e);
		if (n <= 0) {
			rc = n ? -1 : ended_early(x, e);
			break;
		}
		w->at += (uint64_t)n;
		taken += (uint64_t)n;
		if (!drop)
			x->done += (size_t)n;
	}
	atomic_fetch_add(&x->only->received, taken);
	if (taken)
		note_giver(x, taken);
	return rc;
}

/* The open answer is of this blob, and has not passed the byte. */
static bool goes_on(const struct only_worker *w, const struct member *m, uint64_t from)
{
	return w->body && w->member == m && w->at < w->end && (w->whole ? w->at <= from : w->at == from);
}

/* True if so much would be read for nothing that it is better done once for all blocks of the blob. */
static bool is_for_later(const struct errand *x)
{
	return !x->only->whole && x->from + x->done > DROP_MOST;
}

/* What the blob's bytes are inside of. */
static int undo_coding(struct errand *x, const struct blob_range *got, struct err *e)
{
	const enum coding coding = coding_of_http(got->coding);

	if (coding == CODING_NONE)
		return err_set(e, ERR_CORRUPT, "it comes with Content-Encoding %s, which imgpack does not undo",
			       got->coding);
	x->w->body = source_decode(TAKE(x->w->body), coding, x->member->promise.size, e);
	return x->w->body ? 0 : -1;
}

/* A new answer. 1: not now, 0: it is open, or is to be asked for otherwise; -1. */
static int open_body(struct ask *a, struct registry_conn *conn, const char *repository, struct err *e)
{
	struct errand *x = a->ctx;
	struct only_worker *w = x->w;
	const struct promise *blob = &x->member->promise;
	const uint64_t at = x->from + x->done;
	const bool decode = atomic_load(&x->only->decode[x->member->blob]);
	const bool all = decode || registries_no_ranges(x->only->registries, a->registry, a->endpoint);
	struct blob_range got;
	struct err failure = { 0 };

	close_body(w);
	if (all && is_for_later(x))
		return 1;
	w->body = registry_open_range(conn, repository, blob, all ? 0 : at, all ? blob->size : x->to, &got, &failure);
	if (!w->body && !all && registries_refuses_ranges(&failure)) {
		registries_note_no_ranges(x->only->registries, a->registry, a->endpoint);
		return 0;
	}
	if (!w->body) {
		if (e)
			*e = failure;
		return -1;
	}
	w->encoded = w->encoded || got.encoded;
	w->member = x->member;
	w->endpoint = a->endpoint;
	w->whole = !got.from && got.to == blob->size;
	w->at = got.from;
	w->end = got.to;
	if (got.from < at || got.to > x->to)
		registries_note_no_ranges(x->only->registries, a->registry, a->endpoint);
	if (got.from < at && is_for_later(x)) {
		close_body(w);
		return 1;
	}
	return decode && got.encoded ? undo_coding(x, &got, e) : 0;
}

/* One try at one place. */
static int attempt(struct ask *a, struct registry_conn *conn, const char *repository, struct err *e)
{
	struct errand *x = a->ctx;

	/* A server may send less than was asked for; answers that bring nothing are one too many. */
	for (unsigned barren = 0; barren < 3;) {
		const size_t before = x->done;
		const int rc = open_body(a, conn, repository, e);
		if (rc) {
			x->later = rc > 0;
			return rc > 0 ? 0 : -1;
		}
		const int failed = x->w->body ? read_on(x, e) : 0;
		a->progressed = a->progressed || x->done > before;
		if (failed) {
			close_body(x->w);
			return -1;
		}
		if (x->done == x->len)
			return 0;
		barren = x->done > before ? 0 : barren + 1;
	}
	return err_set(e, ERR_NETWORK, "%s sends ranges without a byte", repository);
}

int only_take(struct only *o, size_t worker, const struct member *m, uint64_t from, uint64_t to, char *buf, size_t len,
	      struct err *e)
{
	struct only_worker *w = &o->workers[worker];
	struct errand x = { .only = o, .w = w, .member = m, .from = from, .to = to, .buf = buf, .len = len };
	const struct blob_home *home = &o->plan->homes[m->blob];
	struct err passed_over = { 0 };
	char id[13];
	char what[64];

	/* A failure in the middle is not counted: the bytes that are left are asked for anew. */
	if (goes_on(w, m, from) && read_on(&x, &passed_over))
		close_body(w);
	if (cancel_check(e))
		return -1;
	if (x.done == len)
		return 0;
	(void)snprintf(what, sizeof(what), "%s %s", blob_role_text(o->plan->pack->blobs[m->blob].role),
		       digest_short(&m->promise.digest, id));
	struct ask a = {
		.registry = home->registry,
		.repository = home->repository,
		.worker = worker,
		.what = what,
		.attempt = attempt,
		.ctx = &x,
		.barred = w->barred[home->registry],
	};
	if (!ask(o->registries, &a, e))
		return x.later;
	return err_at(e, "%s", what);
}
