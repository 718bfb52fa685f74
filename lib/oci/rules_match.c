/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fitting a pattern. From the last piece to the first a table says from which byte on the rest of the pattern fits the
 * rest of the text; then one walk from the left takes as much as the table allows. Nothing is ever tried twice, so a
 * hostile pattern costs pieces times bytes, no more.
 */
#include "oci/rules_inside.h"

#include <string.h>

#define TEXT_MOST (2 * LIMIT_REPOSITORY + 2)

/* fits[p][i]: pieces p and on fit the text from byte i on. */
typedef bool table[LIMIT_RULE_PIECES + 1][TEXT_MOST + 1];

/* What a capture may take: a colon is a port's, and that is written out. */
static bool taken(const struct rule_piece *p, char c)
{
	return c != ':' && (c != '/' || p->kind == PIECE_PARTS);
}

static struct rule_span literal(const struct rules *r, const struct rule_piece *p)
{
	if (p->kind == PIECE_TEXT)
		return (struct rule_span){ p->text, p->len };
	const char *value = r->variables[p->variable].value;
	return (struct rule_span){ value ? value : "", value ? strlen(value) : 0 };
}

static void fill_literal(const struct rules *r, const struct rule_piece *p, const char *text, size_t len,
			 const bool *next, bool *row)
{
	const struct rule_span s = literal(r, p);

	for (size_t i = 0; i <= len; i++)
		row[i] = s.len <= len - i && memcmp(text + i, s.text, s.len) == 0 && next[i + s.len];
}

static void fill_folders(const char *text, size_t len, const bool *next, bool *row)
{
	bool behind = false; /* the rest fits behind some slash from here on */

	for (size_t i = len + 1; i-- > 0;) {
		behind = behind || (i < len && text[i] == '/' && next[i + 1]);
		row[i] = next[i] || behind;
	}
}

static void fill_capture(const struct rule_piece *p, const char *text, size_t len, const bool *next, bool *row)
{
	row[len] = p->kind == PIECE_ANY && next[len];
	for (size_t i = len; i-- > 0;)
		row[i] = (taken(p, text[i]) && (next[i + 1] || row[i + 1])) || (p->kind == PIECE_ANY && next[i]);
}

static void fill(const struct rules *r, const struct rule_side *side, const char *text, size_t len, table fits)
{
	for (size_t i = 0; i <= len; i++)
		fits[side->count][i] = i == len;
	for (size_t p = side->count; p-- > 0;) {
		const struct rule_piece *piece = &side->pieces[p];
		if (piece->kind == PIECE_TEXT || piece->kind == PIECE_VARIABLE)
			fill_literal(r, piece, text, len, fits[p + 1], fits[p]);
		else if (piece->kind == PIECE_FOLDERS)
			fill_folders(text, len, fits[p + 1], fits[p]);
		else
			fill_capture(piece, text, len, fits[p + 1], fits[p]);
	}
}

/* How far a piece reaches that begins at byte `from` and is known to fit there. */
static size_t reach(const struct rules *r, const struct rule_piece *p, const char *text, size_t len, size_t from,
		    const bool *next)
{
	size_t end = from;

	if (p->kind == PIECE_TEXT || p->kind == PIECE_VARIABLE)
		return from + literal(r, p).len;
	for (size_t i = from; i < len; i++) {
		if (p->kind != PIECE_FOLDERS && !taken(p, text[i]))
			break;
		if (next[i + 1] && (p->kind != PIECE_FOLDERS || text[i] == '/'))
			end = i + 1;
	}
	return end;
}

bool rule_match(const struct rules *r, const struct rule_side *side, const char *text, struct rule_span *spans)
{
	const size_t len = strlen(text);
	table fits;
	size_t at = 0;

	if (len >= TEXT_MOST)
		return false;
	fill(r, side, text, len, fits);
	if (!fits[0][0])
		return false;
	for (size_t p = 0; p < side->count; p++) {
		const size_t end = reach(r, &side->pieces[p], text, len, at, fits[p + 1]);
		spans[p] = (struct rule_span){ text + at, end - at };
		at = end;
	}
	return true;
}
