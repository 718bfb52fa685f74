/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/unpack.h"

#include "base/limits.h"
#include "base/text.h"
#include "pack/layout.h"
#include "pack/sniff.h"
#include "pack/tar_block.h"
#include "stream/sink.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

/*
 * A sink that walks along the headers of the tar that passes. It does not judge the tar (members.c and ours.c do, at
 * leisure), it only knows where the next header must be.
 */
struct walk {
	struct sink base;
	struct space *space;
	uint64_t at;       /* bytes that passed */
	uint64_t next;     /* where the next header begins */
	size_t have;       /* bytes of it that are in block */
	bool ended;        /* a zero block came where a header would be */
	uint64_t end;      /* then: where */
	uint64_t pax_size; /* of the entry that comes, if a pax record said so */
	bool has_pax_size;
	uint64_t body_end; /* of a pax record's text that is being collected */
	struct buf body;
	char block[TAR_BLOCK];
};

/* "LENGTH size=N\n" among a pax header's records. */
static void read_pax(struct walk *w)
{
	const char *at = w->body.data;
	const char *end = at + w->body.len;

	while (at < end) {
		size_t len = 0;
		const char *key = at;
		while (key < end && *key >= '0' && *key <= '9' && len < LIMIT_MEMBER_HEADERS)
			len = len * 10 + (size_t)(*key++ - '0');
		if (key == end || *key != ' ' || len > (size_t)(end - at) || at + len <= key + 1)
			return;
		key++;
		const char *stop = at + len - 1; /* the newline */
		if (stop - key > 5 && !memcmp(key, "size=", 5) &&
		    text_parse_u64(key + 5, (size_t)(stop - key - 5), INT64_MAX, &w->pax_size))
			w->has_pax_size = true;
		at += len;
	}
}

/* The 512 bytes where a header belongs are complete. */
static int take_block(struct walk *w, struct err *e)
{
	const enum coding again = w->next ? CODING_NONE : coding_detect(w->block, TAR_BLOCK);
	uint64_t size;
	const char type = tar_block_type(w->block);
	const bool record = tar_block_is_record(w->block) || type == 'g';

	w->have = 0;
	if (tar_block_is_zero(w->block)) {
		if (w->next == 0)
			return err_set(e, ERR_CORRUPT, "there is nothing but zeros in it");
		w->ended = true;
		w->end = w->next;
		return 0;
	}
	if (!tar_block_is_header(w->block) || !tar_block_size(w->block, &size)) {
		if (again != CODING_NONE)
			return err_set(e, ERR_CORRUPT, "there is %s in it: it was compressed twice; unpack it once",
				       coding_name(again));
		if (w->next == 0)
			return sniff_refuse(w->block, TAR_BLOCK, e);
		return err_set(e, ERR_CORRUPT, "byte %" PRIu64 " of it: is not a tar from there on", w->next);
	}
	if (record && size > LIMIT_MEMBER_HEADERS)
		return err_set(e, ERR_CORRUPT, "byte %" PRIu64 " of it: more than %u bytes of header records", w->next,
			       LIMIT_MEMBER_HEADERS);
	if (!record && w->has_pax_size) {
		size = w->pax_size;
		w->has_pax_size = false;
	}
	/* Folders and links have no content, whatever their size field says. */
	if (type == '5' || type == '1' || type == '2')
		size = 0;
	uint64_t data = w->next + TAR_BLOCK;
	if (type == 'x')
		w->body_end = data + size;
	w->next = data + tar_padded(size);
	return 0;
}

/* The piece's part that is content: passed over, or collected if it is a pax header's. */
static int pass_content(struct walk *w, const char *bytes, size_t len, struct err *e)
{
	if (w->at < w->body_end) {
		size_t n = w->body_end - w->at < len ? (size_t)(w->body_end - w->at) : len;
		if (buf_add(&w->body, bytes, n, e))
			return -1;
	}
	w->at += len;
	if (w->body.len && w->at >= w->body_end) {
		read_pax(w);
		buf_clear(&w->body);
	}
	return 0;
}

static int follow(struct walk *w, const char *bytes, size_t len, struct err *e)
{
	while (len) {
		size_t n = len;
		if (w->ended) {
			w->at += n;
			if (w->at - w->end > LIMIT_TAR_TAIL)
				return err_set(e, ERR_CORRUPT, "more than %u bytes follow the end of the tar in it",
					       LIMIT_TAR_TAIL);
		} else if (w->at < w->next) {
			n = w->next - w->at < len ? (size_t)(w->next - w->at) : len;
			if (pass_content(w, bytes, n, e))
				return -1;
		} else {
			n = TAR_BLOCK - w->have < len ? TAR_BLOCK - w->have : len;
			memcpy(w->block + w->have, bytes, n);
			w->have += n;
			if (w->have == TAR_BLOCK) {
				w->at += TAR_BLOCK;
				if (take_block(w, e))
					return -1;
			}
		}
		bytes += n;
		len -= n;
	}
	return 0;
}

static int walk_write(struct sink *s, const void *bytes, size_t len, struct err *e)
{
	struct walk *w = (struct walk *)s;
	uint64_t off = w->at + w->have;

	if (follow(w, bytes, len, e))
		return -1;
	return space_pwrite(w->space, bytes, len, off, e);
}

static void walk_free(struct sink *s)
{
	struct walk *w = (struct walk *)s;

	buf_release(&w->body);
	free(w);
}

static struct sink *walk_new(struct space *space, struct err *e)
{
	static const struct sink_ops ops = { walk_write, walk_free };
	struct walk *w = calloc(1, sizeof(*w));

	if (!w) {
		err_memory(e);
		return NULL;
	}
	w->base.ops = &ops;
	w->space = space;
	return &w->base;
}

struct space *unpack_tar(struct space *packed, enum coding coding, struct err *e)
{
	AUTO(space) scratch = space_scratch(e);

	if (!scratch)
		return NULL;
	AUTO(source) s = source_decode(source_space(packed, 0, space_size(packed), e), coding, INT64_MAX, e);
	AUTO(sink) to = walk_new(scratch, e);
	if (!s || !to || pump(s, to, e)) {
		err_at(e, "cannot unpack its %s", coding_name(coding));
		return NULL;
	}
	return TAKE(scratch);
}
