/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"
#include "oci/referrers.h"
#include "registry/referrers.h"
#include "target/again.h"
#include "target/registry_plan.h"

#include <pthread.h>

/*
 * Signatures and other referrers, after their image stands: each manifest by its digest, under cosign's tag if it came
 * by one, and, where the registry does not list referrers itself, in the index under the fallback tag, beside what
 * others have put there (OCI distribution specification 1.1, "Pushing Manifests with Subject").
 */

/* So often the index is read, grown and read back: another client may write it at the same moment. */
#define MERGE_TRIES 5

struct attach {
	struct push *push;
	pthread_mutex_t *merging; /* two images may have one subject */
	struct registry_conn *conn;
	const struct push_image *image;
	const struct pack_referrer *referrer;
	const struct pack_blob *blob;
	const struct manifest *manifest;
	char digest[DIGEST_TEXT_SIZE];
	char media_type[MEDIA_TYPE_SIZE];
	const char *selector; /* of the next put, or question */
	struct digest answer;
	bool listed; /* the registry lists it by itself */
};

static int ask_once(void *ctx, struct err *e)
{
	struct attach *a = ctx;

	return registry_has_manifest(a->conn, a->image->reference.repository, a->selector, &a->answer, e);
}

/* 1: there, a->answer is what it is; 0; -1. */
static int ask(struct attach *a, const char *selector, struct err *e)
{
	a->selector = selector;
	return again(ask_once, a, a->image->tries, e);
}

static int put_once(void *ctx, struct err *e)
{
	struct attach *a = ctx;

	return registry_put_referrer(a->conn, a->image->reference.repository, a->selector, a->media_type,
				     a->blob->bytes, (size_t)a->blob->promise.size, &a->listed, e);
}

/* Puts it and asks for it: what the registry shows afterwards counts. */
static int put(struct attach *a, const char *selector, struct err *e)
{
	a->selector = selector;
	if (again(put_once, a, a->image->tries, e))
		return -1;
	a->push->sent += a->blob->promise.size;
	const int has = ask(a, selector, e);
	if (has < 0)
		return -1;
	if (has && digest_equal(&a->answer, &a->blob->promise.digest))
		return 0;
	return err_set(e, ERR_TARGET, "the registry took it as %s, but does not have it", selector);
}

static int nothing(void *ctx, const struct descriptor *d, struct err *e)
{
	(void)ctx;
	(void)d;
	(void)e;
	return 0;
}

static int list_once(void *ctx, struct err *e)
{
	struct attach *a = ctx;

	return registry_list_referrers(a->conn, a->image->reference.repository, &a->manifest->subject, nothing, NULL,
				       e);
}

static int put_by_digest(struct attach *a, struct err *e)
{
	const int has = ask(a, a->digest, e);

	if (has < 0)
		return -1;
	if (!has)
		return put(a, a->digest, e);
	a->push->skipped += a->blob->promise.size;
	if (!a->manifest->has_subject)
		return 0;
	const int lists = again(list_once, a, a->image->tries, e);
	a->listed = lists > 0;
	return lists < 0 ? -1 : 0;
}

/* A signature that somebody made there stays, unless tags may move. */
static int put_tag(struct attach *a, struct err *e)
{
	const char *tag = a->referrer->tag;
	const struct load_request *request = a->push->plan->request;
	char there[DIGEST_TEXT_SIZE];
	const int has = *tag ? ask(a, tag, e) : 1;

	if (has < 0)
		return -1;
	if (!*tag || (has && digest_equal(&a->answer, &a->blob->promise.digest)))
		return 0;
	if (!has || request->replace)
		return put(a, tag, e);
	event_text(request->events, EVENT_WARNING,
		   "%s: %s is %s there, and stays; this one is there by its digest %s alone; --replace moves the tag",
		   a->image->load->name, tag, digest_text(&a->answer, there), a->digest);
	return 0;
}

/* The index as it stands: 1, 0: there is none, -1. */
static int read_index(struct attach *a, const char *tag, struct buf *out, struct err *e)
{
	struct err why = { 0 };
	char type[128];

	if (!registry_get_manifest(a->conn, a->image->reference.repository, tag, out, &a->answer, type, &why))
		return 1;
	if (why.kind == ERR_ABSENT)
		return 0;
	if (e)
		*e = why;
	return -1;
}

static int merge_once(void *ctx, struct err *e)
{
	struct attach *a = ctx;
	char tag[REFERRERS_TAG_SIZE];

	referrers_tag(&a->manifest->subject, "", tag);
	for (unsigned i = 0; i < MERGE_TRIES; i++) {
		AUTO_BUF old = { 0 };
		AUTO_BUF new = { 0 };
		const int there = read_index(a, tag, &old, e);
		if (there < 0)
			return -1;
		const int grown = referrers_merge(there ? old.data : NULL, old.len, a->blob->bytes,
						  (size_t)a->blob->promise.size, &new, e);
		if (grown <= 0)
			return grown ? err_at(e, "the tag %s", tag) : 0;
		if (registry_put_manifest(a->conn, a->image->reference.repository, tag, MEDIA_OCI_INDEX, new.data,
					  new.len, e))
			return -1;
		a->push->sent += new.len;
	}
	return err_set(e, ERR_TARGET, "the tag %s does not keep what is put there", tag);
}

static int name_it(struct attach *a, struct err *e)
{
	if (!a->manifest->has_subject || a->listed)
		return 0;
	pthread_mutex_lock(a->merging);
	const int failed = again(merge_once, a, a->image->tries, e);
	pthread_mutex_unlock(a->merging);
	return failed;
}

static int push_one(struct attach *a, struct err *e)
{
	enum paper_kind kind;
	const size_t len = (size_t)a->blob->promise.size;

	digest_text(&a->blob->promise.digest, a->digest);
	AUTO(manifest) m = manifest_parse(a->blob->bytes, len, e);
	a->manifest = m;
	if (!m || paper_kind(a->blob->bytes, len, NULL, &kind, a->media_type, e) || put_by_digest(a, e) ||
	    put_tag(a, e) || name_it(a, e))
		return err_at(e, "%s: referrer %s", a->image->load->name, a->digest);
	return 0;
}

struct pushing {
	struct push *push;
	pthread_mutex_t merging;
};

static int turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct pushing *p = ctx;
	const struct push_plan *plan = p->push->plan;
	const struct push_image *image = &plan->images[item];
	const struct pack_image *from = image->load->image;
	struct registry_conn *conn = from->referrer_count ? push_conn(p->push, worker, e) : NULL;

	if (from->referrer_count && !conn)
		return -1;
	for (size_t i = 0; i < from->referrer_count; i++) {
		struct attach a = {
			.push = p->push,
			.merging = &p->merging,
			.conn = conn,
			.image = image,
			.referrer = &from->referrers[i],
			.blob = &plan->request->supply.pack->blobs[from->referrers[i].blob],
		};
		if (push_one(&a, e))
			return -1;
	}
	return 0;
}

int push_referrers(struct push *p, struct err *e)
{
	struct pushing pushing = { .push = p };

	pthread_mutex_init(&pushing.merging, NULL);
	const int failed = parallel_for(p->plan->count, p->workers, turn, &pushing, e);
	pthread_mutex_destroy(&pushing.merging);
	return failed;
}

static int look_turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct push *p = ctx;
	const struct push_image *image = &p->plan->images[item];
	const struct pack_image *from = image->load->image;
	struct registry_conn *conn = from->referrer_count ? push_conn(p, worker, e) : NULL;

	for (size_t i = 0; i < from->referrer_count; i++) {
		const struct pack_blob *blob = &p->plan->request->supply.pack->blobs[from->referrers[i].blob];
		struct attach a = { .push = p, .conn = conn, .image = image, .blob = blob };
		const int has = conn ? ask(&a, digest_text(&blob->promise.digest, a.digest), e) : -1;
		if (has < 0)
			return err_at(e, "%s", image->load->name);
		*(has ? &p->skipped : &p->sent) += blob->promise.size;
	}
	return 0;
}

int push_look_referrers(struct push *p, struct err *e)
{
	return parallel_for(p->plan->count, p->workers, look_turn, p, e);
}
