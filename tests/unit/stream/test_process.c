/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a program gets its arguments and its input as they are, and whatever it does (says much, reads nothing, dies,
 * hangs) ends in its exit code or in an error, with nobody left waiting.
 */
#include "stream/process.h"

#include "base/cancel.h"
#include "base/clock.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LONG ((size_t)3 << 20)

struct ran {
	struct buf out, errors;
	int status, rc;
	struct err e;
};

static void release(struct ran *r)
{
	buf_release(&r->out);
	buf_release(&r->errors);
}

/* sh -c SCRIPT: the shell is the program here, its script is ours. */
static void run(struct ran *r, const char *script, struct source *stream, unsigned seconds)
{
	const char *const arguments[] = { "-c", script, "name", "a b", "$x;\n", NULL };
	const struct process_run p = { .program = "sh",
				       .arguments = arguments,
				       .stream = stream,
				       .max_output = 1000,
				       .seconds = seconds,
				       .errors = &r->errors };

	*r = (struct ran){ .status = -1 };
	r->rc = process_run(&p, &r->out, &r->status, &r->e);
}

/* `len` bytes, then the end; or a failure there. */
struct flow {
	struct source base;
	size_t left;
	bool fails;
	bool stops; /* a signal comes when all was given */
};
static ssize_t flow_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct flow *f = (struct flow *)s;
	size_t n = f->left < cap ? f->left : cap;

	if (!n && f->stops) {
		cancel_request(SIGTERM);
		f->left = n = 1;
	}
	if (!n && f->fails)
		return err_set(e, ERR_CORRUPT, "the stream broke");
	memset(buf, 'x', n);
	f->left -= n;
	return (ssize_t)n;
}
static void flow_free(struct source *s)
{
	(void)s;
}
static const struct source_ops flow_ops = { flow_read, flow_free };

static void words(void **state)
{
	struct ran r;

	(void)state;
	run(&r, "printf '%s|%s' \"$1\" \"$2\"; echo oops >&2; exit 3", NULL, 30);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.status, 3);
	assert_string_equal(r.out.data, "a b|$x;\n");
	assert_string_equal(r.errors.data, "oops\n");
	release(&r);
	run(&r, "kill -9 $$", NULL, 30);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.status, 128 + 9);
	release(&r);
}

static void streams(void **state)
{
	struct flow f = { { &flow_ops }, LONG, false, false };
	struct ran r;

	(void)state;
	run(&r, "wc -c", &f.base, 30);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.status, 0);
	assert_int_equal(strtoul(r.out.data, NULL, 10), LONG);
	release(&r);
	/* It need not read it: then its exit code is what counts. */
	f.left = LONG;
	run(&r, "exec <&-; echo no >&2; exit 4", &f.base, 30);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.status, 4);
	assert_string_equal(r.errors.data, "no\n");
	release(&r);
}

/* The stream's own error comes out; the program saw its input end and could clear up. */
static void broken_stream(void **state)
{
	struct flow f = { { &flow_ops }, 100000, true, false };
	struct ran r;

	(void)state;
	run(&r, "wc -c; echo cleared >&2", &f.base, 30);
	assert_int_equal(r.rc, -1);
	assert_int_equal(r.e.kind, ERR_CORRUPT);
	assert_string_equal(r.e.text, "the stream broke");
	assert_string_equal(r.errors.data, "cleared\n");
	release(&r);
}

/* So it does when a signal asks us to stop. */
static void stopped(void **state)
{
	struct flow f = { { &flow_ops }, 100000, false, true };
	struct ran r;

	(void)state;
	run(&r, "wc -c; echo cleared >&2", &f.base, 30);
	cancel_request(0);
	assert_int_equal(r.rc, -1);
	assert_int_equal(r.e.kind, ERR_CANCELLED);
	assert_string_equal(r.errors.data, "cleared\n");
	release(&r);
}

static void too_much(void **state)
{
	struct ran r;

	(void)state;
	run(&r, "head -c 1001 /dev/zero; sleep 60", NULL, 30);
	assert_int_equal(r.rc, -1);
	assert_string_equal(r.e.text, "answered more than 1000 bytes");
	release(&r);
	/* Of its errors the beginning is kept, and it is not stopped by the rest. */
	run(&r, "head -c 300000 /dev/zero >&2; echo done", NULL, 30);
	assert_int_equal(r.rc, 0);
	assert_string_equal(r.out.data, "done\n");
	assert_int_equal(r.errors.len, 64 << 10);
	release(&r);
}

static void hanging(void **state)
{
	struct flow f = { { &flow_ops }, LONG, false, false };
	const int64_t begin = clock_ns();
	struct ran r;

	(void)state;
	run(&r, "exec sleep 60", NULL, 1);
	assert_int_equal(r.rc, -1);
	assert_string_equal(r.e.text, "did not answer within 1 seconds");
	release(&r);
	run(&r, "exec sleep 60", &f.base, 1);
	assert_int_equal(r.rc, -1);
	assert_string_equal(r.e.text, "did not go on within 1 seconds");
	release(&r);
	assert_true(clock_ns() - begin < INT64_C(20000000000));
}

static void absent(void **state)
{
	static const char *const none[] = { NULL };
	const struct process_run p = { .program = "imgpack-no-such-program", .arguments = none, .seconds = 5 };
	struct err e = { 0 };
	AUTO_BUF out = { 0 };
	int status;

	(void)state;
	assert_int_equal(process_run(&p, &out, &status, &e), -1);
	assert_int_equal(e.kind, ERR_LOCAL);
	assert_false(process_exists("imgpack-no-such-program"));
	assert_false(process_exists(""));
	assert_true(process_exists("sh"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),   cmocka_unit_test(streams),  cmocka_unit_test(broken_stream),
		cmocka_unit_test(stopped), cmocka_unit_test(too_much), cmocka_unit_test(hanging),
		cmocka_unit_test(absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
