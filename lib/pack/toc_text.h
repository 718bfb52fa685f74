/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PACK_TOC_TEXT_H
#define PACK_TOC_TEXT_H

/*
 * The TOC's bytes, piece by piece, as papers.h shows them. The writer (toc_write.c) and the reader's check that a TOC
 * is what we would have written (toc.c) share them, so the form is said once. Private to pack/.
 */

#include "oci/json.h"
#include "pack/papers.h"

#define TOC_VERSION 1

void toc_put_head(struct jout *j);
void toc_put_image(struct jout *j, const struct toc_image *image);
void toc_put_middle(struct jout *j); /* between images and members */
void toc_put_member(struct jout *j, const char *name, const struct promise *promise);
/* Behind the members: the absent blobs, one after the other, then the end. */
void toc_put_absent(struct jout *j, const struct promise *promise, bool first);
void toc_put_tail(struct jout *j);

/* True if reference_local_name() could have made it. */
bool toc_name_valid(const char *name);

/* The second half of toc_parse(): see papers.h. */
int toc_check(const struct toc *t, const char *bytes, size_t len, struct err *e);

#endif
