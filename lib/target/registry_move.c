/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"
#include "target/again.h"
#include "target/registry_plan.h"

#include <string.h>

/* Blobs that a thin archive relies on, from the repository where registry_thin.c found them into those that need them.
 */

struct moving {
	struct registry *registry;
	struct registry_conn *conn;
	const struct promise *blob;
	const char *from; /* repositories */
	const char *to;
};

/* Through this machine, from one repository of the registry to the other, where mounting is not done. */
static int copy_over(const struct moving *m, struct err *e)
{
	struct registry_conn *other = registry_connect(m->registry, e);
	AUTO(source) body = other ? registry_open_blob(other, m->from, m->blob, e) : NULL;
	int failed = body ? registry_put_blob(m->conn, m->to, m->blob, body, e) : -1;

	source_free(TAKE(body));
	registry_conn_free(other);
	return failed;
}

/* As with every mount, only the blob itself, seen in the repository, counts. */
static int move_once(void *ctx, struct err *e)
{
	const struct moving *m = ctx;
	struct err ignored;
	int has = registry_has_blob(m->conn, m->to, m->blob, e);

	if (has)
		return has < 0 ? -1 : 0;
	if (registry_mount_blob(m->conn, m->to, m->blob, m->from, &ignored) > 0 &&
	    registry_has_blob(m->conn, m->to, m->blob, &ignored) > 0)
		return 0;
	return copy_over(m, e);
}

static int move_turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct push *p = ctx;
	const struct push_move *move = &p->thin.moves[item];
	const struct push_image *image = &p->plan->images[move->image];
	const struct pack_blob *b = &p->plan->request->supply.pack->blobs[move->blob];
	struct moving m = { .registry = p->registry,
			    .conn = push_conn(p, worker, e),
			    .blob = &b->promise,
			    .from = move->from,
			    .to = image->reference.repository };
	char digest[DIGEST_TEXT_SIZE];

	if (!m.conn)
		return -1;
	p->skipped += b->promise.size;
	if (!strcmp(m.from, m.to))
		return 0;
	digest_text(&b->promise.digest, digest);
	event_text(p->plan->request->events, EVENT_DETAIL, "%s: %s %s stands in %s", image->load->name,
		   blob_role_text(b->role), digest, move->from);
	if (again(move_once, &m, image->tries, e))
		return err_at(e, "%s: %s %s from %s", image->load->name, blob_role_text(b->role), digest, move->from);
	return 0;
}

int thin_move(struct push *p, struct err *e)
{
	return parallel_for(p->thin.count, p->workers, move_turn, p, e);
}
