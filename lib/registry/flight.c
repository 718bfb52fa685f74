/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/flight.h"

#include "base/cancel.h"
#include "base/clock.h"

#define SLICE_NS 200000000L /* how often a waiter looks whether he shall stop */

int flight_join(struct flight *f, pthread_mutex_t *lock, pthread_cond_t *changed, struct err *e)
{
	unsigned before = f->landed;

	if (!f->busy) {
		f->busy = true;
		return 1;
	}
	while (f->landed == before) {
		/* The one who flies sees a cancel in its own waiting, the others have only this. */
		clock_wait(changed, lock, SLICE_NS);
		if (f->landed == before && cancel_check(e))
			return -1;
	}
	if (f->failure.kind == ERR_NONE)
		return 0;
	if (e)
		*e = f->failure;
	return -1;
}

void flight_land(struct flight *f, pthread_cond_t *changed, const struct err *failure)
{
	f->busy = false;
	f->landed++;
	f->failure = failure ? *failure : (struct err){ 0 };
	pthread_cond_broadcast(changed);
}
