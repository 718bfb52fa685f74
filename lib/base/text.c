/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

size_t text_utf8(const char *bytes, size_t len, uint32_t *code)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *b = (const unsigned char *)bytes;
	size_t need = 0;
	uint32_t c = 0;

	if (!len)
		return 0;
	if (b[0] < 0x80) {
		*code = b[0];
		return 1;
	}
	if (b[0] >= 0xC2 && b[0] <= 0xDF) {
		need = 2;
		c = b[0] & 0x1Fu;
	} else if (b[0] >= 0xE0 && b[0] <= 0xEF) {
		need = 3;
		c = b[0] & 0x0Fu;
	} else if (b[0] >= 0xF0 && b[0] <= 0xF4) {
		need = 4;
		c = b[0] & 0x07u;
	}
	if (!need || len < need)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((b[i] & 0xC0u) != 0x80)
			return 0;
		c = c << 6 | (b[i] & 0x3Fu);
	}
	if (c < lowest[need] || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
		return 0;
	*code = c;
	return need;
}

/*
 * Characters that a person does not see, or that change how others are shown. Sorted by number. Not only what moves the
 * cursor: two names that look the same must not be different ones.
 */
static const struct span {
	uint32_t first, last;
} hidden[] = {
	{ 0x00, 0x1F },       /* C0 */
	{ 0x7F, 0x9F },       /* DEL, C1 */
	{ 0xAD, 0xAD },       /* soft hyphen */
	{ 0x34F, 0x34F },     /* combining grapheme joiner */
	{ 0x61C, 0x61C },     /* Arabic letter mark (bidi) */
	{ 0x115F, 0x1160 },   /* Hangul fillers */
	{ 0x17B4, 0x17B5 },   /* Khmer inherent vowels, no glyph */
	{ 0x180B, 0x180F },   /* Mongolian selectors and vowel separator */
	{ 0x200B, 0x200F },   /* zero-width space and joiners, bidi marks */
	{ 0x2028, 0x202E },   /* line and paragraph separators, bidi embeddings and overrides */
	{ 0x2060, 0x206F },   /* word joiner, invisible operators, bidi isolates */
	{ 0x3164, 0x3164 },   /* Hangul filler */
	{ 0xFE00, 0xFE0F },   /* variation selectors */
	{ 0xFEFF, 0xFEFF },   /* zero-width no-break space, byte-order mark */
	{ 0xFFA0, 0xFFA0 },   /* half-width Hangul filler */
	{ 0xFFF0, 0xFFFB },   /* unassigned invisible ones, interlinear annotation */
	{ 0xFFFE, 0xFFFF },   /* no characters */
	{ 0xE0000, 0xE0FFF }, /* tags and further variation selectors */
};

static bool is_hidden(uint32_t c)
{
	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		if (c >= hidden[i].first && c <= hidden[i].last)
			return true;
	return false;
}

#define SHOWN_MAX 12 /* "\u{10ffff}" and NUL */

/* How the first character of `bytes` is shown; returns how many bytes it took. */
static size_t show(char shown[SHOWN_MAX], size_t *shown_len, const char *bytes, size_t len)
{
	uint32_t c = 0;
	size_t n = text_utf8(bytes, len, &c);
	int written;

	if (!n || (n == 1 && is_hidden(c))) {
		written = snprintf(shown, SHOWN_MAX, "\\x%02x", (unsigned)(unsigned char)bytes[0]);
		n = 1;
	} else if (is_hidden(c)) {
		written = snprintf(shown, SHOWN_MAX, "\\u{%x}", (unsigned)c);
	} else if (c == '\\') {
		written = snprintf(shown, SHOWN_MAX, "\\\\");
	} else {
		memcpy(shown, bytes, n);
		written = (int)n;
	}
	*shown_len = (size_t)written;
	return n;
}

const char *text_escape(char *out, size_t cap, const char *bytes, size_t len)
{
	size_t used = 0;
	size_t cut = 0; /* the last place where "..." still fits behind whole characters */

	for (size_t i = 0; i < len;) {
		char shown[SHOWN_MAX];
		size_t n;

		i += show(shown, &n, bytes + i, len - i);
		if (used + n >= cap) {
			memcpy(out + cut, "...", 4);
			return out;
		}
		memcpy(out + used, shown, n);
		used += n;
		if (used + 4 <= cap)
			cut = used;
	}
	out[used] = '\0';
	return out;
}

const char *text_escape_str(char *out, size_t cap, const char *s)
{
	return text_escape(out, cap, s ? s : "", s ? strlen(s) : 0);
}

/* n / d, rounded half up; does not overflow for even d. */
static uint64_t divide_round(uint64_t n, uint64_t d)
{
	return n / d + (n % d >= d / 2);
}

const char *text_size(char out[TEXT_SIZE_CAP], uint64_t bytes)
{
	static const char *const units[] = { "kB", "MB", "GB", "TB", "PB", "EB" };
	uint64_t unit = 1000;

	if (bytes < 1000) {
		(void)snprintf(out, TEXT_SIZE_CAP, "%u B", (unsigned)bytes);
		return out;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++, unit *= 1000) {
		unsigned hundredths = (unsigned)divide_round(bytes, unit / 100);
		unsigned tenths = (unsigned)divide_round(bytes, unit / 10);
		uint64_t whole = divide_round(bytes, unit);

		/* 999.6 kB rounds to 1000 and is the next unit's business. */
		if (whole >= 1000)
			continue;
		if (hundredths < 1000)
			(void)snprintf(out, TEXT_SIZE_CAP, "%u.%02u %s", hundredths / 100, hundredths % 100, units[i]);
		else if (tenths < 1000)
			(void)snprintf(out, TEXT_SIZE_CAP, "%u.%u %s", tenths / 10, tenths % 10, units[i]);
		else
			(void)snprintf(out, TEXT_SIZE_CAP, "%u %s", (unsigned)whole, units[i]);
		break;
	}
	return out;
}

const char *text_duration(char out[TEXT_DURATION_CAP], uint64_t seconds)
{
	unsigned s = (unsigned)(seconds % 60);
	unsigned m = (unsigned)(seconds / 60 % 60);
	unsigned long long h = seconds / 3600;

	if (h)
		(void)snprintf(out, TEXT_DURATION_CAP, "%lluh%02um", h, m);
	else if (m)
		(void)snprintf(out, TEXT_DURATION_CAP, "%um%02us", m, s);
	else
		(void)snprintf(out, TEXT_DURATION_CAP, "%us", s);
	return out;
}

bool text_parse_u64(const char *s, size_t len, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		unsigned digit = (unsigned)(s[i] - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (n > max)
		return false;
	*out = n;
	return true;
}

static pthread_once_t ctype_once = PTHREAD_ONCE_INIT;
static locale_t
	ctype; /* wcwidth() answers for Unicode only in a UTF-8 locale, whatever the user's is; 0 if there is none */

static void ctype_open(void)
{
	ctype = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

size_t text_columns(const char *s)
{
	size_t columns = 0;
	size_t len = strlen(s);
	locale_t before = (locale_t)0;

	(void)pthread_once(&ctype_once, ctype_open);
	if (ctype)
		before = uselocale(ctype);
	for (size_t i = 0; i < len;) {
		uint32_t c = 0;
		size_t n = text_utf8(s + i, len - i, &c);
		int width = n ? wcwidth((wchar_t)c) : 1;

		if (width < 0) /* a control character, or one that the C library is too old for */
			width = c < 0x20 || (c >= 0x7F && c < 0xA0) ? 0 : 1;
		columns += (size_t)width;
		i += n ? n : 1;
	}
	if (ctype)
		(void)uselocale(before);
	return columns;
}

void text_wipe_free(char *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret, strlen(secret));
	free(secret);
}

bool text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}
