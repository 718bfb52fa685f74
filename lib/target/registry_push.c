/* SPDX-License-Identifier: Apache-2.0 */
#include "target/registry_plan.h"

#include "base/cancel.h"
#include "base/limits.h"
#include "base/parallel.h"
#include "target/again.h"
#include "target/result.h"

#include <string.h>

/* Blobs. */

struct turn {
	struct push *push;
	size_t item;
	size_t worker;
	struct registry_conn *conn;
	const struct push_blob *blob;
	const struct pack_blob *what;
	const char *repository;
	struct registry_conn *other; /* to read from, while `conn` writes; or NULL */
	uint64_t done;
};

static int count_sent(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct turn *t = ctx;

	(void)bytes;
	t->done += len;
	event_progress(t->push->plan->request->events, t->item + 1, t->done, t->what->promise.size);
	return cancel_check(e);
}

/* Another repository of this registry in which the blob stands: this run put it there, or it was there before; or NULL.
 */
static const char *stands_in(const struct turn *t)
{
	const struct push_plan *plan = t->push->plan;

	if (t->blob->from >= 0)
		return plan->images[plan->blobs[t->blob->from].image].reference.repository;
	return supply_stands_in(&plan->request->supply, t->what, registry_host(t->push->registry));
}

/*
 * A mount is an offer that a registry may turn down in many ways (202, 401, 404, 405), and some say 201 without doing
 * it. registry_mount_blob() believes the blob alone, seen in the repository; everything else leads to the upload.
 */
static bool mount(struct turn *t)
{
	struct err ignored;
	const char *from = stands_in(t);

	return from && registry_mount_blob(t->conn, t->repository, &t->what->promise, from, &ignored) > 0;
}

/* Out of a pipe it came once, and then stands in the registry itself, in another repository. */
static struct source *open_body(struct turn *t, struct err *e)
{
	const struct supply *supply = &t->push->plan->request->supply;

	if (t->blob->from < 0 || !supply_passes(supply))
		return supply_open(supply, t->what, t->worker, e);
	t->other = t->other ? t->other : registry_connect(t->push->registry, e);
	return t->other ? registry_open_blob(t->other, stands_in(t), &t->what->promise, e) : NULL;
}

/* One upload. The registry keeps nothing of a body that broke off, or whose digest is not the one that was said. */
static int upload(struct turn *t, struct err *e)
{
	t->done = 0;
	AUTO(source) body = source_tap(open_body(t, e), count_sent, t, e);

	return body ? registry_put_blob(t->conn, t->repository, &t->what->promise, body, e) : -1;
}

/* Wrong bytes are asked for elsewhere; of a pipe there is no elsewhere. */
static int upload_right(struct turn *t, struct err *e)
{
	const struct supply *supply = &t->push->plan->request->supply;

	for (;;) {
		struct err why = { 0 };
		if (cancel_check(e))
			return -1;
		if (!upload(t, &why))
			return 0;
		if (why.kind == ERR_CORRUPT && supply_other(supply, t->what, &why))
			continue;
		if (e)
			*e = why;
		return supply_passes(supply) && t->done ? push_passed(e) : -1;
	}
}

enum how { HOW_UPLOADED, HOW_THERE, HOW_MOUNTED };

static int put_blob(void *ctx, struct err *e)
{
	struct turn *t = ctx;
	int has = registry_has_blob(t->conn, t->repository, &t->what->promise, e);

	if (has < 0)
		return -1;
	if (has)
		return HOW_THERE;
	if (mount(t))
		return HOW_MOUNTED;
	return upload_right(t, e) ? -1 : HOW_UPLOADED;
}

int push_blob(void *ctx, size_t item, size_t worker, struct err *e)
{
	static const char *const said[] = { "done", "already there", "mounted" };
	struct push *p = ctx;
	const struct push_blob *blob = &p->plan->blobs[item];
	const struct push_image *image = &p->plan->images[blob->image];
	const struct events *events = p->plan->request->events;
	struct turn t = {
		.push = p,
		.item = item,
		.worker = worker,
		.conn = push_conn(p, worker, e),
		.blob = blob,
		.what = &p->plan->request->supply.pack->blobs[blob->blob],
		.repository = image->reference.repository,
	};
	char digest[DIGEST_TEXT_SIZE];
	char id[13];

	if (!t.conn)
		return -1;
	digest_text(&t.what->promise.digest, digest);
	event_begin(events, item + 1, t.what->promise.size, "%s %s", digest_short(&t.what->promise.digest, id),
		    blob_role_text(t.what->role));
	int how = again(put_blob, &t, p->plan->request->tries, e);
	registry_conn_free(t.other);
	event_end(events, item + 1, how < 0 ? "failed" : said[how]);
	if (how < 0)
		return err_at(e, "%s: %s %s", image->load->name, blob_role_text(t.what->role), digest);
	*(how == HOW_UPLOADED ? &p->sent : &p->skipped) += t.what->promise.size;
	return 0;
}

/* parallel_for() from blobs[first_mount] on. */
static int mount_turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct push *p = ctx;

	return push_blob(ctx, p->plan->first_mount + item, worker, e);
}

int push_blobs(struct push *p, struct err *e)
{
	const struct push_plan *plan = p->plan;
	struct event work = { .kind = EVENT_PLAN, .count = plan->blob_count, .text = "upload" };

	for (size_t i = 0; i < plan->blob_count; i++)
		work.total += plan->request->supply.pack->blobs[plan->blobs[i].blob].promise.size;
	if (work.count)
		event_emit(plan->request->events, &work);
	if (supply_passes(&plan->request->supply) ? push_passing(p, e)
						  : parallel_for(plan->first_mount, p->workers, push_blob, p, e))
		return -1;
	return parallel_for(plan->blob_count - plan->first_mount, p->workers, mount_turn, p, e);
}

/* Manifests. */

struct paper_put {
	struct registry_conn *conn;
	const char *repository;
	const char *selector;
	const char *media_type;
	const char *bytes;
	size_t len;
};

static int put_paper(void *ctx, struct err *e)
{
	const struct paper_put *w = ctx;

	return registry_put_manifest(w->conn, w->repository, w->selector, w->media_type, w->bytes, w->len, e);
}

/* A manifest's bytes: from memory, or read again into *room. */
static const char *paper_bytes(struct push *p, const struct pack_blob *b, size_t worker, struct buf *room,
			       struct err *e)
{
	if (b->bytes)
		return b->bytes;
	AUTO(source) s = supply_open(&p->plan->request->supply, b, worker, e);
	if (!s || source_slurp(s, LIMIT_MANIFEST, room, e))
		return NULL;
	return room->data;
}

/* Registries want the Content-Type to be the manifest's own; an archive by another program may not say it. */
static int send_paper(struct push *p, size_t worker, const struct push_image *image, size_t blob, const char *selector,
		      struct err *e)
{
	const struct pack_blob *b = &p->plan->request->supply.pack->blobs[blob];
	char media_type[MEDIA_TYPE_SIZE];
	enum paper_kind kind;
	AUTO_BUF room = { 0 };
	const char *bytes = paper_bytes(p, b, worker, &room, e);

	if (!bytes ||
	    paper_kind(bytes, (size_t)b->promise.size, *b->media_type ? b->media_type : NULL, &kind, media_type, e))
		return -1;
	struct paper_put w = {
		.conn = push_conn(p, worker, e),
		.repository = image->reference.repository,
		.selector = selector,
		.media_type = media_type,
		.bytes = bytes,
		.len = (size_t)b->promise.size,
	};
	if (!w.conn || again(put_paper, &w, p->plan->request->tries, e))
		return -1;
	p->sent += b->promise.size;
	return 0;
}

static int children_turn(void *ctx, size_t i, size_t worker, struct err *e)
{
	struct push *p = ctx;
	const struct push_image *image = &p->plan->images[i];
	char digest[DIGEST_TEXT_SIZE];

	for (size_t k = 0; !image->had && k < image->parts->paper_count; k++) {
		const struct pack_blob *b = &p->plan->request->supply.pack->blobs[image->parts->papers[k]];
		if (image->parts->papers[k] == image->root || b->absent)
			continue;
		digest_text(&b->promise.digest, digest);
		if (send_paper(p, worker, image, image->parts->papers[k], digest, e))
			return err_at(e, "%s: manifest %s", image->load->name, digest);
	}
	return 0;
}

int push_children(struct push *p, struct err *e)
{
	return parallel_for(p->plan->count, p->workers, children_turn, p, e);
}

struct paper_get {
	struct registry_conn *conn;
	const struct push_image *image;
	struct buf bytes; /* released by the caller */
	struct digest digest;
};

static int get_paper(void *ctx, struct err *e)
{
	struct paper_get *g = ctx;
	char content_type[128];

	buf_clear(&g->bytes);
	return registry_get_manifest(g->conn, g->image->reference.repository, g->image->selector, &g->bytes, &g->digest,
				     content_type, e);
}

/* The last word: what does the registry give to one who asks for this name? */
static int compare_back(struct paper_get *g, const struct pack_blob *root, const char *bytes, struct err *e)
{
	char found[DIGEST_TEXT_SIZE];
	char expected[DIGEST_TEXT_SIZE];

	if (again(get_paper, g, g->image->tries, e)) {
		if (e && (e->kind == ERR_ABSENT || e->kind == ERR_CORRUPT))
			e->kind = ERR_TARGET;
		return err_at(e, "reading back");
	}
	if (!digest_equal(&g->digest, &root->promise.digest))
		return err_set(e, ERR_TARGET, "reading back: the registry gives %s, expected %s",
			       digest_text(&g->digest, found), digest_text(&root->promise.digest, expected));
	if (g->bytes.len != root->promise.size || memcmp(g->bytes.data, bytes, g->bytes.len) != 0)
		return err_set(e, ERR_TARGET, "reading back: the registry gives other bytes than were put there");
	return 0;
}

static int read_back(struct registry_conn *c, const struct push_image *image, const struct pack_blob *root,
		     const char *bytes, struct err *e)
{
	struct paper_get g = { .conn = c, .image = image };
	int failed = compare_back(&g, root, bytes, e);

	buf_release(&g.bytes);
	return failed;
}

static int tag_turn(void *ctx, size_t i, size_t worker, struct err *e)
{
	struct push *p = ctx;
	const struct push_image *image = &p->plan->images[i];
	const struct pack_blob *root = &p->plan->request->supply.pack->blobs[image->root];
	struct registry_conn *c = push_conn(p, worker, e);
	AUTO_BUF room = { 0 };

	if (!c)
		return -1;
	const char *bytes = image->had ? "" : paper_bytes(p, root, worker, &room, e);
	if (!bytes || (!image->had && (send_paper(p, worker, image, image->root, image->selector, e) ||
				       read_back(c, image, root, bytes, e))))
		return err_at(e, "%s", image->load->name);
	if (image->had)
		p->skipped += pack_image_bytes(p->plan->request->supply.pack, image->load->image);
	return load_result_set(p->result, i, image->loaded_as, &root->promise.digest, image->had, e);
}

int push_tags(struct push *p, struct err *e)
{
	return parallel_for(p->plan->count, p->workers, tag_turn, p, e);
}
