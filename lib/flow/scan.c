/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/scan.h"

#include "base/cancel.h"
#include "base/limits.h"
#include "base/text.h"
#include "flow/dotenv.h"
#include "flow/report.h"
#include "flow/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/*
 * scan: which images manifests name.
 *
 *     paths -> files -> sights of each (oci/scan.h) -> images sorted, each once with its places
 */

/* An image in one place. */
struct found {
	char *name;
	size_t order; /* in which it was found */
	struct scan_place place;
};

struct gathering {
	struct scan_report *report;
	size_t file_capacity, skipped_capacity, problem_capacity, chart_capacity;
	struct found *found;
	size_t found_count, found_capacity;
};

/* One file. */

/* As docker compose has it: what is set comes before the file. */
static const char *variable(void *ctx, const char *name)
{
	const char *set = getenv(name);

	return set ? set : dotenv_get(ctx, name);
}

static enum scan_kind kind_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	if (walk_is_dockerfile(name))
		return SCAN_DOCKERFILE;
	return walk_is_yaml(name) ? SCAN_YAML : SCAN_GUESS;
}

static int read_sights(struct sights *out, const char *path, const struct buf *text, struct err *e)
{
	const bool is_stdin = strcmp(path, "-") == 0;
	struct dotenv dotenv = { 0 };
	const struct scan_input in = {
		.bytes = text->data ? text->data : "",
		.len = text->len,
		.kind = is_stdin ? SCAN_GUESS : kind_of(path),
		.variable = variable,
		.ctx = &dotenv,
	};
	const int rc = (!is_stdin && dotenv_read(&dotenv, path, e)) || scan_read(out, &in, e) ? -1 : 0;

	dotenv_release(&dotenv);
	return rc;
}

/* Sights. */

static int note_image(struct gathering *g, const struct sight *s, const char *file, struct err *e)
{
	if (GROW(g->found, g->found_capacity, g->found_count, e))
		return -1;
	struct found *f = &g->found[g->found_count];
	*f = (struct found){ .place = { file, s->line }, .order = g->found_count };
	if (report_copy(&f->name, s->text, e))
		return -1;
	g->found_count++;
	return 0;
}

static int note_skipped(struct scan_skipped **items, size_t *capacity, size_t *count, const struct sight *s,
			const char *file, struct err *e)
{
	if (GROW(*items, *capacity, *count, e))
		return -1;
	struct scan_skipped *k = &(*items)[(*count)++];
	*k = (struct scan_skipped){ .place = { file, s->line }, .doubt = s->kind == SIGHT_DOUBT };
	return report_copy(&k->text, s->text, e) || report_copy(&k->why, s->why, e) ? -1 : 0;
}

static int note(struct gathering *g, const struct sight *s, const char *file, struct err *e)
{
	struct scan_report *r = g->report;

	if (s->kind == SIGHT_IMAGE)
		return note_image(g, s, file, e);
	if (s->kind == SIGHT_BROKEN)
		return note_skipped(&r->problems, &g->problem_capacity, &r->problem_count, s, file, e);
	return note_skipped(&r->skipped, &g->skipped_capacity, &r->skipped_count, s, file, e);
}

static int read_file(struct buf *text, const char *path, struct err *e)
{
	AUTO_FD int fd = -1;
	char shown[160];

	if (strcmp(path, "-") != 0) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, ERR_LOCAL, errno, "%s", text_escape_str(shown, sizeof(shown), path));
	}
	return buf_read(text, fd < 0 ? STDIN_FILENO : fd, LIMIT_SCAN_FILE, e)
		       ? err_at(e, "%s", flow_archive_noun(path, shown))
		       : 0;
}

static int scan_file(struct gathering *g, const char *path, struct err *e)
{
	struct scan_report *r = g->report;
	AUTO_BUF text = { 0 };
	AUTO_SIGHTS sights = { 0 };

	if (cancel_check(e) || read_file(&text, path, e) || read_sights(&sights, path, &text, e) ||
	    GROW(r->files, g->file_capacity, r->file_count, e) || report_copy(&r->files[r->file_count], path, e))
		return -1;
	const char *file = r->files[r->file_count++];
	for (size_t i = 0; i < sights.count; i++)
		if (note(g, &sights.items[i], file, e))
			return -1;
	return 0;
}

/* Paths. */

static int scan_folder(struct gathering *g, const char *folder, struct err *e)
{
	struct scan_report *r = g->report;
	AUTO_WALK list = { 0 };

	if (walk_folder(&list, folder, e))
		return -1;
	for (size_t i = 0; i < list.count; i++)
		if (scan_file(g, list.files[i], e))
			return -1;
	for (size_t i = 0; i < list.chart_count; i++) {
		if (GROW(r->charts, g->chart_capacity, r->chart_count, e))
			return -1;
		r->charts[r->chart_count++] = TAKE(list.charts[i]);
	}
	return 0;
}

static int scan_path(struct gathering *g, const char *path, struct err *e)
{
	struct stat st;
	char shown[160];

	if (!strcmp(path, "-"))
		return scan_file(g, path, e);
	if (stat(path, &st))
		return err_sys(e, ERR_LOCAL, errno, "%s", text_escape_str(shown, sizeof(shown), path));
	return S_ISDIR(st.st_mode) ? scan_folder(g, path, e) : scan_file(g, path, e);
}

/* The report. */

static int by_name(const void *a, const void *b)
{
	const struct found *x = a, *y = b;
	const int order = strcmp(x->name, y->name);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

static int sum_up(struct gathering *g, struct err *e)
{
	struct scan_report *r = g->report;

	if (!g->found_count)
		return 0;
	r->images = calloc(g->found_count, sizeof(*r->images));
	r->places = calloc(g->found_count, sizeof(*r->places));
	if (!r->images || !r->places)
		return err_memory(e);
	qsort(g->found, g->found_count, sizeof(*g->found), by_name);
	for (size_t i = 0; i < g->found_count; i++) {
		struct scan_image *last = r->images + r->count - 1;
		r->places[i] = g->found[i].place;
		if (r->count && !strcmp(last->name, g->found[i].name)) {
			last->place_count++;
			continue;
		}
		r->images[r->count++] = (struct scan_image){ TAKE(g->found[i].name), &r->places[i], 1 };
	}
	return 0;
}

static int say_broken(const struct scan_report *r, struct err *e)
{
	const struct scan_skipped *p = r->problems;
	char shown[160];

	if (!r->problem_count)
		return 0;
	err_set(e, ERR_CORRUPT, "%s:%zu: %s", flow_archive_noun(p->place.file, shown), p->place.line, p->why);
	return r->problem_count == 1 ? -1 : err_hint(e, "%zu files are not read to their end", r->problem_count);
}

struct scan_report *flow_scan(const struct scan_options *o, struct err *e)
{
	AUTO(scan_report) r = calloc(1, sizeof(*r));
	struct gathering g = { .report = r };
	int rc = r ? 0 : err_memory(e);

	for (size_t i = 0; !rc && i < o->path_count; i++)
		rc = scan_path(&g, o->paths[i], e);
	if (!rc)
		rc = sum_up(&g, e);
	for (size_t i = 0; i < g.found_count; i++)
		free(g.found[i].name);
	free(g.found);
	if (rc)
		return NULL;
	(void)say_broken(r, e);
	return TAKE(r);
}

static void free_skipped(struct scan_skipped *items, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(items[i].text);
		free(items[i].why);
	}
	free(items);
}

static void free_texts(char **items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(items[i]);
	free(items);
}

void scan_report_free(struct scan_report *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++)
		free(r->images[i].name);
	free(r->images);
	free(r->places);
	free_skipped(r->skipped, r->skipped_count);
	free_skipped(r->problems, r->problem_count);
	free_texts(r->files, r->file_count);
	free_texts(r->charts, r->chart_count);
	free(r);
}
