/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/dotenv.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/own.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Without blanks at both ends, in place. */
static char *trim(char *s)
{
	size_t len;

	while (blank(*s))
		s++;
	for (len = strlen(s); len && blank(s[len - 1]); len--)
		;
	s[len] = '\0';
	return s;
}

/* Quotes go; without them a comment begins at " #". */
static char *read_value(char *s)
{
	char *end = *s == '"' || *s == '\'' ? strchr(s + 1, *s) : NULL;

	if (end) {
		*end = '\0';
		return s + 1;
	}
	for (char *p = s; *p; p++) {
		if (*p == '#' && p > s && blank(p[-1])) {
			*p = '\0';
			break;
		}
	}
	return trim(s);
}

static int read_line(struct dotenv *d, char *line, struct err *e)
{
	char *equals;

	line = trim(line);
	if (!strncmp(line, "export ", 7))
		line = trim(line + 7);
	equals = strchr(line, '=');
	if (*line == '#' || !equals)
		return 0;
	*equals = '\0';
	for (size_t i = 0; i < 2; i++) {
		if (GROW(d->pairs, d->capacity, d->count, e))
			return -1;
		d->pairs[d->count++] = i ? read_value(trim(equals + 1)) : trim(line);
	}
	return 0;
}

/* Whatever cannot be read is not there: nobody named this file. */
static char *read_text(const char *file, struct err *e)
{
	const char *slash = strrchr(file, '/');
	AUTO_MEM char *path = NULL;
	AUTO_FD int fd = -1;
	AUTO_BUF text = { 0 };
	struct stat st;

	if (asprintf(&path, "%.*s.env", slash ? (int)(slash - file) + 1 : 0, file) < 0) {
		path = NULL;
		err_memory(e);
		return NULL;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode) || buf_read(&text, fd, LIMIT_SETTINGS, NULL))
		return strdup("");
	return text.data ? buf_take(&text) : strdup("");
}

int dotenv_read(struct dotenv *d, const char *file, struct err *e)
{
	char *rest, *line;

	d->text = read_text(file, e);
	if (!d->text)
		return err_memory(e);
	for (line = strtok_r(d->text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (read_line(d, line, e))
			return -1;
	return 0;
}

const char *dotenv_get(const struct dotenv *d, const char *name)
{
	for (size_t i = d->count; i >= 2; i -= 2)
		if (!strcmp(d->pairs[i - 2], name))
			return d->pairs[i - 1];
	return NULL;
}

void dotenv_release(struct dotenv *d)
{
	free(d->text);
	free(d->pairs);
	*d = (struct dotenv){ 0 };
}
