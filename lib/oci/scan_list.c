/* SPDX-License-Identifier: Apache-2.0 */
/* A plain list, as `kubeadm config images list` prints it and `imgpack fetch --images` takes it. */
#include "base/limits.h"
#include "base/own.h"
#include "oci/reference.h"
#include "oci/scan_inside.h"

#include <string.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/*
 * The next line's word, without blanks and comment: 1 with it in `word`; 0 for an empty line; -1 for anything else.
 * *bytes is moved behind the line.
 */
static int next_word(const char **bytes, const char *end, char word[LIMIT_REFERENCE + 1])
{
	const char *s = *bytes;
	const char *newline = memchr(s, '\n', (size_t)(end - s));
	const char *stop = newline ? newline : end;
	size_t len = 0;

	*bytes = newline ? newline + 1 : end;
	while (s < stop && blank(*s))
		s++;
	while (s + len < stop && !blank(s[len]) && (len || s[len] != '#'))
		len++;
	if (len > LIMIT_REFERENCE || memchr(s, '\0', len))
		return -1;
	memcpy(word, s, len);
	word[len] = '\0';
	for (s += len; s < stop && blank(*s); s++)
		;
	if (s < stop && *s != '#')
		return -1;
	return len ? 1 : 0;
}

/* Each line is a reference, and one of them could be nothing else. */
bool scan_is_list(const char *bytes, size_t len)
{
	const char *end = bytes + len;
	char word[LIMIT_REFERENCE + 1];
	struct reference r;
	bool certain = false;

	while (bytes < end) {
		const int rc = next_word(&bytes, end, word);
		if (rc < 0 || (rc && reference_parse(&r, word, NULL)))
			return false;
		certain = certain || (rc && (scan_explicit(word) || strchr(word, '/')));
	}
	return certain;
}

int scan_list(struct sights *s, const char *bytes, size_t len, struct err *e)
{
	const char *end = bytes + len;
	char word[LIMIT_REFERENCE + 1];

	for (size_t line = 1; bytes < end; line++) {
		const int rc = next_word(&bytes, end, word);
		if (rc < 0 && sight_add(s, SIGHT_UNRESOLVED, line, "", "more than one word, or too long", e))
			return -1;
		if (rc > 0 && sight_image(s, line, word, e))
			return -1;
	}
	return 0;
}
