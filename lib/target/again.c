/* SPDX-License-Identifier: Apache-2.0 */
#include "target/again.h"

#include "base/cancel.h"
#include "base/limits.h"

#include <errno.h>
#include <stdbool.h>
#include <time.h>

/* An answer of the registry stays the same; what the network did may not happen twice. */
static bool worth_it(const struct err *e)
{
	return e->kind == ERR_NETWORK && (e->sys < 400 || e->sys == 408 || e->sys == 429 || e->sys >= 500);
}

/* Half a second, one, two, ...; a signal cuts it short. */
static int wait_before(unsigned next, struct err *e)
{
	unsigned halves = 1u << (next - 1);
	struct timespec left = { .tv_sec = halves / 2, .tv_nsec = halves % 2 ? 500000000 : 0 };

	while (nanosleep(&left, &left) && errno == EINTR)
		if (cancel_check(e))
			return -1;
	return cancel_check(e);
}

int again(again_fn *attempt, void *ctx, struct err *e)
{
	for (unsigned tries = 1;; tries++) {
		struct err why = { 0 };
		int result = attempt(ctx, &why);
		if (result >= 0)
			return result;
		if (tries < LIMIT_PUSH_TRIES && worth_it(&why)) {
			if (wait_before(tries, e))
				return -1;
			continue;
		}
		if (e)
			*e = why;
		return tries > 1 ? err_hint(e, "tried %u times", tries) : -1;
	}
}
