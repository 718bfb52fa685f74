/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/ask.h"

#include "base/cancel.h"
#include "base/limits.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define MS INT64_C(1000000)
#define SECOND (1000 * MS)

#define DEFAULT_RETRIES 5
#define DEFAULT_RETRY_MS 2000
#define LONGEST_RETRY_MS 60000

/* A mirror is passed over after so many failures in a row, and at once after one that cost this long, or a stall. */
#define MIRROR_FAILURES 3
#define LONG_SILENCE (5 * SECOND)

/* Bytes that are not what was promised may be the way's fault: so often they are asked for again where nobody else is.
 */
#define WRONG_MOST 2

/* With --wait-for-quota, when the registry does not say how long. */
#define QUOTA_LOOK_SECONDS 300

/* How often one who waits looks whether he shall stop. */
#define TICK (50 * MS)

static int64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * SECOND + ts.tv_nsec;
}

/* What one ask() knows about the places, beside what the whole run knows. */
struct search {
	struct registries *r;
	struct family *family;
	struct ask *ask;
	struct patience own;
	struct patience *patience;
	int64_t rest_until[ENDPOINTS_MOST];
	unsigned tries;
	unsigned wrong;     /* times that the registry itself gave other bytes than promised */
	struct err failure; /* of the registry itself, else of the last place */
	bool from_origin;
};

static unsigned retries(const struct registries *r)
{
	return r->connect->retries_given ? r->connect->retries : DEFAULT_RETRIES;
}

/* Choosing a place. */

static bool eligible(const struct search *s, size_t i, enum standing worst)
{
	const struct endpoint *ep = &s->family->endpoints[i];
	const bool quota = s->r->connect->wait_for_quota;

	return !(s->ask->barred & (UINT32_C(1) << i)) && ep->standing <= worst &&
	       !(s->ask->by_tag && ep->site && ep->site->digest_only) &&
	       (quota || ep->rest_until - now_ns() <= LIMIT_RETRY_AFTER_SECONDS * SECOND);
}

static int64_t rests_until(const struct search *s, size_t i)
{
	const int64_t all = s->family->endpoints[i].rest_until;

	return all > s->rest_until[i] ? all : s->rest_until[i];
}

/*
 * The first place that may be asked now; with none, ENDPOINTS_MOST, and *wake is when one may be (0: none is left at
 * all). The weak ones are looked at when no good one is left. Under the lock.
 */
static size_t choose(const struct search *s, int64_t now, int64_t *wake)
{
	*wake = 0;
	for (enum standing worst = STANDING_GOOD; worst <= STANDING_WEAK && !*wake; worst++)
		for (size_t i = 0; i < s->family->count; i++) {
			if (!eligible(s, i, worst))
				continue;
			int64_t until = rests_until(s, i);
			if (until <= now)
				return i;
			if (!*wake || until < *wake)
				*wake = until;
		}
	return ENDPOINTS_MOST;
}

/* Under the lock. */
static bool has_another(const struct search *s, size_t than)
{
	for (size_t i = 0; i < s->family->count; i++)
		if (i != than && eligible(s, i, STANDING_WEAK))
			return true;
	return false;
}

static int sleep_until(const struct search *s, int64_t until, struct err *e)
{
	struct ask *a = s->ask;
	int rc = 0;

	if (a->waiting)
		a->waiting(a, true);
	while (!rc) {
		int64_t left = until - now_ns();
		if (left <= 0)
			break;
		if (a->stop && atomic_load(a->stop)) {
			rc = err_set(e, ERR_NETWORK, "given up, others are at it");
			break;
		}
		const struct timespec nap = { 0, left < TICK ? left : TICK };
		(void)nanosleep(&nap, NULL);
		rc = cancel_check(e);
	}
	if (a->waiting)
		a->waiting(a, false);
	return rc;
}

/* Judging a failure. Everything here runs under the lock. */

static void leave(struct search *s, size_t i, enum standing standing, const char *why)
{
	struct endpoint *ep = &s->family->endpoints[i];

	if (ep->standing >= standing || s->family->count == 1)
		return;
	ep->standing = standing;
	(void)snprintf(ep->why, sizeof(ep->why), "%.*s", (int)sizeof(ep->why) - 1, why);
	if (!ep->origin)
		event_text(s->r->events, EVENT_NOTE, "the mirror %s is left%s: %s", registry_host(ep->registry),
			   standing == STANDING_WEAK ? " for others" : "", ep->why);
}

static void bar(struct search *s, size_t i)
{
	s->ask->barred |= UINT32_C(1) << i;
}

/* A random part of the first wait, doubled with every failure in a row. */
static int64_t jitter(const struct registries *r, unsigned failures)
{
	uint64_t most = r->connect->retry_ms ? r->connect->retry_ms : DEFAULT_RETRY_MS;
	uint32_t random = UINT32_MAX / 2;

	for (unsigned i = 1; i < failures && most < LONGEST_RETRY_MS; i++)
		most *= 2;
	if (most > LONGEST_RETRY_MS)
		most = LONGEST_RETRY_MS;
	(void)!getrandom(&random, sizeof(random), 0);
	return (int64_t)((double)most * ((double)random / (double)UINT32_MAX) * (double)MS);
}

/* What it asks for is not waited for: too long, unless the user has time. True: it was barred. */
static bool asks_too_much(struct search *s, size_t i, struct err *failure)
{
	const struct connect_options *connect = s->r->connect;
	const bool quota = failure->sys == 429 && connect->wait_for_quota;

	if (failure->wait_ms <= LIMIT_RETRY_AFTER_SECONDS * INT64_C(1000) || quota)
		return false;
	if (failure->sys == 429)
		err_hint(failure, "--wait-for-quota waits for it");
	else
		err_hint(failure, "try again then");
	bar(s, i);
	/* The others are not to ask either: eligible() knows. */
	s->family->endpoints[i].rest_until = now_ns() + failure->wait_ms * MS;
	return true;
}

/* A failure that may pass. True: it is worth another try at this place, after rest_until. */
static void passing(struct search *s, size_t i, int64_t started, int64_t now, struct err *failure)
{
	struct endpoint *ep = &s->family->endpoints[i];
	const unsigned most = retries(s->r);

	if (started > ep->counted_at) {
		ep->failures++;
		ep->counted_at = now;
	}
	if (started > s->patience->counted_at) {
		s->patience->failures++;
		s->patience->counted_at = now;
	}
	if (asks_too_much(s, i, failure))
		return;
	/* Its own failures among successes of others count half. */
	if (ep->failures > most || s->patience->failures > 2 * most) {
		bar(s, i);
		return;
	}
	if (failure->wait_ms) {
		/* Whoever comes to this place now would be told the same. */
		ep->rest_until = now + failure->wait_ms * MS;
		return;
	}
	if (failure->sys == 429 && s->r->connect->wait_for_quota) {
		ep->rest_until = now + QUOTA_LOOK_SECONDS * SECOND;
		ep->failures = s->patience->failures = 0;
		return;
	}
	s->rest_until[i] = now +
			   jitter(s->r, s->patience->failures > ep->failures ? s->patience->failures : ep->failures);
	const int64_t stall = (int64_t)s->r->connect->stall_seconds * SECOND;
	const bool long_silence = now - started > LONG_SILENCE || (stall && now - started >= stall);
	if (!ep->origin && has_another(s, i) && (ep->failures >= MIRROR_FAILURES || long_silence))
		leave(s, i, STANDING_WEAK, failure->text);
}

/* 0: there may be more to try, -1: *failure is final whatever else is there. */
static int judge(struct search *s, size_t i, int64_t started, struct err *failure)
{
	struct endpoint *ep = &s->family->endpoints[i];
	const int64_t now = now_ns();

	if (ep->standing == STANDING_GOOD)
		(void)snprintf(ep->why, sizeof(ep->why), "%.*s", (int)sizeof(ep->why) - 1, failure->text);
	switch (failure->kind) {
	case ERR_NONE:
	case ERR_USAGE:
	case ERR_LOCAL:
	case ERR_TARGET:
	case ERR_CANCELLED:
		return -1;
	case ERR_ABSENT:
		bar(s, i);
		break;
	case ERR_DENIED:
		bar(s, i);
		leave(s, i, STANDING_LEFT, failure->text);
		break;
	case ERR_CORRUPT:
		if (!ep->origin)
			leave(s, i, STANDING_LEFT, failure->text);
		if (!ep->origin || s->wrong++ >= WRONG_MOST)
			bar(s, i);
		else
			s->rest_until[i] = now + jitter(s->r, s->wrong);
		break;
	case ERR_NETWORK:
		if (failure->lasting || (failure->unreached && !ep->answered)) {
			bar(s, i);
			leave(s, i, STANDING_LEFT, failure->text);
		} else {
			passing(s, i, started, now, failure);
		}
		break;
	}
	return 0;
}

static void note_success(struct search *s, size_t i)
{
	struct endpoint *ep = &s->family->endpoints[i];

	ep->failures = 0;
	ep->answered = true;
	s->patience->failures = 0;
}

/* The registry's own word about what it does not have counts more than a mirror's. */
static void remember(struct search *s, size_t i, const struct err *failure)
{
	if (s->from_origin && !s->family->endpoints[i].origin)
		return;
	s->failure = *failure;
	s->from_origin = s->family->endpoints[i].origin;
}

static void say_again(const struct search *s, const struct err *failure, int64_t wait)
{
	const bool worth_a_line = s->patience->failures > 1 || wait > 5 * SECOND;

	event_text(s->r->events, worth_a_line ? EVENT_NOTE : EVENT_DETAIL, "%s: %s; again in %.1f s", s->ask->what,
		   failure->text, (double)wait / (double)SECOND);
}

static int give_up(const struct search *s, struct err *e)
{
	if (e)
		*e = s->failure;
	if (s->tries > 1)
		err_hint(e, "tried %u times%s", s->tries, s->family->count > 1 ? ", mirrors included" : "");
	return -1;
}

/* Others have found out before that there is nothing to be had. */
static int nobody(const struct search *s, struct err *e)
{
	for (size_t i = 0; i < s->family->count; i++)
		if (s->family->endpoints[i].why[0])
			return err_set(e, ERR_NETWORK, "%s", s->family->endpoints[i].why);
	return err_set(e, ERR_NETWORK, "%s: no place is left to ask", s->family->host);
}

/* One try at endpoint i. 0: done, 1: it failed and something else may be tried, -1: final. */
static int try_at(struct search *s, size_t i, struct err *e)
{
	struct ask *a = s->ask;
	const struct endpoint *ep = &s->family->endpoints[i];
	AUTO_BUF name = { 0 };
	struct err failure = { 0 };
	const int64_t started = now_ns();

	if (ep->site) {
		int serves = sites_repository(&s->family->sites, ep->site, a->repository, &name, e);
		if (serves < 0)
			return -1;
		if (!serves) {
			bar(s, i);
			return 1;
		}
	}
	struct registry_conn *conn = registries_connection(s->r, a->registry, i, a->worker, e);
	if (!conn)
		return -1;
	a->endpoint = i;
	a->progressed = false;
	registry_conn_watch(conn, a->stop);
	int rc = a->attempt(a, conn, name.data ? name.data : a->repository, &failure);
	registry_conn_watch(conn, NULL);
	s->tries++;
	pthread_mutex_lock(&s->r->lock);
	if (!rc || a->progressed)
		note_success(s, i);
	int final = rc ? judge(s, i, started, &failure) : 0;
	pthread_mutex_unlock(&s->r->lock);
	if (!rc)
		return 0;
	remember(s, i, &failure);
	return final ? -1 : 1;
}

int ask(struct registries *r, struct ask *a, struct err *e)
{
	struct search s = { .r = r, .family = r->items[a->registry], .ask = a };

	s.patience = a->patience ? a->patience : &s.own;
	for (;;) {
		int64_t wake;
		const int64_t now = now_ns();
		if (a->stop && atomic_load(a->stop))
			return err_set(e, ERR_NETWORK, "given up, others are at it");
		pthread_mutex_lock(&r->lock);
		size_t i = choose(&s, now, &wake);
		pthread_mutex_unlock(&r->lock);
		if (i == ENDPOINTS_MOST && !wake)
			return s.tries ? give_up(&s, e) : nobody(&s, e);
		if (i == ENDPOINTS_MOST) {
			say_again(&s, &s.failure, wake - now);
			if (sleep_until(&s, wake, e))
				return -1;
			continue;
		}
		int rc = try_at(&s, i, e);
		if (rc < 0 && s.failure.kind != ERR_NONE && e)
			*e = s.failure;
		if (rc <= 0)
			return rc;
	}
}

void ask_leave(struct registries *r, size_t number, size_t endpoint, const char *why)
{
	struct search s = { .r = r, .family = r->items[number] };

	pthread_mutex_lock(&r->lock);
	if (!s.family->endpoints[endpoint].origin)
		leave(&s, endpoint, STANDING_LEFT, why);
	pthread_mutex_unlock(&r->lock);
}

void ask_summary(struct registries *r)
{
	for (size_t n = 0; n < r->count; n++)
		for (size_t i = 0; i < r->items[n]->count; i++) {
			const struct endpoint *ep = &r->items[n]->endpoints[i];
			char size[TEXT_SIZE_CAP];
			if (ep->origin && r->items[n]->count == 1)
				continue;
			const char *standing = "";
			if (ep->why[0])
				standing = ep->standing == STANDING_GOOD ? "; the last that failed: " : "; left: ";
			event_text(r->events, EVENT_NOTE, "%s%s gave %s%s%s", ep->origin ? "" : "mirror ",
				   registry_host(ep->registry), text_size(size, ep->bytes), standing, ep->why);
		}
}
