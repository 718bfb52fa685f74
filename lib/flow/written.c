/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/written.h"

#include <stdio.h>
#include <string.h>

/* The table's names beside the output. */
static int add_files(struct fetch_file **out, size_t *count, const struct sums_file *files, size_t n,
		     const char *output, struct err *e)
{
	const char *slash = strrchr(output, '/');
	const int folder = slash ? (int)(slash - output) + 1 : 0;

	*out = calloc(n + 1, sizeof(**out));
	if (!*out)
		return err_memory(e);
	for (size_t i = 0; i < n; i++) {
		struct fetch_file *f = &(*out)[i];
		if (asprintf(&f->file, "%.*s%s", folder, output, files[i].name) < 0) {
			f->file = NULL;
			return err_memory(e);
		}
		f->bytes = files[i].size;
		f->sha256 = files[i].digest;
		*count = i + 1;
	}
	return 0;
}

int written_files(struct fetch_report *r, const struct sums *s, const char *output, struct err *e)
{
	r->sums = sums_path(output, SUMS_SUFFIX, e);
	return !r->sums || add_files(&r->chunks, &r->chunk_count, s->chunks, s->count, output, e) ||
			       add_files(&r->parity, &r->parity_count, s->parity, s->parity_count, output, e)
		       ? -1
		       : 0;
}
