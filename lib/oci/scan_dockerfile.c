/* SPDX-License-Identifier: Apache-2.0 */
/* Dockerfiles: FROM, COPY --from=, RUN --mount=from=, "# syntax=". */
#include "base/buf.h"
#include "base/limits.h"
#include "base/own.h"
#include "base/text.h"
#include "oci/interpolate.h"
#include "oci/scan_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct pair {
	char *name, *value; /* value NULL: declared, without a default */
};

struct dockerfile {
	struct sights *sights;
	const char *at, *end; /* the rest of the file */
	size_t line;          /* of `at` */
	char escape;
	bool directives; /* still in front of anything but "# key=value" */
	struct pair *args;
	size_t arg_count, arg_capacity;
	char **stages; /* names; "" for one without */
	size_t stage_count, stage_capacity;
};

static void release(struct dockerfile *d)
{
	for (size_t i = 0; i < d->arg_count; i++) {
		free(d->args[i].name);
		free(d->args[i].value);
	}
	for (size_t i = 0; i < d->stage_count; i++)
		free(d->stages[i]);
	free(d->args);
	free(d->stages);
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Lines. */

/* The next line without its end and without blanks around it. False: there is none. */
static bool next_line(struct dockerfile *d, const char **line, size_t *len)
{
	if (d->at >= d->end)
		return false;
	const char *newline = memchr(d->at, '\n', (size_t)(d->end - d->at));
	const char *stop = newline ? newline : d->end;
	const char *s = d->at;

	while (s < stop && blank(*s))
		s++;
	while (stop > s && blank(stop[-1]))
		stop--;
	*line = s;
	*len = (size_t)(stop - s);
	d->at = newline ? newline + 1 : d->end;
	d->line++;
	return true;
}

/* "# syntax=docker/dockerfile:1", "# escape=`": only at the top, and each key once is enough. */
static int take_directive(struct dockerfile *d, const char *line, size_t len, struct err *e)
{
	char text[LIMIT_REFERENCE + 1];
	char *value;

	if (!d->directives || len > LIMIT_REFERENCE)
		return 0;
	memcpy(text, line, len);
	text[len] = '\0';
	char *key = text + 1 + strspn(text + 1, " \t");
	value = strchr(key, '=');
	if (!value) {
		d->directives = false;
		return 0;
	}
	const size_t key_len = strcspn(key, " \t=");
	value += 1 + strspn(value + 1, " \t");
	if (key_len == 6 && !strncasecmp(key, "escape", 6) && (*value == '`' || *value == '\\'))
		d->escape = *value;
	if (key_len == 6 && !strncasecmp(key, "syntax", 6))
		return sight_image(d->sights, d->line, value, e);
	return 0;
}

/*
 * One instruction, its continued lines joined; comments and empty lines between them are left out. 1; 0: the end; -1.
 * *number is the line that it begins in.
 */
static int next_instruction(struct dockerfile *d, struct buf *out, size_t *number, struct err *e)
{
	const char *line;
	size_t len;

	buf_clear(out);
	while (next_line(d, &line, &len)) {
		if (!len || *line == '#') {
			if (len && take_directive(d, line, len, e))
				return -1;
			d->directives = d->directives && len;
			continue;
		}
		d->directives = false;
		if (!out->len)
			*number = d->line;
		const bool more = line[len - 1] == d->escape;
		if (buf_add(out, line, len - (more ? 1 : 0), e) || (more && buf_puts(out, " ", e)))
			return -1;
		if (!more)
			return 1;
	}
	return out->len ? 1 : 0;
}

/* Words of an instruction: quotes keep blanks together and are dropped. 1; 0: no more; the rest of a long one is cut.
 */
static bool next_word(const char **s, char *word, size_t cap)
{
	size_t len = 0;
	char quote = '\0';

	while (blank(**s))
		(*s)++;
	if (!**s)
		return false;
	for (; **s && (quote || !blank(**s)); (*s)++) {
		if (quote ? **s == quote : **s == '"' || **s == '\'') {
			quote = quote ? '\0' : **s;
			continue;
		}
		if (len + 1 < cap)
			word[len++] = **s;
	}
	word[len] = '\0';
	return true;
}

/* The end word of the next heredoc (<<EOF, <<-"EOF") from *s on: its length, 0 if there is none. *s is moved behind it.
 */
static size_t heredoc_word(const char **s, const char **word)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

	for (const char *found = strstr(*s, "<<"); found; found = strstr(found, "<<")) {
		found += 2;
		found += *found == '-' ? 1 : 0;
		const char quote = *found == '"' || *found == '\'' ? *found : '\0';
		found += quote ? 1 : 0;
		const size_t len = strspn(found, letters);
		if (!len || (quote && found[len] != quote))
			continue;
		*word = found;
		*s = found + len;
		return len;
	}
	return 0;
}

/* The bodies of the heredocs that an instruction begins. */
static void skip_heredocs(struct dockerfile *d, const char *instruction)
{
	const char *word, *line;
	size_t len, n;

	while ((n = heredoc_word(&instruction, &word)) != 0) {
		do {
			if (!next_line(d, &line, &len))
				return;
		} while (len != n || memcmp(line, word, n) != 0);
	}
}

/* Arguments. */

static const char *arg_value(void *ctx, const char *name)
{
	const struct dockerfile *d = ctx;

	for (size_t i = d->arg_count; i-- > 0;)
		if (!strcmp(d->args[i].name, name))
			return d->args[i].value;
	return NULL;
}

static int expand(struct dockerfile *d, const char *text, struct buf *out, char missing[INTERPOLATE_NAME],
		  struct err *e)
{
	struct interpolate p = { .variable = arg_value, .ctx = d };
	const int rc = interpolate(&p, text, out, e);

	memcpy(missing, p.missing, sizeof(p.missing));
	return rc < 0 || buf_puts(out, "", e) ? -1 : rc;
}

/* ARG NAME[=DEFAULT]... in front of the first FROM: those alone can be used in a FROM. */
static int take_args(struct dockerfile *d, const char *rest, struct err *e)
{
	char word[2 * LIMIT_REFERENCE], missing[INTERPOLATE_NAME];

	while (next_word(&rest, word, sizeof(word))) {
		AUTO_BUF value = { 0 };
		char *equals = strchr(word, '=');
		if (d->arg_count >= LIMIT_DOCKERFILE_ARGS)
			return 0;
		if (GROW(d->args, d->arg_capacity, d->arg_count, e))
			return -1;
		if (equals)
			*equals = '\0';
		const int rc = equals ? expand(d, equals + 1, &value, missing, e) : 0;
		if (rc < 0)
			return -1;
		struct pair p = { strdup(word), rc ? strdup(value.data ? value.data : "") : NULL };
		d->args[d->arg_count++] = p;
		if (!p.name || (rc && !p.value))
			return err_memory(e);
	}
	return 0;
}

/* Stages. */

static bool is_stage(const struct dockerfile *d, const char *name)
{
	uint64_t number;

	if (text_parse_u64(name, strlen(name), SIZE_MAX, &number))
		return number < d->stage_count;
	for (size_t i = 0; i < d->stage_count; i++)
		if (!strcasecmp(d->stages[i], name) && *name)
			return true;
	return false;
}

static int add_stage(struct dockerfile *d, const char *name, struct err *e)
{
	if (d->stage_count >= LIMIT_DOCKERFILE_STAGES)
		return 0;
	if (GROW(d->stages, d->stage_capacity, d->stage_count, e))
		return -1;
	char *copy = strdup(name);
	if (!copy)
		return err_memory(e);
	d->stages[d->stage_count++] = copy;
	return 0;
}

/* An image, unless it is a stage or nothing at all. */
static int take_image(struct dockerfile *d, size_t line, const char *word, struct err *e)
{
	AUTO_BUF text = { 0 };
	char missing[INTERPOLATE_NAME], why[160];
	const int rc = expand(d, word, &text, missing, e);

	if (rc < 0)
		return -1;
	if (!rc) {
		(void)snprintf(why, sizeof(why), "the argument %s has no default in front of the first FROM",
			       *missing ? missing : "in it");
		return sight_add(d->sights, SIGHT_UNRESOLVED, line, word, why, e);
	}
	const char *name = text.data ? text.data : "";
	return !strcmp(name, "scratch") || is_stage(d, name) ? 0 : sight_image(d->sights, line, name, e);
}

/* FROM [--platform=P] IMAGE [AS NAME] */
static int take_from(struct dockerfile *d, size_t line, const char *rest, struct err *e)
{
	char word[2 * LIMIT_REFERENCE], as[8], stage[LIMIT_REFERENCE] = "";

	do {
		if (!next_word(&rest, word, sizeof(word)))
			return sight_add(d->sights, SIGHT_BROKEN, line, "", "FROM names no image", e);
	} while (text_starts(word, "--"));
	if (take_image(d, line, word, e))
		return -1;
	if (next_word(&rest, as, sizeof(as)) && !strcasecmp(as, "as"))
		(void)next_word(&rest, stage, sizeof(stage));
	return add_stage(d, stage, e);
}

/* COPY --from=X, and of RUN --mount=type=bind,from=X,...: the flags in front. */
static int take_flags(struct dockerfile *d, size_t line, const char *rest, struct err *e)
{
	char word[2 * LIMIT_REFERENCE];

	while (next_word(&rest, word, sizeof(word)) && text_starts(word, "--")) {
		char *from = NULL;
		if (text_starts(word, "--from="))
			from = word + 7;
		else if (text_starts(word, "--mount=from="))
			from = word + 13;
		else if (text_starts(word, "--mount=") && (from = strstr(word, ",from=")))
			from += 6;
		if (!from)
			continue;
		from[strcspn(from, text_starts(word, "--mount=") ? "," : "")] = '\0';
		if (take_image(d, line, from, e))
			return -1;
	}
	return 0;
}

static int take_instruction(struct dockerfile *d, size_t line, const char *text, struct err *e)
{
	char word[16];

	if (!next_word(&text, word, sizeof(word)))
		return 0;
	if (!strcasecmp(word, "ONBUILD") && !next_word(&text, word, sizeof(word)))
		return 0;
	if (!strcasecmp(word, "FROM"))
		return take_from(d, line, text, e);
	if (!strcasecmp(word, "ARG"))
		return d->stage_count ? 0 : take_args(d, text, e);
	if (strcasecmp(word, "COPY") != 0 && strcasecmp(word, "ADD") != 0 && strcasecmp(word, "RUN") != 0)
		return 0;
	skip_heredocs(d, text);
	return take_flags(d, line, text, e);
}

int scan_dockerfile(struct sights *s, const char *bytes, size_t len, struct err *e)
{
	struct dockerfile d = { .sights = s, .at = bytes, .end = bytes + len, .escape = '\\', .directives = true };
	AUTO_BUF text = { 0 };
	size_t line = 0;
	int rc;

	if (memchr(bytes, '\0', len))
		return sight_add(s, SIGHT_BROKEN, 1, "", "it is no text", e);
	while ((rc = next_instruction(&d, &text, &line, e)) == 1)
		if ((rc = take_instruction(&d, line, text.data, e)) < 0)
			break;
	release(&d);
	return rc;
}
