/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_HAVING_H
#define FLOW_HAVING_H

/* The parts of flow_inventory(): each looks through one kind of place and adds what it has. */

#include "flow/flow.h"
#include "flow/place.h"
#include "flow/registries.h"
#include "pack/inventory.h"

struct having {
	const struct inventory_options *options;
	struct registries *registries;
	struct inventory *inventory;
	struct inventory_report *report; /* its counts grow */
};

/*
 * A registry: the repositories at and below `prefix`, or all; if it does not list its repositories, `prefix` is taken
 * as one. A tag's manifest is read once, an index's children once each.
 */
int having_registry(struct having *h, const struct place *place, struct err *e);

/*
 * A file or folder: an archive, the chunks of one, a folder of such, or a list (pack/inventory.h). Of an archive the
 * papers are read, not its blobs.
 */
int having_path(struct having *h, const char *path, struct err *e);

/* The sentence as a comment of the list. */
int having_say(struct having *h, struct err *e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
