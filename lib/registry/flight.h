/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_FLIGHT_H
#define REGISTRY_FLIGHT_H

/*
 * One worker does it while the others wait. The flight is guarded by the caller's mutex, which is held at every call;
 * the caller keeps the result beside the flight.
 *
 *     lock; while (!result_is_there) { rc = flight_join(...); if (rc < 0) fail; if (rc == 0) continue;
 *             unlock; work; lock; store the result; flight_land(...); }
 */

#include "base/err.h"

#include <pthread.h>
#include <stdbool.h>

struct flight {
	bool busy;
	unsigned landed;    /* how many ended, so that a waiter sees that his has */
	struct err failure; /* of the last one; ERR_NONE: it succeeded */
};

/*
 * 1: nobody is at it, the caller is now, and must call flight_land(). 0: another worker's has just ended well. -1:
 * another worker's has failed, with his error, or waiting was cancelled. The mutex is let go while waiting.
 */
int flight_join(struct flight *f, pthread_mutex_t *lock, pthread_cond_t *changed, struct err *e);

/* `failure` NULL: it succeeded. */
void flight_land(struct flight *f, pthread_cond_t *changed, const struct err *failure);

#endif
