/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_PLAN_H
#define CMD_PLAN_H

#include "cmd/cli.h"
#include "flow/flow.h"

/* fetch --plan: what the fetch would take, image by image and in all. */
int plan_show(struct run *run, const struct fetch_report *r, struct err *e);

#endif
