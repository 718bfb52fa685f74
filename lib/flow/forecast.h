/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FLOW_FORECAST_H
#define FLOW_FORECAST_H

/*
 * What a fetch would take, said before it is done (--plan). Papers alone were read for it; nothing is written, and what
 * is on this disk already is told from its papers and journals, not proved: the fetch itself does that.
 */

#include "flow/plan.h"
#include "pack/layout.h"
#include "pack/sums.h"

/* `sums`: of an archive in chunks, else NULL. */
struct forecast *forecast_new(const struct fetch_options *o, const struct plan *plan, const struct layout *layout,
			      const struct sums *sums, struct registries *registries, struct err *e);

#endif
