/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/archive.h"

#include "base/text.h"
#include "flow/report.h"
#include "pack/sniff.h"
#include "pack/where.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

const char *flow_archive_noun(const char *path, char shown[160])
{
	return strcmp(path, "-") ? text_escape_str(shown, 160, path) : "standard input";
}

void flow_problem_release(struct flow_problem *p)
{
	free(p->chunk);
	free(p->member);
	free(p->image);
	free(p->what);
	*p = (struct flow_problem){ 0 };
}

static void forget_problems(struct archive *a)
{
	for (size_t i = 0; i < a->problem_count; i++)
		flow_problem_release(&a->problems[i]);
	a->problem_count = 0;
}

void archive_release(struct archive *a)
{
	forget_problems(a);
	free(a->problems);
	pack_file_free(a->file);
	chunkset_free(a->set);
	free(a->name);
	*a = (struct archive){ 0 };
}

/* Without memory for it the list is short; the verdict stands. */
static struct flow_problem *add_problem(struct archive *a, uint64_t offset, uint64_t length, const char *chunk,
					const char *what)
{
	struct flow_problem p = { .offset = offset, .length = length };

	if (GROW(a->problems, a->problem_capacity, a->problem_count, NULL) || report_copy(&p.chunk, chunk, NULL) ||
	    report_copy(&p.what, what, NULL)) {
		flow_problem_release(&p);
		return NULL;
	}
	a->problems[a->problem_count] = p;
	return &a->problems[a->problem_count++];
}

/* Of a blob or the frame: where it is in the archive. */
static void see_blob(void *ctx, const struct pack_problem *problem)
{
	struct archive *a = ctx;
	struct flow_problem *p = add_problem(a, problem->offset, problem->length, a->name, problem->what);

	if (p) {
		(void)report_copy(&p->member, problem->member, NULL);
		(void)report_copy(&p->image, problem->image, NULL);
	}
}

/* The same, as bytes of the chunk in which it begins. */
static void name_chunks(struct archive *a)
{
	for (size_t i = 0; i < a->problem_count; i++) {
		struct flow_problem *p = &a->problems[i];
		if (!p->length)
			continue;
		size_t chunk = chunkset_locate(a->set, p->offset, &p->offset);
		free(TAKE(p->chunk));
		(void)report_copy(&p->chunk, chunkset_path(a->set, chunk), NULL);
	}
}

struct blame {
	struct archive *archive;
	const struct flow_problem *blobs; /* that are known to be damaged, or NULL */
	size_t blob_count;
	struct err first;
};

/*
 * What of the archive stands there, if its papers could be read. A block may hold many members: those that are damaged
 * themselves are meant.
 */
static bool place_of(const struct blame *b, const struct chunk_problem *problem, struct where *out)
{
	const struct sums *s = &b->archive->set->sums;
	const uint64_t from = problem->file * s->chunk + problem->offset;
	const uint64_t to = from + problem->length;

	if (problem->file >= s->count || !problem->damaged)
		return false;
	for (size_t i = 0; i < b->blob_count; i++) {
		const struct flow_problem *p = &b->blobs[i];
		if (p->length && p->offset < to && from < p->offset + p->length)
			return where_find(b->archive->file, p->offset, p->length, out);
	}
	return where_find(b->archive->file, from, problem->length, out);
}

/* Of a chunk's own bytes. */
static void see_chunk(void *ctx, const struct chunk_problem *problem)
{
	struct blame *b = ctx;
	struct archive *a = b->archive;
	struct where where;
	char what[512];

	(void)snprintf(what, sizeof(what), "%s%s%s", problem->what, problem->also ? ": " : "",
		       problem->also ? problem->also : "");
	struct flow_problem *p = add_problem(a, problem->offset, problem->length, problem->chunk, what);
	const bool known = place_of(b, problem, &where);
	if (p) {
		p->whole = !problem->damaged;
		(void)report_copy(&p->member, known ? where.member : NULL, NULL);
		(void)report_copy(&p->image, known ? where.image : NULL, NULL);
	}
	if (b->first.kind != ERR_NONE)
		return;
	chunk_problem_refuse(problem, &b->first);
	if (known) {
		const struct err bare = b->first;
		err_set(&b->first, ERR_CORRUPT, "%s: %s", bare.text, where.text);
	}
}

/* The chunks' own blocks are asked. 0: they are whole after all; -1: problems[] lists what is wrong, *e the first. */
static int ask_chunks(struct archive *a, const struct flow_problem *blobs, size_t count, struct err *e)
{
	struct blame blame = { .archive = a, .blobs = blobs, .blob_count = count };
	struct err found = { 0 };

	if (!chunkset_check(a->set, CHUNK_ARCHIVE, see_chunk, &blame, a->events, &found))
		return 0;
	*e = found.kind == ERR_CORRUPT && blame.first.kind != ERR_NONE ? blame.first : found;
	if (e->kind == ERR_CORRUPT && a->problem_count > 1)
		err_hint(e, "and %zu more", a->problem_count - 1);
	return -1;
}

static int open_set(struct archive *a, struct err *e)
{
	pack_file_free(a->file);
	a->file = pack_file_open_space(chunkset_space(a->set, e), a->events, e);
	return a->file ? 0 : -1;
}

/* What the papers, or the chunks' sizes, make impossible is explained by the chunks' blocks, and tried once more. */
static int open_chunks(struct archive *a, struct err *e)
{
	struct err first = { 0 };

	if (!open_set(a, &first))
		return 0;
	if (first.kind != ERR_CORRUPT) {
		*e = first;
		return -1;
	}
	return ask_chunks(a, NULL, 0, e) || open_set(a, e) ? -1 : 0;
}

static const char *first_missing(const struct chunkset *c)
{
	for (size_t i = 0; i < c->sums.count; i++)
		if (!c->chunks[i].count)
			return c->sums.chunks[i].name;
	return "";
}

/* Until they are complete, or the person has no more. A path that is none is said, and asked for again. */
static int ask_for_missing(struct archive *a, const struct archive_paths *paths, const struct archive_wish *wish,
			   struct err *e)
{
	char shown[160];
	char missing[220];

	for (size_t n; wish->ask && (n = chunkset_missing(a->set));) {
		text_escape_str(shown, sizeof(shown), first_missing(a->set));
		if (n == 1)
			(void)snprintf(missing, sizeof(missing), "%s is", shown);
		else
			(void)snprintf(missing, sizeof(missing), "%s and %zu more are", shown, n - 1);
		AUTO_MEM char *path = wish->ask(wish->ask_ctx, missing);
		if (!path)
			break;
		const char *one[] = { path };
		struct err bad = { 0 };
		ptrdiff_t found = *path ? chunkset_add(a->set, one, 1, a->events, &bad)
					: chunkset_add(a->set, paths->items, paths->count, a->events, &bad);
		if (found < 0 && bad.kind != ERR_LOCAL && bad.kind != ERR_USAGE) {
			*e = bad;
			return -1;
		}
		if (found < 0)
			event_text(a->events, EVENT_WARNING, "%s", bad.text);
		else
			event_text(a->events, EVENT_NOTE, "%zd chunk%s found", found, found == 1 ? "" : "s");
	}
	return 0;
}

static int take_set(struct archive *a, const struct archive_paths *paths, const struct archive_wish *wish,
		    struct err *e)
{
	a->name = strdup(a->set->sums.archive);
	if (!a->name)
		return err_memory(e);
	if (ask_for_missing(a, paths, wish, e))
		return -1;
	if (!chunkset_missing(a->set))
		return open_chunks(a, e);
	/* All that is wrong is listed, but what is missing is the verdict. */
	struct err other = { 0 };
	if (wish->list && ask_chunks(a, NULL, 0, &other) && other.kind != ERR_CORRUPT) {
		*e = other;
		return -1;
	}
	return chunkset_refuse_missing(a->set, e);
}

static int open_single(struct archive *a, const char *path, struct err *e)
{
	char shown[160];

	a->name = strdup(path);
	if (!a->name)
		return err_memory(e);
	a->file = strcmp(path, "-") ? pack_file_open(path, a->events, e)
				    : pack_file_open_pipe(STDIN_FILENO, a->events, e);
	return a->file ? 0 : err_at(e, "%s", flow_archive_noun(path, shown));
}

static bool is_folder(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

static int find(struct archive *a, const struct archive_paths *paths, const struct archive_wish *wish, struct err *e)
{
	AUTO_MEM char *single = NULL;
	char shown[160];
	int rc = chunkset_find(paths->items, paths->count, wish->expect, a->events, &a->set, &single, e);

	if (rc)
		return rc < 0 || take_set(a, paths, wish, e) ? -1 : 0;
	if (single)
		return open_single(a, single, e);
	sniff_refuse_folder(paths->items[0], e);
	return err_at(e, "%s", text_escape_str(shown, sizeof(shown), paths->items[0]));
}

int archive_paths_check(const struct archive_paths *paths, struct err *e)
{
	for (size_t i = 0; paths->count > 1 && i < paths->count; i++)
		if (!strcmp(paths->items[i], "-"))
			return err_set(e, ERR_USAGE, "-: standard input is one archive; name it alone");
	return 0;
}

int archive_open(struct archive *a, const struct archive_paths *paths, const struct archive_wish *wish, struct err *e)
{
	struct err alone = { 0 };
	AUTO_MEM char *single = NULL;

	*a = (struct archive){ .events = wish->events };
	if (archive_paths_check(paths, e))
		return -1;
	if (paths->count != 1 || is_folder(paths->items[0]))
		return find(a, paths, wish, e);
	if (!open_single(a, paths->items[0], &alone))
		return 0;
	/* No archive, or the beginning of one: perhaps a chunk. */
	if (alone.kind == ERR_CORRUPT && strcmp(paths->items[0], "-") != 0) {
		int rc = chunkset_find(paths->items, 1, wish->expect, a->events, &a->set, &single, e);
		if (rc < 0)
			return -1;
		if (rc > 0) {
			free(TAKE(a->name));
			return take_set(a, paths, wish, e);
		}
	}
	*e = alone;
	return -1;
}

int archive_verify(struct archive *a, bool diff_ids, struct err *e)
{
	const struct verify_options options = { .diff_ids = diff_ids, .problem = see_blob, .ctx = a };
	struct err first = { 0 };

	if (!pack_file_verify(a->file, &options, a->events, &first))
		return 0;
	*e = first;
	if (first.kind != ERR_CORRUPT || !a->set)
		return -1;
	if (!a->set->has_blocks) {
		name_chunks(a);
		return a->problem_count && a->problems[0].length ? err_at(e, "%s", a->problems[0].chunk) : -1;
	}
	/* The blocks know better: they say which file. What the blobs said counts only if the blocks are all right. */
	struct flow_problem *said = TAKE(a->problems);
	const size_t count = a->problem_count;
	a->problem_count = a->problem_capacity = 0;
	int rc = ask_chunks(a, said, count, e);
	for (size_t i = 0; i < count; i++)
		flow_problem_release(&said[i]);
	free(said);
	if (rc)
		return -1;
	if (open_set(a, e) || pack_file_verify(a->file, &options, a->events, e)) {
		name_chunks(a);
		return -1;
	}
	return 0;
}

int archive_check_parity(struct archive *a, struct err *e)
{
	struct blame blame = { .archive = a };

	if (!a->set || !a->set->has_blocks || !a->set->sums.parity_count)
		return 0;
	return chunkset_check(a->set, CHUNK_PARITY, see_chunk, &blame, a->events, e);
}
