/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_WORDS_H
#define CMD_WORDS_H

/*
 * The words of the program: one table of verbs, one of options. Parsing, help, completion and the man page all come
 * from them, so what is offered and what is understood cannot differ. Only what works stands here; words of later
 * releases are known to words_later_verb() and words_later_option().
 */

#include <stdbool.h>
#include <stddef.h>

enum verb_id {
	VERB_FETCH,
	VERB_LOAD,
	VERB_VERIFY,
	VERB_INSPECT,
	VERB_CONVERT,
	VERB_CHECK,
	VERB_COPY,
	VERB_SERVE,
	VERB_SCAN,
	VERB_INVENTORY,
	VERB_RULES,
	VERB_REPAIR,
	VERB_WANTS,
	VERB_PORTER,
	VERB_LOGIN,
	VERB_LOGOUT,
	VERB_COMPLETION,
	VERB_HELP,
	VERB_VERSION,
	VERB_COUNT
};

/* What an operand or an option's value is, for completion. */
enum value_kind {
	VALUE_NONE, /* a flag; no operands */
	VALUE_WORD, /* anything */
	VALUE_FILE,
	VALUE_PLATFORM,
	VALUE_TARGET,
	VALUE_CONSUMER,
	VALUE_SIZE, /* of a chunk */
	VALUE_SHELL,
	VALUE_RULES, /* a shipped set, or a file */
	VALUE_VERB
};

struct verb {
	const char *name;
	const char *operands; /* as help shows them: "REF...", or "" */
	size_t least, most;   /* how many operands */
	enum value_kind operand_kind;
	const char *summary;  /* one line, no full stop */
	const char *about;    /* paragraphs, '\n' between them; wrapped where shown */
	const char *examples; /* whole command lines, '\n' after each; at most 78 columns */
};

enum option_id {
	OPT_OUTPUT,
	OPT_IMAGES,
	OPT_PLATFORM,
	OPT_ALL_PLATFORMS,
	OPT_REFERRERS,
	OPT_PLAN,
	OPT_SHARD,
	OPT_TO,
	OPT_TARGET,
	OPT_REPLACE,
	OPT_PIN,
	OPT_NAME,
	OPT_MAP,
	OPT_EXPECT,
	OPT_ALLOW,
	OPT_CREATE_PROJECT,
	OPT_RECEIPT,
	OPT_NO_DIFF_IDS,
	OPT_CONNECTIONS,
	OPT_PLAIN_HTTP,
	OPT_USERNAME,
	OPT_PASSWORD_STDIN,
	OPT_CACERT,
	OPT_CERT,
	OPT_KEY,
	OPT_INSECURE,
	OPT_PROXY,
	OPT_MIRROR,
	OPT_LIMIT_RATE,
	OPT_STALL_TIMEOUT,
	OPT_RETRIES,
	OPT_WAIT_FOR_QUOTA,
	OPT_HAVE_ARCHIVE,
	OPT_HAVE,
	OPT_SPLIT,
	OPT_PARITY,
	OPT_REREAD,
	OPT_NO_REREAD,
	OPT_ONLY,
	OPT_NO_PARITY,
	OPT_CONFIG,
	OPT_LISTEN,
	OPT_URL,
	OPT_AUTH,
	OPT_ACCESS_LOG,
	OPT_NO_VERIFY,
	OPT_PRINT_CONFIG,
	OPT_JSON,
	OPT_QUIET,
	OPT_VERBOSE,
	OPT_NO_PROGRESS,
	OPT_HELP,
	OPT_COUNT
};

enum option_group { GROUP_WHAT, GROUP_CONNECTION, GROUP_OUTPUT, GROUP_COUNT };

struct option {
	enum option_id id;
	char letter;       /* 'o' for -o, or '\0' */
	const char *name;  /* without the dashes */
	const char *value; /* the value's name as help shows it, or NULL: a flag */
	enum value_kind kind;
	enum option_group group;
	bool repeatable;
	unsigned verbs; /* 1u << VERB_... of all that have it */
	const char *help;
};

/* VERB_COUNT of them, in the order of enum verb_id. */
extern const struct verb words_verbs[];
extern const struct option words_options[];
extern const size_t words_option_count;

/* "Options", "Connection", "Output". */
extern const char *const words_groups[GROUP_COUNT];

/* Exit codes: words_exits[i].code and what it means; ends with a NULL text. */
struct words_exit {
	const char *code;
	const char *text;
};
extern const struct words_exit words_exits[];

/* The environment that the program looks at; ends with a NULL name. */
struct words_variable {
	const char *name;
	const char *text;
};
extern const struct words_variable words_variables[];

/* The values that VALUE_PLATFORM, VALUE_TARGET, VALUE_SIZE, VALUE_SHELL and VALUE_RULES complete to; NULL-terminated.
 * NULL for other kinds. */
const char *const *words_values(enum value_kind kind);

static inline bool option_has_verb(const struct option *o, enum verb_id verb)
{
	return o->verbs & (1u << verb);
}

/* The verb of this name, or VERB_COUNT. */
enum verb_id words_verb(const char *name);

/* The option of this long name (`len` bytes) or letter that `verb` has, or NULL. */
const struct option *words_option(enum verb_id verb, const char *name, size_t len);
const struct option *words_letter(enum verb_id verb, char letter);

/*
 * For a word that is not understood: what to say about it ("not in this release", another way), if it is a verb or a
 * long option that people will try. NULL otherwise.
 */
const char *words_later_verb(const char *name);
const char *words_later_option(const char *name, size_t len);

/* The nearest verb, or the nearest option's name that `verb` has; NULL if none is near. */
const char *words_nearest_verb(const char *name);
const char *words_nearest_option(enum verb_id verb, const char *name, size_t len);

#endif
