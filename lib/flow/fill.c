/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/fill.h"

#include "base/parallel.h"

#include <string.h>

uint64_t fill_bytes(const struct layout *l)
{
	uint64_t total = 0;

	for (size_t i = 0; i < l->count; i++)
		if (!l->members[i].bytes)
			total += l->members[i].promise.size;
	return total;
}

/* Setting up. */

static int larger_first(const void *a, const void *b)
{
	const struct fill_blob *x = a;
	const struct fill_blob *y = b;

	if (x->member->promise.size != y->member->promise.size)
		return x->member->promise.size < y->member->promise.size ? 1 : -1;
	return (x->number > y->number) - (x->number < y->number);
}

static int add_blobs(struct fill *f, struct err *e)
{
	f->blobs = calloc(f->layout->count + 1, sizeof(*f->blobs));
	if (!f->blobs)
		return err_memory(e);
	for (size_t i = 0; i < f->layout->count; i++) {
		const struct member *m = &f->layout->members[i];
		if (m->bytes)
			continue;
		f->blobs[f->count++] = (struct fill_blob){ .number = i,
							   .member = m,
							   .blob = &f->plan->pack->blobs[m->blob],
							   .home = f->plan->homes[m->blob] };
	}
	qsort(f->blobs, f->count, sizeof(*f->blobs), larger_first);
	for (size_t i = 0; i < f->count; i++)
		if (follow_init(&f->blobs[i].follow, e))
			return -1;
	return 0;
}

static int make_pieces(struct fill *f, struct err *e)
{
	AUTO_MEM uint64_t *sizes = calloc(f->count + 1, sizeof(*sizes));

	if (!sizes)
		return err_memory(e);
	for (size_t i = 0; i < f->count; i++)
		sizes[i] = f->blobs[i].member->promise.size;
	f->pieces = pieces_new(sizes, f->count, registries_workers(f->registries),
			       f->registries->connect->limit_rate > 0, e);
	return f->pieces ? 0 : -1;
}

struct fill *fill_new(const struct plan *plan, const struct layout *layout, struct registries *registries,
		      struct space *space, struct journal *journal, const struct events *events, struct err *e)
{
	AUTO(fill) f = calloc(1, sizeof(*f));

	if (!f) {
		err_memory(e);
		return NULL;
	}
	pthread_mutex_init(&f->lock, NULL);
	f->plan = plan;
	f->layout = layout;
	f->registries = registries;
	f->space = space;
	f->journal = journal;
	f->events = events;
	if (add_blobs(f, e) || make_pieces(f, e))
		return NULL;
	return TAKE(f);
}

void fill_free(struct fill *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++)
		follow_release(&f->blobs[i].follow);
	free(f->blobs);
	pieces_free(f->pieces);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* Bytes that have come. */

/* What follow.h wants to know of a blob. */
struct reach {
	struct pieces *pieces;
	size_t index;
};

static uint64_t reach(void *ctx, uint64_t from)
{
	const struct reach *r = ctx;

	return pieces_reach(r->pieces, r->index, from);
}

int fill_write(struct errand *x, size_t worker, const void *bytes, uint64_t from, size_t len, struct err *e)
{
	struct fill *f = x->fill;
	struct reach r = { f->pieces, x->index };
	const struct follow_place place = { f->space, x->blob->member->data, reach, &r };
	const uint64_t size = x->blob->member->promise.size;

	if (space_pwrite(f->space, bytes, len, place.place + from, e))
		return -1;
	event_progress(f->events, x->index, size - pieces_wrote(f->pieces, worker, len), size);
	return follow_wrote(&x->blob->follow, &place, bytes, from, len, e);
}

/* The verdict on a blob. */

/* The image that names a blob first, for the error. */
static const char *image_of(const struct pack *p, ptrdiff_t blob)
{
	for (size_t i = 0; i < p->image_count; i++)
		for (size_t m = 0; m < p->images[i].manifest_count; m++) {
			const struct pack_manifest *pm = &p->images[i].manifests[m];
			for (size_t k = 0; k < pm->layer_count; k++)
				if (pm->layers[k] == (size_t)blob)
					return p->images[i].name;
		}
	return NULL;
}

static int name_error(const struct fill *f, const struct fill_blob *b, struct err *e)
{
	const char *image = image_of(f->plan->pack, b->member->blob);
	char id[13];

	err_at(e, "%s sha256:%s...", blob_role_text(b->blob->role), digest_short(&b->member->promise.digest, id));
	return image ? err_at(e, "%s", image) : -1;
}

/* *wrong: its bytes are not the promised ones. */
static int prove(struct fill *f, struct fill_blob *b, struct err *wrong, struct err *e)
{
	char have[DIGEST_TEXT_SIZE];
	char want[DIGEST_TEXT_SIZE];
	struct digest d;

	if (follow_digest(&b->follow, &d, e))
		return -1;
	if (digest_equal(&d, &b->member->promise.digest))
		return 0;
	err_set(wrong, ERR_CORRUPT, "has digest %s, expected %s", digest_text(&d, have),
		digest_text(&b->member->promise.digest, want));
	givers_name(&b->from, f->registries, b->home.registry, wrong);
	if (b->web_page)
		err_hint(wrong, "what came is a web page (text/html): is there a login page or a filter in between?");
	return 1;
}

/* Hashes what is there; if that is all of it, the blob is proved, or begun anew. */
static int settle(struct fill *f, size_t index, struct err *e)
{
	struct fill_blob *b = &f->blobs[index];
	struct reach r = { f->pieces, index };
	const struct follow_place place = { f->space, b->member->data, reach, &r };
	struct err wrong = { 0 };
	bool all;
	int rc = 0;

	if (follow_finish(&b->follow, &place, b->member->promise.size, &all, e))
		return -1;
	if (!all)
		return 0;
	pthread_mutex_lock(&f->lock);
	const bool first = !b->done;
	if (first)
		rc = prove(f, b, &wrong, e);
	b->done = b->done || !rc;
	const bool again = rc > 0 && givers_find_another(&b->from, f->registries, b->home.registry, &wrong);
	pthread_mutex_unlock(&f->lock);
	if (!rc)
		event_end(f->events, index, "done");
	if (!rc && first && f->right && f->right(f->right_ctx, b->number, e))
		return -1;
	if (rc <= 0)
		return rc;
	if (journal_drop(f->journal, b->number, e))
		return -1;
	if (!again) {
		if (e)
			*e = wrong;
		return -1;
	}
	event_text(f->events, EVENT_WARNING, "%s %s; it is fetched again", blob_role_text(b->blob->role), wrong.text);
	pieces_restart(f->pieces, index);
	return 0;
}

/* A worker. */

static void begin(struct fill *f, size_t index, char id[13])
{
	struct fill_blob *b = &f->blobs[index];

	digest_short(&b->member->promise.digest, id);
	pthread_mutex_lock(&f->lock);
	const bool first = !b->begun;
	b->begun = true;
	pthread_mutex_unlock(&f->lock);
	if (first)
		event_begin(f->events, index, b->member->promise.size, "%s %s", id, blob_role_text(b->blob->role));
}

static void waiting(struct ask *a, bool begins)
{
	const struct errand *x = a->ctx;

	pieces_rest(x->fill->pieces, a->worker, begins);
}

static int bring(struct fill *f, size_t worker, const struct piece *piece, struct err *e)
{
	struct fill_blob *b = &f->blobs[piece->blob];
	struct errand x = { f, b, piece->blob, piece->from };
	char id[13];
	char what[64];

	begin(f, piece->blob, id);
	(void)snprintf(what, sizeof(what), "%s %s", blob_role_text(b->blob->role), id);
	pthread_mutex_lock(&f->lock);
	struct ask a = {
		.registry = b->home.registry,
		.repository = b->home.repository,
		.worker = worker,
		.what = what,
		.attempt = b->encoded ? receive_encoded : receive,
		.ctx = &x,
		.barred = givers_barred(&b->from),
		.patience = &b->patience,
		.stop = piece->stop,
		.waiting = waiting,
	};
	pthread_mutex_unlock(&f->lock);
	struct err failure = { 0 };
	int rc = ask(f->registries, &a, &failure);
	if (rc && failure.kind == ERR_NETWORK && atomic_load(piece->stop))
		rc = 0; /* others have it */
	if (!rc)
		rc = settle(f, piece->blob, &failure);
	if (!rc)
		return 0;
	if (e)
		*e = failure;
	event_end(f->events, piece->blob, "failed");
	return name_error(f, b, e);
}

static int work(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct fill *f = ctx;
	struct piece piece;
	int rc;

	(void)worker;
	/* One turn is one worker's whole time; a thread that could not be made is done without. */
	while ((rc = pieces_take(f->pieces, item, &piece, e)) > 0) {
		rc = bring(f, item, &piece, e);
		/* Before the piece is let go: nobody shall try it again. */
		if (rc)
			pieces_stop(f->pieces);
		pieces_drop(f->pieces, item);
		if (rc)
			break;
	}
	return rc;
}

/* What is there already, down to blobs without a byte, is proved before anything is asked for. */
static int settle_one(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct fill *f = ctx;
	char id[13];

	(void)worker;
	if (pieces_missing(f->pieces, item))
		return 0;
	begin(f, item, id);
	return settle(f, item, e) ? name_error(f, &f->blobs[item], e) : 0;
}

int fill_run(struct fill *f, struct err *e)
{
	const size_t workers = registries_workers(f->registries);

	event_emit(f->events,
		   &(struct event){
			   .kind = EVENT_PLAN, .total = fill_bytes(f->layout), .count = f->count, .text = "fetching" });
	if (parallel_for(f->count, parallel_cpus(), settle_one, f, e))
		return -1;
	if (!pieces_missing(f->pieces, SIZE_MAX))
		return 0;
	return parallel_for(workers, workers, work, f, e);
}
