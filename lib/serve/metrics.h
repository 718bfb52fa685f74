/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SERVE_METRICS_H
#define SERVE_METRICS_H

/* What was asked and answered, counted for Prometheus (text exposition format 0.0.4). Labels come from fixed lists, so
 * no client can make them grow. */

#include "base/buf.h"
#include "base/err.h"
#include "serve/request.h"

#include <stdatomic.h>

struct metrics {
	_Atomic uint64_t
		requests[ASK_KINDS][6]; /* by the status's first digit; [0]: cut off before there was an answer */
	_Atomic uint64_t bytes;         /* of answers that were read to their end */
	_Atomic uint64_t broken;        /* answers that were not */
	_Atomic uint64_t refused;       /* for their credentials */
	_Atomic uint64_t running;       /* requests, now */
};

void metrics_count(struct metrics *m, enum ask_kind kind, unsigned status);

/* `connections`: open now. `images`, `repositories`: what is served. */
int metrics_text(const struct metrics *m, uint64_t connections, uint64_t images, uint64_t repositories, struct buf *out,
		 struct err *e);

#endif
