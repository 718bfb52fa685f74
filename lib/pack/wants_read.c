/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/wants.h"

#include "base/limits.h"
#include "base/text.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

/*
 * A list has one meaning and one text: it is read word by word, whatever stands between the words, and what was read is
 * written again; the end line must be the one that comes out.
 */

#define BLOCK_LEAST 75      /* "block 1 0 1 " and a digest's hex digits */
#define BLOCKS_LINE_MOST 64 /* room for the first line of a blocks file */
#define BLOCKS_WORD "imgpack-blocks "

struct words {
	const char *at;
	size_t left;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next word; false: there is none. */
static bool take(struct words *t, const char **word, size_t *len)
{
	size_t n = 0;

	while (t->left && is_blank(*t->at)) {
		t->at++;
		t->left--;
	}
	while (n < t->left && !is_blank(t->at[n]))
		n++;
	*word = t->at;
	*len = n;
	t->at += n;
	t->left -= n;
	return n > 0;
}

static bool take_word(struct words *t, const char *want)
{
	const char *word;
	size_t len;

	return take(t, &word, &len) && len == strlen(want) && !memcmp(word, want, len);
}

static bool take_number(struct words *t, uint64_t *out)
{
	const char *word;
	size_t len;

	return take(t, &word, &len) && text_parse_u64(word, len, INT64_MAX, out) && !(len > 1 && *word == '0');
}

static bool take_hex(struct words *t, struct digest *out)
{
	const char *word;
	size_t len;

	return take(t, &word, &len) && digest_parse_hex(out, word, len);
}

static bool take_digest(struct words *t, struct digest *out)
{
	const char *word;
	size_t len;

	return take(t, &word, &len) && !digest_parse(out, word, len, NULL);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A base name with its %XX undone; owned. */
static bool take_name(struct words *t, char **out, struct err *e)
{
	const char *word;
	size_t len;
	size_t n = 0;
	char name[NAME_MAX + 1];

	if (!take(t, &word, &len))
		return false;
	for (size_t i = 0; i < len; i++) {
		int c = (unsigned char)word[i];
		if (c == '%') {
			const int high = len - i > 2 ? hex_digit(word[i + 1]) : -1;
			const int low = len - i > 2 ? hex_digit(word[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = high * 16 + low;
			i += 2;
		}
		if (!c || c == '/' || n == NAME_MAX)
			return false;
		name[n++] = (char)c;
	}
	name[n] = '\0';
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	*out = strdup(name);
	if (!*out)
		err_memory(e);
	return *out;
}

/* Bytes of a chunk, from 0. */
static uint64_t chunk_size(const struct wants *w, uint64_t chunk)
{
	const uint64_t left = w->size - chunk * w->chunk;

	return w->chunk && w->chunk < left ? w->chunk : left;
}

/* A block that the archive has, behind the one before. */
static bool read_block(struct words *t, struct wants *w)
{
	struct wanted_block *b = &w->blocks[w->count];
	const struct wanted_block *before = w->count ? b - 1 : NULL;
	uint64_t chunk;
	uint64_t offset;

	if (!take_word(t, "block") || !take_number(t, &chunk) || !take_number(t, &offset) ||
	    !take_number(t, &b->size) || !take_hex(t, &b->digest))
		return false;
	if (!chunk || chunk > space_chunk_count(w->size, w->chunk) || offset % SUMS_BLOCK)
		return false;
	b->chunk = (size_t)chunk - 1;
	b->block = (size_t)(offset / SUMS_BLOCK);
	const uint64_t whole = chunk_size(w, b->chunk);
	if (offset >= whole || b->size != (whole - offset < SUMS_BLOCK ? whole - offset : SUMS_BLOCK))
		return false;
	if (before && (before->chunk > b->chunk || (before->chunk == b->chunk && before->block >= b->block)))
		return false;
	b->place = w->bytes;
	w->bytes += b->size;
	w->count++;
	return true;
}

static bool read_all(struct words *t, struct wants *w, struct digest *end, struct err *e)
{
	uint64_t count;
	uint64_t bytes;
	const char *more;
	size_t len;

	if (!take_word(t, "imgpack-wants") || !take_word(t, "1") || !take_word(t, "set") || !take_digest(t, &w->set) ||
	    !take_word(t, "archive") || !take_number(t, &w->size) || !take_number(t, &w->chunk) ||
	    !take_name(t, &w->archive, e) || !take_word(t, "blocks") || !take_number(t, &count) ||
	    !take_number(t, &bytes))
		return false;
	/* Before anything of the list's size is allocated. */
	if (!w->size || count > t->left / BLOCK_LEAST || space_chunk_count(w->size, w->chunk) > LIMIT_CHUNKS)
		return false;
	w->blocks = calloc((size_t)count + 1, sizeof(*w->blocks));
	w->capacity = (size_t)count + 1;
	if (!w->blocks) {
		err_memory(e);
		return false;
	}
	while (w->count < count)
		if (!read_block(t, w))
			return false;
	return w->bytes == bytes && take_word(t, "end") && take_hex(t, end) && !take(t, &more, &len);
}

static bool is_end(const struct buf *text, const struct digest *end)
{
	char hex[DIGEST_HEX_SIZE];
	const size_t len = (size_t)2 * DIGEST_RAW;

	digest_hex(end, hex);
	return text->len > len && !memcmp(text->data + text->len - len - 1, hex, len);
}

/* What the person may have given instead. */
static int refuse(const char *text, size_t len, struct err *e)
{
	struct words t = { text, len };
	const unsigned char *u = (const unsigned char *)text;

	if (len >= 2 && ((u[0] == 0xff && u[1] == 0xfe) || (u[0] == 0xfe && u[1] == 0xff)))
		return err_set(e, ERR_CORRUPT, "the list is UTF-16 text: save it as plain text, or use wants -o FILE");
	if (!take_word(&t, "imgpack-wants"))
		return err_set(e, ERR_CORRUPT, "it is no list of `imgpack wants`");
	if (!take_word(&t, "1"))
		return err_set(e, ERR_CORRUPT, "the list is damaged, or of a newer version; use a newer imgpack");
	return err_set(e, ERR_CORRUPT, "the list is damaged or not complete: carry it over again");
}

bool wants_detect(const char *text, size_t len)
{
	const size_t n = strlen(BLOCKS_WORD);
	struct words t = { text, len };

	return (len >= n && !memcmp(text, BLOCKS_WORD, n)) || take_word(&t, "imgpack-wants");
}

int wants_parse(struct wants *out, const char *text, size_t len, struct err *e)
{
	static const char mark[] = "\xef\xbb\xbf";
	AUTO_WANTS w = { 0 };
	AUTO_BUF again = { 0 };
	struct err inner = { 0 };
	struct digest end;

	if (len > LIMIT_SUMS)
		return err_set(e, ERR_CORRUPT, "the list has %zu bytes, at most %u are allowed", len, LIMIT_SUMS);
	if (len >= 3 && !memcmp(text, mark, 3)) {
		text += 3;
		len -= 3;
	}
	if (read_all(&(struct words){ text, len }, &w, &end, &inner) && !wants_write(&w, &again, &inner) &&
	    is_end(&again, &end)) {
		*out = w;
		w = (struct wants){ 0 };
		return 0;
	}
	if (inner.kind != ERR_LOCAL)
		return refuse(text, len, e);
	if (e)
		*e = inner;
	return -1;
}

/* The blocks file. */

/* The first line: its length and the list's; false: it is none. */
static bool read_line(const char *head, size_t len, size_t *line, uint64_t *list)
{
	struct words t = { head, len };
	const char *stop = memchr(head, '\n', len);

	if (!stop)
		return false;
	t.left = (size_t)(stop - head);
	*line = t.left + 1;
	return take_word(&t, "imgpack-blocks") && take_word(&t, "1") && take_number(&t, list) && *list <= LIMIT_SUMS;
}

static int read_head(struct space *file, size_t line, size_t len, struct wants *out, struct err *e)
{
	AUTO_MEM char *have = malloc(line + len);
	AUTO_BUF want = { 0 };
	AUTO_WANTS w = { 0 };

	if (!have)
		return err_memory(e);
	if (space_pread(file, have, line + len, 0, e) || wants_parse(&w, have + line, len, e) ||
	    blocks_write_head(&w, &want, e))
		return -1;
	if (want.len != line + len || memcmp(want.data, have, want.len) != 0)
		return err_set(e, ERR_CORRUPT, "its head is damaged");
	*out = w;
	w = (struct wants){ 0 };
	return 0;
}

int blocks_open(struct space *file, struct wants *out, uint64_t *header, struct err *e)
{
	char head[BLOCKS_LINE_MOST];
	const uint64_t size = space_size(file);
	const size_t n = size < sizeof(head) ? (size_t)size : sizeof(head);
	AUTO_WANTS w = { 0 };
	size_t line;
	uint64_t list;

	if (n < strlen(BLOCKS_WORD))
		return 0;
	if (space_pread(file, head, n, 0, e))
		return -1;
	if (memcmp(head, BLOCKS_WORD, strlen(BLOCKS_WORD)) != 0)
		return 0;
	if (!read_line(head, n, &line, &list))
		return err_set(e, ERR_CORRUPT, "its head is damaged, or of a newer version");
	if (size < line + list)
		return err_set(e, ERR_CORRUPT, "it ends inside its head: copy it again");
	if (read_head(file, line, (size_t)list, &w, e))
		return -1;
	const uint64_t whole = line + list + w.bytes;
	if (size != whole)
		return err_set(e, ERR_CORRUPT, "it has %" PRIu64 " bytes, must have %" PRIu64 ": copy it again", size,
			       whole);
	*header = line + list;
	*out = w;
	w = (struct wants){ 0 };
	return 1;
}
