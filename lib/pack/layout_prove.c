/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"
#include "pack/layout.h"

struct proof {
	const struct layout *layout;
	struct space *space;
	const struct events *events;
};

static int prove(void *ctx, size_t item, size_t worker, struct err *e)
{
	const struct proof *p = ctx;
	const struct member *m = &p->layout->members[item];
	struct digest d;

	(void)worker;
	event_begin(p->events, item, m->promise.size, "%s", m->name);
	if (space_digest(p->space, m->data, m->promise.size, &d, e))
		return -1;
	event_progress(p->events, item, m->promise.size, m->promise.size);
	event_end(p->events, item, "read back");
	return digest_equal(&d, &m->promise.digest) ? 0 : err_set(e, ERR_CORRUPT, "%s has other bytes", m->name);
}

int layout_prove(const struct layout *l, struct space *space, const struct events *events, struct err *e)
{
	struct proof p = { l, space, events };

	event_emit(events,
		   &(struct event){ .kind = EVENT_PLAN, .total = l->size, .count = l->count, .text = "reading back" });
	if (layout_check_frame(l, space, e))
		return -1;
	return parallel_for(l->count, parallel_cpus(), prove, &p, e);
}
