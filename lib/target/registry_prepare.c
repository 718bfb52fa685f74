/* SPDX-License-Identifier: Apache-2.0 */
#include "target/registry_plan.h"

#include "base/parallel.h"
#include "registry/harbor.h"
#include "target/again.h"

#include <stdio.h>
#include <string.h>

/*
 * Is there room for every image? Asked before the first layer leaves:
 *
 *     projects that are to be made -> what stands there -> which blobs go -> may each repository be uploaded to?
 *
 * Where one of these is refused, the reason is often a project that is not there, and few registries say so: a Harbor
 * is asked.
 */

/* One question to a Harbor about one project. */
struct project {
	struct registry_conn *conn;
	char name[LIMIT_REPOSITORY + 1];
};

static int ask_harbor(void *ctx, struct err *e)
{
	return harbor_answers(ctx, e);
}

static int ask_project(void *ctx, struct err *e)
{
	const struct project *p = ctx;

	return harbor_has_project(p->conn, p->name, e);
}

static int ask_to_make(void *ctx, struct err *e)
{
	const struct project *p = ctx;

	return harbor_make_project(p->conn, p->name, e);
}

/* Of images in the same repository (`whole`), or else in the same project, the first that is not there is asked about.
 */
static bool is_first_of(const struct push_plan *plan, size_t i, bool whole)
{
	const char *mine = plan->images[i].reference.repository;
	const size_t len = whole ? strlen(mine) : strcspn(mine, "/");

	for (size_t k = 0; k < i; k++) {
		const char *other = plan->images[k].reference.repository;
		if (!plan->images[k].had && !strncmp(mine, other, len) &&
		    (!other[len] || (!whole && other[len] == '/')))
			return false;
	}
	return true;
}

/* A Harbor keeps nothing outside of projects. */
static int set_project(struct project *p, const struct push_plan *plan, size_t i, struct err *e)
{
	const char *repository = plan->images[i].reference.repository;
	const size_t len = strcspn(repository, "/");

	if (!repository[len])
		return err_set(e, ERR_TARGET,
			       "%s: a Harbor takes names of the form HOST/PROJECT/NAME; nothing was uploaded; put a "
			       "project in front with --to registry:HOST/PROJECT or --name",
			       plan->images[i].load->name);
	memcpy(p->name, repository, len);
	p->name[len] = '\0';
	return 0;
}

static int make_project(struct push *p, struct project *project, struct err *e)
{
	int made = again(ask_to_make, project, p->plan->request->tries, e);

	if (made > 0)
		event_text(p->plan->request->events, EVENT_NOTE, "%s: made the project %s, private",
			   registry_conn_host(project->conn), project->name);
	return made < 0 ? err_hint(e, "nothing was uploaded") : 0;
}

struct missing {
	size_t count;
	char first[LIMIT_REPOSITORY + 1];
	char rest[200]; /* ", b, c" as far as they fit */
};

static void note_missing(struct missing *m, const char *name)
{
	const size_t used = strlen(m->rest);

	if (!m->count++)
		memcpy(m->first, name, strlen(name) + 1);
	else if (used + strlen(name) + 3 < sizeof(m->rest))
		(void)snprintf(m->rest + used, sizeof(m->rest) - used, ", %s", name);
}

/* Every project of the plan, each once: made if `make`, else counted in *m where it is not there. */
static int look_at_projects(struct push *p, struct registry_conn *c, bool make, struct missing *m, struct err *e)
{
	struct project project = { .conn = c };

	for (size_t i = 0; i < p->plan->count; i++)
		if (set_project(&project, p->plan, i, e))
			return -1;
	for (size_t i = 0; i < p->plan->count; i++) {
		if (!is_first_of(p->plan, i, false))
			continue;
		if (set_project(&project, p->plan, i, e))
			return -1;
		int has = again(ask_project, &project, p->plan->request->tries, e);
		if (has < 0)
			return -1;
		if (has)
			continue;
		if (!make)
			note_missing(m, project.name);
		else if (make_project(p, &project, e))
			return -1;
	}
	return 0;
}

static int make_projects(struct push *p, struct err *e)
{
	struct registry_conn *c = push_conn(p, 0, e);
	int is = c ? again(ask_harbor, c, p->plan->request->tries, e) : -1;

	if (is < 0)
		return -1;
	if (is)
		return look_at_projects(p, c, true, NULL, e);
	event_text(p->plan->request->events, EVENT_WARNING,
		   "--create-project: %s is no Harbor, and of other registries imgpack makes nothing",
		   registry_conn_host(c));
	return 0;
}

/* The refusal in *e, in better words if a Harbor says that a project is missing. Returns -1. */
static int explain(struct push *p, struct err *e)
{
	struct registry_conn *c = push_conn(p, 0, NULL);
	struct missing m = { 0 };
	struct err other = { 0 };

	if (!e || (e->kind != ERR_DENIED && e->kind != ERR_TARGET) || (e->sys != 401 && e->sys != 403 && e->sys != 404))
		return -1;
	if (!c || harbor_answers(c, NULL) <= 0)
		return -1;
	if (look_at_projects(p, c, false, &m, &other)) {
		/* A name without a project is one more reason; that nobody may look is none. */
		if (other.kind == ERR_TARGET && !other.sys)
			*e = other;
		return -1;
	}
	if (!m.count)
		return -1;
	err_set(e, ERR_TARGET, "%s has no project%s %s%s; nothing was uploaded", registry_conn_host(c),
		m.count > 1 ? "s" : "", m.first, m.rest);
	return err_hint(e, "--create-project makes %s", m.count > 1 ? "them" : "it");
}

/* A repository and the connection to ask by. */
struct room {
	struct registry_conn *conn;
	const char *repository;
};

static int ask_room(void *ctx, struct err *e)
{
	const struct room *r = ctx;

	return registry_try_upload(r->conn, r->repository, e);
}

/* One image's repository, unless an earlier image has the same. */
static int try_room(void *ctx, size_t i, size_t worker, struct err *e)
{
	struct push *p = ctx;
	const struct push_image *image = &p->plan->images[i];
	struct room r = { .repository = image->reference.repository };

	if (image->had || !is_first_of(p->plan, i, true))
		return 0;
	r.conn = push_conn(p, worker, e);
	if (!r.conn)
		return -1;
	if (!again(ask_room, &r, image->tries, e))
		return 0;
	err_at(e, "%s", image->load->name);
	return err_hint(e, "nothing was uploaded");
}

int push_prepare(struct push *p, struct err *e)
{
	if (p->plan->request->create_project && make_projects(p, e))
		return -1;
	if (push_check(p, e))
		return explain(p, e);
	if (push_plan_blobs(p->plan, e))
		return -1;
	if (p->plan->blob_count && parallel_for(p->plan->count, p->workers, try_room, p, e))
		return explain(p, e);
	return 0;
}
