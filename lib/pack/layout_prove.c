/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cancel.h"
#include "base/parallel.h"
#include "pack/layout.h"

#include <stdlib.h>

#define PIECE (64u << 10)

struct proof {
	const struct layout *layout;
	struct space *space;
	const struct events *events;
};

static int prove(void *ctx, size_t item, size_t worker, struct err *e)
{
	const struct proof *p = ctx;
	const struct member *m = &p->layout->members[item];
	AUTO(hasher) h = hasher_new(e);
	AUTO_MEM char *buf = malloc(PIECE);
	struct digest d;

	(void)worker;
	event_begin(p->events, item, m->promise.size, "%s", m->name);
	if (!h || !buf)
		return h ? err_memory(e) : -1;
	for (uint64_t at = 0; at < m->promise.size;) {
		const size_t n = m->promise.size - at < PIECE ? (size_t)(m->promise.size - at) : PIECE;
		if (cancel_check(e) || space_pread(p->space, buf, n, m->data + at, e) || hasher_update(h, buf, n, e))
			return -1;
		at += n;
	}
	if (hasher_finish(h, &d, e))
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
