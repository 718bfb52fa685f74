/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_CATALOG_H
#define SERVE_CATALOG_H

/*
 * What archives offer as a registry: repositories with their tags, manifests and blobs by digest. It is built once and
 * then only read, by many threads.
 *
 * A repository is known by its whole name, "docker.io/library/nginx", and by its path alone, "library/nginx", because
 * that is what a mirror is asked for. A path that several registries have is docker.io's; if docker.io has it not,
 * nobody can say which one is meant.
 */

#include "base/err.h"
#include "base/events.h"
#include "base/limits.h"
#include "base/own.h"
#include "oci/json.h"
#include "oci/manifest.h"
#include "pack/open.h"

/* A blob and the archive that it is in. Both are borrowed. */
struct held {
	struct pack_file *file;
	const struct pack_blob *blob;
};

/* A manifest or index. */
struct catalog_paper {
	struct held held;
	char media_type[MEDIA_TYPE_SIZE];
	struct jdoc *referrer; /* what it says, if it has a subject; else NULL */
	struct digest subject;
	char artifact_type[MEDIA_TYPE_SIZE]; /* of a referrer; "" if it has none */
};

struct catalog_tag {
	char tag[LIMIT_TAG + 1]; /* "": the image is known by its digest alone */
	const struct pack_image *image;
	struct held root;
};

struct catalog_repository {
	char *name; /* "docker.io/library/nginx"; images without a name are all in CATALOG_UNNAMED */
	char *path; /* "library/nginx" */
	char *registry;
	struct catalog_tag *tags; /* sorted */
	size_t tag_count;
	size_t tag_capacity;
};

#define CATALOG_UNNAMED "unnamed"

struct catalog;
struct catalog *catalog_new(struct err *e);
void catalog_free(struct catalog *c);
OWNED(catalog)

/*
 * Takes in what an archive holds; `file` is borrowed until catalog_free(), `noun` names it in warnings. A name that an
 * earlier archive has stays with that one; if it means another image there, that is said.
 */
int catalog_add(struct catalog *c, struct pack_file *file, const char *noun, const struct events *events,
		struct err *e);
/* After the last one, before anything is looked up. */
void catalog_sort(struct catalog *c);

/* Sorted by name. */
size_t catalog_count(const struct catalog *c);
const struct catalog_repository *catalog_at(const struct catalog *c, size_t i);

/*
 * The repository that a client means by `path`. `ns` (or NULL) is the registry that it wants a mirror of: then it is
 * that registry's or none. A single word is docker.io's "library/" too. NULL with ERR_ABSENT, and a text for the
 * client; ERR_USAGE if several registries have the path.
 */
const struct catalog_repository *catalog_find(const struct catalog *c, const char *ns, const char *path, struct err *e);

/* The same where the digest decides, so that it does not matter which of several is meant. */
bool catalog_knows(const struct catalog *c, const char *ns, const char *path);

/* NULL if it has no such tag. */
const struct catalog_tag *catalog_tag(const struct catalog_repository *r, const char *tag);

/* By digest: a manifest or index; any blob that is there (false: there is none). */
const struct catalog_paper *catalog_paper(const struct catalog *c, const struct digest *d);
bool catalog_blob(const struct catalog *c, const struct digest *d, struct held *out);

/* The manifests that refer to `subject`, one after the other: `*at` begins with 0. NULL at the end. */
const struct catalog_paper *catalog_referrer(const struct catalog *c, const struct digest *subject, size_t *at);

#endif
