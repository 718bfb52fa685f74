/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/flow.h"
#include "flow/forecast.h"
#include "flow/plan.h"
#include "flow/registries.h"
#include "flow/report.h"
#include "flow/stage.h"
#include "flow/stream_out.h"
#include "flow/written.h"

#include "base/text.h"
#include "pack/layout.h"
#include "pack/sums.h"
#include "stream/space.h"

#include <stdio.h>
#include <string.h>

/*
 * fetch: plan, fill, seal.
 *
 *     references -> papers -> pack (every blob's digest and size) -> layout (every byte's offset)
 *                -> disk reserved, frame written, blobs downloaded to their places -> fsync, rename
 *
 * Chunks are the same bytes in several files; their sums and parity are made when all blobs are right.
 */

/* What a plan without -o calls the archive. */
#define PLAN_NAME "archive.tar"

static struct fetch_report *report(const struct fetch_options *o, const struct plan *plan, const struct layout *layout,
				   const struct sums *sums, const struct moved *moved, struct err *e)
{
	AUTO(fetch_report) r = calloc(1, sizeof(*r));

	if (!r) {
		err_memory(e);
		return NULL;
	}
	r->plan_only = o->plan_only;
	r->shard = o->shard;
	r->id = layout->id;
	r->bytes = layout->size;
	r->downloaded_bytes = plan->paper_bytes + moved->received;
	r->reused_bytes = moved->reused;
	r->left_out = plan->left_out.count;
	r->left_out_bytes = plan->left_out.bytes;
	if (o->output && !(r->archive = strdup(o->output))) {
		err_memory(e);
		return NULL;
	}
	if (report_images(&r->images, plan->pack, e) ||
	    (sums && written_files(r, sums, o->output ? o->output : PLAN_NAME, e)))
		return NULL;
	return TAKE(r);
}

/* What it would take, and how it would be cut. */
static struct fetch_report *report_plan(const struct fetch_options *o, const struct plan *plan,
					const struct layout *layout, struct registries *registries, struct err *e)
{
	AUTO_SUMS made = { 0 };
	const struct sums *sums = o->split ? &made : NULL;

	if (sums &&
	    sums_make(&made, o->output ? o->output : PLAN_NAME, &layout->id, layout->size, o->split, o->parity, e))
		return NULL;
	AUTO(forecast) forecast = forecast_new(o, plan, layout, sums, registries, e);
	if (!forecast)
		return NULL;
	const struct moved moved = { .received = forecast->download_bytes, .reused = forecast->there_bytes };
	struct fetch_report *r = report(o, plan, layout, sums, &moved, e);
	if (r)
		r->forecast = TAKE(forecast);
	return r;
}

/* A shard without images: there is no archive. */
static struct fetch_report *report_nothing(const struct fetch_options *o, const struct plan *plan, struct err *e)
{
	struct fetch_report *r = calloc(1, sizeof(*r));

	if (!r) {
		err_memory(e);
		return NULL;
	}
	r->plan_only = o->plan_only;
	r->shard = o->shard;
	r->downloaded_bytes = plan->paper_bytes;
	return r;
}

bool fetch_to_stdout(const struct fetch_options *o)
{
	return o->output && !strcmp(o->output, "-");
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

	if (!plan->pack->image_count)
		return report_nothing(o, plan, e);

	AUTO(layout) layout = layout_new(plan->pack, NULL, e);
	if (!layout)
		return NULL;

	if (o->plan_only)
		return report_plan(o, plan, layout, registries, e);
	struct moved moved = { 0 };

	if (fetch_to_stdout(o)) {
		if (stream_out(plan, layout, registries, o->events, STDOUT_FILENO, &moved, e)) {
			if (e && e->kind == ERR_LOCAL)
				err_at(e, "standard output");
			return NULL;
		}
		ask_summary(registries);
		return report(o, plan, layout, NULL, &moved, e);
	}
	AUTO(stage) stage = stage_open(o, layout, e);
	if (!stage || stage_fill(stage, plan, registries, &moved, e) || stage_seal(stage, e))
		return NULL;
	ask_summary(registries);
	return report(o, plan, layout, stage_sums(stage), &moved, e);
}

static void free_files(struct fetch_file *files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(files[i].file);
	free(files);
}

void fetch_report_free(struct fetch_report *r)
{
	if (!r)
		return;
	forecast_free(r->forecast);
	free_files(r->chunks, r->chunk_count);
	free_files(r->parity, r->parity_count);
	free(r->sums);
	free(r->archive);
	report_images_release(&r->images);
	free(r);
}
