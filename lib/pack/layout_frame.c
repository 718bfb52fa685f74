/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cancel.h"
#include "pack/layout.h"

#include <inttypes.h>
#include <string.h>

/* The frame: what of an archive is known without its blobs. */

void layout_gap(const struct layout *l, size_t i, struct layout_gap *g)
{
	const struct member *before = i ? &l->members[i - 1] : NULL;
	uint64_t header = i < l->count ? l->members[i].header : l->size - 2 * TAR_BLOCK;

	memset(g->bytes, 0, sizeof(g->bytes));
	g->off = before ? before->data + before->promise.size : 0;
	g->padding = (size_t)(header - g->off);
	g->len = g->padding + (i < l->count ? TAR_BLOCK : 2 * TAR_BLOCK);
	if (i < l->count)
		tar_header(g->bytes + g->padding, l->members[i].name, l->members[i].promise.size);
}

int layout_write_frame(const struct layout *l, struct space *space, struct err *e)
{
	struct layout_gap g;

	for (size_t i = 0; i <= l->count; i++) {
		const struct member *m = i < l->count ? &l->members[i] : NULL;
		if (cancel_check(e))
			return -1;
		layout_gap(l, i, &g);
		if (space_pwrite(space, g.bytes, g.len, g.off, e))
			return -1;
		if (m && m->bytes && space_pwrite(space, m->bytes, (size_t)m->promise.size, m->data, e))
			return err_at(e, "%s", m->name);
	}
	return 0;
}

/* The last member whose data begins at or before `off`; count: none. */
static size_t member_at(const struct layout *l, uint64_t off)
{
	size_t low = 0;
	size_t high = l->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (l->members[middle].data <= off)
			low = middle + 1;
		else
			high = middle;
	}
	return low ? low - 1 : l->count;
}

size_t layout_part(const struct layout *l, uint64_t off, size_t len, char *buf, const struct member **blob,
		   uint64_t *from)
{
	const size_t i = member_at(l, off);
	const struct member *m = i < l->count ? &l->members[i] : NULL;
	struct layout_gap g;
	uint64_t left;

	*blob = NULL;
	if (m && off < m->data + m->promise.size) {
		*from = off - m->data;
		left = m->promise.size - *from;
		const size_t n = left < len ? (size_t)left : len;
		if (m->bytes)
			memcpy(buf, m->bytes + *from, n);
		else
			*blob = m;
		return n;
	}
	layout_gap(l, m ? i + 1 : 0, &g);
	left = g.off + g.len - off;
	const size_t n = left < len ? (size_t)left : len;
	memcpy(buf, g.bytes + (off - g.off), n);
	return n;
}

/* The position of the first difference, or len. */
static size_t difference(const char *a, const char *b, size_t len)
{
	if (!len || !memcmp(a, b, len))
		return len;
	size_t i = 0;
	while (a[i] == b[i])
		i++;
	return i;
}

int layout_check_gap(const struct layout *l, size_t i, const char *have, struct err *e)
{
	struct layout_gap g;

	layout_gap(l, i, &g);
	size_t at = difference(have, g.bytes, g.len);
	if (at == g.len)
		return 0;
	uint64_t off = g.off + at;
	if (at < g.padding)
		return err_set(e, ERR_CORRUPT, "%s: byte %" PRIu64 ": the padding behind it is 0x%02x, expected 0x00",
			       l->members[i - 1].name, off, (unsigned char)have[at]);
	if (i == l->count)
		return err_set(e, ERR_CORRUPT, "byte %" PRIu64 ": the end blocks have 0x%02x, expected 0x00", off,
			       (unsigned char)have[at]);
	return err_set(e, ERR_CORRUPT, "%s: byte %" PRIu64 ": its tar header has 0x%02x, expected 0x%02x",
		       l->members[i].name, off, (unsigned char)have[at], (unsigned char)g.bytes[at]);
}

static int check_gap(const struct layout *l, size_t i, struct space *space, struct err *e)
{
	char have[LAYOUT_GAP_MOST];
	struct layout_gap g;

	layout_gap(l, i, &g);
	return space_pread(space, have, g.len, g.off, e) ? -1 : layout_check_gap(l, i, have, e);
}

int layout_check_bytes(const struct member *m, uint64_t done, const char *have, size_t len, struct err *e)
{
	const char *want = m->bytes + done;
	size_t at = difference(have, want, len);

	if (at == len)
		return 0;
	return err_set(e, ERR_CORRUPT, "%s: byte %" PRIu64 " (%" PRIu64 " of the member) has 0x%02x, expected 0x%02x",
		       m->name, m->data + done + at, done + at, (unsigned char)have[at], (unsigned char)want[at]);
}

static int check_paper(const struct member *m, struct space *space, struct err *e)
{
	char have[16384];

	for (uint64_t done = 0; done < m->promise.size;) {
		uint64_t left = m->promise.size - done;
		size_t n = left < sizeof(have) ? (size_t)left : sizeof(have);
		if (space_pread(space, have, n, m->data + done, e))
			return err_at(e, "%s", m->name);
		if (layout_check_bytes(m, done, have, n, e))
			return -1;
		done += n;
	}
	return 0;
}

int layout_check_frame(const struct layout *l, struct space *space, struct err *e)
{
	uint64_t size = space_size(space);

	if (size < l->size)
		return err_set(e, ERR_CORRUPT, "has %" PRIu64 " bytes, must have %" PRIu64 ": %" PRIu64 " are missing",
			       size, l->size, l->size - size);
	if (size > l->size)
		return err_set(e, ERR_CORRUPT,
			       "has %" PRIu64 " bytes, must have %" PRIu64 ": %" PRIu64 " too many behind the end",
			       size, l->size, size - l->size);
	for (size_t i = 0; i <= l->count; i++) {
		if (cancel_check(e) || check_gap(l, i, space, e))
			return -1;
		if (i < l->count && l->members[i].blob < 0 && check_paper(&l->members[i], space, e))
			return -1;
	}
	return 0;
}
