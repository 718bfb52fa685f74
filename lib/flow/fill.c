/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/fill.h"

#include "base/parallel.h"
#include "registry/registry.h"
#include "stream/sink.h"

struct job {
	const struct plan *plan;
	struct registries *registries;
	struct space *space;
	const struct events *events;
	const struct member **members; /* to be downloaded, largest first */
};

uint64_t fill_bytes(const struct layout *l)
{
	uint64_t total = 0;

	for (size_t i = 0; i < l->count; i++)
		if (!l->members[i].bytes)
			total += l->members[i].promise.size;
	return total;
}

/* How far one blob is, told to whoever listens. */
struct meter {
	const struct events *events;
	uint64_t id;
	uint64_t done;
	uint64_t total;
};

static int count(void *ctx, const void *bytes, size_t len, struct err *e)
{
	struct meter *m = ctx;

	(void)bytes;
	(void)e;
	m->done += len;
	event_progress(m->events, m->id, m->done, m->total);
	return 0;
}

static int download(struct job *j, const struct member *m, struct registry_conn *conn, struct meter *meter,
		    struct err *e)
{
	const struct blob_home *home = &j->plan->homes[m->blob];
	AUTO(source) body = source_tap(registry_open_blob(conn, home->repository, &m->promise, e), count, meter, e);
	AUTO(sink) place = sink_space(j->space, m->data, m->promise.size, e);

	return body && place ? pump(body, place, e) : -1;
}

/* The image that names a blob first, for the error. */
static const char *image_of(const struct pack *p, size_t blob)
{
	for (size_t i = 0; i < p->image_count; i++)
		for (size_t m = 0; m < p->images[i].manifest_count; m++) {
			const struct pack_manifest *pm = &p->images[i].manifests[m];
			for (size_t k = 0; k < pm->layer_count; k++)
				if (pm->layers[k] == blob)
					return p->images[i].name;
		}
	return NULL;
}

static int turn(void *ctx, size_t item, size_t worker, struct err *e)
{
	struct job *j = ctx;
	const struct member *m = j->members[item];
	const struct pack_blob *blob = &j->plan->pack->blobs[m->blob];
	struct meter meter = { j->events, item, 0, m->promise.size };
	char id[13];

	digest_short(&m->promise.digest, id);
	struct registry_conn *conn = registries_connection(j->registries, j->plan->homes[m->blob].registry, worker, e);
	if (!conn)
		return -1;
	event_begin(j->events, item, m->promise.size, "%s %s", id, blob_role_text(blob->role));
	if (download(j, m, conn, &meter, e)) {
		const char *image = image_of(j->plan->pack, (size_t)m->blob);
		event_end(j->events, item, "failed");
		err_at(e, "%s sha256:%s...", blob_role_text(blob->role), id);
		return image ? err_at(e, "%s", image) : -1;
	}
	event_end(j->events, item, "done");
	return 0;
}

static int larger_first(const void *a, const void *b)
{
	const struct member *const *x = a;
	const struct member *const *y = b;

	if ((*x)->promise.size != (*y)->promise.size)
		return (*x)->promise.size < (*y)->promise.size ? 1 : -1;
	return (*x > *y) - (*x < *y);
}

int fill(const struct plan *plan, const struct layout *layout, struct registries *registries, struct space *space,
	 const struct events *events, struct err *e)
{
	AUTO_MEM const struct member **members = calloc(layout->count + 1, sizeof(*members));
	struct job j = { plan, registries, space, events, members };
	size_t n = 0;

	if (!members)
		return err_memory(e);
	for (size_t i = 0; i < layout->count; i++)
		if (!layout->members[i].bytes)
			members[n++] = &layout->members[i];
	qsort(members, n, sizeof(*members), larger_first);
	event_emit(events,
		   &(struct event){ .kind = EVENT_PLAN, .total = fill_bytes(layout), .count = n, .text = "fetching" });
	return parallel_for(n, registries_workers(registries), turn, &j, e);
}
