/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/ask.h"
#include "flow/goal.h"
#include "flow/inflow.h"
#include "flow/load_receipt.h"
#include "flow/names.h"
#include "flow/plan.h"
#include "flow/registries.h"
#include "flow/report.h"

#include "oci/reference.h"
#include "target/result.h"

#include <string.h>

/*
 * copy: a fetch into a registry.
 *
 *     where to -> plan (papers alone) -> names there -> blobs, each straight through -> manifests -> tags -> read back
 */

static struct plan *make_plan(const struct copy_options *o, struct registries *registries, struct err *e)
{
	const struct fetch_options fetch = {
		.references = o->sources,
		.reference_count = o->source_count,
		.platforms = o->platforms,
		.platform_count = o->platform_count,
		.all_platforms = !o->platform_count,
		.shard = o->shard,
		.referrers = o->referrers,
		.connect = o->connect,
		.events = o->events,
	};

	return plan_new(&fetch, registries, e);
}

/* Those of the images whose names are at `registry`, and what became of them into *all. */
static int send_to(const struct copy_options *o, const char *registry, const struct supply *supply,
		   const struct names *names, struct registries *registries, struct load_result *all, struct err *e)
{
	AUTO_MEM struct load_image *images = calloc(names->count + 1, sizeof(*images));
	AUTO_MEM size_t *numbers = calloc(names->count + 1, sizeof(*numbers));
	struct load_request request = {
		.supply = *supply,
		.images = images,
		.replace = o->replace,
		.create_project = o->create_project,
		.plan_only = o->plan_only,
		.connections = registries_workers(registries),
		.http = registries_http(registries),
		.credential = o->connect.credential,
		.plain_http = connect_is_plain_http(&o->connect, registry),
		.tries = o->connect.retries_given ? o->connect.retries + 1 : 0,
		.events = o->events,
	};

	if (!images || !numbers)
		return err_memory(e);
	for (size_t i = 0; i < names->count; i++) {
		if (strncmp(names->items[i], registry, strlen(registry)) != 0 ||
		    names->items[i][strlen(registry)] != '/')
			continue;
		numbers[request.count] = i;
		images[request.count++] = (struct load_image){ &supply->pack->images[i], names->items[i] };
	}
	AUTO(load_result) one = NULL;
	if (registries_trust(registries, registry, e) || !(one = target_registry_load(registry, &request, e)))
		return -1;
	for (size_t i = 0; i < one->count; i++)
		if (load_result_set(all, numbers[i], one->images[i].loaded_as, &one->images[i].digest,
				    one->images[i].had_it, e))
			return -1;
	all->sent_bytes += one->sent_bytes;
	all->skipped_bytes += one->skipped_bytes;
	all->referrers += one->referrers;
	return 0;
}

/* One registry after the other; mostly there is one. */
static int send_all(const struct copy_options *o, const struct supply *supply, const struct names *names,
		    struct registries *registries, struct load_result *all, struct err *e)
{
	for (size_t i = 0; i < names->count; i++) {
		struct reference r;
		if (all->images[i].loaded_as)
			continue;
		if (reference_parse(&r, names->items[i], e))
			return -1;
		if (send_to(o, r.registry, supply, names, registries, all, e))
			return i ? err_hint(e, "what goes to other registries may stand there already") : -1;
	}
	return 0;
}

struct load_report *flow_copy(const struct copy_options *o, struct err *e)
{
	struct goal goal;
	struct connect_options connect = o->connect;
	AUTO(maps) maps = maps_new(o->maps, e);

	if (!maps || goal_find(&goal, o, maps, e))
		return NULL;
	AUTO(receipt_file) receipt = o->receipt ? receipt_open(o->receipt, e) : NULL;
	if (o->receipt && !receipt)
		return NULL;
	connect.use_mirrors = true;
	connect.credential_for = goal.place.registry;
	AUTO(registries) registries = registries_new(&connect, o->events, e);
	AUTO(plan) plan = registries ? make_plan(o, registries, e) : NULL;
	if (!plan)
		return NULL;
	const char *const renames[] = { goal.rename, NULL };
	AUTO(names)
	names = names_new(plan->pack, *goal.rename ? renames : o->names, maps,
			  goal.several ? NULL : goal.place.registry, goal.place.prefix, e);
	AUTO(inflow) inflow = names ? inflow_new(plan, registries, o->events, e) : NULL;
	AUTO(load_result) result = inflow ? load_result_new(names->count, e) : NULL;
	if (!result)
		return NULL;
	const struct supply supply = inflow_supply(inflow);
	if (send_all(o, &supply, names, registries, result, e))
		return NULL;
	ask_summary(registries);
	const char *target = goal.several ? NULL : goal.place.text;
	const struct receipt_of done = { .command = "copy", .target = target, .pack = plan->pack, .result = result };
	if (receipt && load_receipt(receipt, &done, e))
		return NULL;
	return load_report_new(target, plan->pack, result, e);
}
