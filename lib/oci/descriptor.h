/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_DESCRIPTOR_H
#define OCI_DESCRIPTOR_H

/* What index.c, manifest.c and paper.c share; nobody outside oci/ needs it. */

#include "oci/json.h"
#include "oci/manifest.h"

/* One descriptor. The caller adds which one it was to the error. */
int descriptor_parse(struct descriptor *out, const struct jval *v, struct err *e);

/*
 * All descriptors of an array, at most `limit`; NULL or null is an empty one. *out is to be freed, NULL if there are
 * none. `noun` ("layer") goes into the errors.
 */
int descriptors_parse(struct descriptor **out, size_t *count, const struct jval *array, size_t limit, const char *noun,
		      struct err *e);

/* paper_kind() of a parsed document. *media_type is one of the constants of manifest.h. */
int paper_kind_of(const struct jval *root, const char *content_type, enum paper_kind *kind, const char **media_type,
		  struct err *e);

/* Printable ASCII, shorter than MEDIA_TYPE_SIZE. */
bool media_type_valid(const char *s);

/* True if a layer of an image can have this type, whatever its coding. */
bool media_is_layer(const char *media_type);

#endif
