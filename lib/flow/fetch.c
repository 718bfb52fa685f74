/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/flow.h"
#include "flow/plan.h"
#include "flow/registries.h"
#include "flow/report.h"
#include "flow/stage.h"

#include "base/text.h"
#include "pack/layout.h"
#include "stream/space.h"

#include <string.h>

/*
 * fetch: plan, fill, seal.
 *
 *     references -> papers -> pack (every blob's digest and size) -> layout (every byte's offset)
 *                -> disk reserved, frame written, blobs downloaded to their places -> fsync, rename
 */

static struct fetch_report *report(const struct fetch_options *o, const struct plan *plan, const struct layout *layout,
				   const struct moved *moved, struct err *e)
{
	AUTO(fetch_report) r = calloc(1, sizeof(*r));

	if (!r) {
		err_memory(e);
		return NULL;
	}
	r->id = layout->id;
	r->bytes = layout->size;
	r->downloaded_bytes = plan->paper_bytes + moved->received;
	r->reused_bytes = moved->reused;
	if (o->output && !(r->archive = strdup(o->output))) {
		err_memory(e);
		return NULL;
	}
	if (report_images(&r->images, plan->pack, e))
		return NULL;
	return TAKE(r);
}

struct fetch_report *flow_fetch(const struct fetch_options *o, struct err *e)
{
	struct connect_options connect = o->connect;

	connect.use_mirrors = true;
	AUTO(registries) registries = registries_new(&connect, o->events, e);
	if (!registries)
		return NULL;

	AUTO(plan) plan = plan_new(o, registries, e);
	if (!plan)
		return NULL;

	AUTO(layout) layout = layout_new(plan->pack, NULL, e);
	if (!layout)
		return NULL;

	struct moved moved = { .received = fill_bytes(layout) };
	if (o->plan_only)
		return report(o, plan, layout, &moved, e);

	AUTO(stage) stage = stage_open(o, layout, e);
	if (!stage || stage_fill(stage, plan, registries, &moved, e) || stage_seal(stage, e))
		return NULL;
	ask_summary(registries);
	return report(o, plan, layout, &moved, e);
}

void fetch_report_free(struct fetch_report *r)
{
	if (!r)
		return;
	free(r->archive);
	report_images_release(&r->images);
	free(r);
}
