/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: how often, when and where is asked again. The network is a script: each try takes the next answer for its host.
 * What is held: attempts are counted without progress, Retry-After is kept by everybody, mirrors come first and are
 * left for reasons, the registry's own word counts, waits are spread (full jitter).
 */
#include "base/clock.h"
#include "flow/ask.h"
#include "flow/standing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ORIGIN "origin.test"

/* One answer of a host; the last one of a host is repeated. */
struct answer {
	const char *host;
	enum err_kind kind; /* ERR_NONE: it is there */
	int status;
	int64_t wait_ms;
	bool lasting, unreached, progress;
};

struct scene {
	const struct answer *answers;
	size_t count;
	size_t used[32];
	char log[2048]; /* hosts in the order in which they were asked */
	int64_t at[64]; /* when */
	size_t tries;
};

static int play(struct ask *a, struct registry_conn *conn, const char *repository, struct err *e)
{
	struct scene *s = a->ctx;
	const char *host = registry_conn_host(conn);
	const struct answer *now = NULL;

	(void)repository;
	for (size_t i = 0; i < s->count; i++) {
		if (strcmp(s->answers[i].host, host) != 0)
			continue;
		now = &s->answers[i];
		if (!s->used[i]) {
			s->used[i] = 1;
			break;
		}
	}
	assert_non_null(now);
	s->at[s->tries++ % 64] = clock_ns();
	strncat(s->log, host[0] == 'o' ? "o" : host[1] == '1' ? "1" : "2", sizeof(s->log) - strlen(s->log) - 1);
	a->progressed = now->progress;
	if (now->kind == ERR_NONE)
		return 0;
	err_set(e, now->kind, "%s answers %d", host, now->status);
	e->sys = now->status;
	e->wait_ms = now->wait_ms;
	e->lasting = now->lasting;
	e->unreached = now->unreached;
	return -1;
}

/* Asks; *s says what happened. 0, or the error's kind. */
static enum err_kind run(struct scene *s, bool mirrors, unsigned retries, struct err *e)
{
	static const char *const list[] = { ORIGIN "=http://m1.test", ORIGIN "=http://m2.test", NULL };
	const struct connect_options connect = { .connections = 1,
						 .mirrors = mirrors ? list : NULL,
						 .retries_given = true,
						 .retries = retries,
						 .retry_ms = 1 };
	AUTO(registries) r = registries_new(&connect, NULL, e);
	struct ask a = { .repository = "a/b", .what = "a thing", .attempt = play, .ctx = s };

	assert_non_null(r);
	assert_int_equal(registries_add(r, ORIGIN, e), 0);
	return ask(r, &a, e) ? e->kind : ERR_NONE;
}

#define SCENE(name, ...)                                                                                               \
	static const struct answer name##_answers[] = { __VA_ARGS__ };                                                 \
	struct scene name = { .answers = name##_answers, .count = sizeof(name##_answers) / sizeof(name##_answers[0]) }

static void test_counts(void **state)
{
	struct err e = { 0 };

	(void)state;
	SCENE(broken, { .host = ORIGIN, .kind = ERR_NETWORK, .status = 500 });
	assert_int_equal(run(&broken, false, 5, &e), ERR_NETWORK);
	assert_string_equal(broken.log, "oooooo");
	assert_non_null(strstr(e.text, "tried 6 times"));
	SCENE(once, { .host = ORIGIN, .kind = ERR_NETWORK, .status = 503 });
	assert_int_equal(run(&once, false, 0, &e), ERR_NETWORK);
	assert_string_equal(once.log, "o");
	SCENE(mended, { .host = ORIGIN, .kind = ERR_NETWORK, .status = 0 },
	      { .host = ORIGIN, .kind = ERR_NETWORK, .status = 502 }, { .host = ORIGIN });
	assert_int_equal(run(&mended, false, 5, &e), ERR_NONE);
	assert_string_equal(mended.log, "ooo");
	/* Each brought something: a bad line, and no reason to give up. */
	SCENE(slow, { .host = ORIGIN, .kind = ERR_NETWORK, .progress = true },
	      { .host = ORIGIN, .kind = ERR_NETWORK, .progress = true },
	      { .host = ORIGIN, .kind = ERR_NETWORK, .progress = true },
	      { .host = ORIGIN, .kind = ERR_NETWORK, .progress = true },
	      { .host = ORIGIN, .kind = ERR_NETWORK, .progress = true }, { .host = ORIGIN });
	assert_int_equal(run(&slow, false, 1, &e), ERR_NONE);
}

static void test_final(void **state)
{
	static const struct answer answers[] = {
		{ .host = ORIGIN, .kind = ERR_ABSENT, .status = 404 },
		{ .host = ORIGIN, .kind = ERR_DENIED, .status = 401 },
		{ .host = ORIGIN, .kind = ERR_LOCAL, .status = 0 },
		{ .host = ORIGIN, .kind = ERR_NETWORK, .status = 418, .lasting = true },
		{ .host = ORIGIN, .kind = ERR_NETWORK, .status = 0, .unreached = true },
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct scene s = { .answers = &answers[i], .count = 1 };
		assert_int_equal(run(&s, false, 5, &e), answers[i].kind);
		assert_string_equal(s.log, "o");
	}
	/* Somebody was there before: it may come back. */
	SCENE(gone, { .host = ORIGIN, .kind = ERR_NETWORK, .progress = true },
	      { .host = ORIGIN, .kind = ERR_NETWORK, .unreached = true }, { .host = ORIGIN });
	assert_int_equal(run(&gone, false, 5, &e), ERR_NONE);
	assert_string_equal(gone.log, "ooo");
	/* Wrong bytes may be the way's fault, twice. */
	SCENE(wrong, { .host = ORIGIN, .kind = ERR_CORRUPT });
	assert_int_equal(run(&wrong, false, 5, &e), ERR_CORRUPT);
	assert_string_equal(wrong.log, "ooo");
}

static void test_retry_after(void **state)
{
	struct err e = { 0 };

	(void)state;
	SCENE(busy, { .host = ORIGIN, .kind = ERR_NETWORK, .status = 429, .wait_ms = 300 }, { .host = ORIGIN });
	assert_int_equal(run(&busy, false, 5, &e), ERR_NONE);
	assert_true(busy.at[1] - busy.at[0] >= 300 * MS);
	SCENE(far, { .host = ORIGIN, .kind = ERR_NETWORK, .status = 429, .wait_ms = 121000 });
	assert_int_equal(run(&far, false, 5, &e), ERR_NETWORK);
	assert_string_equal(far.log, "o");
	assert_non_null(strstr(e.text, "--wait-for-quota"));
	/* A mirror that rests is passed over meanwhile. */
	SCENE(other, { .host = "m1.test", .kind = ERR_NETWORK, .status = 429, .wait_ms = 100000 },
	      { .host = "m2.test" });
	assert_int_equal(run(&other, true, 5, &e), ERR_NONE);
	assert_string_equal(other.log, "12");
}

static void test_mirrors(void **state)
{
	static const struct answer bad[] = {
		{ .host = "m1.test", .kind = ERR_ABSENT, .status = 404 },
		{ .host = "m1.test", .kind = ERR_DENIED, .status = 401 },
		{ .host = "m1.test", .kind = ERR_CORRUPT },
		{ .host = "m1.test", .kind = ERR_NETWORK, .status = 0, .unreached = true },
		{ .host = "m1.test", .kind = ERR_NETWORK, .status = 500 },
		{ .host = "m1.test", .kind = ERR_NETWORK, .status = 429 },
	};
	struct err e = { 0 };

	(void)state;
	SCENE(good, { .host = "m1.test" });
	assert_int_equal(run(&good, true, 5, &e), ERR_NONE);
	assert_string_equal(good.log, "1");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct answer both[] = { bad[i], { .host = "m2.test" } };
		struct scene s = { .answers = both, .count = 2 };
		assert_int_equal(run(&s, true, 5, &e), ERR_NONE);
		assert_string_equal(s.log, "12");
	}
	/* All fail: what the registry itself says is told. */
	SCENE(none, { .host = "m1.test", .kind = ERR_DENIED, .status = 403 },
	      { .host = "m2.test", .kind = ERR_NETWORK, .status = 404, .lasting = true },
	      { .host = ORIGIN, .kind = ERR_ABSENT, .status = 404 });
	assert_int_equal(run(&none, true, 5, &e), ERR_ABSENT);
	assert_string_equal(none.log, "12o");
	/* A mirror that was left for its failures is better than nothing. */
	SCENE(weak, { .host = "m1.test", .kind = ERR_NETWORK, .status = 500 },
	      { .host = "m1.test", .kind = ERR_NETWORK, .status = 500 }, { .host = "m1.test" },
	      { .host = "m2.test", .kind = ERR_NETWORK, .status = 0, .unreached = true },
	      { .host = ORIGIN, .kind = ERR_NETWORK, .status = 0, .unreached = true });
	assert_int_equal(run(&weak, true, 5, &e), ERR_NONE);
	assert_string_equal(weak.log, "12o11");
}

/* A hundred clients that failed at the same moment do not come back together. */
static void test_spread(void **state)
{
	unsigned bins[10] = { 0 };

	(void)state;
	for (unsigned client = 0; client < 100; client++) {
		struct err e = { 0 };
		const struct connect_options connect = { .connections = 1, .retries_given = true, .retries = 3 };
		AUTO(registries) r = registries_new(&connect, NULL, &e);
		assert_int_equal(registries_add(r, ORIGIN, &e), 0);
		struct ask a = { .repository = "a/b", .what = "a thing" };
		struct search s = { .r = r, .family = r->items[0], .ask = &a };
		s.patience = &s.own;
		/* The third failure in a row: the wait is a part of eight seconds. */
		for (unsigned failure = 0; failure < 3; failure++) {
			struct err busy = { .kind = ERR_NETWORK, .sys = 429 };
			pthread_mutex_lock(&r->lock);
			assert_int_equal(standing_judge(&s, 0, clock_ns(), &busy), 0);
			pthread_mutex_unlock(&r->lock);
		}
		int64_t wait = s.rest_until[0] - clock_ns();
		assert_true(wait <= 8 * SECOND);
		bins[wait < 0 ? 0 : wait / (800 * MS) > 9 ? 9 : wait / (800 * MS)]++;
	}
	/* Ten each are expected, with a deviation of three. */
	for (size_t i = 0; i < 10; i++)
		assert_true(bins[i] <= 26);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),  cmocka_unit_test(test_final),  cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_mirrors), cmocka_unit_test(test_spread),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
