/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/chunk_find.h"

#include "base/limits.h"
#include "base/text.h"
#include "pack/ours.h"
#include "pack/papers.h"
#include "pack/tar_block.h"

#include <ctype.h>
#include <string.h>

/*
 * Without a table. The first chunk has the TOC, and that says where each member's header stands: a chunk with a header
 * in it is known by it. One inside a large layer has none, and goes by the number in its name, or by its turn.
 */

#define COMPARISONS 4000000 /* of a file with a chunk, at most: a header is read for each */

static struct toc *read_toc(struct space *space, struct digest *id, uint64_t *first, struct err *e)
{
	char head[TAR_BLOCK];
	uint64_t size;

	if (space_size(space) < TAR_BLOCK) {
		err_set(e, ERR_CORRUPT, "too short for a " TOC_NAME);
		return NULL;
	}
	if (space_pread(space, head, sizeof(head), 0, e) || ours_toc_size(head, &size, e))
		return NULL;
	AUTO_MEM char *bytes = malloc((size_t)size + 1);
	if (!bytes) {
		err_memory(e);
		return NULL;
	}
	if (space_pread(space, bytes, (size_t)size, TAR_BLOCK, e) || digest_of(id, bytes, (size_t)size, e))
		return NULL;
	*first = TAR_BLOCK + tar_padded(size);
	return toc_parse(bytes, (size_t)size, e);
}

int find_toc(struct space *space, struct digest *id, uint64_t *size, struct err *e)
{
	struct err bad = { 0 };
	uint64_t at;
	AUTO(toc) t = read_toc(space, id, &at, &bad);

	if (!t && bad.kind == ERR_CORRUPT)
		return 0;
	if (!t) {
		*e = bad;
		return -1;
	}
	for (size_t i = 0; i < t->member_count; i++)
		at += TAR_BLOCK + tar_padded(t->members[i].promise.size);
	*size = at + (uint64_t)2 * TAR_BLOCK;
	return 1;
}

/* What must stand somewhere in a chunk. */
struct mark {
	bool known;
	uint64_t off;
	const struct toc_member *member;
};

static void put_marks(const struct chunkset *c, const struct toc *t, uint64_t at, struct mark *marks)
{
	for (size_t i = 0; i < t->member_count; i++) {
		uint64_t off;
		size_t k = chunkset_locate(c, at, &off);
		if (!marks[k].known && off + TAR_BLOCK <= c->sums.chunks[k].size)
			marks[k] = (struct mark){ true, off, &t->members[i] };
		at += TAR_BLOCK + tar_padded(t->members[i].promise.size);
	}
}

static bool has_mark(struct space *space, const struct mark *m)
{
	char have[TAR_BLOCK];
	char want[TAR_BLOCK];

	tar_header(want, m->member->name, m->member->promise.size);
	return !space_pread(space, have, sizeof(have), m->off, NULL) && !memcmp(have, want, sizeof(have));
}

static bool is_loose(const struct candidate *c, const struct sums *s)
{
	return !c->placed && (c->kind == FILE_PLAIN || c->kind == FILE_FOREIGN) &&
	       (c->size == s->chunk || c->size == s->chunks[s->count - 1].size);
}

static int by_marks(struct finder *f, size_t set, const struct mark *marks, struct err *e)
{
	const struct sums *s = &f->sets[set]->sums;
	size_t left = COMPARISONS;

	for (size_t k = 0; k < f->count; k++) {
		if (!is_loose(&f->files[k], s))
			continue;
		AUTO(space) space = space_open(f->files[k].path, NULL);
		for (size_t i = 1; space && i < s->count && left; i++) {
			if (!marks[i].known || s->chunks[i].size != f->files[k].size)
				continue;
			left--;
			if (!has_mark(space, &marks[i]))
				continue;
			if (find_place(f, k, set, i, SURE_HEAD, e))
				return -1;
			break;
		}
	}
	return 0;
}

/* Where the number stands with which a name ends: "x.tar.003" has 3 behind "x.tar.". 0: there is none. */
static uint64_t number_of(const char *name, size_t *stem)
{
	uint64_t n;
	size_t end = strlen(name);

	while (end && !isdigit((unsigned char)name[end - 1]))
		end--;
	*stem = end;
	while (*stem && isdigit((unsigned char)name[*stem - 1]))
		--*stem;
	return text_parse_u64(name + *stem, end - *stem, LIMIT_CHUNKS, &n) ? n : 0;
}

static int by_number(struct finder *f, size_t set, const struct mark *marks, bool any_stem, struct err *e)
{
	const struct chunkset *c = f->sets[set];
	size_t stem, first_stem;

	(void)number_of(c->sums.chunks[0].name, &first_stem);
	for (size_t k = 0; k < f->count; k++) {
		uint64_t n = number_of(f->files[k].name, &stem);
		if (!is_loose(&f->files[k], &c->sums) || !n || n > c->sums.count || marks[n - 1].known ||
		    c->chunks[n - 1].count || c->sums.chunks[n - 1].size != f->files[k].size)
			continue;
		if (!any_stem &&
		    (stem != first_stem || strncasecmp(f->files[k].name, c->sums.chunks[0].name, stem) != 0))
			continue;
		if (find_place(f, k, set, (size_t)n - 1, SURE_NAME, e))
			return -1;
	}
	return 0;
}

/* As many files as chunks are left: in the order of their names. */
static int by_turn(struct finder *f, size_t set, const struct mark *marks, struct err *e)
{
	const struct chunkset *c = f->sets[set];
	size_t files = 0, chunks = 0, k = 0;

	for (size_t i = 0; i < f->count; i++)
		files += is_loose(&f->files[i], &c->sums);
	for (size_t i = 0; i < c->sums.count; i++)
		chunks += !c->chunks[i].count && !marks[i].known;
	for (size_t i = 0; files == chunks && i < c->sums.count; i++) {
		if (c->chunks[i].count || marks[i].known)
			continue;
		while (!is_loose(&f->files[k], &c->sums))
			k++;
		if (find_place(f, k, set, i, SURE_LEFT_OVER, e))
			return -1;
	}
	return 0;
}

int find_more_by_toc(struct finder *f, size_t set, struct err *e)
{
	const struct chunkset *c = f->sets[set];
	struct digest id;
	uint64_t first;

	AUTO(space) space = space_open(chunkset_path(c, 0), e);
	AUTO(toc) t = space ? read_toc(space, &id, &first, e) : NULL;
	if (!t)
		return -1;
	AUTO_MEM struct mark *marks = calloc(c->sums.count, sizeof(*marks));
	if (!marks)
		return err_memory(e);
	put_marks(c, t, first, marks);
	return by_marks(f, set, marks, e) || by_number(f, set, marks, false, e) || by_number(f, set, marks, true, e) ||
			       by_turn(f, set, marks, e)
		       ? -1
		       : 0;
}

ptrdiff_t find_by_toc(struct finder *f, size_t candidate, struct err *e)
{
	const struct candidate *c = &f->files[candidate];
	AUTO_MEM char *stem = strdup(c->name);
	AUTO_SUMS sums = { 0 };
	size_t end;

	if (!stem)
		return err_memory(e);
	if (number_of(stem, &end) && end > 1 && stem[end - 1] == '.')
		stem[end - 1] = '\0';
	if (sums_make(&sums, stem, &c->id, c->whole, c->size, 0, e))
		return -1;
	ptrdiff_t set = find_add_set(f, &sums, false, e);
	if (set < 0 || find_place(f, candidate, (size_t)set, 0, SURE_HEAD, e) || find_more_by_toc(f, (size_t)set, e))
		return -1;
	return set;
}
