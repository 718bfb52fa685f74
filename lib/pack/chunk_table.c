/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/chunk_find.h"

int chunkset_has_sums_file(const struct chunkset *c, const char *const *paths, size_t count, struct err *e)
{
	AUTO_FINDER f = { 0 };

	if (find_collect(&f, paths, count, e))
		return -1;
	for (size_t i = 0; i < f.count; i++) {
		const struct candidate *file = &f.files[i];
		if (file->kind == FILE_TABLE && file->set != NOWHERE &&
		    digest_equal(&f.sets[file->set]->sums.set, &c->sums.set))
			return 1;
	}
	return 0;
}
