/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/wants.h"

#include <inttypes.h>
#include <string.h>

int wants_begin(struct wants *out, const struct sums *s, struct err *e)
{
	struct wants w = { .set = s->set, .size = s->size, .chunk = s->chunk };

	w.archive = strdup(s->archive);
	if (!w.archive)
		return err_memory(e);
	*out = w;
	return 0;
}

int wants_add(struct wants *w, const struct sums *s, size_t chunk, size_t block, struct err *e)
{
	const struct sums_file *f = &s->chunks[chunk];

	if (GROW(w->blocks, w->capacity, w->count, e))
		return -1;
	w->blocks[w->count++] = (struct wanted_block){ chunk, block, sums_block_size(f, block), w->bytes,
						       f->blocks[block] };
	w->bytes += sums_block_size(f, block);
	return 0;
}

void wants_release(struct wants *w)
{
	free(w->archive);
	free(w->blocks);
	*w = (struct wants){ 0 };
}

uint64_t wants_offset(const struct wants *w, size_t i)
{
	return (uint64_t)w->blocks[i].chunk * w->chunk + (uint64_t)w->blocks[i].block * SUMS_BLOCK;
}

/* ASCII without blanks: what no mail program, editor or shell changes. */
static int put_name(struct buf *out, const char *name, struct err *e)
{
	for (; *name; name++) {
		const unsigned char c = (unsigned char)*name;
		const bool plain = c > ' ' && c < 0x7f && c != '%';
		if (plain ? buf_add(out, name, 1, e) : buf_printf(out, e, "%%%02X", c))
			return -1;
	}
	return 0;
}

int wants_write(const struct wants *w, struct buf *out, struct err *e)
{
	char set[DIGEST_TEXT_SIZE];
	char hex[DIGEST_HEX_SIZE];
	struct digest all;
	const size_t from = out->len;

	if (buf_printf(out, e, "imgpack-wants 1\nset %s\narchive %" PRIu64 " %" PRIu64 " ", digest_text(&w->set, set),
		       w->size, w->chunk) ||
	    put_name(out, w->archive, e) || buf_printf(out, e, "\nblocks %zu %" PRIu64 "\n", w->count, w->bytes))
		return -1;
	for (size_t i = 0; i < w->count; i++) {
		const struct wanted_block *b = &w->blocks[i];
		if (buf_printf(out, e, "block %zu %" PRIu64 " %" PRIu64 " %s\n", b->chunk + 1,
			       (uint64_t)b->block * SUMS_BLOCK, b->size, digest_hex(&b->digest, hex)))
			return -1;
	}
	if (digest_of(&all, out->data + from, out->len - from, e))
		return -1;
	return buf_printf(out, e, "end %s\n", digest_hex(&all, hex));
}

int blocks_write_head(const struct wants *w, struct buf *out, struct err *e)
{
	AUTO_BUF list = { 0 };

	return wants_write(w, &list, e) || buf_printf(out, e, "imgpack-blocks 1 %zu\n", list.len) ||
			       buf_add(out, list.data, list.len, e)
		       ? -1
		       : 0;
}
