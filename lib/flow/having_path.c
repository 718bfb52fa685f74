/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/having.h"

#include "base/limits.h"
#include "base/text.h"
#include "flow/archive.h"
#include "flow/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static int add_archive(struct having *h, struct archive *a, struct err *e)
{
	char shown[160];
	const struct pack_file *f = a->file;

	if (inventory_add_pack(h->inventory, f->pack, e))
		return -1;
	h->report->images += f->pack->image_count;
	h->report->archives++;
	return having_say(h, e, "from the archive %s: %zu image%s", flow_archive_noun(a->name, shown),
			  f->pack->image_count, f->pack->image_count == 1 ? "" : "s");
}

/* 1: the file is a list, and was added; 0: it is something else; -1. */
static int try_list(struct having *h, const char *path, struct err *e)
{
	char shown[160];
	char head[256];
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO_BUF text = { 0 };
	const ssize_t n = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);

	/* Whoever opens it as an archive says why it cannot be read. */
	if (n <= 0 || !inventory_detect(head, (size_t)n))
		return 0;
	text_escape_str(shown, sizeof(shown), path);
	if (buf_read(&text, fd, LIMIT_INVENTORY, e) || inventory_parse(h->inventory, text.data, text.len, e))
		return err_at(e, "%s", shown);
	h->report->lists++;
	return having_say(h, e, "from the list %s", shown) ? -1 : 1;
}

static int open_and_add(struct having *h, const char *path, struct archive *a, struct err *e)
{
	const char *const items[] = { path };
	const struct archive_paths paths = { items, 1 };
	const struct archive_wish wish = { .events = h->options->events };

	return archive_open(a, &paths, &wish, e) ? -1 : add_archive(h, a, e);
}

/* The files of a folder; those that belong to a set of chunks that was read already are taken off. */
struct files {
	char **items;
	size_t count;
	size_t capacity;
};
static void files_release(struct files *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->items[i]);
	free(f->items);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int fill_files(DIR *dir, const char *folder, struct files *f, struct err *e)
{
	struct dirent *entry;
	struct stat st;

	while ((entry = readdir(dir))) {
		AUTO_BUF path = { 0 };
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) || !S_ISREG(st.st_mode))
			continue;
		if (f->count >= LIMIT_FOLDER_FILES)
			return err_set(e, ERR_USAGE, "holds more than %d files", LIMIT_FOLDER_FILES);
		if (buf_printf(&path, e, "%s/%s", folder, entry->d_name) || GROW(f->items, f->capacity, f->count, e))
			return -1;
		f->items[f->count++] = buf_take(&path);
	}
	if (f->count)
		qsort(f->items, f->count, sizeof(*f->items), by_name);
	return 0;
}

static int list_files(const char *folder, struct files *f, struct err *e)
{
	DIR *dir = opendir(folder);

	if (!dir)
		return err_sys(e, ERR_LOCAL, errno, "cannot be opened");
	const int rc = fill_files(dir, folder, f, e);
	(void)closedir(dir);
	return rc;
}

static bool same_file(const char *a, const char *b)
{
	struct stat x;
	struct stat y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void take_off(struct files *f, const char *path)
{
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	for (size_t i = 0; i < f->count; i++) {
		const char *slash = f->items[i] ? strrchr(f->items[i], '/') : NULL;
		if (slash && !strcmp(slash + 1, name) && same_file(f->items[i], path)) {
			free(f->items[i]);
			f->items[i] = NULL;
		}
	}
}

/* The chunks and parity files of a set need not be opened one by one. */
static void take_off_set(struct files *f, struct chunkset *set)
{
	for (size_t i = 0; i < chunkset_files(set); i++) {
		const struct chunk *c = chunkset_chunk(set, i);
		for (size_t n = 0; n < c->count; n++)
			take_off(f, c->paths[n]);
	}
}

/* What stands beside chunks and is no archive: nobody has to hear of it. */
static bool is_beside(const char *path)
{
	static const char *const suffixes[] = { SUMS_SUFFIX, ".blocks", ".sig", ".txt", ".md" };
	const size_t len = strlen(path);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		const size_t n = strlen(suffixes[i]);
		if (len > n && !strcmp(path + len - n, suffixes[i]))
			return true;
	}
	return false;
}

static int add_file(struct having *h, struct files *f, size_t i, struct err *e)
{
	AUTO_ARCHIVE a = { 0 };
	struct err why = { 0 };
	char shown[160];
	const int list = try_list(h, f->items[i], e);

	if (list)
		return list < 0 ? -1 : 0;
	if (is_beside(f->items[i]))
		return 0;
	if (!open_and_add(h, f->items[i], &a, &why)) {
		if (a.set)
			take_off_set(f, a.set);
		return 0;
	}
	if (why.kind == ERR_CANCELLED || why.sys == ENOMEM) {
		if (e)
			*e = why;
		return -1;
	}
	event_text(h->options->events, EVENT_WARNING, "%s is left out: %s",
		   text_escape_str(shown, sizeof(shown), f->items[i]), why.text);
	h->report->left_out++;
	return 0;
}

static int add_folder(struct having *h, const char *folder, struct err *e)
{
	__attribute__((cleanup(files_release))) struct files f = { 0 };
	const size_t before = h->report->archives + h->report->lists;
	char shown[160];

	text_escape_str(shown, sizeof(shown), folder);
	if (list_files(folder, &f, e))
		return err_at(e, "%s", shown);
	for (size_t i = 0; i < f.count; i++)
		if (f.items[i] && add_file(h, &f, i, e))
			return -1;
	if (h->report->archives + h->report->lists == before)
		return err_set(e, ERR_ABSENT, "%s: holds no archive that can be read", shown);
	return 0;
}

int having_path(struct having *h, const char *path, struct err *e)
{
	AUTO_ARCHIVE a = { 0 };
	struct stat st;

	if (!stat(path, &st) && S_ISDIR(st.st_mode))
		return add_folder(h, path, e);
	const int list = try_list(h, path, e);
	if (list)
		return list < 0 ? -1 : 0;
	return open_and_add(h, path, &a, e);
}
