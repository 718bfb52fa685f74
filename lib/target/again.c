/* SPDX-License-Identifier: Apache-2.0 */
#include "target/again.h"

#include "base/cancel.h"
#include "base/clock.h"
#include "base/limits.h"

#include <stdbool.h>

/* An answer of the registry stays the same; what the network did may not happen twice. */
static bool worth_it(const struct err *e)
{
	return e->kind == ERR_NETWORK && !e->lasting && e->wait_ms <= LIMIT_RETRY_AFTER_SECONDS * INT64_C(1000) &&
	       (e->sys < 400 || e->sys == 408 || e->sys == 429 || e->sys >= 500);
}

/* Half a second, one, two, ... if the other side does not say. */
static int wait_before(unsigned next, const struct err *why, struct err *e)
{
	const int64_t ms = why->wait_ms ? why->wait_ms : INT64_C(500) << (next < 8 ? next - 1 : 7);

	return cancel_sleep(clock_ns() + ms * 1000000, NULL, e);
}

int again(again_fn *attempt, void *ctx, unsigned tries, struct err *e)
{
	const unsigned most = tries ? tries : LIMIT_PUSH_TRIES;

	for (unsigned done = 1;; done++) {
		struct err why = { 0 };
		int result = attempt(ctx, &why);
		if (result >= 0)
			return result;
		if (done < most && worth_it(&why)) {
			if (wait_before(done, &why, e))
				return -1;
			continue;
		}
		if (e)
			*e = why;
		return done > 1 ? err_hint(e, "tried %u times", done) : -1;
	}
}
