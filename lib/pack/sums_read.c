/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/sums_inside.h"

#include "base/limits.h"
#include "base/text.h"
#include "pack/parity.h"

#include <limits.h>
#include <string.h>

/*
 * A table has one text and a text one table: the head's few numbers say everything but the digests, so the table is
 * made from them as sums_make() does, and every line must then stand as sums_write() would put it.
 */

struct text {
	const char *at;
	size_t left;
};

static bool take(struct text *t, const char *bytes, size_t len)
{
	if (t->left < len || memcmp(t->at, bytes, len) != 0)
		return false;
	t->at += len;
	t->left -= len;
	return true;
}

static bool take_word(struct text *t, const char *word)
{
	return take(t, word, strlen(word));
}

static bool take_hex(struct text *t, struct digest *out)
{
	const size_t len = (size_t)2 * DIGEST_RAW;

	if (t->left < len || !digest_parse_hex(out, t->at, len))
		return false;
	t->at += len;
	t->left -= len;
	return true;
}

/* A number and the byte behind it. */
static bool take_number(struct text *t, char end, uint64_t *out)
{
	const char *stop = memchr(t->at, end, t->left);
	const size_t len = stop ? (size_t)(stop - t->at) : 0;

	if (!stop || !text_parse_u64(t->at, len, INT64_MAX, out) || (len > 1 && *t->at == '0'))
		return false;
	t->at += len + 1;
	t->left -= len + 1;
	return true;
}

/* A base name to the end of the line, backslashes undone; false: it is none. */
static bool take_name(struct text *t, char out[NAME_MAX + 1])
{
	size_t n = 0;

	for (; t->left && *t->at != '\n' && n < NAME_MAX; t->at++, t->left--) {
		char c = *t->at;
		if (c == '\\') {
			static const char coded[] = "\\nr";
			const char *found = t->left > 1 && t->at[1] ? strchr(coded, t->at[1]) : NULL;
			if (!found)
				return false;
			c = "\\\n\r"[found - coded];
			t->at++;
			t->left--;
		}
		if (!c || c == '/')
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return n && strcmp(out, ".") != 0 && strcmp(out, "..") != 0 && take_word(t, "\n");
}

static bool read_head(struct text *t, struct sums *out, size_t max, struct err *e)
{
	char name[NAME_MAX + 1];
	struct digest set;
	uint64_t size;
	uint64_t chunk;
	uint64_t parity;

	return take_word(t, SUMS_HEAD "1\n# set sha256:") && take_hex(t, &set) && take_word(t, "\n# archive ") &&
	       take_number(t, ' ', &size) && take_number(t, ' ', &chunk) && take_name(t, name) &&
	       take_word(t, "# parity ") && take_number(t, '\n', &parity) && parity <= LIMIT_PARITY &&
	       !sums_make_within(out, name, &set, size, chunk, (size_t)parity, max, e);
}

static bool read_blocks(struct text *t, struct sums_file *f)
{
	for (size_t i = 0; i < sums_blocks(f); i++)
		if (!take_word(t, "# block ") || !take_hex(t, &f->blocks[i]) || !take_word(t, "\n"))
			return false;
	return true;
}

/* The rest of a file's lines; `line` holds those that must come first, and is used up. */
static bool read_file(struct text *t, struct sums_file *f, struct buf *line, struct err *e)
{
	if (!take(t, line->data, line->len) || !read_blocks(t, f))
		return false;
	buf_clear(line);
	if (!f->has_digest)
		return true;
	return !buf_puts(line, "  ", e) && !sums_put_name(line, f->name, e) && !buf_puts(line, "\n", e) &&
	       (!sums_name_is_odd(f->name) || take_word(t, "\\")) && take_hex(t, &f->digest) &&
	       take(t, line->data, line->len);
}

static bool read_files(struct text *t, struct sums *s, bool inside_parity, struct err *e)
{
	AUTO_BUF line = { 0 };

	for (size_t i = 0; i < s->count; i++) {
		buf_clear(&line);
		if (sums_put_chunk_head(&line, s, i, e) || !read_file(t, &s->chunks[i], &line, e))
			return false;
	}
	for (size_t i = 0; i < s->parity_count; i++) {
		buf_clear(&line);
		s->parity[i].has_digest = !inside_parity;
		if (sums_put_parity_head(&line, s, i, e) || !read_file(t, &s->parity[i], &line, e))
			return false;
	}
	return !t->left;
}

/* The end line stands for everything above it. Cuts it off. */
static bool check_end(struct text *t, struct err *e)
{
	struct text end;
	struct digest said;
	struct digest is;

	if (t->left < SUMS_END_LINE)
		return false;
	t->left -= SUMS_END_LINE;
	end = (struct text){ t->at + t->left, SUMS_END_LINE };
	return take_word(&end, "# end ") && take_hex(&end, &said) && take_word(&end, "\n") &&
	       !digest_of(&is, t->at, t->left, e) && digest_equal(&said, &is);
}

bool sums_detect(const char *text, size_t len)
{
	return take_word(&(struct text){ text, len }, SUMS_HEAD);
}

int sums_parse(struct sums *out, const char *text, size_t len, struct err *e)
{
	AUTO_SUMS s = { 0 };
	struct text t = { text, len };
	struct err inner = { 0 };
	size_t whole = 0;

	if (len > LIMIT_SUMS)
		return err_set(e, ERR_CORRUPT, "the table has %zu bytes, at most %u are allowed", len, LIMIT_SUMS);
	if (sums_detect(text, len) && !take_word(&(struct text){ text, len }, SUMS_HEAD "1\n"))
		return err_set(e, ERR_CORRUPT, "the table is damaged, or of a newer version; use a newer imgpack");
	/* The last file has a sum behind its blocks, or this is the copy inside a parity file. */
	if (check_end(&t, &inner) && read_head(&t, &s, len, &inner) && !sums_text_size(&s, false, &whole, &inner) &&
	    read_files(&t, &s, whole != len, &inner)) {
		*out = s;
		s = (struct sums){ 0 };
		return 0;
	}
	if (inner.kind == ERR_LOCAL) {
		if (e)
			*e = inner;
		return -1;
	}
	return err_set(e, ERR_CORRUPT, "the table is damaged");
}
