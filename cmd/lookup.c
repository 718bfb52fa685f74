/* SPDX-License-Identifier: Apache-2.0 */
/* Finding words in the tables, and guessing what was meant by one that is not there. */
#include "cmd/words.h"

#include <string.h>

/* What people will try because design, docker or a neighbour has it: the word, and what to say. */
struct later {
	const char *word;
	const char *answer;
};

/* clang-format off */
static const struct later later_verbs[] = {
	{ "pull", "no such command; `imgpack fetch` downloads images" },
	{ "save", "no such command; `imgpack fetch` writes archives" },
	{ "push", "no such command; `imgpack load FILE --to registry:HOST` pushes" },
};

static const struct later later_options[] = {
	{ "zstd", "not in this release" },
	{ "compat", "not in this release" },
	{ "sign", "not in this release" },
	{ "with-loader", "not in this release" },
	{ "verify-key", "not in this release" },
	{ "password", "no such option: a password on the command line is seen by everybody on the machine; "
	              "use --password-stdin" },
};
/* clang-format on */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum verb_id words_verb(const char *name)
{
	size_t i = 0;

	while (i < VERB_COUNT && strcmp(words_verbs[i].name, name) != 0)
		i++;
	return (enum verb_id)i;
}

static bool same(const char *word, const char *name, size_t len)
{
	return strlen(word) == len && memcmp(word, name, len) == 0;
}

const struct option *words_option(enum verb_id verb, const char *name, size_t len)
{
	for (size_t i = 0; i < words_option_count; i++) {
		const struct option *o = &words_options[i];
		if (option_has_verb(o, verb) && same(o->name, name, len))
			return o;
	}
	return NULL;
}

const struct option *words_letter(enum verb_id verb, char letter)
{
	for (size_t i = 0; letter && i < words_option_count; i++) {
		const struct option *o = &words_options[i];
		if (option_has_verb(o, verb) && o->letter == letter)
			return o;
	}
	return NULL;
}

const char *words_later_verb(const char *name)
{
	for (size_t i = 0; i < COUNT(later_verbs); i++) {
		if (strcmp(later_verbs[i].word, name) == 0)
			return later_verbs[i].answer;
	}
	return NULL;
}

const char *words_later_option(const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(later_options); i++) {
		if (same(later_options[i].word, name, len))
			return later_options[i].answer;
	}
	return NULL;
}

/* Words longer than this are not guessed at. */
#define WORD_MAX 32

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance (insert, delete, replace, swap of neighbours: the restricted Damerau-Levenshtein distance). */
static size_t distance(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t row[3][WORD_MAX + 1] = { 0 }; /* i - 2, i - 1, i */

	for (size_t j = 0; j <= blen; j++)
		row[1][j] = j;
	for (size_t i = 1; i <= alen; i++) {
		row[2][0] = i;
		for (size_t j = 1; j <= blen; j++) {
			size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
			size_t d = least(row[1][j - 1] + cost, least(row[1][j], row[2][j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				d = least(d, row[0][j - 2] + 1);
			row[2][j] = d;
		}
		memcpy(row[0], row[1], sizeof(row[0]));
		memcpy(row[1], row[2], sizeof(row[1]));
	}
	return row[1][blen];
}

/* Keeps `word` in *best if it is nearer than *nearest. */
static void consider(const char *word, const char *name, size_t len, size_t *nearest, const char **best)
{
	size_t word_len = strlen(word);

	if (len > WORD_MAX || word_len > WORD_MAX)
		return;
	size_t d = distance(word, word_len, name, len);
	/* A word that is begun rightly ("--platforms", "insp") is near, however much is missing. */
	size_t common = least(word_len, len);
	if (common >= 3 && memcmp(word, name, common) == 0)
		d = 1;
	if (d < *nearest) {
		*nearest = d;
		*best = word;
	}
}

/* A guess may differ by one letter in three. */
static size_t farthest(size_t len)
{
	return len / 3 + 2;
}

const char *words_nearest_verb(const char *name)
{
	size_t len = strlen(name);
	size_t nearest = least(farthest(len), 4);
	const char *best = NULL;

	for (size_t i = 0; i < VERB_COUNT; i++)
		consider(words_verbs[i].name, name, len, &nearest, &best);
	return best;
}

const char *words_nearest_option(enum verb_id verb, const char *name, size_t len)
{
	size_t nearest = least(farthest(len), 4);
	const char *best = NULL;

	for (size_t i = 0; i < words_option_count; i++) {
		if (option_has_verb(&words_options[i], verb))
			consider(words_options[i].name, name, len, &nearest, &best);
	}
	return best;
}
