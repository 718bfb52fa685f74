/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/chunk_find.h"

#include "base/cancel.h"
#include "base/parallel.h"
#include "base/text.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

/*
 * By content: the digest of a file's block says which chunk of which set it is. Usually the first block settles it. If
 * that is damaged, the next one is asked; where several chunks begin alike (layers of zeros), the first in which they
 * differ. Chunks that do not differ at all are served by each other's files.
 */

#define ODD_TRIES 8 /* blocks of a file that is not as long as any chunk: it may be anything, and large */

static uint64_t key_of(const struct digest *d)
{
	uint64_t key;

	memcpy(&key, d->raw, sizeof(key));
	return key;
}

static int by_key(const void *a, const void *b)
{
	const struct known_block *x = a;
	const struct known_block *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	if (x->set != y->set)
		return x->set < y->set ? -1 : 1;
	return x->file != y->file ? (x->file < y->file ? -1 : 1) : (x->block > y->block) - (x->block < y->block);
}

int find_index(struct finder *f, struct err *e)
{
	size_t total = 0;

	for (size_t s = 0; s < f->set_count; s++)
		for (size_t i = 0; f->sets[s]->has_blocks && i < set_files(f->sets[s]); i++)
			total += sums_blocks(set_file(f->sets[s], i));
	f->blocks = calloc(total + 1, sizeof(*f->blocks));
	if (!f->blocks)
		return err_memory(e);
	for (size_t s = 0; s < f->set_count; s++) {
		for (size_t i = 0; f->sets[s]->has_blocks && i < set_files(f->sets[s]); i++) {
			const struct sums_file *file = set_file(f->sets[s], i);
			for (size_t b = 0; b < sums_blocks(file); b++)
				f->blocks[f->block_count++] = (struct known_block){ key_of(&file->blocks[b]),
										    (uint32_t)s, (uint32_t)i,
										    (uint32_t)b };
		}
	}
	qsort(f->blocks, f->block_count, sizeof(*f->blocks), by_key);
	return 0;
}

/* Chunks that a file may be. */
struct place {
	uint32_t set, file;
};
struct places {
	struct place *items;
	size_t count, capacity;
	bool head; /* its first block is right */
};

static const struct sums_file *file_at(const struct finder *f, const struct place *p)
{
	return set_file(f->sets[p->set], p->file);
}

static size_t first_of(const struct finder *f, uint64_t key)
{
	size_t low = 0, high = f->block_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (f->blocks[middle].key < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Whose block number `block` has this digest, in files whose blocks begin behind `header` bytes. */
static int look_up(const struct finder *f, const struct digest *d, size_t block, uint64_t header, struct places *out,
		   struct err *e)
{
	const uint64_t key = key_of(d);

	for (size_t i = first_of(f, key); i < f->block_count && f->blocks[i].key == key; i++) {
		const struct known_block *b = &f->blocks[i];
		const struct place p = { b->set, b->file };
		const struct sums_file *file = file_at(f, &p);
		if (b->block != block || file->header != header || !digest_equal(&file->blocks[block], d))
			continue;
		if (GROW(out->items, out->capacity, out->count, e))
			return -1;
		out->items[out->count++] = p;
	}
	return 0;
}

typedef bool place_fits(const struct finder *f, const struct place *p, const void *want, size_t block);

static bool has_size(const struct finder *f, const struct place *p, const void *want, size_t block)
{
	(void)block;
	return file_at(f, p)->size == *(const uint64_t *)want;
}

static bool has_block(const struct finder *f, const struct place *p, const void *want, size_t block)
{
	return digest_equal(&file_at(f, p)->blocks[block], want);
}

/* Keeps those that fit; if none does, the question was of no use. */
static void narrow(const struct finder *f, struct places *p, place_fits *fits, const void *want, size_t block)
{
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++)
		n += fits(f, &p->items[i], want, block);
	if (!n)
		return;
	n = 0;
	for (size_t i = 0; i < p->count; i++)
		if (fits(f, &p->items[i], want, block))
			p->items[n++] = p->items[i];
	p->count = n;
}

/* The first block from `from` on that not all of them have alike; false: there is none. */
static bool next_difference(const struct finder *f, const struct places *p, size_t from, size_t *out)
{
	const struct sums_file *first = file_at(f, &p->items[0]);

	for (size_t b = from; b < sums_blocks(first); b++) {
		for (size_t i = 1; i < p->count; i++) {
			const struct sums_file *other = file_at(f, &p->items[i]);
			if (b >= sums_blocks(other))
				return false;
			*out = b;
			if (!digest_equal(&first->blocks[b], &other->blocks[b]))
				return true;
		}
	}
	return false;
}

/* Of one file: its blocks behind the header. */
struct probe {
	const struct finder *finder;
	struct space *space;
	uint64_t size;
	uint64_t header;
};

/* 1: *out is the block's digest, 0: the file ends before. */
static int probe_block(const struct probe *p, size_t block, struct digest *out, struct err *e)
{
	const uint64_t off = p->header + (uint64_t)block * SUMS_BLOCK;
	if (off >= p->size)
		return 0;
	const uint64_t left = p->size - off;

	return space_digest(p->space, off, left < SUMS_BLOCK ? left : SUMS_BLOCK, out, e) ? -1 : 1;
}

static int probe_file(const struct probe *p, size_t tries, struct places *out, struct err *e)
{
	struct digest d;
	size_t block = 0;
	int rc = 1;

	for (; block < tries && !out->count; block++) {
		rc = probe_block(p, block, &d, e);
		if (rc <= 0 || look_up(p->finder, &d, block, p->header, out, e))
			return rc ? -1 : 0;
		out->head = block == 0;
	}
	if (out->count)
		narrow(p->finder, out, has_size, &p->size, 0);
	while (out->count > 1 && next_difference(p->finder, out, block, &block)) {
		rc = probe_block(p, block, &d, e);
		if (rc <= 0)
			return rc;
		narrow(p->finder, out, has_block, &d, block);
		block++;
	}
	return 0;
}

/* The headers that files of this size may have: none (a chunk), or a parity file's. True if some file has the size. */
static bool sizes_known(const struct finder *f, uint64_t size, uint64_t *parity_header)
{
	bool known = false;

	*parity_header = 0;
	for (size_t s = 0; s < f->set_count; s++) {
		const struct sums *t = &f->sets[s]->sums;
		if (t->count && (size == t->chunks[0].size || size == t->chunks[t->count - 1].size))
			known = true;
		if (t->parity_count && size == t->parity[0].size)
			*parity_header = t->parity[0].header;
	}
	return known;
}

struct matching {
	struct finder *finder;
	bool any_size;
	pthread_mutex_t lock;
};

/*
 * A file may be several chunks, if they are alike: it serves all that have none yet. Of further such files each goes to
 * the one with the fewest.
 */
static int place_all(struct matching *m, size_t item, const struct places *p, struct err *e)
{
	const enum sureness sure = p->head ? SURE_HEAD : SURE_BLOCK;
	struct finder *f = m->finder;
	const struct place *least = NULL;
	bool served = false;

	for (size_t i = 0; i < p->count; i++) {
		const struct place *q = &p->items[i];
		const size_t have = set_chunk(f->sets[q->set], q->file)->count;
		if (!least || have < set_chunk(f->sets[least->set], least->file)->count)
			least = q;
		if (have)
			continue;
		served = true;
		if (find_place(f, item, q->set, q->file, sure, e))
			return -1;
	}
	return served || !least ? 0 : find_place(f, item, least->set, least->file, sure, e);
}

static int ask_blocks(struct matching *m, const struct candidate *c, struct places *found, struct err *e)
{
	uint64_t header;
	const bool known = sizes_known(m->finder, c->size, &header);
	AUTO(space) space = NULL;

	/* The second pass is for files that are not as long as any chunk; the others were asked in the first. */
	if (m->any_size ? known || header : !known && !header)
		return 0;
	space = space_open(c->path, e);
	if (!space)
		return -1;
	struct probe p = { m->finder, space, space_size(space), 0 };
	if ((known || m->any_size) && probe_file(&p, known ? SIZE_MAX : ODD_TRIES, found, e))
		return -1;
	p.header = header;
	return found->count || !header ? 0 : probe_file(&p, SIZE_MAX, found, e);
}

/* A disk that cannot read one file does not end the search: that file is no chunk, and others may be copies of it. */
static int match_one(struct matching *m, size_t item, struct err *e)
{
	const struct candidate *c = &m->finder->files[item];
	struct places found = { 0 };
	struct err bad = { 0 };
	char shown[160];

	if (c->placed || c->kind == FILE_TABLE || c->kind == FILE_PARITY || !c->size)
		return 0;
	int rc = ask_blocks(m, c, &found, &bad);
	if (!rc) {
		pthread_mutex_lock(&m->lock);
		rc = place_all(m, item, &found, e);
		pthread_mutex_unlock(&m->lock);
	} else if (bad.kind == ERR_CANCELLED || bad.sys == ENOMEM) {
		*e = bad;
	} else {
		event_text(m->finder->events, EVENT_WARNING, "%s: %s", text_escape_str(shown, sizeof(shown), c->path),
			   bad.text);
		rc = 0;
	}
	free(found.items);
	return rc;
}

static int turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	(void)worker;
	return match_one(ctx, item, e);
}

/* A few small files are done before a thread has begun. */
static size_t threads_for(const struct finder *f)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < f->count && bytes < SUMS_BLOCK; i++)
		bytes += f->files[i].size;
	return bytes < SUMS_BLOCK ? 1 : parallel_cpus();
}

int find_match(struct finder *f, bool any_size, struct err *e)
{
	const size_t threads = threads_for(f);
	struct matching m = { f, any_size, PTHREAD_MUTEX_INITIALIZER };

	if (!f->block_count)
		return 0;
	int rc = parallel_for(f->count, threads, turn, &m, e);
	pthread_mutex_destroy(&m.lock);
	return rc;
}
