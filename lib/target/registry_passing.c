/* SPDX-License-Identifier: Apache-2.0 */
#include "target/registry_plan.h"

/*
 * An archive that passes once: its blobs go to the registry in its own order. Nothing has a name before the archive's
 * last byte was right.
 */

struct place {
	size_t item; /* plan->blobs[] */
	size_t blob; /* of the pack, in the archive's order */
};

static int compare(const void *a, const void *b)
{
	const struct place *x = a;
	const struct place *y = b;

	return (x->blob > y->blob) - (x->blob < y->blob);
}

int push_passed(struct err *e)
{
	if (!e || e->kind != ERR_NETWORK)
		return -1;
	e->lasting = true;
	return err_hint(
		e, "what has passed through the pipe cannot be sent again; the same command once more skips what is "
		   "there");
}

int push_passing(struct push *p, struct err *e)
{
	const struct push_plan *plan = p->plan;
	AUTO_MEM struct place *places = calloc(plan->first_mount + 1, sizeof(*places));

	if (!places)
		return err_memory(e);
	for (size_t i = 0; i < plan->first_mount; i++)
		places[i] = (struct place){ i, plan->blobs[i].blob };
	qsort(places, plan->first_mount, sizeof(*places), compare);
	for (size_t i = 0; i < plan->first_mount; i++)
		if (push_blob(p, places[i].item, 0, e))
			return -1;
	return supply_finish(&plan->request->supply, e);
}
