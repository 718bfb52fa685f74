/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

/*
 * Open addressing, at most half full. The digests come from papers that nobody has proved yet (a TOC, a manifest's
 * layers), so whoever wrote them chooses every bit: their own bits as the hash would let 262,144 of them meet in one
 * slot, and an afternoon go by. So the hash is a random one a map: multilinear over the eight words (strongly
 * universal, Lemire and Kaser, "Strongly universal string hashing is fast"), of which the high half is used.
 */
#define WORDS (DIGEST_RAW / sizeof(uint32_t))

struct slot {
	struct digest key;
	size_t value;
	bool used;
};

struct digestmap {
	struct slot *slots;
	size_t capacity; /* a power of two */
	size_t count;
	uint64_t keys[WORDS + 1];
};

static size_t hash(const uint64_t keys[WORDS + 1], const struct digest *d)
{
	uint64_t sum = keys[WORDS];
	uint32_t words[WORDS];

	memcpy(words, d->raw, sizeof(words));
	for (size_t i = 0; i < WORDS; i++)
		sum += keys[i] * words[i];
	return (size_t)(sum >> 32);
}

static struct slot *find(const struct digestmap *m, struct slot *slots, size_t capacity, const struct digest *d)
{
	size_t i = hash(m->keys, d) & (capacity - 1);

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
	if (getrandom(m->keys, sizeof(m->keys), 0) != (ssize_t)sizeof(m->keys)) {
		err_sys(e, ERR_LOCAL, errno, "cannot get random bytes");
		return NULL;
	}
	return TAKE(m);
}

ptrdiff_t digestmap_get(const struct digestmap *m, const struct digest *d)
{
	const struct slot *s = find(m, m->slots, m->capacity, d);

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
			*find(m, slots, capacity, &m->slots[i].key) = m->slots[i];
	free(m->slots);
	m->slots = slots;
	m->capacity = capacity;
	return 0;
}

int digestmap_put(struct digestmap *m, const struct digest *d, size_t value, struct err *e)
{
	if ((m->count + 1) * 2 > m->capacity && grow(m, e))
		return -1;
	struct slot *s = find(m, m->slots, m->capacity, d);
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
