/* SPDX-License-Identifier: Apache-2.0 */
#include "target/registry_plan.h"

#include "base/limits.h"
#include "base/parallel.h"
#include "registry/list.h"
#include "target/again.h"
#include "target/lacking.h"

#include <stdatomic.h>
#include <string.h>

/*
 * A thin archive and a registry: what the archive does not hold must stand in the image's repository, or in another one
 * of this registry. Then it is mounted from there; where mounting is not done, it is copied inside the registry.
 */

struct search {
	struct push *push;
	struct lacking lacking;
	const char **repositories; /* where to look, in this order; borrowed */
	size_t count;
	const char *why;      /* not everywhere was looked; or NULL */
	_Atomic size_t lucky; /* repositories[]: where something was found last: layers of one image stand together */
};

static const struct pack_blob *blob_of(const struct push *p, size_t blob)
{
	return &p->plan->request->supply.pack->blobs[blob];
}

/* One question about a blob in a repository. */
struct blob_question {
	struct registry_conn *conn;
	const char *repository;
	const struct promise *blob;
};

static int has_once(void *ctx, struct err *e)
{
	const struct blob_question *q = ctx;

	return registry_has_blob(q->conn, q->repository, q->blob, e);
}

/*
 * A repository that is not ours may refuse to be asked, or be gone from the catalog's word: then it is no place to take
 * anything from. A network that fails is another thing.
 */
static int stands_in(struct search *s, struct registry_conn *c, size_t at, const struct promise *blob, struct err *e)
{
	struct blob_question q = { c, s->repositories[at], blob };
	struct err failure = { 0 };
	int has = again(has_once, &q, s->push->plan->request->tries, &failure);

	if (has >= 0)
		return has;
	if (failure.kind == ERR_DENIED || failure.kind == ERR_TARGET || failure.kind == ERR_ABSENT)
		return 0;
	if (e)
		*e = failure;
	return err_at(e, "%s", q.repository);
}

/* The blob's place among `repositories` without `own`, `count` if it has none, SIZE_MAX on error. */
static size_t find(struct search *s, struct registry_conn *c, const struct promise *blob, const char *own,
		   struct err *e)
{
	const size_t lucky = s->lucky;

	for (size_t i = 0; i <= s->count; i++) {
		/* The lucky one first, and not again when its turn comes. */
		const size_t at = i ? i - 1 : lucky;
		if (at >= s->count || (i && at == lucky) || !strcmp(s->repositories[at], own))
			continue;
		int has = stands_in(s, c, at, blob, e);
		if (has < 0)
			return SIZE_MAX;
		if (!has)
			continue;
		s->lucky = at;
		return at;
	}
	return s->count;
}

/* parallel_for() over the moves: each is given its place, or NULL. */
static int find_turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct search *s = ctx;
	struct push_move *m = &s->push->thin.moves[item];
	struct registry_conn *c = push_conn(s->push, worker, e);
	const char *own = s->push->plan->images[m->image].reference.repository;

	if (!c)
		return -1;
	if (m->from)
		return 0;
	const size_t at = find(s, c, &blob_of(s->push, m->blob)->promise, own, e);
	if (at < s->count)
		m->from = s->repositories[at];
	return at == SIZE_MAX ? -1 : 0;
}

static int note_move(struct push_thin *t, size_t image, size_t blob, struct err *e)
{
	if (GROW(t->moves, t->capacity, t->count, e))
		return -1;
	t->moves[t->count++] = (struct push_move){ .image = image, .blob = blob };
	return 0;
}

/* True if an earlier image needs it in the same repository: it is asked for, and brought, once. */
static bool is_noted(const struct push *p, const char *repository, size_t blob)
{
	for (size_t i = p->thin.count; i-- > 0;) {
		const struct push_move *m = &p->thin.moves[i];
		if (m->blob == blob && !strcmp(p->plan->images[m->image].reference.repository, repository))
			return true;
	}
	return false;
}

/* What of the images' data is absent, once for each repository. */
static int list_absent(struct push *p, struct err *e)
{
	for (size_t i = 0; i < p->plan->count; i++) {
		const struct push_image *image = &p->plan->images[i];
		for (size_t k = 0; !image->had && k < image->parts->data_count; k++) {
			const size_t blob = image->parts->data[k];
			if (blob_of(p, blob)->absent && !is_noted(p, image->reference.repository, blob) &&
			    note_move(&p->thin, i, blob, e))
				return -1;
		}
	}
	return 0;
}

/* In its own repository it needs no move. */
static int own_turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct push *p = ctx;
	struct push_move *m = &p->thin.moves[item];
	const struct push_image *image = &p->plan->images[m->image];
	struct registry_conn *c = push_conn(p, worker, e);
	struct blob_question q = { c, image->reference.repository, &blob_of(p, m->blob)->promise };
	int has = c ? again(has_once, &q, image->tries, e) : -1;

	if (has < 0)
		return err_at(e, "%s", image->load->name);
	if (has)
		m->from = image->reference.repository;
	return 0;
}

/* Those of this run's images, each once. */
static int list_repositories(struct search *s, struct err *e)
{
	const struct push_plan *plan = s->push->plan;

	s->repositories = calloc(plan->count + 1, sizeof(*s->repositories));
	if (!s->repositories)
		return err_memory(e);
	for (size_t i = 0; i < plan->count; i++) {
		const char *name = plan->images[i].reference.repository;
		size_t k = 0;
		while (k < s->count && strcmp(s->repositories[k], name) != 0)
			k++;
		if (k == s->count)
			s->repositories[s->count++] = name;
	}
	return 0;
}

/* One name of the catalog. */
static int keep_name(void *ctx, const char *name, struct err *e)
{
	struct search *s = ctx;
	struct push_thin *t = &s->push->thin;

	if (t->name_count == LIMIT_THIN_REPOSITORIES) {
		s->why = "the registry has more repositories than are looked through";
		return -1;
	}
	if (GROW(t->names, t->name_capacity, t->name_count, e))
		return -1;
	t->names[t->name_count] = strdup(name);
	if (!t->names[t->name_count])
		return err_memory(e);
	t->name_count++;
	return 0;
}

/* What the registry lists of itself, if it does; what came before it stopped is looked through all the same. */
static int list_catalog(struct search *s, struct err *e)
{
	struct push_thin *t = &s->push->thin;
	struct registry_conn *c = push_conn(s->push, 0, e);
	struct err failure = { 0 };
	size_t pages = 0;

	if (!c)
		return -1;
	if (registry_list_repositories(c, keep_name, s, &pages, &failure) && !s->why) {
		if (failure.kind == ERR_LOCAL || failure.kind == ERR_CANCELLED) {
			if (e)
				*e = failure;
			return -1;
		}
		s->why = "the registry does not list its repositories, so only those of these images were looked in";
	}
	s->repositories = t->name_count ? calloc(t->name_count, sizeof(*s->repositories)) : NULL;
	if (t->name_count && !s->repositories)
		return err_memory(e);
	for (size_t i = 0; i < t->name_count; i++)
		s->repositories[s->count++] = t->names[i];
	return 0;
}

static size_t unfound(const struct push *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->thin.count; i++)
		n += !p->thin.moves[i].from;
	return n;
}

static int search_elsewhere(struct search *s, struct err *e)
{
	struct push *p = s->push;

	if (!unfound(p))
		return 0;
	if (list_repositories(s, e) || parallel_for(p->thin.count, p->workers, find_turn, s, e))
		return -1;
	if (!unfound(p))
		return 0;
	free(s->repositories);
	s->repositories = NULL;
	s->count = 0;
	s->lucky = SIZE_MAX;
	return list_catalog(s, e) || parallel_for(p->thin.count, p->workers, find_turn, s, e) ? -1 : 0;
}

/* A manifest that the archive does not hold (fetch never leaves one out) must stand in the very repository. */
static int check_papers(struct search *s, struct err *e)
{
	struct push *p = s->push;
	struct registry_conn *c = push_conn(p, 0, e);
	char digest[DIGEST_TEXT_SIZE];

	if (!c)
		return -1;
	for (size_t i = 0; i < p->plan->count; i++) {
		const struct push_image *image = &p->plan->images[i];
		for (size_t k = 0; !image->had && k < image->parts->paper_count; k++) {
			const struct pack_blob *b = blob_of(p, image->parts->papers[k]);
			struct digest there;
			if (!b->absent)
				continue;
			int has = registry_has_manifest(c, image->reference.repository,
							digest_text(&b->promise.digest, digest), &there, e);
			if (has < 0)
				return err_at(e, "%s", image->load->name);
			if (!has && lacking_note(&s->lacking, i, image->parts->papers[k], e))
				return -1;
		}
	}
	return 0;
}

/* Every image that needs what is nowhere is told of, not the first alone. */
static int note_lacking(struct search *s, struct err *e)
{
	const struct push *p = s->push;
	AUTO_MEM bool *nowhere = calloc(p->plan->request->supply.pack->blob_count + 1, sizeof(*nowhere));

	if (!nowhere)
		return err_memory(e);
	for (size_t i = 0; i < p->thin.count; i++)
		nowhere[p->thin.moves[i].blob] |= !p->thin.moves[i].from;
	for (size_t i = 0; i < p->plan->count; i++) {
		const struct push_image *image = &p->plan->images[i];
		for (size_t k = 0; !image->had && k < image->parts->data_count; k++)
			if (nowhere[image->parts->data[k]] && lacking_note(&s->lacking, i, image->parts->data[k], e))
				return -1;
	}
	return 0;
}

int thin_check(struct push *p, struct err *e)
{
	struct search s = { .push = p,
			    .lacking = { .request = p->plan->request, .lock = PTHREAD_MUTEX_INITIALIZER },
			    .lucky = SIZE_MAX };
	int failed = list_absent(p, e) || parallel_for(p->thin.count, p->workers, own_turn, p, e) ||
		     search_elsewhere(&s, e) || check_papers(&s, e) || note_lacking(&s, e) ||
		     lacking_refuse(&s.lacking, "the registry", s.why, e);

	lacking_release(&s.lacking);
	free(s.repositories);
	return failed ? -1 : 0;
}

void thin_release(struct push_thin *t)
{
	for (size_t i = 0; i < t->name_count; i++)
		free(t->names[i]);
	free(t->names);
	free(t->moves);
}
