/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_MEDIUM_H
#define FLOW_MEDIUM_H

/* What an archive is written to: sticks and cards have file systems with limits, and are not to be trusted. */

#include "base/err.h"
#include "base/events.h"

#include <stdbool.h>
#include <stdint.h>

/* The largest file that FAT holds. */
#define MEDIUM_FAT_MOST UINT32_MAX

struct medium {
	bool fat;       /* FAT12, 16 or 32; not exFAT */
	bool removable; /* or a file system that only such media have, or one that another program makes (FUSE) */
};

/* The medium of the folder that `path` is in. What cannot be found out is a plain disk. */
void medium_look(struct medium *out, const char *path);

/*
 * Refuses (ERR_LOCAL, with what to do) files that the medium cannot hold: `largest` is the largest one's bytes, `split`
 * says that the archive is cut already. Warns of a name that FAT, exFAT or Windows refuse.
 */
int medium_check(const struct medium *m, const char *path, uint64_t largest, bool split, const struct events *events,
		 struct err *e);

/* Why FAT, exFAT or Windows refuse this file name (its last part), or NULL: they take it. */
const char *medium_refuses_name(const char *path);

#endif
