/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/images.h"

#include "base/buf.h"
#include "base/cancel.h"
#include "base/limits.h"
#include "base/own.h"
#include "base/text.h"
#include "flow/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 8192
#define SHOWN 128

int images_add(struct images *list, const char *reference, struct err *e)
{
	if (list->count >= LIMIT_IMAGES)
		return err_set(e, ERR_USAGE, "more than %d references", LIMIT_IMAGES);
	if (GROW(list->items, list->capacity, list->count, e))
		return -1;
	list->items[list->count++] = reference;
	return 0;
}

/* Takes the bytes of one line that has a reference in it. */
static int add_line(struct images *list, const char *line, size_t len, struct err *e)
{
	char shown[SHOWN];

	if (memchr(line, '\0', len))
		return err_set(e, ERR_USAGE, "a NUL byte: this is not a text file");
	for (size_t i = 0; i < len; i++) {
		if (line[i] == ' ' || line[i] == '\t')
			return err_set(e, ERR_USAGE, "'%s': more than one word; write one reference a line",
				       text_escape(shown, sizeof(shown), line, len));
	}
	if (len > LIMIT_REFERENCE)
		return err_set(e, ERR_USAGE, "'%s': longer than %d bytes", text_escape(shown, sizeof(shown), line, len),
			       LIMIT_REFERENCE);
	if (GROW(list->owned, list->owned_capacity, list->owned_count, e))
		return -1;
	char *copy = strndup(line, len);
	if (!copy)
		return err_memory(e);
	list->owned[list->owned_count++] = copy;
	return flow_check_reference(copy, e) || images_add(list, copy, e) ? -1 : 0;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Without blanks at both ends and without a comment: from '#' at the start or behind a blank. */
static size_t trim(const char **line, size_t len)
{
	const char *s = *line;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '#' && (i == 0 || blank(s[i - 1])))
			len = i;
	}
	while (len && blank(s[0])) {
		s++;
		len--;
	}
	while (len && blank(s[len - 1]))
		len--;
	*line = s;
	return len;
}

static int read_lines(struct images *list, const char *text, size_t len, const char *name, struct err *e)
{
	const char *end = text + len;
	size_t number = 0, before = list->count;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line = text;
		size_t line_len = trim(&line, (size_t)((newline ? newline : end) - text));
		number++;
		if (line_len && add_line(list, line, line_len, e))
			return err_at(e, "%s:%zu", name, number);
		text = newline ? newline + 1 : end;
	}
	if (list->count == before)
		return err_set(e, ERR_USAGE, "%s: no references in it", name);
	return 0;
}

static int read_all(struct buf *b, int fd, const char *name, struct err *e)
{
	for (;;) {
		char piece[PIECE];
		if (cancel_check(e))
			return -1;
		ssize_t n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, ERR_LOCAL, errno, "%s", name);
		if (n == 0)
			return 0;
		if (b->len + (size_t)n > LIMIT_IMAGES_FILE)
			return err_set(e, ERR_USAGE, "%s: more than %u bytes: this is no list of references", name,
				       LIMIT_IMAGES_FILE);
		if (buf_add(b, piece, (size_t)n, e))
			return -1;
	}
}

int images_read(struct images *list, const char *path, struct err *e)
{
	bool is_stdin = strcmp(path, "-") == 0;
	AUTO_BUF b = { 0 };
	AUTO_FD int fd = -1;
	char name[256];

	text_escape_str(name, sizeof(name), is_stdin ? "standard input" : path);
	if (!is_stdin) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, ERR_LOCAL, errno, "%s", name);
	}
	if (read_all(&b, is_stdin ? STDIN_FILENO : fd, name, e))
		return -1;
	if (b.len >= 2 && (memcmp(b.data, "\xff\xfe", 2) == 0 || memcmp(b.data, "\xfe\xff", 2) == 0))
		return err_set(e, ERR_USAGE, "%s: this is UTF-16; save it as UTF-8", name);
	size_t skip = b.len >= 3 && memcmp(b.data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	return read_lines(list, b.data ? b.data + skip : "", b.len - skip, name, e);
}

void images_release(struct images *list)
{
	for (size_t i = 0; i < list->owned_count; i++)
		free(list->owned[i]);
	free(list->owned);
	free(list->items);
	*list = (struct images){ 0 };
}

int images_check(const struct options *o, struct err *e)
{
	size_t from_stdin = o->given[OPT_PASSWORD_STDIN] ? 1 : 0;

	if (o->given[OPT_PLATFORM] && o->given[OPT_ALL_PLATFORMS])
		return err_set(e, ERR_USAGE, "--platform and --all-platforms exclude each other");
	for (size_t i = 0; i < o->values[OPT_IMAGES].count; i++) {
		if (strcmp(o->values[OPT_IMAGES].items[i], "-") == 0)
			from_stdin++;
	}
	if (from_stdin > 1)
		return err_set(e, ERR_USAGE,
			       "standard input can be read once: by one --images - or by --password-stdin");
	return 0;
}

int images_gather(struct images *list, const struct options *o, size_t operands, struct err *e)
{
	for (size_t i = 0; i < operands; i++) {
		if (images_add(list, o->operands.items[i], e))
			return -1;
	}
	for (size_t i = 0; i < o->values[OPT_IMAGES].count; i++) {
		if (images_read(list, o->values[OPT_IMAGES].items[i], e))
			return -1;
	}
	return 0;
}

int images_platforms(struct platform **out, size_t *count, const struct options *o, struct err *e)
{
	const struct values *v = &o->values[OPT_PLATFORM];

	if (!v->count)
		return 0;
	AUTO_MEM struct platform *platforms = calloc(v->count, sizeof(*platforms));
	if (!platforms)
		return err_memory(e);
	for (size_t i = 0; i < v->count; i++) {
		if (platform_parse(&platforms[i], v->items[i], e))
			return err_at(e, "--platform");
	}
	*count = v->count;
	*out = TAKE(platforms);
	return 0;
}

int images_shard(struct shard *out, const struct options *o, struct err *e)
{
	const char *shard = options_value(o, OPT_SHARD);

	return shard ? shard_parse(out, shard, getenv("JOB_COMPLETION_INDEX"), e) : 0;
}
