/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/layout.h"

#include <inttypes.h>
#include <string.h>

/*
 * The tar front to back. The frame between two members' data is prepared in a small buffer (header, or padding, or the
 * end blocks); a member's data comes from its own source, of which one at a time is open.
 */
struct tar_stream {
	struct source base;
	const struct layout *layout;
	layout_open_blob *open_blob;
	void *ctx;
	size_t next;         /* members[] whose header comes next; count: the end blocks; count + 1: nothing */
	struct source *data; /* of the member before `next`, or NULL */
	uint64_t left;       /* of its data */
	char frame[2 * TAR_BLOCK];
	size_t frame_at;
	size_t frame_len;
	bool failed;
	struct err err; /* said again to a reader who asks again */
};

static struct source *member_open(struct tar_stream *t, const struct member *m, struct err *e)
{
	if (m->bytes)
		return source_verify(source_memory(m->bytes, (size_t)m->promise.size, e), &m->promise, e);
	if (!t->open_blob) {
		err_set(e, ERR_USAGE, "its bytes are not in memory");
		return NULL;
	}
	return t->open_blob(t->ctx, &t->layout->pack->blobs[m->blob], e);
}

/* The next header and the source behind it, or the end blocks. */
static int begin_member(struct tar_stream *t, struct err *e)
{
	const struct layout *l = t->layout;

	t->frame_at = 0;
	if (t->next == l->count) {
		memset(t->frame, 0, sizeof(t->frame));
		t->frame_len = 2 * TAR_BLOCK;
		t->next++;
		return 0;
	}
	const struct member *m = &l->members[t->next];
	t->data = member_open(t, m, e);
	if (!t->data)
		return err_at(e, "%s", m->name);
	tar_header(t->frame, m->name, m->promise.size);
	t->frame_len = TAR_BLOCK;
	t->left = m->promise.size;
	t->next++;
	return 0;
}

/* All bytes were given on: now the verdict is due, and the padding. */
static int end_member(struct tar_stream *t, const struct member *m, struct err *e)
{
	char more;
	ssize_t n = source_read(t->data, &more, 1, e);

	if (n < 0)
		return -1;
	if (n > 0)
		return err_set(e, ERR_CORRUPT, "gave more than its %" PRIu64 " bytes", m->promise.size);
	source_free(TAKE(t->data));
	memset(t->frame, 0, TAR_BLOCK);
	t->frame_at = 0;
	t->frame_len = (size_t)((TAR_BLOCK - m->promise.size % TAR_BLOCK) % TAR_BLOCK);
	return 0;
}

static ssize_t give_frame(struct tar_stream *t, void *buf, size_t cap)
{
	size_t n = t->frame_len - t->frame_at;

	if (n > cap)
		n = cap;
	memcpy(buf, t->frame + t->frame_at, n);
	t->frame_at += n;
	return (ssize_t)n;
}

static ssize_t give_data(struct tar_stream *t, const struct member *m, void *buf, size_t cap, struct err *e)
{
	ssize_t n = source_read(t->data, buf, t->left < cap ? (size_t)t->left : cap, e);

	if (n < 0)
		return -1;
	if (n == 0)
		return err_set(e, ERR_CORRUPT, "ended at %" PRIu64 " of %" PRIu64 " bytes", m->promise.size - t->left,
			       m->promise.size);
	t->left -= (uint64_t)n;
	return n;
}

static ssize_t advance(struct tar_stream *t, void *buf, size_t cap, struct err *e)
{
	const struct layout *l = t->layout;

	for (;;) {
		if (t->frame_at < t->frame_len)
			return give_frame(t, buf, cap);
		if (t->data) {
			const struct member *m = &l->members[t->next - 1];
			if (t->left) {
				ssize_t n = give_data(t, m, buf, cap, e);
				return n < 0 ? err_at(e, "%s", m->name) : n;
			}
			if (end_member(t, m, e))
				return err_at(e, "%s", m->name);
		} else if (t->next > l->count) {
			return 0;
		} else if (begin_member(t, e)) {
			return -1;
		}
	}
}

static ssize_t tar_stream_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct tar_stream *t = (struct tar_stream *)s;

	if (!t->failed) {
		ssize_t n = advance(t, buf, cap, &t->err);
		if (n >= 0)
			return n;
		t->failed = true;
	}
	if (e)
		*e = t->err;
	return -1;
}

static void tar_stream_free(struct source *s)
{
	struct tar_stream *t = (struct tar_stream *)s;

	source_free(t->data);
	free(t);
}

struct source *layout_source(const struct layout *l, layout_open_blob *open_blob, void *ctx, struct err *e)
{
	static const struct source_ops ops = { tar_stream_read, tar_stream_free };
	struct tar_stream *t = calloc(1, sizeof(*t));

	if (!t) {
		err_memory(e);
		return NULL;
	}
	t->base.ops = &ops;
	t->layout = l;
	t->open_blob = open_blob;
	t->ctx = ctx;
	return &t->base;
}
