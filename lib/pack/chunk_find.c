/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/chunk_find.h"

#include "base/text.h"

#include <string.h>

/* Which set is meant, and what belongs to none. */

/* Files of a set that stand here. */
static size_t present(const struct chunkset *c)
{
	size_t n = 0;

	for (size_t i = 0; i < set_files(c); i++)
		n += set_chunk(c, i)->count > 0;
	return n;
}

static int place_parity(struct finder *f, struct err *e)
{
	for (size_t k = 0; k < f->count; k++) {
		const struct candidate *c = &f->files[k];
		if (c->kind == FILE_PARITY && c->number < f->sets[c->set]->sums.parity_count &&
		    find_place(f, k, c->set, f->sets[c->set]->sums.count + c->number, SURE_TABLE, e))
			return -1;
	}
	return 0;
}

/* A first chunk of a known set whose blocks are damaged, or which is not as long as it must be, but has its TOC. */
static int place_heads(struct finder *f, struct err *e)
{
	for (size_t k = 0; k < f->count; k++) {
		const struct candidate *c = &f->files[k];
		for (size_t s = 0; s < f->set_count && c->kind == FILE_CUT && !c->placed; s++) {
			if (digest_equal(&f->sets[s]->sums.set, &c->id) && find_place(f, k, s, 0, SURE_BLOCK, e))
				return -1;
		}
	}
	return 0;
}

/*
 * First chunks without a table. One that stands alone is rather an archive that was cut, unless its name ends in a
 * number.
 */
static bool is_numbered(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot[1] && strspn(dot + 1, "0123456789") == strlen(dot + 1);
}

/* A damaged TOC may still read as one, of an archive that nobody has: a set that has a table lacks its first chunk. */
static bool is_first_of_table(const struct finder *f, const struct candidate *c)
{
	for (size_t s = 0; s < f->set_count; s++) {
		const struct chunkset *set = f->sets[s];
		if (set->has_blocks && !set->chunks[0].count && set->sums.chunks[0].size == c->size)
			return true;
	}
	return false;
}

static int make_sets(struct finder *f, struct err *e)
{
	for (size_t k = 0; k < f->count; k++) {
		const size_t before = f->set_count;
		struct err bad = { 0 };
		if (f->files[k].kind != FILE_CUT || f->files[k].placed || is_first_of_table(f, &f->files[k]))
			continue;
		ptrdiff_t set = find_by_toc(f, k, &bad);
		if (set < 0 && bad.kind != ERR_USAGE && bad.kind != ERR_CORRUPT) {
			*e = bad;
			return -1;
		}
		if (f->set_count > before && present(f->sets[before]) < 2 && !is_numbered(f->files[k].name)) {
			chunkset_free(f->sets[--f->set_count]);
			f->files[k].placed = false;
			f->files[k].set = NOWHERE;
		}
	}
	return 0;
}

static bool lacks_chunks(const struct finder *f)
{
	for (size_t s = 0; s < f->set_count; s++)
		if (f->sets[s]->has_blocks && chunkset_missing(f->sets[s]))
			return true;
	return false;
}

/* Everything that content says. */
static int place_by_content(struct finder *f, struct err *e)
{
	if (place_parity(f, e) || find_index(f, e) || find_match(f, false, e) || place_heads(f, e))
		return -1;
	if (lacks_chunks(f) && find_match(f, true, e))
		return -1;
	return make_sets(f, e);
}

/* Which sets come into question: one mark each. How many are marked. */
static size_t mark_named(const struct finder *f, bool *marks)
{
	size_t n = 0;

	for (size_t k = 0; k < f->count; k++) {
		const struct candidate *c = &f->files[k];
		for (size_t s = 0; s < f->set_count && c->named; s++) {
			bool here = c->set == s;
			for (size_t i = 0; !here && i < set_files(f->sets[s]); i++) {
				const struct chunk *file = set_chunk(f->sets[s], i);
				for (size_t p = 0; p < file->count && c->placed; p++)
					here = here || !strcmp(file->paths[p], c->path);
				here = here ||
				       (c->set == NOWHERE && !strcasecmp(set_file(f->sets[s], i)->name, c->name));
			}
			n += here && !marks[s];
			marks[s] = marks[s] || here;
		}
	}
	return n;
}

static size_t mark_present(const struct finder *f, bool *marks)
{
	size_t n = 0;

	for (size_t s = 0; s < f->set_count; s++)
		n += marks[s] = present(f->sets[s]) > 0;
	/* A table alone, of which every chunk is missing. */
	if (!n && f->set_count == 1)
		n = marks[0] = true;
	return n;
}

static void keep_expected(const struct finder *f, const struct digest *expect, bool *marks)
{
	bool any = false;

	for (size_t s = 0; s < f->set_count; s++)
		any = any || (marks[s] && digest_equal(&f->sets[s]->sums.set, expect));
	for (size_t s = 0; s < f->set_count && any; s++)
		marks[s] = marks[s] && digest_equal(&f->sets[s]->sums.set, expect);
}

static int refuse_several(const struct finder *f, const bool *marks, struct err *e)
{
	AUTO_BUF list = { 0 };
	char shown[128];
	char id[13];

	for (size_t s = 0; s < f->set_count; s++) {
		const struct sums *t = &f->sets[s]->sums;
		if (marks[s] && buf_printf(&list, e, "%s%s (ID %s, %zu of %zu chunks)", list.len ? ", " : "",
					   text_escape_str(shown, sizeof(shown), t->archive), digest_short(&t->set, id),
					   t->count - chunkset_missing(f->sets[s]), t->count))
			return -1;
	}
	return err_set(e, ERR_USAGE, "chunks of several archives: %s; name a file of the one that is meant", list.data);
}

/* The set of the most chunks, and whether the choice is clear: one, one complete one, or all the same archive. */
static int choose(const struct finder *f, const bool *marks, size_t *out, struct err *e)
{
	size_t best = NOWHERE, complete = 0, count = 0;
	bool same = true;

	for (size_t s = 0; s < f->set_count; s++) {
		const struct chunkset *c = f->sets[s];
		if (!marks[s])
			continue;
		count++;
		complete += !chunkset_missing(c);
		same = same && (best == NOWHERE || digest_equal(&f->sets[best]->sums.set, &c->sums.set));
		if (best == NOWHERE || chunkset_missing(c) < chunkset_missing(f->sets[best]))
			best = s;
	}
	if (count > 1 && complete != 1 && !same)
		return refuse_several(f, marks, e);
	*out = best;
	return 0;
}

static void say_others(const struct finder *f, size_t chosen)
{
	for (size_t s = 0; s < f->set_count; s++) {
		char digest[DIGEST_TEXT_SIZE];
		size_t files = 0;
		for (size_t k = 0; k < f->count; k++)
			files += f->files[k].set == s && f->files[k].kind != FILE_TABLE;
		if (s != chosen && files)
			event_text(f->events, EVENT_NOTE, "left out: %zu file%s of another archive (%s)", files,
				   files == 1 ? "" : "s", digest_text(&f->sets[s]->sums.set, digest));
	}
}

static int take_path(const struct candidate *c, char **single, struct err *e)
{
	*single = strdup(c->path);
	return *single ? 0 : err_memory(e);
}

static int refuse_archives(const struct finder *f, struct err *e)
{
	AUTO_BUF list = { 0 };
	char shown[128];
	size_t n = 0;

	for (size_t k = 0; k < f->count; k++) {
		const struct candidate *c = &f->files[k];
		if (c->placed || (c->kind != FILE_ARCHIVE && c->kind != FILE_CUT && c->kind != FILE_FOREIGN))
			continue;
		if (n++ < 4 &&
		    buf_printf(&list, e, "%s%s", n > 1 ? ", " : "", text_escape_str(shown, sizeof(shown), c->path)))
			return -1;
	}
	return err_set(e, ERR_USAGE, "several archives: %s%s; name the one that is meant", list.data,
		       n > 4 ? ", ..." : "");
}

/*
 * A folder without chunks: the one file in it that could be an archive; of several that are the same archive the first.
 */
static int choose_single(const struct finder *f, const struct digest *expect, char **single, struct err *e)
{
	size_t found = NOWHERE;
	bool clear = true;

	for (size_t k = 0; k < f->count; k++) {
		const struct candidate *c = &f->files[k];
		if (c->placed || (c->kind != FILE_ARCHIVE && c->kind != FILE_CUT && c->kind != FILE_FOREIGN))
			continue;
		if (expect && c->kind == FILE_ARCHIVE && digest_equal(&c->id, expect))
			return take_path(c, single, e);
		clear = clear &&
			(found == NOWHERE || (c->kind == FILE_ARCHIVE && f->files[found].kind == FILE_ARCHIVE &&
					      digest_equal(&c->id, &f->files[found].id)));
		found = found == NOWHERE ? k : found;
	}
	if (!clear)
		return refuse_archives(f, e);
	return found == NOWHERE ? 0 : take_path(&f->files[found], single, e);
}

/* Whole archives beside a set: the same one serves where chunks are missing; another one makes it unclear. */
static int heed_archives(const struct finder *f, const struct chunkset *c, const struct digest *expect, char **single,
			 struct err *e)
{
	const bool expected = expect && digest_equal(&c->sums.set, expect);

	for (size_t k = 0; k < f->count; k++) {
		const struct candidate *file = &f->files[k];
		char shown[160];
		if (file->placed || file->kind != FILE_ARCHIVE)
			continue;
		if (digest_equal(&file->id, &c->sums.set)) {
			if (chunkset_missing(c))
				return take_path(file, single, e);
			continue;
		}
		if (expect && digest_equal(&file->id, expect))
			return take_path(file, single, e);
		if (!expected)
			return err_set(
				e, ERR_USAGE,
				"chunks of one archive, and %s, which is another one; name the one that is meant",
				text_escape_str(shown, sizeof(shown), file->path));
	}
	return 0;
}

/* True if every file that was named is one of the set's. */
static bool named_all_in(const struct finder *f, size_t set)
{
	for (size_t k = 0; k < f->count; k++) {
		const struct candidate *c = &f->files[k];
		bool here = !c->named || c->set == set;
		for (size_t i = 0; !here && i < set_files(f->sets[set]); i++) {
			const struct chunk *file = set_chunk(f->sets[set], i);
			for (size_t p = 0; p < file->count; p++)
				here = here || !strcmp(file->paths[p], c->path);
		}
		/* A damaged table is a file of the set as well as anybody knows. */
		if (!here && c->kind != FILE_TABLE && c->kind != FILE_BLOCKS)
			return false;
	}
	return true;
}

static bool any_named(const struct finder *f)
{
	for (size_t k = 0; k < f->count; k++)
		if (f->files[k].named)
			return true;
	return false;
}

static int find_set(struct finder *f, const struct digest *expect, size_t *chosen, char **single, struct err *e)
{
	const bool named = any_named(f);
	AUTO_MEM bool *marks = calloc(f->set_count + 1, sizeof(*marks));

	*chosen = NOWHERE;
	if (!marks)
		return err_memory(e);
	const size_t marked = named ? mark_named(f, marks) : 0;
	/* A named file that no set knows may still be what is left of a chunk, if there is one set alone. */
	if (!marked && mark_present(f, marks) > 1 && named)
		return 0;
	if (expect)
		keep_expected(f, expect, marks);
	if (choose(f, marks, chosen, e))
		return -1;
	if (*chosen == NOWHERE)
		return named ? 0 : choose_single(f, expect, single, e);
	if (!named && heed_archives(f, f->sets[*chosen], expect, single, e))
		return -1;
	return *single ? 0 : find_guess(f, *chosen, e);
}

int chunkset_find(const char *const *paths, size_t count, const struct digest *expect, const struct events *events,
		  struct chunkset **out, char **single, struct err *e)
{
	AUTO_FINDER f = { .events = events };
	AUTO_MEM char *one = NULL;
	size_t chosen;

	if (find_collect(&f, paths, count, e) || place_by_content(&f, e) || find_set(&f, expect, &chosen, &one, e))
		return -1;
	if (chosen == NOWHERE || one || !named_all_in(&f, chosen)) {
		if (!one && any_named(&f) && count > 1)
			return err_set(e, ERR_USAGE, "these files are not chunks of one archive");
		if (!one && any_named(&f) && !(one = strdup(paths[0])))
			return err_memory(e);
		*single = TAKE(one);
		return 0;
	}
	if (find_carried(&f, f.sets[chosen], e))
		return -1;
	say_others(&f, chosen);
	*out = TAKE(f.sets[chosen]);
	return 1;
}

ptrdiff_t chunkset_add(struct chunkset *c, const char *const *paths, size_t count, const struct events *events,
		       struct err *e)
{
	struct chunkset *sets[] = { c };
	AUTO_FINDER f = { .events = events, .sets = sets, .set_count = 1, .borrowed = true };
	const size_t before = chunkset_missing(c);

	int rc = find_collect(&f, paths, count, e) || find_index(&f, e) || find_match(&f, false, e) ||
		 place_heads(&f, e) || (lacks_chunks(&f) && find_match(&f, true, e)) ||
		 (c->has_blocks ? find_guess(&f, 0, e) : find_more_by_toc(&f, 0, e));
	f.sets = NULL;
	f.set_count = 0;
	return rc ? -1 : (ptrdiff_t)(before - chunkset_missing(c));
}
