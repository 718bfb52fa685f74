/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_REFERENCE_H
#define OCI_REFERENCE_H

/*
 * Image references, read as docker reads them (distribution/reference, "familiar names"): nginx, user/app,
 * docker.io/library/nginx, quay.io/x/y:tag, host:port/x, name@sha256:..., name:tag@sha256:... (the digest decides).
 */

#include "base/digest.h"
#include "base/err.h"
#include "base/limits.h"

#include <stdbool.h>

struct reference {
	char registry[LIMIT_REPOSITORY + 1];   /* "docker.io", "quay.io", "localhost:5000", "[::1]:5000" */
	char repository[LIMIT_REPOSITORY + 1]; /* "library/nginx" */
	char tag[LIMIT_TAG + 1];               /* "" if none was written and a digest was; "latest" if neither was */
	bool has_digest;
	struct digest digest;
};

/*
 * Bad ones are refused with the reason (ERR_USAGE), "it has an upper-case letter at 'N'" and what would be right.
 * A leading "docker://" or "https://" is named as what is wrong.
 */
int reference_parse(struct reference *out, const char *text, struct err *e);

/* The fully qualified name, "docker.io/library/nginx:1" or "quay.io/x/y@sha256:..." or both tag and digest. */
#define REFERENCE_TEXT_SIZE (2 * LIMIT_REPOSITORY + LIMIT_TAG + DIGEST_TEXT_SIZE + 8)
const char *reference_text(const struct reference *r, char out[REFERENCE_TEXT_SIZE]);

/* "registry/repository", without tag and digest. */
const char *reference_name(const struct reference *r, char out[REFERENCE_TEXT_SIZE]);

/*
 * The name under which the image is known after a load: with its tag if it has one (a digest beside it is dropped:
 * docker fails on digests in RepoTags), else "registry/repository@sha256:...".
 */
const char *reference_local_name(const struct reference *r, char out[REFERENCE_TEXT_SIZE]);

/* As docker shows it: without "docker.io/" and "library/". */
const char *reference_familiar(const struct reference *r, char out[REFERENCE_TEXT_SIZE]);

/* What manifests are asked by: the digest if there is one, else the tag. */
const char *reference_selector(const struct reference *r, char out[REFERENCE_TEXT_SIZE]);

/* True for "localhost", "127.x.x.x" and "[::1]", any port: plain HTTP is used there (docker's and crane's habit). */
bool reference_registry_is_local(const char *registry);

/* True if `host` could be a registry's "host[:port]" as in a reference. */
bool reference_registry_valid(const char *registry);
/* True if `path` fits the grammar of a repository ("a/b-c"); empty is not. */
bool reference_repository_valid(const char *path);
bool reference_tag_valid(const char *tag);

#endif
