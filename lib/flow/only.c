/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/only.h"

#include "base/limits.h"
#include "base/parallel.h"
#include "base/text.h"
#include "flow/flow.h"
#include "oci/json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/*
 * fetch --only: the same plan as that of the fetch that made the chunks, so the same layout; and of it the blocks of a
 * list alone.
 *
 *     list, references -> papers -> pack -> layout (the list's archive, or it is refused)
 *                      -> blocks from papers and ranges of blobs, each proved -> x.blocks
 */

/* Blocks that one worker takes at most: an answer is read on from block to block. */
#define UNIT_MOST 8

static int read_list(const char *path, struct wants *out, struct err *e)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_BUF text = { 0 };
	char shown[160];

	text_escape_str(shown, sizeof(shown), path);
	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "cannot open %s", shown);
	if (buf_read(&text, fd, LIMIT_SUMS, e) || wants_parse(out, text.data ? text.data : "", text.len, e))
		return err_at(e, "%s", shown);
	if (!out->count)
		return err_set(e, ERR_USAGE, "%s asks for no blocks: there is nothing to fetch", shown);
	return 0;
}

/* The list's archive, and no other. */
static int check_archive(const struct wants *w, const struct layout *l, struct err *e)
{
	char want[DIGEST_TEXT_SIZE];
	char have[DIGEST_TEXT_SIZE];

	if (digest_equal(&l->id, &w->set) && l->size == w->size)
		return 0;
	err_set(e, ERR_CORRUPT, "the list is about archive %s, these images make %s now", digest_text(&w->set, want),
		digest_text(&l->id, have));
	return err_hint(e, "give the same images, --platform and --have; where a tag has moved since, "
			   "name:tag@sha256:... takes the image that it was (`imgpack inspect` shows its digest)");
}

/* Setting up. */

static void only_release(struct only *o)
{
	for (size_t i = 0; o->workers && i < o->worker_count; i++)
		only_worker_release(&o->workers[i]);
	free(o->workers);
	free(o->order);
	free(o->units);
	free(o->later);
	free(o->decode);
}
#define AUTO_ONLY __attribute__((cleanup(only_release))) struct only

static int make_room(struct only *o, struct err *e)
{
	const size_t blobs = o->plan->pack->blob_count + 1;

	o->worker_count = registries_workers(o->registries);
	o->workers = calloc(o->worker_count, sizeof(*o->workers));
	o->order = calloc(o->wants->count, sizeof(*o->order));
	o->units = calloc(o->wants->count, sizeof(*o->units));
	o->later = calloc(o->wants->count, sizeof(*o->later));
	o->decode = calloc(blobs, sizeof(*o->decode));
	return o->workers && o->order && o->units && o->later && o->decode ? 0 : err_memory(e);
}

/* Enough units for everybody, and long enough that few requests are made. */
static void cut_evenly(struct only *o)
{
	const size_t count = o->wants->count;
	size_t length = count / (2 * o->worker_count);

	length = length < 1 ? 1 : length > UNIT_MOST ? UNIT_MOST : length;
	for (size_t i = 0; i < count; i++)
		o->order[i] = i;
	o->order_count = count;
	for (size_t i = 0; i < count; i += length)
		o->units[o->unit_count++] = (struct only_unit){ i, count - i < length ? count - i : length };
}

/* The first blob that a block has bytes of, or NULL. */
static const struct member *first_blob(const struct only *o, size_t i)
{
	const uint64_t off = wants_offset(o->wants, i);

	for (size_t k = 0; k < o->layout->count; k++) {
		const struct member *m = &o->layout->members[k];
		if (!m->bytes && m->data + m->promise.size > off)
			return m;
	}
	return NULL;
}

/* What is left is cut so that each blob is read by one worker, once. */
static void cut_by_blob(struct only *o)
{
	const struct member *before = NULL;

	o->order_count = o->unit_count = 0;
	for (size_t i = 0; i < o->wants->count; i++) {
		if (!o->later[i])
			continue;
		const struct member *m = first_blob(o, i);
		if (!o->unit_count || m != before)
			o->units[o->unit_count++] = (struct only_unit){ .first = o->order_count };
		o->units[o->unit_count - 1].count++;
		o->order[o->order_count++] = i;
		before = m;
	}
}

static void say_plan(const struct only *o, const char *what)
{
	uint64_t total = 0;

	for (size_t k = 0; k < o->order_count; k++)
		total += o->wants->blocks[o->order[k]].size;
	event_emit(o->events,
		   &(struct event){ .kind = EVENT_PLAN, .total = total, .count = o->unit_count, .text = what });
}

static int fetch_blocks(struct only *o, struct err *e)
{
	cut_evenly(o);
	say_plan(o, "fetching");
	if (parallel_for(o->unit_count, o->worker_count, only_fetch_unit, o, e))
		return -1;
	cut_by_blob(o);
	if (!o->unit_count)
		return 0;
	event_text(o->events, EVENT_NOTE, "a server sends no ranges: %s read from the beginning",
		   o->unit_count == 1 ? "a blob is" : "blobs are");
	say_plan(o, "reading");
	o->whole = true;
	return parallel_for(o->unit_count, o->worker_count, only_fetch_unit, o, e);
}

/* The blocks file. */

static struct space *stage(const char *path, const struct wants *w, uint64_t *header, struct err *e)
{
	AUTO_BUF head = { 0 };

	if (blocks_write_head(w, &head, e))
		return NULL;
	AUTO(space) s = space_stage(path, e);
	if (!s || space_reserve(s, head.len + w->bytes, e) || space_pwrite(s, head.data, head.len, 0, e))
		return NULL;
	*header = head.len;
	return TAKE(s);
}

static struct only_report *report(const struct fetch_options *o, const struct only *only, struct err *e)
{
	AUTO(only_report) r = calloc(1, sizeof(*r));

	if (!r || !(r->output = strdup(o->output))) {
		err_memory(e);
		return NULL;
	}
	r->id = only->wants->set;
	r->blocks = only->wants->count;
	r->block_bytes = only->wants->bytes;
	r->bytes = only->header + only->wants->bytes;
	r->downloaded_bytes = only->plan->paper_bytes + atomic_load(&only->received);
	return TAKE(r);
}

struct only_report *flow_fetch_only(const struct fetch_options *o, struct err *e)
{
	struct connect_options connect = o->connect;
	AUTO_WANTS wants = { 0 };
	char shown[160];

	if (read_list(o->only, &wants, e))
		return NULL;
	connect.use_mirrors = true;
	AUTO(registries) registries = registries_new(&connect, o->events, e);
	if (!registries)
		return NULL;
	AUTO(plan) plan = plan_new(o, registries, e);
	if (!plan)
		return NULL;
	AUTO(layout) layout = layout_new(plan->pack, NULL, e);
	if (!layout || check_archive(&wants, layout, e))
		return NULL;
	uint64_t header = 0;
	AUTO(space) space = stage(o->output, &wants, &header, e);
	if (!space) {
		err_at(e, "%s", text_escape_str(shown, sizeof(shown), o->output));
		return NULL;
	}
	AUTO_ONLY only = { .wants = &wants,
			   .plan = plan,
			   .layout = layout,
			   .registries = registries,
			   .events = o->events,
			   .space = space,
			   .header = header };
	if (make_room(&only, e) || fetch_blocks(&only, e) || space_commit(space, e))
		return NULL;
	ask_summary(registries);
	return report(o, &only, e);
}

void only_report_free(struct only_report *r)
{
	if (!r)
		return;
	free(r->output);
	free(r);
}

int only_report_json(const struct only_report *r, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "file");
	jout_text(&j, r->output);
	jout_key(&j, "id");
	jout_digest(&j, &r->id);
	jout_key(&j, "bytes");
	jout_u64(&j, r->bytes);
	jout_key(&j, "blocks");
	jout_u64(&j, r->blocks);
	jout_key(&j, "block_bytes");
	jout_u64(&j, r->block_bytes);
	jout_key(&j, "downloaded_bytes");
	jout_u64(&j, r->downloaded_bytes);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}
