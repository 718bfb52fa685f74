/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/config.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "oci/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 128
#define PATH 4096

/* Options that exclude each other: who says one does not mean the file's other. */
static const enum option_id rivals[][2] = {
	{ OPT_PLATFORM, OPT_ALL_PLATFORMS },
	{ OPT_REREAD, OPT_NO_REREAD },
	{ OPT_QUIET, OPT_VERBOSE },
};

/* What the file says for the command that runs. */
struct wish {
	const struct option *option;
	const struct setting *value;
};

struct reading {
	const char *file; /* escaped */
	enum verb_id verb;
	struct wish wishes[OPT_COUNT];
};

static int refuse(const struct reading *r, const struct setting *s, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static int refuse(const struct reading *r, const struct setting *s, struct err *e, const char *fmt, ...)
{
	char why[360];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_USAGE, "%s:%zu:%zu: %s", r->file, s->line, s->column, why);
}

static enum option_id rival(enum option_id id)
{
	for (size_t i = 0; i < sizeof(rivals) / sizeof(rivals[0]); i++)
		for (size_t side = 0; side < 2; side++)
			if (rivals[i][side] == id)
				return rivals[i][1 - side];
	return OPT_COUNT;
}

/* The option of this name that some command has. */
static const struct option *find_anywhere(const char *name)
{
	const struct option *o = NULL;

	for (size_t v = 0; v < VERB_COUNT && !o; v++)
		o = words_option((enum verb_id)v, name, strlen(name));
	return o;
}

/* The nearest option of the section's command, or of any. */
static const char *nearest(enum verb_id section, const char *name)
{
	const char *best = NULL;

	if (section < VERB_COUNT)
		return words_nearest_option(section, name, strlen(name));
	for (size_t v = 0; v < VERB_COUNT && !best; v++)
		best = words_nearest_option((enum verb_id)v, name, strlen(name));
	return best;
}

static int unknown(const struct reading *r, const struct setting *key, enum verb_id section, struct err *e)
{
	char shown[SHOWN];
	const char *guess = nearest(section, key->text);
	const char *verb = section < VERB_COUNT ? NULL : words_nearest_verb(key->text);

	text_escape_str(shown, sizeof(shown), key->text);
	if (section < VERB_COUNT)
		refuse(r, key, e, "%s has no option --%s", words_verbs[section].name, shown);
	else
		refuse(r, key, e, "%s is no option and no command", shown);
	if (guess || verb)
		err_hint(e, "did you mean %s?", guess ? guess : verb);
	return -1;
}

/* What does not belong into a file. */
static int check_place(const struct reading *r, const struct setting *key, const struct option *o, struct err *e)
{
	if (o->id == OPT_PASSWORD_STDIN || o->id == OPT_USERNAME)
		return refuse(r, key, e,
			      "%s: this file holds no credentials; imgpack login keeps them where docker does",
			      o->name);
	if (o->id == OPT_CONFIG || o->id == OPT_HELP)
		return refuse(r, key, e, "%s belongs on the command line", o->name);
	return 0;
}

static int check_text(const struct reading *r, const struct setting *s, const struct option *o, struct err *e)
{
	const char *scheme = s->kind == SETTING_TEXT ? strstr(s->text, "://") : NULL;
	const char *at = scheme ? strchr(scheme, '@') : NULL;

	if (s->kind != SETTING_TEXT || !*s->text)
		return refuse(r, s, e, "%s: the %s is missing", o->name, o->value);
	if (o->id == OPT_PROXY && at)
		return refuse(r, s, e, "%s: this file holds no passwords; put the URL with it into HTTPS_PROXY",
			      o->name);
	return 0;
}

static int check_value(const struct reading *r, const struct setting *s, const struct option *o, struct err *e)
{
	if (!o->value) {
		if (s->kind == SETTING_TEXT && (!strcmp(s->text, "true") || !strcmp(s->text, "false")))
			return 0;
		return refuse(r, s, e, "%s: write true or false", o->name);
	}
	if (s->kind == SETTING_MAP)
		return refuse(r, s, e, "%s: write a value, %s", o->name, o->value);
	if (s->kind != SETTING_LIST)
		return check_text(r, s, o, e);
	if (!o->repeatable)
		return refuse(r, s, e, "%s takes one value, not a list", o->name);
	for (size_t i = 0; i < s->count; i++)
		if (check_text(r, &s->items[i], o, e))
			return -1;
	return 0;
}

/* Everything in the file is checked; what the command that runs has is wished for. */
static int read_option(struct reading *r, const struct setting *key, const struct setting *value, enum verb_id section,
		       struct err *e)
{
	const struct option *any = section < VERB_COUNT ? words_option(section, key->text, strlen(key->text))
							: find_anywhere(key->text);
	const struct option *ours = words_option(r->verb, key->text, strlen(key->text));

	if (!any)
		return unknown(r, key, section, e);
	if (check_place(r, key, any, e) || check_value(r, value, any, e))
		return -1;
	if (!ours || (section < VERB_COUNT && section != r->verb))
		return 0;
	r->wishes[ours->id] = (struct wish){ ours, value };
	if (section < VERB_COUNT && rival(ours->id) < OPT_COUNT)
		r->wishes[rival(ours->id)] = (struct wish){ 0 };
	return 0;
}

static int read_section(struct reading *r, const struct setting *map, enum verb_id section, struct err *e)
{
	for (size_t i = 0; i < map->count; i += 2)
		if (read_option(r, &map->items[i], &map->items[i + 1], section, e))
			return -1;
	return 0;
}

/* First the common options, then the sections: a section's wish replaces a common one, wherever it stands. */
static int read_root(struct reading *r, const struct setting *root, struct err *e)
{
	if (root->kind == SETTING_EMPTY)
		return 0;
	if (root->kind != SETTING_MAP)
		return refuse(r, root, e, "write OPTION: VALUE, one a line");
	for (int sections = 0; sections < 2; sections++) {
		for (size_t i = 0; i < root->count; i += 2) {
			const struct setting *key = &root->items[i], *value = &root->items[i + 1];
			const enum verb_id verb = words_verb(key->text);
			if ((verb < VERB_COUNT) != (sections == 1) || (sections && value->kind == SETTING_EMPTY))
				continue;
			if (sections && value->kind != SETTING_MAP)
				return refuse(r, value, e, "%s: write its options below it, indented", key->text);
			if (sections ? read_section(r, value, verb, e) : read_option(r, key, value, VERB_COUNT, e))
				return -1;
		}
	}
	return 0;
}

static int grant(struct options *o, const struct wish *w, struct err *e)
{
	const struct setting *v = w->value;

	o->from_config[w->option->id] = v->line;
	if (!w->option->value) {
		o->given[w->option->id] = !strcmp(v->text, "true");
		return 0;
	}
	if (v->kind == SETTING_TEXT)
		return options_add(o, w->option, v->text, e);
	for (size_t i = 0; i < v->count; i++)
		if (options_add(o, w->option, v->items[i].text, e))
			return -1;
	return 0;
}

/* The command line wins. */
static int grant_all(struct options *o, const struct reading *r, struct err *e)
{
	bool typed[OPT_COUNT + 1] = { false };

	memcpy(typed, o->given, sizeof(o->given));
	for (size_t i = 0; i < OPT_COUNT; i++)
		if (r->wishes[i].option && !typed[i] && !typed[rival((enum option_id)i)] && grant(o, &r->wishes[i], e))
			return -1;
	return 0;
}

/* The file's path into `out`; false: no file is meant. *must: it was named, so it has to be there. */
static bool find_file(const struct options *o, char out[PATH], bool *must)
{
	const char *named = o->given[OPT_CONFIG] ? options_value(o, OPT_CONFIG) : getenv("IMGPACK_CONFIG");
	const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	const bool xdg = folder && folder[0] == '/';
	int len;

	*must = named != NULL;
	if (named)
		len = snprintf(out, PATH, "%s", named);
	else if (!xdg && (!home || !*home))
		return false;
	else
		len = snprintf(out, PATH, "%s%s/imgpack/config.yaml", xdg ? folder : home, xdg ? "" : "/.config");
	return len > 0 && len < PATH;
}

/* 1: *bytes is the file; 0: there is none, and that is fine; -1 */
static int read_file(struct buf *bytes, const char *path, const char *shown, bool must, struct err *e)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && !must && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (fd < 0)
		err_sys(e, ERR_LOCAL, errno, "%s", shown);
	else if (!buf_read(bytes, fd, LIMIT_SETTINGS, e))
		return 1;
	else
		err_at(e, "%s", shown);
	return err_hint(e, "--config '' goes without");
}

int config_merge(struct options *o, struct err *e)
{
	struct reading r = { .verb = o->verb };
	AUTO_BUF bytes = { 0 };
	char path[PATH], shown[SHOWN];
	bool must;

	if (!words_option(o->verb, "config", strlen("config")) || o->given[OPT_HELP] || !find_file(o, path, &must))
		return 0;
	r.file = text_escape_str(shown, sizeof(shown), path);
	int found = read_file(&bytes, path, shown, must, e);
	if (found <= 0)
		return found;
	o->config = settings_parse(bytes.data ? bytes.data : "", bytes.len, e);
	o->config_path = strdup(shown);
	if (!o->config && e->kind == ERR_USAGE) {
		const struct err why = *e;
		return err_set(e, ERR_USAGE, "%s:%s", shown, why.text);
	}
	if (!o->config || !o->config_path)
		return err_memory(e);
	return read_root(&r, o->config, e) || grant_all(o, &r, e) ? -1 : 0;
}

void config_blame(const struct options *o, struct err *e)
{
	for (size_t i = 0; i < words_option_count; i++) {
		const struct option *option = &words_options[i];
		char dashed[SHOWN];
		if (!o->from_config[option->id] || !option_has_verb(option, o->verb))
			continue;
		(void)snprintf(dashed, sizeof(dashed), "--%s", option->name);
		const char *at = strstr(e->text, dashed);
		if (at && !strchr("-abcdefghijklmnopqrstuvwxyz", at[strlen(dashed)] ? at[strlen(dashed)] : ' '))
			err_hint(e, "%s comes from %s:%zu", dashed, o->config_path, o->from_config[option->id]);
	}
}
