/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/open.h"

#include "base/cancel.h"
#include "base/parallel.h"
#include "codec/codec.h"
#include "pack/layout.h"
#include "pack/pipe.h"
#include "pack/uses.h"

#include <pthread.h>
#include <stdio.h>

/*
 * Every byte of an archive: the frame between the blobs, then each blob's digest and, of layers, the diff ID, several
 * blobs at once. A problem does not stop the others, so that all are named.
 */

/* Stays in a core's own cache between the copy out of the page cache and the hash: 64 KiB took 0.61 s where 512 took
 * 0.73. */
#define READ_PIECE (64u << 10)
#define PROGRESS_STEP (1u << 20)

struct job {
	struct pack_file *file;
	const struct verify_options *options;
	const struct events *events;
	struct blob_use *uses;          /* one a blob */
	const struct pack_blob **order; /* largest first */
	char **pieces;                  /* one a worker, READ_PIECE bytes, made at first use */
	pthread_mutex_t lock;           /* guards problem(), first */
	struct err first;
};

static void tell(struct job *j, uint64_t offset, uint64_t length, const char *member, const char *image,
		 const struct err *what)
{
	const struct pack_problem problem = { offset, length, member, image, what->text };

	pthread_mutex_lock(&j->lock);
	if (j->first.kind == ERR_NONE)
		j->first = *what;
	if (j->options->problem)
		j->options->problem(j->options->ctx, &problem);
	pthread_mutex_unlock(&j->lock);
}

/* How far a blob is. */
struct meter {
	const struct events *events;
	struct hasher *hasher;
	uint64_t id;
	uint64_t done;
	uint64_t told;
	uint64_t total;
};

static int see(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct meter *m = ctx;

	m->done += len;
	if (m->done - m->told >= PROGRESS_STEP) {
		m->told = m->done;
		event_progress(m->events, m->id, m->done, m->total);
		if (cancel_check(e))
			return -1;
	}
	return hasher_update(m->hasher, bytes, len, e);
}

static int judge(struct meter *m, const struct promise *promise, struct err *e)
{
	char have[DIGEST_TEXT_SIZE];
	char want[DIGEST_TEXT_SIZE];
	struct digest d;

	if (hasher_finish(m->hasher, &d, e))
		return -1;
	if (digest_equal(&d, &promise->digest))
		return 0;
	return err_set(e, ERR_CORRUPT, "has digest %s, expected %s", digest_text(&d, have),
		       digest_text(&promise->digest, want));
}

/* The digest alone, at the speed of the hash. */
static int check_digest(struct job *j, const struct pack_blob *b, char *piece, struct meter *m, struct err *e)
{
	uint64_t size = b->promise.size;

	for (uint64_t at = 0; at < size;) {
		size_t n = size - at < READ_PIECE ? (size_t)(size - at) : READ_PIECE;
		if (space_pread(j->file->space, piece, n, b->offset + at, e) || see(m, piece, n, e))
			return -1;
		at += n;
	}
	return judge(m, &b->promise, e);
}

/* One read feeds both hashes: of the bytes as stored, and of what they decode to. */
static int check_both(struct job *j, const struct pack_blob *b, const struct blob_use *u, enum coding coding,
		      char *piece, struct meter *m, struct err *e)
{
	AUTO(hasher) content = hasher_new(e);
	struct digest d;
	ssize_t n;

	if (!content)
		return -1;
	AUTO(source)
	s = source_decode(source_tap(source_space(j->file->space, b->offset, b->promise.size, e), see, m, e), coding,
			  UINT64_MAX, e);
	if (!s)
		return -1;
	while ((n = source_read(s, piece, READ_PIECE, e)) > 0)
		if (hasher_update(content, piece, (size_t)n, e))
			return -1;
	if (n < 0 || hasher_finish(content, &d, e) || judge(m, &b->promise, e))
		return -1;
	return blob_use_check(u, &d, e);
}

static int check_blob(struct job *j, const struct pack_blob *b, const struct blob_use *u, char *piece, struct meter *m,
		      struct err *e)
{
	unsigned char head[16] = { 0 };
	size_t head_len = b->promise.size < sizeof(head) ? (size_t)b->promise.size : sizeof(head);

	if (b->bytes)
		return 0; /* proved when it was read */
	if (!j->options->diff_ids || !u->diff_id)
		return check_digest(j, b, piece, m, e);
	if (space_pread(j->file->space, head, head_len, b->offset, e))
		return -1;
	enum coding coding = coding_detect(head, head_len);
	if (coding == CODING_NONE)
		return check_digest(j, b, piece, m, e) || blob_use_check(u, &b->promise.digest, e) ? -1 : 0;
	if (coding != CODING_GZIP && coding != CODING_ZSTD)
		return check_digest(j, b, piece, m, e);
	struct err inner = { 0 };
	if (!check_both(j, b, u, coding, piece, m, &inner))
		return 0;
	/* Where the coding broke, the digest still has the better word for it. */
	AUTO(hasher) fresh = hasher_new(e);
	if (!fresh)
		return -1;
	struct meter again = { .hasher = fresh, .total = m->total };
	if (inner.kind == ERR_CORRUPT && check_digest(j, b, piece, &again, e))
		return -1;
	if (e)
		*e = inner;
	return -1;
}

static int turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct job *j = ctx;
	const struct pack_blob *b = j->order[item];
	const struct blob_use *u = &j->uses[b - j->file->pack->blobs];
	char member[MEMBER_NAME_SIZE];
	char id[13];
	AUTO(hasher) h = hasher_new(e);

	if (!h || (!j->pieces[worker] && !(j->pieces[worker] = malloc(READ_PIECE))))
		return err_memory(e);
	struct meter m = { j->events, h, item, 0, 0, b->promise.size };
	event_begin(j->events, item, b->promise.size, "%s %s", digest_short(&b->promise.digest, id),
		    blob_role_text(b->role));
	struct err problem = { 0 };
	if (!check_blob(j, b, u, j->pieces[worker], &m, &problem)) {
		event_end(j->events, item, "good");
		return 0;
	}
	event_end(j->events, item, "damaged");
	if (problem.kind != ERR_CORRUPT) {
		if (e)
			*e = problem;
		return -1;
	}
	err_at(&problem, "%s %s", blob_role_text(b->role), blob_member_name(&b->promise.digest, member));
	if (u->image)
		err_at(&problem, "%s", u->image);
	tell(j, b->offset, b->promise.size, member, u->image, &problem);
	return 0;
}

static int larger_first(const void *a, const void *b)
{
	const struct pack_blob *const *x = a;
	const struct pack_blob *const *y = b;

	if ((*x)->promise.size != (*y)->promise.size)
		return (*x)->promise.size < (*y)->promise.size ? 1 : -1;
	return (*x > *y) - (*x < *y);
}

/* The present blobs, largest first, so that the last one does not decide the time. */
static size_t order_blobs(struct job *j, uint64_t *total)
{
	size_t n = 0;

	*total = 0;
	for (size_t i = 0; i < j->file->pack->blob_count; i++) {
		const struct pack_blob *b = &j->file->pack->blobs[i];
		if (b->absent)
			continue;
		j->order[n++] = b;
		*total += b->promise.size;
	}
	qsort(j->order, n, sizeof(*j->order), larger_first);
	return n;
}

int pack_file_verify(struct pack_file *f, const struct verify_options *options, const struct events *events,
		     struct err *e)
{
	const size_t threads = options->threads ? options->threads : parallel_cpus();
	AUTO_MEM struct blob_use *uses = calloc(f->pack->blob_count + 1, sizeof(*uses));
	AUTO_MEM const struct pack_blob **order = calloc(f->pack->blob_count + 1, sizeof(*order));
	AUTO_MEM char **pieces = calloc(threads, sizeof(char *));
	struct job j = { f, options, events, uses, order, pieces, PTHREAD_MUTEX_INITIALIZER, { 0 } };
	struct err frame = { 0 };
	uint64_t total;

	if (f->pipe)
		return pack_pipe_verify(f, options, events, e);
	if (!uses || !order || !pieces)
		return err_memory(e);
	blob_uses_note(f->pack, uses);
	if (f->layout && layout_check_frame(f->layout, f->space, &frame)) {
		if (frame.kind != ERR_CORRUPT) {
			if (e)
				*e = frame;
			return -1;
		}
		tell(&j, 0, 0, NULL, NULL, &frame);
	}
	size_t n = order_blobs(&j, &total);
	event_emit(events, &(struct event){ .kind = EVENT_PLAN, .total = total, .count = n, .text = "verifying" });
	int failed = parallel_for(n, threads, turn, &j, e);
	for (size_t i = 0; i < threads; i++)
		free(pieces[i]);
	pthread_mutex_destroy(&j.lock);
	if (failed || j.first.kind == ERR_NONE)
		return failed;
	if (e)
		*e = j.first;
	return -1;
}
