/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/seal.h"

#include "base/parallel.h"
#include "base/text.h"
#include "pack/parity.h"

#include <stdatomic.h>
#include <string.h>

struct seal {
	const struct fetch_options *options;
	const struct layout *layout;
	_Atomic uint64_t *missing; /* of each chunk: bytes of blobs that are not there yet */
	atomic_bool *summed;       /* each chunk that sum_up() was called for */
	struct sums table;
	struct space **parity; /* table.parity_count */
	struct space *sums;
	struct buf text; /* of the sums file */
};

struct rest {
	struct seal *seal;
	struct space *archive;
};

/* The file is named where it is the trouble. */
static int name_file(const char *path, struct err *e)
{
	char shown[256];

	return e && e->kind == ERR_LOCAL ? err_at(e, "%s", text_escape_str(shown, sizeof(shown), path)) : -1;
}

static struct space *stage(const char *path, uint64_t size, struct err *e)
{
	AUTO(space) space = space_stage(path, e);

	if (!space || space_reserve(space, size, e)) {
		name_file(path, e);
		return NULL;
	}
	return TAKE(space);
}

static int stage_parity(struct seal *s, size_t i, struct err *e)
{
	AUTO_MEM char *path = sums_parity_path(s->options->output, i + 1, s->table.parity_count, e);

	if (path)
		s->parity[i] = stage(path, s->table.parity[i].size, e);
	return s->parity[i] ? 0 : -1;
}

static int stage_sums(struct seal *s, struct err *e)
{
	AUTO_MEM char *path = sums_path(s->options->output, SUMS_SUFFIX, e);
	size_t size;

	if (!path || sums_text_size(&s->table, false, &size, e))
		return -1;
	s->sums = stage(path, size, e);
	return s->sums ? 0 : -1;
}

/* Adds (or takes) a member's bytes to what its chunks miss; calls complete() for each that misses nothing any more. */
typedef int chunk_complete(struct seal *s, size_t chunk, struct space *archive, struct err *e);

static int count_member(struct seal *s, const struct member *m, bool there, chunk_complete *complete,
			struct space *archive, struct err *e)
{
	const uint64_t end = m->data + m->promise.size;

	for (uint64_t at = m->data; at < end;) {
		const size_t chunk = (size_t)(at / s->table.chunk);
		const uint64_t chunk_end = (uint64_t)(chunk + 1) * s->table.chunk;
		const uint64_t part = (end < chunk_end ? end : chunk_end) - at;
		at += part;
		if (!there)
			atomic_fetch_add(&s->missing[chunk], part);
		else if (atomic_fetch_sub(&s->missing[chunk], part) == part && complete(s, chunk, archive, e))
			return -1;
	}
	return 0;
}

static int sum_up(struct seal *s, size_t chunk, struct space *archive, struct err *e)
{
	atomic_store(&s->summed[chunk], true);
	return sums_fill(&s->table, chunk, archive, e);
}

int seal_member(struct seal *s, size_t member, struct space *archive, struct err *e)
{
	return s->table.parity_count ? 0 : count_member(s, &s->layout->members[member], true, sum_up, archive, e);
}

static int count_missing(struct seal *s, struct err *e)
{
	s->missing = calloc(s->table.count + 1, sizeof(*s->missing));
	s->summed = calloc(s->table.count + 1, sizeof(*s->summed));
	if (!s->missing || !s->summed)
		return err_memory(e);
	for (size_t i = 0; i < s->layout->count; i++)
		if (!s->layout->members[i].bytes)
			(void)count_member(s, &s->layout->members[i], false, NULL, NULL, NULL);
	return 0;
}

struct seal *seal_open(const struct fetch_options *o, const struct layout *layout, struct err *e)
{
	AUTO(seal) s = calloc(1, sizeof(*s));

	if (s)
		s->parity = calloc(o->parity + 1, sizeof(struct space *));
	if (!s || !s->parity) {
		err_memory(e);
		return NULL;
	}
	s->options = o;
	s->layout = layout;
	if (sums_make(&s->table, o->output, &layout->id, layout->size, o->split, o->parity, e) || count_missing(s, e))
		return NULL;
	for (size_t i = 0; i < o->parity; i++)
		if (stage_parity(s, i, e))
			return NULL;
	return stage_sums(s, e) ? NULL : TAKE(s);
}

const struct sums *seal_sums(const struct seal *s)
{
	return &s->table;
}

/* Chunks that hold no blob's bytes. */
static int sum_up_rest(void *ctx, size_t chunk, size_t worker, struct err *e)
{
	const struct rest *r = ctx;

	(void)worker;
	return atomic_load(&r->seal->summed[chunk]) ? 0 : sum_up(r->seal, chunk, r->archive, e);
}

int seal_fill(struct seal *s, struct space *archive, struct err *e)
{
	struct rest rest = { s, archive };
	int rc = s->table.parity_count ? parity_seal(&s->table, archive, s->parity, s->options->events, e)
				       : parallel_for(s->table.count, parallel_cpus(), sum_up_rest, &rest, e);

	if (rc || sums_write(&s->table, false, &s->text, e))
		return -1;
	return space_pwrite(s->sums, s->text.data, s->text.len, 0, e);
}

static int refuse(const char *name, struct err *e)
{
	return err_set(e, ERR_CORRUPT, "%s has other bytes", name);
}

int seal_reread(struct seal *s, struct err *e)
{
	AUTO_MEM char *buf = malloc(s->text.len + 1);
	struct digest d;

	if (!buf)
		return err_memory(e);
	for (size_t i = 0; i < s->table.parity_count; i++) {
		if (space_sync(s->parity[i], e))
			return -1;
		space_forget(s->parity[i]);
		const struct sums_file *f = &s->table.parity[i];
		if (space_digest(s->parity[i], 0, f->size, &d, e))
			return -1;
		if (!digest_equal(&d, &f->digest))
			return refuse(f->name, e);
	}
	if (space_sync(s->sums, e))
		return -1;
	space_forget(s->sums);
	if (space_pread(s->sums, buf, s->text.len, 0, e))
		return -1;
	return memcmp(buf, s->text.data, s->text.len) != 0 ? refuse("the sums file", e) : 0;
}

int seal_commit(struct seal *s, struct err *e)
{
	for (size_t i = 0; i < s->table.parity_count; i++)
		if (space_commit(s->parity[i], e))
			return name_file(s->table.parity[i].name, e);
	return space_commit(s->sums, e);
}

void seal_free(struct seal *s)
{
	if (!s)
		return;
	for (size_t i = 0; s->parity && i < s->table.parity_count; i++)
		space_free(s->parity[i]);
	space_free(s->sums);
	free(s->parity);
	free(s->missing);
	free(s->summed);
	buf_release(&s->text);
	sums_release(&s->table);
	free(s);
}
