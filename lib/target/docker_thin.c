/* SPDX-License-Identifier: Apache-2.0 */
#include "target/docker_thin.h"

#include "base/text.h"
#include "pack/inventory.h"
#include "pack/tar_names.h"
#include "target/lacking.h"

#include <stdio.h>
#include <string.h>

/* A chain of layers whose top layer is not in the archive. */
struct chain {
	struct digest id;
	struct digest diff_id; /* of the top layer */
	size_t want;           /* plan->wants[] */
	size_t blob;           /* the top layer */
	bool there;
};

struct chains {
	struct docker *docker;
	const struct docker_plan *plan;
	const struct load_request *request;
	struct chain *items;
	size_t count;
	size_t capacity;
	size_t left; /* not there yet */
	/* Images of a containerd store that have a layer which stands on another base there. */
	struct digest *candidates;
	size_t candidate_count;
	size_t candidate_capacity;
};

static int add_chains(struct chains *c, size_t want, struct err *e)
{
	const struct pack_manifest *m = c->plan->wants[want].run;
	struct digest chain;

	for (size_t i = 0; i < m->layer_count; i++) {
		if (inventory_chain(&chain, i == 0, &m->diff_ids[i], e))
			return -1;
		if (!c->request->supply.pack->blobs[m->layers[i]].absent)
			continue;
		if (GROW(c->items, c->capacity, c->count, e))
			return -1;
		c->items[c->count++] = (struct chain){
			.id = chain, .diff_id = m->diff_ids[i], .want = want, .blob = m->layers[i]
		};
		c->left++;
	}
	return 0;
}

static void mark(struct chains *c, const struct digest *chain)
{
	for (size_t i = 0; i < c->count; i++) {
		if (c->items[i].there || !digest_equal(&c->items[i].id, chain))
			continue;
		c->items[i].there = true;
		c->left--;
	}
}

/* True if a layer in question is this one, on whatever base. */
static bool is_sought(const struct chains *c, const struct digest *diff_id)
{
	for (size_t i = 0; i < c->count; i++)
		if (!c->items[i].there && digest_equal(&c->items[i].diff_id, diff_id))
			return true;
	return false;
}

static int note_candidate(struct chains *c, const struct digest *image, const struct digest *diff_id, struct err *e)
{
	const size_t n = c->candidate_count;

	if (!c->plan->kind.containerd_store || (n && digest_equal(&c->candidates[n - 1], image)) ||
	    !is_sought(c, diff_id))
		return 0;
	if (GROW(c->candidates, c->candidate_capacity, c->candidate_count, e))
		return -1;
	c->candidates[c->candidate_count++] = *image;
	return 0;
}

/* All that the daemon has unpacked for one of its images. */
static int look_at_image(struct chains *c, const struct digest *id, const struct jval *image, struct err *e)
{
	const struct jval *layers = jval_get(jval_get(image, "RootFS"), "Layers");
	struct digest chain, diff_id;

	for (size_t i = 0; i < jval_count(layers); i++) {
		const char *text = jval_text(jval_at(layers, i));
		if (!text || digest_parse(&diff_id, text, strlen(text), NULL))
			return 0; /* no layer that anything of ours could stand on */
		if (inventory_chain(&chain, i == 0, &diff_id, e))
			return -1;
		mark(c, &chain);
		if (note_candidate(c, id, &diff_id, e))
			return -1;
	}
	return 0;
}

/* An image may go while we look, and one of another platform may have no layers to show: it is passed over. */
static int ask_image(struct chains *c, const char *id, struct err *e)
{
	char path[DIGEST_TEXT_SIZE + 32];
	struct jdoc *answer = NULL;
	struct digest d;

	/* Old podmans leave the algorithm out. What is no ID goes into no path. */
	if (!id || (digest_parse(&d, id, strlen(id), NULL) && !digest_parse_hex(&d, id, strlen(id))))
		return 0;
	(void)snprintf(path, sizeof(path), "/images/%s/json", id);
	if (docker_get(c->docker, path, true, &answer, e))
		return -1;
	AUTO(jdoc) doc = answer;
	return doc ? look_at_image(c, &d, jdoc_root(doc), e) : 0;
}

static int look(struct chains *c, struct err *e)
{
	struct jdoc *answer = NULL;

	if (!c->left)
		return 0;
	if (docker_get(c->docker, "/images/json", false, &answer, e))
		return -1;
	AUTO(jdoc) doc = answer;
	const struct jval *list = jdoc_root(doc);
	for (size_t i = 0; c->left && i < jval_count(list); i++)
		if (ask_image(c, jval_text(jval_get(jval_at(list, i), "Id")), e))
			return -1;
	return 0;
}

/* A member of an export: "blobs/sha256/<hex>" stands in the store. The last one that is sought ends it. */
static int see_member(void *ctx, const char *name, bool regular, uint64_t size, struct err *e)
{
	struct chains *c = ctx;
	struct digest d;

	(void)size;
	if (!regular || !text_starts(name, BLOB_FOLDER) ||
	    !digest_parse_hex(&d, name + strlen(BLOB_FOLDER), strlen(name) - strlen(BLOB_FOLDER)))
		return 0;
	for (size_t i = 0; i < c->count; i++) {
		const struct pack_blob *b = &c->request->supply.pack->blobs[c->items[i].blob];
		if (c->items[i].there || !digest_equal(&b->promise.digest, &d))
			continue;
		c->items[i].there = true;
		c->left--;
	}
	return c->left ? 0 : err_set(e, ERR_TARGET, "all is seen");
}

/* What cannot be exported is no proof of anything. */
static int look_into_store(struct chains *c, struct err *e)
{
	char path[DIGEST_TEXT_SIZE + 32], id[DIGEST_TEXT_SIZE];

	for (size_t i = 0; c->left && i < c->candidate_count; i++) {
		struct err why = { 0 };
		(void)snprintf(path, sizeof(path), "/images/get?names=%s", digest_text(&c->candidates[i], id));
		event_text(c->request->events, EVENT_NOTE, "image %s is read through docker's socket for its layers",
			   id);
		AUTO(source) tar = docker_open(c->docker, path, &why);
		if (tar && !tar_names(tar, see_member, c, &why))
			continue;
		if (why.kind != ERR_LOCAL && why.kind != ERR_CANCELLED)
			continue;
		if (e)
			*e = why;
		return -1;
	}
	return 0;
}

static int refuse(const struct chains *c, struct err *e)
{
	struct lacking lacking = { .request = c->request, .lock = PTHREAD_MUTEX_INITIALIZER };
	int failed = 0;

	for (size_t i = 0; i < c->count && !failed; i++)
		if (!c->items[i].there)
			failed = lacking_note(&lacking, c->items[i].want, c->items[i].blob, e);
	failed = failed ||
		 lacking_refuse(&lacking, "the daemon",
				c->plan->kind.containerd_store
					? NULL
					: "it keeps a layer together with those below it, none on another base",
				e);
	lacking_release(&lacking);
	return failed ? -1 : 0;
}

int docker_check_thin(struct docker *d, const struct docker_plan *plan, const struct load_request *request,
		      struct err *e)
{
	struct chains c = { .docker = d, .plan = plan, .request = request };
	int failed = 0;

	for (size_t i = 0; i < plan->count && !failed; i++)
		if (!plan->wants[i].had)
			failed = add_chains(&c, i, e);
	failed = failed || look(&c, e) || look_into_store(&c, e) || refuse(&c, e);
	free(c.candidates);
	free(c.items);
	return failed ? -1 : 0;
}
