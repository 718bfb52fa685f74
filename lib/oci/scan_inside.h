/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_SCAN_INSIDE_H
#define OCI_SCAN_INSIDE_H

/* What the readers of oci/scan.h share. Each returns 0, or -1 when there is no memory. */

#include "oci/scan.h"
#include "oci/yamltree.h"

int sight_add(struct sights *s, enum sight_kind kind, size_t line, const char *text, const char *why, struct err *e);

/* A place where an image stands for certain: the reference, or why it is none. */
int sight_image(struct sights *s, size_t line, const char *text, struct err *e);

/* A name or a flag: "FOO_IMAGE", "sidecarImage", "image". */
bool scan_names_image(const char *name, size_t len);
/* "images", "FOO_IMAGES" */
bool scan_names_images(const char *name, size_t len);

/* A reference with a tag or digest written in it. */
bool scan_explicit(const char *text);

/* One document of a YAML stream. */
int scan_manifest(struct sights *s, const struct ynode *root, struct err *e);
bool scan_is_compose(const struct ynode *root);
int scan_compose(struct sights *s, const struct ynode *root, const struct scan_input *in, struct err *e);
int scan_dockerfile(struct sights *s, const char *bytes, size_t len, struct err *e);
/* One reference a line, "#" comments. */
int scan_list(struct sights *s, const char *bytes, size_t len, struct err *e);
bool scan_is_list(const char *bytes, size_t len);

#endif
