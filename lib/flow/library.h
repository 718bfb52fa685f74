/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_LIBRARY_H
#define FLOW_LIBRARY_H

/*
 * The papers that a plan has read, each digest once: asked for in rounds, downloaded side by side within a round. So a
 * manifest that ten images share is one request, whatever the order of the references.
 */

#include "flow/registries.h"
#include "oci/manifest.h"

struct paper {
	struct promise promise;
	enum paper_kind kind; /* of an index or manifest; a config has none */
	char media_type[MEDIA_TYPE_SIZE];
	struct buf bytes;
};

struct library;
struct library *library_new(struct registries *registries, struct err *e);
void library_free(struct library *l);
OWNED(library)

/* One paper to be downloaded. */
struct order {
	size_t registry;
	const char *repository; /* borrowed */
	const char *noun;       /* the image, for errors; borrowed */
	const char *tag;        /* by tag (NULL: by promise) */
	bool config;            /* from /blobs/, else from /manifests/ */
	bool optional;          /* what is not there has no result, and is no error; asked for once each */
	bool size_known;        /* false: a reference by digest; promise.size is then ignored */
	struct promise promise;
	const struct paper *result; /* filled by library_read(); borrowed from the library */
};

/*
 * Downloads what is not there yet and sets every order's result. Two orders of one digest are one request; two of one
 * tag are two, unless the same repository's.
 */
int library_read(struct library *l, struct order *orders, size_t count, struct err *e);

/* A paper that we wrote ourselves; bytes are copied. */
const struct paper *library_add(struct library *l, enum paper_kind kind, const char *media_type, const char *bytes,
				size_t len, struct err *e);

/* Bytes downloaded so far. */
uint64_t library_bytes(const struct library *l);

#endif
