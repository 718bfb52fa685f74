/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/inflow.h"

#include "base/cancel.h"
#include "codec/codec.h"
#include "flow/ask.h"
#include "flow/givers.h"

#include <stdio.h>
#include <string.h>

/* What is known of a blob beside its digest. Guarded by inflow.lock, patience by the registries'. */
struct record {
	struct givers from;
	struct patience patience;
	bool encoded; /* it came with a Content-Encoding: its bytes are taken as they come first, */
	bool decode;  /* and when they were not the blob, decoded */
};

struct inflow {
	const struct plan *plan;
	struct registries *registries;
	const struct events *events;
	struct record *records; /* one a blob of the pack */
	pthread_mutex_t lock;
};

/* One blob on its way, not proved. */
struct stream {
	struct source base;
	struct inflow *inflow;
	const struct pack_blob *blob;
	size_t number; /* pack->blobs[] */
	size_t worker;
	uint64_t at; /* the next byte to give */
	/* The answer that is open, or NULL. */
	struct source *body;
	uint64_t body_at; /* its next byte: until `at`, they are dropped */
	uint64_t end;     /* where it ends */
	size_t endpoint;
	bool encoded; /* its bytes are not counted in the blob's, so nothing else can go on with it */
	/* The read that is going on. */
	char *buf;
	size_t cap;
	ssize_t got;
};

static const struct blob_home *home_of(const struct stream *s)
{
	return &s->inflow->plan->homes[s->number];
}

static struct record *record_of(const struct stream *s)
{
	return &s->inflow->records[s->number];
}

static void close_body(struct stream *s)
{
	source_free(TAKE(s->body));
}

static void note_giver(struct stream *s, size_t bytes)
{
	pthread_mutex_lock(&s->inflow->lock);
	record_of(s)->from.gave |= UINT32_C(1) << s->endpoint;
	pthread_mutex_unlock(&s->inflow->lock);
	registries_gave(s->inflow->registries, home_of(s)->registry, s->endpoint, bytes);
}

/* Bytes of the open answer: more than 0, 0 at its end, -1. */
static ssize_t read_on(struct stream *s, char *buf, size_t cap, struct err *e)
{
	while (s->encoded || s->body_at < s->end) {
		const uint64_t drop = s->encoded ? 0 : s->at - s->body_at;
		const uint64_t most = s->encoded ? cap : (drop ? s->at : s->end) - s->body_at;
		ssize_t n = cancel_check(e) ? -1 : source_read(s->body, buf, most < cap ? (size_t)most : cap, e);
		if (n <= 0)
			return n;
		note_giver(s, (size_t)n);
		s->body_at += (uint64_t)n;
		if (drop)
			continue;
		s->at += (uint64_t)n;
		return n;
	}
	return 0;
}

/* Opening. */

static int undo_coding(struct stream *s, const struct blob_range *got, struct err *e)
{
	const enum coding coding = coding_of_http(got->coding);

	if (coding == CODING_NONE)
		return err_set(e, ERR_CORRUPT, "it comes with Content-Encoding %s, which imgpack does not undo",
			       got->coding);
	s->body = source_decode(TAKE(s->body), coding, s->blob->promise.size, e);
	return s->body ? 0 : -1;
}

/* An answer from `at` on. 0 without one: it is to be asked for otherwise. */
static int open_body(struct stream *s, const struct ask *a, struct registry_conn *conn, const char *repository,
		     struct err *e)
{
	struct registries *r = s->inflow->registries;
	struct record *record = record_of(s);
	const struct promise *blob = &s->blob->promise;
	struct blob_range got;
	struct err failure = { 0 };

	pthread_mutex_lock(&s->inflow->lock);
	const bool decode = record->decode;
	pthread_mutex_unlock(&s->inflow->lock);
	const bool all = decode || registries_no_ranges(r, a->registry, a->endpoint);
	s->body = registry_open_range(conn, repository, blob, all ? 0 : s->at, blob->size, &got, &failure);
	if (!s->body && !all && registries_refuses_ranges(&failure)) {
		registries_note_no_ranges(r, a->registry, a->endpoint);
		return 0;
	}
	if (!s->body) {
		if (e)
			*e = failure;
		return -1;
	}
	if (got.from < s->at)
		registries_note_no_ranges(r, a->registry, a->endpoint);
	s->endpoint = a->endpoint;
	s->body_at = got.from;
	s->end = got.to;
	s->encoded = got.encoded;
	if (!got.encoded)
		return 0;
	if (s->at)
		return err_set(e, ERR_NETWORK, "the rest of it comes with Content-Encoding %s", got.coding);
	pthread_mutex_lock(&s->inflow->lock);
	record->encoded = true;
	pthread_mutex_unlock(&s->inflow->lock);
	return decode ? undo_coding(s, &got, e) : 0;
}

/* One try at one place: something was got, not that there was an answer, is a success. */
static int attempt(struct ask *a, struct registry_conn *conn, const char *repository, struct err *e)
{
	struct stream *s = a->ctx;

	/* A server may send less than was asked for; answers that bring nothing are one too many. */
	for (unsigned barren = 0; barren < 3; barren++) {
		const int failed = open_body(s, a, conn, repository, e);
		s->got = !failed && s->body ? read_on(s, s->buf, s->cap, e) : 0;
		if (s->got > 0)
			return 0;
		close_body(s);
		if (failed || s->got < 0)
			return -1;
	}
	return err_set(e, ERR_NETWORK, "%s sends answers without a byte", repository);
}

/* Asks wherever it may be had, as often as it is worth it. */
static ssize_t ask_for_more(struct stream *s, char *buf, size_t cap, struct err *e)
{
	struct inflow *f = s->inflow;
	const struct blob_home *home = home_of(s);
	char id[13];
	char what[64];

	(void)snprintf(what, sizeof(what), "%s %s", blob_role_text(s->blob->role),
		       digest_short(&s->blob->promise.digest, id));
	s->buf = buf;
	s->cap = cap;
	pthread_mutex_lock(&f->lock);
	struct ask a = {
		.registry = home->registry,
		.repository = home->repository,
		.worker = s->worker,
		.what = what,
		.attempt = attempt,
		.ctx = s,
		.barred = givers_barred(&record_of(s)->from),
		.patience = &record_of(s)->patience,
	};
	pthread_mutex_unlock(&f->lock);
	if (!ask(f->registries, &a, e))
		return s->got;
	/* All the patience there was has been had: who reads from here is not to begin anew because of it. */
	if (e)
		e->lasting = true;
	return err_at(e, "from %s/%s", f->registries->items[home->registry]->host, home->repository);
}

static ssize_t stream_read(struct source *base, void *buf, size_t cap, struct err *e)
{
	struct stream *s = (struct stream *)base;
	struct err passed_over = { 0 };

	if (s->encoded && s->body)
		return read_on(s, buf, cap, e);
	if (s->at == s->blob->promise.size)
		return 0;
	ssize_t n = s->body ? read_on(s, buf, cap, &passed_over) : 0;
	if (n > 0)
		return n;
	/* A failure in the middle is not counted: the bytes that are left are asked for anew. */
	close_body(s);
	return cancel_check(e) ? -1 : ask_for_more(s, buf, cap, e);
}

static void stream_free(struct source *base)
{
	close_body((struct stream *)base);
	free(base);
}

/* The supply. */

static struct source *inflow_open(const struct supply *supply, const struct pack_blob *blob, size_t worker,
				  struct err *e)
{
	static const struct source_ops ops = { stream_read, stream_free };
	struct inflow *f = supply->ctx;

	if (blob->bytes)
		return source_verify(source_memory(blob->bytes, (size_t)blob->promise.size, e), &blob->promise, e);
	struct stream *s = calloc(1, sizeof(*s));
	if (!s) {
		err_memory(e);
		return NULL;
	}
	s->base.ops = &ops;
	s->inflow = f;
	s->blob = blob;
	s->number = (size_t)(blob - f->plan->pack->blobs);
	s->worker = worker;
	return source_verify(&s->base, &blob->promise, e);
}

static bool inflow_other(const struct supply *supply, const struct pack_blob *blob, struct err *why)
{
	struct inflow *f = supply->ctx;
	const size_t number = (size_t)(blob - f->plan->pack->blobs);
	const size_t registry = f->plan->homes[number].registry;
	struct record *record = &f->records[number];
	bool again = false;

	pthread_mutex_lock(&f->lock);
	givers_name(&record->from, f->registries, registry, why);
	if (record->encoded && !record->decode) {
		record->decode = again = true;
		record->from.gave = 0;
	} else if (record->from.gave) {
		again = givers_find_another(&record->from, f->registries, registry, why);
	}
	pthread_mutex_unlock(&f->lock);
	if (again)
		event_text(f->events, EVENT_WARNING, "%s %s; it is fetched again", blob_role_text(blob->role),
			   why->text);
	return again;
}

/* The registry that it comes from is the one it goes to: then it need not pass through here. */
static const char *inflow_stands_in(const struct supply *supply, const struct pack_blob *blob, const char *registry)
{
	const struct inflow *f = supply->ctx;
	const struct blob_home *home = &f->plan->homes[blob - f->plan->pack->blobs];

	return strcmp(f->registries->items[home->registry]->host, registry) ? NULL : home->repository;
}

struct supply inflow_supply(struct inflow *f)
{
	static const struct supply_ops ops = { .open = inflow_open,
					       .other = inflow_other,
					       .stands_in = inflow_stands_in };

	return (struct supply){ .ops = &ops, .ctx = f, .pack = f->plan->pack, .noun = "the source" };
}

struct inflow *inflow_new(const struct plan *plan, struct registries *registries, const struct events *events,
			  struct err *e)
{
	struct inflow *f = calloc(1, sizeof(*f));

	if (f)
		f->records = calloc(plan->pack->blob_count + 1, sizeof(*f->records));
	if (!f || !f->records) {
		free(f);
		err_memory(e);
		return NULL;
	}
	pthread_mutex_init(&f->lock, NULL);
	f->plan = plan;
	f->registries = registries;
	f->events = events;
	return f;
}

void inflow_free(struct inflow *f)
{
	if (!f)
		return;
	pthread_mutex_destroy(&f->lock);
	free(f->records);
	free(f);
}
