/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/archive.h"
#include "flow/remake.h"
#include "flow/report.h"

#include "base/text.h"
#include "pack/sniff.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/*
 * repair: find the set, check every block, make anew what is not whole. What the parity cannot bring back is said, and
 * nothing is written.
 */

struct repair {
	const struct repair_options *options;
	struct chunkset *set;
	struct repair_report *report;
	size_t capacity; /* of its problems */
	bool *broken;    /* chunks, then parity files */
	bool sums_lost;
	char *folder;
};

static void release(struct repair *r)
{
	chunkset_free(r->set);
	repair_report_free(r->report);
	free(r->broken);
	free(r->folder);
}
#define AUTO_REPAIR __attribute__((cleanup(release))) struct repair

/* Finding. */

static int refuse_single(const struct repair *r, const char *single, struct err *e)
{
	char shown[160];

	if (!single) {
		sniff_refuse_folder(r->options->paths.items[0], e);
		return err_at(e, "%s", text_escape_str(shown, sizeof(shown), r->options->paths.items[0]));
	}
	err_set(e, ERR_USAGE, "%s: is not a chunk of an archive", text_escape_str(shown, sizeof(shown), single));
	return err_hint(e, "repair works on what fetch --split --parity wrote");
}

static int find(struct repair *r, struct err *e)
{
	const struct repair_options *o = r->options;
	AUTO_MEM char *single = NULL;
	int rc = chunkset_find(o->paths.items, o->paths.count, NULL, o->events, &r->set, &single, e);

	if (rc < 0)
		return -1;
	if (!rc)
		return refuse_single(r, single, e);
	r->report->chunks = r->set->sums.count;
	r->report->parity = r->set->sums.parity_count;
	r->broken = calloc(chunkset_files(r->set) + 1, sizeof(*r->broken));
	return r->broken ? report_copy(&r->report->archive, r->set->sums.archive, e) : err_memory(e);
}

/* Checking. */

static void add_problem(struct repair *r, const struct chunk_problem *problem)
{
	struct repair_report *report = r->report;
	struct flow_problem p = { .offset = problem->offset, .length = problem->length, .whole = !problem->damaged };
	char what[512];

	(void)snprintf(what, sizeof(what), "%s%s%s", problem->what, problem->also ? ": " : "",
		       problem->also ? problem->also : "");
	if (GROW(report->problems, r->capacity, report->problem_count, NULL) ||
	    report_copy(&p.chunk, problem->chunk, NULL) || report_copy(&p.what, what, NULL)) {
		flow_problem_release(&p);
		return;
	}
	report->problems[report->problem_count++] = p;
}

static void see(void *ctx, const struct chunk_problem *problem)
{
	struct repair *r = ctx;

	r->broken[problem->file] = true;
	add_problem(r, problem);
}

/* A missing parity file is no problem to who reads the archive; here it is one. */
static void see_missing_parity(struct repair *r)
{
	for (size_t i = 0; i < r->set->sums.parity_count; i++) {
		const struct sums_file *want = &r->set->sums.parity[i];
		char shown[256];
		if (r->set->parity[i].count)
			continue;
		const struct chunk_problem p = { .chunk = text_escape_str(shown, sizeof(shown), want->name),
						 .length = want->size,
						 .file = r->set->sums.count + i,
						 .what = "is missing" };
		see(r, &p);
	}
}

/* What `imgpack fetch --only` brought. */
static int take_carried(const struct repair *r, struct err *e)
{
	uint64_t bytes;
	char size[TEXT_SIZE_CAP];

	if (chunkset_take_carried(r->set, r->options->events, &bytes, e))
		return -1;
	if (bytes)
		event_text(r->options->events, EVENT_NOTE, "%s of blocks that were fetched for it are used",
			   text_size(size, bytes));
	return 0;
}

static int check(struct repair *r, struct err *e)
{
	struct err bad = { 0 };

	if (chunkset_check(r->set, CHUNK_ALL, see, r, r->options->events, &bad) && bad.kind != ERR_CORRUPT) {
		*e = bad;
		return -1;
	}
	if (take_carried(r, e))
		return -1;
	see_missing_parity(r);
	int there = chunkset_has_sums_file(r->set, r->options->paths.items, r->options->paths.count, e);
	r->sums_lost = there == 0;
	return there < 0 ? -1 : 0;
}

/* Where nothing says what the blocks must be: the archive itself can prove that it is whole, and then they are known.
 */
static int make_table(struct repair *r, struct err *e)
{
	const struct archive_wish wish = { .events = r->options->events };
	AUTO_ARCHIVE a = { 0 };

	if (chunkset_missing(r->set)) {
		chunkset_refuse_missing(r->set, e);
		return err_hint(e, "there is neither a sums file nor a parity file, so nothing can be rebuilt");
	}
	if (archive_open(&a, &r->options->paths, &wish, e) || archive_verify(&a, false, e))
		return err_hint(e, "there is neither a sums file nor a parity file, so nothing can be rebuilt");
	AUTO(space) space = chunkset_space(r->set, e);
	if (!space)
		return -1;
	for (size_t i = 0; i < r->set->sums.count; i++)
		if (sums_fill(&r->set->sums, i, space, e))
			return -1;
	r->sums_lost = true;
	return 0;
}

/* Refusing. */

/* How many good blocks are lacking at this position. */
static size_t lacking(const struct chunkset *c, size_t block)
{
	size_t bad = 0;
	size_t good = 0;

	for (size_t i = 0; i < chunkset_files(c); i++) {
		const bool here = block < sums_blocks(chunkset_want(c, i));
		if (i < c->sums.count)
			bad += here && chunkset_chunk(c, i)->good[block] == CHUNK_BAD;
		else
			good += here && chunkset_chunk(c, i)->good[block] != CHUNK_BAD;
	}
	return bad > good ? bad - good : 0;
}

static int list_bad(const struct chunkset *c, size_t block, struct buf *out, struct err *e)
{
	char shown[128];

	for (size_t i = 0; i < chunkset_files(c); i++) {
		if (block >= sums_blocks(chunkset_want(c, i)) || chunkset_chunk(c, i)->good[block] != CHUNK_BAD)
			continue;
		if (buf_printf(out, e, "%s%s", out->len ? ", " : "",
			       text_escape_str(shown, sizeof(shown), chunkset_want(c, i)->name)))
			return -1;
	}
	return 0;
}

#define LIST_SHOWN 300

/* 0: everything can be rebuilt. Otherwise the worst position says how much more is needed. */
static int refuse_beyond(const struct repair *r, struct err *e)
{
	const struct chunkset *c = r->set;
	AUTO_BUF list = { 0 };
	size_t worst = 0;
	size_t most = 0;

	for (size_t b = 0; b < sums_blocks(&c->sums.chunks[0]); b++) {
		const size_t n = lacking(c, b);
		if (n > most) {
			most = n;
			worst = b;
		}
	}
	if (!most)
		return 0;
	if (list_bad(c, worst, &list, e))
		return -1;
	err_set(e, ERR_CORRUPT, "%s; needed whole: %zu more of: %.*s%s",
		c->sums.parity_count ? "more is lost than the parity files bring back" : "there are no parity files",
		most, LIST_SHOWN, list.data, list.len > LIST_SHOWN ? "..." : "");
	return err_hint(e, "or imgpack wants: it lists what imgpack fetch --only brings");
}

/* Making. */

/* The folder of the first file that was found, or of what was named. */
static int choose_folder(struct repair *r, struct err *e)
{
	const char *given = r->options->folder;
	const char *path = r->options->paths.items[0];
	AUTO_BUF folder = { 0 };
	struct stat st;
	char shown[160];

	if (given && (stat(given, &st) || !S_ISDIR(st.st_mode)))
		return err_set(e, ERR_LOCAL, "%s: is not a folder", text_escape_str(shown, sizeof(shown), given));
	for (size_t i = chunkset_files(r->set); i-- > 0;)
		if (chunkset_chunk(r->set, i)->count)
			path = chunkset_chunk(r->set, i)->paths[0];
	const char *slash = strrchr(path, '/');
	if (given ? buf_printf(&folder, e, "%s/", given) : buf_add(&folder, path, slash ? slash + 1 - path : 0, e))
		return -1;
	r->folder = buf_take(&folder);
	return 0;
}

static int report_made(struct repair *r, const struct remake *made, struct err *e)
{
	struct repair_report *report = r->report;
	struct promise promise;
	const char *path;
	size_t n = 0;

	while (remake_made(made, n, &path, &promise))
		n++;
	report->repaired = calloc(n + 1, sizeof(*report->repaired));
	if (!report->repaired)
		return err_memory(e);
	for (size_t i = 0; remake_made(made, i, &path, &promise); i++) {
		struct fetch_file *f = &report->repaired[i];
		*f = (struct fetch_file){ .bytes = promise.size, .sha256 = promise.digest };
		if (report_copy(&f->file, path, e))
			return -1;
		report->repaired_count++;
	}
	return 0;
}

static int make(struct repair *r, struct err *e)
{
	size_t broken = 0;

	for (size_t i = 0; i < chunkset_files(r->set); i++)
		broken += r->broken[i];
	if (!broken && !r->sums_lost)
		return 0;
	if (choose_folder(r, e))
		return -1;
	AUTO(remake) made = remake_new(r->set, r->folder, r->options->events, e);
	if (!made)
		return -1;
	for (size_t i = 0; i < chunkset_files(r->set); i++)
		if (r->broken[i] && remake_add(made, i, e))
			return -1;
	if ((broken && remake_fill(made, e)) || (r->sums_lost && remake_add_sums(made, e)))
		return -1;
	/* Reported first: after the commit nothing may fail any more. */
	return report_made(r, made, e) || remake_commit(made, e) ? -1 : 0;
}

static int check_and_make(struct repair *r, struct err *e)
{
	if (!r->set->has_blocks)
		return make_table(r, e) || make(r, e) ? -1 : 0;
	return check(r, e) || refuse_beyond(r, e) || make(r, e) ? -1 : 0;
}

struct repair_report *flow_repair(const struct repair_options *o, struct err *e)
{
	AUTO_REPAIR r = { .options = o, .report = calloc(1, sizeof(*r.report)) };
	char shown[160];

	if (!r.report) {
		err_memory(e);
		return NULL;
	}
	if (find(&r, e))
		return NULL;
	if (check_and_make(&r, e)) {
		err_at(e, "%s", text_escape_str(shown, sizeof(shown), r.report->archive));
		if (e->kind != ERR_CORRUPT)
			return NULL;
	}
	return TAKE(r.report);
}

void repair_report_free(struct repair_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->repaired_count; i++)
		free(r->repaired[i].file);
	for (size_t i = 0; i < r->problem_count; i++)
		flow_problem_release(&r->problems[i]);
	free(r->repaired);
	free(r->problems);
	free(r->archive);
	free(r);
}

int repair_report_json(const struct repair_report *r, struct buf *out, struct err *e)
{
	struct jout j = jout_begin(out);

	jout_object(&j);
	jout_key(&j, "archive");
	jout_text(&j, r->archive);
	report_files_json(&j, "repaired", r->repaired, r->repaired_count, true);
	report_problems_json(&j, r->problems, r->problem_count);
	jout_end(&j);
	return jout_finish(&j, e) || buf_puts(out, "\n", e) ? -1 : 0;
}
