/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no block of memory that is given back while a document is read, refused or freed still holds a text of it.
 * Tokens and passwords are such texts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oci/json.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define OWN_FREE 0 /* the sanitizer has its own */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_FREE 0
#else
#define OWN_FREE 1
#endif
#else
#define OWN_FREE 1
#endif

#if OWN_FREE
/* Stands in front of the C library's, which keeps doing the work. */
void __libc_free(void *p);

static const char *watched; /* a text that no freed block may hold; NULL: nothing is looked at */
static unsigned freed, found;

void free(void *p)
{
	if (p && watched) {
		freed++;
		found += memmem(p, malloc_usable_size(p), watched, strlen(watched)) != NULL;
	}
	__libc_free(p);
}

static void nothing_is_left(void **state)
{
	static const struct {
		const char *before, *behind;
		bool good;
	} documents[] = {
		{ "{\"token\":\"", "\",\"expires_in\":300}", true },
		{ "{\"auths\":{\"quay.io\":{\"auth\":\"", "\"}}}", true },
		{ "{\"", "\":{\"auth\":7}}", true },
		{ "[[\"x\",\"", "\"],\"\\u00e4\"]", true },
		{ "{\"token\":\"", "\"", false },
		{ "{\"token\":\"", "\",\"token\":1}", false },
		{ "{\"token\":\"", "\",\"Token\":1}", false },
		{ "{\"a\":\"", "\"} x", false },
	};
	char text[4096];
	char secret[512];

	(void)state;
	/* Blocks of many sizes; the last bytes are what is looked for, since malloc() writes into the first ones. */
	for (size_t len = 32; len < sizeof(secret); len += 37) {
		memset(secret, 's', sizeof(secret));
		memcpy(secret + len - 8, "canary!", 8);
		for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
			int n = snprintf(text, sizeof(text), "%s%s%s", documents[i].before, secret,
					 documents[i].behind);
			freed = found = 0;
			watched = "canary!";
			struct jdoc *d = jdoc_parse(text, (size_t)n, NULL);
			jdoc_free(d);
			watched = NULL;
			assert_int_equal(d != NULL, documents[i].good);
			assert_true(freed > 2);
			if (found)
				fail_msg("%s: %u of %u blocks", text, found, freed);
		}
	}
}
#else
static void nothing_is_left(void **state)
{
	(void)state;
	skip();
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_is_left) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
