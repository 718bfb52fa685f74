/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/chunk_find.h"

#include "base/text.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

static void chunks_free(struct chunk *chunks, size_t count)
{
	for (size_t i = 0; chunks && i < count; i++) {
		for (size_t k = 0; k < chunks[i].count; k++)
			free(chunks[i].paths[k]);
		free(chunks[i].paths);
		free(chunks[i].sureness);
		free(chunks[i].good);
	}
	free(chunks);
}

void chunkset_free(struct chunkset *c)
{
	if (!c)
		return;
	chunks_free(c->chunks, c->sums.count);
	chunks_free(c->parity, c->sums.parity_count);
	carried_free(c->carried, c->carried_count);
	sums_release(&c->sums);
	free(c);
}

size_t chunkset_missing(const struct chunkset *c)
{
	size_t missing = 0;

	for (size_t i = 0; i < c->sums.count; i++)
		missing += !c->chunks[i].count;
	return missing;
}

const char *chunkset_path(const struct chunkset *c, size_t chunk)
{
	return c->chunks[chunk].count ? c->chunks[chunk].paths[0] : c->sums.chunks[chunk].name;
}

size_t chunkset_locate(const struct chunkset *c, uint64_t offset, uint64_t *inside)
{
	size_t i = c->sums.chunk ? (size_t)(offset / c->sums.chunk) : 0;

	if (i >= c->sums.count)
		i = c->sums.count - 1;
	*inside = offset - (uint64_t)i * c->sums.chunk;
	return i;
}

int chunkset_list_missing(const struct chunkset *c, struct buf *out, struct err *e)
{
	const size_t missing = chunkset_missing(c);
	size_t told = 0;
	char shown[256];

	for (size_t i = 0; i < c->sums.count; i++) {
		if (c->chunks[i].count)
			continue;
		const char *between = !told ? "" : told + 1 == missing ? " and " : ", ";
		if (buf_printf(out, e, "%s%s (%" PRIu64 " bytes)", between,
			       text_escape_str(shown, sizeof(shown), c->sums.chunks[i].name), c->sums.chunks[i].size))
			return -1;
		told++;
	}
	return 0;
}

int chunkset_refuse_missing(const struct chunkset *c, struct err *e)
{
	AUTO_BUF list = { 0 };
	const size_t missing = chunkset_missing(c);
	struct err text; /* only for how much fits */

	if (chunkset_list_missing(c, &list, e))
		return -1;
	if (list.len + 100 < sizeof(text.text))
		return err_set(e, ERR_CORRUPT, "%s %s missing", list.data, missing == 1 ? "is" : "are");
	return err_set(e, ERR_CORRUPT, "%zu of %zu chunks are missing: %.*s...; imgpack verify lists all", missing,
		       c->sums.count, 300, list.data);
}

/* The file of a chunk to read: after a check one that is right from end to end, if there is one. */
static const char *best_path(const struct chunkset *c, size_t chunk)
{
	const struct chunk *k = &c->chunks[chunk];
	const size_t blocks = sums_blocks(&c->sums.chunks[chunk]);

	if (!k->good || !blocks || k->good[0] == CHUNK_BAD)
		return k->paths[0];
	for (size_t b = 1; b < blocks; b++)
		if (k->good[b] != k->good[0])
			return k->paths[0];
	return k->paths[k->good[0] < k->count ? k->good[0] : 0];
}

struct space *chunkset_space(const struct chunkset *c, struct err *e)
{
	AUTO_MEM const char **paths = calloc(c->sums.count + 1, sizeof(*paths));
	char shown[256];
	struct stat st;

	if (!paths) {
		err_memory(e);
		return NULL;
	}
	if (chunkset_missing(c)) {
		chunkset_refuse_missing(c, e);
		return NULL;
	}
	/* Offsets are right only if each file is as long as it must be. */
	for (size_t i = 0; i < c->sums.count; i++) {
		paths[i] = best_path(c, i);
		if (stat(paths[i], &st) || (uint64_t)st.st_size == c->sums.chunks[i].size)
			continue;
		err_set(e, ERR_CORRUPT, "%s: has %" PRIu64 " bytes, must have %" PRIu64 ": copy it again",
			text_escape_str(shown, sizeof(shown), paths[i]), (uint64_t)st.st_size, c->sums.chunks[i].size);
		return NULL;
	}
	return space_open_files(paths, c->sums.count, e);
}
