/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/chunk_find.h"

#include "base/cancel.h"
#include "base/parallel.h"
#include "base/text.h"

#include <pthread.h>
#include <string.h>

/*
 * By content: the digest of a file's block says which chunk of which set it is. Usually the first block settles it.
 * Where several chunks begin alike (layers of zeros), or the first block is damaged, the others are asked, too.
 */

#define PIECE (64u << 10)
#define ODD_TRIES 8 /* blocks of a file that is not as long as any chunk: it may be anything, and large */
#define PLACES 64   /* chunks that are alike */

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
struct places {
	struct place {
		uint32_t set, file;
	} items[PLACES];
	size_t count;
	bool head; /* its first block is right */
};

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
static void look_up(const struct finder *f, const struct digest *d, size_t block, uint64_t header, struct places *out)
{
	const uint64_t key = key_of(d);

	out->count = 0;
	for (size_t i = first_of(f, key); i < f->block_count && f->blocks[i].key == key; i++) {
		const struct known_block *b = &f->blocks[i];
		const struct sums_file *file = set_file(f->sets[b->set], b->file);
		if (b->block == block && file->header == header && digest_equal(&file->blocks[block], d) &&
		    out->count < PLACES)
			out->items[out->count++] = (struct place){ b->set, b->file };
	}
}

static bool has_place(const struct places *p, const struct place *q)
{
	for (size_t i = 0; i < p->count; i++)
		if (p->items[i].set == q->set && p->items[i].file == q->file)
			return true;
	return false;
}

/* Those of both; what has nothing in common leaves the first as it was. */
static void narrow(struct places *p, const struct places *by)
{
	struct places both = { .head = p->head };

	for (size_t i = 0; i < p->count; i++)
		if (has_place(by, &p->items[i]))
			both.items[both.count++] = p->items[i];
	if (both.count)
		*p = both;
}

/* A chunk is as long as it must be, or was cut; of two that begin alike the file is the one of its own length. */
static void prefer_size(const struct finder *f, const struct candidate *c, struct places *p)
{
	struct places same = { .head = p->head };

	for (size_t i = 0; i < p->count; i++)
		if (set_file(f->sets[p->items[i].set], p->items[i].file)->size == c->size)
			same.items[same.count++] = p->items[i];
	if (same.count)
		*p = same;
}

static int hash_block(struct space *space, uint64_t off, uint64_t len, char *piece, struct digest *out, struct err *e)
{
	AUTO(hasher) h = hasher_new(e);

	if (!h)
		return -1;
	for (uint64_t done = 0; done < len;) {
		size_t n = len - done < PIECE ? (size_t)(len - done) : PIECE;
		if (cancel_check(e) || space_pread(space, piece, n, off + done, e) || hasher_update(h, piece, n, e))
			return -1;
		done += n;
	}
	return hasher_finish(h, out, e);
}

static int probe(const struct finder *f, const struct candidate *c, uint64_t header, size_t tries, char *piece,
		 struct places *out, struct err *e)
{
	AUTO(space) space = space_open(c->path, e);
	struct digest d;

	out->count = 0;
	if (!space)
		return -1;
	for (uint64_t off = header, block = 0; off < c->size && block < tries; off += SUMS_BLOCK, block++) {
		struct places here = { .head = block == 0 };
		uint64_t len = c->size - off < SUMS_BLOCK ? c->size - off : SUMS_BLOCK;
		if (hash_block(space, off, len, piece, &d, e))
			return -1;
		look_up(f, &d, (size_t)block, header, &here);
		if (!here.count)
			continue;
		if (!out->count)
			*out = here;
		else
			narrow(out, &here);
		prefer_size(f, c, out);
		if (out->count == 1)
			return 0;
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
	char **pieces; /* one a worker */
	pthread_mutex_t lock;
};

static int place_all(struct matching *m, size_t item, const struct places *p, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; rc == 0 && i < p->count; i++)
		rc = find_place(m->finder, item, p->items[i].set, p->items[i].file, p->head ? SURE_HEAD : SURE_BLOCK,
				e);
	pthread_mutex_unlock(&m->lock);
	return rc;
}

/* A disk that cannot read one file does not end the search: that file is no chunk, and others may be copies of it. */
static int match_one(struct matching *m, size_t item, size_t worker, struct err *e)
{
	const struct finder *f = m->finder;
	const struct candidate *c = &f->files[item];
	struct places found = { 0 };
	struct err bad = { 0 };
	char shown[160];
	uint64_t header;
	bool known = sizes_known(f, c->size, &header);
	int rc = 0;

	if (c->placed || c->kind == FILE_TABLE || c->kind == FILE_PARITY || !c->size)
		return 0;
	/* The second pass is for files that are not as long as any chunk; the others were asked in the first. */
	if (m->any_size ? !known && !header : known)
		rc = probe(f, c, 0, known ? SIZE_MAX : ODD_TRIES, m->pieces[worker], &found, &bad);
	if (rc == 0 && !found.count && header && !m->any_size)
		rc = probe(f, c, header, SIZE_MAX, m->pieces[worker], &found, &bad);
	if (rc == 0)
		return place_all(m, item, &found, e);
	if (bad.kind == ERR_CANCELLED) {
		*e = bad;
		return -1;
	}
	event_text(f->events, EVENT_WARNING, "%s: %s", text_escape_str(shown, sizeof(shown), c->path), bad.text);
	return 0;
}

static int turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct matching *m = ctx;

	if (!m->pieces[worker] && !(m->pieces[worker] = malloc(PIECE)))
		return err_memory(e);
	return match_one(m, item, worker, e);
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
	AUTO_MEM char **pieces = calloc(threads, sizeof(char *));
	struct matching m = { f, any_size, pieces, PTHREAD_MUTEX_INITIALIZER };

	if (!pieces)
		return err_memory(e);
	if (!f->block_count)
		return 0;
	int rc = parallel_for(f->count, threads, turn, &m, e);
	for (size_t i = 0; i < threads; i++)
		free(pieces[i]);
	pthread_mutex_destroy(&m.lock);
	return rc;
}
