/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/remake.h"

#include "base/cancel.h"
#include "base/text.h"
#include "pack/parity.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PIECE (256u << 10)
#define NAMES_MOST 1000

struct made {
	char *path;
	size_t file; /* NO_FILE: the sums file */
	struct space *space;
	struct promise promise;
};
#define NO_FILE SIZE_MAX

struct remake {
	struct chunkset *set;
	const char *folder;
	const struct events *events;
	struct made *made;
	size_t count, capacity;
	struct space **outputs; /* one a file of the set: borrowed from made[], or NULL */
	pthread_mutex_t lock;   /* guards readers */
	struct space **readers; /* CHUNK_COPIES for each file of the set, opened at first use */
};

struct remake *remake_new(struct chunkset *set, const char *folder, const struct events *events, struct err *e)
{
	AUTO(remake) r = calloc(1, sizeof(*r));

	if (!r) {
		err_memory(e);
		return NULL;
	}
	r->set = set;
	r->folder = folder;
	r->events = events;
	pthread_mutex_init(&r->lock, NULL);
	r->outputs = calloc(chunkset_files(set) + 1, sizeof(*r->outputs));
	r->readers = calloc(chunkset_files(set) * CHUNK_COPIES + 1, sizeof(*r->readers));
	if (!r->outputs || !r->readers) {
		err_memory(e);
		return NULL;
	}
	return TAKE(r);
}

void remake_free(struct remake *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++) {
		space_free(r->made[i].space);
		free(r->made[i].path);
	}
	for (size_t i = 0; r->readers && i < chunkset_files(r->set) * CHUNK_COPIES; i++)
		space_free(r->readers[i]);
	free(r->made);
	free(r->outputs);
	free(r->readers);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

bool remake_made(const struct remake *r, size_t i, const char **path, struct promise *promise)
{
	if (i >= r->count)
		return false;
	*path = r->made[i].path;
	*promise = r->made[i].promise;
	return true;
}

/* Places. */

static int name_path(const char *path, struct err *e)
{
	char shown[256];

	return err_at(e, "%s", text_escape_str(shown, sizeof(shown), path));
}

static bool is_free(const char *path)
{
	struct stat st;

	return lstat(path, &st) && errno == ENOENT;
}

/* A .part may be what an interrupted fetch goes on with: it is not ours to take. */
static bool is_free_to_stage(const char *path, struct err *e)
{
	AUTO_BUF part = { 0 };

	return is_free(path) && !buf_printf(&part, e, "%s.part", path) && is_free(part.data);
}

static char *free_path(const struct remake *r, const char *name, struct err *e)
{
	AUTO_BUF path = { 0 };

	for (size_t n = 0; n < NAMES_MOST; n++) {
		buf_clear(&path);
		if (buf_printf(&path, e, "%s%s%s", r->folder, name, n ? ".repaired" : "") ||
		    (n > 1 && buf_printf(&path, e, ".%zu", n)))
			return NULL;
		if (is_free_to_stage(path.data, e))
			return buf_take(&path);
	}
	err_set(e, ERR_LOCAL, "all names up to it are taken, or its folder cannot be looked at");
	name_path(path.data, e);
	return NULL;
}

/* Whatever happens next, r frees it. */
static int add(struct remake *r, const char *name, size_t file, uint64_t size, struct err *e)
{
	if (GROW(r->made, r->capacity, r->count, e))
		return -1;
	struct made *m = &r->made[r->count];
	*m = (struct made){ .path = free_path(r, name, e), .file = file, .promise.size = size };
	if (!m->path)
		return -1;
	r->count++;
	m->space = space_stage(m->path, e);
	if (!m->space || space_reserve(m->space, size, e)) {
		name_path(m->path, e);
		return err_hint(e, "-o FOLDER names another place");
	}
	return 0;
}

int remake_add(struct remake *r, size_t file, struct err *e)
{
	const struct sums_file *want = chunkset_want(r->set, file);

	if (add(r, want->name, file, want->size, e))
		return -1;
	r->outputs[file] = r->made[r->count - 1].space;
	return 0;
}

/* Blocks: what is good is read from the copy that has it right. */

static struct space *reader_of(struct remake *r, size_t file, size_t copy, struct err *e)
{
	struct space **reader = &r->readers[file * CHUNK_COPIES + copy];
	const char *path = chunkset_chunk(r->set, file)->paths[copy];

	pthread_mutex_lock(&r->lock);
	if (!*reader && !(*reader = space_open(path, e)))
		name_path(path, e);
	pthread_mutex_unlock(&r->lock);
	return *reader;
}

static bool is_good(void *ctx, size_t file, size_t block)
{
	const struct remake *r = ctx;

	return chunkset_chunk(r->set, file)->good[block] != CHUNK_BAD;
}

static int read_block(void *ctx, size_t file, size_t block, void *buf, size_t from, size_t len, struct err *e)
{
	struct remake *r = ctx;
	const size_t copy = chunkset_chunk(r->set, file)->good[block];
	if (copy == CHUNK_CARRIED)
		return chunkset_read_carried(r->set, file, block, buf, from, len, e);
	struct space *reader = reader_of(r, file, copy, e);

	if (!reader)
		return -1;
	if (space_pread(reader, buf, len, chunkset_want(r->set, file)->header + (uint64_t)block * SUMS_BLOCK + from, e))
		return name_path(chunkset_chunk(r->set, file)->paths[copy], e);
	return 0;
}

static int give_block(void *ctx, size_t file, size_t block, const void *buf, size_t from, size_t len, struct err *e)
{
	const struct remake *r = ctx;

	if (!r->outputs[file])
		return 0;
	return space_pwrite(r->outputs[file], buf, len,
			    chunkset_want(r->set, file)->header + (uint64_t)block * SUMS_BLOCK + from, e);
}

static int copy_good(struct remake *r, size_t file, uint8_t *buf, struct err *e)
{
	const struct sums_file *want = chunkset_want(r->set, file);

	for (size_t b = 0; b < sums_blocks(want); b++) {
		const size_t size = (size_t)sums_block_size(want, b);
		for (size_t at = 0; is_good(r, file, b) && at < size; at += PIECE) {
			const size_t len = size - at < PIECE ? size - at : PIECE;
			if (cancel_check(e) || read_block(r, file, b, buf, at, len, e) ||
			    give_block(r, file, b, buf, at, len, e))
				return -1;
		}
	}
	return 0;
}

/* Proof: the bytes as the medium gives them back. All blocks were right when they were written. */

/* A table out of a parity file does not say what whole parity files are: their header and blocks are known. 1: right.
 */
static int is_right(const struct sums_file *want, const struct made *m, struct err *e)
{
	AUTO_SUMS table = { 0 };
	struct digest d;
	size_t number;

	if (want->has_digest)
		return digest_equal(&want->digest, &m->promise.digest);
	for (size_t b = 0; b < sums_blocks(want); b++) {
		const uint64_t from = want->header + (uint64_t)b * SUMS_BLOCK;
		if (space_digest(m->space, from, sums_block_size(want, b), &d, e))
			return -1;
		if (!digest_equal(&d, &want->blocks[b]))
			return 0;
	}
	return parity_read_header(m->space, &table, &number, NULL) == 1;
}

static int refuse_medium(const struct made *m, struct err *e)
{
	err_set(e, ERR_LOCAL, "read back, it has other bytes: its medium does not keep what is written to it");
	return name_path(m->path, e);
}

static int prove(struct remake *r, struct made *m, struct err *e)
{
	if (space_sync(m->space, e))
		return name_path(m->path, e);
	space_forget(m->space);
	int right = space_digest(m->space, 0, m->promise.size, &m->promise.digest, e)
			    ? -1
			    : is_right(chunkset_want(r->set, m->file), m, e);
	if (right < 0)
		return name_path(m->path, e);
	return right ? 0 : refuse_medium(m, e);
}

int remake_fill(struct remake *r, struct err *e)
{
	const struct parity_source source = { is_good, read_block, give_block, r };
	AUTO_MEM uint8_t *buf = malloc(PIECE);

	if (!buf)
		return err_memory(e);
	if (parity_rebuild(&r->set->sums, &source, r->events, e))
		return -1;
	for (size_t i = 0; i < r->count; i++) {
		struct made *m = &r->made[i];
		const size_t chunks = r->set->sums.count;
		if (copy_good(r, m->file, buf, e) ||
		    (m->file >= chunks && parity_write_header(&r->set->sums, m->file - chunks, m->space, e)) ||
		    prove(r, m, e))
			return -1;
	}
	return 0;
}

/* The sums file says what whole parity files are; a table out of a parity file does not. */
static int complete_table(struct remake *r, struct err *e)
{
	for (size_t i = 0; i < r->set->sums.parity_count; i++) {
		struct sums_file *f = &r->set->sums.parity[i];
		const size_t file = r->set->sums.count + i;
		struct space *s = r->outputs[file];
		if (f->has_digest)
			continue;
		if (!s && !(s = reader_of(r, file, r->set->parity[i].good[0], e)))
			return -1;
		if (space_digest(s, 0, f->size, &f->digest, e))
			return name_path(f->name, e);
	}
	for (size_t i = 0; i < r->set->sums.parity_count; i++)
		r->set->sums.parity[i].has_digest = true;
	return 0;
}

int remake_add_sums(struct remake *r, struct err *e)
{
	AUTO_MEM char *name = sums_path(r->set->sums.archive, SUMS_SUFFIX, e);
	AUTO_BUF text = { 0 };

	if (!name || complete_table(r, e) || sums_write(&r->set->sums, false, &text, e) ||
	    add(r, name, NO_FILE, text.len, e))
		return -1;
	struct made *m = &r->made[r->count - 1];
	struct digest back;
	if (digest_of(&m->promise.digest, text.data, text.len, e) ||
	    space_pwrite(m->space, text.data, text.len, 0, e) || space_sync(m->space, e))
		return name_path(m->path, e);
	space_forget(m->space);
	if (space_digest(m->space, 0, text.len, &back, e))
		return name_path(m->path, e);
	return digest_equal(&back, &m->promise.digest) ? 0 : refuse_medium(m, e);
}

int remake_commit(struct remake *r, struct err *e)
{
	for (size_t i = 0; i < r->count; i++)
		if (!is_free(r->made[i].path)) {
			err_set(e, ERR_LOCAL, "somebody else made this file in the meantime");
			return name_path(r->made[i].path, e);
		}
	for (size_t i = 0; i < r->count; i++)
		if (space_commit(r->made[i].space, e))
			return name_path(r->made[i].path, e);
	return 0;
}
