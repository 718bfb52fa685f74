/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/stream_out.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/parallel.h"
#include "stream/sink.h"

/* How often who waits looks whether the run is to stop. */
#define LOOK_NS 200000000L

/* Writing: one at a time, whoever has brought the piece that is due. */

static int judge(struct out *o, const struct member *m, struct err *e)
{
	char have[DIGEST_TEXT_SIZE];
	char want[DIGEST_TEXT_SIZE];
	struct digest d;

	if (hasher_finish(o->hasher, &d, e))
		return -1;
	hasher_free(TAKE(o->hasher));
	if (digest_equal(&d, &m->promise.digest))
		return 0;
	err_set(e, ERR_CORRUPT, "%s: has digest %s, expected %s", blob_role_text(o->layout->pack->blobs[m->blob].role),
		digest_text(&d, have), digest_text(&m->promise.digest, want));
	return err_hint(e, "a part of it has gone out already; the stream is left without its end and will not load");
}

/* Everything up to the first byte of members[number], or to the archive's end. */
static int write_frame(struct out *o, size_t number, struct err *e)
{
	struct layout_gap g;

	for (; o->next_member <= number; o->next_member++) {
		const size_t i = o->next_member;
		layout_gap(o->layout, i, &g);
		if (sink_write(o->sink, g.bytes, g.len, e))
			return -1;
		if (i == o->layout->count)
			continue;
		const struct member *m = &o->layout->members[i];
		if (m->bytes && sink_write(o->sink, m->bytes, (size_t)m->promise.size, e))
			return -1;
		if (!m->bytes && !o->hasher && !(o->hasher = hasher_new(e)))
			return -1;
		/* No piece brings it. */
		if (!m->bytes && !m->promise.size && judge(o, m, e))
			return -1;
	}
	return 0;
}

static int write_piece(struct out *o, const struct slot *s, struct err *e)
{
	const struct out_blob *b = &o->blobs[s->blob];

	if (!s->from && write_frame(o, b->number, e))
		return -1;
	if (hasher_update(o->hasher, s->bytes, s->len, e))
		return -1;
	const bool last = s->from + s->len == b->member->promise.size;
	/* The last bytes wait for the verdict. */
	if (last && judge(o, b->member, e))
		return -1;
	if (sink_write(o->sink, s->bytes, s->len, e))
		return -1;
	event_progress(o->events, s->blob, s->from + s->len, b->member->promise.size);
	if (last)
		event_end(o->events, s->blob, "done");
	return 0;
}

static struct slot *slot_of(const struct out *o, uint64_t number)
{
	return &o->slots[number % o->slot_count];
}

/* Under the lock, which is let go meanwhile. */
static int write_ready(struct out *o, struct err *e)
{
	int rc = 0;

	if (o->writes)
		return 0;
	o->writes = true;
	while (!rc && o->head < o->tail && slot_of(o, o->head)->state == SLOT_HERE) {
		const struct slot *s = slot_of(o, o->head);
		pthread_mutex_unlock(&o->lock);
		rc = write_piece(o, s, e);
		pthread_mutex_lock(&o->lock);
		o->head += !rc;
		pthread_cond_broadcast(&o->changed);
	}
	o->writes = false;
	return rc;
}

int out_put(struct out *o, uint64_t number, struct err *e)
{
	pthread_mutex_lock(&o->lock);
	slot_of(o, number)->state = SLOT_HERE;
	int rc = write_ready(o, e);
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
	return rc;
}

/* Handing out. */

/* Gives the next piece a slot. False: there is no room, or none is left. Under the lock. */
static bool open_slot(struct out *o)
{
	if (o->next_blob == o->count || o->tail - o->head >= o->slot_count)
		return false;
	const uint64_t size = o->blobs[o->next_blob].member->promise.size;
	const uint64_t left = size - o->next_from;
	struct slot *s = slot_of(o, o->tail);
	*s = (struct slot){
		.blob = o->next_blob,
		.from = o->next_from,
		.len = left < o->piece ? (size_t)left : o->piece,
		.bytes = s->bytes,
	};
	o->tail++;
	o->next_from += s->len;
	if (o->next_from == size) {
		o->next_from = 0;
		o->next_blob++;
	}
	return true;
}

/* A blob that comes whole has one who brings it, and he begins with its first missing piece. */
static bool may_take(const struct out *o, uint64_t number)
{
	const struct slot *s = slot_of(o, number);
	const struct out_blob *b = &o->blobs[s->blob];

	if (s->state != SLOT_WAITS || !b->whole)
		return s->state == SLOT_WAITS;
	if (b->runs)
		return false;
	return number == o->head || slot_of(o, number - 1)->blob != s->blob ||
	       slot_of(o, number - 1)->state == SLOT_HERE;
}

static bool take(struct out *o, uint64_t *number)
{
	for (uint64_t n = o->head; n < o->tail || open_slot(o); n++) {
		if (!may_take(o, n))
			continue;
		struct slot *s = slot_of(o, n);
		s->state = SLOT_TAKEN;
		s->runner = o->blobs[s->blob].whole;
		o->blobs[s->blob].runs = s->runner;
		*number = n;
		return true;
	}
	return false;
}

/* Under the lock. */
static int wait_a_moment(struct out *o, struct err *e)
{
	if (atomic_load(&o->failed))
		return err_set(e, ERR_NETWORK, "given up, another piece failed");
	clock_wait(&o->changed, &o->lock, LOOK_NS);
	return cancel_check(e);
}

/* 1: *number is taken; 0: nothing is left to be done. */
static int next_piece(struct out *o, uint64_t *number, struct err *e)
{
	int rc;

	pthread_mutex_lock(&o->lock);
	while (!(rc = take(o, number))) {
		const bool over = o->next_blob == o->count && o->head == o->tail;
		if (over || atomic_load(&o->failed))
			break;
		rc = wait_a_moment(o, e);
		if (rc)
			break;
	}
	pthread_mutex_unlock(&o->lock);
	return rc;
}

int out_follow(struct out *o, uint64_t number, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&o->lock);
	while (!rc) {
		struct slot *s = slot_of(o, number);
		if (number < o->head) {
			rc = 2;
		} else if (number == o->tail) {
			if (!open_slot(o))
				rc = wait_a_moment(o, e);
		} else if (s->state == SLOT_HERE) {
			rc = 2;
		} else if (s->state == SLOT_TAKEN) {
			rc = wait_a_moment(o, e);
		} else {
			s->state = SLOT_TAKEN;
			rc = 1;
		}
	}
	pthread_mutex_unlock(&o->lock);
	return rc;
}

static int work(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct out *o = ctx;
	uint64_t number = 0;
	int rc;

	(void)worker;
	while ((rc = next_piece(o, &number, e)) > 0) {
		rc = out_bring(o, number, item, e);
		if (rc)
			break;
	}
	if (!rc)
		return 0;
	pthread_mutex_lock(&o->lock);
	atomic_store(&o->failed, true);
	pthread_cond_broadcast(&o->changed);
	pthread_mutex_unlock(&o->lock);
	return -1;
}

/* Setting up. */

static int set_up(struct out *o, int fd, struct err *e)
{
	o->slot_count = registries_workers(o->registries) + STREAM_AHEAD;
	o->piece = STREAM_MEMORY / o->slot_count;
	o->sink = sink_fd(fd, e);
	o->blobs = calloc(o->layout->count + 1, sizeof(*o->blobs));
	o->slots = calloc(o->slot_count, sizeof(*o->slots));
	if (!o->sink || !o->blobs || !o->slots)
		return err_memory(e);
	for (size_t i = 0; i < o->layout->count; i++) {
		const struct member *m = &o->layout->members[i];
		if (m->bytes || !m->promise.size)
			continue;
		o->blobs[o->count++] = (struct out_blob){ .number = i,
							  .member = m,
							  .blob = &o->plan->pack->blobs[m->blob],
							  .home = o->plan->homes[m->blob] };
	}
	return 0;
}

static void tear_down(struct out *o)
{
	for (size_t i = 0; o->slots && i < o->slot_count; i++)
		free(o->slots[i].bytes);
	free(o->slots);
	free(o->blobs);
	hasher_free(o->hasher);
	sink_free(o->sink);
	pthread_cond_destroy(&o->changed);
	pthread_mutex_destroy(&o->lock);
}

int stream_out(const struct plan *plan, const struct layout *layout, struct registries *registries,
	       const struct events *events, int fd, struct moved *moved, struct err *e)
{
	const size_t workers = registries_workers(registries);
	struct out o = {
		.plan = plan,
		.layout = layout,
		.registries = registries,
		.events = events,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.changed = PTHREAD_COND_INITIALIZER,
	};
	int rc = set_up(&o, fd, e);

	if (!rc) {
		event_emit(events, &(struct event){ .kind = EVENT_PLAN,
						    .total = fill_bytes(layout),
						    .count = o.count,
						    .text = "fetching" });
		rc = parallel_for(workers, workers, work, &o, e) || write_frame(&o, layout->count, e) ? -1 : 0;
	}
	moved->received = atomic_load(&o.received);
	tear_down(&o);
	return rc;
}
