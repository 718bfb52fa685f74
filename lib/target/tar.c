/* SPDX-License-Identifier: Apache-2.0 */
#include "target/tar.h"

#include "base/limits.h"

static int count_bytes(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct tar_feed *f = ctx;

	(void)bytes;
	(void)e;
	f->done += len;
	event_progress(f->request->events, f->item, f->done, f->total);
	if (f->done == f->total)
		event_text(f->request->events, EVENT_DETAIL, "everything is sent, it is unpacked now");
	return 0;
}

static int pass_gate(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct tar_feed *f = ctx;

	(void)bytes;
	if (len <= f->left) {
		f->left -= len;
		return 0;
	}
	f->left = 0;
	return supply_finish(&f->request->supply, e);
}

static uint64_t papers_begin(const struct layout *l)
{
	size_t i = 0;

	while (i < l->count && l->members[i].blob >= 0)
		i++;
	return i < l->count ? l->members[i].header : l->size;
}

struct source *tar_feed(struct tar_feed *f, const struct load_request *r, const struct layout *l, uint64_t item,
			const char *where, struct err *e)
{
	*f = (struct tar_feed){
		.request = r, .supply = r->supply, .left = papers_begin(l), .item = item, .total = l->size
	};
	AUTO(source) tar = layout_source(l, supply_open_blob, &f->supply, e);
	AUTO(source) all = source_tap(source_tap(TAKE(tar), pass_gate, f, e), count_bytes, f, e);

	if (!all)
		return NULL;
	event_emit(r->events, &(struct event){ .kind = EVENT_PLAN, .total = l->size, .count = 1, .text = "loading" });
	event_begin(r->events, f->item, l->size, "%s", where);
	return TAKE(all);
}

void tar_feed_end(const struct tar_feed *f, bool failed)
{
	event_end(f->request->events, f->item, failed ? "failed" : "done");
}

unsigned tar_silence(const struct load_request *r, uint64_t size)
{
	uint64_t seconds = LIMIT_DOCKER_SILENCE + size / 1000000;

	if (r->daemon_seconds)
		return r->daemon_seconds;
	return seconds > 86400 ? 86400 : (unsigned)seconds;
}

bool tar_has_untyped_root(const struct pack *p)
{
	for (size_t i = 0; i < p->image_count; i++)
		if (!*p->blobs[p->images[i].root].media_type)
			return true;
	return false;
}
