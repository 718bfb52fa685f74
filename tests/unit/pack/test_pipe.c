/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: an archive that comes through a pipe is known to be good only when its last byte was, whatever was read of it
 * on the way: cuts and changed bytes are refused, content that is not the diff ID's too; blobs come once and
 * in order.
 */
#include "made.h"

#include <pthread.h>
#include <signal.h>

/* A pipe with somebody who writes to it. */
struct line {
	int fds[2];
	const char *bytes;
	size_t len;
	pthread_t writer;
};

static void *write_all(void *arg)
{
	const struct line *l = arg;
	size_t done = 0;

	while (done < l->len) {
		ssize_t n = write(l->fds[1], l->bytes + done, l->len - done);
		if (n <= 0)
			break; /* nobody reads any more */
		done += (size_t)n;
	}
	(void)close(l->fds[1]);
	return NULL;
}

static struct pack_file *line_open(struct line *l, const char *bytes, size_t len, struct err *e)
{
	*l = (struct line){ .bytes = bytes, .len = len };
	assert_int_equal(pipe(l->fds), 0);
	assert_int_equal(pthread_create(&l->writer, NULL, write_all, l), 0);
	return pack_file_open_pipe(l->fds[0], NULL, e);
}

static void line_close(struct line *l)
{
	(void)close(l->fds[0]);
	(void)pthread_join(l->writer, NULL);
}

/* How a load goes: 0 if everything was good to the end. */
static int pass(const char *bytes, size_t len, bool content, struct err *e)
{
	struct line l;
	AUTO(pack_file) f = line_open(&l, bytes, len, e);
	int rc = f && (!content || !pack_file_prove_content(f, e)) && !pack_file_finish(f, e) ? 0 : -1;

	line_close(&l);
	return rc;
}

static void count_problems(void *ctx, const struct pack_problem *p)
{
	(void)p;
	++*(size_t *)ctx;
}

/* How verify goes. */
static int check(const char *bytes, size_t len, size_t *problems, struct err *e)
{
	const struct verify_options options = { .diff_ids = true, .problem = count_problems, .ctx = problems };
	struct line l;
	AUTO(pack_file) f = line_open(&l, bytes, len, e);
	int rc = f ? pack_file_verify(f, &options, NULL, e) : -1;

	line_close(&l);
	return rc;
}

static void good(void **state)
{
	static const size_t sizes[] = { 0, 1, 1000, 300000 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		AUTO_MADE m = { 0 };
		struct err e = { 0 };
		size_t problems = 0;
		made_make(&m, sizes[i], LAYERS, LAYERS);
		if (pass(m.tar.data, m.tar.len, true, &e) || pass(m.tar.data, m.tar.len, false, &e) ||
		    check(m.tar.data, m.tar.len, &problems, &e))
			fail_msg("%zu: %s", sizes[i], e.text);
		assert_int_equal(problems, 0);
	}
}

static void every_cut(void **state)
{
	AUTO_MADE m = { 0 };

	(void)state;
	made_make(&m, 700, LAYERS, LAYERS);
	for (size_t len = 0; len < m.tar.len; len += len % 512 < 2 || len % 512 == 511 ? 1 : 51) {
		struct err e = { 0 };
		size_t problems = 0;
		if (!pass(m.tar.data, len, true, &e) || e.kind != ERR_CORRUPT)
			fail_msg("cut at %zu of %zu: kind %d, %s", len, m.tar.len, e.kind, e.text);
		if (!check(m.tar.data, len, &problems, &e) || e.kind != ERR_CORRUPT)
			fail_msg("verify, cut at %zu of %zu: kind %d, %s", len, m.tar.len, e.kind, e.text);
	}
}

static void flips(void **state)
{
	AUTO_MADE m = { 0 };

	(void)state;
	made_make(&m, 200, LAYERS, LAYERS);
	for (size_t at = 0; at < m.tar.len; at += 23) {
		struct err e = { 0 };
		size_t problems = 0;
		m.tar.data[at] = (char)(m.tar.data[at] ^ (1 << at % 8));
		if (!pass(m.tar.data, m.tar.len, at % 2, &e) || e.kind != ERR_CORRUPT)
			fail_msg("byte %zu of %zu: kind %d, %s", at, m.tar.len, e.kind, e.text);
		if (at % 3 == 0 && (!check(m.tar.data, m.tar.len, &problems, &e) || e.kind != ERR_CORRUPT))
			fail_msg("verify, byte %zu: kind %d, %s", at, e.kind, e.text);
		m.tar.data[at] = (char)(m.tar.data[at] ^ (1 << at % 8));
	}
}

static void something_behind(void **state)
{
	AUTO_MADE m = { 0 };
	struct err e = { 0 };

	(void)state;
	made_make(&m, 1000, LAYERS, LAYERS);
	OK(buf_add(&m.tar, "", 1, &sample_err));
	assert_int_equal(pass(m.tar.data, m.tar.len, false, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_non_null(strstr(e.text, "behind its end"));
}

/* All problems are told, and the walk goes on behind each. */
static void problems_are_listed(void **state)
{
	AUTO_MADE m = { 0 };
	struct err e = { 0 };
	size_t problems = 0;

	(void)state;
	made_make(&m, 1000, LAYERS, LAYERS);
	for (size_t i = 0; i < m.layout->count; i++) {
		const struct member *member = &m.layout->members[i];
		if (member->blob >= 0 && m.pack->blobs[member->blob].role == BLOB_LAYER)
			m.tar.data[member->data + 30] ^= 1;
	}
	assert_int_equal(check(m.tar.data, m.tar.len, &problems, &e), -1);
	assert_int_equal(problems, LAYERS);
}

static void liars(void **state)
{
	(void)state;
	for (size_t liar = 0; liar < LAYERS; liar++) {
		for (int broken = 0; broken < 2; broken++) {
			AUTO_MADE m = { 0 };
			struct err e = { 0 };
			/* A plain layer that is cut has another diff ID, and nothing that could break. */
			made_make(&m, 200000, broken ? LAYERS : liar, broken ? liar : LAYERS);
			assert_int_equal(pass(m.tar.data, m.tar.len, true, &e), -1);
			assert_int_equal(e.kind, ERR_CORRUPT);
			if (!broken && !strstr(e.text, "diff ID"))
				fail_msg("liar %zu: %s", liar, e.text);
			/* Its digest is right. */
			OK(pass(m.tar.data, m.tar.len, false, &sample_err));
		}
	}
}

static const struct pack_blob *layer_of(const struct pack_file *f, const struct made *m, size_t i)
{
	return &f->pack->blobs[pack_find_blob(f->pack, &m->layers[i].digest)];
}

/* What is read is what is stored, also where the content is proved beside; what is not read is proved on the way. */
static void blobs_in_order(void **state)
{
	AUTO_MADE m = { 0 };
	struct line l;
	char piece[777];

	(void)state;
	made_make(&m, 300000, LAYERS, LAYERS);
	AUTO(pack_file) f = line_open(&l, m.tar.data, m.tar.len, &sample_err);
	assert_non_null(f);
	assert_non_null(f->pipe);
	OK(pack_file_prove_content(f, &sample_err));
	for (size_t i = 0; i < LAYERS; i += 2) {
		AUTO_BUF got = { 0 };
		ssize_t n;
		/* Asked for, and not touched: it is still there. */
		source_free(pack_file_blob(f, layer_of(f, &m, i), &sample_err));
		AUTO(source) s = pack_file_blob(f, layer_of(f, &m, i), &sample_err);
		if (!s)
			fail_msg("%s", sample_err.text);
		while ((n = source_read(s, piece, sizeof(piece), &sample_err)) > 0)
			OK(buf_add(&got, piece, (size_t)n, &sample_err));
		assert_int_equal(n, 0);
		assert_int_equal(got.len, m.layers[i].size);
		assert_memory_equal(got.data, m.store.items[i].bytes, got.len);
	}
	struct err e = { 0 };
	assert_null(pack_file_blob(f, layer_of(f, &m, 1), &e));
	assert_int_equal(e.kind, ERR_LOCAL);
	OK(pack_file_finish(f, &sample_err));
	OK(pack_file_finish(f, &sample_err));
	line_close(&l);
}

static void half_a_blob(void **state)
{
	AUTO_MADE m = { 0 };
	struct line l;
	char piece[100];
	struct err e = { 0 };

	(void)state;
	made_make(&m, 300000, LAYERS, LAYERS);
	AUTO(pack_file) f = line_open(&l, m.tar.data, m.tar.len, &sample_err);
	assert_non_null(f);
	AUTO(source) s = pack_file_blob(f, layer_of(f, &m, 0), &sample_err);
	assert_non_null(s);
	assert_true(source_read(s, piece, sizeof(piece), &sample_err) > 0);
	assert_int_equal(pack_file_finish(f, &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	line_close(&l);
}

static void spooled(void **state)
{
	AUTO_MADE m = { 0 };
	struct line l;
	const struct verify_options all = { .diff_ids = true };

	(void)state;
	made_make(&m, 100000, LAYERS, LAYERS);
	AUTO(pack_file) f = line_open(&l, m.tar.data, m.tar.len, &sample_err);
	assert_non_null(f);
	OK(pack_file_spool(f, NULL, &sample_err));
	assert_null(f->pipe);
	OK(pack_file_verify(f, &all, NULL, &sample_err));
	line_close(&l);

	struct err e = { 0 };
	AUTO(pack_file) cut = line_open(&l, m.tar.data, m.tar.len - 1, &sample_err);
	assert_non_null(cut);
	assert_int_equal(pack_file_spool(cut, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	line_close(&l);
}

/* Another program's tar is kept whole, and is a file then. */
static void another_programs(void **state)
{
	AUTO_BUF tar = { 0 };
	struct line l;
	struct err e = { 0 };

	(void)state;
	put_text(&tar, "hello", "world");
	put_end(&tar);
	assert_null(line_open(&l, tar.data, tar.len, &e));
	assert_int_equal(e.kind, ERR_CORRUPT);
	line_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),           cmocka_unit_test(every_cut),
		cmocka_unit_test(flips),          cmocka_unit_test(something_behind),
		cmocka_unit_test(liars),          cmocka_unit_test(problems_are_listed),
		cmocka_unit_test(blobs_in_order), cmocka_unit_test(half_a_blob),
		cmocka_unit_test(spooled),        cmocka_unit_test(another_programs),
	};

	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
