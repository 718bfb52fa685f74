/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_TOKEN_H
#define REGISTRY_TOKEN_H

/*
 * Bearer tokens of one registry (distribution specification, "Token Authentication"; docker's "OAuth2 Token
 * Authentication"): one for each service and scope, fetched by one worker while the others wait, renewed at 80 % of its
 * life. The life is counted by our own clock from the moment of receipt; what the server says about the date is
 * ignored.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/own.h"
#include "http/http.h"
#include "registry/credentials.h"

#include <stdbool.h>
#include <stdint.h>

struct token_question {
	const char *home; /* origin that named the realm, and on whose word it is trusted */
	const char *realm;
	const char *service;          /* or NULL */
	const char *scope;            /* several are separated by a space; "": none */
	const struct credential *who; /* NULL, or one without a user name: anonymous */
};

/* The cache. Thread-safe. */
struct tokens;
struct tokens *tokens_new(struct err *e);
void tokens_free(struct tokens *t); /* wiped */
OWNED(tokens)

/*
 * A token into *out (empty; the caller wipes it). `refused` is the one that the registry has just refused, or NULL: it
 * is not given again, a younger one that another worker brought is. ERR_DENIED if the service refuses the credentials.
 */
int tokens_get(struct tokens *t, struct http_client *client, const struct token_question *q, const char *refused,
	       struct buf *out, struct err *e);

/* What is below is the exchange itself, without the cache. */

struct token {
	struct buf text; /* wiped by its owner */
	uint64_t life_seconds;
};

/* One exchange with the service. */
int token_fetch(struct http_client *client, const struct token_question *q, struct token *out, struct err *e);

/* The service's answer: `token` or `access_token`, and `expires_in`. Secret text: no error quotes it. */
int token_parse(const char *body, size_t len, struct token *out, struct err *e);

#endif
