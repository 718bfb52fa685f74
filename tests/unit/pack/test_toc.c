/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: toc_parse() reads back everything that papers_toc() wrote, and takes no other bytes for it: each accepted TOC
 * has exactly one spelling. What a TOC may not say is refused with the place named.
 */
#include "sample.h"

#include "base/limits.h"

#define HEX_A "1111111111111111111111111111111111111111111111111111111111111111"
#define HEX_B "2222222222222222222222222222222222222222222222222222222222222222"
#define HEX_C "3333333333333333333333333333333333333333333333333333333333333333"

#define BLOB_A "{\"name\":\"blobs/sha256/" HEX_A "\",\"size\":7,\"sha256\":\"" HEX_A "\"}"
#define BLOB_B "{\"name\":\"blobs/sha256/" HEX_B "\",\"size\":0,\"sha256\":\"" HEX_B "\"}"
#define LAYOUT "{\"name\":\"oci-layout\",\"size\":30,\"sha256\":\"" HEX_C "\"}"
#define INDEX "{\"name\":\"index.json\",\"size\":410,\"sha256\":\"" HEX_C "\"}"
#define DOCKER "{\"name\":\"manifest.json\",\"size\":392,\"sha256\":\"" HEX_C "\"}"
#define PAPERS LAYOUT "," INDEX "," DOCKER
#define TYPE "application/vnd.oci.image.manifest.v1+json"
#define SOURCE "\"source\":{\"digest\":\"sha256:" HEX_C "\",\"size\":9,\"mediaType\":\"t\"}"
#define PLATFORMS                                                                                                      \
	"\"platforms\":[{\"platform\":{\"architecture\":\"arm\",\"os\":\"linux\",\"variant\":\"v7\"},\"manifest\":"    \
	"\"sha256:" HEX_A "\"},{\"manifest\":\"sha256:" HEX_B "\"}]"
#define IMAGE                                                                                                          \
	"{\"name\":\"docker.io/library/x:1\",\"root\":\"sha256:" HEX_A "\",\"mediaType\":\"" TYPE "\"," SOURCE         \
	"," PLATFORMS "}"
#define HEAD "{\"imgpack\":1,\"images\":["
#define MIDDLE "],\"members\":["
#define ABSENT "],\"absent\":[{\"digest\":\"sha256:" HEX_C "\",\"size\":5}"
#define TAIL "]}"

#define GOOD HEAD IMAGE MIDDLE BLOB_A "," BLOB_B "," PAPERS ABSENT TAIL

static void good_one(void **state)
{
	AUTO(toc) t = toc_parse(GOOD, strlen(GOOD), &sample_err);
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	if (!t)
		fail_msg("%s", sample_err.text);
	assert_int_equal(t->image_count, 1);
	const struct toc_image *i = &t->images[0];
	assert_string_equal(i->name, "docker.io/library/x:1");
	assert_string_equal(digest_hex(&i->root, hex), HEX_A);
	assert_string_equal(i->root_media_type, TYPE);
	assert_true(i->has_source);
	assert_int_equal(i->source.size, 9);
	assert_string_equal(i->source_media_type, "t");
	assert_int_equal(i->platform_count, 2);
	assert_string_equal(i->platforms[0].platform.variant, "v7");
	assert_string_equal(i->platforms[1].platform.os, "");
	assert_string_equal(digest_hex(&i->platforms[1].manifest, hex), HEX_B);
	assert_int_equal(t->member_count, 5);
	assert_string_equal(t->members[4].name, "manifest.json");
	assert_int_equal(t->members[4].promise.size, 392);
	assert_int_equal(t->absent_count, 1);
	assert_int_equal(t->absent[0].size, 5);
}

static void refused(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} rows[] = {
		{ "", "" },
		{ "[]", "not a JSON object" },
		{ "{}", "imgpack" },
		{ "{\"imgpack\":2}", "version 2, this program knows version 1; use a newer imgpack" },
		{ "{\"imgpack\":1}", "images is no list" },
		{ HEAD TAIL, "members is no list" },
		/* members */
		{ HEAD MIDDLE TAIL, "must be the last ones" },
		{ HEAD MIDDLE LAYOUT "," INDEX TAIL, "must be the last ones" },
		{ HEAD MIDDLE LAYOUT "," DOCKER "," INDEX TAIL,
		  "members[1]: is named 'manifest.json', expected 'index.json'" },
		{ HEAD MIDDLE PAPERS "," BLOB_A TAIL, "members[0]: is named 'oci-layout'" },
		{ HEAD MIDDLE BLOB_A "," BLOB_A "," PAPERS TAIL, "is there twice" },
		{ HEAD MIDDLE "{\"name\":\"blobs/sha256/" HEX_A "\",\"size\":7,\"sha256\":\"" HEX_B "\"}," PAPERS TAIL,
		  "members[0]: is named" },
		{ HEAD MIDDLE "{\"name\":\"../../etc/passwd\",\"size\":7,\"sha256\":\"" HEX_B "\"}," PAPERS TAIL,
		  "members[0]: is named '../../etc/passwd'" },
		{ HEAD MIDDLE "{\"name\":\"\\u001b[2J\",\"size\":7,\"sha256\":\"" HEX_B "\"}," PAPERS TAIL,
		  "\\x1b[2J" },
		{ HEAD MIDDLE "{\"name\":\"blobs/sha256/" HEX_A HEX_A "\",\"size\":7,\"sha256\":\"" HEX_A
			      "\"}," PAPERS TAIL,
		  "its name has 141 bytes" },
		{ HEAD MIDDLE "{\"name\":\"imgpack.json\",\"size\":7,\"sha256\":\"" HEX_A "\"}," PAPERS TAIL,
		  "members[0]" },
		{ HEAD MIDDLE "{\"name\":\"oci-layout\",\"size\":30,\"sha256\":\"zz\"}," INDEX "," DOCKER TAIL,
		  "not 64 hex digits" },
		{ HEAD MIDDLE "{\"name\":\"oci-layout\",\"size\":-1,\"sha256\":\"" HEX_C "\"}," INDEX "," DOCKER TAIL,
		  "size" },
		{ HEAD MIDDLE "{\"name\":\"blobs/sha256/" HEX_A "\",\"size\":9223372036854775807,\"sha256\":\"" HEX_A
			      "\"}," PAPERS TAIL,
		  "larger than a file can be" },
		{ HEAD MIDDLE "{\"name\":\"blobs/sha256/" HEX_A "\",\"size\":9223372036854775808,\"sha256\":\"" HEX_A
			      "\"}," PAPERS TAIL,
		  "too big" },
		{ HEAD MIDDLE "{\"name\":\"blobs/sha256/" HEX_A "\",\"size\":5000000000000000000,\"sha256\":\"" HEX_A
			      "\"},{\"name\":\"blobs/sha256/" HEX_B
			      "\",\"size\":5000000000000000000,\"sha256\":\"" HEX_B "\"}," PAPERS TAIL,
		  "members[1]: its 5000000000000000000 bytes make the archive larger" },
		/* images */
		{ HEAD IMAGE MIDDLE BLOB_A "," PAPERS TAIL, "images[0]: manifest sha256:" HEX_B " is not a member" },
		{ HEAD IMAGE MIDDLE BLOB_B "," PAPERS TAIL, "images[0]: root sha256:" HEX_A " is not a member" },
		{ HEAD IMAGE "," IMAGE MIDDLE BLOB_A "," BLOB_B "," PAPERS TAIL,
		  "docker.io/library/x:1 is named twice" },
		{ HEAD "{\"name\":\"x:1\",\"root\":\"sha256:" HEX_A
		       "\",\"mediaType\":\"\",\"platforms\":[]}" MIDDLE BLOB_A "," PAPERS TAIL,
		  "'x:1' is not a full image name" },
		{ HEAD "{\"name\":\"docker.io/library/x:1@sha256:" HEX_A "\",\"root\":\"sha256:" HEX_A
		       "\",\"mediaType\":\"\",\"platforms\":[]}" MIDDLE BLOB_A "," PAPERS TAIL,
		  "is not a full image name" },
		/* The papers are no blobs: a root must not be one. */
		{ HEAD "{\"name\":null,\"root\":\"sha256:" HEX_C
		       "\",\"mediaType\":\"\",\"platforms\":[]}" MIDDLE PAPERS TAIL,
		  "is not a member" },
		{ HEAD "{\"name\":null,\"mediaType\":\"\",\"platforms\":[]}" MIDDLE PAPERS TAIL, "images[0]: " },
		{ HEAD "{\"name\":null,\"root\":\"sha512:" HEX_A HEX_A
		       "\",\"mediaType\":\"\",\"platforms\":[]}" MIDDLE BLOB_A "," PAPERS TAIL,
		  "images[0]: " },
		{ HEAD "{\"name\":7,\"root\":\"sha256:" HEX_A "\",\"mediaType\":\"\",\"platforms\":[]}" MIDDLE BLOB_A
		       "," PAPERS TAIL,
		  "images[0]: " },
		{ HEAD "7" MIDDLE BLOB_A "," PAPERS TAIL, "images[0]: " },
		{ HEAD "{\"name\":null,\"root\":\"sha256:" HEX_A "\",\"mediaType\":\"\"}" MIDDLE BLOB_A "," PAPERS TAIL,
		  "platforms is no list" },
		/* referrers */
		{ HEAD "{\"name\":null,\"root\":\"sha256:" HEX_A
		       "\",\"mediaType\":\"\",\"platforms\":[],\"referrers\":[{\"manifest\":\"sha256:" HEX_B
		       "\",\"subject\":\"sha256:" HEX_A "\"}]}" MIDDLE BLOB_A "," PAPERS TAIL,
		  "images[0]: referrer sha256:" HEX_B " is not a member" },
		{ HEAD "{\"name\":null,\"root\":\"sha256:" HEX_A
		       "\",\"mediaType\":\"\",\"platforms\":[],\"referrers\":[]}" MIDDLE BLOB_A "," PAPERS TAIL,
		  "not written as imgpack writes it" },
		{ HEAD "{\"name\":null,\"root\":\"sha256:" HEX_A
		       "\",\"mediaType\":\"\",\"platforms\":[],\"referrers\":[{\"manifest\":\"sha256:" HEX_A
		       "\",\"tag\":\"sha256-" HEX_A HEX_A "\",\"subject\":\"sha256:" HEX_A "\"}]}" MIDDLE BLOB_A
		       "," PAPERS TAIL,
		  "images[0]: referrers[0]: its tag has 135 characters" },
		{ HEAD "{\"name\":null,\"root\":\"sha256:" HEX_A
		       "\",\"mediaType\":\"\",\"platforms\":[],\"referrers\":[{\"manifest\":\"sha256:" HEX_A
		       "\"}]}" MIDDLE BLOB_A "," PAPERS TAIL,
		  "images[0]: referrers[0]: " },
		/* absent */
		{ HEAD MIDDLE BLOB_A "," PAPERS "],\"absent\":[{\"digest\":\"sha256:" HEX_A "\",\"size\":7}]}",
		  "absent[0]: sha256:" HEX_A " is a member, or absent twice" },
		{ HEAD MIDDLE PAPERS ABSENT ",{\"digest\":\"sha256:" HEX_C "\",\"size\":5}" TAIL, "absent[1]" },
		{ HEAD MIDDLE PAPERS "],\"absent\":[]}", "not written as imgpack writes it" },
		{ HEAD MIDDLE PAPERS "],\"absent\":7}", "absent is no list" },
		/* spelling */
		{ HEAD MIDDLE PAPERS TAIL "\n", "goes on behind byte" },
		{ " " HEAD MIDDLE PAPERS TAIL, "byte 0" },
		{ HEAD MIDDLE PAPERS "],\"x\":1}", "not written as imgpack writes it" },
		{ HEAD "{\"root\":\"sha256:" HEX_A "\",\"mediaType\":\"\",\"platforms\":[]}" MIDDLE BLOB_A
		       "," PAPERS TAIL,
		  "not written as imgpack writes it" },
		{ HEAD "{\"name\":null,\"root\":\"sha256:" HEX_A
		       "\",\"mediaType\":\"\",\"source\":null,\"platforms\":[]}" MIDDLE BLOB_A "," PAPERS TAIL,
		  "images[0]: source" },
		{ HEAD "{\"name\":null,\"root\":\"sha256:" HEX_A
		       "\",\"mediaType\":\"\",\"platforms\":[{\"platform\":{},\"manifest\":\"sha256:" HEX_A
		       "\"}]}" MIDDLE BLOB_A "," PAPERS TAIL,
		  "" },
		{ HEAD MIDDLE "{\"size\":30,\"name\":\"oci-layout\",\"sha256\":\"" HEX_C "\"}," INDEX "," DOCKER TAIL,
		  "not written as imgpack writes it: byte" },
		{ HEAD MIDDLE PAPERS "],\"absent\":[{\"digest\":\"sha256:" HEX_A "\",\"size\":5e0}]}", "absent[0]" },
		{ "{\"imgpack\":1.0,\"images\":[" MIDDLE PAPERS TAIL, "imgpack" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		AUTO(toc) t = toc_parse(rows[i].text, strlen(rows[i].text), &e);
		if (t)
			fail_msg("row %zu was taken: %s", i, rows[i].text);
		assert_int_equal(e.kind, ERR_CORRUPT);
		if (!strstr(e.text, rows[i].says))
			fail_msg("row %zu: '%s' does not say '%s'", i, e.text, rows[i].says);
	}
}

/* The rows above differ from these in what they are refused for alone. */
static void near_misses_are_good(void **state)
{
	static const char *const rows[] = {
		HEAD MIDDLE PAPERS TAIL,
		HEAD MIDDLE BLOB_A "," PAPERS TAIL,
		HEAD MIDDLE PAPERS ABSENT TAIL,
		HEAD "{\"name\":null,\"root\":\"sha256:" HEX_A "\",\"mediaType\":\"\",\"platforms\":[]}" MIDDLE BLOB_A
		     "," PAPERS TAIL,
		HEAD MIDDLE "{\"name\":\"blobs/sha256/" HEX_A "\",\"size\":9223372036854700000,\"sha256\":\"" HEX_A
			    "\"}," PAPERS TAIL,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(toc) t = toc_parse(rows[i], strlen(rows[i]), &sample_err);
		if (!t)
			fail_msg("row %zu: %s", i, sample_err.text);
	}
}

/* True if both say the same. */
static bool same_content(const struct toc *a, const struct toc *b)
{
	if (a->image_count != b->image_count || a->member_count != b->member_count ||
	    a->absent_count != b->absent_count || memcmp(a->absent, b->absent, a->absent_count * sizeof(*a->absent)))
		return false;
	for (size_t i = 0; i < a->member_count; i++)
		if (strcmp(a->members[i].name, b->members[i].name) ||
		    memcmp(&a->members[i].promise, &b->members[i].promise, sizeof(struct promise)))
			return false;
	for (size_t i = 0; i < a->image_count; i++) {
		const struct toc_image *x = &a->images[i];
		const struct toc_image *y = &b->images[i];
		if (!x->name != !y->name || (x->name && strcmp(x->name, y->name)) ||
		    !digest_equal(&x->root, &y->root) || strcmp(x->root_media_type, y->root_media_type) ||
		    x->has_source != y->has_source || memcmp(&x->source, &y->source, sizeof(x->source)) ||
		    strcmp(x->source_media_type, y->source_media_type) || x->platform_count != y->platform_count)
			return false;
		for (size_t k = 0; k < x->platform_count; k++)
			if (!platform_equal(&x->platforms[k].platform, &y->platforms[k].platform) ||
			    strcmp(x->platforms[k].platform.os_version, y->platforms[k].platform.os_version) ||
			    !digest_equal(&x->platforms[k].manifest, &y->platforms[k].manifest))
				return false;
	}
	return true;
}

/* Every byte replaced, dropped, doubled: what is still taken says something else than before. */
static void one_spelling_only(void **state)
{
	static const char with[] = " \t\n\r09aAeEzZ\"\\/{}[],:.-+_\x01\x7f\xc3n";
	size_t len = strlen(GOOD);
	AUTO_MEM char *copy = malloc(len + 2);
	AUTO(toc) good = toc_parse(GOOD, len, &sample_err);
	size_t taken = 0;

	(void)state;
	assert_non_null(good);
	assert_non_null(copy);
	for (size_t at = 0; at <= len; at++) {
		for (size_t k = 0; k < sizeof(with); k++) {
			memcpy(copy, GOOD, len + 1);
			size_t n = len;
			if (k == sizeof(with) - 1) { /* dropped */
				if (at == len)
					continue;
				memmove(copy + at, copy + at + 1, len - at);
				n--;
			} else if (k % 2 && at < len) {
				if (copy[at] == with[k])
					continue;
				copy[at] = with[k];
			} else { /* put in between */
				memmove(copy + at + 1, copy + at, len - at);
				copy[at] = with[k];
				n++;
			}
			AUTO(toc) t = toc_parse(copy, n, NULL);
			if (!t)
				continue;
			taken++;
			if (same_content(t, good))
				fail_msg("a second spelling at byte %zu, '%c': %.*s", at, with[k], (int)n, copy);
		}
	}
	assert_true(taken > 50); /* sizes, the version of a name: such changes are the archive ID's to find */
}

/* What the writer wrote, the reader takes and gives back; a pack with every feature. */
static void round_trip(void **state)
{
	__attribute__((cleanup(store_release))) struct store s = { 0 };
	AUTO(pack) p = pack_new(&sample_err);
	struct promise a = sample_layer(&s, 1);
	struct promise b = sample_layer(&s, 2);

	(void)state;
	(void)sample_index(p, "docker.io/library/x:1", &a, 1);
	(void)sample_image(p, "r.example:5000/y@sha256:" HEX_A,
			   "\"architecture\":\"arm\",\"variant\":\"v7\",\"os\":\"linux\"", &b, 1);
	struct pack_image *image = sample_image(
		p, NULL, "\"architecture\":\"amd64\",\"os.version\":\"10.0.17763.1\",\"os\":\"windows\"", &b, 1);
	image->has_source = false;
	p->blobs[pack_find_blob(p, &b.digest)].absent = true;
	AUTO(layout) l = layout_new(p, NULL, &sample_err);
	if (!l)
		fail_msg("%s", sample_err.text);
	AUTO(toc) t = toc_parse(l->toc.data, l->toc.len, &sample_err);
	if (!t)
		fail_msg("%s in %s", sample_err.text, l->toc.data);
	assert_int_equal(t->member_count, l->count - 1);
	for (size_t i = 0; i < t->member_count; i++) {
		assert_string_equal(t->members[i].name, l->members[i + 1].name);
		assert_memory_equal(&t->members[i].promise, &l->members[i + 1].promise, sizeof(struct promise));
	}
	assert_int_equal(t->absent_count, 1);
	assert_memory_equal(&t->absent[0], &b, sizeof(b));
	assert_int_equal(t->image_count, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct pack_image *from = &p->images[i];
		assert_int_equal(t->images[i].platform_count, from->manifest_count);
		for (size_t k = 0; k < from->manifest_count; k++) {
			assert_true(platform_equal(&t->images[i].platforms[k].platform, &from->manifests[k].platform));
			assert_string_equal(t->images[i].platforms[k].platform.os_version,
					    from->manifests[k].platform.os_version);
			assert_memory_equal(&t->images[i].platforms[k].manifest,
					    &p->blobs[from->manifests[k].blob].promise.digest, sizeof(struct digest));
		}
		assert_int_equal(t->images[i].has_source, from->has_source);
	}
	assert_null(t->images[2].name);
}

/* Platforms as odd configs give them come back as they were: else an archive would not open that was just written. */
static void odd_platforms_come_back(void **state)
{
	static const char *const rows[] = {
		AMD64,
		ARM64,
		"\"architecture\":\"arm64\",\"variant\":\"v8\",\"os\":\"linux\"",
		"\"architecture\":\"arm64\",\"variant\":\"v9\",\"os\":\"linux\"",
		"\"architecture\":\"aarch64\",\"os\":\"Linux\"",
		"\"architecture\":\"x86_64\",\"variant\":\"v3\",\"os\":\"linux\"",
		"\"architecture\":\"arm\",\"os\":\"linux\"",
		"\"architecture\":\"arm\",\"variant\":\"6\",\"os\":\"linux\"",
		"\"architecture\":\"armhf\",\"os\":\"linux\"",
		"\"architecture\":\"armel\",\"os\":\"linux\"",
		"\"architecture\":\"i386\",\"os\":\"macos\"",
		"\"architecture\":\"\",\"os\":\"linux\"",
		"\"architecture\":\"amd64\",\"os\":\"\"",
		"\"architecture\":\"\",\"os\":\"\",\"variant\":\"v1\"",
		"\"architecture\":\"amd64\",\"os\":\"windows\",\"os.version\":\"10.0\",\"variant\":\"v1\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(pack) p = pack_new(&sample_err);
		struct promise a = promise_of("a", 1);
		const struct pack_image *image = sample_image(p, "r.example/x:1", rows[i], &a, 1);
		const struct platform *want = &image->manifests[0].platform;
		AUTO(layout) l = layout_new(p, NULL, &sample_err);
		AUTO(toc) t = toc_parse(l->toc.data, l->toc.len, &sample_err);
		if (!t)
			fail_msg("row %zu: %s in %s", i, sample_err.text, l->toc.data);
		if (!*want->os && !*want->architecture)
			continue;
		assert_true(platform_equal(&t->images[0].platforms[0].platform, want));
		assert_string_equal(t->images[0].platforms[0].platform.os_version, want->os_version);
	}
}

/* A name that toc_parse() would refuse is not written. */
static void odd_names_are_not_written(void **state)
{
	AUTO(pack) p = pack_new(&sample_err);
	struct promise a = promise_of("a", 1);
	struct err e = { 0 };

	(void)state;
	(void)sample_image(p, "nginx", AMD64, &a, 1);
	assert_null(layout_new(p, NULL, &e));
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.text, "'nginx' is not a full image name"));
	struct layout_options options = { .no_toc = true };
	AUTO(layout) l = layout_new(p, &options, &sample_err); /* a daemon may be told so all the same */
	assert_non_null(l);
}

/* A TOC of exactly LIMIT_MEMBERS members (it is one itself) is read, one more is not; the same for images, platforms.
 */
static void limits(void **state)
{
	static const struct {
		size_t images, platforms, blobs;
		const char *says;
	} rows[] = {
		{ 1, 1, LIMIT_MEMBERS - 4, NULL },
		{ 1, 1, LIMIT_MEMBERS - 3, "members has 262144 entries, at most 262143" },
		{ LIMIT_IMAGES, 1, 1, NULL },
		{ LIMIT_IMAGES + 1, 1, 1, "images has 4097 entries, at most 4096" },
		{ 1, LIMIT_INDEX_ENTRIES, 1, NULL },
		{ 1, LIMIT_INDEX_ENTRIES + 1, 1, "platforms has 1025 entries, at most 1024" },
	};

	(void)state;
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
		AUTO_BUF b = { 0 };
		const char *zero = "0000000000000000000000000000000000000000000000000000000000000000";
		char hex[DIGEST_HEX_SIZE];
		struct err e = { 0 };
		OK(buf_puts(&b, HEAD, &e));
		for (size_t i = 0; i < rows[r].images; i++) {
			OK(buf_printf(&b, &e,
				      "%s{\"name\":\"r.example/"
				      "x:%zu\",\"root\":\"sha256:%s\",\"mediaType\":\"\",\"platforms\":[",
				      i ? "," : "", i, zero));
			for (size_t k = 0; k < rows[r].platforms; k++)
				OK(buf_printf(&b, &e, "%s{\"manifest\":\"sha256:%s\"}", k ? "," : "", zero));
			OK(buf_puts(&b, "]}", &e));
		}
		OK(buf_puts(&b, MIDDLE, &e));
		for (size_t i = 0; i < rows[r].blobs; i++) {
			struct promise p = promise_of(&i, sizeof(i));
			const char *blob = i ? digest_hex(&p.digest, hex) : zero;
			OK(buf_printf(&b, &e, "{\"name\":\"blobs/sha256/%s\",\"size\":1,\"sha256\":\"%s\"},", blob,
				      blob));
		}
		OK(buf_puts(&b, PAPERS TAIL, &e));
		AUTO(toc) t = toc_parse(b.data, b.len, &e);
		if (!rows[r].says && !t)
			fail_msg("row %zu: %s", r, e.text);
		if (rows[r].says && (t || !strstr(e.text, rows[r].says)))
			fail_msg("row %zu: %s", r, t ? "taken" : e.text);
	}

	AUTO_MEM char *huge = calloc(1, LIMIT_TOC + 1);
	struct err e = { 0 };
	assert_non_null(huge);
	assert_null(toc_parse(huge, LIMIT_TOC + 1, &e));
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.text, "at most 67108864 are allowed"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_one),
		cmocka_unit_test(refused),
		cmocka_unit_test(near_misses_are_good),
		cmocka_unit_test(one_spelling_only),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(odd_platforms_come_back),
		cmocka_unit_test(odd_names_are_not_written),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
