/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/inventory.h"

#include "base/limits.h"
#include "base/text.h"

#include <string.h>

#define VERSION_LINE "imgpack-inventory 1\n"
#define COMMENT_MARK "# "
#define COMMENT_MARK_MORE "#   " /* of a comment's second and further lines */
#define ENTRY_LONGEST 72         /* "sha256:", the digits and a newline */
#define HEAD_ROOM 4096           /* of LIMIT_INVENTORY, for all that is no entry */

struct have {
	struct digest *items;
	size_t count;
	size_t capacity;
	struct digestmap *map; /* a digest is in it if it is in items; the number means nothing */
};

struct inventory {
	struct have kinds[HAVE_KINDS];
	struct buf comments; /* whole lines */
};

struct inventory *inventory_new(struct err *e)
{
	AUTO(inventory) v = calloc(1, sizeof(*v));

	if (!v) {
		err_memory(e);
		return NULL;
	}
	for (size_t k = 0; k < HAVE_KINDS; k++) {
		v->kinds[k].map = digestmap_new(e);
		if (!v->kinds[k].map)
			return NULL;
	}
	return TAKE(v);
}

void inventory_free(struct inventory *v)
{
	if (!v)
		return;
	for (size_t k = 0; k < HAVE_KINDS; k++) {
		free(v->kinds[k].items);
		digestmap_free(v->kinds[k].map);
	}
	buf_release(&v->comments);
	free(v);
}

int inventory_add(struct inventory *v, enum have_kind kind, const struct digest *d, struct err *e)
{
	struct have *h = &v->kinds[kind];

	if (digestmap_get(h->map, d) >= 0)
		return 0;
	if (GROW(h->items, h->capacity, h->count, e) || digestmap_put(h->map, d, 0, e))
		return -1;
	h->items[h->count++] = *d;
	return 0;
}

bool inventory_has(const struct inventory *v, enum have_kind kind, const struct digest *d)
{
	return digestmap_get(v->kinds[kind].map, d) >= 0;
}

size_t inventory_count(const struct inventory *v, enum have_kind kind)
{
	return v->kinds[kind].count;
}

int inventory_add_pack(struct inventory *v, const struct pack *p, struct err *e)
{
	for (size_t i = 0; i < p->blob_count; i++)
		if (inventory_add(v, HAVE_BLOB, &p->blobs[i].promise.digest, e))
			return -1;
	for (size_t i = 0; i < p->image_count; i++)
		for (size_t m = 0; m < p->images[i].manifest_count; m++) {
			const struct pack_manifest *manifest = &p->images[i].manifests[m];
			if (manifest->image && inventory_add_chains(v, manifest->diff_ids, manifest->layer_count, e))
				return -1;
		}
	return 0;
}

bool inventory_covers(const struct inventory *v, const struct digest *blob, const struct digest *chain)
{
	const bool chains = inventory_count(v, HAVE_CHAIN) > 0;
	const bool blobs = inventory_count(v, HAVE_BLOB) > 0;

	if (chains && !(chain && inventory_has(v, HAVE_CHAIN, chain)))
		return false;
	return blobs ? inventory_has(v, HAVE_BLOB, blob) : chains;
}

int inventory_chain(struct digest *chain, bool base, const struct digest *diff_id, struct err *e)
{
	char text[2 * DIGEST_TEXT_SIZE];

	if (base) {
		*chain = *diff_id;
		return 0;
	}
	digest_text(chain, text);
	text[DIGEST_TEXT_SIZE - 1] = ' ';
	digest_text(diff_id, text + DIGEST_TEXT_SIZE);
	return digest_of(chain, text, sizeof(text) - 1, e);
}

int inventory_add_chains(struct inventory *v, const struct digest *diff_ids, size_t count, struct err *e)
{
	struct digest chain;

	for (size_t i = 0; i < count; i++)
		if (inventory_chain(&chain, i == 0, &diff_ids[i], e) || inventory_add(v, HAVE_CHAIN, &chain, e))
			return -1;
	return 0;
}

/* How much of the text a comment's line takes: up to the last blank that fits, or all that fits. */
static size_t comment_piece(const char *text, size_t room)
{
	const size_t len = strlen(text);

	if (len <= room)
		return len;
	for (size_t n = room; n > 0; n--)
		if (text[n] == ' ')
			return n;
	return room;
}

int inventory_comment(struct inventory *v, const char *text, struct err *e)
{
	char plain[1024] = "";
	size_t n = 0;
	const char *mark = COMMENT_MARK;

	for (; *text && n < sizeof(plain) - 1; text++)
		plain[n++] = (char)(*text >= ' ' && *text < 0x7f ? *text : '?');
	plain[n] = '\0';
	for (const char *at = plain; *at; mark = COMMENT_MARK_MORE) {
		const size_t piece = comment_piece(at, INVENTORY_LINE - strlen(COMMENT_MARK_MORE));
		if (buf_printf(&v->comments, e, "%s%.*s\n", mark, (int)piece, at))
			return -1;
		at += piece;
		at += *at == ' ';
	}
	return 0;
}

static int order(const void *a, const void *b)
{
	return digest_compare(a, b);
}

/* The version line and the digests: what the end line is over. */
static int hash_entries(struct inventory *v, struct digest *out, struct buf *text, struct err *e)
{
	char line[DIGEST_TEXT_SIZE + 1];
	AUTO(hasher) h = hasher_new(e);

	if (!h || hasher_update(h, VERSION_LINE, strlen(VERSION_LINE), e))
		return -1;
	for (size_t k = 0; k < HAVE_KINDS; k++) {
		struct have *have = &v->kinds[k];
		if (have->count)
			qsort(have->items, have->count, sizeof(*have->items), order);
		for (size_t i = 0; i < have->count; i++) {
			digest_text(&have->items[i], line);
			if (k == HAVE_CHAIN) {
				memcpy(line, "chain:", 6);
				digest_hex(&have->items[i], line + 6);
			}
			const size_t len = strlen(line);
			line[len] = '\n';
			if (hasher_update(h, line, len + 1, e) || (text && buf_add(text, line, len + 1, e)))
				return -1;
		}
	}
	return hasher_finish(h, out, e);
}

static size_t entries(const struct inventory *v)
{
	return v->kinds[HAVE_CHAIN].count + v->kinds[HAVE_BLOB].count;
}

int inventory_write(struct inventory *v, struct buf *out, struct err *e)
{
	char hex[DIGEST_HEX_SIZE];
	struct digest all;

	if (entries(v) > (LIMIT_INVENTORY - HEAD_ROOM - v->comments.len) / ENTRY_LONGEST)
		return err_set(e, ERR_USAGE, "the list would have %zu digests, more than %u bytes; make several",
			       entries(v), LIMIT_INVENTORY);
	if (buf_puts(out, VERSION_LINE, e) ||
	    buf_add(out, v->comments.data ? v->comments.data : "", v->comments.len, e) || hash_entries(v, &all, out, e))
		return -1;
	return buf_printf(out, e, "end %zu %s\n", entries(v), digest_hex(&all, hex));
}

/* Reading. */

struct lines {
	const char *at;
	size_t left;
	size_t number; /* of the line that was taken last */
};

/* An editor's byte-order mark is none of the text. */
static struct lines lines_of(const char *text, size_t len)
{
	const size_t mark = len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3) ? 3 : 0;

	return (struct lines){ .at = text + mark, .left = len - mark };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * The next line that says something, without the blanks around it and a mail's quoting before it; false: there is none.
 * Comments are none.
 */
static bool take_line(struct lines *t, const char **line, size_t *len)
{
	while (t->left) {
		size_t n = 0;
		while (n < t->left && t->at[n] != '\n' && t->at[n] != '\r')
			n++;
		const char *from = t->at;
		const char *to = t->at + n;
		if (n < t->left)
			n += t->at[n] == '\r' && t->left - n > 1 && t->at[n + 1] == '\n' ? 2 : 1;
		t->at += n;
		t->left -= n;
		t->number++;
		while (from < to && (is_blank(*from) || *from == '>'))
			from++;
		while (from < to && is_blank(to[-1]))
			to--;
		if (from == to || *from == '#')
			continue;
		*line = from;
		*len = (size_t)(to - from);
		return true;
	}
	return false;
}

/* True if the line is these words, whatever blanks stand between them; the last word is what is behind `first`. */
static bool line_is(const char *line, size_t len, const char *first, const char **rest, size_t *rest_len)
{
	const size_t n = strlen(first);

	if (len <= n || memcmp(line, first, n) != 0 || !is_blank(line[n]))
		return false;
	line += n;
	len -= n;
	while (len && is_blank(*line)) {
		line++;
		len--;
	}
	*rest = line;
	*rest_len = len;
	return true;
}

/* "end 12 <hex>" */
static bool read_end(const char *line, size_t len, uint64_t *count, struct digest *out)
{
	const char *rest;
	size_t left;
	size_t n = 0;

	if (!line_is(line, len, "end", &rest, &left))
		return false;
	while (n < left && !is_blank(rest[n]))
		n++;
	if (!text_parse_u64(rest, n, LIMIT_INVENTORY, count) || (n > 1 && *rest == '0'))
		return false;
	while (n < left && is_blank(rest[n]))
		n++;
	return digest_parse_hex(out, rest + n, left - n);
}

static bool read_entry(const char *line, size_t len, enum have_kind *kind, struct digest *out)
{
	*kind = len > 6 && !memcmp(line, "chain:", 6) ? HAVE_CHAIN : HAVE_BLOB;
	return *kind == HAVE_CHAIN ? digest_parse_hex(out, line + 6, len - 6) : !digest_parse(out, line, len, NULL);
}

static int damaged(const struct lines *t, const char *line, size_t len, const char *why, struct err *e)
{
	char shown[96];

	err_set(e, ERR_CORRUPT, "the list is damaged at line %zu: \"%s\" %s", t->number,
		text_escape(shown, sizeof(shown), line, len), why);
	if (len && line[len - 1] == '=')
		err_hint(e, "a mail in quoted-printable must be decoded first, as mail programs do when they save it");
	return err_hint(e, "carry it over again");
}

static int read_version(struct lines *t, struct err *e)
{
	const char *line;
	const char *version;
	size_t len;
	char shown[48];

	if (t->left >= 2 && (!memcmp(t->at, "\xff\xfe", 2) || !memcmp(t->at, "\xfe\xff", 2)))
		return err_set(e, ERR_CORRUPT,
			       "the list is UTF-16 text: save it as plain text, or use inventory -o FILE");
	if (!take_line(t, &line, &len) || !line_is(line, len, "imgpack-inventory", &version, &len))
		return err_set(e, ERR_CORRUPT, "it is no list of `imgpack inventory`");
	if (len == 1 && *version == '1')
		return 0;
	return err_set(e, ERR_CORRUPT, "the list is of version \"%s\", or damaged; a newer imgpack may know it",
		       text_escape(shown, sizeof(shown), version, len));
}

/* Both kinds ascend, and chains stand before blobs; so no digest stands twice. */
static bool ascends(const struct inventory *v, enum have_kind kind, const struct digest *d)
{
	const struct have *h = &v->kinds[kind];

	if (kind == HAVE_CHAIN && v->kinds[HAVE_BLOB].count)
		return false;
	return !h->count || digest_compare(&h->items[h->count - 1], d) < 0;
}

/* Digests up to the end line; what that one says goes to *count and *sum. */
static int read_entries(struct lines *t, struct inventory *v, uint64_t *count, struct digest *sum, struct err *e)
{
	const char *line;
	size_t len;
	enum have_kind kind;
	struct digest d;

	while (take_line(t, &line, &len)) {
		if (read_end(line, len, count, sum))
			return 0;
		if (!read_entry(line, len, &kind, &d))
			return damaged(t, line, len, "is no digest", e);
		if (!ascends(v, kind, &d))
			return damaged(t, line, len, "stands out of order", e);
		if (inventory_add(v, kind, &d, e))
			return -1;
	}
	err_set(e, ERR_CORRUPT, "the list has no end line: it was cut behind %zu digests", entries(v));
	return err_hint(e, "carry it over again");
}

static int read_list(struct lines *t, struct inventory *v, struct err *e)
{
	struct digest said;
	struct digest have;
	const char *line;
	size_t len;
	uint64_t count = 0;

	if (read_version(t, e) || read_entries(t, v, &count, &said, e))
		return -1;
	if (count != entries(v)) {
		err_set(e, ERR_CORRUPT, "the list is damaged: it has %zu digests, and its end line counts %llu",
			entries(v), (unsigned long long)count);
		return err_hint(e, "carry it over again");
	}
	if (hash_entries(v, &have, NULL, e))
		return -1;
	if (!digest_equal(&have, &said)) {
		err_set(e, ERR_CORRUPT, "the list is damaged: its digests are not those that its end line is about");
		return err_hint(e, "carry it over again");
	}
	return take_line(t, &line, &len) ? damaged(t, line, len, "stands behind the end line", e) : 0;
}

bool inventory_detect(const char *text, size_t len)
{
	struct lines t = lines_of(text, len);
	const char *line;
	const char *version;

	return take_line(&t, &line, &len) && line_is(line, len, "imgpack-inventory", &version, &len);
}

int inventory_parse(struct inventory *v, const char *text, size_t len, struct err *e)
{
	AUTO(inventory) read = inventory_new(e);
	struct lines t = lines_of(text, len);

	if (!read)
		return -1;
	if (len > LIMIT_INVENTORY)
		return err_set(e, ERR_CORRUPT, "the list has %zu bytes, at most %u are allowed", len, LIMIT_INVENTORY);
	if (read_list(&t, read, e))
		return -1;
	for (size_t k = 0; k < HAVE_KINDS; k++)
		for (size_t i = 0; i < read->kinds[k].count; i++)
			if (inventory_add(v, k, &read->kinds[k].items[i], e))
				return -1;
	return 0;
}
