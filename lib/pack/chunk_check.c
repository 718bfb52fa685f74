/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/chunkset.h"

#include "base/cancel.h"
#include "base/parallel.h"
#include "base/text.h"
#include "pack/layout.h"
#include "pack/parity.h"
#include "pack/sniff.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * Which bytes of which file are wrong: every block of every copy against the table. All files are read first, several
 * at once; then, in order, what was found is told.
 */

enum verdict { RIGHT, RIGHT_LATER, WRONG, WRONG_TWICE_OTHERWISE, UNREADABLE };

static const char *const also_texts[] = {
	[RIGHT_LATER] = "read again, it was right",
	[WRONG] = "read twice, the same both times",
	[WRONG_TWICE_OTHERWISE] = "read twice, other bytes each time: the medium, its cable or the memory fails",
	[UNREADABLE] = "the medium cannot read it",
};

/* One copy of one file. */
struct copy {
	size_t file;
	size_t number;
	const struct sums_file *want;
	const char *path;
	uint64_t size;    /* as it is */
	uint8_t *blocks;  /* verdicts; NULL: it was not read */
	char shape[200];  /* what is wrong with it as a whole; or "" */
	uint64_t from, n; /* of that, the bytes it is about */
};

struct check {
	struct chunkset *set;
	const struct events *events;
	struct copy *copies;
	size_t count;
	chunk_problem_fn *problem;
	void *ctx;
	struct err first;
};

/* A failing read is a verdict; to be stopped, or out of memory, is none: -1. */
static int judge(const struct copy *c, struct space *space, size_t b, enum verdict *out, struct err *e)
{
	const uint64_t off = c->want->header + (uint64_t)b * SUMS_BLOCK;
	const uint64_t len = sums_block_size(c->want, b);
	struct digest once, twice;
	struct err bad = { 0 };

	*out = WRONG;
	if (off + len > c->size)
		return 0;
	if (space_digest(space, off, len, &once, &bad) == 0) {
		*out = RIGHT;
		if (digest_equal(&once, &c->want->blocks[b]))
			return 0;
		space_forget(space);
		if (space_digest(space, off, len, &twice, &bad) == 0) {
			*out = digest_equal(&twice, &c->want->blocks[b]) ? RIGHT_LATER
			       : digest_equal(&once, &twice)             ? WRONG
									 : WRONG_TWICE_OTHERWISE;
			return 0;
		}
	}
	*out = UNREADABLE;
	if (bad.kind == ERR_CANCELLED || bad.sys == ENOMEM) {
		*e = bad;
		return -1;
	}
	return 0;
}

/* A parity file's own table must be readable, or the file is of no use once the others are lost. */
static void check_header(struct copy *c, struct space *space)
{
	AUTO_SUMS sums = { 0 };
	size_t number;

	if (!c->want->header || *c->shape || parity_read_header(space, &sums, &number, NULL) == 1)
		return;
	(void)snprintf(c->shape, sizeof(c->shape), "is damaged in its header");
	c->n = c->want->header;
}

/* What its size and its first bytes say. */
static void check_shape(struct copy *c, struct space *space)
{
	char head[TAR_BLOCK];
	const uint64_t want = c->want->size;
	size_t len = c->size < TAR_BLOCK ? (size_t)c->size : TAR_BLOCK;
	const char *text = NULL;

	if (c->size == want)
		return;
	if (!space_pread(space, head, len, 0, NULL))
		text = sniff_damage(head, len);
	c->from = text ? 0 : c->size < want ? c->size : want;
	c->n = text ? c->size : c->size < want ? want - c->size : c->size - want;
	if (text)
		(void)snprintf(c->shape, sizeof(c->shape), "is %s", text);
	else if (c->size < want)
		(void)snprintf(c->shape, sizeof(c->shape), "ends at byte %" PRIu64 " of %" PRIu64 ": copy it again",
			       c->size, want);
	else
		(void)snprintf(c->shape, sizeof(c->shape),
			       "has %" PRIu64 " bytes behind its end at %" PRIu64 ": copy it again", c->size - want,
			       want);
	struct err e = { 0 };
	err_set(&e, ERR_CORRUPT, "%s", c->shape);
	sniff_explain(space, &e);
	(void)snprintf(c->shape, sizeof(c->shape), "%.*s", (int)sizeof(c->shape) - 1, e.text);
}

static int turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct check *k = ctx;
	struct copy *c = &k->copies[item];
	struct err bad = { 0 };
	const size_t blocks = sums_blocks(c->want);
	char shown[256];
	AUTO(space) space = space_open(c->path, &bad);

	(void)worker;
	if (!space) {
		(void)snprintf(c->shape, sizeof(c->shape), "cannot be read: %.150s", bad.text);
		return 0;
	}
	c->size = space_size(space);
	check_shape(c, space);
	if (!k->set->has_blocks)
		return 0;
	c->blocks = calloc(blocks + 1, 1);
	if (!c->blocks)
		return err_memory(e);
	event_begin(k->events, item, c->want->size, "%s", text_escape_str(shown, sizeof(shown), c->path));
	for (size_t b = 0; b < blocks; b++) {
		enum verdict v;
		if (judge(c, space, b, &v, e))
			return -1;
		c->blocks[b] = (uint8_t)v;
		event_progress(k->events, item, (uint64_t)b * SUMS_BLOCK, c->want->size);
	}
	check_header(c, space);
	event_end(k->events, item, "read");
	return 0;
}

static bool block_right(const struct copy *c, size_t b)
{
	return c->blocks && c->blocks[b] <= RIGHT_LATER;
}

static bool copy_right(const struct check *k, const struct copy *c)
{
	const size_t blocks = sums_blocks(c->want);

	if (*c->shape || (k->set->has_blocks && !c->blocks))
		return false;
	for (size_t b = 0; b < blocks && k->set->has_blocks; b++)
		if (!block_right(c, b))
			return false;
	return true;
}

static void tell(struct check *k, const struct chunk_problem *p, bool harmless)
{
	struct err text = { 0 };

	if (harmless) {
		chunk_problem_refuse(p, &text);
		event_text(k->events, EVENT_WARNING, "%s", text.text);
		return;
	}
	if (k->first.kind == ERR_NONE && p->file < k->set->sums.count)
		chunk_problem_refuse(p, &k->first);
	if (k->problem)
		k->problem(k->ctx, p);
}

/* The blocks of a copy that are wrong in the same way, neighbours as one. `spared`: some copy is right. */
static void tell_blocks(struct check *k, const struct copy *c, const char *shown, bool spared)
{
	const size_t blocks = sums_blocks(c->want);

	for (size_t b = 0, end; b < blocks; b = end) {
		const uint8_t v = c->blocks[b];
		const uint64_t off = c->want->header + (uint64_t)b * SUMS_BLOCK;
		uint64_t len = 0;
		for (end = b; end < blocks && c->blocks[end] == v; end++)
			len += sums_block_size(c->want, end);
		/* What is not there, or was changed as text as a whole, has been told. */
		if (v == RIGHT || off + len > c->size || (*c->shape && !c->from))
			continue;
		const struct chunk_problem p = { shown, off, len, c->file, true, "is damaged", also_texts[v] };
		tell(k, &p, spared || v == RIGHT_LATER);
	}
}

static void tell_copy(struct check *k, const struct copy *c, bool spared)
{
	char shown[256];

	text_escape_str(shown, sizeof(shown), c->path);
	if (*c->shape) {
		const struct chunk_problem p = { shown, c->from, c->n, c->file, false, c->shape, NULL };
		tell(k, &p, spared);
	}
	if (c->blocks)
		tell_blocks(k, c, shown, spared);
}

static void tell_missing(struct check *k, size_t file)
{
	const struct sums_file *want = chunkset_want(k->set, file);
	char shown[256], what[64];

	text_escape_str(shown, sizeof(shown), want->name);
	(void)snprintf(what, sizeof(what), "is missing (%" PRIu64 " bytes)", want->size);
	const struct chunk_problem p = { shown, 0, want->size, file, false, what, NULL };
	if (file < k->set->sums.count)
		tell(k, &p, false);
	else
		event_text(k->events, EVENT_NOTE, "%s is not here; without it less can be repaired", shown);
}

/* Which copy has each block right: one that has all of them, if there is one. */
static int fill_good(const struct check *k, size_t file, const struct copy *copies, size_t count, struct err *e)
{
	struct chunk *chunk = chunkset_chunk(k->set, file);
	const size_t blocks = sums_blocks(chunkset_want(k->set, file));

	free(chunk->good);
	chunk->good = malloc(blocks + 1);
	if (!chunk->good)
		return err_memory(e);
	memset(chunk->good, CHUNK_BAD, blocks + 1);
	for (size_t i = count; i-- > 0;)
		for (size_t b = 0; b < blocks; b++)
			if (block_right(&copies[i], b))
				chunk->good[b] = (uint8_t)copies[i].number;
	for (size_t i = count; i-- > 0;)
		if (copy_right(k, &copies[i]))
			memset(chunk->good, (int)copies[i].number, blocks);
	return 0;
}

static int conclude_file(struct check *k, size_t file, const struct copy *copies, size_t count, struct err *e)
{
	bool spared = false;

	if (!count)
		tell_missing(k, file);
	for (size_t i = 0; i < count; i++)
		spared = spared || copy_right(k, &copies[i]);
	for (size_t i = 0; i < count; i++)
		tell_copy(k, &copies[i], spared);
	return k->set->has_blocks ? fill_good(k, file, copies, count, e) : 0;
}

static void files_of(const struct chunkset *c, enum chunk_files which, size_t *from, size_t *to)
{
	*from = which & CHUNK_ARCHIVE ? 0 : c->sums.count;
	*to = which & CHUNK_PARITY ? chunkset_files(c) : c->sums.count;
}

static int make_copies(struct check *k, enum chunk_files which, struct err *e)
{
	size_t from, to, total = 0;

	files_of(k->set, which, &from, &to);
	for (size_t i = from; i < to; i++)
		total += chunkset_chunk(k->set, i)->count;
	k->copies = calloc(total + 1, sizeof(*k->copies));
	if (!k->copies)
		return err_memory(e);
	for (size_t i = from; i < to; i++)
		for (size_t n = 0; n < chunkset_chunk(k->set, i)->count; n++)
			k->copies[k->count++] = (struct copy){ .file = i,
							       .number = n,
							       .want = chunkset_want(k->set, i),
							       .path = chunkset_chunk(k->set, i)->paths[n] };
	return 0;
}

static int read_all(struct check *k, struct err *e)
{
	uint64_t total = 0;

	for (size_t i = 0; i < k->count; i++)
		total += k->copies[i].want->size;
	const size_t threads = total < SUMS_BLOCK ? 1 : parallel_cpus();
	event_emit(k->events,
		   &(struct event){ .kind = EVENT_PLAN, .total = total, .count = k->count, .text = "checking chunks" });
	return parallel_for(k->count, threads, turn, k, e);
}

static int conclude(struct check *k, enum chunk_files which, struct err *e)
{
	size_t from, to;

	files_of(k->set, which, &from, &to);
	for (size_t file = from, at = 0, n; file < to; file++, at += n) {
		n = chunkset_chunk(k->set, file)->count;
		if (conclude_file(k, file, k->copies + at, n, e))
			return -1;
	}
	if (k->first.kind == ERR_NONE)
		return 0;
	if (e)
		*e = k->first;
	return -1;
}

int chunkset_check(struct chunkset *c, enum chunk_files which, chunk_problem_fn *problem, void *ctx,
		   const struct events *events, struct err *e)
{
	struct check k = { .set = c, .events = events, .problem = problem, .ctx = ctx };
	int rc = make_copies(&k, which, e) || read_all(&k, e) || conclude(&k, which, e) ? -1 : 0;

	for (size_t i = 0; i < k.count; i++)
		free(k.copies[i].blocks);
	free(k.copies);
	return rc;
}

int chunk_problem_refuse(const struct chunk_problem *p, struct err *e)
{
	if (!p->damaged)
		return err_set(e, ERR_CORRUPT, "%s %s", p->chunk, p->what);
	return err_set(e, ERR_CORRUPT, "%s %s at bytes %" PRIu64 "-%" PRIu64 "%s%s%s", p->chunk, p->what, p->offset,
		       p->offset + p->length - 1, p->also ? " (" : "", p->also ? p->also : "", p->also ? ")" : "");
}
