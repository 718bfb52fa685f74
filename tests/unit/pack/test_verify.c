/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: pack_file_verify() names every problem of an archive, where it is and whose, and only those; it compares the
 * content of compressed layers with the diff IDs; it says how far it is; and threads change nothing but the time.
 */
#include "made.h"

#include <pthread.h>

static const struct member *member_of(const struct made *m, const struct promise *p)
{
	for (size_t i = 0; i < m->layout->count; i++)
		if (digest_equal(&m->layout->members[i].promise.digest, &p->digest))
			return &m->layout->members[i];
	fail_msg("no such member");
	return NULL;
}

/* What was told. */
struct told {
	size_t count;
	uint64_t offset[16];
	uint64_t length[16];
	char member[16][MEMBER_NAME_SIZE];
	char image[16][64];
	char what[16][480];
};

static void hear(void *ctx, const struct pack_problem *p)
{
	struct told *t = ctx;
	size_t i = t->count++;

	assert_true(i < 16);
	t->offset[i] = p->offset;
	t->length[i] = p->length;
	(void)snprintf(t->member[i], sizeof(t->member[i]), "%s", p->member ? p->member : "");
	(void)snprintf(t->image[i], sizeof(t->image[i]), "%s", p->image ? p->image : "");
	(void)snprintf(t->what[i], sizeof(t->what[i]), "%s", p->what);
}

static int verify(const struct buf *tar, bool diff_ids, size_t threads, struct told *t, struct err *e)
{
	const struct verify_options options = { .diff_ids = diff_ids, .threads = threads, .problem = hear, .ctx = t };
	AUTO(pack_file) f = open_good(tar);

	return pack_file_verify(f, &options, NULL, e);
}

static void good(void **state)
{
	AUTO_MADE m = { 0 };

	(void)state;
	made_make(&m, 30000, LAYERS, LAYERS);
	for (size_t threads = 0; threads < 5; threads++) {
		for (int diff_ids = 0; diff_ids < 2; diff_ids++) {
			struct told t = { 0 };
			struct err e = { 0 };
			if (verify(&m.tar, diff_ids, threads, &t, &e))
				fail_msg("%s", e.text);
			assert_int_equal(t.count, 0);
		}
	}
}

/* Each damaged layer is named once, with its place; nothing else is. */
static void damaged(void **state)
{
	AUTO_MADE m = { 0 };

	(void)state;
	made_make(&m, 30000, LAYERS, LAYERS);
	for (size_t i = 0; i < 3; i++) {
		const struct member *at = member_of(&m, &m.layers[i]);
		m.tar.data[at->data + at->promise.size / 2] ^= 0x40;
	}
	for (int diff_ids = 0; diff_ids < 2; diff_ids++) {
		struct told t = { 0 };
		struct err e = { 0 };
		assert_int_equal(verify(&m.tar, diff_ids, 3, &t, &e), -1);
		assert_int_equal(e.kind, ERR_CORRUPT);
		assert_int_equal(t.count, 3);
		for (size_t i = 0; i < 3; i++) {
			const struct member *at = member_of(&m, &m.layers[i]);
			size_t k = 0;
			while (k < 3 && strcmp(t.member[k], at->name) != 0)
				k++;
			assert_true(k < 3);
			assert_int_equal(t.offset[k], at->data);
			assert_int_equal(t.length[k], at->promise.size);
			assert_string_equal(t.image[k], "q.io/x:1");
			/* The digest is what is wrong, also where the decoder was the first to stumble. */
			assert_non_null(strstr(t.what[k], "has digest sha256:"));
		}
	}
}

/* The digest holds, the content is not what the config says: only diff_ids can find it. */
static void lying_config(void **state)
{
	(void)state;
	for (size_t liar = 0; liar < LAYERS; liar++) {
		AUTO_MADE m = { 0 };
		struct told t = { 0 };
		struct err e = { 0 };
		made_make(&m, 5000, liar, LAYERS);
		assert_int_equal(verify(&m.tar, false, 1, &t, &e), 0);
		assert_int_equal(verify(&m.tar, true, 2, &t, &e), -1);
		assert_int_equal(t.count, 1);
		assert_non_null(strstr(t.what[0], "the image's config promises sha256:"));
		assert_string_equal(t.member[0], member_of(&m, &m.layers[liar])->name);
	}
}

/* A layer that was cut before it was hashed. */
static void broken_coding(void **state)
{
	(void)state;
	for (size_t broken = 1; broken < 3; broken++) {
		AUTO_MADE m = { 0 };
		struct told t = { 0 };
		struct err e = { 0 };
		made_make(&m, 5000, LAYERS, broken);
		assert_int_equal(verify(&m.tar, false, 1, &t, &e), 0);
		assert_int_equal(verify(&m.tar, true, 1, &t, &e), -1);
		assert_int_equal(t.count, 1);
		assert_non_null(strstr(t.what[0], "ends in the middle"));
	}
}

/* Header, padding and papers: the frame is a problem of its own, beside those of blobs. */
static void frame(void **state)
{
	AUTO_MADE m = { 0 };
	struct told t = { 0 };
	struct err e = { 0 };

	(void)state;
	made_make(&m, 5001, LAYERS, LAYERS);
	const struct member *at = member_of(&m, &m.layers[0]);
	m.tar.data[at->header + 110] ^= 1;
	m.tar.data[at->data] ^= 1;
	assert_int_equal(verify(&m.tar, false, 1, &t, &e), -1);
	assert_int_equal(t.count, 2);
	assert_non_null(strstr(t.what[0], "its tar header"));
	assert_non_null(strstr(t.what[1], "has digest"));
	assert_string_equal(e.text, t.what[0]);
}

/* The file shrinks between open and verify. */
static void shrunk(void **state)
{
	AUTO_MADE m = { 0 };
	struct told t = { 0 };
	struct err e = { 0 };
	char path[64];
	const struct verify_options options = { .diff_ids = true, .threads = 2, .problem = hear, .ctx = &t };

	(void)state;
	made_make(&m, 30000, LAYERS, LAYERS);
	AUTO_FD int fd = memory_file(m.tar.data, m.tar.len, path);
	AUTO(pack_file) f = pack_file_open(path, NULL, &e);
	assert_non_null(f);
	assert_int_equal(ftruncate(fd, (off_t)member_of(&m, &m.layers[2])->data + 5), 0);
	assert_int_equal(pack_file_verify(f, &options, NULL, &e), -1);
	assert_int_equal(e.kind, ERR_CORRUPT);
	assert_true(t.count >= 1);
	assert_non_null(strstr(t.what[t.count - 1], "ends at byte"));
}

/* Two images that name the same layer, with different content: one of them must be wrong. */
static void disagree(void **state)
{
	AUTO_BUF stored = { 0 };
	AUTO_BUF b = { 0 };
	AUTO_BUF index = { 0 };
	char text[DIGEST_TEXT_SIZE];
	struct err e = { 0 };
	struct told t = { 0 };
	const struct promise contents[2] = { promise_of("content", 7), promise_of("other", 5) };

	(void)state;
	gzip_bytes(&stored, "content", 7);
	struct promise layer = put_blob(&b, stored.data, stored.len);
	OK(buf_puts(&index, "{\"schemaVersion\":2,\"manifests\":[", &sample_err));
	for (size_t i = 0; i < 2; i++) {
		AUTO_BUF config = { 0 };
		AUTO_BUF manifest = { 0 };
		sample_config(&config, AMD64, &contents[i], 1);
		struct promise cp = put_blob(&b, config.data, config.len);
		sample_manifest(&manifest, MEDIA_OCI_CONFIG, &cp, &layer, 1);
		struct promise mp = put_blob(&b, manifest.data, manifest.len);
		OK(buf_printf(&index, &sample_err,
			      "%s{\"mediaType\":\"" MEDIA_OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":%" PRIu64
			      ",\"annotations\":{\"io.containerd.image.name\":\"q.io/x:%zu\"}}",
			      i ? "," : "", digest_text(&mp.digest, text), mp.size, i));
	}
	OK(buf_puts(&index, "]}", &sample_err));
	put_text(&b, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	put_member(&b, "index.json", index.data, index.len);
	put_end(&b);
	assert_int_equal(verify(&b, false, 1, &t, &e), 0);
	assert_int_equal(verify(&b, true, 1, &t, &e), -1);
	assert_int_equal(t.count, 1);
	assert_non_null(strstr(t.what[0], "two images promise different content"));
}

/* Events: the plan, then begin, at most one progress a MiB, end, for each blob. */
struct seen {
	pthread_mutex_t lock;
	uint64_t plan_total, plan_count;
	size_t begins, ends, progress;
	uint64_t last[64];
	bool wrong;
};

static void watch(void *ctx, const struct event *ev)
{
	struct seen *s = ctx;

	pthread_mutex_lock(&s->lock);
	if (ev->kind == EVENT_PLAN) {
		s->plan_total = ev->total;
		s->plan_count = ev->count;
	}
	s->begins += ev->kind == EVENT_BEGIN;
	s->ends += ev->kind == EVENT_END;
	if (ev->kind == EVENT_PROGRESS) {
		s->progress++;
		s->wrong |= ev->id >= 64 || ev->done - s->last[ev->id] < (1u << 20) || ev->done > ev->total;
		if (ev->id < 64)
			s->last[ev->id] = ev->done;
	}
	pthread_mutex_unlock(&s->lock);
}

static void events(void **state)
{
	AUTO_MADE m = { 0 };
	struct seen s = { .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct events ev = { watch, &s };
	const struct verify_options options = { .diff_ids = true, .threads = 3 };
	uint64_t total = 0;

	(void)state;
	made_make(&m, 5u << 20, LAYERS, LAYERS);
	AUTO(pack_file) f = open_good(&m.tar);
	OK(pack_file_verify(f, &options, &ev, &sample_err));
	for (size_t i = 0; i < f->pack->blob_count; i++)
		total += f->pack->blobs[i].promise.size;
	assert_int_equal(s.plan_total, total);
	assert_int_equal(s.plan_count, f->pack->blob_count);
	assert_int_equal(s.begins, f->pack->blob_count);
	assert_int_equal(s.ends, f->pack->blob_count);
	assert_true(s.progress >= 8);
	assert_false(s.wrong);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good),          cmocka_unit_test(damaged), cmocka_unit_test(lying_config),
		cmocka_unit_test(broken_coding), cmocka_unit_test(frame),   cmocka_unit_test(shrunk),
		cmocka_unit_test(disagree),      cmocka_unit_test(events),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
