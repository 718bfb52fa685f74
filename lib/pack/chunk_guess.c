/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/chunk_find.h"

#include "pack/layout.h"
#include "pack/sniff.h"

#include <string.h>

/*
 * Where no block is right any more (a small chunk, a copy that was cut or changed as text), the name says which chunk a
 * file was; and where one file and one chunk are left over, they are each other's.
 */

int find_place(struct finder *f, size_t candidate, size_t set, size_t file, enum sureness sure, struct err *e)
{
	struct candidate *c = &f->files[candidate];
	struct chunk *k = set_chunk(f->sets[set], file);
	size_t at = 0;

	c->set = c->placed ? c->set : set;
	c->placed = true;
	for (size_t i = 0; i < k->count; i++)
		if (!strcmp(k->paths[i], c->path))
			return 0;
	if (!k->paths) {
		k->paths = calloc(CHUNK_COPIES, sizeof(*k->paths));
		k->sureness = calloc(CHUNK_COPIES, sizeof(*k->sureness));
		if (!k->paths || !k->sureness)
			return err_memory(e);
	}
	/* Among the equally sure the order is that of the candidates, whichever thread was faster. */
	while (at < k->count &&
	       (k->sureness[at] > sure || (k->sureness[at] == sure && strverscmp(k->paths[at], c->path) < 0)))
		at++;
	if (at == CHUNK_COPIES)
		return 0;
	char *path = strdup(c->path);
	if (!path)
		return err_memory(e);
	if (k->count == CHUNK_COPIES)
		free(k->paths[--k->count]);
	memmove(k->paths + at + 1, k->paths + at, (k->count - at) * sizeof(*k->paths));
	memmove(k->sureness + at + 1, k->sureness + at, k->count - at);
	k->paths[at] = path;
	k->sureness[at] = (uint8_t)sure;
	k->count++;
	return 0;
}

/* A file that could be a chunk, and is none so far. */
static bool is_loose(const struct candidate *c)
{
	return !c->placed && c->kind != FILE_TABLE && c->kind != FILE_PARITY && c->kind != FILE_BLOCKS &&
	       c->kind != FILE_ARCHIVE;
}

/* "x.tar.003" itself, also as FAT writes it; then "x.tar (1).003", "x.tar.003.bin", "copy of x.tar.003". */
static bool name_fits(const char *have, const char *want, bool loosely)
{
	return loosely ? strcasestr(have, want) != NULL : strcasecmp(have, want) == 0;
}

static int by_name(struct finder *f, size_t set, bool loosely, struct err *e)
{
	const struct chunkset *c = f->sets[set];

	for (size_t i = 0; i < set_files(c); i++) {
		if (set_chunk(c, i)->count)
			continue;
		for (size_t k = 0; k < f->count; k++) {
			if (is_loose(&f->files[k]) && name_fits(f->files[k].name, set_file(c, i)->name, loosely) &&
			    find_place(f, k, set, i, SURE_NAME, e))
				return -1;
		}
	}
	return 0;
}

/* The one loose file of this size (ANY: of any), the one missing chunk of this size; else NOWHERE. */
#define ANY UINT64_MAX

static size_t only_loose(const struct finder *f, uint64_t size)
{
	size_t found = NOWHERE;

	for (size_t k = 0; k < f->count; k++) {
		if (!is_loose(&f->files[k]) || (size != ANY && f->files[k].size != size))
			continue;
		if (found != NOWHERE)
			return NOWHERE;
		found = k;
	}
	return found;
}

static size_t only_missing(const struct chunkset *c, uint64_t size)
{
	size_t found = NOWHERE;

	for (size_t i = 0; i < c->sums.count; i++) {
		if (c->chunks[i].count || (size != ANY && c->sums.chunks[i].size != size))
			continue;
		if (found != NOWHERE)
			return NOWHERE;
		found = i;
	}
	return found;
}

/* A file of another size could be anything: a note, a picture. What is left of a chunk is no text, or text made of it.
 */
static bool could_be_rest(const struct candidate *c)
{
	char head[TAR_BLOCK];
	size_t len = c->size < TAR_BLOCK ? (size_t)c->size : TAR_BLOCK;
	AUTO(space) space = space_open(c->path, NULL);

	if (!space || space_pread(space, head, len, 0, NULL))
		return false;
	return !len || sniff_damage(head, len) || !sniff_is_text(head, len);
}

static int by_elimination(struct finder *f, size_t set, struct err *e)
{
	const struct chunkset *c = f->sets[set];

	if (!chunkset_missing(c))
		return 0;
	const uint64_t sizes[] = { c->sums.chunks[0].size, c->sums.chunks[c->sums.count - 1].size, ANY };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t file = only_missing(c, sizes[i]);
		size_t k = file == NOWHERE ? NOWHERE : only_loose(f, sizes[i]);
		if (k == NOWHERE || (sizes[i] == ANY && !could_be_rest(&f->files[k])))
			continue;
		if (find_place(f, k, set, file, SURE_LEFT_OVER, e))
			return -1;
	}
	return 0;
}

int find_guess(struct finder *f, size_t set, struct err *e)
{
	return by_name(f, set, false, e) || by_name(f, set, true, e) || by_elimination(f, set, e) ? -1 : 0;
}
