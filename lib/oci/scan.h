/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_SCAN_H
#define OCI_SCAN_H

/*
 * Image references in what people write: Kubernetes manifests, Helm's output and values, Kustomize, Compose files,
 * Dockerfiles, plain lists. Bytes in, sights out, in the order of the file.
 *
 * What counts as an image:
 *   - `image` of a container (containers, initContainers, ephemeralContainers; Argo's container, script and sidecars;
 *     Tekton's steps and stepTemplate), `image.reference` of a volume, `image` of a Compose service: any reference.
 *   - elsewhere a field whose name ends in "image" (CRDs, ConfigMap data, values, annotations), `imageName`, the value
 *     of an environment variable or flag that is called so (SOME_IMAGE, --some-image): with a tag or a digest. A field
 *     that is `image` and nothing else may name a registry's host instead of that, unless it ends like a file. Lists
 *     of references under names that end in "images" are read, and Kustomize's images.
 *   - maps in the shape of Helm's values: registry, repository (or image), tag, digest (or sha).
 *   - a Dockerfile's FROM and --from= that is no stage, and its "# syntax=".
 * What is not read: `status`, CustomResourceDefinitions, Flux's ImageRepository, text blocks inside other documents (a
 * ConfigMap's files).
 */

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum scan_kind { SCAN_GUESS, SCAN_YAML, SCAN_DOCKERFILE, SCAN_LIST };

struct scan_input {
	const char *bytes;
	size_t len;
	enum scan_kind kind;
	/* The value of a variable in a Compose file, or NULL; lives during the call. NULL: nothing is set. */
	const char *(*variable)(void *ctx, const char *name);
	void *ctx;
};

enum sight_kind {
	SIGHT_IMAGE,      /* `text` is the reference, in full */
	SIGHT_UNRESOLVED, /* an image for certain, but which one is not written here: a template, a variable, nothing */
	SIGHT_DOUBT,      /* named like an image, written like something else */
	SIGHT_TEMPLATE,   /* the file is a template that was not rendered; the rest of it was not read */
	SIGHT_BROKEN      /* the rest of the file cannot be read */
};

struct sight {
	enum sight_kind kind;
	size_t line; /* from 1 */
	char *text;  /* as written (foreign bytes), but for SIGHT_IMAGE */
	char *why;   /* printable; NULL for SIGHT_IMAGE */
};

struct sights {
	struct sight *items;
	size_t count, capacity;
};

/* Appends to *out. -1: out of memory; whatever is wrong with the bytes is a sight. */
int scan_read(struct sights *out, const struct scan_input *in, struct err *e);
void sights_release(struct sights *s);

#define AUTO_SIGHTS __attribute__((cleanup(sights_release))) struct sights

#endif
