/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: no bytes make toc_parse() crash or leak, and what it takes keeps papers.h's promises: names that could not
 * become a path elsewhere, sizes that fit a file, each blob once.
 */
#include "pack/papers.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct toc *t)
{
	static const char *const papers[] = { OCI_LAYOUT_NAME, INDEX_NAME, DOCKER_MANIFEST_NAME };
	AUTO(digestmap) seen = digestmap_new(NULL);
	char name[MEMBER_NAME_SIZE];
	uint64_t sum = 0;

	if (!seen || t->member_count < 3)
		abort();
	for (size_t i = 0; i < t->member_count; i++) {
		const struct toc_member *m = &t->members[i];
		size_t from_end = t->member_count - i;
		if (from_end <= 3) {
			if (strcmp(m->name, papers[3 - from_end]))
				abort();
		} else if (strcmp(m->name, blob_member_name(&m->promise.digest, name)) ||
			   digestmap_get(seen, &m->promise.digest) >= 0 ||
			   digestmap_put(seen, &m->promise.digest, i, NULL)) {
			abort();
		}
		if (__builtin_add_overflow(sum, m->promise.size, &sum) || sum > INT64_MAX)
			abort();
	}
	for (size_t i = 0; i < t->image_count; i++)
		if (digestmap_get(seen, &t->images[i].root) < 0)
			abort();
	for (size_t i = 0; i < t->absent_count; i++)
		if (digestmap_get(seen, &t->absent[i].digest) >= 0)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	AUTO(toc) t = toc_parse((const char *)data, size, &e);

	if (t)
		check(t);
	else if (e.kind != ERR_CORRUPT || !*e.text)
		abort();
	return 0;
}
