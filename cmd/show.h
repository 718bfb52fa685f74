/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_SHOW_H
#define CMD_SHOW_H

/* Reports for a person. Names and sentences that come from outside are escaped here. */

#include "base/buf.h"
#include "flow/flow.h"

#define SHOW_NAME 640 /* bytes of an escaped name; the longest reference fits */

/* "1 image", "2 images". */
int show_count(struct buf *out, uint64_t count, const char *noun, struct err *e);

/* A table of the images: digest, platform, layers, size, with a plan what is to be downloaded, and the name. */
int show_images(struct buf *out, const struct flow_images *images, const struct forecast *plan, struct err *e);

/* One image with its platforms and layers. */
int show_image(struct buf *out, const struct flow_image *image, struct err *e);

/* ", 3 referrers (12 kB)"; nothing if there are none. */
int show_referrers(struct buf *out, const struct flow_images *images, struct err *e);

/* What could not be checked, one sentence a line. */
/* "3 chunks of 4 GB and 1 parity file"; of a report with chunks. */
int show_chunks(struct buf *out, const struct fetch_report *r, struct err *e);

/* "thin: relies on 2 blobs (31 MB) that are not in it: only a target that has them takes it"; nothing if it is not. */
int show_absent(struct buf *out, const struct verify_report *r, struct err *e);

/* What could not be checked, one sentence a line. */
int show_unproved(struct buf *out, char *const *sentences, size_t count, struct err *e);

/* The chunks, parity and sums that were written, in a line; nothing of one file. */
int show_files(struct buf *out, const struct fetch_report *r, struct err *e);

/* A problem in one line: the file, the bytes, the member, the image, what is wrong. */
int show_problem(struct buf *out, const struct flow_problem *p, struct err *e);

#endif
