/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_HAVE_H
#define FLOW_HAVE_H

/*
 * What the other side has already (--have): layers of these lists need not travel. Each file is a list of `imgpack
 * inventory` (pack/inventory.h), or an archive that was loaded there before, whose papers are such a list.
 */

#include "base/err.h"
#include "base/events.h"
#include "base/own.h"
#include "pack/pack.h"

struct have;

/* Reads the NULL-terminated `files` (NULL: none). ERR_LOCAL, ERR_CORRUPT, with the file's name. */
struct have *have_new(const char *const *files, const struct events *events, struct err *e);
void have_free(struct have *h);
OWNED(have)

/* Layers that were left out of a pack. */
struct left_out {
	size_t count;
	uint64_t bytes;
};

/*
 * Marks the layers that are there as absent, and adds them to *out: those that inventory_covers() for every image of
 * the pack, so that every consumer whose kind of line the lists have can do without them. Papers always travel: they
 * are small, they say what the images are, and without them nobody could tell what an archive relies on.
 */
int have_leave_out(const struct have *h, struct pack *p, struct left_out *out, struct err *e);

#endif
