/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/walk.h"

#include "base/buf.h"
#include "base/cancel.h"
#include "base/limits.h"
#include "base/own.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define SHOWN 320

static bool ends_with(const char *name, const char *end)
{
	const size_t len = strlen(name), n = strlen(end);

	return len > n && !strcasecmp(name + len - n, end);
}

bool walk_is_dockerfile(const char *name)
{
	static const char *const names[] = { "Dockerfile", "Containerfile" };

	for (size_t i = 0; i < 2; i++) {
		const size_t len = strlen(names[i]);
		const char *point = strrchr(name, '.');
		if (!strncasecmp(name, names[i], len) && (!name[len] || name[len] == '.'))
			return true;
		if (point && !strcasecmp(point + 1, names[i]))
			return true;
	}
	return false;
}

bool walk_is_yaml(const char *name)
{
	return ends_with(name, ".yaml") || ends_with(name, ".yml") || ends_with(name, ".json");
}

/* Names of a folder. */
struct names {
	char **items;
	size_t count, capacity;
};

static void names_release(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->items[i]);
	free(n->items);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_copy(char ***items, size_t *capacity, size_t *count, const char *text, struct err *e)
{
	if (GROW(*items, *capacity, *count, e))
		return -1;
	char *copy = strdup(text);
	if (!copy)
		return err_memory(e);
	(*items)[(*count)++] = copy;
	return 0;
}

static int read_names(struct names *names, const char *folder, struct err *e)
{
	char shown[SHOWN];
	DIR *dir = opendir(folder);
	const struct dirent *entry;
	int rc = 0;

	text_escape_str(shown, sizeof(shown), folder);
	if (!dir)
		return err_sys(e, ERR_LOCAL, errno, "%s", shown);
	while (!rc && (errno = 0, entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (names->count >= LIMIT_FOLDER_FILES)
			rc = err_set(e, ERR_LOCAL, "%s: more than %d entries", shown, LIMIT_FOLDER_FILES);
		else
			rc = add_copy(&names->items, &names->capacity, &names->count, entry->d_name, e);
	}
	if (!rc && errno)
		rc = err_sys(e, ERR_LOCAL, errno, "%s", shown);
	(void)closedir(dir);
	if (!rc && names->count)
		qsort(names->items, names->count, sizeof(char *), by_bytes);
	return rc;
}

static int visit(struct walk_list *list, const char *folder, unsigned depth, struct err *e);

/* A link may lead to a file, never to a folder. */
static int visit_entry(struct walk_list *list, const char *path, const char *name, unsigned depth, struct err *e)
{
	struct stat st;

	if (lstat(path, &st))
		return 0; /* gone since, as every other file that nobody made */
	if (S_ISDIR(st.st_mode))
		return visit(list, path, depth + 1, e);
	if (!walk_is_yaml(name) && !walk_is_dockerfile(name))
		return 0;
	if (S_ISLNK(st.st_mode) && stat(path, &st))
		return 0;
	if (!S_ISREG(st.st_mode))
		return 0;
	if (list->count >= LIMIT_SCAN_FILES)
		return err_set(e, ERR_LOCAL, "more than %d files; scan folder by folder", LIMIT_SCAN_FILES);
	return add_copy(&list->files, &list->capacity, &list->count, path, e);
}

static int visit(struct walk_list *list, const char *folder, unsigned depth, struct err *e)
{
	__attribute__((cleanup(names_release))) struct names names = { 0 };
	const char *const slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
	const char *chart = "Chart.yaml";
	char shown[SHOWN];

	if (cancel_check(e))
		return -1;
	if (depth > LIMIT_SCAN_DEPTH)
		return err_set(e, ERR_LOCAL, "%s: more than %d folders inside each other",
			       text_escape_str(shown, sizeof(shown), folder), LIMIT_SCAN_DEPTH);
	if (read_names(&names, folder, e))
		return -1;
	const bool is_chart = names.count && bsearch(&chart, names.items, names.count, sizeof(char *), by_bytes);
	if (is_chart && add_copy(&list->charts, &list->chart_capacity, &list->chart_count, folder, e))
		return -1;
	for (size_t i = 0; i < names.count; i++) {
		AUTO_MEM char *path = NULL;
		if (is_chart && !strcmp(names.items[i], "templates"))
			continue;
		if (asprintf(&path, "%s%s%s", folder, slash, names.items[i]) < 0) {
			path = NULL;
			return err_memory(e);
		}
		if (visit_entry(list, path, names.items[i], depth, e))
			return -1;
	}
	return 0;
}

int walk_folder(struct walk_list *list, const char *folder, struct err *e)
{
	return visit(list, folder, 0, e);
}

void walk_release(struct walk_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->files[i]);
	for (size_t i = 0; i < list->chart_count; i++)
		free(list->charts[i]);
	free(list->files);
	free(list->charts);
	*list = (struct walk_list){ 0 };
}
