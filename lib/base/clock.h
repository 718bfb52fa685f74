/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* How long something takes: whoever sets the machine's date does not change it. */

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Monotonic, ns; not counted while the machine sleeps. Cannot fail where this runs. */
static inline int64_t clock_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Waits for `changed` (default attributes) as pthread_cond_wait() does, but `ns` at most: less than a second. */
static inline void clock_wait(pthread_cond_t *changed, pthread_mutex_t *lock, long ns)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += ns;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	(void)pthread_cond_timedwait(changed, lock, &until);
}

#endif
