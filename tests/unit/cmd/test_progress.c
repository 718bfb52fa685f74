/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: what stands on the terminal is right at every width, at most ten draws a second, never a line that is wider
 * than the window, nothing left behind; and a log gets plain lines. Events come with a clock of our own into a terminal
 * in memory, which does what a real one does with the codes we send and refuses all others.
 */
#include "base/text.h"
#include "cmd/progress.h"
#include "cmd/progress_frame.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COLUMNS_MAX 256
#define ROWS_MAX 64
#define HISTORY 4096 /* lines that stood on the screen, scrolled-out ones first */

struct memory {
	uint64_t now;
	unsigned columns, rows;
	char cell[HISTORY][COLUMNS_MAX][5]; /* one character each; the second half of a wide one is "" with used set */
	bool used[HISTORY][COLUMNS_MAX];
	size_t top; /* the screen's first line */
	size_t row; /* absolute */
	size_t column;
	bool cursor_hidden;
	size_t writes, frames;
	uint64_t frame_at[HISTORY];
};

static struct memory m;

static uint64_t m_now(void *ctx)
{
	return ((struct memory *)ctx)->now;
}

static void m_size(void *ctx, unsigned *columns, unsigned *rows)
{
	*columns = ((struct memory *)ctx)->columns;
	*rows = ((struct memory *)ctx)->rows;
}

static void clear_from(size_t row, size_t column)
{
	for (size_t c = column; c < COLUMNS_MAX; c++) {
		m.cell[row][c][0] = '\0';
		m.used[row][c] = false;
	}
}

/* "\033[...": returns the length of the code. */
static size_t control(const char *s)
{
	unsigned n = 0;
	char final = 0;
	int len = 0;

	if (strncmp(s, "\033[?25l", 6) == 0 || strncmp(s, "\033[?25h", 6) == 0) {
		m.cursor_hidden = s[5] == 'l';
		return 6;
	}
	if (sscanf(s, "\033[%u%c%n", &n, &final, &len) == 2 && final == 'm')
		return (size_t)len;
	if (sscanf(s, "\033[%u%c%n", &n, &final, &len) == 2 && final == 'A') {
		assert_true(n > 0);
		/* Going up beyond the screen's first line would draw over what is gone: never. */
		assert_true(m.row >= m.top + n);
		m.row -= n;
		return (size_t)len;
	}
	if (strncmp(s, "\033[K", 3) == 0) {
		clear_from(m.row, m.column);
		return 3;
	}
	if (strncmp(s, "\033[J", 3) == 0) {
		clear_from(m.row, m.column);
		for (size_t r = m.row + 1; r < m.top + m.rows; r++)
			clear_from(r, 0);
		return 3;
	}
	fail_msg("an unknown code: %.8s", s + 1);
	return 0;
}

static void newline(void)
{
	m.row++;
	m.column = 0;
	if (m.row >= m.top + m.rows)
		m.top = m.row - m.rows + 1;
	assert_true(m.top + ROWS_MAX < HISTORY);
}

static size_t character(const char *s, size_t left)
{
	uint32_t code;
	size_t len = text_utf8(s, left, &code);
	char one[5] = { 0 };

	assert_true(len > 0);
	assert_true(code >= ' ');
	memcpy(one, s, len);
	size_t wide = text_columns(one);
	if (wide == 0)
		return len;
	/* The last column too stays free while a frame is drawn; a note may be as long as it likes and wraps. */
	if (m.column + wide > m.columns)
		newline();
	for (size_t i = 0; i < wide; i++) {
		m.cell[m.row][m.column + i][0] = '\0';
		m.used[m.row][m.column + i] = true;
	}
	memcpy(m.cell[m.row][m.column], one, sizeof(one));
	if (m.cursor_hidden && m.column + wide >= m.columns)
		fail_msg("a frame's line reaches column %zu of %u", m.column + wide, m.columns);
	m.column += wide;
	return len;
}

static void m_write(void *ctx, const char *bytes, size_t len)
{
	(void)ctx;
	m.writes++;
	if (memmem(bytes, len, "\033[?25l", 6)) {
		assert_true(m.frames < HISTORY);
		m.frame_at[m.frames++] = m.now;
	}
	for (size_t i = 0; i < len;) {
		if (bytes[i] == '\033')
			i += control(bytes + i);
		else if (bytes[i] == '\n') {
			newline();
			i++;
		} else if (bytes[i] == '\r') {
			m.column = 0;
			i++;
		} else {
			i += character(bytes + i, len - i);
		}
	}
	/* However the program ends, the cursor is there. */
	assert_false(m.cursor_hidden);
}

static const struct progress_screen screen = { m_now, m_size, m_write, &m };

static void reset(unsigned columns, unsigned rows)
{
	memset(&m, 0, sizeof(m));
	m.columns = columns;
	m.rows = rows;
	m.now = 1000000;
}

/* The text of an absolute line without blanks at its end. */
static const char *line_at(size_t row)
{
	static char text[COLUMNS_MAX * 5];
	size_t len = 0, end = 0;

	for (size_t c = 0; c < COLUMNS_MAX; c++) {
		const char *one = m.used[row][c] && !m.cell[row][c][0] ? "" : m.cell[row][c];
		if (!m.used[row][c])
			one = " ";
		size_t n = strlen(one);
		memcpy(text + len, one, n);
		len += n;
		if (strcmp(one, " ") != 0)
			end = len;
	}
	text[end] = '\0';
	return text;
}

static bool screen_has(const char *text)
{
	for (size_t r = 0; r < m.top + m.rows; r++) {
		if (strstr(line_at(r), text))
			return true;
	}
	return false;
}

static size_t lines_used(void)
{
	size_t n = 0;

	for (size_t r = 0; r < m.top + m.rows; r++)
		n += *line_at(r) != '\0';
	return n;
}

static struct progress *start(bool terminal)
{
	const struct progress_options options = { .terminal = terminal };
	struct err e = { 0 };
	struct progress *p = progress_new(&options, &screen, &e);

	assert_non_null(p);
	return p;
}

static void plan(const struct events *ev, uint64_t count, uint64_t total)
{
	event_emit(ev, &(struct event){ .kind = EVENT_PLAN, .count = count, .total = total, .text = "fetching" });
}

static void check_rate_of_draws(void)
{
	for (size_t i = 1; i < m.frames; i++)
		assert_true(m.frame_at[i] - m.frame_at[i - 1] >= 100);
}

/* Eight of twenty items at once, ten seconds of fake time, an event every 3 ms, a note now and then. */
static void at_width(unsigned columns)
{
	reset(columns, 24);
	AUTO(progress) p = start(true);
	const struct events ev = { progress_event, p };
	uint64_t at[20] = { 0 }, next = 8;

	plan(&ev, 20, 20 * 31400000ull);
	for (uint64_t i = 0; i < 8; i++)
		event_begin(&ev, i, 31400000, "sha256:0123abcd456%llu layer", (unsigned long long)i);
	for (unsigned step = 0; step < 3333; step++) {
		uint64_t i = next - 8 + step % 8;
		m.now += 3;
		if (i >= 20)
			continue;
		at[i] += 100000;
		event_progress(&ev, i, at[i], 31400000);
		if (step % 500 == 499)
			event_text(&ev, EVENT_NOTE, "note %u", step);
		if (at[i] >= 31400000 && i == next - 8 && next < 20) {
			event_end(&ev, i, "done");
			event_begin(&ev, next, 31400000, "sha256:ffff000000%02llu layer", (unsigned long long)next);
			next++;
		}
	}
	m.now += 100;
	progress_tick(p);
	check_rate_of_draws();
	assert_in_range(m.frames, 50, 101);
	assert_true(columns < 10 || screen_has("note 499"));
	if (columns >= 40)
		assert_true(screen_has(" MB / 628 MB, ") || screen_has("%, "));
	if (columns >= 80) {
		assert_true(screen_has(" of 20, "));
		assert_true(screen_has(" MB / 31.4 MB"));
		assert_true(screen_has("MB/s, "));
		assert_true(screen_has(" left"));
		assert_true(screen_has(" layer "));
		assert_true(screen_has("[="));
	}
	progress_finish(p);
	assert_false(screen_has("%"));
	assert_false(screen_has("sha256:"));
	assert_true(columns < 10 || lines_used() == 6); /* the notes alone */
	assert_int_equal(m.column, 0);
}

static void every_width(void **state)
{
	static const unsigned widths[] = { 1, 2, 5, 10, 19, 20, 21, 36, 37, 40, 59, 60, 61, 79, 80, 81, 120, 200 };

	(void)state;
	for (size_t i = 0; i < sizeof(widths) / sizeof(widths[0]); i++)
		at_width(widths[i]);
}

/* The words of the last frame, for one state, at the widths that matter. */
static void last_frame(void **state)
{
	static const struct {
		unsigned columns;
		const char *item, *total;
	} expected[] = {
		{ 200, "sha256:0123abcd4567 layer    [==========>                             ] 10.0 MB / 40.0 MB",
		  "1 of 3, 20.0 MB / 100 MB, 20%, 4.88 MB/s, 17s left" },
		{ 80, "sha256:0123abcd4567 layer    [=======>                      ] 10.0 MB / 40.0 MB",
		  "1 of 3, 20.0 MB / 100 MB, 20%, 4.88 MB/s, 17s left" },
		{ 40, "sha256:0123abcd4567 l 10.0 MB / 40.0 MB", "20%, 4.88 MB/s, 17s left" },
		{ 20, "sha256:0123abc  25%", "20%, 17s left" },
		{ 19, NULL, "20%, 17s left" },
		{ 10, NULL, "20%" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		reset(expected[i].columns, 24);
		AUTO(progress) p = start(true);
		const struct events ev = { progress_event, p };
		plan(&ev, 3, 100000000);
		event_begin(&ev, 7, 10000000, "sha256:ffffffffffff config");
		event_begin(&ev, 9, 40000000, "sha256:0123abcd4567 layer");
		m.now += 1000;
		event_progress(&ev, 7, 5000000, 10000000);
		event_progress(&ev, 9, 5000000, 40000000);
		m.now += 3000;
		event_progress(&ev, 7, 10000000, 10000000);
		event_progress(&ev, 9, 10000000, 40000000);
		event_end(&ev, 7, "done");
		m.now += 100;
		progress_tick(p);
		size_t row = 0;
		if (expected[i].item)
			assert_string_equal(line_at(row++), expected[i].item);
		assert_string_equal(line_at(row), expected[i].total);
		assert_string_equal(line_at(row + 1), "");
		progress_finish(p);
		assert_int_equal(lines_used(), 0);
	}
}

/* The line of totals: each shorter form when the longer does not fit. */
static void total_line(void **state)
{
	static const struct {
		unsigned columns;
		const char *line;
	} expected[] = {
		{ 50, "1 of 3, 20.0 MB / 100 MB, 20%, 5.00 MB/s, 16s left" },
		{ 49, "20.0 MB / 100 MB, 20%, 5.00 MB/s, 16s left" },
		{ 42, "20.0 MB / 100 MB, 20%, 5.00 MB/s, 16s left" },
		{ 41, "20%, 5.00 MB/s, 16s left" },
		{ 24, "20%, 5.00 MB/s, 16s left" },
		{ 23, "20.0 MB / 100 MB, 20%" },
		{ 20, "20%, 16s left" },
		{ 12, "20%" },
		{ 3, "20%" },
		{ 2, "" },
	};
	const struct work_total t = { 1, 3, 20000000, 100000000, 5000000 };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		AUTO_BUF b = { 0 };
		assert_int_equal(frame_total(&b, &t, expected[i].columns, &e), 0);
		assert_string_equal(b.data ? b.data : "", expected[i].line);
	}
	AUTO_BUF plain = { 0 };
	assert_int_equal(frame_total_plain(&plain, &t, &e), 0);
	assert_string_equal(plain.data, "20.0 MB of 100 MB, 20%, 5.00 MB/s, 16s left");
	AUTO_BUF unknown = { 0 };
	const struct work_total nothing = { 0 };
	assert_int_equal(frame_total(&unknown, &nothing, 80, &e), 0);
	assert_string_equal(unknown.data, "0 B");
}

/* Wide and combining characters are counted by their columns, and no character is cut in two. */
static void wide_names(void **state)
{
	struct err e = { 0 };
	AUTO_BUF b = { 0 };

	(void)state;
	assert_int_equal(frame_fit(&b, "日本語", 5, true, &e), 0);
	assert_string_equal(b.data, "日本 ");
	buf_clear(&b);
	assert_int_equal(frame_fit(&b, "e\xcc\x81tude", 3, true, &e), 0);
	assert_string_equal(b.data, "e\xcc\x81tu");
	buf_clear(&b);
	assert_int_equal(frame_fit(&b, "abc", 0, true, &e), 0);
	assert_int_equal(b.len, 0);
	reset(40, 24);
	AUTO(progress) p = start(true);
	const struct events ev = { progress_event, p };
	plan(&ev, 1, 1000);
	event_begin(&ev, 1, 1000, "日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語");
	m.now += 200;
	progress_tick(p);
	assert_string_equal(line_at(0), "日本語日本語日本語日      0 B / 1.00 kB");
}

/* More items than rows: the window is filled, the total stays. */
static void few_rows(void **state)
{
	(void)state;
	for (unsigned rows = 1; rows <= 12; rows++) {
		reset(80, rows);
		AUTO(progress) p = start(true);
		const struct events ev = { progress_event, p };
		plan(&ev, 64, 64000);
		for (uint64_t i = 0; i < 64; i++) {
			event_begin(&ev, i, 1000, "item %llu", (unsigned long long)i);
			m.now += 150;
			event_progress(&ev, i, 500, 1000);
		}
		m.now += 150;
		progress_tick(p);
		assert_true(screen_has("0 of 64, 32.0 kB / 64.0 kB, 50%"));
		assert_int_equal(lines_used(), rows > 2 ? rows - 1 : 1);
		assert_int_equal(m.top, 0); /* nothing was pushed out */
		progress_finish(p);
		assert_int_equal(lines_used(), 0);
	}
}

/* A window made wider or higher is used at the next draw; one made narrower does not break the frame. */
static void resized(void **state)
{
	(void)state;
	reset(40, 24);
	AUTO(progress) p = start(true);
	const struct events ev = { progress_event, p };
	plan(&ev, 1, 1000);
	event_begin(&ev, 1, 1000, "sha256:0123abcd4567 layer");
	m.now += 200;
	progress_tick(p);
	assert_false(screen_has("["));
	m.columns = 100;
	m.now += 1000;
	progress_tick(p);
	assert_true(screen_has("[>"));
	assert_int_equal(lines_used(), 2);
	/* Narrower: a terminal that breaks lines has 2 + 1 rows now where we drew 2. */
	m.columns = 60;
	m.row++;
	m.now += 1000;
	progress_tick(p);
	assert_true(m.row >= 1);
	assert_true(screen_has("0 B / 1.00 kB"));
}

/* Nobody sends events while a connection stalls: a tick shows what is left to show, and the rate falls. */
static void not_stale(void **state)
{
	(void)state;
	reset(80, 24);
	AUTO(progress) p = start(true);
	const struct events ev = { progress_event, p };
	plan(&ev, 1, 100000000);
	event_begin(&ev, 1, 100000000, "sha256:0123abcd4567 layer");
	for (unsigned i = 1; i <= 40; i++) {
		m.now += 100;
		event_progress(&ev, 1, i * 100000, 100000000);
	}
	assert_true(screen_has("1.00 MB/s"));
	/* Between two draws, then silence. */
	m.now += 10;
	event_progress(&ev, 1, 5000000, 100000000);
	assert_false(screen_has("5.00 MB / "));
	m.now += 95;
	progress_tick(p);
	assert_true(screen_has("5.00 MB / "));
	for (unsigned i = 0; i < 150; i++) {
		m.now += 100;
		progress_tick(p);
	}
	assert_false(screen_has("MB/s"));
	assert_false(screen_has("left"));
	/* While nothing changes a draw a second is enough. */
	size_t before = m.frames;
	for (unsigned i = 0; i < 100; i++) {
		m.now += 100;
		progress_tick(p);
	}
	assert_in_range(m.frames - before, 9, 11);
}

/* What was on disk before, and what stood there already, is done but was not fast. */
static void resumed_bytes_are_no_rate(void **state)
{
	(void)state;
	reset(80, 24);
	AUTO(progress) p = start(true);
	const struct events ev = { progress_event, p };
	plan(&ev, 3, 3000000000u);
	event_begin(&ev, 1, 1000000000, "a");
	event_begin(&ev, 2, 1000000000, "b");
	event_end(&ev, 2, "already there");
	event_progress(&ev, 1, 900000000, 1000000000);
	for (unsigned i = 1; i <= 20; i++) {
		m.now += 100;
		event_progress(&ev, 1, 900000000 + i * 100000, 1000000000);
	}
	assert_true(screen_has("1 of 3, 1.90 GB / 3.00 GB, 63%, 1.00 MB/s"));
}

/* Begun again after a failure: what it had is no longer done, and it is counted once. */
static void failed_items(void **state)
{
	(void)state;
	reset(80, 24);
	AUTO(progress) p = start(true);
	const struct events ev = { progress_event, p };
	plan(&ev, 2, 2000000);
	event_begin(&ev, 1, 1000000, "a");
	event_progress(&ev, 1, 600000, 1000000);
	event_end(&ev, 1, "failed");
	m.now += 200;
	progress_tick(p);
	assert_true(screen_has("0 of 2, 0 B / 2.00 MB, 0%"));
	event_begin(&ev, 1, 1000000, "a");
	event_begin(&ev, 1, 1000000, "a");
	event_progress(&ev, 1, 1000000, 1000000);
	event_progress(&ev, 1, 300000, 1000000);
	event_progress(&ev, 99, 300000, 1000000); /* nobody began it */
	m.now += 200;
	progress_tick(p);
	assert_true(screen_has("0 of 2, 300 kB / 2.00 MB, 15%"));
	assert_int_equal(lines_used(), 2);
	event_end(&ev, 1, "done");
	event_end(&ev, 98, "done");
	m.now += 200;
	progress_tick(p);
	assert_true(screen_has("2 of 2, 1.00 MB / 2.00 MB"));
}

/* A second work after the first starts from nothing. */
static void second_plan(void **state)
{
	(void)state;
	reset(80, 24);
	AUTO(progress) p = start(true);
	const struct events ev = { progress_event, p };
	plan(&ev, 1, 1000);
	event_begin(&ev, 1, 1000, "a");
	event_end(&ev, 1, "done");
	plan(&ev, 4, 4000);
	m.now += 200;
	progress_tick(p);
	assert_true(screen_has("0 of 4, 0 B / 4.00 kB, 0%"));
	assert_int_equal(lines_used(), 1);
}

/* The work is over and the program goes on: nothing of it is drawn any more. */
static void plan_of_nothing(void **state)
{
	(void)state;
	reset(80, 24);
	AUTO(progress) p = start(true);
	const struct events ev = { progress_event, p };
	plan(&ev, 4, 4000);
	m.now += 200;
	progress_tick(p);
	assert_int_equal(lines_used(), 1);
	event_emit(&ev, &(struct event){ .kind = EVENT_PLAN });
	assert_int_equal(lines_used(), 0);
	m.now += 20000;
	progress_tick(p);
	assert_int_equal(lines_used(), 0);
}

static void quiet_and_silent(void **state)
{
	static const struct progress_options each[] = {
		{ .terminal = true, .quiet = true },
		{ .terminal = true, .silent = true },
		{ .terminal = false, .quiet = true },
		{ .terminal = false, .silent = true },
		{ .terminal = false, .silent = true, .verbose = true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(each) / sizeof(each[0]); i++) {
		struct err e = { 0 };
		reset(80, 24);
		AUTO(progress) p = progress_new(&each[i], &screen, &e);
		const struct events ev = { progress_event, p };
		plan(&ev, 1, 1000);
		event_begin(&ev, 1, 1000, "a");
		event_text(&ev, EVENT_NOTE, "a note");
		event_text(&ev, EVENT_DETAIL, "a detail");
		event_text(&ev, EVENT_WARNING, "beware");
		m.now += 20000;
		progress_tick(p);
		event_end(&ev, 1, "done");
		progress_finish(p);
		assert_int_equal(m.frames, 0);
		assert_true(screen_has("imgpack: warning: beware"));
		assert_int_equal(screen_has("a note"), !each[i].quiet);
		assert_int_equal(screen_has("a detail"), each[i].verbose);
		assert_int_equal(lines_used(), 1 + !each[i].quiet + each[i].verbose);
	}
}

static void in_a_log(void **state)
{
	static const char *const expected[] = {
		"fetching: 3 items, 300 MB",
		"a note",
		"sha256:000000000000 config: already there, 1.00 kB (1 of 3)",
		"30.0 MB of 300 MB, 10%, 3.00 MB/s, 1m30s left",
		"60.0 MB of 300 MB, 20%, 3.00 MB/s, 1m20s left",
		"sha256:0123abcd4567 layer: done, 100 MB (2 of 3)",
		"sha256:89abcdef0123 layer: failed, 200 MB (2 of 3)",
		"",
	};

	(void)state;
	reset(80, 24);
	AUTO(progress) p = start(false);
	const struct events ev = { progress_event, p };
	plan(&ev, 3, 300000000);
	event_text(&ev, EVENT_NOTE, "a note");
	event_text(&ev, EVENT_DETAIL, "a detail");
	event_begin(&ev, 0, 1000, "sha256:000000000000 config");
	event_end(&ev, 0, "already there");
	event_begin(&ev, 1, 100000000, "sha256:0123abcd4567 layer");
	event_begin(&ev, 2, 200000000, "sha256:89abcdef0123 layer");
	for (unsigned i = 1; i <= 200; i++) {
		m.now += 100;
		event_progress(&ev, 1, i * 300000, 100000000);
		progress_tick(p);
	}
	event_end(&ev, 1, "done");
	event_end(&ev, 2, "failed");
	progress_finish(p);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_string_equal(line_at(i), expected[i]);
}

static void *shower(void *arg)
{
	const struct events *ev = arg;

	for (unsigned i = 0; i < 2000; i++) {
		uint64_t id = (uint64_t)(uintptr_t)pthread_self() + i % 3;
		event_begin(ev, id, 1000, "item");
		event_progress(ev, id, 500, 1000);
		event_end(ev, id, "done");
	}
	return NULL;
}

/* Several threads at once, and a tick in between: nothing is lost (and the sanitizers see nothing). */
static void several_threads(void **state)
{
	pthread_t threads[4];

	(void)state;
	reset(80, 24);
	AUTO(progress) p = start(true);
	struct events ev = { progress_event, p };
	plan(&ev, 8000, 8000000);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, shower, &ev), 0);
	AUTO(ticker) t = ticker_new(p);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	ticker_free(TAKE(t));
	m.now += 200;
	progress_tick(p);
	assert_true(screen_has("8000 of 8000, 8.00 MB / 8.00 MB, 100%"));
	progress_finish(p);
	assert_int_equal(lines_used(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_width),     cmocka_unit_test(last_frame),
		cmocka_unit_test(total_line),      cmocka_unit_test(wide_names),
		cmocka_unit_test(few_rows),        cmocka_unit_test(resized),
		cmocka_unit_test(not_stale),       cmocka_unit_test(resumed_bytes_are_no_rate),
		cmocka_unit_test(failed_items),    cmocka_unit_test(second_plan),
		cmocka_unit_test(plan_of_nothing), cmocka_unit_test(quiet_and_silent),
		cmocka_unit_test(in_a_log),        cmocka_unit_test(several_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
