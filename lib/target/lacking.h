/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_LACKING_H
#define TARGET_LACKING_H

/*
 * A thin archive relies on blobs that it does not hold: the target must have them. Before anything is sent a target
 * asks itself for each, notes those that it lacks, and refuses with all of them named, image by image.
 *
 *     struct lacking l = { .request = request, .lock = PTHREAD_MUTEX_INITIALIZER };
 *     ... lacking_note(&l, i, blob, e) for every blob that image i lacks ...
 *     int refused = lacking_refuse(&l, "the registry", NULL, e);
 *     lacking_release(&l);
 */

#include "pack/select.h"
#include "target/target.h"

#include <pthread.h>

struct lacking_item {
	size_t image; /* request->images[] */
	size_t blob;  /* of the pack */
};

struct lacking {
	const struct load_request *request; /* borrowed */
	pthread_mutex_t lock;
	struct lacking_item *items;
	size_t count;
	size_t capacity;
};

/* Notes one. From any thread. */
int lacking_note(struct lacking *l, size_t image, size_t blob, struct err *e);

/*
 * 0 if nothing was noted. Else ERR_TARGET, after a warning for each blob. `where`: "the registry"; `why`: a hint, why
 * it may be so or what to do, or NULL.
 */
int lacking_refuse(struct lacking *l, const char *where, const char *why, struct err *e);

void lacking_release(struct lacking *l);

#endif
