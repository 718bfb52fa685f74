/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/scan.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "oci/reference.h"
#include "oci/scan_inside.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define RENDER "pipe it: helm template CHART | imgpack scan -"

/* Sights. */

int sight_add(struct sights *s, enum sight_kind kind, size_t line, const char *text, const char *why, struct err *e)
{
	if (s->count >= LIMIT_SIGHTS)
		return 0;
	if (s->count == LIMIT_SIGHTS - 1) {
		kind = SIGHT_BROKEN;
		why = "more fields named image than a manifest has; the rest of the file is not read";
	}
	if (GROW(s->items, s->capacity, s->count, e))
		return -1;
	struct sight *item = &s->items[s->count];
	*item = (struct sight){ .kind = kind, .line = line, .text = strdup(text) };
	s->count++;
	if (why)
		item->why = strdup(why);
	return !item->text || (why && !item->why) ? err_memory(e) : 0;
}

int sight_image(struct sights *s, size_t line, const char *text, struct err *e)
{
	struct reference r;
	struct err why = { 0 };
	char full[REFERENCE_TEXT_SIZE];

	if (!*text)
		return sight_add(s, SIGHT_UNRESOLVED, line, text, "no image is named here", e);
	if (strstr(text, "{{"))
		return sight_add(s, SIGHT_UNRESOLVED, line, text, "a template that was not rendered; " RENDER, e);
	if (strstr(text, "${") || strstr(text, "$("))
		return sight_add(s, SIGHT_UNRESOLVED, line, text, "it holds a variable that only its tool fills in", e);
	if (reference_parse(&r, text, &why))
		return sight_add(s, SIGHT_UNRESOLVED, line, text, why.text, e);
	return sight_add(s, SIGHT_IMAGE, line, reference_text(&r, full), NULL, e);
}

void sights_release(struct sights *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->items[i].text);
		free(s->items[i].why);
	}
	free(s->items);
	*s = (struct sights){ 0 };
}

/* Names. */

static bool ends_with(const char *name, size_t len, const char *end)
{
	const size_t n = strlen(end);

	return len >= n && !strncasecmp(name + len - n, end, n);
}

bool scan_names_image(const char *name, size_t len)
{
	return ends_with(name, len, "image") || (len == 9 && !strncmp(name, "imageName", len)) ||
	       (len > 14 && !strncmp(name, "RELATED_IMAGE_", 14));
}

bool scan_names_images(const char *name, size_t len)
{
	return ends_with(name, len, "images");
}

bool scan_explicit(const char *text)
{
	const char *slash = strrchr(text, '/');
	struct reference r;

	/* A digest has its colon, too. */
	return strchr(slash ? slash : text, ':') && !reference_parse(&r, text, NULL);
}

/* Files. */

static int scan_yaml(struct sights *s, const struct scan_input *in, struct err *e)
{
	AUTO(ystream) stream = ystream_new(in->bytes, in->len, e);
	const struct ynode *root = NULL;
	struct err why = { 0 };
	int rc;

	if (!stream)
		return -1;
	while ((rc = ystream_next(stream, &root, &why)) == 1) {
		if (!root)
			continue;
		if (scan_is_compose(root) ? scan_compose(s, root, in, e) : scan_manifest(s, root, e))
			return -1;
	}
	if (!rc)
		return 0;
	if (why.kind != ERR_CORRUPT) {
		if (e)
			*e = why;
		return -1;
	}
	const char *text = strchr(why.text, ' '); /* the line is the sight's own */
	text = text ? strchr(text + 1, ' ') : NULL;
	if (memmem(in->bytes, in->len, "{{", 2))
		return sight_add(s, SIGHT_TEMPLATE, ystream_line(stream), "",
				 "a template that was not rendered; " RENDER, e);
	return sight_add(s, SIGHT_BROKEN, ystream_line(stream), "", text ? text + 1 : why.text, e);
}

/* The first line that says something is an instruction that a Dockerfile may begin with. */
static bool is_dockerfile(const char *bytes, size_t len)
{
	const char *end = bytes + len;

	while (bytes < end) {
		const char *newline = memchr(bytes, '\n', (size_t)(end - bytes));
		const char *next = newline ? newline + 1 : end;
		while (bytes < next && (*bytes == ' ' || *bytes == '\t' || *bytes == '\r' || *bytes == '\n'))
			bytes++;
		if (bytes < next && *bytes != '#') {
			const size_t left = (size_t)(next - bytes);
			return (left > 5 && !strncasecmp(bytes, "FROM", 4) && (bytes[4] == ' ' || bytes[4] == '\t')) ||
			       (left > 4 && !strncasecmp(bytes, "ARG", 3) && (bytes[3] == ' ' || bytes[3] == '\t'));
		}
		bytes = next;
	}
	return false;
}

static enum scan_kind guess(const struct scan_input *in)
{
	if (in->kind != SCAN_GUESS)
		return in->kind;
	if (scan_is_list(in->bytes, in->len))
		return SCAN_LIST;
	return is_dockerfile(in->bytes, in->len) ? SCAN_DOCKERFILE : SCAN_YAML;
}

int scan_read(struct sights *out, const struct scan_input *in, struct err *e)
{
	struct scan_input text = *in;

	if (text.len >= 3 && !memcmp(text.bytes, "\xef\xbb\xbf", 3)) {
		text.bytes += 3;
		text.len -= 3;
	}
	switch (guess(&text)) {
	case SCAN_LIST:
		return scan_list(out, text.bytes, text.len, e);
	case SCAN_DOCKERFILE:
		return scan_dockerfile(out, text.bytes, text.len, e);
	case SCAN_YAML:
	case SCAN_GUESS:
		break;
	}
	return scan_yaml(out, &text, e);
}
