/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_DOTENV_H
#define FLOW_DOTENV_H

/* The file .env beside a Compose file: NAME=VALUE lines, "#" comments, quotes around a value, "export " in front. */

#include "base/err.h"

#include <stddef.h>

struct dotenv {
	char *text; /* owned; names and values point into it */
	const char **pairs;
	size_t count, capacity; /* of pointers: name, value, name, value */
};

/* The .env of the folder that `file` is in. None there: empty. ERR_LOCAL: out of memory alone. */
int dotenv_read(struct dotenv *d, const char *file, struct err *e);
/* The last of this name, or NULL. */
const char *dotenv_get(const struct dotenv *d, const char *name);
void dotenv_release(struct dotenv *d);

#endif
