/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_OPTIONS_H
#define CMD_OPTIONS_H

/* A command line, read by the tables of words.h. Values point into argv, or into the file of settings. */

#include "base/err.h"
#include "cmd/words.h"

/* A NULL-terminated list. */
struct values {
	const char **items;
	size_t count;
	size_t capacity;
};

struct options {
	enum verb_id verb;
	bool given[OPT_COUNT];
	struct values values[OPT_COUNT];
	struct values operands;
	/* Of the configuration file (config.h), which the values above may point into. */
	struct setting *config;
	char *config_path;             /* escaped */
	size_t from_config[OPT_COUNT]; /* the line in it; 0: not from there */
};

/*
 * Reads argv[0..argc) as it follows the verb: --name=value, --name value, -o FILE, -oFILE, -qv, options and operands in
 * any order, "--" ends options. ERR_USAGE says what is wrong, with a guess. With --help the operands are not counted.
 * *out is to be released in either case.
 */
int options_parse(struct options *out, enum verb_id verb, int argc, char *const *argv, struct err *e);
void options_release(struct options *o);

/* Adds one option as if it were typed; `value` is borrowed, NULL for a flag. ERR_USAGE: twice, or empty. */
int options_add(struct options *out, const struct option *o, const char *value, struct err *e);

/* The option's value, or NULL. */
const char *options_value(const struct options *o, enum option_id id);

/* All its values, NULL-terminated; NULL if it was not given. */
const char *const *options_all(const struct options *o, enum option_id id);

#endif
