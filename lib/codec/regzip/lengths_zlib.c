/* SPDX-License-Identifier: Apache-2.0 */
/* zlib's trees: a heap whose ties the depth of the nodes breaks, and lengths over the limit repaired afterwards. */
#include "codec/regzip/tree.h"

#define NODES (2 * CODES_LITERAL + 1)
#define MAX_BITS 15

struct heap {
	uint32_t frequency[NODES];
	uint16_t parent[NODES];
	uint8_t depth[NODES];
	uint16_t
		at[NODES + 1]; /* the heap from 1 on; from its other end down, the nodes in the order they were taken */
	unsigned len;
	unsigned taken; /* index of the one taken last */
};

static bool less(const struct heap *h, unsigned a, unsigned b)
{
	return h->frequency[a] < h->frequency[b] || (h->frequency[a] == h->frequency[b] && h->depth[a] <= h->depth[b]);
}

static void sift_down(struct heap *h, unsigned at)
{
	uint16_t node = h->at[at];

	for (unsigned child = 2 * at; child <= h->len; child *= 2) {
		if (child < h->len && less(h, h->at[child + 1], h->at[child]))
			child++;
		if (less(h, node, h->at[child]))
			break;
		h->at[at] = h->at[child];
		at = child;
	}
	h->at[at] = node;
}

/* Enters what occurs, at least two codes. Returns the highest. */
static unsigned enter(struct heap *h, const uint32_t *frequency, unsigned count)
{
	int highest = -1;

	for (unsigned i = 0; i < count; i++) {
		h->frequency[i] = frequency[i];
		if (frequency[i]) {
			h->at[++h->len] = (uint16_t)i;
			highest = (int)i;
		}
	}
	while (h->len < 2) {
		unsigned node = highest < 2 ? (unsigned)++highest : 0;
		h->at[++h->len] = (uint16_t)node;
		h->frequency[node] = 1;
	}
	return (unsigned)highest;
}

/* Joins the two least frequent nodes until one is left. */
static void join(struct heap *h, unsigned count)
{
	unsigned node = count;

	for (unsigned i = h->len / 2; i >= 1; i--)
		sift_down(h, i);
	do {
		unsigned a = h->at[1];
		h->at[1] = h->at[h->len--];
		sift_down(h, 1);
		unsigned b = h->at[1];
		h->at[--h->taken] = (uint16_t)a;
		h->at[--h->taken] = (uint16_t)b;
		h->frequency[node] = h->frequency[a] + h->frequency[b];
		h->depth[node] = (uint8_t)((h->depth[a] >= h->depth[b] ? h->depth[a] : h->depth[b]) + 1);
		h->parent[a] = h->parent[b] = (uint16_t)node;
		h->at[1] = (uint16_t)node++;
		sift_down(h, 1);
	} while (h->len >= 2);
	h->at[--h->taken] = h->at[1];
}

/* Lengths over `max` are cut; for each two of them, a shorter code gets a sister. */
static void repair(struct heap *h, unsigned *used, int over, unsigned count, unsigned max, uint8_t *length)
{
	unsigned at = NODES;

	for (; over > 0; over -= 2) {
		unsigned bits = max - 1;
		while (!used[bits])
			bits--;
		used[bits]--;
		used[bits + 1] += 2;
		used[max]--;
	}
	for (unsigned bits = max; bits; bits--)
		for (unsigned n = used[bits]; n;) {
			unsigned node = h->at[--at];
			if (node >= count)
				continue;
			length[node] = (uint8_t)bits;
			n--;
		}
}

unsigned lengths_zlib(const uint32_t *frequency, unsigned count, unsigned max, uint8_t *lengths)
{
	struct heap h = { .taken = NODES };
	uint8_t length[NODES] = { 0 };
	unsigned used[MAX_BITS + 1] = { 0 };
	unsigned highest = enter(&h, frequency, count);
	int over = 0;

	join(&h, count);
	/* From the root down: parents come before their children. */
	for (unsigned i = h.taken + 1; i < NODES; i++) {
		unsigned node = h.at[i];
		unsigned bits = length[h.parent[node]] + 1u;
		if (bits > max) {
			bits = max;
			over++;
		}
		length[node] = (uint8_t)bits;
		if (node < count)
			used[bits]++;
	}
	if (over)
		repair(&h, used, over, count, max, length);
	memcpy(lengths, length, count);
	return highest;
}
