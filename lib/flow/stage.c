/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/stage.h"

#include "base/parallel.h"
#include "base/text.h"
#include "flow/medium.h"
#include "flow/resume.h"
#include "stream/sink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct stage {
	const struct fetch_options *options;
	const struct layout *layout;
	struct medium medium;
	struct space *space;
	struct seal *seal; /* of an archive in chunks, else NULL */
	struct journal *journal;
	char *journal_path;
	/* An earlier run's file whose layout is another one, with its journal: bytes are copied from there. */
	char *aside_journal_path;
	struct space *aside;
	struct journal_read other;
	/* An earlier run's journal of this very layout: its bytes are in place. */
	struct journal_read old;
	bool same;
};

static int make_paths(struct stage *s, struct err *e)
{
	const char *part = space_part(s->space);

	if (asprintf(&s->journal_path, "%s.journal", part) < 0)
		s->journal_path = NULL;
	if (asprintf(&s->aside_journal_path, "%s.old.journal", part) < 0)
		s->aside_journal_path = NULL;
	return s->journal_path && s->aside_journal_path ? 0 : err_memory(e);
}

static void drop_aside(struct stage *s)
{
	space_free(TAKE(s->aside));
	space_drop_aside(s->space, s->other.size, s->other.chunk);
	(void)unlink(s->aside_journal_path);
}

/* What was left is another archive's beginning: it is put aside as a source. */
static int set_aside(struct stage *s, struct err *e)
{
	s->other = s->old;
	s->old = (struct journal_read){ 0 };
	drop_aside(s);
	if (rename(s->journal_path, s->aside_journal_path))
		return err_sys(e, ERR_LOCAL, errno, "cannot rename %s", s->journal_path);
	if (space_set_aside(s->space, s->other.size, s->other.chunk, e))
		return -1;
	s->aside = space_open_aside(s->space, s->other.size, s->other.chunk, e);
	return s->aside ? 0 : -1;
}

/* A run that was killed while it copied left both files. One without the other is worth nothing. */
static int find_aside(struct stage *s, struct err *e)
{
	struct err none = { 0 };

	int there = journal_read(s->aside_journal_path, &s->other, e);
	if (there < 0)
		return -1;
	if (there)
		s->aside = space_open_aside(s->space, s->other.size, s->other.chunk, &none);
	if (!s->aside)
		drop_aside(s);
	return 0;
}

static int find_old(struct stage *s, struct err *e)
{
	int there = space_was_there(s->space) ? journal_read(s->journal_path, &s->old, e) : 0;

	if (there < 0)
		return -1;
	s->same = there && digest_equal(&s->old.id, &s->layout->id) && s->old.size == s->layout->size &&
		  s->old.chunk == s->options->split;
	return there && !s->same ? set_aside(s, e) : find_aside(s, e);
}

/* Two archives' worth of disk may not be there: then the one that is begun counts. */
static int reserve(struct stage *s, struct err *e)
{
	struct err failure = { 0 };

	if (!space_reserve(s->space, s->layout->size, &failure))
		return 0;
	if (s->aside && failure.sys == ENOSPC) {
		event_text(s->options->events, EVENT_NOTE,
			   "there is no room for what an earlier run downloaded beside the new archive; it is dropped");
		drop_aside(s);
		return space_reserve(s->space, s->layout->size, e);
	}
	if (e)
		*e = failure;
	return -1;
}

/* `cat x.tar.*` would take it too. */
static void warn_of_more_chunks(const struct stage *s)
{
	const struct fetch_options *o = s->options;
	const size_t count = space_chunk_count(s->layout->size, o->split);
	AUTO_MEM char *next = space_chunk_name(o->output, count + 1, count, NULL);
	char shown[256];

	if (next && !access(next, F_OK))
		event_text(
			o->events, EVENT_WARNING,
			"%s is there already, and the new archive ends before it: remove the chunks of the older one",
			text_escape_str(shown, sizeof(shown), next));
}

static int check_medium(struct stage *s, struct err *e)
{
	const struct fetch_options *o = s->options;
	const uint64_t whole = s->layout->size;

	medium_look(&s->medium, o->output);
	return medium_check(&s->medium, o->output, o->split && o->split < whole ? o->split : whole, o->split > 0,
			    o->events, e);
}

static int set_up(struct stage *s, struct err *e)
{
	if (check_medium(s, e))
		return -1;
	if (s->options->split)
		warn_of_more_chunks(s);
	s->space = space_stage_chunks(s->options->output, s->layout->size, s->options->split, e);
	if (!s->space || make_paths(s, e) || find_old(s, e) || reserve(s, e))
		return -1;
	if (s->options->split && !(s->seal = seal_open(s->options, s->layout, e)))
		return -1;
	s->journal = journal_open(s->journal_path, s->layout, s->options->split, s->same, e);
	return s->journal ? layout_write_frame(s->layout, s->space, e) : -1;
}

/* The file is named where it is the trouble. */
static int name_output(const struct stage *s, struct err *e)
{
	return e && (e->kind == ERR_LOCAL || e->kind == ERR_USAGE) ? err_at(e, "%s", s->options->output) : -1;
}

struct stage *stage_open(const struct fetch_options *o, const struct layout *layout, struct err *e)
{
	AUTO(stage) s = calloc(1, sizeof(*s));

	if (!s) {
		err_memory(e);
		return NULL;
	}
	s->options = o;
	s->layout = layout;
	if (set_up(s, e)) {
		name_output(s, e);
		return NULL;
	}
	return TAKE(s);
}

static int take_from_disk(struct stage *s, struct fill *f, struct err *e)
{
	char size[TEXT_SIZE_CAP];

	/* What is copied may be wrong, and stands over what is in place then: that is looked at afterwards. */
	if (s->aside && fill_import(f, &s->other, s->aside, e))
		return -1;
	if (s->same && fill_resume(f, &s->old, e))
		return -1;
	if (s->aside)
		drop_aside(s);
	if (f->reused)
		event_text(s->options->events, EVENT_NOTE, "%s of an earlier run are used", text_size(size, f->reused));
	for (const char *const *p = s->options->have_archives; p && *p; p++)
		if (fill_take(f, *p, e))
			return -1;
	return 0;
}

/* What the next run can use stands under the temporary name: this run's bytes, or an earlier one's. */
static bool worth_keeping(const struct stage *s)
{
	if (!space_part(s->space))
		return false; /* it has its final name */
	return s->journal ? journal_is_worth_keeping(s->journal) : s->same;
}

/* After a failure: what the person has, and what to do. */
static int say_kept(const struct stage *s, struct err *e)
{
	if (worth_keeping(s))
		err_hint(e, "what was downloaded is kept in %s: the same command goes on from there",
			 space_part(s->space));
	return -1;
}

static int member_right(void *ctx, size_t member, struct err *e)
{
	struct stage *s = ctx;

	return seal_member(s->seal, member, s->space, e);
}

int stage_fill(struct stage *s, const struct plan *plan, struct registries *registries, struct moved *moved,
	       struct err *e)
{
	AUTO(fill) f = fill_new(plan, s->layout, registries, s->space, s->journal, s->options->events, e);

	if (!f)
		return -1;
	f->right = s->seal ? member_right : NULL;
	f->right_ctx = s;
	if (take_from_disk(s, f, e) || fill_run(f, e)) {
		name_output(s, e);
		return say_kept(s, e);
	}
	moved->received = atomic_load(&f->received);
	moved->reused = f->reused;
	return 0;
}

/* Blobs that come from one archive, several at once. */
struct copying {
	struct stage *stage;
	const struct supply *from;
	const struct member **members; /* that are not in memory */
};

static int copy_member(void *ctx, size_t item, size_t worker, struct err *e)
{
	const struct copying *c = ctx;
	struct stage *s = c->stage;
	const struct member *m = c->members[item];
	const struct events *events = s->options->events;
	const struct pack_blob *blob = &s->layout->pack->blobs[m->blob];
	char id[13];

	event_begin(events, item, m->promise.size, "%s %s", digest_short(&m->promise.digest, id),
		    blob_role_text(blob->role));
	AUTO(source) bytes = supply_open(c->from, blob, worker, e);
	AUTO(sink) place = sink_space(s->space, m->data, m->promise.size, e);
	if (!bytes || !place || pump(bytes, place, e)) {
		event_end(events, item, "failed");
		return -1;
	}
	event_end(events, item, "done");
	return s->seal ? member_right(s, (size_t)(m - s->layout->members), e) : 0;
}

int stage_copy(struct stage *s, const struct supply *from, struct err *e)
{
	AUTO_MEM const struct member **members = calloc(s->layout->count + 1, sizeof(*members));
	struct copying c = { s, from, members };
	uint64_t total = 0;
	size_t count = 0;

	if (!members)
		return err_memory(e);
	if (s->aside)
		drop_aside(s);
	for (size_t i = 0; i < s->layout->count; i++) {
		const struct member *m = &s->layout->members[i];
		if (m->bytes)
			continue;
		members[count++] = m;
		total += m->promise.size;
	}
	event_emit(s->options->events,
		   &(struct event){ .kind = EVENT_PLAN, .total = total, .count = count, .text = "writing" });
	return parallel_for(count, parallel_cpus(), copy_member, &c, e) ? name_output(s, e) : 0;
}

/* A stick that takes everything and keeps less is found here, before it leaves the desk. */
static int reread(struct stage *s, struct err *e)
{
	if (space_sync(s->space, e))
		return -1;
	space_forget(s->space);
	if (!layout_prove(s->layout, s->space, s->options->events, e) && (!s->seal || !seal_reread(s->seal, e)))
		return 0;
	if (!e || e->kind != ERR_CORRUPT)
		return -1;
	e->kind = ERR_LOCAL;
	err_at(e, "read back from the medium");
	return err_hint(e, "it does not keep what is written to it: take another one");
}

static bool wants_reread(const struct stage *s)
{
	const struct fetch_options *o = s->options;

	if (s->medium.removable && o->reread == REREAD_NEVER)
		event_text(o->events, EVENT_WARNING,
			   "what was written was not read back (--no-reread): whether the medium kept it is not known");
	return o->reread == REREAD_ALWAYS || (s->medium.removable && o->reread == REREAD_REMOVABLE);
}

static int finish(struct stage *s, struct err *e)
{
	if (s->seal && seal_fill(s->seal, s->space, e))
		return -1;
	if (wants_reread(s) && reread(s, e))
		return -1;
	return space_commit(s->space, e) || (s->seal && seal_commit(s->seal, e)) ? -1 : 0;
}

const struct sums *stage_sums(const struct stage *s)
{
	return s->seal ? seal_sums(s->seal) : NULL;
}

int stage_seal(struct stage *s, struct err *e)
{
	if (finish(s, e)) {
		name_output(s, e);
		return say_kept(s, e);
	}
	(void)unlink(s->journal_path);
	journal_free(TAKE(s->journal));
	return 0;
}

void stage_free(struct stage *s)
{
	if (!s)
		return;
	if (s->space && worth_keeping(s))
		space_keep(s->space);
	else if (s->journal)
		(void)unlink(s->journal_path);
	journal_free(s->journal);
	seal_free(s->seal);
	space_free(s->aside);
	space_free(s->space);
	journal_read_release(&s->other);
	journal_read_release(&s->old);
	free(s->journal_path);
	free(s->aside_journal_path);
	free(s);
}
