/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/wants.h"

#include "base/text.h"
#include "flow/report.h"
#include "flow/write_file.h"
#include "pack/chunkset.h"

#include <inttypes.h>
#include <string.h>

/*
 * wants: which blocks a set of chunks needs from outside.
 *
 *     paths -> set (chunks known by their table) -> every block checked -> less what parity brings back -> list
 */

static bool is_good(const struct chunk *c, size_t block)
{
	return c->good && c->good[block] != CHUNK_BAD;
}

/* Blocks at this position that the parity files at hand bring back. */
static size_t spare_at(const struct chunkset *c, size_t block)
{
	size_t n = 0;

	for (size_t i = 0; i < c->sums.parity_count; i++)
		if (block < sums_blocks(&c->sums.parity[i]) && is_good(&c->parity[i], block))
			n++;
	return n;
}

/* One a block position: how many may be bad because parity brings them back. NULL: out of memory. */
static size_t *spares(const struct chunkset *c, bool no_parity, struct err *e)
{
	const size_t positions = sums_blocks(&c->sums.chunks[0]);
	size_t *out = calloc(positions + 1, sizeof(*out));

	if (!out)
		err_memory(e);
	for (size_t b = 0; out && !no_parity && b < positions; b++)
		out[b] = spare_at(c, b);
	return out;
}

static int add_file(struct wants_report *r, const struct chunkset *c, size_t chunk, uint64_t bytes, struct err *e)
{
	struct wants_file *f = &r->files[r->file_count];

	f->missing = !c->chunks[chunk].count;
	f->bytes = bytes;
	if (report_copy(&f->name, c->sums.chunks[chunk].name, e))
		return -1;
	r->file_count++;
	return 0;
}

/*
 * The last chunks' blocks are left to parity: what is asked for then lies together. At each position as many are asked
 * for as parity lacks.
 */
static int choose(struct wants_report *r, const struct chunkset *c, size_t *spare, struct err *e)
{
	AUTO_MEM bool *left = calloc(sums_blocks(&c->sums.chunks[0]) * c->sums.count + 1, sizeof(*left));
	const size_t positions = sums_blocks(&c->sums.chunks[0]);

	if (!left)
		return err_memory(e);
	for (size_t i = c->sums.count; i-- > 0;)
		for (size_t b = 0; b < sums_blocks(&c->sums.chunks[i]); b++)
			if (!is_good(&c->chunks[i], b) && spare[b]) {
				spare[b]--;
				left[i * positions + b] = true;
			}
	for (size_t i = 0; i < c->sums.count; i++) {
		uint64_t bad = 0;
		for (size_t b = 0; b < sums_blocks(&c->sums.chunks[i]); b++) {
			const uint64_t size = sums_block_size(&c->sums.chunks[i], b);
			if (is_good(&c->chunks[i], b))
				continue;
			bad += size;
			if (left[i * positions + b])
				r->repairable += size;
			else if (wants_add(r->wants, &c->sums, i, b, e))
				return -1;
		}
		if (bad && add_file(r, c, i, bad, e))
			return -1;
	}
	return 0;
}

static void say_problem(void *ctx, const struct chunk_problem *p)
{
	const struct wants_options *o = ctx;

	if (p->damaged)
		event_text(o->events, EVENT_DETAIL, "%s %s at byte %" PRIu64, p->chunk, p->what, p->offset);
	else
		event_text(o->events, EVENT_DETAIL, "%s %s", p->chunk, p->what);
}

/* Every block's digest compared; what is bad or missing is what this is about. */
static int check(struct chunkset *c, struct wants_options *o, struct err *e)
{
	struct err bad = { 0 };
	uint64_t carried;

	if (chunkset_check(c, CHUNK_ALL, say_problem, o, o->events, &bad) && bad.kind != ERR_CORRUPT) {
		*e = bad;
		return -1;
	}
	return chunkset_take_carried(c, o->events, &carried, e);
}

static struct chunkset *find(const struct wants_options *o, struct err *e)
{
	AUTO_MEM char *single = NULL;
	AUTO(chunkset) c = NULL;
	char shown[160];
	const int rc = chunkset_find(o->paths.items, o->paths.count, NULL, o->events, &c, &single, e);

	text_escape_str(shown, sizeof(shown), single ? single : o->paths.items[0]);
	if (rc < 0)
		return NULL;
	if (!rc) {
		err_set(e, ERR_USAGE, "%s: here are no chunks of an archive, and no table of them", shown);
		if (single)
			err_hint(e, "`imgpack verify %s` says what it is", shown);
		return NULL;
	}
	if (!c->has_blocks) {
		err_set(e, ERR_USAGE, "%s: these chunks have no table, so nobody knows what a block of them must be",
			shown);
		err_hint(e, "bring the sums file (x" SUMS_SUFFIX ") or a parity file over as well: each holds it");
		return NULL;
	}
	return TAKE(c);
}

static int fill(struct wants_report *r, const struct chunkset *c, const struct wants_options *o, struct err *e)
{
	AUTO_MEM size_t *spare = spares(c, o->no_parity, e);

	r->wants = calloc(1, sizeof(*r->wants));
	r->files = calloc(c->sums.count + 1, sizeof(*r->files));
	if (!r->wants || !r->files)
		return err_memory(e);
	if (!spare || wants_begin(r->wants, &c->sums, e) || choose(r, c, spare, e) ||
	    wants_write(r->wants, &r->list, e) || report_copy(&r->archive, c->sums.archive, e))
		return -1;
	r->id = c->sums.set;
	r->blocks = r->wants->count;
	r->bytes = r->wants->bytes;
	return o->output ? write_file(o->output, &r->list, e) : 0;
}

struct wants_report *flow_wants(const struct wants_options *o, struct err *e)
{
	AUTO(chunkset) c = find(o, e);
	struct wants_options options = *o;

	if (!c || check(c, &options, e))
		return NULL;
	AUTO(wants_report) r = calloc(1, sizeof(*r));
	if (!r) {
		err_memory(e);
		return NULL;
	}
	return fill(r, c, o, e) ? NULL : TAKE(r);
}

void wants_report_free(struct wants_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->file_count; i++)
		free(r->files[i].name);
	if (r->wants)
		wants_release(r->wants);
	free(r->wants);
	free(r->files);
	free(r->archive);
	buf_release(&r->list);
	free(r);
}

static void blocks_json(struct jout *j, const struct wants *w)
{
	jout_key(j, "blocks");
	jout_array(j);
	for (size_t i = 0; i < w->count; i++) {
		jout_object(j);
		jout_key(j, "chunk");
		jout_u64(j, w->blocks[i].chunk + 1);
		jout_key(j, "offset");
		jout_u64(j, (uint64_t)w->blocks[i].block * SUMS_BLOCK);
		jout_key(j, "bytes");
		jout_u64(j, w->blocks[i].size);
		jout_key(j, "sha256");
		jout_digest(j, &w->blocks[i].digest);
		jout_end(j);
	}
	jout_end(j);
}

int wants_report_json(const struct wants_report *r, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "archive");
	jout_text(&j, r->archive);
	jout_key(&j, "id");
	jout_digest(&j, &r->id);
	jout_key(&j, "bytes");
	jout_u64(&j, r->bytes);
	jout_key(&j, "repairable_bytes");
	jout_u64(&j, r->repairable);
	jout_key(&j, "files");
	jout_array(&j);
	for (size_t i = 0; i < r->file_count; i++) {
		jout_object(&j);
		jout_key(&j, "chunk");
		jout_text(&j, r->files[i].name);
		jout_key(&j, "missing");
		jout_bool(&j, r->files[i].missing);
		jout_key(&j, "bytes");
		jout_u64(&j, r->files[i].bytes);
		jout_end(&j);
	}
	jout_end(&j);
	blocks_json(&j, r->wants);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}
