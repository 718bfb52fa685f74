/* SPDX-License-Identifier: Apache-2.0 */
#include "target/result.h"

#include <string.h>

struct load_result *load_result_new(size_t count, struct err *e)
{
	AUTO(load_result) r = calloc(1, sizeof(*r));

	if (r)
		r->images = calloc(count + 1, sizeof(*r->images));
	if (!r || !r->images) {
		err_memory(e);
		return NULL;
	}
	r->count = count;
	return TAKE(r);
}

int load_result_set(struct load_result *r, size_t i, const char *loaded_as, const struct digest *digest, bool had_it,
		    struct err *e)
{
	char *copy = strdup(loaded_as);

	if (!copy)
		return err_memory(e);
	free(r->images[i].loaded_as);
	r->images[i] = (struct loaded){ .loaded_as = copy, .digest = *digest, .had_it = had_it };
	return 0;
}

void load_result_free(struct load_result *r)
{
	if (!r)
		return;
	for (size_t i = 0; r->images && i < r->count; i++)
		free(r->images[i].loaded_as);
	free(r->images);
	free(r);
}

const char *load_image_noun(const struct load_image *image)
{
	return image->name ? image->name : "the nameless image";
}
