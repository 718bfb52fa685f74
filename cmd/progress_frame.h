/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_PROGRESS_FRAME_H
#define CMD_PROGRESS_FRAME_H

/* The words and bars of a frame: what is going on, laid out for a width. No state, no clock, no terminal codes. */

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define ITEM_NAME 64

struct work_item {
	uint64_t id;
	uint64_t done;
	uint64_t total;
	char name[ITEM_NAME];
	bool moved; /* a step was seen: the next ones count for the rate */
};

struct work_total {
	uint64_t items_done;
	uint64_t items; /* 0: nobody said */
	uint64_t done;
	uint64_t total; /* 0: nobody said */
	uint64_t rate;  /* bytes a second; 0: not known yet */
};

/* Narrower windows have the total line alone. */
#define FRAME_NARROW 20

/* One item in at most `columns` columns: name, bar and bytes as far as they fit. */
int frame_item(struct buf *out, const struct work_item *item, unsigned columns, struct err *e);

/* The total in at most `columns` columns; what matters least is left out first. */
int frame_total(struct buf *out, const struct work_total *t, unsigned columns, struct err *e);

/* The total as a sentence for a log. */
int frame_total_plain(struct buf *out, const struct work_total *t, struct err *e);

/* Appends as much of `text` as fits in `columns`; `pad` fills the rest with spaces. */
int frame_fit(struct buf *out, const char *text, unsigned columns, bool pad, struct err *e);

#endif
