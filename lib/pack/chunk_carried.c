/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/chunk_find.h"

#include "base/cancel.h"
#include "base/text.h"
#include "pack/wants.h"

#include <errno.h>
#include <string.h>

/* Blocks that were fetched for a set by themselves (wants.h), as one more place where they are good. */

#define PIECE (64u << 10)

struct carried {
	char *path;
	struct space *file; /* NULL: not of this set, or of no use */
	struct wants wants;
	uint64_t header;
	bool *right; /* one a block of wants */
};

void carried_free(struct carried *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		space_free(files[i].file);
		wants_release(&files[i].wants);
		free(files[i].right);
		free(files[i].path);
	}
	free(files);
}

int find_carried(const struct finder *f, struct chunkset *c, struct err *e)
{
	size_t n = 0;

	for (size_t k = 0; k < f->count; k++)
		n += f->files[k].kind == FILE_BLOCKS;
	c->carried = calloc(n + 1, sizeof(*c->carried));
	if (!c->carried)
		return err_memory(e);
	for (size_t k = 0; k < f->count; k++) {
		if (f->files[k].kind != FILE_BLOCKS)
			continue;
		c->carried[c->carried_count].path = strdup(f->files[k].path);
		if (!c->carried[c->carried_count].path)
			return err_memory(e);
		c->carried_count++;
	}
	return 0;
}

/* Of this very archive, cut as the table says; what is not is said. */
static int open_carried(const struct chunkset *c, struct carried *f, const struct events *events, struct err *e)
{
	char shown[160];
	struct err bad = { 0 };
	AUTO(space) file = space_open(f->path, &bad);
	const int rc = file ? blocks_open(file, &f->wants, &f->header, &bad) : -1;

	text_escape_str(shown, sizeof(shown), f->path);
	if (rc < 0 && bad.sys == ENOMEM)
		return err_memory(e);
	if (rc < 0) {
		event_text(events, EVENT_WARNING, "%s: %s", shown, bad.text);
		return 0;
	}
	if (!rc)
		return 0;
	if (!digest_equal(&f->wants.set, &c->sums.set) || f->wants.size != c->sums.size ||
	    f->wants.chunk != c->sums.chunk) {
		event_text(events, EVENT_NOTE, "%s: its blocks are of another archive", shown);
		return 0;
	}
	f->right = calloc(f->wants.count + 1, sizeof(*f->right));
	if (!f->right)
		return err_memory(e);
	f->file = TAKE(file);
	return 0;
}

static int hash_block(struct carried *f, const struct wanted_block *b, char *piece, struct digest *out, struct err *e)
{
	AUTO(hasher) h = hasher_new(e);

	if (!h)
		return -1;
	for (uint64_t done = 0; done < b->size;) {
		const size_t n = b->size - done < PIECE ? (size_t)(b->size - done) : PIECE;
		if (cancel_check(e) || space_pread(f->file, piece, n, f->header + b->place + done, e) ||
		    hasher_update(h, piece, n, e))
			return -1;
		done += n;
	}
	return hasher_finish(h, out, e);
}

/* The table decides: neither the list's digest nor its word counts. */
static int take_blocks(struct chunkset *c, struct carried *f, char *piece, const struct events *events, uint64_t *bytes,
		       struct err *e)
{
	char shown[160];
	struct digest d;

	for (size_t i = 0; f->file && i < f->wants.count; i++) {
		const struct wanted_block *b = &f->wants.blocks[i];
		struct chunk *k = &c->chunks[b->chunk];
		if (!k->good || k->good[b->block] != CHUNK_BAD)
			continue;
		if (hash_block(f, b, piece, &d, e))
			return err_at(e, "%s", text_escape_str(shown, sizeof(shown), f->path));
		if (!digest_equal(&d, &c->sums.chunks[b->chunk].blocks[b->block])) {
			event_text(events, EVENT_WARNING, "%s: block %zu is damaged: carry the file over again",
				   text_escape_str(shown, sizeof(shown), f->path), i + 1);
			continue;
		}
		f->right[i] = true;
		k->good[b->block] = CHUNK_CARRIED;
		*bytes += b->size;
	}
	return 0;
}

int chunkset_take_carried(struct chunkset *c, const struct events *events, uint64_t *bytes, struct err *e)
{
	AUTO_MEM char *piece = malloc(PIECE);

	*bytes = 0;
	if (!piece)
		return err_memory(e);
	for (size_t i = 0; i < c->carried_count; i++)
		if (open_carried(c, &c->carried[i], events, e) ||
		    take_blocks(c, &c->carried[i], piece, events, bytes, e))
			return -1;
	return 0;
}

static int compare_places(const void *key, const void *item)
{
	const struct wanted_block *a = key;
	const struct wanted_block *b = item;

	if (a->chunk != b->chunk)
		return a->chunk < b->chunk ? -1 : 1;
	return (a->block > b->block) - (a->block < b->block);
}

int chunkset_read_carried(const struct chunkset *c, size_t chunk, size_t block, void *buf, size_t from, size_t len,
			  struct err *e)
{
	const struct wanted_block key = { .chunk = chunk, .block = block };

	for (size_t i = 0; i < c->carried_count; i++) {
		const struct carried *f = &c->carried[i];
		const struct wanted_block *b = f->file ? bsearch(&key, f->wants.blocks, f->wants.count, sizeof(key),
								 compare_places)
						       : NULL;
		if (b && f->right[b - f->wants.blocks])
			return space_pread(f->file, buf, len, f->header + b->place + from, e);
	}
	return err_set(e, ERR_CORRUPT, "block %zu of chunk %zu stands in no blocks file", block, chunk + 1);
}
