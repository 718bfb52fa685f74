/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_REGISTRY_PLAN_H
#define TARGET_REGISTRY_PLAN_H

/* What of each image goes where in a registry, decided before anything is uploaded. */

#include "oci/reference.h"
#include "pack/select.h"
#include "registry/registry.h"
#include "target/target.h"

#include <stdbool.h>
#include <stddef.h>

/* One image of a request. */
struct push_image {
	const struct load_image *load;
	struct reference reference; /* of its name there */
	struct pack_choice choice;
	struct pack_parts *parts;           /* owned: what must stand in the repository */
	size_t root;                        /* blob of the pack: what the tag will point at */
	char selector[REFERENCE_TEXT_SIZE]; /* the tag, or the root's digest */
	char loaded_as[REFERENCE_TEXT_SIZE];
	bool had;       /* the registry answered that it has it under this name */
	unsigned tries; /* the request's */
};

/* One blob in one repository; each pair once. */
struct push_blob {
	size_t blob;    /* of the pack */
	size_t image;   /* the first image that needs it, for its repository and for messages */
	ptrdiff_t from; /* blobs[] of the plan: the same blob in another repository, from which it can be mounted; or -1
			 */
};

struct push_plan {
	const struct load_request *request;
	struct push_image *images;
	size_t count;
	struct push_blob *blobs; /* largest first; of those with from < 0, then the others */
	size_t blob_count;
	size_t first_mount; /* blobs[] from here on have from >= 0 */
	size_t blob_capacity;
};

/*
 * Reads names, chooses platforms, lists what each image is made of. ERR_USAGE: an image without a name, or a name that
 * is not in `registry`. ERR_ABSENT: no such platform.
 */
struct push_plan *push_plan_new(const char *registry, const struct load_request *request, struct err *e);
void push_plan_free(struct push_plan *p);
OWNED(push_plan)

/*
 * Fills blobs from the images that are not there yet, and from the referrers of all; to be called after `had` is known.
 * Absent blobs are left out.
 */
int push_plan_blobs(struct push_plan *p, struct err *e);

/* One absent blob that comes from another repository of the registry. */
struct push_move {
	size_t image;     /* plan->images[]: the first that needs it in its repository */
	size_t blob;      /* of the pack */
	const char *from; /* the repository where it stands; borrowed from the plan, or from `names` */
};
struct push_thin {
	struct push_move *moves;
	size_t count;
	size_t capacity;
	char **names; /* repositories that the registry listed; owned */
	size_t name_count;
	size_t name_capacity;
};

/* A worker's connections and the work that all share. */
struct push {
	struct registry *registry;
	struct push_plan *plan;
	struct load_result *result;
	struct registry_conn **conns; /* one a worker, made at first use */
	size_t workers;
	struct push_thin thin;
	_Atomic uint64_t sent;
	_Atomic uint64_t skipped;
};

/* The connection of this worker. Borrowed. */
struct registry_conn *push_conn(struct push *p, size_t worker, struct err *e);

/*
 * registry_push.c: uploads what the repositories lack of plan->blobs, then puts the manifests below the roots. Nothing
 * stands under a tag before push_tags().
 */
int push_blobs(struct push *p, struct err *e);
int push_children(struct push *p, struct err *e);
/* Puts the roots under their names and reads them back. */
int push_tags(struct push *p, struct err *e);

/* One of plan->blobs: a turn of parallel_for(). */
int push_blob(void *push, size_t item, size_t worker, struct err *e);

/*
 * registry_passing.c: the blobs of an archive that comes through a pipe, which are uploaded as they pass, one after the
 * other; then its end is seen. Those to be mounted are left. push_passed() says of a failed upload that its bytes are
 * gone: -1, and nobody tries again.
 */
int push_passing(struct push *p, struct err *e);
int push_passed(struct err *e);

/*
 * registry_referrers.c: puts the manifests of the images' referrers, whose blobs push_blobs() has brought, and makes
 * them findable there. push_look_referrers() counts them.
 */
int push_referrers(struct push *p, struct err *e);
int push_look_referrers(struct push *p, struct err *e);

/* registry_look.c: counts what would be sent and what is there, and sends nothing. Fills the result. */
int push_look(struct push *p, struct err *e);

/*
 * registry_thin.c: where do the absent parts of the images stand that are not `had`? Looked for in the image's own
 * repository, in those of the other images of this run, then in those that the registry lists. ERR_TARGET, with all
 * that are nowhere named (lacking.h). Changes nothing in the registry; registry_move.c then brings
 * them where they are needed.
 */
int thin_check(struct push *p, struct err *e);
int thin_move(struct push *p, struct err *e);
void thin_release(struct push_thin *t);

/*
 * registry_prepare.c: push_check(), push_plan_blobs(), and a look whether each repository takes uploads; with
 * `create_project` a Harbor's missing projects are made before. ERR_TARGET names projects that are not there.
 */
int push_prepare(struct push *p, struct err *e);

/* registry_check.c: what stands there now? Sets `had`; ERR_TARGET if a tag would be moved, or if a part is nowhere. */
int push_check(struct push *p, struct err *e);

#endif
