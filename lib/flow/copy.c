/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/ask.h"
#include "flow/inflow.h"
#include "flow/names.h"
#include "flow/place.h"
#include "flow/plan.h"
#include "flow/registries.h"
#include "flow/report.h"

#include "base/text.h"
#include "oci/reference.h"
#include "target/target.h"

#include <stdio.h>
#include <string.h>

/*
 * copy: a fetch into a registry.
 *
 *     where to -> plan (papers alone) -> names there -> blobs, each straight through -> manifests -> tags -> read back
 */

#define SHAPES "write HOST[:PORT]/REPOSITORY[:TAG], or registry:HOST[:PORT][/PREFIX]"

/* Where the images go. */
struct goal {
	struct place place;                       /* a registry */
	char rename[2 * REFERENCE_TEXT_SIZE + 1]; /* "SRC=DST", or "" */
};

static int parse_target(struct goal *g, const char *text, const char *noun, struct err *e)
{
	if (place_parse(&g->place, text, e))
		return err_at(e, "%s", noun);
	if (g->place.kind == TARGET_REGISTRY)
		return 0;
	err_set(e, ERR_USAGE, "%s %s: copy ends in a registry: registry:HOST[:PORT][/PREFIX]", noun, g->place.text);
	return err_hint(e, "for other targets fetch into a file, and load it");
}

/* Did the person write a tag? reference_parse() puts "latest" where there is none. */
static bool has_tag(const char *text)
{
	const char *slash = strrchr(text, '/');

	return strchr(slash ? slash : text, ':') != NULL;
}

/*
 * A repository as DST. Its tag is the source's unless it says another. A bare word is refused: "localhost:5000" would
 * be read as an image of Docker Hub.
 */
static int parse_repository(struct goal *g, const char *source, const char *text, struct err *e)
{
	struct reference from, there;
	char shown[160], name[REFERENCE_TEXT_SIZE], old[REFERENCE_TEXT_SIZE];

	text_escape_str(shown, sizeof(shown), text);
	if (!strchr(text, '/'))
		return err_set(e, ERR_USAGE, "DST '%s' does not say where: " SHAPES, shown);
	if (strchr(text, '@'))
		return err_set(e, ERR_USAGE, "DST '%s': leave the digest out; what is copied keeps its own", shown);
	if (reference_parse(&from, source, e))
		return -1;
	if (reference_parse(&there, text, e)) {
		err_at(e, "DST");
		return err_hint(e, SHAPES);
	}
	if (!has_tag(text)) {
		memcpy(there.tag, from.tag, sizeof(there.tag));
		there.has_digest = !*from.tag;
		there.digest = from.digest;
	}
	(void)snprintf(g->rename, sizeof(g->rename), "%s=%s", reference_local_name(&from, old),
		       reference_text(&there, name));
	g->place.kind = TARGET_REGISTRY;
	(void)snprintf(g->place.registry, sizeof(g->place.registry), "%s", there.registry);
	(void)snprintf(g->place.text, sizeof(g->place.text), "registry:%s", there.registry);
	return 0;
}

static int find_goal(struct goal *g, const struct copy_options *o, struct err *e)
{
	if (o->to)
		return parse_target(g, o->to, "--to", e);
	if (text_starts(o->destination, "registry:"))
		return parse_target(g, o->destination, "DST", e);
	return parse_repository(g, o->sources[0], o->destination, e);
}

static struct plan *make_plan(const struct copy_options *o, struct registries *registries, struct err *e)
{
	const struct fetch_options fetch = {
		.references = o->sources,
		.reference_count = o->source_count,
		.platforms = o->platforms,
		.platform_count = o->platform_count,
		.all_platforms = !o->platform_count,
		.connect = o->connect,
		.events = o->events,
	};

	return plan_new(&fetch, registries, e);
}

static struct load_result *send(const struct copy_options *o, const struct goal *g, struct inflow *inflow,
				const struct names *names, struct registries *registries, struct err *e)
{
	AUTO_MEM struct load_image *images = calloc(names->count + 1, sizeof(*images));
	const struct supply supply = inflow_supply(inflow);
	const struct load_request request = {
		.supply = supply,
		.images = images,
		.count = names->count,
		.replace = o->replace,
		.plan_only = o->plan_only,
		.connections = registries_workers(registries),
		.http = registries_http(registries),
		.credential = o->connect.credential,
		.plain_http = connect_is_plain_http(&o->connect, g->place.registry),
		.tries = o->connect.retries_given ? o->connect.retries + 1 : 0,
		.events = o->events,
	};

	if (!images) {
		err_memory(e);
		return NULL;
	}
	for (size_t i = 0; i < names->count; i++)
		images[i] = (struct load_image){ &supply.pack->images[i], names->items[i] };
	return target_registry_load(g->place.registry, &request, e);
}

struct load_report *flow_copy(const struct copy_options *o, struct err *e)
{
	struct goal goal = { 0 };
	struct connect_options connect = o->connect;

	if (find_goal(&goal, o, e))
		return NULL;
	connect.use_mirrors = true;
	connect.credential_for = goal.place.registry;
	AUTO(registries) registries = registries_new(&connect, o->events, e);
	if (!registries)
		return NULL;
	AUTO(plan) plan = make_plan(o, registries, e);
	if (!plan)
		return NULL;
	const char *const renames[] = { goal.rename, NULL };
	AUTO(names)
	names = names_new(plan->pack, *goal.rename ? renames : o->names, NULL, goal.place.registry, goal.place.prefix,
			  e);
	if (!names || registries_trust(registries, goal.place.registry, e))
		return NULL;
	AUTO(inflow) inflow = inflow_new(plan, registries, o->events, e);
	AUTO(load_result) result = inflow ? send(o, &goal, inflow, names, registries, e) : NULL;
	if (!result)
		return NULL;
	ask_summary(registries);
	return load_report_new(goal.place.text, plan->pack, result, e);
}
