/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_DISTRIBUTION_H
#define SERVE_DISTRIBUTION_H

/* What is below /v2/: the pulling half of the OCI distribution specification 1.1. */

#include "serve/give.h"

/* v->ask is one of ASK_BASE to ASK_REFERRERS, or ASK_NOTHING. */
struct MHD_Response *distribution_answer(struct visit *v);

#endif
