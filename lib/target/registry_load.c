/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "target/registry_plan.h"
#include "target/result.h"

/*
 * Loading into a registry:
 *
 *     plan -> looked before (no tag is moved unasked, every repository takes uploads)
 *          -> blobs -> manifests -> tags -> read back -> referrers
 *
 * The bytes are the archive's own, so what had a digest at the source has it here. A push that breaks leaves blobs and
 * manifests without a name, which the registry's garbage collection knows.
 */

struct registry_conn *push_conn(struct push *p, size_t worker, struct err *e)
{
	if (!p->conns[worker])
		p->conns[worker] = registry_connect(p->registry, e);
	return p->conns[worker];
}

static size_t workers_for(const struct load_request *r)
{
	if (r->connections < 1)
		return 1;
	return r->connections > LIMIT_CONNECTIONS ? LIMIT_CONNECTIONS : r->connections;
}

static int push_all(struct push *p, struct err *e)
{
	/* A plan changes nothing: no project is made, no upload tried. */
	if (p->plan->request->plan_only)
		return push_check(p, e) || push_plan_blobs(p->plan, e) ? -1 : push_look(p, e);
	if (push_prepare(p, e))
		return -1;
	if (thin_move(p, e) || push_blobs(p, e) || push_children(p, e)) {
		err_hint(e, "no tag was set; blobs that are there already do no harm, and the next run skips them");
		return -1;
	}
	if (push_tags(p, e)) {
		err_hint(e, "other images of this run may stand there already");
		return -1;
	}
	if (push_referrers(p, e)) {
		err_hint(e, "the images stand there; the same command once more brings what refers to them");
		return -1;
	}
	return 0;
}

struct load_result *target_registry_load(const char *registry, const struct load_request *request, struct err *e)
{
	const struct registry_options options = {
		.http = request->http,
		.events = request->events,
		.plain_http = request->plain_http,
		.push = true,
		.override = request->credential,
	};
	AUTO(push_plan) plan = push_plan_new(registry, request, e);
	AUTO(load_result) result = plan ? load_result_new(request->count, e) : NULL;
	AUTO(registry) there = result ? registry_new(registry, &options, e) : NULL;
	struct push p = { .registry = there, .plan = plan, .result = result, .workers = workers_for(request) };

	if (!there)
		return NULL;
	p.conns = calloc(p.workers, sizeof(struct registry_conn *));
	int failed = p.conns ? push_all(&p, e) : err_memory(e);
	result->sent_bytes = p.sent;
	result->skipped_bytes = p.skipped;
	for (size_t i = 0; i < request->count; i++)
		result->referrers += request->images[i].image->referrer_count;
	for (size_t i = 0; p.conns && i < p.workers; i++)
		registry_conn_free(p.conns[i]);
	free(p.conns);
	thin_release(&p.thin);
	return failed ? NULL : TAKE(result);
}
