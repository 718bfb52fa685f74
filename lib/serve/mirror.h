/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_MIRROR_H
#define SERVE_MIRROR_H

/* What nodes must be told so that they ask this server first: the settings of containerd, podman and docker. */

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>

enum mirror_client { MIRROR_CONTAINERD, MIRROR_PODMAN, MIRROR_DOCKER };

/* ERR_USAGE lists what there is. */
int mirror_client(const char *word, enum mirror_client *out, struct err *e);

struct mirror {
	const char *host; /* HOST[:PORT] as the nodes reach it */
	bool tls;
	const char *const *registries; /* NULL-terminated: whose images are served */
};

/*
 * The text of the file. What to do with it goes to `advice`, a line each; where the format has comments they say it,
 * too.
 */
int mirror_config(const struct mirror *m, enum mirror_client client, struct buf *out, struct buf *advice,
		  struct err *e);

#endif
