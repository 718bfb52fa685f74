/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/progress.h"

#include "base/buf.h"
#include "base/text.h"
#include "cmd/progress_frame.h"

#include <pthread.h>
#include <string.h>

#define DRAW_MS 100    /* at most ten draws a second */
#define STALE_MS 1000  /* redrawn so often at least: the rate falls while nothing comes */
#define PLAIN_MS 10000 /* between two totals in a log */
#define SAMPLE_MS 500  /* the rate is that of the last SAMPLES of these */
#define SAMPLES 20
#define RATE_LEAST_MS 1000
#define RESUMED_STEP (8u << 20) /* a first step larger than this was there before: no part of the rate */
#define LINES 72                /* of a frame, at most */
#define CLEAR_COLOUR "\033[0m"
#define YELLOW "\033[33m"

struct sample {
	uint64_t at;
	uint64_t moved;
};

struct progress {
	struct progress_options options;
	struct progress_screen screen;
	pthread_mutex_t lock; /* guards all below */
	struct work_item *items;
	size_t count, capacity;
	struct work_total total; /* `done` holds finished items alone; totals() adds the running ones */
	bool working;            /* between a plan or the first item, and progress_finish() */
	bool dirty;
	uint64_t moved; /* bytes seen to move */
	struct sample samples[SAMPLES];
	size_t sample_count;
	uint64_t drawn_at; /* the last frame, or the last total in a log */
	bool ever_drawn;
	size_t lines; /* that stand on the screen */
	size_t widths[LINES];
};

struct progress *progress_new(const struct progress_options *options, const struct progress_screen *screen,
			      struct err *e)
{
	struct progress *p = calloc(1, sizeof(*p));

	if (!p || pthread_mutex_init(&p->lock, NULL)) {
		free(p);
		err_memory(e);
		return NULL;
	}
	p->options = *options;
	p->screen = *screen;
	return p;
}

void progress_free(struct progress *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p->items);
	free(p);
}

static bool draws(const struct progress *p)
{
	return p->options.terminal && !p->options.silent && !p->options.quiet;
}

static bool logs(const struct progress *p)
{
	return !p->options.terminal && !p->options.silent && !p->options.quiet;
}

static void put(struct progress *p, const struct buf *b)
{
	if (b->len)
		p->screen.write(p->screen.ctx, b->data, b->len);
}

static unsigned columns_of(struct progress *p, unsigned *rows)
{
	unsigned columns = 0;

	*rows = 0;
	p->screen.size(p->screen.ctx, &columns, rows);
	if (!*rows)
		*rows = 24;
	return columns ? columns : 80;
}

/* Remembers how far we were, so that the rate is that of the last seconds. */
static void sample(struct progress *p, uint64_t now)
{
	if (p->sample_count && now - p->samples[p->sample_count - 1].at < SAMPLE_MS)
		return;
	if (p->sample_count == SAMPLES) {
		memmove(p->samples, p->samples + 1, (SAMPLES - 1) * sizeof(p->samples[0]));
		p->sample_count--;
	}
	p->samples[p->sample_count++] = (struct sample){ now, p->moved };
}

static struct work_total totals(const struct progress *p, uint64_t now)
{
	struct work_total t = p->total;

	for (size_t i = 0; i < p->count; i++)
		t.done += p->items[i].done;
	if (t.total && t.done > t.total)
		t.done = t.total;
	if (p->sample_count && now - p->samples[0].at >= RATE_LEAST_MS)
		t.rate = (p->moved - p->samples[0].moved) * 1000 / (now - p->samples[0].at);
	return t;
}

/* To the first column of the first line that we drew. A window made narrower has broken our lines: count what they
 * take. */
static int go_up(struct progress *p, struct buf *b, unsigned columns, struct err *e)
{
	size_t up = 0;

	for (size_t i = 0; i < p->lines; i++)
		up += p->widths[i] > columns ? (p->widths[i] + columns - 1) / columns : 1;
	if (buf_puts(b, "\r", e))
		return -1;
	return up > 1 ? buf_printf(b, e, "\033[%zuA", up - 1) : 0;
}

static int erase(struct progress *p, struct buf *b, struct err *e)
{
	unsigned rows;

	if (!p->lines)
		return 0;
	if (go_up(p, b, columns_of(p, &rows), e) || buf_puts(b, "\033[J", e))
		return -1;
	p->lines = 0;
	return 0;
}

/* One line of the frame; `item` NULL: the total. */
static int line(struct progress *p, struct buf *b, const struct work_item *item, const struct work_total *t,
		unsigned columns, struct err *e)
{
	AUTO_BUF text = { 0 };

	if (item ? frame_item(&text, item, columns, e) : frame_total(&text, t, columns, e))
		return -1;
	if (p->lines && buf_puts(b, "\n", e))
		return -1;
	if (buf_add(b, text.len ? text.data : "", text.len, e) || buf_puts(b, "\033[K", e))
		return -1;
	p->widths[p->lines++] = text.len ? text_columns(text.data) : 0;
	return 0;
}

/* The whole frame over the last one, in one write. The last column stays free: some terminals wrap when it is filled.
 */
static int compose(struct progress *p, struct buf *b, uint64_t now, struct err *e)
{
	unsigned rows, columns = columns_of(p, &rows);
	struct work_total t = totals(p, now);
	size_t room = rows > 2 ? rows - 2 : 0;
	size_t items = columns < FRAME_NARROW ? 0 : p->count;

	if (items > room)
		items = room;
	if (items > LINES - 1)
		items = LINES - 1;
	if (buf_puts(b, "\033[?25l", e) || go_up(p, b, columns, e))
		return -1;
	p->lines = 0;
	for (size_t i = 0; i < items; i++) {
		if (line(p, b, &p->items[i], &t, columns - 1, e))
			return -1;
	}
	if (line(p, b, NULL, &t, columns - 1, e))
		return -1;
	return buf_puts(b, "\033[J\033[?25h", e);
}

static void draw(struct progress *p, uint64_t now)
{
	AUTO_BUF b = { 0 };

	if (compose(p, &b, now, NULL) == 0)
		put(p, &b);
	p->drawn_at = now;
	p->ever_drawn = true;
	p->dirty = false;
}

static void log_total(struct progress *p, uint64_t now)
{
	AUTO_BUF b = { 0 };
	struct work_total t = totals(p, now);

	if (frame_total_plain(&b, &t, NULL) == 0 && buf_puts(&b, "\n", NULL) == 0)
		put(p, &b);
	p->drawn_at = now;
}

/* After every event and tick: shows what is due. */
static void show(struct progress *p)
{
	uint64_t now = p->screen.now(p->screen.ctx);

	if (!p->working)
		return;
	sample(p, now);
	uint64_t since = now - p->drawn_at;
	if (draws(p) && (!p->ever_drawn || since >= (p->dirty ? DRAW_MS : STALE_MS)))
		draw(p, now);
	else if (logs(p) && since >= PLAIN_MS)
		log_total(p, now);
}

/* A line that stays: over the frame, which comes back with the next draw. */
static void say(struct progress *p, const char *before, const char *text)
{
	AUTO_BUF b = { 0 };

	if (erase(p, &b, NULL) == 0 && buf_printf(&b, NULL, "%s%s\n", before, text) == 0)
		put(p, &b);
	p->dirty = true;
}

static void start(struct progress *p)
{
	if (p->working)
		return;
	p->working = true;
	p->drawn_at = p->screen.now(p->screen.ctx);
	p->ever_drawn = false;
}

/* The frame goes away; what was moved so far is no longer shown. */
static void stop(struct progress *p)
{
	AUTO_BUF b = { 0 };

	if (erase(p, &b, NULL) == 0)
		put(p, &b);
	p->working = false;
	p->count = 0;
	p->total = (struct work_total){ 0 };
}

static void on_plan(struct progress *p, const struct event *ev)
{
	AUTO_BUF b = { 0 };
	char size[TEXT_SIZE_CAP];

	if (!ev->text && !ev->count && !ev->total) {
		stop(p);
		return;
	}
	start(p);
	p->total = (struct work_total){ .items = ev->count, .total = ev->total };
	p->count = 0;
	p->sample_count = 0;
	if (!logs(p))
		return;
	if (ev->text && *ev->text && buf_printf(&b, NULL, "%s: ", ev->text))
		return;
	if (buf_printf(&b, NULL, "%llu item%s, %s\n", (unsigned long long)ev->count, ev->count == 1 ? "" : "s",
		       text_size(size, ev->total)) == 0)
		put(p, &b);
}

static struct work_item *find(struct progress *p, uint64_t id)
{
	for (size_t i = 0; i < p->count; i++) {
		if (p->items[i].id == id)
			return &p->items[i];
	}
	return NULL;
}

/* As much of the (printable) name as fits, no half character. */
static void copy_name(char out[ITEM_NAME], const char *name)
{
	size_t len = name ? strnlen(name, ITEM_NAME) : 0;

	if (len == ITEM_NAME) {
		len--;
		while (len && ((unsigned char)name[len] & 0xc0) == 0x80)
			len--;
	}
	if (len)
		memcpy(out, name, len);
	out[len] = '\0';
}

static void on_begin(struct progress *p, const struct event *ev)
{
	struct work_item *item = find(p, ev->id);

	start(p);
	if (!item) {
		/* Without memory this item is not shown; the work goes on. */
		if (GROW(p->items, p->capacity, p->count, NULL))
			return;
		item = &p->items[p->count++];
	}
	*item = (struct work_item){ .id = ev->id, .total = ev->total };
	copy_name(item->name, ev->text);
}

static void on_progress(struct progress *p, const struct event *ev)
{
	struct work_item *item = find(p, ev->id);

	if (!item)
		return;
	/* Backwards: the item was begun again. */
	if (ev->done > item->done && (item->moved || ev->done <= RESUMED_STEP))
		p->moved += ev->done - item->done;
	item->moved = true;
	item->done = ev->done;
	if (ev->total)
		item->total = ev->total;
}

static void log_end(struct progress *p, const struct work_item *item, const char *how)
{
	AUTO_BUF b = { 0 };
	char size[TEXT_SIZE_CAP];

	if (buf_printf(&b, NULL, "%s: %s, %s", item->name, how,
		       text_size(size, item->total ? item->total : item->done)))
		return;
	if (p->total.items && buf_printf(&b, NULL, " (%llu of %llu)", (unsigned long long)p->total.items_done,
					 (unsigned long long)p->total.items))
		return;
	if (buf_puts(&b, "\n", NULL) == 0)
		put(p, &b);
}

static void on_end(struct progress *p, const struct event *ev)
{
	struct work_item *item = find(p, ev->id);
	const char *how = ev->text && *ev->text ? ev->text : "done";
	bool failed = strcmp(how, "failed") == 0;

	if (!failed)
		p->total.items_done++;
	if (!item)
		return;
	if (!failed) {
		p->total.done += item->total ? item->total : item->done;
		if (strcmp(how, "done") == 0 && item->total > item->done && item->total - item->done <= RESUMED_STEP)
			p->moved += item->total - item->done;
	}
	if (logs(p))
		log_end(p, item, how);
	size_t at = (size_t)(item - p->items);
	memmove(item, item + 1, (p->count - at - 1) * sizeof(*item));
	p->count--;
}

static void on_text(struct progress *p, const struct event *ev)
{
	const char *text = ev->text ? ev->text : "";

	if (ev->kind == EVENT_WARNING)
		say(p, p->options.colour ? "imgpack: " YELLOW "warning:" CLEAR_COLOUR " " : "imgpack: warning: ", text);
	else if (!p->options.quiet && (ev->kind == EVENT_NOTE || p->options.verbose))
		say(p, "", text);
}

void progress_event(void *ctx, const struct event *ev)
{
	struct progress *p = ctx;

	pthread_mutex_lock(&p->lock);
	switch (ev->kind) {
	case EVENT_NOTE:
	case EVENT_DETAIL:
	case EVENT_WARNING:
		on_text(p, ev);
		break;
	case EVENT_PLAN:
		on_plan(p, ev);
		break;
	case EVENT_BEGIN:
		on_begin(p, ev);
		break;
	case EVENT_PROGRESS:
		on_progress(p, ev);
		break;
	case EVENT_END:
		on_end(p, ev);
		break;
	}
	if (ev->kind >= EVENT_PLAN)
		p->dirty = true;
	show(p);
	pthread_mutex_unlock(&p->lock);
}

void progress_tick(struct progress *p)
{
	pthread_mutex_lock(&p->lock);
	show(p);
	pthread_mutex_unlock(&p->lock);
}

void progress_finish(struct progress *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	stop(p);
	pthread_mutex_unlock(&p->lock);
}
