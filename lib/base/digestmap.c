/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <string.h>

/*
 * Open addressing, at most half full. A digest is already uniformly distributed, so its first bytes are the hash. An
 * attacker could choose digests that share them only by grinding SHA-256, and gains a slow table of at most
 * LIMIT_MEMBERS entries.
 */
struct slot {
	struct digest key;
	size_t value;
	bool used;
};

struct digestmap {
	struct slot *slots;
	size_t capacity; /* a power of two */
	size_t count;
};

static struct slot *find(struct slot *slots, size_t capacity, const struct digest *d)
{
	uint64_t hash;

	memcpy(&hash, d->raw, sizeof(hash));
	size_t i = (size_t)hash & (capacity - 1);
	while (slots[i].used && !digest_equal(&slots[i].key, d))
		i = (i + 1) & (capacity - 1);
	return &slots[i];
}

struct digestmap *digestmap_new(struct err *e)
{
	AUTO(digestmap) m = calloc(1, sizeof(*m));

	if (m) {
		m->capacity = 64;
		m->slots = calloc(m->capacity, sizeof(*m->slots));
	}
	if (!m || !m->slots) {
		err_memory(e);
		return NULL;
	}
	return TAKE(m);
}

ptrdiff_t digestmap_get(const struct digestmap *m, const struct digest *d)
{
	const struct slot *s = find(m->slots, m->capacity, d);

	return s->used ? (ptrdiff_t)s->value : -1;
}

static int grow(struct digestmap *m, struct err *e)
{
	size_t capacity = m->capacity * 2;
	struct slot *slots = calloc(capacity, sizeof(*slots));

	if (!slots)
		return err_memory(e);
	for (size_t i = 0; i < m->capacity; i++)
		if (m->slots[i].used)
			*find(slots, capacity, &m->slots[i].key) = m->slots[i];
	free(m->slots);
	m->slots = slots;
	m->capacity = capacity;
	return 0;
}

int digestmap_put(struct digestmap *m, const struct digest *d, size_t value, struct err *e)
{
	if ((m->count + 1) * 2 > m->capacity && grow(m, e))
		return -1;
	struct slot *s = find(m->slots, m->capacity, d);
	if (!s->used)
		m->count++;
	s->key = *d;
	s->value = value;
	s->used = true;
	return 0;
}

void digestmap_free(struct digestmap *m)
{
	if (!m)
		return;
	free(m->slots);
	free(m);
}
