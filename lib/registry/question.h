/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_QUESTION_H
#define REGISTRY_QUESTION_H

/* A request about one thing of a repository: its URL, its scope, and its name for messages. */

#include "base/limits.h"
#include "registry/session.h"

#define WHAT_SIZE (LIMIT_REPOSITORY + LIMIT_TAG + DIGEST_TEXT_SIZE + 32)

struct question {
	struct buf url;
	struct buf scope;
	char what[WHAT_SIZE]; /* "manifest 1.27 of library/nginx" */
};

/* `kind` is "manifests" or "blobs"; `reference` a tag or digest that was checked. *q is `{0}` before. */
int question_make(const struct registry *r, const char *repository, const char *kind, const char *reference,
		  struct question *q, struct err *e);
void question_release(struct question *q);
#define AUTO_QUESTION __attribute__((cleanup(question_release))) struct question

/* Content-Type without parameters; "" if it is absent or no media type could look like that. */
void answer_content_type(const struct http_reply *reply, char out[128]);

/*
 * The request behind registry_open_range() and registry_open_blob(): what came is judged by its head and told by *got;
 * the body is neither counted nor proved.
 */
struct source *blob_request(struct registry_conn *c, const char *repository, const struct promise *blob, uint64_t from,
			    uint64_t to, struct blob_range *got, struct err *e);

/* Bytes that are not the blob's (ERR_CORRUPT): from where they are, and what may have come instead. Returns -1. */
int blob_explain(const struct registry *r, const struct blob_range *got, struct err *e);

#endif
