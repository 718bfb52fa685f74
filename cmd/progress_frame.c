/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/progress_frame.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define BYTES_COLUMNS 17 /* "12.3 MB / 31.4 MB", right-aligned */
#define NAME_COLUMNS 28  /* "sha256:0123abcd4567 layer", and some */
#define BAR_LEAST 10
#define BAR_MOST 40
#define WITH_BAR (NAME_COLUMNS + 1 + BAR_LEAST + 2 + 1 + BYTES_COLUMNS)
#define WITH_BYTES 36 /* narrower: the name and a percentage */
#define CANDIDATE 160 /* bytes of a total line */

int frame_fit(struct buf *out, const char *text, unsigned columns, bool pad, struct err *e)
{
	unsigned used = 0;

	while (*text) {
		char one[8] = { text[0] };
		size_t len = 1;
		while (len < 4 && ((unsigned char)text[len] & 0xc0) == 0x80) {
			one[len] = text[len];
			len++;
		}
		size_t wide = text_columns(one);
		if (used + wide > columns)
			break;
		if (buf_add(out, text, len, e))
			return -1;
		used += (unsigned)wide;
		text += len;
	}
	while (pad && used < columns) {
		if (buf_puts(out, " ", e))
			return -1;
		used++;
	}
	return 0;
}

/* 0 to 100, rounded down: 100 is said when it is done, not before. */
static unsigned percent(uint64_t done, uint64_t total)
{
	if (done >= total)
		return 100;
	return (unsigned)((double)done * 100.0 / (double)total);
}

static int bar(struct buf *out, uint64_t done, uint64_t total, unsigned columns, struct err *e)
{
	unsigned full = total && done < total ? (unsigned)((double)done / (double)total * columns) : columns;

	if (buf_puts(out, "[", e))
		return -1;
	for (unsigned i = 0; i < columns; i++) {
		if (buf_puts(out, i < full ? "=" : i == full ? ">" : " ", e))
			return -1;
	}
	return buf_puts(out, "]", e);
}

static int bytes_of(struct buf *out, const struct work_item *item, struct err *e)
{
	char done[TEXT_SIZE_CAP], total[TEXT_SIZE_CAP], both[2 * TEXT_SIZE_CAP + 4];

	if (item->total)
		(void)snprintf(both, sizeof(both), "%s / %s", text_size(done, item->done),
			       text_size(total, item->total));
	else
		(void)snprintf(both, sizeof(both), "%s", text_size(done, item->done));
	return buf_printf(out, e, "%*s", BYTES_COLUMNS, both);
}

int frame_item(struct buf *out, const struct work_item *item, unsigned columns, struct err *e)
{
	if (columns >= WITH_BAR) {
		unsigned cells = columns - (WITH_BAR - BAR_LEAST);
		if (frame_fit(out, item->name, NAME_COLUMNS, true, e) || buf_puts(out, " ", e))
			return -1;
		if (bar(out, item->done, item->total, cells < BAR_MOST ? cells : BAR_MOST, e) || buf_puts(out, " ", e))
			return -1;
		return bytes_of(out, item, e);
	}
	if (columns >= WITH_BYTES) {
		if (frame_fit(out, item->name, columns - BYTES_COLUMNS - 1, true, e) || buf_puts(out, " ", e))
			return -1;
		return bytes_of(out, item, e);
	}
	if (columns < 6 || !item->total)
		return frame_fit(out, item->name, columns, false, e);
	if (frame_fit(out, item->name, columns - 5, true, e))
		return -1;
	return buf_printf(out, e, " %3u%%", percent(item->done, item->total));
}

/* The parts of a total line, ready to be put together in several lengths. "" where a part is not known. */
struct parts {
	char count[48];
	char bytes[2 * TEXT_SIZE_CAP + 8];
	char percent[8];
	char rate[TEXT_SIZE_CAP + 8];
	char left[TEXT_DURATION_CAP + 16];
};

static void take_apart(struct parts *p, const struct work_total *t, const char *between)
{
	char done[TEXT_SIZE_CAP], total[TEXT_SIZE_CAP], rate[TEXT_SIZE_CAP], left[TEXT_DURATION_CAP];

	*p = (struct parts){ 0 };
	if (t->items)
		(void)snprintf(p->count, sizeof(p->count), "%llu of %llu", (unsigned long long)t->items_done,
			       (unsigned long long)t->items);
	if (t->total) {
		(void)snprintf(p->bytes, sizeof(p->bytes), "%s %s %s", text_size(done, t->done), between,
			       text_size(total, t->total));
		(void)snprintf(p->percent, sizeof(p->percent), "%u%%", percent(t->done, t->total));
	} else {
		(void)snprintf(p->bytes, sizeof(p->bytes), "%s", text_size(done, t->done));
	}
	if (!t->rate)
		return;
	(void)snprintf(p->rate, sizeof(p->rate), "%s/s", text_size(rate, t->rate));
	if (t->total > t->done)
		(void)snprintf(p->left, sizeof(p->left), "%s left",
			       text_duration(left, (t->total - t->done + t->rate - 1) / t->rate));
}

/* The parts that are not empty, with commas between. */
static void join(char out[CANDIDATE], const char *const *parts)
{
	size_t used = 0;

	out[0] = '\0';
	for (; *parts; parts++) {
		if (!**parts)
			continue;
		int n = snprintf(out + used, CANDIDATE - used, "%s%s", used ? ", " : "", *parts);
		if (n > 0 && used + (size_t)n < CANDIDATE)
			used += (size_t)n;
	}
}

int frame_total(struct buf *out, const struct work_total *t, unsigned columns, struct err *e)
{
	struct parts p;
	char line[CANDIDATE];

	take_apart(&p, t, "/");
	/* From the whole story to the one number. */
	const char *const lines[][6] = {
		{ p.count, p.bytes, p.percent, p.rate, p.left, NULL },
		{ p.bytes, p.percent, p.rate, p.left, NULL },
		{ p.percent, p.rate, p.left, NULL },
		{ p.bytes, p.percent, NULL },
		{ p.percent, p.left, NULL },
		{ p.percent, NULL },
		{ p.bytes, NULL },
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		join(line, lines[i]);
		if (line[0] && strlen(line) <= columns)
			return buf_puts(out, line, e);
	}
	return 0;
}

int frame_total_plain(struct buf *out, const struct work_total *t, struct err *e)
{
	struct parts p;
	char line[CANDIDATE];

	take_apart(&p, t, "of");
	const char *const parts[] = { p.bytes, p.percent, p.rate, p.left, NULL };
	join(line, parts);
	return buf_puts(out, line, e);
}
