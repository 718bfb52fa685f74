/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/givers.h"

#include "flow/ask.h"

static bool one_bit(uint32_t set)
{
	return set && !(set & (set - 1));
}

static size_t bit_number(uint32_t set)
{
	size_t n = 0;

	while (set >>= 1)
		n++;
	return n;
}

static bool alone(const struct givers *g)
{
	return one_bit(g->gave) && !g->disk;
}

uint32_t givers_barred(const struct givers *g)
{
	return g->barred | (g->only ? ~g->only : 0);
}

void givers_name(const struct givers *g, const struct registries *r, size_t registry, struct err *why)
{
	if (alone(g))
		err_at(why, "from %s", registry_host(r->items[registry]->endpoints[bit_number(g->gave)].registry));
}

bool givers_find_another(struct givers *g, struct registries *r, size_t registry, const struct err *why)
{
	const struct family *family = r->items[registry];
	const size_t giver = bit_number(g->gave);
	const uint32_t all = family->count == 32 ? UINT32_MAX : (UINT32_C(1) << family->count) - 1;

	g->wrong++;
	if (alone(g) && !(family->endpoints[giver].origin && g->wrong <= WRONG_MOST)) {
		g->barred |= g->gave;
		ask_leave(r, registry, giver, why->text);
	}
	uint32_t left = all & ~g->barred;
	/* The registry itself, the last one, is the most trustworthy. */
	g->only = left ? UINT32_C(1) << bit_number(left) : 0;
	g->gave = 0;
	g->disk = false;
	return left != 0;
}
