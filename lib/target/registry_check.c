/* SPDX-License-Identifier: Apache-2.0 */
#include "target/registry_plan.h"

#include "base/parallel.h"
#include "target/again.h"
#include "target/result.h"

#include <pthread.h>
#include <string.h>

/*
 * Looking before uploading. All images are looked at before the first byte goes, so a refusal leaves the registry as it
 * was.
 */

struct check {
	struct push *push;
	pthread_mutex_t lock; /* guards what follows */
	size_t taken;         /* tags that point elsewhere */
	size_t first;         /* images[]: the first of them */
	struct digest there;
};

/* A question about one thing in one repository. */
struct question {
	struct registry_conn *conn;
	const char *repository;
	const char *selector; /* of a manifest */
	unsigned tries;
	struct digest answer; /* of a manifest that is there */
};

/* Some registries answer HEAD without the digest: then the manifest itself says what it is. */
static int ask_once(void *ctx, struct err *e)
{
	static const struct digest none;
	struct question *q = ctx;
	char content_type[128];
	AUTO_BUF bytes = { 0 };
	struct digest d = none;

	int has = registry_has_manifest(q->conn, q->repository, q->selector, &d, e);
	if (has > 0 && digest_equal(&d, &none) &&
	    registry_get_manifest(q->conn, q->repository, q->selector, &bytes, &d, content_type, e))
		return -1;
	q->answer = d;
	return has;
}

/* 1: there; 0: not; -1. */
static int ask(struct question *q, struct err *e)
{
	return again(ask_once, q, q->tries, e);
}

static void note_taken(struct check *k, size_t i, const struct digest *there)
{
	pthread_mutex_lock(&k->lock);
	if (!k->taken++ || i < k->first) {
		k->first = i;
		k->there = *there;
	}
	pthread_mutex_unlock(&k->lock);
}

static int check_tag(void *ctx, size_t i, size_t worker, struct err *e)
{
	struct check *k = ctx;
	struct push_plan *plan = k->push->plan;
	struct push_image *image = &plan->images[i];
	const struct digest *ours = &plan->request->supply.pack->blobs[image->root].promise.digest;
	struct registry_conn *c = push_conn(k->push, worker, e);
	char old[DIGEST_TEXT_SIZE];
	char new[DIGEST_TEXT_SIZE];
	struct question q = {
		.conn = c, .repository = image->reference.repository, .selector = image->selector, .tries = image->tries
	};

	int has = c ? ask(&q, e) : -1;
	if (has < 0)
		return err_at(e, "%s", image->load->name);
	if (!has)
		return 0;
	image->had = digest_equal(&q.answer, ours);
	if (image->had)
		return 0;
	if (!plan->request->replace)
		note_taken(k, i, &q.answer);
	else
		event_text(plan->request->events, EVENT_NOTE, "%s: is %s there, becomes %s", image->loaded_as,
			   digest_text(&q.answer, old), digest_text(ours, new));
	return 0;
}

static int refuse_taken(const struct check *k, struct err *e)
{
	const struct push_plan *plan = k->push->plan;
	const struct push_image *image = &plan->images[k->first];
	char old[DIGEST_TEXT_SIZE];
	char new[DIGEST_TEXT_SIZE];

	if (!k->taken)
		return 0;
	err_set(e, ERR_TARGET, "%s: is %s there, this one is %s", image->load->name, digest_text(&k->there, old),
		digest_text(&plan->request->supply.pack->blobs[image->root].promise.digest, new));
	if (k->taken > 1)
		err_hint(e, "so are %zu other names", k->taken - 1);
	return err_hint(e, "nothing was uploaded; --replace moves the tag");
}

/* An index with holes: --platform pushes one of its manifests instead. */
static int check_unknown(const struct push *p, struct registry_conn *c, const struct push_image *image, struct err *e)
{
	char digest[DIGEST_TEXT_SIZE];
	struct question q = {
		.conn = c, .repository = image->reference.repository, .selector = digest, .tries = image->tries
	};

	if (!image->parts->unknown)
		return 0;
	digest_text(&image->parts->first_unknown, digest);
	int has = ask(&q, e);
	if (has < 0)
		return -1;
	if (has && image->parts->unknown == 1)
		return 0;
	err_set(e, ERR_TARGET, "its index names %zu manifests that are not in %s (%s%s)", image->parts->unknown,
		p->plan->request->supply.noun, image->parts->unknown > 1 ? "first " : "", digest);
	return err_hint(e, "a registry takes no such index; --platform loads one platform of it; nothing was uploaded");
}

static int check_parts(void *ctx, size_t i, size_t worker, struct err *e)
{
	struct push *p = ((struct check *)ctx)->push;
	const struct push_image *image = &p->plan->images[i];
	struct registry_conn *c = push_conn(p, worker, e);

	if (!c)
		return -1;
	if (image->had || !check_unknown(p, c, image, e))
		return 0;
	return err_at(e, "%s", image->load->name);
}

int push_check(struct push *p, struct err *e)
{
	struct check k = { .push = p, .lock = PTHREAD_MUTEX_INITIALIZER };
	int failed = parallel_for(p->plan->count, p->workers, check_tag, &k, e) || refuse_taken(&k, e) ||
		     parallel_for(p->plan->count, p->workers, check_parts, &k, e) || thin_check(p, e);

	pthread_mutex_destroy(&k.lock);
	return failed ? -1 : 0;
}
