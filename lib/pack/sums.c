/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/sums_inside.h"

#include "base/limits.h"
#include "base/text.h"
#include "pack/parity_inside.h"
#include "stream/space.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A file's blocks: what lies behind its header, cut. */

size_t sums_blocks(const struct sums_file *f)
{
	return (size_t)((f->size - f->header + SUMS_BLOCK - 1) / SUMS_BLOCK);
}

uint64_t sums_block_size(const struct sums_file *f, size_t block)
{
	const uint64_t left = f->size - f->header - (uint64_t)block * SUMS_BLOCK;

	return left < SUMS_BLOCK ? left : SUMS_BLOCK;
}

void sums_release(struct sums *s)
{
	for (size_t i = 0; s->chunks && i < s->count; i++) {
		free(s->chunks[i].name);
		free(s->chunks[i].blocks);
	}
	for (size_t i = 0; s->parity && i < s->parity_count; i++) {
		free(s->parity[i].name);
		free(s->parity[i].blocks);
	}
	free(s->chunks);
	free(s->parity);
	free(s->archive);
	*s = (struct sums){ 0 };
}

/* Names. */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* How many bytes of the path are left without ".tar" or ".tar.zst". */
static size_t stem(const char *path)
{
	static const char *const endings[] = { ".tar", ".tar.zst" };
	const size_t len = strlen(path);
	const size_t name = strlen(base_name(path));

	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		const size_t n = strlen(endings[i]);
		if (name > n && !strcmp(path + len - n, endings[i]))
			return len - n;
	}
	return len;
}

char *sums_path(const char *path, const char *suffix, struct err *e)
{
	AUTO_BUF b = { 0 };

	return buf_add(&b, path, stem(path), e) || buf_puts(&b, suffix, e) ? NULL : buf_take(&b);
}

char *sums_parity_path(const char *path, size_t number, size_t count, struct err *e)
{
	char suffix[48];
	const int width = count > 99 ? 3 : 2;

	(void)snprintf(suffix, sizeof(suffix), ".parity.%0*zu", width, number);
	return sums_path(path, suffix, e);
}

bool sums_name_is_odd(const char *name)
{
	return name[strcspn(name, "\\\n\r")] != '\0';
}

int sums_put_name(struct buf *out, const char *name, struct err *e)
{
	static const char odd[] = "\\\n\r";
	static const char coded[] = "\\nr";

	for (; *name; name++) {
		const char *found = strchr(odd, *name);
		if (found ? buf_printf(out, e, "\\%c", coded[found - odd]) : buf_add(out, name, 1, e))
			return -1;
	}
	return 0;
}

/* The text. */

int sums_put_chunk_head(struct buf *out, const struct sums *s, size_t i, struct err *e)
{
	return buf_printf(out, e, "# chunk %zu %" PRIu64 "\n", i + 1, s->chunks[i].size);
}

int sums_put_parity_head(struct buf *out, const struct sums *s, size_t i, struct err *e)
{
	return buf_printf(out, e, "# parity-file %zu %" PRIu64 " %" PRIu64 "\n", i + 1, s->parity[i].size,
			  s->parity[i].header);
}

static int put_head(struct buf *out, const struct sums *s, struct err *e)
{
	char set[DIGEST_TEXT_SIZE];

	return buf_printf(out, e, SUMS_HEAD "1\n# set %s\n# archive %" PRIu64 " %" PRIu64 " ",
			  digest_text(&s->set, set), s->size, s->chunk) ||
			       sums_put_name(out, s->archive, e) ||
			       buf_printf(out, e, "\n# parity %zu\n", s->parity_count)
		       ? -1
		       : 0;
}

static int put_blocks(struct buf *out, const struct sums_file *f, struct err *e)
{
	char line[SUMS_BLOCK_LINE + 1] = "# block ";

	for (size_t i = 0; i < sums_blocks(f); i++) {
		digest_hex(&f->blocks[i], line + 8);
		line[SUMS_BLOCK_LINE - 1] = '\n';
		if (buf_add(out, line, SUMS_BLOCK_LINE, e))
			return -1;
	}
	return 0;
}

static int put_sum(struct buf *out, const struct sums_file *f, struct err *e)
{
	char hex[DIGEST_HEX_SIZE];

	return buf_printf(out, e, "%s%s  ", sums_name_is_odd(f->name) ? "\\" : "", digest_hex(&f->digest, hex)) ||
			       sums_put_name(out, f->name, e) || buf_puts(out, "\n", e)
		       ? -1
		       : 0;
}

/* Everything above the end line; without the lines of blocks it is short, and nearly at once there. */
static int put_all(struct buf *out, const struct sums *s, bool inside_parity, bool blocks, struct err *e)
{
	if (put_head(out, s, e))
		return -1;
	for (size_t i = 0; i < s->count; i++)
		if (sums_put_chunk_head(out, s, i, e) || (blocks && put_blocks(out, &s->chunks[i], e)) ||
		    put_sum(out, &s->chunks[i], e))
			return -1;
	for (size_t i = 0; i < s->parity_count; i++)
		if (sums_put_parity_head(out, s, i, e) || (blocks && put_blocks(out, &s->parity[i], e)) ||
		    (!inside_parity && put_sum(out, &s->parity[i], e)))
			return -1;
	return 0;
}

int sums_text_size(const struct sums *s, bool inside_parity, size_t *out, struct err *e)
{
	AUTO_BUF text = { 0 };

	if (put_all(&text, s, inside_parity, false, e))
		return -1;
	*out = text.len + SUMS_END_LINE;
	for (size_t i = 0; i < s->count; i++)
		*out += sums_blocks(&s->chunks[i]) * SUMS_BLOCK_LINE;
	for (size_t i = 0; i < s->parity_count; i++)
		*out += sums_blocks(&s->parity[i]) * SUMS_BLOCK_LINE;
	return 0;
}

int sums_write(const struct sums *s, bool inside_parity, struct buf *out, struct err *e)
{
	char hex[DIGEST_HEX_SIZE];
	struct digest all;
	size_t size;
	const size_t from = out->len;

	if (sums_text_size(s, inside_parity, &size, e) || buf_reserve(out, size, e) ||
	    put_all(out, s, inside_parity, true, e) || digest_of(&all, out->data + from, out->len - from, e))
		return -1;
	return buf_printf(out, e, "# end %s\n", digest_hex(&all, hex));
}

/* Making. */

/* A parity file's head holds the table, and the table says how large that head is: once it fits, it does not grow. */
static int settle_headers(struct sums *s, struct err *e)
{
	uint64_t header = 0;
	uint64_t need = PARITY_ALIGN;

	while (header != need) {
		size_t text;
		header = need;
		for (size_t i = 0; i < s->parity_count; i++) {
			s->parity[i].header = header;
			s->parity[i].size = header + s->chunks[0].size;
		}
		if (sums_text_size(s, true, &text, e))
			return -1;
		need = (PARITY_LINE + text + PARITY_ALIGN - 1) / PARITY_ALIGN * PARITY_ALIGN;
	}
	return 0;
}

static int fill(struct sums *s, const char *name, struct err *e)
{
	for (size_t i = 0; i < s->count; i++) {
		struct sums_file *f = &s->chunks[i];
		const uint64_t from = (uint64_t)i * s->chunk;
		f->size = s->chunk && s->size - from > s->chunk ? s->chunk : s->size - from;
		f->has_digest = true;
		f->name = s->chunk ? space_chunk_name(name, i + 1, s->count, e) : strdup(name);
		f->blocks = calloc(sums_blocks(f), sizeof(*f->blocks));
		if (!f->name || !f->blocks)
			return err_memory(e);
	}
	for (size_t i = 0; i < s->parity_count; i++) {
		struct sums_file *f = &s->parity[i];
		f->size = s->chunks[0].size;
		f->has_digest = true;
		f->name = sums_parity_path(name, i + 1, s->parity_count, e);
		f->blocks = calloc(sums_blocks(f), sizeof(*f->blocks));
		if (!f->name || !f->blocks)
			return err_memory(e);
	}
	return settle_headers(s, e);
}

/* What must hold before anything of the table's size is allocated. */
static int check_counts(const struct sums *s, size_t max, struct err *e)
{
	const uint64_t a_chunk = s->chunk && s->chunk < s->size ? s->chunk : s->size;
	const uint64_t blocks = s->size / SUMS_BLOCK + s->count + (a_chunk / SUMS_BLOCK) * s->parity_count;

	if (!s->size || s->size > INT64_MAX)
		return err_set(e, ERR_USAGE, "an archive of %" PRIu64 " bytes cannot be cut", s->size);
	if (s->count > LIMIT_CHUNKS)
		return err_set(e, ERR_USAGE, "%zu chunks are too many, at most %d are allowed; use larger ones",
			       s->count, LIMIT_CHUNKS);
	if (s->parity_count > LIMIT_PARITY)
		return err_set(e, ERR_USAGE, "%zu parity files are too many, at most %d are allowed", s->parity_count,
			       LIMIT_PARITY);
	if (s->parity_count && s->count + s->parity_count > LIMIT_ERASURE)
		return err_set(e, ERR_USAGE,
			       "%zu chunks and %zu parity files are too many, at most %d together are allowed; "
			       "use larger chunks",
			       s->count, s->parity_count, LIMIT_ERASURE);
	if (blocks - s->count > max / SUMS_BLOCK_LINE)
		return err_set(e, ERR_USAGE, "an archive of %" PRIu64 " bytes is too large for one table", s->size);
	return 0;
}

int sums_make_within(struct sums *out, const char *path, const struct digest *set, uint64_t size, uint64_t chunk,
		     size_t parity, size_t max, struct err *e)
{
	const char *name = base_name(path);
	AUTO_SUMS s = { .set = *set, .size = size, .chunk = chunk, .parity_count = parity };
	size_t text;

	s.count = space_chunk_count(size, chunk);
	if (check_counts(&s, max, e))
		return -1;
	s.archive = strdup(name);
	s.chunks = calloc(s.count, sizeof(*s.chunks));
	s.parity = calloc(parity + 1, sizeof(*s.parity));
	if (!s.archive || !s.chunks || !s.parity)
		return err_memory(e);
	if (fill(&s, name, e) || sums_text_size(&s, false, &text, e))
		return -1;
	if (text > LIMIT_SUMS)
		return err_set(e, ERR_USAGE, "an archive of %" PRIu64 " bytes is too large for one table", size);
	*out = s;
	s = (struct sums){ 0 };
	return 0;
}

int sums_make(struct sums *out, const char *path, const struct digest *set, uint64_t size, uint64_t chunk,
	      size_t parity, struct err *e)
{
	return sums_make_within(out, path, set, size, chunk, parity, LIMIT_SUMS, e);
}
