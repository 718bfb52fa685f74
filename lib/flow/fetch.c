/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/fill.h"
#include "flow/flow.h"
#include "flow/plan.h"
#include "flow/registries.h"
#include "flow/report.h"

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
				   uint64_t downloaded, struct err *e)
{
	AUTO(fetch_report) r = calloc(1, sizeof(*r));

	if (!r) {
		err_memory(e);
		return NULL;
	}
	r->id = layout->id;
	r->bytes = layout->size;
	r->downloaded_bytes = downloaded;
	if (o->output && !(r->archive = strdup(o->output))) {
		err_memory(e);
		return NULL;
	}
	if (report_images(&r->images, plan->pack, e))
		return NULL;
	return TAKE(r);
}

/* Nothing stands under the final name until everything below has succeeded. */
static int write_archive(const struct fetch_options *o, const struct plan *plan, const struct layout *layout,
			 struct registries *registries, struct err *e)
{
	AUTO(space) space = space_stage(o->output, layout->size, e);

	if (!space || layout_write_frame(layout, space, e) || fill(plan, layout, registries, space, o->events, e) ||
	    space_commit(space, e))
		return e && (e->kind == ERR_LOCAL || e->kind == ERR_USAGE) ? err_at(e, "%s", o->output) : -1;
	return 0;
}

struct fetch_report *flow_fetch(const struct fetch_options *o, struct err *e)
{
	AUTO(registries) registries = registries_new(&o->connect, o->events, e);
	if (!registries)
		return NULL;

	AUTO(plan) plan = plan_new(o, registries, e);
	if (!plan)
		return NULL;

	AUTO(layout) layout = layout_new(plan->pack, NULL, e);
	if (!layout)
		return NULL;

	uint64_t missing = fill_bytes(layout);
	if (o->plan_only)
		return report(o, plan, layout, plan->paper_bytes + missing, e);

	if (write_archive(o, plan, layout, registries, e))
		return NULL;
	return report(o, plan, layout, plan->paper_bytes + missing, e);
}

void fetch_report_free(struct fetch_report *r)
{
	if (!r)
		return;
	free(r->archive);
	report_images_release(&r->images);
	free(r);
}
