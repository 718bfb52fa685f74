/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cancel.h"
#include "pack/pipe.h"
#include "pack/uses.h"
#include "stream/sink.h"

#include <inttypes.h>

/* The way through an archive that passes once, and what is wrong with it. */

static int cut(struct pack_pipe *p, struct err *e)
{
	p->cut = true;
	return err_set(e, ERR_CORRUPT, "ends at byte %" PRIu64 " of %" PRIu64 ": it was cut", feed_at(p->feed),
		       p->file->layout->size);
}

int pipe_take(struct pack_pipe *p, void *buf, size_t len, struct err *e)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = feed_read(p->feed, (char *)buf + done, len - done, e);
		if (n < 0)
			return -1;
		if (n == 0)
			return cut(p, e);
		done += (size_t)n;
	}
	return 0;
}

ssize_t pipe_take_some(struct pack_pipe *p, void *buf, size_t cap, struct err *e)
{
	if (!p->left)
		return 0;
	ssize_t n = feed_read(p->feed, buf, p->left < cap ? (size_t)p->left : cap, e);
	if (n < 0)
		return -1;
	if (n == 0)
		return cut(p, e);
	p->left -= (uint64_t)n;
	return n;
}

/* Leads to members[next], or behind the end blocks. */
int pipe_pass_gap(struct pack_pipe *p, struct err *e)
{
	const struct layout *l = p->file->layout;
	const size_t i = p->next++;
	char have[LAYOUT_GAP_MOST];
	struct layout_gap g;

	layout_gap(l, i, &g);
	if (i < l->count && l->members[i].blob >= 0) {
		p->open = true;
		p->touched = p->proved = false;
		p->left = l->members[i].promise.size;
		p->head_at = p->head_len = 0;
	}
	return pipe_take(p, have, g.len, e) ? -1 : layout_check_gap(l, i, have, e);
}

static int pass_paper(struct pack_pipe *p, const struct member *m, struct err *e)
{
	char have[16384];
	int rc = 0;

	for (uint64_t done = 0; done < m->promise.size;) {
		uint64_t left = m->promise.size - done;
		size_t n = left < sizeof(have) ? (size_t)left : sizeof(have);
		if (pipe_take(p, have, n, e))
			return -1;
		if (!rc)
			rc = layout_check_bytes(m, done, have, n, e);
		done += n;
	}
	return rc;
}

/* What nobody wanted is proved all the same. */
static int pass_blob(struct pack_pipe *p, struct err *e)
{
	AUTO(source) s = pipe_source(p, e);
	char rest[16384];

	if (s && !source_drain(s, e))
		return 0;
	/* The next member stands where the layout says, whatever this one is. */
	while (!p->cut && p->left)
		if (pipe_take_some(p, rest, sizeof(rest), NULL) < 0)
			break;
	return -1;
}

int pipe_pass_member(struct pack_pipe *p, struct err *e)
{
	const struct member *m = &p->file->layout->members[p->next - 1];

	if (m->blob < 0)
		return pass_paper(p, m, e);
	int rc = pass_blob(p, e);
	p->open = false;
	return rc ? err_at(e, "%s %s", blob_role_text(p->file->pack->blobs[m->blob].role), m->name) : 0;
}

int pipe_expect_end(struct pack_pipe *p, struct err *e)
{
	char more;
	ssize_t n = feed_read(p->feed, &more, 1, e);

	if (n < 0)
		return -1;
	if (n > 0)
		return err_set(e, ERR_CORRUPT, "goes on behind its end, byte %" PRIu64, p->file->layout->size);
	return 0;
}

/* For who loads: what is wrong is said once, and ends it. */

static int leave_blob(struct pack_pipe *p, struct err *e)
{
	if (!p->touched)
		return pipe_pass_member(p, e);
	p->open = false;
	return p->proved ? 0 : err_set(e, ERR_LOCAL, "a layer that passed was not read to its end");
}

/* To the data of members[to]; to the end blocks, if it is the count. */
static int walk(struct pack_pipe *p, size_t to, struct err *e)
{
	while (!p->open || p->touched || p->next - 1 != to) {
		if (p->open && leave_blob(p, e))
			return -1;
		if (p->next > to && to < p->file->layout->count)
			return err_set(e, ERR_LOCAL, "what is asked for has passed already");
		if (cancel_check(e) || pipe_pass_gap(p, e))
			return -1;
		if (p->next > p->file->layout->count)
			return 0;
		if (!p->open && pipe_pass_member(p, e))
			return -1;
	}
	return 0;
}

static int walk_or_break(struct pack_pipe *p, size_t to, struct err *e)
{
	struct err why = { 0 };

	if (p->broken.kind == ERR_NONE && !walk(p, to, &why))
		return 0;
	if (p->broken.kind == ERR_NONE)
		p->broken = why;
	if (e)
		*e = p->broken;
	return -1;
}

struct source *pack_pipe_blob(struct pack_file *f, const struct pack_blob *blob, struct err *e)
{
	const struct layout *l = f->layout;
	/* It may be another pack's, a part of this one. */
	const ptrdiff_t number = pack_find_blob(f->pack, &blob->promise.digest);
	size_t i = f->pipe->next ? f->pipe->next - 1 : 0;

	while (i < l->count && (number < 0 || l->members[i].blob != number))
		i++;
	if (i == l->count) {
		err_set(e, ERR_LOCAL, "what is asked for has passed already, or is not in the archive");
		return NULL;
	}
	return walk_or_break(f->pipe, i, e) ? NULL : pipe_source(f->pipe, e);
}

int pack_file_finish(struct pack_file *f, struct err *e)
{
	struct pack_pipe *p = f->pipe;

	if (!p || p->finished)
		return 0;
	if (walk_or_break(p, f->layout->count, e) || pipe_expect_end(p, e))
		return -1;
	p->finished = true;
	return 0;
}

/* For verify: all of it, whatever is wrong. */

struct finding {
	const struct verify_options *options;
	struct err first;
};

static int tell(struct finding *f, uint64_t offset, uint64_t length, const char *member, const char *image,
		const struct err *what, struct err *e)
{
	const struct pack_problem problem = { offset, length, member, image, what->text };

	if (what->kind != ERR_CORRUPT) {
		if (e)
			*e = *what;
		return -1;
	}
	if (f->first.kind == ERR_NONE)
		f->first = *what;
	if (f->options->problem)
		f->options->problem(f->options->ctx, &problem);
	return 0;
}

static int verify_member(struct pack_pipe *p, struct finding *f, const struct events *events, struct err *e)
{
	const struct member *m = &p->file->layout->members[p->next - 1];
	const struct pack_blob *b = m->blob < 0 ? NULL : &p->file->pack->blobs[m->blob];
	const char *image = b ? p->uses[m->blob].image : NULL;
	struct err what = { 0 };
	char id[13];

	if (b)
		event_begin(events, p->next, m->promise.size, "%s %s", digest_short(&m->promise.digest, id),
			    blob_role_text(b->role));
	int rc = pipe_pass_member(p, &what);
	if (b)
		event_end(events, p->next, rc ? "damaged" : "good");
	if (!rc)
		return 0;
	if (image)
		err_at(&what, "%s", image);
	return tell(f, m->data, m->promise.size, m->name, image, &what, e);
}

static int verify_all(struct pack_pipe *p, struct finding *f, const struct events *events, struct err *e)
{
	const size_t count = p->file->layout->count;
	struct err what = { 0 };

	while (p->next <= count && !p->cut) {
		if (cancel_check(e))
			return -1;
		if (pipe_pass_gap(p, &what) && tell(f, 0, 0, NULL, NULL, &what, e))
			return -1;
		if (p->next <= count && !p->cut && verify_member(p, f, events, e))
			return -1;
	}
	if (!p->cut && pipe_expect_end(p, &what))
		return tell(f, p->file->layout->size, 0, NULL, NULL, &what, e);
	return 0;
}

int pack_pipe_verify(struct pack_file *f, const struct verify_options *options, const struct events *events,
		     struct err *e)
{
	struct finding found = { .options = options };

	if (pipe_note_uses(f->pipe, e))
		return -1;
	f->pipe->content = options->diff_ids;
	event_emit(events, &(struct event){ .kind = EVENT_PLAN,
					    .total = f->layout->size,
					    .count = f->layout->count,
					    .text = "verifying" });
	if (verify_all(f->pipe, &found, events, e))
		return -1;
	if (found.first.kind == ERR_NONE)
		return 0;
	if (e)
		*e = found.first;
	return -1;
}
