/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parallel.h"

#include "base/own.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

struct loop {
	size_t count;
	parallel_turn *turn;
	void *ctx;
	atomic_size_t next;
	atomic_bool failed;
	pthread_mutex_t lock; /* guards first */
	struct err first;
};

struct worker {
	struct loop *loop;
	size_t number;
	pthread_t thread;
};

static void fail(struct loop *l, const struct err *e)
{
	pthread_mutex_lock(&l->lock);
	if (l->first.kind == ERR_NONE)
		l->first = *e;
	pthread_mutex_unlock(&l->lock);
	atomic_store(&l->failed, true);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct loop *l = w->loop;

	while (!atomic_load(&l->failed)) {
		size_t item = atomic_fetch_add(&l->next, 1);
		struct err e = { 0 };
		if (item >= l->count)
			break;
		if (l->turn(l->ctx, item, w->number, &e))
			fail(l, &e);
	}
	return NULL;
}

int parallel_for(size_t count, size_t threads, parallel_turn *turn, void *ctx, struct err *e)
{
	struct loop l = { .count = count, .turn = turn, .ctx = ctx, .lock = PTHREAD_MUTEX_INITIALIZER };

	if (threads > count)
		threads = count;
	if (threads < 1)
		threads = 1;
	AUTO_MEM struct worker *workers = calloc(threads, sizeof(*workers));
	if (!workers)
		return err_memory(e);
	/* The caller is worker 0. A thread that cannot be made is no error: the others do its share. */
	size_t started = 1;
	workers[0] = (struct worker){ .loop = &l };
	while (started < threads) {
		workers[started] = (struct worker){ .loop = &l, .number = started };
		if (pthread_create(&workers[started].thread, NULL, work, &workers[started]))
			break;
		started++;
	}
	work(&workers[0]);
	for (size_t i = 1; i < started; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_mutex_destroy(&l.lock);
	if (l.first.kind == ERR_NONE)
		return 0;
	if (e)
		*e = l.first;
	return -1;
}

size_t parallel_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1;
	int n = CPU_COUNT(&set);
	return n > 0 ? (size_t)n : 1;
}
