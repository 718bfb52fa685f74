/* SPDX-License-Identifier: Apache-2.0 */
/* The real screen and clock behind progress.h, and the thread that keeps the picture from going stale. */
#include "cmd/progress.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define TICK_MS 100

static uint64_t now_ms(void *ctx)
{
	struct timespec t;

	(void)ctx;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void window(void *ctx, unsigned *columns, unsigned *rows)
{
	struct winsize w;

	(void)ctx;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w))
		return;
	*columns = w.ws_col;
	*rows = w.ws_row;
}

/* A log that cannot be written is no reason to stop the work. */
static void to_stderr(void *ctx, const char *bytes, size_t len)
{
	(void)ctx;
	while (len) {
		ssize_t n = write(STDERR_FILENO, bytes, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		bytes += n;
		len -= (size_t)n;
	}
}

const struct progress_screen progress_stderr = { .now = now_ms, .size = window, .write = to_stderr };

struct ticker {
	struct progress *progress;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool stop; /* under lock */
};

static void *tick(void *arg)
{
	struct ticker *t = arg;

	pthread_mutex_lock(&t->lock);
	while (!t->stop) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += TICK_MS * 1000000L;
		if (until.tv_nsec >= 1000000000L) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000L;
		}
		if (pthread_cond_timedwait(&t->wake, &t->lock, &until) != ETIMEDOUT)
			continue;
		pthread_mutex_unlock(&t->lock);
		progress_tick(t->progress);
		pthread_mutex_lock(&t->lock);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static int make_condition(pthread_cond_t *c)
{
	pthread_condattr_t attr;

	if (pthread_condattr_init(&attr))
		return -1;
	int rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) || pthread_cond_init(c, &attr) ? -1 : 0;
	pthread_condattr_destroy(&attr);
	return rc;
}

/* Signals are for the threads that wait for the network, so that they wake up. */
static int start_thread(struct ticker *t)
{
	sigset_t all, before;

	sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before))
		return -1;
	int rc = pthread_create(&t->thread, NULL, tick, t);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

struct ticker *ticker_new(struct progress *p)
{
	struct ticker *t = p ? calloc(1, sizeof(*t)) : NULL;

	if (!t)
		return NULL;
	t->progress = p;
	if (pthread_mutex_init(&t->lock, NULL))
		goto no_lock;
	if (make_condition(&t->wake))
		goto no_condition;
	if (start_thread(t) == 0)
		return t;
	pthread_cond_destroy(&t->wake);
no_condition:
	pthread_mutex_destroy(&t->lock);
no_lock:
	free(t);
	return NULL;
}

void ticker_free(struct ticker *t)
{
	if (!t)
		return;
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->wake);
	pthread_mutex_unlock(&t->lock);
	pthread_join(t->thread, NULL);
	pthread_cond_destroy(&t->wake);
	pthread_mutex_destroy(&t->lock);
	free(t);
}
