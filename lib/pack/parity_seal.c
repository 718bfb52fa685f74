/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/parity_inside.h"

#include "base/cancel.h"
#include "base/parallel.h"
#include "codec/erasure.h"

#include <pthread.h>
#include <string.h>

/*
 * One pass over the chunks, side by side: a strip is the same short piece of every chunk. A thread takes a strip, reads
 * its pieces, hashes them and makes the parity's pieces of them, all in the core's cache. A file's bytes must be hashed
 * in order, so the threads go through the files one behind the other, as through a row of rooms: with a strip a thread
 * enters a room (some of the files) when the strip before has left it.
 *
 * Without parity nothing ties the chunks together: then each is read alone.
 */

#define MEMORY_MOST (24u << 20) /* of all pieces */
#define PIECE_LEAST (8u << 10)
#define PIECE_MOST (64u << 10) /* is hashed twice: stays in a core's own cache */
#define THREADS_MOST 12        /* so that 255 files' smallest pieces fit */
#define ROOMS_A_THREAD 2

size_t parity_threads(void)
{
	const size_t cpus = parallel_cpus();

	return cpus < THREADS_MOST ? cpus : THREADS_MOST;
}

size_t parity_piece(size_t files)
{
	const size_t all = files * parity_threads();
	size_t piece = PIECE_MOST;

	while (piece > PIECE_LEAST && piece * all > MEMORY_MOST)
		piece /= 2;
	return piece;
}

/* A file as its bytes pass. */
struct lane {
	struct sums_file *file;
	struct hasher *block;
	struct hasher *whole; /* NULL: of parity files, whose heads come last */
};

struct seal {
	struct sums *sums;
	struct space *archive;
	struct space *const *parity;
	const struct events *events;
	struct lane *lanes; /* the chunks, then the parity files */
	struct erasure *code;
	size_t piece;
	size_t room;       /* lanes of one */
	size_t room_count; /* the parity files have one more, the last */
	uint8_t **pieces;  /* one a worker */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t moved;
	size_t *strips; /* a room: the strip that may enter */
	struct err first;
	uint64_t done;
};

/* Bytes of a file that begin at `at` behind its header; they do not cross a block's end. */
static int feed(struct lane *l, uint64_t at, const uint8_t *bytes, size_t len, struct err *e)
{
	struct sums_file *f = l->file;
	const uint64_t size = f->size - f->header;
	const uint64_t end = at + len;

	if (!len)
		return 0;
	if (hasher_update(l->block, bytes, len, e) || (l->whole && hasher_update(l->whole, bytes, len, e)))
		return -1;
	if ((end % SUMS_BLOCK == 0 || end == size) && hasher_finish(l->block, &f->blocks[at / SUMS_BLOCK], e))
		return -1;
	return l->whole && end == size ? hasher_finish(l->whole, &f->digest, e) : 0;
}

static void tell(struct seal *s, uint64_t bytes)
{
	pthread_mutex_lock(&s->lock);
	s->done += bytes;
	event_progress(s->events, 0, s->done, s->sums->size);
	pthread_mutex_unlock(&s->lock);
}

/* Chunk by chunk. */

static int read_chunk(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct seal *s = ctx;

	(void)worker;
	if (sums_fill(s->sums, item, s->archive, e))
		return -1;
	tell(s, s->sums->chunks[item].size);
	return 0;
}

/* Strip by strip. */

static int enter(struct seal *s, size_t room, size_t strip, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	while (s->strips[room] != strip && s->first.kind == ERR_NONE)
		pthread_cond_wait(&s->moved, &s->lock);
	if (s->first.kind != ERR_NONE) {
		*e = s->first;
		rc = -1;
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

static void leave(struct seal *s, size_t room)
{
	pthread_mutex_lock(&s->lock);
	s->strips[room]++;
	pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->lock);
}

/* How many bytes of file `lane` are in the strip at `at`. */
static size_t in_strip(const struct seal *s, size_t lane, uint64_t at)
{
	const struct sums_file *f = s->lanes[lane].file;
	const uint64_t size = f->size - f->header;

	if (at >= size)
		return 0;
	return size - at < s->piece ? (size_t)(size - at) : s->piece;
}

/* The pieces of one room's chunks. All have the first chunk's length; the last chunk may have less. */
static int read_room(struct seal *s, size_t room, size_t strip, uint8_t *const *pieces, struct err *e)
{
	const uint64_t at = (uint64_t)strip * s->piece;
	const size_t from = room * s->room;
	const size_t to = from + s->room < s->sums->count ? from + s->room : s->sums->count;

	for (size_t i = from; i < to; i++) {
		const size_t len = in_strip(s, i, at);
		if (len && space_pread(s->archive, pieces[i], len, (uint64_t)i * s->sums->chunk + at, e))
			return -1;
		memset(pieces[i] + len, 0, s->piece - len);
	}
	if (enter(s, room, strip, e))
		return -1;
	for (size_t i = from; i < to; i++)
		if (feed(&s->lanes[i], at, pieces[i], in_strip(s, i, at), e))
			return -1;
	leave(s, room);
	return 0;
}

static int write_parity(struct seal *s, size_t strip, uint8_t *const *pieces, struct err *e)
{
	const uint64_t at = (uint64_t)strip * s->piece;
	const size_t len = in_strip(s, 0, at);

	for (size_t i = 0; i < s->sums->parity_count; i++) {
		const uint64_t place = s->sums->parity[i].header + at;
		if (space_pwrite(s->parity[i], pieces[i], len, place, e))
			return parity_name(s->sums, i, e);
		if ((at + len) % SUMS_BLOCK == 0)
			space_push(s->parity[i], place + len - SUMS_BLOCK, SUMS_BLOCK);
	}
	if (enter(s, s->room_count, strip, e))
		return -1;
	for (size_t i = 0; i < s->sums->parity_count; i++)
		if (feed(&s->lanes[s->sums->count + i], at, pieces[i], len, e))
			return -1;
	leave(s, s->room_count);
	return 0;
}

static int work_strip(struct seal *s, size_t strip, uint8_t *memory, struct err *e)
{
	const size_t count = s->sums->count;
	uint8_t *pieces[ERASURE_MAX];
	uint64_t bytes = 0;

	for (size_t i = 0; i < count + s->sums->parity_count; i++)
		pieces[i] = memory + i * s->piece;
	if (cancel_check(e))
		return -1;
	for (size_t room = 0; room < s->room_count; room++)
		if (read_room(s, room, strip, pieces, e))
			return -1;
	erasure_run(s->code, pieces, pieces + count, s->piece);
	if (write_parity(s, strip, pieces + count, e))
		return -1;
	for (size_t i = 0; i < count; i++)
		bytes += in_strip(s, i, (uint64_t)strip * s->piece);
	tell(s, bytes);
	return 0;
}

/* A strip that fails would never leave its room: the others are told. */
static int take_strip(void *ctx, size_t strip, size_t worker, struct err *e)
{
	struct seal *s = ctx;

	if (!work_strip(s, strip, s->pieces[worker], e))
		return 0;
	pthread_mutex_lock(&s->lock);
	if (s->first.kind == ERR_NONE)
		s->first = *e;
	pthread_cond_broadcast(&s->moved);
	pthread_mutex_unlock(&s->lock);
	return -1;
}

static int run(struct seal *s, size_t threads, struct err *e)
{
	if (!s->sums->parity_count)
		return parallel_for(s->sums->count, threads, read_chunk, s, e);
	const size_t strips = (size_t)((s->sums->chunks[0].size + s->piece - 1) / s->piece);
	return parallel_for(strips, threads, take_strip, s, e) || parity_finish(s->sums, s->parity, threads, e) ? -1
														: 0;
}

static int prepare(struct seal *s, size_t threads, struct err *e)
{
	const size_t count = s->sums->count;
	const size_t parity = s->sums->parity_count;
	size_t want[ERASURE_MAX];

	s->room = (count + threads * ROOMS_A_THREAD - 1) / (threads * ROOMS_A_THREAD);
	s->room_count = (count + s->room - 1) / s->room;
	s->lanes = calloc(count + parity, sizeof(*s->lanes));
	s->strips = calloc(s->room_count + 1, sizeof(*s->strips));
	s->pieces = calloc(threads, sizeof(*s->pieces));
	if (!s->lanes || !s->strips || !s->pieces)
		return err_memory(e);
	for (size_t i = 0; i < count + parity; i++) {
		s->lanes[i].file = i < count ? &s->sums->chunks[i] : &s->sums->parity[i - count];
		s->lanes[i].block = hasher_new(e);
		s->lanes[i].whole = i < count ? hasher_new(e) : NULL;
		if (!s->lanes[i].block || (i < count && !s->lanes[i].whole))
			return -1;
	}
	for (size_t i = 0; i < threads; i++)
		if (!(s->pieces[i] = malloc(s->piece * (parity ? count + parity : 1))))
			return err_memory(e);
	for (size_t i = 0; i < parity; i++)
		want[i] = count + i;
	return parity && !(s->code = erasure_new(count, parity, NULL, want, parity, e)) ? -1 : 0;
}

static void release(struct seal *s, size_t threads)
{
	for (size_t i = 0; s->lanes && i < s->sums->count + s->sums->parity_count; i++) {
		hasher_free(s->lanes[i].block);
		hasher_free(s->lanes[i].whole);
	}
	for (size_t i = 0; s->pieces && i < threads; i++)
		free(s->pieces[i]);
	erasure_free(s->code);
	free(s->lanes);
	free(s->strips);
	free(s->pieces);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->moved);
}

int parity_seal(struct sums *sums, struct space *archive, struct space *const *parity, const struct events *events,
		struct err *e)
{
	const size_t threads = parity_threads();
	struct seal s = { .sums = sums,
			  .archive = archive,
			  .parity = parity,
			  .events = events,
			  .piece = parity_piece(sums->parity_count ? sums->count + sums->parity_count : 1),
			  .lock = PTHREAD_MUTEX_INITIALIZER,
			  .moved = PTHREAD_COND_INITIALIZER };

	if (s.piece > sums->chunks[0].size)
		s.piece = (size_t)sums->chunks[0].size;
	event_emit(events, &(struct event){
				   .kind = EVENT_PLAN, .total = sums->size, .count = 1, .text = "computing the sums" });
	event_begin(events, 0, sums->size, sums->parity_count ? "sums and parity" : "sums");
	int rc = prepare(&s, threads, e) || run(&s, threads, e) ? -1 : 0;
	event_end(events, 0, rc ? "failed" : "done");
	release(&s, threads);
	return rc;
}
