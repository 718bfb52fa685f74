/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_WRITTEN_H
#define FLOW_WRITTEN_H

#include "flow/flow.h"
#include "pack/sums.h"

/* Fills chunks, parity and sums of a report from the table of what was cut; the names stand beside `output`. */
int written_files(struct fetch_report *r, const struct sums *s, const char *output, struct err *e);

#endif
