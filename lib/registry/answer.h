/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_ANSWER_H
#define REGISTRY_ANSWER_H

/* Answers that are not what was asked for, made into errors a person can use. */

#include "base/err.h"
#include "http/http.h"

#include <stdbool.h>

/* Reads the rest of the body (bounded) so that the connection can be used again, then frees the reply. */
void answer_drop(struct http_reply *r);

struct answer_context {
	const char *who;    /* the host as the user knows it */
	bool push;          /* refusals of our bytes are ERR_TARGET, and what is missing is not "no such image" */
	bool foreign;       /* another host answered: its body may quote a signed URL and is not shown */
	bool anonymous;     /* no credentials were there */
	bool frank;         /* what is refused is there: no guess at a repository that does not exist */
	const char *secret; /* what was sent in Authorization; taken out if the answer quotes it. Or NULL */
};

/*
 * Fills *e from the answer's status; the body (registry error JSON, or text) is shown escaped, LIMIT_ERROR_SHOWN bytes
 * at most. `what` was asked for ("manifest 1.27 of library/nginx"). Takes the reply. e->sys is the status
 * (429 for a throttling that is told by 400), e->wait_ms its Retry-After. Returns -1.
 */
int answer_fail(struct http_reply *r, const struct answer_context *ctx, const char *what, struct err *e);

/*
 * The registry's own words from an error body into out (cap bytes): "CODE: message; CODE: message" of its JSON, else
 * a web page's title, or the text, lines joined; "" if there is nothing to show. Split off for tests.
 */
const char *answer_words(const char *body, size_t len, const char *secret, char *out, size_t cap);

/* The first header of this name for a message, without secrets (redact.h), escaped into out; "" if it is absent. */
const char *answer_header(const struct http_reply *r, const char *name, const char *secret, char *out, size_t cap);

bool answer_is_redirect(int status);

#endif
