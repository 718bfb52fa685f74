/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/standing.h"

#include "base/cancel.h"
#include "base/clock.h"

static int sleep_until(const struct search *s, int64_t until, struct err *e)
{
	struct ask *a = s->ask;

	if (a->waiting)
		a->waiting(a, true);
	int rc = cancel_sleep(until, a->stop, e);
	if (a->waiting)
		a->waiting(a, false);
	return rc;
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

static void say_again(const struct search *s, int64_t wait)
{
	const bool worth_a_line = s->patience->failures > 1 || wait > 5 * SECOND;

	/* One who has not asked yet waits because others were told to. */
	event_text(s->r->events, worth_a_line ? EVENT_NOTE : EVENT_DETAIL, "%s: %s; again in %.1f s", s->ask->what,
		   s->tries ? s->failure.text : "the registry asks to be left alone", (double)wait / (double)SECOND);
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
	int rc = err_set(e, ERR_NETWORK, "%s: no place is left to ask", s->family->host);

	pthread_mutex_lock(&s->r->lock);
	for (size_t i = s->family->count; i-- > 0;)
		if (s->family->endpoints[i].why[0])
			rc = err_set(e, ERR_NETWORK, "%s", s->family->endpoints[i].why);
	pthread_mutex_unlock(&s->r->lock);
	return rc;
}

/* One try at endpoint i. 0: done, 1: it failed and something else may be tried, -1: final. */
static int try_at(struct search *s, size_t i, struct err *e)
{
	struct ask *a = s->ask;
	const struct endpoint *ep = &s->family->endpoints[i];
	AUTO_BUF name = { 0 };
	struct err failure = { 0 };
	const int64_t started = clock_ns();

	if (ep->site) {
		int serves = sites_repository(&s->family->sites, ep->site, a->repository, &name, e);
		if (serves < 0)
			return -1;
		if (!serves) {
			standing_bar(s, i);
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
	int final = rc ? standing_judge(s, i, started, &failure) : 0;
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
		const int64_t now = clock_ns();
		if (a->stop && atomic_load(a->stop))
			return err_set(e, ERR_NETWORK, "given up, others are at it");
		pthread_mutex_lock(&r->lock);
		size_t i = standing_choose(&s, now, &wake);
		pthread_mutex_unlock(&r->lock);
		if (i == ENDPOINTS_MOST && !wake)
			return s.tries ? give_up(&s, e) : nobody(&s, e);
		if (i == ENDPOINTS_MOST) {
			say_again(&s, wake - now);
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
