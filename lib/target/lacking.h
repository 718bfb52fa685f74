/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_LACKING_H
#define TARGET_LACKING_H

/*
 * A thin archive relies on blobs that it does not hold: the target must have them. Before anything is sent a target
 * asks itself for each, notes those that it lacks, and refuses with all of them named, image by image.
 *
 *     struct lacking l = { .request = request, .lock = PTHREAD_MUTEX_INITIALIZER };
 *     ... lacking_parts(&l, i, &choice, has, ctx, e) for every image ...
 *     int refused = lacking_refuse(&l, "the registry", NULL, e);
 *     lacking_release(&l);
 *
 * A target that can take nothing but whole images gives NULL for `has`, and lacking_refuse() the reason.
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

/* Does it stand there, where this image can use it? 1, 0, -1. */
typedef int lacking_has(void *ctx, size_t image, const struct pack_blob *blob, struct err *e);

/* Notes one. From any thread. */
int lacking_note(struct lacking *l, size_t image, size_t blob, struct err *e);

/* Notes every absent blob of what is chosen of the image that `has` says no to; all of them if it is NULL. */
int lacking_parts(struct lacking *l, size_t image, const struct pack_choice *choice, lacking_has *has, void *ctx,
		  struct err *e);

/*
 * 0 if nothing was noted. Else ERR_TARGET, after a warning for each blob. `where`: "the registry"; `why`: a hint, why
 * it may be so or what to do, or NULL.
 */
int lacking_refuse(struct lacking *l, const char *where, const char *why, struct err *e);

void lacking_release(struct lacking *l);

#endif
