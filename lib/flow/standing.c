/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/standing.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define DEFAULT_RETRIES 5
#define DEFAULT_RETRY_MS 2000
#define LONGEST_RETRY_MS 60000

/* A mirror is passed over after so many failures in a row, and at once after one that cost this long, or a stall. */
#define MIRROR_FAILURES 3
#define LONG_SILENCE (5 * SECOND)

/* With --wait-for-quota, when the registry does not say how long. */
#define QUOTA_LOOK_SECONDS 300

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
	       (quota || ep->rest_until - clock_ns() <= LIMIT_RETRY_AFTER_SECONDS * SECOND);
}

static int64_t rests_until(const struct search *s, size_t i)
{
	const int64_t all = s->family->endpoints[i].rest_until;

	return all > s->rest_until[i] ? all : s->rest_until[i];
}

/* Of those that are ready, the one that this search has not tried, or whose failure lies back longest: a short wait
 * must not bring the first mirror back before the second was asked. */
static size_t ready_at(const struct search *s, int64_t now, enum standing worst, int64_t *wake)
{
	size_t best = ENDPOINTS_MOST;

	for (size_t i = 0; i < s->family->count; i++) {
		if (!eligible(s, i, worst))
			continue;
		const int64_t until = rests_until(s, i);
		if (until > now)
			*wake = !*wake || until < *wake ? until : *wake;
		else if (best == ENDPOINTS_MOST || s->rest_until[i] < s->rest_until[best])
			best = i;
	}
	return best;
}

size_t standing_choose(const struct search *s, int64_t now, int64_t *wake)
{
	size_t i = ENDPOINTS_MOST;

	*wake = 0;
	for (enum standing worst = STANDING_GOOD; worst <= STANDING_WEAK && !*wake && i == ENDPOINTS_MOST; worst++)
		i = ready_at(s, now, worst, wake);
	return i;
}

/* Under the lock. */
static bool has_another(const struct search *s, size_t than)
{
	for (size_t i = 0; i < s->family->count; i++)
		if (i != than && eligible(s, i, STANDING_WEAK))
			return true;
	return false;
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

void standing_bar(struct search *s, size_t i)
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
	if (failure->wait_ms <= LIMIT_RETRY_AFTER_SECONDS * INT64_C(1000))
		return false;
	if (failure->sys == 429)
		err_hint(failure, "--wait-for-quota waits for it");
	else
		err_hint(failure, "try again then");
	standing_bar(s, i);
	/* The others are not to ask either: eligible() knows. */
	s->family->endpoints[i].rest_until = clock_ns() + failure->wait_ms * MS;
	return true;
}

/* The pull limit is spent and the user has time: neither the wait nor the tries count. True: it is waited for. */
static bool waits_for_quota(struct search *s, size_t i, int64_t now, const struct err *failure)
{
	struct endpoint *ep = &s->family->endpoints[i];

	if (failure->sys != 429 || !s->r->connect->wait_for_quota)
		return false;
	ep->rest_until = now + (failure->wait_ms ? failure->wait_ms * MS : QUOTA_LOOK_SECONDS * SECOND);
	ep->failures = s->patience->failures = 0;
	return true;
}

/* A failure that may pass: it is worth another try at this place after rest_until, or the place is barred. */
static void passing(struct search *s, size_t i, int64_t started, int64_t now, struct err *failure)
{
	struct endpoint *ep = &s->family->endpoints[i];
	const unsigned most = retries(s->r);

	if (waits_for_quota(s, i, now, failure))
		return;
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
		standing_bar(s, i);
		return;
	}
	if (failure->wait_ms) {
		/* Whoever comes to this place now would be told the same. */
		ep->rest_until = now + failure->wait_ms * MS;
		return;
	}
	s->rest_until[i] = now +
			   jitter(s->r, s->patience->failures > ep->failures ? s->patience->failures : ep->failures);
	const int64_t stall = (int64_t)s->r->connect->stall_seconds * SECOND;
	const bool long_silence = now - started > LONG_SILENCE || (stall && now - started >= stall);
	if (!ep->origin && has_another(s, i) && (ep->failures >= MIRROR_FAILURES || long_silence))
		leave(s, i, STANDING_WEAK, failure->text);
}

int standing_judge(struct search *s, size_t i, int64_t started, struct err *failure)
{
	struct endpoint *ep = &s->family->endpoints[i];
	const int64_t now = clock_ns();

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
		standing_bar(s, i);
		break;
	case ERR_DENIED:
		standing_bar(s, i);
		leave(s, i, STANDING_LEFT, failure->text);
		break;
	case ERR_CORRUPT:
		if (!ep->origin)
			leave(s, i, STANDING_LEFT, failure->text);
		if (!ep->origin || s->wrong++ >= WRONG_MOST)
			standing_bar(s, i);
		else
			s->rest_until[i] = now + jitter(s->r, s->wrong);
		break;
	case ERR_NETWORK:
		if (failure->lasting || (failure->unreached && !ep->answered)) {
			standing_bar(s, i);
			leave(s, i, STANDING_LEFT, failure->text);
		} else {
			passing(s, i, started, now, failure);
		}
		break;
	}
	return 0;
}

void ask_leave(struct registries *r, size_t number, size_t endpoint, const char *why)
{
	struct search s = { .r = r, .family = r->items[number] };

	pthread_mutex_lock(&r->lock);
	if (!s.family->endpoints[endpoint].origin)
		leave(&s, endpoint, STANDING_LEFT, why);
	pthread_mutex_unlock(&r->lock);
}

static void say_quota(const struct registries *r, struct registry *registry)
{
	char after[64] = "";
	struct registry_quota quota;

	if (!registry_quota(registry, &quota))
		return;
	if (quota.window)
		(void)snprintf(after, sizeof(after), " (its window is %.3g h)", (double)quota.window / 3600);
	event_text(r->events, EVENT_NOTE, "%s allows %" PRIu64 " more pulls now%s", registry_host(registry), quota.left,
		   after);
}

void ask_summary(struct registries *r)
{
	for (size_t n = 0; n < r->count; n++)
		for (size_t i = 0; i < r->items[n]->count; i++) {
			const struct endpoint *ep = &r->items[n]->endpoints[i];
			char size[TEXT_SIZE_CAP];
			say_quota(r, ep->registry);
			if (ep->origin && r->items[n]->count == 1)
				continue;
			const char *standing = "";
			if (ep->why[0])
				standing = ep->standing == STANDING_GOOD ? "; the last that failed: " : "; left: ";
			event_text(r->events, EVENT_NOTE, "%s%s gave %s%s%s", ep->origin ? "" : "mirror ",
				   registry_host(ep->registry), text_size(size, ep->bytes), standing, ep->why);
		}
}
