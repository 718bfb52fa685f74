/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/fold.h"

#include "base/text.h"

#include <locale.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <wctype.h>

static pthread_once_t ctype_once = PTHREAD_ONCE_INIT;
static locale_t ctype; /* 0 if the C library has no C.UTF-8 */

static void ctype_open(void)
{
	ctype = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

/*
 * One member of the set of characters that differ only in case, the same for all of them. Upper, then lower: that also
 * joins those with two lower forms (Greek sigma). The dotted and dotless i of Turkish fold to nothing else in Unicode,
 * though their single mappings lead to the ASCII letter.
 */
static uint32_t fold(uint32_t c)
{
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
	if (c == 0x17F)
		return 's';
	if (c == 0x212A)
		return 'k';
	if (c == 0x130 || c == 0x131 || !ctype)
		return c;
	return (uint32_t)towlower_l(towupper_l((wint_t)c, ctype), ctype);
}

/* The next folded character; 0 at the end. A byte that is no UTF-8 stands for itself, out of the range of characters.
 */
static uint32_t next(const char **at, size_t *left)
{
	uint32_t c = 0;
	size_t n = text_utf8(*at, *left, &c);

	if (!*left)
		return 0;
	if (!n) {
		c = 0x110000u + (unsigned char)**at;
		n = 1;
	} else {
		c = fold(c);
	}
	*at += n;
	*left -= n;
	return c;
}

int fold_compare(const char *a, const char *b)
{
	size_t a_left = strlen(a);
	size_t b_left = strlen(b);

	(void)pthread_once(&ctype_once, ctype_open);
	for (;;) {
		uint32_t x = next(&a, &a_left);
		uint32_t y = next(&b, &b_left);

		if (x != y)
			return x < y ? -1 : 1;
		if (!x)
			return 0;
	}
}
