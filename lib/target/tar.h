/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_TAR_H
#define TARGET_TAR_H

/*
 * The tar that a load hands over: blobs as they are in the archive, hashed again on their way, and papers written anew.
 * The papers come last, and not before the archive's end was seen and all of it is known to be good: what comes through
 * a pipe is then sent whole, but nothing names it until it is proved.
 */

#include "base/events.h"
#include "pack/layout.h"
#include "stream/source.h"
#include "target/target.h"

#include <stdint.h>

/* Zeroed at first; must live as long as the source. */
struct tar_feed {
	const struct load_request *request;
	struct supply supply; /* the request's */
	uint64_t left;        /* bytes in front of the papers */
	uint64_t item;        /* of the events */
	uint64_t done;
	uint64_t total;
};

/*
 * The layout's tar; its pack was made by pack_select() of the request's. `where` names the work for the events, which
 * begin here and are ended by tar_feed_end().
 */
struct source *tar_feed(struct tar_feed *f, const struct load_request *r, const struct layout *l, uint64_t item,
			const char *where, struct err *e);
void tar_feed_end(const struct tar_feed *f, bool failed);

/* How long the one who takes `size` bytes of it may be silent, in seconds: it unpacks. */
unsigned tar_silence(const struct load_request *r, uint64_t size);

/* True if a root has no media type: another program's docker archive with layers in a coding that OCI does not know.
 * No index can name it. */
bool tar_has_untyped_root(const struct pack *p);

#endif
