/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_INTERPOLATE_H
#define OCI_INTERPOLATE_H

/*
 * Variables in a text, as Compose files and Dockerfiles write them: $V, ${V}, ${V:-default}, ${V-default},
 * ${V:+other}, ${V+other}, ${V:?words}, ${V?words}; defaults may hold variables again.
 */

#include "base/buf.h"

#include <stdbool.h>

#define INTERPOLATE_NAME 64

struct interpolate {
	/* The variable's value, or NULL if it is not set. */
	const char *(*variable)(void *ctx, const char *name);
	void *ctx;
	bool dollars; /* $$ is a dollar sign, as in Compose files */
	/* Filled when 0 is returned: the variable that has no value, or "" for what is no such syntax. */
	char missing[INTERPOLATE_NAME];
};

/* Appends to *out. 1; 0: it needs a variable that has no value, or cannot be read; -1: out of memory. */
int interpolate(struct interpolate *p, const char *text, struct buf *out, struct err *e);

#endif
