/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a client gets the image that it means, or none: by whole name, by path alone, through a mirror of one registry;
 * of several archives the first counts; and no name reaches HTML unescaped.
 */
#include "serve/catalog.h"
#include "serve/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static char said[512];

static void hear(void *ctx, const struct event *ev)
{
	(void)ctx;
	(void)snprintf(said, sizeof(said), "%s", ev->text);
}
static const struct events events = { .emit = hear };

/* A manifest like no other, as a blob of the pack. */
static size_t add_manifest(struct pack *p, const char *mark, const char *subject)
{
	char text[512];
	struct promise promise = { 0 };

	int len = snprintf(text, sizeof(text),
			   "{\"schemaVersion\":2,\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"config\":{},\"layers\":[],"
			   "\"annotations\":{\"mark\":\"%s\"}%s%s%s}",
			   mark, subject ? ",\"subject\":{\"digest\":\"" : "", subject ? subject : "",
			   subject ? "\"}" : "");
	promise.size = (uint64_t)len;
	assert_int_equal(digest_of(&promise.digest, text, (size_t)len, NULL), 0);
	ptrdiff_t at = pack_add_blob(p, &promise, subject ? BLOB_OTHER : BLOB_MANIFEST, NULL, text, NULL);
	assert_true(at >= 0);
	return (size_t)at;
}

static void add_image(struct pack *p, const char *name, const char *mark)
{
	struct pack_image *image = pack_add_image(p, name, NULL);

	assert_non_null(image);
	image->root = add_manifest(p, mark, NULL);
}

static const char *found(const struct catalog *c, const char *ns, const char *path)
{
	struct err e = { 0 };
	const struct catalog_repository *r = catalog_find(c, ns, path, &e);

	if (r)
		return r->name;
	return e.kind == ERR_USAGE ? "ambiguous" : "none";
}

static void whose(void **state)
{
	struct pack_file file = { .pack = pack_new(NULL) };
	AUTO(catalog) c = catalog_new(NULL);
	static const char *const cases[][3] = {
		{ NULL, "docker.io/library/nginx", "docker.io/library/nginx" },
		{ NULL, "library/nginx", "docker.io/library/nginx" },
		{ NULL, "nginx", "docker.io/library/nginx" },
		{ "docker.io", "library/nginx", "docker.io/library/nginx" },
		{ "docker.io", "nginx", "docker.io/library/nginx" },
		{ "registry-1.docker.io", "library/nginx", "docker.io/library/nginx" },
		{ "quay.io", "library/nginx", "none" },
		{ "quay.io", "docker.io/library/nginx", "none" },
		{ NULL, "both/x", "docker.io/both/x" },
		{ "quay.io", "both/x", "quay.io/both/x" },
		{ NULL, "two/x", "ambiguous" },
		{ NULL, "ghcr.io/two/x", "ghcr.io/two/x" },
		{ "docker.io", "two/x", "none" },
		{ NULL, "one/x", "quay.io/one/x" },
		{ "", "one/x", "quay.io/one/x" },
		{ NULL, "unnamed", "unnamed" },
		{ NULL, "", "none" },
	};

	(void)state;
	assert_non_null(file.pack);
	add_image(file.pack, "docker.io/library/nginx:1", "a");
	add_image(file.pack, "docker.io/library/nginx:2", "b");
	add_image(file.pack, "quay.io/both/x:1", "c");
	add_image(file.pack, "docker.io/both/x:1", "d");
	add_image(file.pack, "quay.io/two/x:1", "e");
	add_image(file.pack, "ghcr.io/two/x:1", "f");
	add_image(file.pack, "quay.io/one/x:1", "g");
	add_image(file.pack, NULL, "h");
	assert_int_equal(catalog_add(c, &file, "x.tar", &events, NULL), 0);
	catalog_sort(c);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (strcmp(found(c, cases[i][0], cases[i][1]), cases[i][2]) != 0)
			fail_msg("%s of %s: %s", cases[i][1], cases[i][0] ? cases[i][0] : "anybody",
				 found(c, cases[i][0], cases[i][1]));
	assert_true(catalog_knows(c, NULL, "two/x"));
	const struct catalog_repository *r = catalog_find(c, NULL, "nginx", NULL);
	assert_non_null(r);
	assert_int_equal(r->tag_count, 2);
	assert_non_null(catalog_tag(r, "2"));
	assert_null(catalog_tag(r, "3"));
	catalog_free(TAKE(c));
	pack_free(file.pack);
}

static void the_first_counts(void **state)
{
	struct pack_file one = { .pack = pack_new(NULL) };
	struct pack_file two = { .pack = pack_new(NULL) };
	AUTO(catalog) c = catalog_new(NULL);

	(void)state;
	add_image(one.pack, "docker.io/a/b:1", "one");
	add_image(two.pack, "docker.io/a/b:1", "two");
	add_image(two.pack, "docker.io/a/b:2", "one");
	assert_int_equal(catalog_add(c, &one, "one.tar", &events, NULL), 0);
	said[0] = '\0';
	assert_int_equal(catalog_add(c, &two, "two.tar", &events, NULL), 0);
	assert_non_null(strstr(said, "two.tar: its docker.io/a/b:1 is another image"));
	catalog_sort(c);
	const struct catalog_repository *r = catalog_find(c, NULL, "a/b", NULL);
	assert_int_equal(r->tag_count, 2);
	assert_ptr_equal(catalog_tag(r, "1")->root.file, &one);
	catalog_free(TAKE(c));
	pack_free(one.pack);
	pack_free(two.pack);
}

static void referrers(void **state)
{
	struct pack_file file = { .pack = pack_new(NULL) };
	AUTO(catalog) c = catalog_new(NULL);
	char digest[DIGEST_TEXT_SIZE];
	size_t at = 0;

	(void)state;
	add_image(file.pack, "a/b:1", "one");
	const struct digest root = file.pack->blobs[file.pack->images[0].root].promise.digest;
	size_t referrer = add_manifest(file.pack, "signature", digest_text(&root, digest));
	assert_int_equal(catalog_add(c, &file, "x.tar", &events, NULL), 0);
	catalog_sort(c);
	const struct catalog_paper *p = catalog_referrer(c, &root, &at);
	assert_non_null(p);
	assert_true(digest_equal(&p->held.blob->promise.digest, &file.pack->blobs[referrer].promise.digest));
	assert_null(catalog_referrer(c, &root, &at));
	catalog_free(TAKE(c));
	pack_free(file.pack);
}

static void nothing_is_html(void **state)
{
	AUTO_BUF out = { 0 };
	struct pack_file file = { .pack = pack_new(NULL) };
	AUTO(catalog) c = catalog_new(NULL);
	const struct page_wish w = { .catalog = c, .host = "<b>\"'&\x1b", .number = 7 };

	(void)state;
	assert_int_equal(page_escape("<a href=\"x\">'&\n\x1b[31m", &out, NULL), 0);
	assert_string_equal(out.data, "&lt;a href=&quot;x&quot;&gt;&#39;&amp;\\x0a\\x1b[31m");
	buf_clear(&out);
	add_image(file.pack, "not a <name>", "one");
	said[0] = '\0';
	assert_int_equal(catalog_add(c, &file, "x.tar", &events, NULL), 0);
	assert_non_null(strstr(said, "is no name that can be asked for"));
	catalog_sort(c);
	assert_int_equal(page_html(&w, &out, NULL), 0);
	assert_null(strstr(out.data, "<b>"));
	assert_non_null(strstr(out.data, "&lt;b&gt;&quot;"));
	assert_null(strstr(out.data, "<name>"));
	assert_non_null(strstr(out.data, "unnamed@sha256:"));
	catalog_free(TAKE(c));
	pack_free(file.pack);
}

/* More images than one page shows: each is on one page, and a page that is none is the last. */
static void pages(void **state)
{
	AUTO_BUF out = { 0 };
	struct pack_file file = { .pack = pack_new(NULL) };
	AUTO(catalog) c = catalog_new(NULL);
	struct page_wish w = { .catalog = c, .host = "h:1" };
	char name[64];

	(void)state;
	for (unsigned i = 0; i < PAGE_IMAGES + 5; i++) {
		(void)snprintf(name, sizeof(name), "docker.io/a/b:%03u", i);
		add_image(file.pack, name, name);
	}
	assert_int_equal(catalog_add(c, &file, "x.tar", &events, NULL), 0);
	catalog_sort(c);
	for (w.number = 0; w.number < 4; w.number++) {
		buf_clear(&out);
		assert_int_equal(page_html(&w, &out, NULL), 0);
		const bool last = w.number > 1;
		assert_int_equal(strstr(out.data, "<h2>docker.io/a/b:000<") != NULL, !last);
		assert_int_equal(strstr(out.data, "<h2>docker.io/a/b:104<") != NULL, last);
		assert_int_equal(strstr(out.data, "?page=2\">Next") != NULL, !last);
		assert_int_equal(strstr(out.data, "?page=1\">Previous") != NULL, last);
	}
	catalog_free(TAKE(c));
	pack_free(file.pack);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whose),     cmocka_unit_test(the_first_counts),
		cmocka_unit_test(referrers), cmocka_unit_test(nothing_is_html),
		cmocka_unit_test(pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
