/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: of a manifest, Compose file, Dockerfile or list exactly the images are seen, in its order and with their lines;
 * variables are read as their tools read them; whatever is broken or without end is one sight with a line, never a
 * crash.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "base/own.h"
#include "oci/interpolate.h"
#include "oci/scan.h"
#include "oci/yamltree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *variable(void *ctx, const char *name)
{
	(void)ctx;
	return !strcmp(name, "SET") ? "set" : !strcmp(name, "EMPTY") ? "" : NULL;
}

static void read_kind(struct sights *out, enum scan_kind kind, const char *text, size_t len)
{
	const struct scan_input in = { .bytes = text, .len = len, .kind = kind, .variable = variable };

	assert_int_equal(scan_read(out, &in, NULL), 0);
}

/* "LINE KIND TEXT;" of each; images without docker.io/library/. */
static void sees(enum scan_kind kind, const char *text, const char *want)
{
	static const char kinds[] = "iudtb"; /* image, unresolved, doubt, template, broken */
	AUTO_SIGHTS sights = { 0 };
	AUTO_BUF have = { 0 };

	read_kind(&sights, kind, text, strlen(text));
	for (size_t i = 0; i < sights.count; i++) {
		const struct sight *s = &sights.items[i];
		const char *name = s->text;
		if (!strncmp(name, "docker.io/library/", 18))
			name += 18;
		assert_int_equal(buf_printf(&have, NULL, "%zu%c %s;", s->line, kinds[s->kind], name), 0);
	}
	assert_string_equal(have.data ? have.data : "", want);
}

static void manifests(void **unused)
{
	(void)unused;
	sees(SCAN_YAML, "containers:\n- image: a\n- {image: 'b:1'}\n- image:\n- image: B\n- image: null\n",
	     "2i a:latest;3i b:1;4u ;5u B;6u ;");
	sees(SCAN_YAML, "x: {image: a}\ny: {image: 'a:1'}\nz: {image: q.io/a}\nw: {image: q.io/a.PNG}\n",
	     "1d a;2i a:1;3i q.io/a:latest;4d q.io/a.PNG;");
	sees(SCAN_YAML, "imagePullPolicy: a:1\nimages: [a:1, b]\nimageURL: 'q.io/a:1'\nsideImage: a@1\n",
	     "2i a:1;4d a@1;");
	sees(SCAN_YAML, "status: {image: 'a:1'}\nspec: {status: {image: 'b:1'}}\n", "2i b:1;");
	sees(SCAN_YAML, "image: {registry: r.io, repository: a/b, tag: 1.10, digest: ''}\n", "1i r.io/a/b:1.10;");
	sees(SCAN_YAML, "image: {repository: a/b}\n---\nimage: {repository: 'https://x/y', tag: 1}\n", "1u a/b;");
	sees(SCAN_YAML, "image: a\nimageTag: '1'\n", "1i a:1;");
	sees(SCAN_YAML, "args: [--x-image=a:1, --y-image, 'b:2', --z-image, -q, '--w=c:3']\n", "1i a:1;1i b:2;1d -q;");
	sees(SCAN_YAML,
	     "env: [{name: A_IMAGE, value: 'a:1'}, {name: B, value: 'b:1'}, {name: C_IMAGES, value: 'x=c:1,d:1'}]\n",
	     "1i a:1;1i c:1;1i d:1;");
	sees(SCAN_YAML, "a: &x {image: 'a:1'}\nb: *x\nc: {<<: *x}\nd: {<<: *x, image: 'd:1'}\n",
	     "1i a:1;1i a:1;1i a:1;4i d:1;");
	sees(SCAN_YAML, "kind: CustomResourceDefinition\nimage: 'a:1'\n", "");
	sees(SCAN_YAML, "text: |\n  image: a:1\n", "");
	sees(SCAN_YAML, "\xef\xbb\xbf{\"image\": \"a:1\"}", "1i a:1;");
	sees(SCAN_YAML, "containers: [{image: '{{ .x }}'}, {image: \"a\\0b\"}]", "1u {{ .x }};1u ;");
	sees(SCAN_YAML, "", "");
}

static void broken(void **unused)
{
	(void)unused;
	sees(SCAN_YAML, "image: a:1\n---\nb: [\n", "1i a:1;4b ;");
	sees(SCAN_YAML, "a: *nothing\n", "1b ;");
	sees(SCAN_YAML, "a:\n  &x [*x]\n", "2b ;");
	sees(SCAN_YAML, "a: {<<: 1}\n", "1b ;");
	sees(SCAN_YAML, "a\n\xff\n", "2b ;");
	sees(SCAN_YAML, "{{ if x }}\nimage: a:1\n{{ end }}\n", "2t ;");
}

/* levels of lists inside each other: one too many is refused */
static void limits(void **unused)
{
	char deep[2 * LIMIT_YAML_DEPTH + 3];
	AUTO_SIGHTS many = { 0 };
	AUTO_BUF text = { 0 };

	(void)unused;
	for (size_t over = 0; over < 2; over++) {
		const size_t depth = LIMIT_YAML_DEPTH + over;
		memset(deep, '[', depth);
		memset(deep + depth, ']', depth);
		deep[2 * depth] = '\0';
		sees(SCAN_YAML, deep, over ? "1b ;" : "");
	}
	for (size_t i = 0; i < LIMIT_SIGHTS + 5; i++)
		assert_int_equal(buf_puts(&text, "- image: a:1\n", NULL), 0);
	read_kind(&many, SCAN_YAML, text.data, text.len);
	assert_int_equal(many.count, LIMIT_SIGHTS);
	assert_int_equal(many.items[LIMIT_SIGHTS - 2].kind, SIGHT_IMAGE);
	assert_int_equal(many.items[LIMIT_SIGHTS - 1].kind, SIGHT_BROKEN);
	buf_clear(&text);
	for (size_t i = 0; i <= LIMIT_YAML_ANCHORS; i++)
		assert_int_equal(buf_printf(&text, NULL, "- &a%zu x\n", i), 0);
	sees(SCAN_YAML, text.data, "4097b ;");
	buf_clear(&text);
	assert_int_equal(buf_puts(&text, "a: &a\n", NULL), 0);
	for (size_t i = 0; i <= LIMIT_YAML_MERGE; i++)
		assert_int_equal(buf_printf(&text, NULL, "  k%zu: x\n", i), 0);
	assert_int_equal(buf_puts(&text, "b: {<<: *a}\n", NULL), 0);
	sees(SCAN_YAML, text.data, "515b ;");
}

static void compose(void **unused)
{
	(void)unused;
	sees(SCAN_YAML, "services:\n a: {image: a}\n b: {image: 'b:${NO}'}\n c: {build: ., image: c}\n d: {build: .}\n",
	     "2i a:latest;3u b:${NO};4u c;");
	sees(SCAN_YAML, "services: {a: {image: '${SET}:${NO:-1}', x: {image: 'no:1'}}}\nx-y: {image: 'no:1'}\n",
	     "1i set:1;");
	sees(SCAN_YAML, "kind: X\nservices: {a: {image: a}}\n", "2d a;");
}

static void dockerfiles(void **unused)
{
	(void)unused;
	sees(SCAN_DOCKERFILE,
	     "FROM a AS b\nFROM b\nFROM B\nfrom scratch\nCOPY --from=b x y\nCOPY --from=1 x y\nCOPY --from=9 x y\n",
	     "1i a:latest;7i 9:latest;");
	sees(SCAN_DOCKERFILE, "ARG A=1 B\nFROM x:$A\nARG A=2\nFROM x:${A}\nFROM y:$B\nFROM z:${C:-3}\n",
	     "2i x:1;4i x:1;5u y:$B;6i z:3;");
	sees(SCAN_DOCKERFILE,
	     "FROM \\\r\n# no\r\n\r\n  a:1\r\nRUN <<A cat <<-'B'\nFROM n:1\nA\nFROM n:2\n\tB\nFROM b:1",
	     "1i a:1;10i b:1;");
	sees(SCAN_DOCKERFILE, "# syntax=s/t:1\n# escape=`\n# x\nFROM a:1 `\n AS q\nFROM q\n# syntax=no:1\n",
	     "1i docker.io/s/t:1;4i a:1;");
	sees(SCAN_DOCKERFILE, "FROM\n", "1b ;");
	sees(SCAN_DOCKERFILE, "RUN --mount=from=a:1,target=/x --mount=type=bind,from=b:1 true --mount=from=c:1\n",
	     "1i a:1;1i b:1;");
	sees(SCAN_GUESS, "# a comment\n\nARG X=1\nFROM a:$X\n", "4i a:1;");
}

static void lists(void **unused)
{
	(void)unused;
	sees(SCAN_GUESS, "# all\nr.io/a:1\n\n  b:2 # why\r\nc\n", "2i r.io/a:1;4i b:2;5i c:latest;");
	sees(SCAN_GUESS, "just some\nwords\n", "");
	sees(SCAN_GUESS, "image: a:1\n", "1i a:1;");
	sees(SCAN_LIST, "a:1\na b\n", "1i a:1;2u ;");
}

static void expands(const char *text, int want, const char *result)
{
	struct interpolate p = { .variable = variable, .dollars = true };
	AUTO_BUF out = { 0 };

	assert_int_equal(interpolate(&p, text, &out, NULL), want);
	assert_string_equal(want ? out.data : p.missing, result);
}

static void interpolates(void **unused)
{
	(void)unused;
	expands("a$SET-b${SET}c", 1, "aset-bsetc");
	expands("${NO:-d}${EMPTY:-e}${EMPTY-f}${SET:-g}", 1, "deset");
	expands("${SET:+y}${EMPTY:+n}${EMPTY+y}${NO+n}", 1, "yy");
	expands("${NO:-${NO2:-${SET}}/x}", 1, "set/x");
	expands("$$SET", 1, "$SET");
	expands("${NO}", 0, "NO");
	expands("$NO", 0, "NO");
	expands("${SET:?x}${EMPTY?x}${EMPTY:?x}", 0, "EMPTY");
	expands("${SET", 0, "");
	expands("a$", 0, "");
	expands("${}", 0, "");
	expands("${SET%x}", 0, "");
	expands("${NO:-${NO:-${NO:-${NO:-${NO:-${NO:-${NO:-${NO:-${NO:-${NO:-x}}}}}}}}}}", 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(manifests),    cmocka_unit_test(broken),      cmocka_unit_test(limits),
		cmocka_unit_test(compose),      cmocka_unit_test(dockerfiles), cmocka_unit_test(lists),
		cmocka_unit_test(interpolates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
