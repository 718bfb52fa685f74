/* SPDX-License-Identifier: Apache-2.0 */
/* Go's huffman: the boundary package-merge of compress/flate, which klauspost/compress kept. */
#include "codec/regzip/tree.h"

#include <stdlib.h>

#define NEVER INT32_MAX
#define MAX_BITS 16

struct leaf {
	uint32_t frequency;
	uint16_t code;
};

struct level {
	uint32_t last; /* frequency of the last node that was taken */
	uint32_t next_leaf;
	uint32_t next_pair;
	unsigned needed;
};

static int by_frequency(const void *a, const void *b)
{
	const struct leaf *x = a;
	const struct leaf *y = b;

	if (x->frequency != y->frequency)
		return x->frequency < y->frequency ? -1 : 1;
	return (int)x->code - (int)y->code;
}

struct merge {
	struct leaf leaves[CODES_LITERAL + 1];
	unsigned count;
	unsigned max;
	struct level levels[MAX_BITS + 1];
	unsigned taken[MAX_BITS + 1][MAX_BITS + 1]; /* leaves left of the last node, by level and the levels below */
};

static void merge_open(struct merge *m)
{
	for (unsigned i = 1; i <= m->max; i++) {
		uint32_t pair = i == 1 ? NEVER : m->leaves[0].frequency + m->leaves[1].frequency;
		m->levels[i] = (struct level){ m->leaves[1].frequency, m->leaves[2].frequency, pair, 0 };
		m->taken[i][i] = 2;
	}
	/* The two first are taken already; a tree over n leaves has 2n - 2 nodes below its root. */
	m->levels[m->max].needed = 2 * m->count - 4;
}

/* One node for the level: a leaf, or the pair that the level below gave. */
static void take_node(struct merge *m, unsigned at)
{
	struct level *level = &m->levels[at];

	if (level->next_leaf < level->next_pair) {
		unsigned n = ++m->taken[at][at];
		level->last = level->next_leaf;
		level->next_leaf = m->leaves[n].frequency;
	} else {
		level->last = level->next_pair;
		memcpy(m->taken[at], m->taken[at - 1], at * sizeof(m->taken[0][0]));
		m->levels[at - 1].needed = 2;
	}
	level->needed--;
}

static void merge_run(struct merge *m)
{
	unsigned at = m->max;

	for (;;) {
		struct level *level = &m->levels[at];
		if (level->next_pair == NEVER && level->next_leaf == NEVER) {
			/* Nothing is left here: the level above need not ask again. */
			level->needed = 0;
			m->levels[++at].next_pair = NEVER;
			continue;
		}
		uint32_t before = level->last;
		take_node(m, at);
		if (level->needed == 0) {
			if (at == m->max)
				return;
			m->levels[++at].next_pair = before + level->last;
		} else {
			while (m->levels[at - 1].needed > 0)
				at--;
		}
	}
}

void lengths_go(const uint32_t *frequency, unsigned count, unsigned max, uint8_t *lengths)
{
	struct merge m = { .max = max };

	memset(lengths, 0, count);
	for (unsigned i = 0; i < count; i++)
		if (frequency[i])
			m.leaves[m.count++] = (struct leaf){ frequency[i], (uint16_t)i };
	if (m.count <= 2) {
		for (unsigned i = 0; i < m.count; i++)
			lengths[m.leaves[i].code] = 1;
		return;
	}
	qsort(m.leaves, m.count, sizeof(*m.leaves), by_frequency);
	m.leaves[m.count].frequency = NEVER;
	if (m.max > m.count - 1)
		m.max = m.count - 1;
	merge_open(&m);
	merge_run(&m);
	unsigned end = m.count;
	for (unsigned level = m.max, bits = 1; level > 0; level--, bits++) {
		unsigned n = m.taken[m.max][level] - m.taken[m.max][level - 1];
		for (unsigned i = end - n; i < end; i++)
			lengths[m.leaves[i].code] = (uint8_t)bits;
		end -= n;
	}
}
