/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cancel.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

/* How often a sleeper looks whether he shall stop. */
#define TICK_NS INT64_C(50000000)

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

int cancel_sleep(int64_t until, const atomic_bool *stop, struct err *e)
{
	int64_t left;

	while ((left = until - clock_ns()) > 0 && !(stop && atomic_load(stop))) {
		const struct timespec nap = { 0, left < TICK_NS ? left : TICK_NS };
		if (cancel_check(e))
			return -1;
		(void)nanosleep(&nap, NULL);
	}
	return cancel_check(e);
}

/* The wait is in pieces: the other side may take its time, and a signal may have interrupted another thread. */
int cancel_poll(int fd, short events, struct err *e)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		if (cancel_check(e))
			return -1;
		int n = poll(&p, 1, (int)(TICK_NS / 1000000));
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return err_sys(e, ERR_LOCAL, errno, "cannot wait");
	}
}
