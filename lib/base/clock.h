/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* How long something takes: whoever sets the machine's date does not change it. */

#include <stdint.h>
#include <time.h>

/* Monotonic, ns; not counted while the machine sleeps. Cannot fail where this runs. */
static inline int64_t clock_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

#endif
