/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/token.h"

#include "registry/flight.h"
#include "registry/secret.h"

#include <string.h>
#include <time.h>

/* One question's token. Entries live as long as the cache; a run asks for a few scopes a repository. */
struct entry {
	struct entry *next;
	char *realm;
	char *service; /* or NULL */
	char *scope;
	bool anonymous;
	struct flight flight;
	struct buf text;   /* empty: none */
	uint64_t renew_at; /* seconds of our clock */
};

struct tokens {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct entry *first;
};

/* Counts while the machine sleeps, as the token's life does. */
static uint64_t now_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec;
}

static void entry_free(struct entry *x)
{
	if (!x)
		return;
	secret_release(&x->text);
	free(x->realm);
	free(x->service);
	free(x->scope);
	free(x);
}
OWNED(entry)

struct tokens *tokens_new(struct err *e)
{
	struct tokens *t = calloc(1, sizeof(*t));

	if (!t) {
		err_memory(e);
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->changed, NULL);
	return t;
}

void tokens_free(struct tokens *t)
{
	if (!t)
		return;
	while (t->first) {
		struct entry *x = t->first;
		t->first = x->next;
		entry_free(x);
	}
	pthread_cond_destroy(&t->changed);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

static bool is_anonymous(const struct token_question *q)
{
	return !q->who || (!q->who->username && !q->who->identity_token);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static struct entry *entry_new(const struct token_question *q, struct err *e)
{
	AUTO(entry) x = calloc(1, sizeof(*x));

	if (!x) {
		err_memory(e);
		return NULL;
	}
	x->anonymous = is_anonymous(q);
	if (secret_copy(&x->realm, q->realm, e) || secret_copy(&x->service, q->service, e) ||
	    secret_copy(&x->scope, q->scope, e))
		return NULL;
	return TAKE(x);
}

/* The question's entry, made if there is none. The lock is held. */
static struct entry *find(struct tokens *t, const struct token_question *q, struct err *e)
{
	for (struct entry *x = t->first; x; x = x->next)
		if (!strcmp(x->realm, q->realm) && same_text(x->service, q->service) && !strcmp(x->scope, q->scope) &&
		    x->anonymous == is_anonymous(q))
			return x;
	struct entry *x = entry_new(q, e);
	if (x) {
		x->next = t->first;
		t->first = x;
	}
	return x;
}

static bool usable(const struct entry *x, const char *refused)
{
	return x->text.len && now_seconds() < x->renew_at && (!refused || strcmp(x->text.data, refused) != 0);
}

/* Lets the lock go while the service is asked. */
static int renew(struct tokens *t, struct entry *x, struct http_client *client, const struct token_question *q,
		 struct err *e)
{
	struct token fresh = { 0 };
	struct err failure = { 0 };

	pthread_mutex_unlock(&t->lock);
	int rc = token_fetch(client, q, &fresh, &failure);
	pthread_mutex_lock(&t->lock);
	if (!rc) {
		secret_release(&x->text);
		x->text = fresh.text;
		x->renew_at = now_seconds() + fresh.life_seconds * 4 / 5;
	} else if (e) {
		*e = failure;
	}
	flight_land(&x->flight, &t->changed, rc ? &failure : NULL);
	return rc;
}

static int get_locked(struct tokens *t, struct http_client *client, const struct token_question *q, const char *refused,
		      struct buf *out, struct err *e)
{
	struct entry *x = find(t, q, e);

	if (!x)
		return -1;
	while (!usable(x, refused)) {
		int role = flight_join(&x->flight, &t->lock, &t->changed, e);
		if (role < 0)
			return -1;
		if (role > 0) {
			if (renew(t, x, client, q, e))
				return -1;
			break; /* brand new: given even if it is the refused one again */
		}
	}
	return secret_add(out, x->text.data, x->text.len, e);
}

int tokens_get(struct tokens *t, struct http_client *client, const struct token_question *q, const char *refused,
	       struct buf *out, struct err *e)
{
	pthread_mutex_lock(&t->lock);
	int rc = get_locked(t, client, q, refused, out, e);
	pthread_mutex_unlock(&t->lock);
	return rc;
}
