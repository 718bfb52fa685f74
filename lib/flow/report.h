/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_REPORT_H
#define FLOW_REPORT_H

/* The images of a pack as every report shows them, and the pieces of JSON that reports share. */

#include "flow/flow.h"
#include "oci/json.h"
#include "pack/pack.h"
#include "target/target.h"

/* Fills *out (zeroed) from the pack; on failure *out is empty again. */
int report_images(struct flow_images *out, const struct pack *p, struct err *e);
void report_images_release(struct flow_images *images);

/* "images":[{"name","digest","platforms","layers","bytes"}], key included. */
void report_images_json(struct jout *j, const struct flow_images *images);

/* "platforms":[{"platform","digest"}], key included. */
void report_platforms_json(struct jout *j, const struct flow_platform *platforms, size_t count);

/* "KEY":[{"file","bytes","sha256"}]; without `written` there is no digest yet. */
void report_files_json(struct jout *j, const char *key, const struct fetch_file *files, size_t count, bool written);

/* "problems":[{"chunk","offset","length","member","image","what"}], key included. */
void report_problems_json(struct jout *j, const struct flow_problem *problems, size_t count);

/* What a target made of the pack's images, which are all in the result, in their order. */
struct load_report *load_report_new(const char *target, const struct pack *p, const struct load_result *result,
				    struct err *e);

/* strdup() that gives NULL for NULL, and fills *e if there is no memory. 0 or -1. */
int report_copy(char **out, const char *text, struct err *e);

#endif
