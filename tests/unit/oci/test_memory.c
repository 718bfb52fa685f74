/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whichever allocation fails, the readers say "out of memory" and give nothing away; above all they never succeed
 * with a text that lost a byte, which is what jansson 2.14 does by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oci/manifest.h"

#include <errno.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define OWN_MALLOC 0 /* the sanitizer has its own */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_MALLOC 0
#else
#define OWN_MALLOC 1
#endif
#else
#define OWN_MALLOC 1
#endif

#if OWN_MALLOC
/* Stand in front of the C library's, which keeps doing the work. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *p, size_t size);

static size_t fail_at; /* the how many-th allocation fails; 0: none */
static size_t count;

static bool fails(void)
{
	if (!fail_at || ++count != fail_at)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	return fails() ? NULL : __libc_realloc(p, size);
}

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define BLOB(type, more) "{\"mediaType\":\"" type "\",\"digest\":\"sha256:" HEX "\",\"size\":7" more "}"

static int read_index(struct err *e)
{
	static const char text[] = "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_INDEX
				   "\",\"manifests\":[" BLOB(MEDIA_OCI_MANIFEST, ",\"annotations\":{\"a\":\"b\"}") "]}";
	AUTO(index) x = index_parse(text, sizeof(text) - 1, e);

	return x ? 0 : -1;
}

static int read_manifest(struct err *e)
{
	static const char text[] = "{\"schemaVersion\":2,\"config\":" BLOB(MEDIA_OCI_CONFIG, "") ",\"layers\":[" BLOB(
		MEDIA_OCI_LAYER, "") "]}";
	AUTO(manifest) m = manifest_parse(text, sizeof(text) - 1, e);

	return m ? 0 : -1;
}

static int read_config(struct err *e)
{
	static const char text[] =
		"{\"os\":\"linux\",\"created\":\"2024-01-02T03:04:05Z\",\"rootfs\":{\"diff_ids\":[\"sha256:" HEX
		"\"]}}";
	AUTO(config) c = config_parse(text, sizeof(text) - 1, e);

	if (c && strcmp(c->created, "2024-01-02T03:04:05Z") != 0) {
		fail_at = 0;
		fail_msg("a byte is missing: %s", c->created);
	}
	return c ? 0 : -1;
}

static int write_text(struct err *e)
{
	AUTO_BUF b = { 0 };
	struct jout j = jout_begin(&b);

	jout_array(&j);
	for (int i = 0; i < 300; i++)
		jout_text(&j, "abcdefg");
	jout_end(&j);
	return jout_finish(&j, e);
}

static void fail_each(int (*work)(struct err *e), size_t at_least)
{
	struct err e = { 0 };

	assert_int_equal(work(&e), 0); /* what is set up once, is */
	for (size_t n = 1;; n++) {
		e = (struct err){ 0 };
		count = 0;
		fail_at = n;
		int rc = work(&e);
		fail_at = 0;
		if (count < n) {
			assert_int_equal(rc, 0);
			assert_true(n > at_least);
			return;
		}
		if (rc == 0 || e.kind != ERR_LOCAL)
			fail_msg("allocation %zu: %s", n, rc ? e.text : "success");
	}
}

static void each_allocation(void **state)
{
	(void)state;
	fail_each(read_index, 20);
	fail_each(read_manifest, 20);
	fail_each(read_config, 15);
	fail_each(write_text, 2);
}
#else
static void each_allocation(void **state)
{
	(void)state;
	skip();
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_allocation) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
