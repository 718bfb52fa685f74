/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_SESSION_H
#define REGISTRY_SESSION_H

/*
 * One registry as its workers share it, and one request to it with the right Authorization. Inside the room only.
 *
 * What a registry asks for is learned once, by the first request if the user has no credentials for it, else by a GET
 * /v2/ before it; after that every request carries its Authorization at once. A 401 later is answered by a new token,
 * once.
 */

#include "registry/answer.h"
#include "registry/challenge.h"
#include "registry/flight.h"
#include "registry/registry.h"
#include "registry/token.h"

#include <pthread.h>

struct registry {
	char *host;                  /* as in a reference */
	char *url;                   /* origin, "https://registry-1.docker.io" */
	char *api;                   /* "https://registry-1.docker.io/v2" */
	char *query;                 /* "?ns=docker.io", or "" */
	struct http *http;           /* borrowed */
	const struct events *events; /* borrowed */
	bool push;
	struct tokens *tokens;

	pthread_mutex_t lock; /* guards what is below */
	pthread_cond_t changed;
	struct flight probing;
	bool probed;
	int probe_status; /* of GET /v2/ without Authorization */
	struct challenge challenge;
	struct flight finding;
	bool credential_known; /* the credential is there, and does not change any more */
	struct credential credential;
	struct registry_quota quota; /* left is UINT64_MAX: the registry did not say */
	char *warned;                /* the last Warning header that was passed on */
};

struct registry_conn {
	struct registry *registry; /* borrowed */
	struct http_client *client;
};

/* What goes into Authorization. */
struct ticket {
	struct buf header;  /* "Authorization: Bearer ..."; empty: none. A secret */
	const char *secret; /* the part of it that is secret, or NULL */
	bool bearer;
	bool anonymous;
};
void ticket_release(struct ticket *t);
#define AUTO_TICKET __attribute__((cleanup(ticket_release))) struct ticket

/* The user's credential for the registry, found at first use. Borrowed from the registry. NULL: failed. */
const struct credential *session_credential(struct registry *r, struct err *e);

/* Learns what the registry asks for, once for all workers. */
int session_probe(struct registry_conn *c, struct err *e);

struct call {
	enum http_method method;
	const char *url;
	const char *scope;      /* of the token, session_scope(); "": none */
	const char *accept;     /* or NULL */
	const char *range;      /* "Range: bytes=0-99", or NULL */
	const char *media_type; /* Content-Type, or NULL */
	const void *bytes;      /* a body in memory: sent again after a 401; or NULL */
	size_t len;
	struct source *body; /* a body that can be sent once (borrowed), or NULL */
	uint64_t body_size;
	uint64_t max_body; /* of the answer */
};

/*
 * What a call leaves behind: the reply, and what it needs while it is open. `{0}` is a valid, empty one. `context` is
 * what answer_fail() wants to know.
 */
struct exchange {
	struct http_reply *reply;
	struct source *bytes; /* of call->bytes; outlives the reply */
	struct ticket ticket;
	struct answer_context context;
};
void exchange_release(struct exchange *x);
#define AUTO_EXCHANGE __attribute__((cleanup(exchange_release))) struct exchange

/*
 * For one without credentials the very first request tells what GET /v2/ would, and saves a trip: it is sent as it is.
 * 1: x->reply is its answer, 0: it was not sent, or asked for more, and the ordinary way is to be taken; -1.
 */
int session_send_first(struct registry_conn *c, const struct call *call, struct exchange *x, struct err *e);

/* The best challenge of an answer. */
int session_read_challenge(const struct http_reply *reply, struct challenge *out, struct err *e);

/* The ticket for what the registry asks. `refused`: the one that has just failed, or NULL. */
int session_ticket(struct registry_conn *c, const char *scope, const struct ticket *refused, struct ticket *out,
		   struct err *e);

/* A ticket with the user's name and password whatever the registry asks for; t->anonymous if there are none. *t is
 * empty. */
int session_basic(struct registry *r, struct ticket *t, struct err *e);

/* A ticket with the token that answers this question. */
int session_bearer(struct registry_conn *c, const struct token_question *q, const char *refused, struct ticket *t,
		   struct err *e);

/* One request with x->ticket, to a URL that may be anywhere. */
int session_send_once(struct registry_conn *c, const struct call *call, const char *url, struct exchange *x,
		      struct err *e);

/*
 * One request to the registry's own origin. Any status is a success here; a 401 is one that stands after a new token
 * was tried. *x must be empty.
 */
int session_send(struct registry_conn *c, const struct call *call, struct exchange *x, struct err *e);

/*
 * GET or HEAD of something that may stand elsewhere: session_send() at home, and redirects followed under the rules of
 * origin.h. Elsewhere nothing of ours is sent; one anonymous token is fetched if that host asks for it.
 */
int session_get(struct registry_conn *c, const struct call *call, struct exchange *x, struct err *e);

/* answer_fail() for the exchange's reply, which is taken. */
int exchange_fail(struct exchange *x, const char *what, struct err *e);

/* "repository:NAME:pull[,push]" into *out, and " repository:FROM:pull" behind it if `from` is not NULL. */
int session_scope(const struct registry *r, const char *repository, const char *from, struct buf *out, struct err *e);

/* "https://host/v2/NAME/KIND/REFERENCE" (with a mirror's own API path and query) into *out; the name is checked against
 * its grammar (ERR_USAGE). */
int session_url(const struct registry *r, const char *repository, const char *kind, const char *reference,
		struct buf *out, struct err *e);

/* True if the answer is encoded although it was asked not to be; the coding's name, escaped, goes to out. */
#define CODING_TEXT_SIZE 48
bool answer_is_encoded(const struct http_reply *r, char out[CODING_TEXT_SIZE]);

#endif
