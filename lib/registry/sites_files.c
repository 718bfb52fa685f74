/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/sites_read.h"

#include "base/limits.h"
#include "base/own.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Files and folders of settings, which others write and which may be anything. */

int sites_text(char **out, const char *text, struct err *e)
{
	char *copy = text ? strdup(text) : NULL;

	if (text && !copy)
		return err_memory(e);
	free(*out);
	*out = copy;
	return 0;
}

void sites_free_list(char **list)
{
	for (char **p = list; p && *p; p++)
		free(*p);
	free(list);
}

/* FOLDER/NAME, or NAME if it is absolute or there is no folder, as the list's last. */
int sites_add_file(char ***list, const char *folder, const char *name, struct err *e)
{
	size_t count = 0;
	char *path = NULL;

	while (*list && (*list)[count])
		count++;
	char **longer = reallocarray(*list, count + 2, sizeof(*longer));
	if (!longer)
		return err_memory(e);
	*list = longer;
	longer[count] = longer[count + 1] = NULL;
	if (asprintf(&path, "%s%s%s", folder && name[0] != '/' ? folder : "", folder && name[0] != '/' ? "/" : "",
		     name) < 0)
		return err_memory(e);
	longer[count] = path;
	return 0;
}

int sites_read_file(const char *path, struct buf *out, struct err *e)
{
	struct stat st;
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0 || fstat(fd, &st))
		return err_sys(e, ERR_LOCAL, errno, "cannot be opened");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_LOCAL, "is not a regular file");
	return buf_read(out, fd, LIMIT_SETTINGS, e) ? -1 : 1;
}

static int by_name(const void *a, const void *b)
{
	const char *const *one = a;
	const char *const *two = b;

	return strcmp(*one, *two);
}

static bool ends_in(const char *name, const char *suffix)
{
	size_t len = strlen(name);
	size_t tail = strlen(suffix);

	return len > tail && strcmp(name + len - tail, suffix) == 0;
}

static int list_names(DIR *dir, const char *suffix, char ***list, struct err *e)
{
	const struct dirent *entry;
	size_t count = 0;

	while (errno = 0, (entry = readdir(dir))) {
		if (!ends_in(entry->d_name, suffix))
			continue;
		if (++count > LIMIT_SETTINGS_FILES)
			return err_set(e, ERR_LOCAL, "has more than %d files *%s", LIMIT_SETTINGS_FILES, suffix);
		if (sites_add_file(list, NULL, entry->d_name, e))
			return -1;
	}
	if (errno)
		return err_sys(e, ERR_LOCAL, errno, "cannot be listed");
	if (*list)
		qsort(*list, count, sizeof(**list), by_name);
	return 0;
}

int sites_read_folder(const char *path, const char *suffix, char ***out, struct err *e)
{
	DIR *dir = opendir(path);
	char **list = NULL;

	if (!dir && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (!dir)
		return err_sys(e, ERR_LOCAL, errno, "cannot be opened");
	int failed = list_names(dir, suffix, &list, e);
	(void)closedir(dir);
	if (failed) {
		sites_free_list(list);
		return -1;
	}
	*out = list;
	return 1;
}

int sites_warn(const struct sites_search *s, const char *path, struct err *why, const char *consequence)
{
	char shown[256];

	if (why->sys == ENOMEM) {
		if (s->e)
			*s->e = *why;
		return -1;
	}
	event_text(s->events, EVENT_WARNING, "%s: %s; %s", text_escape_str(shown, sizeof(shown), path), why->text,
		   consequence);
	*why = (struct err){ 0 };
	return 0;
}
