/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/maps.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 160

struct maps {
	struct rules **items;
	size_t count;
};

static const struct rules_shipped *find_shipped(const char *name)
{
	for (const struct rules_shipped *s = rules_shipped; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

const char *maps_shipped_names(char *out, size_t cap)
{
	size_t len = 0;

	out[0] = '\0';
	for (const struct rules_shipped *s = rules_shipped; s->name && len < cap; s++)
		len += (size_t)snprintf(out + len, cap - len, "%s%s", len ? ", " : "", s->name);
	return out;
}

static bool ends(const char *text, const char *tail)
{
	const size_t len = strlen(text), tail_len = strlen(tail);

	return len >= tail_len && !strcmp(text + len - tail_len, tail);
}

static struct rules *read_file(const char *path, struct err *e)
{
	char shown[SHOWN], names[SHOWN];
	AUTO_BUF bytes = { 0 };
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

	text_escape_str(shown, sizeof(shown), path);
	if (fd < 0) {
		const bool word = errno == ENOENT && !strchr(path, '/');
		err_sys(e, word ? ERR_USAGE : ERR_LOCAL, errno, "--map %s", shown);
		if (word)
			err_hint(e, "it is no shipped set either: those are %s",
				 maps_shipped_names(names, sizeof(names)));
		return NULL;
	}
	if (buf_read(&bytes, fd, LIMIT_SETTINGS, e)) {
		err_at(e, "--map %s", shown);
		return NULL;
	}
	const char *text = bytes.data ? bytes.data : "";
	return ends(path, ".yaml") || ends(path, ".yml") ? rules_read_yaml(path, text, bytes.len, e)
							 : rules_read(path, text, bytes.len, e);
}

/* The length of VARIABLE in "VARIABLE=VALUE"; 0 if it is none. */
static size_t variable_of(const char *text)
{
	const size_t len = strcspn(text, "=");

	return text[len] && rules_variable_valid(text, len) ? len : 0;
}

/* One "VARIABLE=VALUE" into every set that knows it. */
static int set_variable(const struct maps *m, const char *text, size_t len, struct err *e)
{
	bool used = false;

	for (size_t i = 0; i < m->count; i++) {
		int rc = rules_set(m->items[i], text, len, text + len + 1, e);
		if (rc < 0)
			return err_at(e, "--map");
		used = used || rc > 0;
	}
	return used ? 0
		    : err_set(e, ERR_USAGE, "--map %.*s=...: no rule uses {%.*s}; name the rules with --map, too",
			      (int)len, text, (int)len, text);
}

static int check_set(const struct maps *m, const char *const *files, struct err *e)
{
	size_t line;

	for (const char *const *f = files; *f; f++) {
		const size_t len = variable_of(*f);
		if (len && set_variable(m, *f, len, e))
			return -1;
	}
	for (size_t i = 0; i < m->count; i++) {
		const char *name = rules_unset(m->items[i], &line);
		if (name)
			return err_set(e, ERR_USAGE, "%s:%zu: {%s} has no value; give it one with --map %s=VALUE",
				       rules_file(m->items[i]), line, name, name);
	}
	return 0;
}

struct maps *maps_new(const char *const *files, struct err *e)
{
	AUTO(maps) m = calloc(1, sizeof(*m));
	size_t count = 0;

	while (files && files[count])
		count++;
	if (m)
		m->items = calloc(count + 1, sizeof(struct rules *));
	if (!m || !m->items) {
		err_memory(e);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		const struct rules_shipped *shipped = find_shipped(files[i]);
		if (variable_of(files[i]))
			continue;
		m->items[m->count] = shipped ? rules_read(shipped->name, shipped->text, strlen(shipped->text), e)
					     : read_file(files[i], e);
		if (!m->items[m->count])
			return NULL;
		m->count++;
	}
	return files && check_set(m, files, e) ? NULL : TAKE(m);
}

void maps_free(struct maps *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++)
		rules_free(m->items[i]);
	free(m->items);
	free(m);
}

int maps_find(const struct maps *m, const struct reference *from, struct reference *out, struct rule_found *found,
	      struct err *e)
{
	*found = (struct rule_found){ 0 };
	for (size_t i = 0; m && i < m->count; i++) {
		int rc = rules_apply(m->items[i], from, out, found, e);
		if (rc || found->file)
			return rc;
	}
	*out = *from;
	return 0;
}

int maps_apply(const struct maps *m, const struct reference *from, struct reference *out, struct err *e)
{
	struct rule_found found;

	return maps_find(m, from, out, &found, e);
}
