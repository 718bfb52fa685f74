/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cancel.h"

#include <stdatomic.h>
#include <string.h>

static atomic_int requested;

void cancel_request(int sig)
{
	atomic_store(&requested, sig);
}

int cancel_requested(void)
{
	return atomic_load(&requested);
}

int cancel_check(struct err *e)
{
	int sig = cancel_requested();

	if (!sig)
		return 0;
	err_set(e, ERR_CANCELLED, "stopped by SIG%s", sigabbrev_np(sig));
	if (e)
		e->sys = sig;
	return -1;
}
