/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/parity_inside.h"

#include "base/cancel.h"
#include "base/limits.h"
#include "base/parallel.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAGIC "imgpack-parity "
#define READ_PIECE (64u << 10)

int parity_put_header(struct buf *out, const struct sums *s, size_t i, const struct buf *table, struct err *e)
{
	const size_t from = out->len;

	if (buf_printf(out, e, MAGIC "1 %zu %zu %zu\n", i + 1, s->parity_count, table->len) ||
	    buf_add(out, table->data, table->len, e))
		return -1;
	const size_t padding = (size_t)s->parity[i].header - (out->len - from);
	if (buf_reserve(out, padding, e))
		return -1;
	memset(out->data + out->len, 0, padding + 1);
	out->len += padding;
	return 0;
}

int parity_write_header(const struct sums *s, size_t i, struct space *file, struct err *e)
{
	AUTO_BUF table = { 0 };
	AUTO_BUF header = { 0 };

	if (sums_write(s, true, &table, e) || parity_put_header(&header, s, i, &table, e) ||
	    space_pwrite(file, header.data, header.len, 0, e))
		return parity_name(s, i, e);
	return 0;
}

int parity_header_size(const struct sums *s, uint64_t *out, struct err *e)
{
	if (!s->parity_count)
		return err_set(e, ERR_USAGE, "there are no parity files");
	*out = s->parity[0].header;
	return 0;
}

/* The first line's numbers. Whatever they are, the header is made anew from them and compared. */
static bool read_line(const char *line, size_t *number, uint64_t *table)
{
	const char *word = line + strlen(MAGIC "1 ");
	uint64_t values[3];

	for (size_t i = 0; i < 3; i++) {
		const size_t len = strcspn(word, i < 2 ? " " : "\n");
		if (!word[len] || !text_parse_u64(word, len, LIMIT_SUMS, &values[i]))
			return false;
		word += len + 1;
	}
	*number = (size_t)values[0];
	*table = values[2];
	return *number > 0;
}

/* What stands behind the line: the table, and zeros. */
static int read_table(struct space *file, struct sums *out, size_t number, size_t line, uint64_t size, struct err *e)
{
	AUTO_SUMS s = { 0 };
	AUTO_BUF table = { 0 };
	AUTO_BUF want = { 0 };
	AUTO_BUF have = { 0 };

	if (size > LIMIT_SUMS || line + size > space_size(file))
		return err_set(e, ERR_CORRUPT, "its header is cut");
	if (buf_reserve(&table, (size_t)size, e) || space_pread(file, table.data, (size_t)size, line, e))
		return -1;
	table.len = (size_t)size;
	if (sums_parse(&s, table.data, table.len, e))
		return -1;
	if (number > s.parity_count || s.parity[0].has_digest)
		return err_set(e, ERR_CORRUPT, "its header is damaged");
	const size_t header = (size_t)s.parity[0].header;
	if (space_size(file) < header)
		return err_set(e, ERR_CORRUPT, "its header is cut");
	if (parity_put_header(&want, &s, number - 1, &table, e) || buf_reserve(&have, header, e) ||
	    space_pread(file, have.data, header, 0, e))
		return -1;
	if (want.len != header || memcmp(want.data, have.data, header) != 0)
		return err_set(e, ERR_CORRUPT, "its header is damaged");
	*out = s;
	s = (struct sums){ 0 };
	return 0;
}

int parity_read_header(struct space *file, struct sums *out, size_t *number, struct err *e)
{
	char line[PARITY_LINE + 1] = "";
	const size_t len = space_size(file) < PARITY_LINE ? (size_t)space_size(file) : PARITY_LINE;
	uint64_t table = 0;

	if (space_pread(file, line, len, 0, e))
		return -1;
	if (!text_starts(line, MAGIC))
		return 0;
	if (!text_starts(line, MAGIC "1 "))
		return err_set(e, ERR_CORRUPT, "its header is damaged, or of a newer version; use a newer imgpack");
	if (!read_line(line, number, &table))
		return err_set(e, ERR_CORRUPT, "its header is damaged");
	return read_table(file, out, *number, strcspn(line, "\n") + 1, table, e) ? -1 : 1;
}

int parity_name(const struct sums *s, size_t i, struct err *e)
{
	char shown[256];

	return err_at(e, "%s", text_escape_str(shown, sizeof(shown), s->parity[i].name));
}

/* The end of the making. */

struct finish {
	struct sums *sums;
	struct space *const *parity;
	const struct buf *table;
};

/* SHA-256 knows no way but from the front, and the head is the last that is known: so the file is read once more. */
static int hash_file(struct space *file, struct sums_file *f, struct err *e)
{
	AUTO(hasher) h = hasher_new(e);
	AUTO_MEM uint8_t *piece = malloc(READ_PIECE);

	if (!h)
		return -1;
	if (!piece)
		return err_memory(e);
	for (uint64_t at = 0; at < f->size;) {
		const size_t len = f->size - at < READ_PIECE ? (size_t)(f->size - at) : READ_PIECE;
		if (cancel_check(e) || space_pread(file, piece, len, at, e) || hasher_update(h, piece, len, e))
			return -1;
		at += len;
	}
	return hasher_finish(h, &f->digest, e);
}

static int finish_file(void *ctx, size_t i, size_t worker, struct err *e)
{
	const struct finish *f = ctx;
	AUTO_BUF header = { 0 };

	(void)worker;
	if (parity_put_header(&header, f->sums, i, f->table, e) ||
	    space_pwrite(f->parity[i], header.data, header.len, 0, e) ||
	    hash_file(f->parity[i], &f->sums->parity[i], e))
		return parity_name(f->sums, i, e);
	return 0;
}

int parity_finish(struct sums *s, struct space *const *parity, size_t threads, struct err *e)
{
	AUTO_BUF table = { 0 };
	struct finish f = { s, parity, &table };

	return sums_write(s, true, &table, e) ? -1 : parallel_for(s->parity_count, threads, finish_file, &f, e);
}
