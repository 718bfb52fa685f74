/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TARGET_RESULT_H
#define TARGET_RESULT_H

#include "target/target.h"

/* An empty result for `count` images. */
struct load_result *load_result_new(size_t count, struct err *e);

/* Fills images[i]; `loaded_as` is copied. */
int load_result_set(struct load_result *r, size_t i, const char *loaded_as, const struct digest *digest, bool had_it,
		    struct err *e);

/* What a message calls an image: its name, or "the nameless image". */
const char *load_image_noun(const struct load_image *image);

#endif
