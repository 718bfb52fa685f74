/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_WALK_H
#define FLOW_WALK_H

/* The files below a folder that may name images, in the order of their names (bytes compared). */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct walk_list {
	char **files;
	size_t count, capacity;
	char **charts; /* folders with a Chart.yaml: their templates/ was left out */
	size_t chart_count, chart_capacity;
};

/*
 * Appends. Hidden entries, folders behind symbolic links (so there are no circles) and what is no regular file are left
 * out. ERR_LOCAL: a folder that cannot be read, LIMIT_SCAN_FILES, LIMIT_SCAN_DEPTH.
 */
int walk_folder(struct walk_list *list, const char *folder, struct err *e);
void walk_release(struct walk_list *list);

#define AUTO_WALK __attribute__((cleanup(walk_release))) struct walk_list

/* Dockerfile, Dockerfile.dev, dev.Dockerfile, Containerfile; no folder in front. */
bool walk_is_dockerfile(const char *name);
/* .yaml, .yml, .json */
bool walk_is_yaml(const char *name);

#endif
