/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: the layout's arithmetic, its frame and its stream give one and the same tar, which other programs read
 * (libarchive, GNU tar, Python); every changed frame byte and every wrong length is found and named.
 */
#include "sample.h"

#include "base/limits.h"
#include "stream/sink.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct fixture {
	struct store store;
	struct pack *p;
	struct layout *l;
};

/* Two images that share a layer, one of them behind an index; layers of 1 byte, of a whole block and in between. */
static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char block[2 * TAR_BLOCK];

	assert_non_null(f);
	memset(block, 'b', sizeof(block));
	f->p = pack_new(&sample_err);
	struct promise layers[4] = { store_add(&f->store, "x", 1), store_add(&f->store, block, sizeof(block)),
				     sample_layer(&f->store, 40), store_add(&f->store, "", 0) };
	(void)sample_index(f->p, "docker.io/library/two:1", layers, 3);
	(void)sample_image(f->p, "r.example:5000/team/app:1.0", AMD64, layers + 1, 3);
	f->l = layout_new(f->p, NULL, &sample_err);
	if (!f->l)
		fail_msg("%s", sample_err.text);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	layout_free(f->l);
	pack_free(f->p);
	store_release(&f->store);
	free(f);
	return 0;
}

/* The layout filled as fetch does it: the frame, then each blob at its place. */
static struct space *fill(const struct layout *l, struct store *s)
{
	struct space *space = space_scratch(&sample_err);

	assert_non_null(space);
	for (size_t i = l->count; i-- > 0;) { /* last one first: the order does not matter */
		const struct member *m = &l->members[i];
		if (m->bytes)
			continue;
		AUTO(source) src = store_open(s, &l->pack->blobs[m->blob], &sample_err);
		AUTO(sink) dst = sink_space(space, m->data, m->promise.size, &sample_err);
		assert_true(src && dst);
		OK(pump(src, dst, &sample_err));
	}
	OK(layout_write_frame(l, space, &sample_err));
	return space;
}

static void slurp_space(struct space *space, struct buf *out)
{
	AUTO(source) src = source_space(space, 0, space_size(space), &sample_err);

	assert_non_null(src);
	OK(source_slurp(src, 1u << 30, out, &sample_err));
}

/* A small archive byte by byte: what stands where, and what each header says. */
static void golden(void **state)
{
	AUTO(pack) p = pack_new(&sample_err);
	struct promise blob = promise_of("hello", 5);
	AUTO_BUF tar = { 0 };
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	assert_int_equal(pack_add_blob(p, &blob, BLOB_OTHER, NULL, "hello", &sample_err), 0);
	AUTO(layout) l = layout_new(p, NULL, &sample_err);
	if (!l)
		fail_msg("%s", sample_err.text);
	sample_tar(l, NULL, &tar);

	static const char hello[] = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
	static const char toc[] = "{\"imgpack\":1,\"images\":[],\"members\":["
				  "{\"name\":\"blobs/sha256/"
				  "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\",\"size\":5,"
				  "\"sha256\":\"2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\"},"
				  "{\"name\":\"oci-layout\",\"size\":30,"
				  "\"sha256\":\"18f0797eab35a4597c1e9624aa4f15fd91f6254e5538c1e0d193b2a95dd4acc6\"},"
				  "{\"name\":\"index.json\",\"size\":88,"
				  "\"sha256\":\"dff9de10919148711140d349bf03f1a99eb06f94b03e51715ccebfa7cdc518e2\"},"
				  "{\"name\":\"manifest.json\",\"size\":2,"
				  "\"sha256\":\"4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945\"}]}";
	assert_int_equal(l->count, 5);
	assert_string_equal(l->members[0].bytes, toc);
	struct promise tp = promise_of(toc, strlen(toc));
	assert_memory_equal(&l->id, &tp.digest, sizeof(l->id));

	/* Header, name, mode, ids, size, time, checksum, type, magic: the whole block, zeros elsewhere. */
	static const struct {
		size_t off;
		const char *text;
		size_t len;
	} fields[] = {
		{ 0, "blobs/sha256/", 13 }, { 13, hello, 64 },     { 100, "0000644", 8 },
		{ 108, "0000000", 8 },      { 116, "0000000", 8 }, { 124, "00000000005", 12 },
		{ 136, "00000000000", 12 }, { 156, "0", 1 },       { 257, "ustar\00000", 8 },
		{ 329, "0000000", 8 },      { 337, "0000000", 8 },
	};
	char header[TAR_BLOCK] = { 0 };
	unsigned sum = 8 * ' ';
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		memcpy(header + fields[i].off, fields[i].text, fields[i].len);
	for (size_t i = 0; i < TAR_BLOCK; i++)
		sum += (unsigned char)header[i];
	(void)snprintf(header + 148, 8, "%06o", sum);
	header[155] = ' ';
	const struct member *m = &l->members[1];
	assert_int_equal(m->header, 512 + 1024);
	assert_int_equal(m->data, 512 + 1024 + 512);
	assert_memory_equal(tar.data + m->header, header, TAR_BLOCK);
	assert_memory_equal(tar.data + m->data, "hello\0", 6);

	assert_int_equal(l->size, 512 + 1024 + 4 * 1024 + 1024);
	assert_int_equal(tar.len, l->size);
	for (size_t i = tar.len - 1024; i < tar.len; i++)
		assert_int_equal(tar.data[i], 0);
	struct promise all = promise_of(tar.data, tar.len);
	assert_string_equal(digest_hex(&all.digest, hex),
			    "45d4f707e66ed1459c6616d896672d0f812273a48743b7e48bdf3e53b76f54bb");
}

/* Whatever way it is made, these are the bytes; and the layout of the same content built again is the same. */
static void one_tar(void **state)
{
	struct fixture *f = *state;
	AUTO(space) space = fill(f->l, &f->store);
	AUTO_BUF filled = { 0 };
	AUTO_BUF streamed = { 0 };
	AUTO_BUF again = { 0 };
	char piece[7];
	ssize_t n;

	slurp_space(space, &filled);
	sample_tar(f->l, &f->store, &streamed);
	assert_int_equal(filled.len, f->l->size);
	assert_int_equal(streamed.len, filled.len);
	assert_memory_equal(streamed.data, filled.data, filled.len);
	OK(layout_check_frame(f->l, space, &sample_err));

	/* Read in small bites; and the end stays the end. */
	AUTO(source) src = layout_source(f->l, store_open, &f->store, &sample_err);
	assert_non_null(src);
	while ((n = source_read(src, piece, sizeof(piece), &sample_err)) > 0)
		OK(buf_add(&again, piece, (size_t)n, &sample_err));
	assert_int_equal(n, 0);
	assert_int_equal(source_read(src, piece, sizeof(piece), &sample_err), 0);
	assert_int_equal(again.len, filled.len);
	assert_memory_equal(again.data, filled.data, filled.len);
}

static void members_as_planned(void **state)
{
	struct fixture *f = *state;
	const struct layout *l = f->l;
	uint64_t at = 0;
	size_t blob = 0;

	for (size_t i = 0; i < l->count; i++) {
		assert_int_equal(l->members[i].header, at);
		assert_int_equal(l->members[i].data, at + TAR_BLOCK);
		at += TAR_BLOCK + (l->members[i].promise.size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
		if (l->members[i].blob >= 0)
			assert_int_equal(l->members[i].blob, blob++);
	}
	assert_int_equal(blob, f->p->blob_count);
	assert_int_equal(l->size, at + 2 * TAR_BLOCK);
	assert_string_equal(l->members[0].name, TOC_NAME);
	assert_string_equal(l->members[l->count - 3].name, "oci-layout");
	assert_string_equal(l->members[l->count - 2].name, "index.json");
	assert_string_equal(l->members[l->count - 1].name, "manifest.json");

	struct layout_options no_toc = { .no_toc = true };
	AUTO(layout) a = layout_new(f->p, &no_toc, &sample_err);
	assert_non_null(a);
	assert_int_equal(a->count, l->count - 1);
	assert_string_equal(a->members[0].name, l->members[1].name);
	struct digest none = { 0 };
	assert_memory_equal(&a->id, &none, sizeof(none));

	struct layout_options docker = { .no_index = true };
	AUTO(layout) b = layout_new(f->p, &docker, &sample_err);
	assert_non_null(b);
	assert_int_equal(b->count, f->p->blob_count + 1);
	assert_string_equal(b->members[b->count - 1].name, "manifest.json");

	f->p->blobs[3].absent = true;
	AUTO(layout) c = layout_new(f->p, NULL, &sample_err);
	assert_non_null(c);
	assert_int_equal(c->count, l->count - 1);
	assert_int_equal(c->members[4].blob, 4);
	assert_non_null(strstr(c->toc.data, "\"absent\":[{\"digest\":"));
	assert_memory_not_equal(&c->id, &l->id, sizeof(c->id));
}

/* Each byte outside the blobs, one after the other: found, and the offset is said. */
static void every_frame_byte(void **state)
{
	struct fixture *f = *state;
	AUTO(space) space = fill(f->l, &f->store);
	AUTO_BUF tar = { 0 };
	AUTO_MEM char *is_blob = calloc(1, f->l->size);
	char want[64];

	assert_non_null(is_blob);
	for (size_t i = 0; i < f->l->count; i++)
		if (f->l->members[i].blob >= 0)
			memset(is_blob + f->l->members[i].data, 1, f->l->members[i].promise.size);
	slurp_space(space, &tar);
	for (size_t at = 0; at < tar.len; at++) {
		struct err e = { 0 };
		char bad = (char)(tar.data[at] ^ 0x40);
		OK(space_pwrite(space, &bad, 1, at, &sample_err));
		int rc = layout_check_frame(f->l, space, &e);
		if (is_blob[at]) {
			assert_int_equal(rc, 0);
		} else {
			assert_int_equal(rc, -1);
			assert_int_equal(e.kind, ERR_CORRUPT);
			(void)snprintf(want, sizeof(want), "byte %zu", at);
			if (!strstr(e.text, want))
				fail_msg("'%s' does not say '%s'", e.text, want);
		}
		OK(space_pwrite(space, tar.data + at, 1, at, &sample_err));
	}
	OK(layout_check_frame(f->l, space, &sample_err));
}

static void what_the_check_says(void **state)
{
	struct fixture *f = *state;
	const struct layout *l = f->l;
	AUTO(space) space = fill(l, &f->store);
	const struct member *last = &l->members[l->count - 1];
	const struct {
		uint64_t off;
		const char *says;
	} rows[] = {
		{ 0, "imgpack.json: byte 0: its tar header has 0xff, expected 0x69" },
		{ 512, "imgpack.json: byte 512 (0 of the member) has 0xff, expected 0x7b" },
		{ last->data + last->promise.size, "manifest.json: byte " },
		{ last->data + last->promise.size, ": the padding behind it is 0xff, expected 0x00" },
		{ l->size - 1024, "the end blocks have 0xff" },
		{ l->size - 1, "the end blocks have 0xff" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct err e = { 0 };
		char old;
		OK(space_pread(space, &old, 1, rows[i].off, &sample_err));
		OK(space_pwrite(space, "\xff", 1, rows[i].off, &sample_err));
		assert_int_equal(layout_check_frame(l, space, &e), -1);
		if (!strstr(e.text, rows[i].says))
			fail_msg("'%s' does not say '%s'", e.text, rows[i].says);
		OK(space_pwrite(space, &old, 1, rows[i].off, &sample_err));
	}
}

static void wrong_lengths(void **state)
{
	struct fixture *f = *state;
	AUTO(space) space = fill(f->l, &f->store);
	AUTO(space) shorter = space_scratch(&sample_err);
	AUTO_BUF tar = { 0 };
	struct err e = { 0 };
	char want[80];

	slurp_space(space, &tar);
	assert_non_null(shorter);
	OK(space_pwrite(shorter, tar.data, tar.len - 512, 0, &sample_err));
	assert_int_equal(layout_check_frame(f->l, shorter, &e), -1);
	(void)snprintf(want, sizeof(want), "has %zu bytes, must have %zu: 512 are missing", tar.len - 512, tar.len);
	assert_string_equal(e.text, want);
	assert_int_equal(e.kind, ERR_CORRUPT);

	OK(space_pwrite(space, "\0", 1, tar.len, &sample_err));
	assert_int_equal(layout_check_frame(f->l, space, &e), -1);
	(void)snprintf(want, sizeof(want), "has %zu bytes, must have %zu: 1 too many behind the end", tar.len + 1,
		       tar.len);
	assert_string_equal(e.text, want);
}

/* Blob sources that do not keep the promise: their failure is the stream's, and stays. */
enum trouble { SHORT, LONG, BROKEN, CLOSED };
struct bad_store {
	struct store *store;
	enum trouble trouble;
};

static struct source *bad_open(void *ctx, const struct pack_blob *blob, struct err *e)
{
	static const char bytes[8192];
	const struct bad_store *b = ctx;
	struct promise wrong = blob->promise;

	switch (b->trouble) {
	case SHORT: /* unverified, and its end comes early */
		return source_memory(bytes, (size_t)blob->promise.size - 1, e);
	case LONG:
		return source_memory(bytes, (size_t)blob->promise.size + 1, e);
	case BROKEN: /* right length, wrong bytes: the verdict comes behind the last byte */
		return source_verify(source_memory(bytes, (size_t)blob->promise.size, e), &wrong, e);
	case CLOSED:
		break;
	}
	err_set(e, ERR_NETWORK, "connection lost");
	return NULL;
}

static void sources_that_fail(void **state)
{
	static const struct {
		enum trouble trouble;
		enum err_kind kind;
		const char *says;
	} rows[] = {
		{ SHORT, ERR_CORRUPT, ": ended at 0 of 1 bytes" },
		{ LONG, ERR_CORRUPT, ": gave more than its 1 bytes" },
		{ BROKEN, ERR_CORRUPT, ": has digest sha256:" },
		{ CLOSED, ERR_NETWORK, ": connection lost" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bad_store bad = { &f->store, rows[i].trouble };
		AUTO(source) src = layout_source(f->l, bad_open, &bad, &sample_err);
		struct err e = { 0 };
		struct err again = { 0 };
		char byte;
		AUTO_BUF out = { 0 };
		assert_non_null(src);
		assert_int_equal(source_slurp(src, 1u << 30, &out, &e), -1);
		assert_int_equal(e.kind, rows[i].kind);
		if (!strstr(e.text, rows[i].says) || !strstr(e.text, "blobs/sha256/"))
			fail_msg("'%s' does not say '%s'", e.text, rows[i].says);
		assert_int_equal(source_read(src, &byte, 1, &again), -1);
		assert_string_equal(again.text, e.text);
		/* The next member's header was not given. */
		assert_true(out.len <= f->l->members[4].data + 1);
	}
	AUTO(source) src = layout_source(f->l, NULL, NULL, &sample_err);
	struct err e = { 0 };
	AUTO_BUF out = { 0 };
	assert_int_equal(source_slurp(src, 1u << 30, &out, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
}

/* Bytes in memory are proved as well. */
static void memory_is_proved(void **state)
{
	struct fixture *f = *state;
	struct err e = { 0 };
	AUTO_BUF out = { 0 };

	f->p->blobs[0].bytes[3] ^= 1;
	AUTO(source) src = layout_source(f->l, store_open, &f->store, &sample_err);
	assert_int_equal(source_slurp(src, 1u << 30, &out, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	f->p->blobs[0].bytes[3] ^= 1;
}

static void too_large_for_a_file(void **state)
{
	AUTO(pack) p = pack_new(&sample_err);
	struct promise a = promise_of("a", 1);
	struct promise b = promise_of("b", 1);
	struct err e = { 0 };

	(void)state;
	a.size = INT64_MAX - 100000;
	assert_int_equal(pack_add_blob(p, &a, BLOB_LAYER, NULL, NULL, &sample_err), 0);
	AUTO(layout) l = layout_new(p, NULL, &sample_err);
	assert_non_null(l);
	assert_true(l->size <= INT64_MAX);
	b.size = 200000;
	assert_int_equal(pack_add_blob(p, &b, BLOB_LAYER, NULL, NULL, &sample_err), 1);
	assert_null(layout_new(p, NULL, &e));
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.text, "larger than a file can be"));
	p->blobs[1].promise.size = INT64_MAX;
	assert_null(layout_new(p, NULL, &e));
	assert_non_null(strstr(e.text, "larger than a file can be"));
}

static void members_limit(void **state)
{
	AUTO(pack) p = pack_new(&sample_err);
	struct err e = { 0 };

	(void)state;
	for (unsigned i = 0; i < LIMIT_MEMBERS - 3; i++) {
		struct promise a = promise_of(&i, sizeof(i));
		assert_true(pack_add_blob(p, &a, BLOB_LAYER, NULL, NULL, &sample_err) >= 0);
	}
	assert_null(layout_new(p, NULL, &e));
	assert_int_equal(e.kind, ERR_USAGE);
	p->blobs[77].absent = true;
	AUTO(layout) l = layout_new(p, NULL, &e);
	if (!l)
		fail_msg("%s", e.text);
	assert_int_equal(l->count, LIMIT_MEMBERS);
	AUTO(toc) t = toc_parse(l->toc.data, l->toc.len, &e);
	if (!t)
		fail_msg("%s", e.text);
	assert_int_equal(t->absent_count, 1);
}

/* Other programs. */

static int run(const char *const argv[])
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		AUTO_FD int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		(void)dup2(null, 1);
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_true(pid > 0);
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

struct folder {
	char path[64];
};

static struct folder folder_make(void)
{
	struct folder f = { "/tmp/imgpack-layout.XXXXXX" };

	assert_non_null(mkdtemp(f.path));
	return f;
}

static void folder_remove(struct folder *f)
{
	const char *const argv[] = { "rm", "-rf", f->path, NULL };

	assert_int_equal(run(argv), 0);
}

static void write_file(const char *folder, const char *name, const char *bytes, size_t len)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void libarchive_reads_it(void **state)
{
	struct fixture *f = *state;
	AUTO_BUF tar = { 0 };
	struct archive *a = archive_read_new();
	struct archive_entry *entry;

	sample_tar(f->l, &f->store, &tar);
	assert_int_equal(archive_read_support_format_tar(a), ARCHIVE_OK);
	assert_int_equal(archive_read_open_memory(a, tar.data, tar.len), ARCHIVE_OK);
	for (size_t i = 0; i < f->l->count; i++) {
		const struct member *m = &f->l->members[i];
		struct digest d;
		AUTO_MEM char *bytes = malloc(m->promise.size + 1);
		assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_OK);
		assert_int_equal(archive_format(a), ARCHIVE_FORMAT_TAR_USTAR);
		assert_string_equal(archive_entry_pathname(entry), m->name);
		assert_int_equal(archive_entry_size(entry), m->promise.size);
		assert_int_equal(archive_entry_mode(entry), S_IFREG | 0644);
		assert_int_equal(archive_entry_mtime(entry), 0);
		assert_int_equal(archive_entry_uid(entry), 0);
		assert_int_equal(archive_read_data(a, bytes, m->promise.size + 1), m->promise.size);
		OK(digest_of(&d, bytes, m->promise.size, &sample_err));
		assert_memory_equal(&d, &m->promise.digest, sizeof(d));
	}
	assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_EOF);
	assert_int_equal(archive_read_free(a), ARCHIVE_OK);
}

/* GNU tar extracts without a word on stderr; sha256sum agrees on every member. Python lists what the TOC says. */
static void tar_and_python_read_it(void **state)
{
	static const char gnu[] =
		"cd \"$1\" && tar -xf a.tar 2> said && test ! -s said && "
		"cd blobs/sha256 && for f in *; do echo \"$f  $f\"; done | sha256sum -c --quiet --strict";
	static const char python[] =
		"import sys, tarfile, json, hashlib\n"
		"t = tarfile.open(sys.argv[1] + '/a.tar', 'r:')\n"
		"m = t.getmembers()\n"
		"toc = json.load(t.extractfile(m[0]))\n"
		"assert m[0].name == 'imgpack.json' and len(m) == len(toc['members']) + 1\n"
		"for have, want in zip(m[1:], toc['members']):\n"
		"    data = t.extractfile(have).read()\n"
		"    assert (have.name, have.size) == (want['name'], want['size']) and have.mode == 0o644\n"
		"    assert hashlib.sha256(data).hexdigest() == want['sha256']\n"
		"    assert have.isfile() and not have.pax_headers and have.mtime == 0\n";
	struct fixture *f = *state;
	struct folder folder = folder_make();
	AUTO_BUF tar = { 0 };
	const char *const gnu_argv[] = { "sh", "-c", gnu, "sh", folder.path, NULL };
	const char *const python_argv[] = { "python3", "-c", python, folder.path, NULL };

	sample_tar(f->l, &f->store, &tar);
	write_file(folder.path, "a.tar", tar.data, tar.len);
	assert_int_equal(run(gnu_argv), 0);
	assert_int_equal(run(python_argv), 0);
	folder_remove(&folder);
}

/* 11 octal digits end at 8 GiB - 1. A sparse file of a header, the data's hole, and a second member behind it. */
static void eight_gigabytes(void **state)
{
	static const char python[] =
		"import sys, tarfile\n"
		"m = tarfile.open(sys.argv[1] + '/a.tar', 'r:').getmembers()\n"
		"assert [(x.name, x.size) for x in m] == [('big', int(sys.argv[2])), ('next', 3)], m\n";
	static const char gnu[] = "cd \"$1\" && tar -tvf a.tar 2> said > list && test ! -s said && "
				  "grep -q \" $2 .* big$\" list && grep -q ' 3 .* next$' list";
	static const uint64_t sizes[] = { (UINT64_C(1) << 33) - 1, UINT64_C(1) << 33, (UINT64_C(1) << 33) + 1,
					  (UINT64_C(1) << 40) + 513 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct folder folder = folder_make();
		char path[128];
		char header[TAR_BLOCK];
		char size[32];
		uint64_t next = TAR_BLOCK + (sizes[i] + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
		const char *const gnu_argv[] = { "sh", "-c", gnu, "sh", folder.path, size, NULL };
		const char *const python_argv[] = { "python3", "-c", python, folder.path, size, NULL };

		(void)snprintf(size, sizeof(size), "%" PRIu64, sizes[i]);
		(void)snprintf(path, sizeof(path), "%s/a.tar", folder.path);
		int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		tar_header(header, "big", sizes[i]);
		assert_int_equal((unsigned char)header[124] == 0x80, sizes[i] >= UINT64_C(1) << 33);
		assert_int_equal(pwrite(fd, header, TAR_BLOCK, 0), TAR_BLOCK);
		tar_header(header, "next", 3);
		assert_int_equal(pwrite(fd, header, TAR_BLOCK, (off_t)next), TAR_BLOCK);
		assert_int_equal(ftruncate(fd, (off_t)next + 4 * TAR_BLOCK), 0);

		struct archive *a = archive_read_new();
		struct archive_entry *entry;
		assert_int_equal(archive_read_support_format_tar(a), ARCHIVE_OK);
		assert_int_equal(archive_read_open_filename(a, path, 1u << 20), ARCHIVE_OK);
		assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_OK);
		assert_int_equal(archive_entry_size(entry), sizes[i]);
		assert_int_equal(archive_read_next_header(a, &entry), ARCHIVE_OK);
		assert_string_equal(archive_entry_pathname(entry), "next");
		assert_int_equal(archive_read_free(a), ARCHIVE_OK);
		assert_int_equal(run(gnu_argv), 0);
		assert_int_equal(run(python_argv), 0);
		(void)close(fd);
		folder_remove(&folder);
	}
}

static void many_layers(void **state)
{
	__attribute__((cleanup(store_release))) struct store s = { 0 };
	AUTO(pack) p = pack_new(&sample_err);
	AUTO_MEM struct promise *layers = calloc(LIMIT_LAYERS, sizeof(*layers));
	AUTO_BUF tar = { 0 };

	(void)state;
	assert_non_null(layers);
	for (unsigned i = 0; i < LIMIT_LAYERS; i++)
		layers[i] = sample_layer(&s, i);
	(void)sample_image(p, "docker.io/library/deep:1", AMD64, layers, LIMIT_LAYERS);
	AUTO(layout) l = layout_new(p, NULL, &sample_err);
	if (!l)
		fail_msg("%s", sample_err.text);
	assert_int_equal(l->count, 1 + 2 + LIMIT_LAYERS + 3);
	sample_tar(l, &s, &tar);
	AUTO(space) space = fill(l, &s);
	OK(layout_check_frame(l, space, &sample_err));
	assert_int_equal(tar.len, space_size(space));
	AUTO(toc) t = toc_parse(l->toc.data, l->toc.len, &sample_err);
	assert_non_null(t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Every byte of the archive is of the frame or of one blob's place, however it is asked for. */
static void parts_are_all_bytes(void **state)
{
	static const size_t lengths[] = { 1, 7, 512, 1500, SIZE_MAX };
	struct fixture *f = *state;
	AUTO(space) space = fill(f->l, &f->store);
	AUTO_BUF whole = { 0 };

	slurp_space(space, &whole);
	for (size_t k = 0; k < sizeof(lengths) / sizeof(*lengths); k++)
		for (uint64_t off = 0; off < f->l->size;) {
			const uint64_t left = f->l->size - off;
			const size_t len = left < lengths[k] ? (size_t)left : lengths[k];
			AUTO_MEM char *buf = malloc(len);
			const struct member *m;
			uint64_t from;
			assert_non_null(buf);
			const size_t n = layout_part(f->l, off, len, buf, &m, &from);
			assert_in_range(n, 1, len);
			if (m) {
				assert_null(m->bytes);
				assert_int_equal(m->data + from, off);
				assert_true(from + n <= m->promise.size);
			} else {
				assert_memory_equal(buf, whole.data + off, n);
			}
			off += n;
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
		TEST(parts_are_all_bytes),
		TEST(one_tar),
		TEST(members_as_planned),
		TEST(every_frame_byte),
		TEST(what_the_check_says),
		TEST(wrong_lengths),
		TEST(sources_that_fail),
		TEST(memory_is_proved),
		cmocka_unit_test(too_large_for_a_file),
		cmocka_unit_test(members_limit),
		TEST(libarchive_reads_it),
		TEST(tar_and_python_read_it),
		cmocka_unit_test(eight_gigabytes),
		cmocka_unit_test(many_layers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
