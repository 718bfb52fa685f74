/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/having.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/parallel.h"
#include "base/text.h"
#include "oci/manifest.h"
#include "registry/list.h"
#include "target/again.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

/*
 * What a registry has:
 *
 *     repositories -> their tags -> each tag's manifest -> the manifests that indexes name, each digest once
 *
 * One request a tag, whatever it points at: asking first what it is (HEAD) would save the bytes of a known manifest and
 * cost a second trip for an unknown one.
 */

#define SAY_EVERY INT64_C(5000000000) /* nanoseconds */

struct question_of {
	size_t repository;
	char *selector; /* tag or digest; owned */
};

struct names {
	char **items;
	size_t count;
	size_t capacity;
};

struct sweep {
	struct having *having;
	struct registry *registry;
	struct registry_conn *conns[LIMIT_CONNECTIONS];
	size_t workers;
	unsigned tries;
	bool listed; /* the repositories come from the registry's own list */
	struct names repositories;
	pthread_mutex_t lock; /* guards what is below, and the inventory and the report's counts */
	struct question_of *questions;
	size_t count;
	size_t capacity;
	size_t begin; /* questions[] of this turn begin here */
	size_t done;
	int64_t said_at;
	struct digestmap *seen;  /* manifests that were read */
	struct digestmap *asked; /* children that are among the questions */
};

static void names_clear(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->items[i]);
	n->count = 0;
}

static int names_add(void *ctx, const char *name, struct err *e)
{
	struct names *n = ctx;

	if (GROW(n->items, n->capacity, n->count, e))
		return -1;
	n->items[n->count] = strdup(name);
	if (!n->items[n->count])
		return err_memory(e);
	n->count++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, each once, so that a run is like the one before. */
static void names_sort(struct names *n)
{
	size_t kept = 0;

	if (n->count)
		qsort(n->items, n->count, sizeof(*n->items), by_name);
	for (size_t i = 0; i < n->count; i++) {
		if (kept && !strcmp(n->items[kept - 1], n->items[i]))
			free(n->items[i]);
		else
			n->items[kept++] = n->items[i];
	}
	n->count = kept;
}

static void sweep_release(struct sweep *s)
{
	for (size_t i = 0; i < s->workers; i++)
		registry_conn_free(s->conns[i]);
	registry_free(s->registry);
	names_clear(&s->repositories);
	free(s->repositories.items);
	for (size_t i = 0; i < s->count; i++)
		free(s->questions[i].selector);
	free(s->questions);
	digestmap_free(s->seen);
	digestmap_free(s->asked);
	pthread_mutex_destroy(&s->lock);
}

static struct registry_conn *conn_of(struct sweep *s, size_t worker, struct err *e)
{
	if (!s->conns[worker])
		s->conns[worker] = registry_connect(s->registry, e);
	return s->conns[worker];
}

/* Lists, tried again from the beginning where the network breaks them. */
struct list_try {
	struct registry_conn *conn;
	const char *repository; /* NULL: the repositories themselves */
	struct names names;
	size_t pages;
};
static void list_release(struct list_try *l)
{
	names_clear(&l->names);
	free(l->names.items);
}
#define AUTO_LIST __attribute__((cleanup(list_release))) struct list_try

static int list_once(void *ctx, struct err *e)
{
	struct list_try *l = ctx;

	names_clear(&l->names);
	return l->repository ? registry_list_tags(l->conn, l->repository, names_add, &l->names, &l->pages, e)
			     : registry_list_repositories(l->conn, names_add, &l->names, &l->pages, e);
}

/* The registry does not do this, or not for us: 401, 403, 404, 405 and the like. */
static bool is_refusal(const struct err *e)
{
	return e->kind == ERR_DENIED || e->kind == ERR_ABSENT ||
	       (e->kind == ERR_NETWORK && e->sys >= 400 && e->sys < 500 && e->sys != 408 && e->sys != 429) ||
	       (e->kind == ERR_NETWORK && e->sys == 501);
}

/* At the prefix, or below it. */
static bool is_below(const char *name, const char *prefix)
{
	const size_t n = strlen(prefix);

	return !n || (!strncmp(name, prefix, n) && (name[n] == '/' || !name[n]));
}

/* What the registry does not list is taken for the name of a repository, if there is one. */
static int name_repository(struct sweep *s, const struct place *p, const struct err *why, struct err *e)
{
	if (*p->prefix) {
		if (why)
			event_text(s->having->options->events, EVENT_NOTE,
				   "%s does not list its repositories (%s); %s is taken as one", p->registry, why->text,
				   p->prefix);
		return names_add(&s->repositories, p->prefix, e);
	}
	if (e)
		*e = *why;
	return err_hint(e, "name the repositories instead: imgpack inventory registry:%s/REPOSITORY ...", p->registry);
}

static int find_repositories(struct sweep *s, const struct place *p, struct err *e)
{
	struct err why = { 0 };
	AUTO_LIST l = { .conn = conn_of(s, 0, e) };

	if (!l.conn)
		return -1;
	const int rc = again(list_once, &l, s->tries, &why);
	s->having->report->requests += l.pages;
	if (rc < 0) {
		if (is_refusal(&why))
			return name_repository(s, p, &why, e);
		if (e)
			*e = why;
		return -1;
	}
	for (size_t i = 0; i < l.names.count; i++)
		if (is_below(l.names.items[i], p->prefix) && names_add(&s->repositories, l.names.items[i], e))
			return -1;
	s->listed = s->repositories.count > 0;
	names_sort(&s->repositories);
	/* Lists leave out what this user may read but not list. */
	return !s->repositories.count && *p->prefix ? name_repository(s, p, NULL, e) : 0;
}

/* Under the lock. */
static int ask_later(struct sweep *s, size_t repository, const char *selector, struct err *e)
{
	if (s->count >= LIMIT_LISTED)
		return err_set(e, ERR_USAGE, "more than %d tags: make several lists, of one PREFIX each", LIMIT_LISTED);
	if (GROW(s->questions, s->capacity, s->count, e))
		return -1;
	s->questions[s->count] = (struct question_of){ repository, strdup(selector) };
	if (!s->questions[s->count].selector)
		return err_memory(e);
	s->count++;
	return 0;
}

/* One sentence every few seconds; nobody wants a line a tag. Under the lock. */
static void say_progress(struct sweep *s, size_t of, const char *what)
{
	const int64_t now = clock_ns();

	s->done++;
	if (now - s->said_at < SAY_EVERY)
		return;
	s->said_at = now;
	event_text(s->having->options->events, EVENT_NOTE, "%zu of %zu %s", s->done, of, what);
}

static int add_tags(struct sweep *s, size_t repository, const struct list_try *l, struct err *e)
{
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; !rc && i < l->names.count; i++)
		rc = ask_later(s, repository, l->names.items[i], e);
	s->having->report->requests += l->pages;
	say_progress(s, s->repositories.count, "repositories listed");
	pthread_mutex_unlock(&s->lock);
	return rc;
}

/*
 * A repository that the registry lists and does not show has no tags any more, or is not for this user; one that the
 * person named should be there.
 */
static int list_tags(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct sweep *s = ctx;
	const struct events *events = s->having->options->events;
	struct err why = { 0 };
	AUTO_LIST l = { .conn = conn_of(s, worker, e), .repository = s->repositories.items[item] };

	if (!l.conn)
		return -1;
	if (!again(list_once, &l, s->tries, &why))
		names_sort(&l.names);
	else if (s->listed && why.kind == ERR_ABSENT)
		event_text(events, EVENT_DETAIL, "%s: has no tags", l.repository);
	else if (s->listed && why.kind == ERR_DENIED)
		event_text(events, EVENT_WARNING, "%s is left out: %s", l.repository, why.text);
	else {
		if (e)
			*e = why;
		return -1;
	}
	return add_tags(s, item, &l, e);
}

/* Manifests. */

struct manifest_try {
	struct registry_conn *conn;
	const char *repository;
	const char *selector;
	struct buf bytes;
	struct digest digest;
	char type[128];
};

static int get_once(void *ctx, struct err *e)
{
	struct manifest_try *m = ctx;

	buf_clear(&m->bytes);
	return registry_get_manifest(m->conn, m->repository, m->selector, &m->bytes, &m->digest, m->type, e);
}

static int add_descriptor(struct inventory *v, const struct descriptor *d, struct err *e)
{
	return d->foreign ? 0 : inventory_add(v, HAVE_BLOB, &d->promise.digest, e);
}

static int add_manifest(struct inventory *v, const struct manifest_try *m, struct err *e)
{
	AUTO(manifest) paper = manifest_parse(m->bytes.data, m->bytes.len, e);

	if (!paper || add_descriptor(v, &paper->config, e))
		return -1;
	for (size_t i = 0; i < paper->count; i++)
		if (add_descriptor(v, &paper->layers[i], e))
			return -1;
	return 0;
}

static int add_index(struct sweep *s, size_t repository, const struct manifest_try *m, struct err *e)
{
	AUTO(index) paper = index_parse(m->bytes.data, m->bytes.len, e);
	char text[DIGEST_TEXT_SIZE];

	for (size_t i = 0; paper && i < paper->count; i++) {
		const struct digest *d = &paper->entries[i].promise.digest;
		if (digestmap_get(s->seen, d) >= 0 || digestmap_get(s->asked, d) >= 0)
			continue;
		if (digestmap_put(s->asked, d, 0, e) || ask_later(s, repository, digest_text(d, text), e))
			return -1;
	}
	return paper ? 0 : -1;
}

/* What came, if it is new. Under the lock. ERR_CORRUPT: it is nothing that can be understood. */
static int take_paper(struct sweep *s, size_t repository, const struct manifest_try *m, struct err *e)
{
	struct inventory *v = s->having->inventory;
	char media_type[MEDIA_TYPE_SIZE];
	enum paper_kind kind;

	if (digestmap_get(s->seen, &m->digest) >= 0)
		return 0;
	if (digestmap_put(s->seen, &m->digest, 0, e) ||
	    paper_kind(m->bytes.data, m->bytes.len, m->type, &kind, media_type, e))
		return -1;
	if (kind == PAPER_SCHEMA1)
		return err_set(e, ERR_CORRUPT, "is an image of docker's old schema 1");
	if (kind == PAPER_INDEX ? add_index(s, repository, m, e) : add_manifest(v, m, e))
		return -1;
	return inventory_add(v, HAVE_BLOB, &m->digest, e);
}

/* A tag that was removed meanwhile, a child that an index names and the registry does not have, what is no image. */
static int left_out(struct sweep *s, const struct manifest_try *m, const struct err *why, struct err *e)
{
	const bool child = strchr(m->selector, ':');

	if (why->kind != ERR_ABSENT && why->kind != ERR_CORRUPT && !(s->listed && why->kind == ERR_DENIED)) {
		if (e)
			*e = *why;
		return -1;
	}
	event_text(s->having->options->events, child && why->kind == ERR_ABSENT ? EVENT_DETAIL : EVENT_WARNING,
		   "%s%s%s is left out: %s", m->repository, child ? "@" : ":", m->selector, why->text);
	s->having->report->left_out++;
	return 0;
}

static int get_manifest(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct sweep *s = ctx;
	struct err why = { 0 };

	/* The array moves when children are added to it. */
	pthread_mutex_lock(&s->lock);
	const struct question_of q = s->questions[s->begin + item];
	pthread_mutex_unlock(&s->lock);
	struct manifest_try m = {
		.conn = conn_of(s, worker, e),
		.repository = s->repositories.items[q.repository],
		.selector = q.selector,
	};
	if (!m.conn)
		return -1;
	int rc = again(get_once, &m, s->tries, &why);
	pthread_mutex_lock(&s->lock);
	s->having->report->requests++;
	if (!rc)
		rc = take_paper(s, q.repository, &m, &why);
	if (rc)
		rc = left_out(s, &m, &why, e);
	else
		s->having->report->manifests++;
	say_progress(s, s->count, "manifests read");
	pthread_mutex_unlock(&s->lock);
	buf_release(&m.bytes);
	return rc;
}

static int sweep(struct sweep *s, const struct place *p, struct err *e)
{
	struct inventory_report *r = s->having->report;

	if (find_repositories(s, p, e))
		return -1;
	s->said_at = clock_ns();
	if (parallel_for(s->repositories.count, s->workers, list_tags, s, e))
		return -1;
	r->repositories += s->repositories.count;
	r->tags += s->count;
	event_text(s->having->options->events, EVENT_NOTE, "%s has %zu tags in %zu repositories", p->text, s->count,
		   s->repositories.count);
	s->done = 0;
	/* Tags, then the children of indexes, then of indexes in indexes: a digest is asked for once, so this ends. */
	while (s->begin < s->count) {
		const size_t end = s->count;
		if (parallel_for(end - s->begin, s->workers, get_manifest, s, e))
			return -1;
		s->begin = end;
	}
	return 0;
}

int having_registry(struct having *h, const struct place *place, struct err *e)
{
	const struct connect_options *connect = &h->options->connect;
	const struct registry_options options = {
		.http = registries_http(h->registries),
		.events = h->options->events,
		.plain_http = connect_is_plain_http(connect, place->registry),
		.override = connect->credential,
	};
	__attribute__((cleanup(sweep_release))) struct sweep s = {
		.having = h,
		.workers = registries_workers(h->registries),
		.tries = connect->retries_given ? connect->retries + 1 : 0,
		.lock = PTHREAD_MUTEX_INITIALIZER,
	};

	const uint64_t before = h->report->tags;

	if (registries_trust(h->registries, place->registry, e))
		return -1;
	s.registry = registry_new(place->registry, &options, e);
	s.seen = s.registry ? digestmap_new(e) : NULL;
	s.asked = s.seen ? digestmap_new(e) : NULL;
	if (!s.asked)
		return -1;
	if (sweep(&s, place, e))
		return err_at(e, "%s", place->text);
	const uint64_t tags = h->report->tags - before;
	return having_say(h, e, "from %s: %zu repositor%s, %" PRIu64 " tag%s", place->text, s.repositories.count,
			  s.repositories.count == 1 ? "y" : "ies", tags, tags == 1 ? "" : "s");
}
