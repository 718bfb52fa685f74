/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"
#include "target/again.h"
#include "target/registry_plan.h"
#include "target/result.h"

/* A push without pushing: the same questions, and sums instead of bytes. */

struct look {
	struct registry_conn *conn;
	const char *repository;
	const struct promise *blob;
};

static int ask_once(void *ctx, struct err *e)
{
	const struct look *l = ctx;

	return registry_has_blob(l->conn, l->repository, l->blob, e);
}

/* A blob that would be mounted moves no bytes either. */
static int look_turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct push *p = ctx;
	const struct push_blob *b = &p->plan->blobs[item];
	const struct load_request *request = p->plan->request;
	const struct pack_blob *what = &request->supply.pack->blobs[b->blob];
	const struct push_image *image = &p->plan->images[b->image];
	struct look l = { push_conn(p, worker, e), image->reference.repository, &what->promise };

	if (!l.conn)
		return -1;
	const bool mounts = b->from >= 0 ||
			    supply_stands_in(&request->supply, what, registry_host(p->registry)) != NULL;
	int has = mounts ? 1 : again(ask_once, &l, request->tries, e);
	if (has < 0)
		return err_at(e, "%s", image->load->name);
	*(has ? &p->skipped : &p->sent) += what->promise.size;
	return 0;
}

int push_look(struct push *p, struct err *e)
{
	const struct push_plan *plan = p->plan;
	const struct pack *pack = plan->request->supply.pack;

	if (parallel_for(plan->blob_count, p->workers, look_turn, p, e))
		return -1;
	for (size_t i = 0; i < plan->count; i++) {
		const struct push_image *image = &plan->images[i];
		const struct pack_parts *parts = image->parts;
		for (size_t k = 0; !image->had && k < parts->paper_count; k++)
			p->sent += pack->blobs[parts->papers[k]].promise.size;
		if (image->had)
			p->skipped += pack_image_bytes(pack, image->load->image);
		if (load_result_set(p->result, i, image->loaded_as, &pack->blobs[image->root].promise.digest,
				    image->had, e))
			return -1;
	}
	return push_look_referrers(p, e);
}
