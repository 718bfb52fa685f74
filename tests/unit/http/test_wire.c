/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: whatever the other side does, http_send() and http_read() give the answer's bytes, or an error that names the
 * host and how far it came; never a short body taken for a whole one, never a wait without end.
 */
#include "unit/http/server.h"

#include "base/cancel.h"
#include "base/limits.h"

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

static struct server server;
static struct http *http;
static struct http_client *client;

static int group_start(void **state)
{
	struct err e = { 0 };

	(void)state;
	server_start(&server, "http", NULL);
	http = http_new(&(struct http_options){ .stall_seconds = 1 }, &e);
	assert_non_null(http);
	return 0;
}

static int group_end(void **state)
{
	(void)state;
	http_free(http);
	server_stop(&server);
	return 0;
}

static int start(void **state)
{
	struct err e = { 0 };

	(void)state;
	client = http_client_new(http, &e);
	assert_non_null(client);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	http_client_free(client);
	cancel_request(0);
	return 0;
}

static void plain_answer(void **state)
{
	struct err e = { 0 };
	uint64_t total;

	(void)state;
	struct http_reply *r = send_script(client, &server, HTTP_GET,
					   "status=206&header=X-Thing:%20%20a%20b%20%20&header=X-Thing:c&body=1000000",
					   &e);
	assert_non_null(r);
	assert_int_equal(http_status(r), 206);
	assert_string_equal(http_header(r, "x-thing"), "a b");
	assert_string_equal(http_header_nth(r, "X-THING", 1), "c");
	assert_null(http_header_nth(r, "X-Thing", 2));
	assert_null(http_header(r, "X-Thin"));
	assert_int_equal(http_content_length(r), 1000000);
	assert_int_equal(read_all(r, &total, &e), 0);
	assert_int_equal(total, 1000000);
	/* The end stays the end. */
	char byte;
	assert_int_equal(http_read(r, &byte, 1, &e), 0);
	http_reply_free(r);
}

static void statuses_are_answers(void **state)
{
	static const int all[] = { 200, 204, 301, 304, 400, 401, 404, 407, 416, 429, 500, 503 };
	char script[64];
	uint64_t total;

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct err e = { 0 };
		snprintf(script, sizeof(script), "status=%d&header=Location:/y", all[i]);
		struct http_reply *r = send_script(client, &server, HTTP_GET, script, &e);
		assert_non_null(r);
		assert_int_equal(http_status(r), all[i]);
		assert_int_equal(read_all(r, &total, &e), 0);
		http_reply_free(r);
	}
}

static void head_has_a_length_and_no_body(void **state)
{
	struct err e = { 0 };
	uint64_t total;

	(void)state;
	struct http_reply *r = send_script(client, &server, HTTP_HEAD, "length=123456", &e);
	assert_non_null(r);
	assert_int_equal(http_content_length(r), 123456);
	assert_int_equal(read_all(r, &total, &e), 0);
	assert_int_equal(total, 0);
	http_reply_free(r);
}

static void interim_answers_are_skipped(void **state)
{
	struct err e = { 0 };
	uint64_t total;

	(void)state;
	struct http_reply *r = send_script(client, &server, HTTP_GET, "interim=100&interim=103&status=201&body=10", &e);
	assert_non_null(r);
	assert_int_equal(http_status(r), 201);
	assert_null(http_header(r, "X-Interim"));
	assert_int_equal(read_all(r, &total, &e), 0);
	assert_int_equal(total, 10);
	http_reply_free(r);
}

static void folded_header(void **state)
{
	struct err e = { 0 };

	(void)state;
	struct http_reply *r = send_script(client, &server, HTTP_GET,
					   "raw=HTTP/1.1%20200%20OK%0d%0aX-A:%20one%0d%0a%20%20two%0d%0aX-B:%20HTTP/"
					   "1.1%0d%0aContent-Length:0%0d%0a%0d%0a",
					   &e);
	assert_non_null(r);
	assert_string_equal(http_header(r, "x-a"), "one two");
	assert_string_equal(http_header(r, "x-b"), "HTTP/1.1");
	http_reply_free(r);
}

static void encoded_body_comes_as_it_is(void **state)
{
	struct err e = { 0 };
	uint64_t total;

	(void)state;
	/* E24: the pattern is no gzip; decoding it would fail or change it. */
	struct http_reply *r = send_script(client, &server, HTTP_GET, "header=Content-Encoding:gzip&body=5000", &e);
	assert_non_null(r);
	assert_string_equal(http_header(r, "content-encoding"), "gzip");
	assert_int_equal(read_all(r, &total, &e), 0);
	assert_int_equal(total, 5000);
	http_reply_free(r);
}

static void body_until_close(void **state)
{
	struct err e = { 0 };
	uint64_t total;

	(void)state;
	struct http_reply *r = send_script(client, &server, HTTP_GET, "body=70000&close", &e);
	assert_non_null(r);
	assert_int_equal(http_content_length(r), UINT64_MAX);
	assert_int_equal(read_all(r, &total, &e), 0);
	assert_int_equal(total, 70000);
	http_reply_free(r);
}

/* Each script fails; `total` bytes come before, `words` are in the error. `in_send`: http_send() itself fails. */
struct broken {
	const char *script;
	const char *words;
	uint64_t total;
	bool in_send;
};

static const struct broken broken[] = {
	{ "length=4096&body=512&close", "at 512 of 4096 bytes", 512, false },
	{ "length=1000000&body=999999&close", "at 999999 of 1000000 bytes", 999999, false },
	{ "length=10&close", "at 0 of 10 bytes", 0, false },
	{ "length=4096&body=512&reset", "at 512 of 4096 bytes", 512, false },
	{ "chunked&body=100&close", "after 100 bytes and without its last chunk", 100, false },
	{ "chunked&body=100&raw=ff%0d%0a&close", "after 100 bytes", 100, false },
	{ "chunked&body=100&raw=zz%0d%0a&close", "the connection was lost in the answer's body, after 100 bytes", 100,
	  false },
	{ "chunked&body=100&raw=fffffffffffffffffffff%0d%0a&close", "", 100, false },
	{ "close", NULL, 0, false }, /* an empty body until close: fine */
	{ "raw=&close", "closed without an answer", 0, true },
	{ "raw=&reset", "reset", 0, true },
	{ "raw=HTTP/1.1%20200%20OK%0d%0aX-Half:%20a&close", "", 0, true },
	{ "raw=HTTP/1.1%20200%20OK%0d%0aX-Half:%20a&stall=5", "in the middle of the answer's headers", 0, true },
	{ "raw=hello%20there%0d%0a%0d%0a&close", "HTTP", 0, true },
	{ "raw=SSH-2.0-OpenSSH_9.2%0d%0a&close", "HTTP", 0, true },
	{ "raw=HTTP/1.1%20abc%20OK%0d%0a%0d%0a&close", "", 0, true },
	{ "raw=HTTP/1.1%20200%20OK%0d%0aContent-Length:%205%0d%0aContent-Length:%206%0d%0a%0d%0aabcdefgh&close",
	  "two Content-Lengths", 0, true },
	{ "raw=HTTP/1.1%20200%20OK%0d%0aContent-Length:%20-5%0d%0a%0d%0aabcdefgh&close", "", 0, true },
	{ "raw=HTTP/1.1%20200%20OK%0d%0aContent-Length:%205,%205%0d%0a%0d%0aabcde&close", "Content-Length", 0, true },
	{ "raw=HTTP/1.1%20200%20OK%0d%0aContent-Length:%2099999999999999999999%0d%0a%0d%0aabcdefgh&close", "", 0,
	  true },
	{ "raw=HTTP/1.1%20200%20OK%0d%0aX:%20a%00b%0d%0a%0d%0a&close", "", 0, true },
	{ "raw=&stall=5", "for 1 seconds while waiting for the answer", 0, true },
	{ "length=10&flush&stall=5", "at 0 of 10 bytes", 0, false },
	{ "length=4096&body=2048&stall=5", "at 2048 of 4096 bytes", 2048, false },
	{ "chunked&body=1000&stall=5", "after 1000 bytes", 1000, false },
};

static void misbehaviours(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		const struct broken *b = &broken[i];
		struct err e = { 0 };
		uint64_t total = 0;
		double begun = seconds_now();
		struct http_reply *r = send_script(client, &server, HTTP_GET, b->script, &e);
		if ((r == NULL) != b->in_send)
			fail_msg("%s: %s", b->script, r ? "gave an answer" : e.text);
		int failed = r ? read_all(r, &total, &e) : -1;
		if (failed != (b->words ? -1 : 0))
			fail_msg("%s: read gives %d", b->script, failed);
		assert_int_equal(total, b->total);
		if (b->words) {
			char again[8];
			struct err second = { 0 };
			if (e.kind != ERR_NETWORK)
				fail_msg("%s: kind %d: %s", b->script, (int)e.kind, e.text);
			assert_contains(e.text, "127.0.0.1:");
			assert_contains(e.text, b->words);
			assert_int_equal(e.sys, r ? 200 : 0);
			if (r) {
				assert_int_equal(http_read(r, again, sizeof(again), &second), -1);
				assert_string_equal(second.text, e.text);
			}
		}
		if (getenv("VERBOSE"))
			print_message("%s\n    %s\n", b->script, e.text);
		http_reply_free(r);
		if (seconds_now() - begun > 2.5)
			fail_msg("%s: took %.1f s", b->script, seconds_now() - begun);
	}
}

static void surplus_bytes_are_not_body(void **state)
{
	struct err e = { 0 };
	uint64_t total;

	(void)state;
	struct http_reply *r = send_script(client, &server, HTTP_GET, "length=100&body=400&close", &e);
	assert_non_null(r);
	assert_int_equal(read_all(r, &total, &e), 0);
	assert_int_equal(total, 100);
	http_reply_free(r);
	/* And they do not become the next answer. */
	r = send_script(client, &server, HTTP_GET, "body=7", &e);
	assert_non_null(r);
	assert_int_equal(read_all(r, &total, &e), 0);
	assert_int_equal(total, 7);
	http_reply_free(r);
}

/* Slow is not silent: bytes that drip, in the head or the body, keep the transfer alive. */
static void dripping_is_no_stall(void **state)
{
	struct err e = { 0 };
	uint64_t total;

	(void)state;
	struct http_reply *r = send_script(client, &server, HTTP_GET, "slow=6,0.4", &e);
	assert_non_null(r);
	assert_int_equal(read_all(r, &total, &e), 0);
	assert_int_equal(total, 6);
	http_reply_free(r);
	r = send_script(client, &server, HTTP_GET,
			"raw=HTTP/1.1%20200%20O&stall=0.7&raw=K%0d%0aX-A:%20a&stall=0.7&raw=b&stall=0.7&raw=c%0d%0a"
			"Content-Length:%200%0d%0a%0d%0a",
			&e);
	if (!r)
		fail_msg("%s", e.text);
	assert_string_equal(http_header(r, "X-A"), "abc");
	http_reply_free(r);
}

/* Only the network's silence counts, not ours. */
static void a_slow_reader_is_no_stall(void **state)
{
	struct err e = { 0 };
	char piece[65536];
	uint64_t total = 0;
	ssize_t n;
	int sleeps = 0;

	(void)state;
	struct http_reply *r = send_script(client, &server, HTTP_GET, "body=20000000", &e);
	assert_non_null(r);
	while ((n = http_read(r, piece, sizeof(piece), &e)) > 0) {
		assert_pattern(piece, (size_t)n, total);
		total += (uint64_t)n;
		if (sleeps < 2 && total > (uint64_t)sleeps * 5000000) {
			usleep(1500000);
			sleeps++;
		}
	}
	if (n)
		fail_msg("%s", e.text);
	assert_int_equal(total, 20000000);
	http_reply_free(r);
}

static void max_body(void **state)
{
	struct err e = { 0 };
	char url[256];
	char piece[4096];
	uint64_t total = 0;
	ssize_t n;

	(void)state;
	static const struct {
		const char *script;
		uint64_t max;
		bool fits;
	} cases[] = {
		{ "body=1000", 1000, true },
		{ "body=1001", 1000, false },
		{ "chunked&body=1000&end", 1000, true },
		{ "chunked&body=1001&end", 1000, false },
		{ "body=1000&close", 1000, true },
		{ "body=1001&close", 1000, false },
		{ "chunked&endless=100000", 65536, false },
		{ "endless=10000", 4u << 20, false },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(url, sizeof(url), "%s/x?%s", server.base, cases[i].script);
		struct http_reply *r = http_send(client, &(struct http_request){ .url = url, .max_body = cases[i].max },
						 &e);
		assert_non_null(r);
		total = 0;
		while ((n = http_read(r, piece, sizeof(piece), &e)) > 0)
			total += (uint64_t)n;
		assert_int_equal(n, cases[i].fits ? 0 : -1);
		assert_true(total <= cases[i].max);
		if (!cases[i].fits) {
			assert_int_equal(e.kind, ERR_NETWORK);
			assert_int_equal(e.sys, 200);
			assert_contains(e.text, "longer than");
		}
		http_reply_free(r);
	}
}

/* At the edge, one line or many, interim blocks counted in, and an endless line. */
static void header_block_is_bounded(void **state)
{
	static const struct {
		unsigned lines;
		unsigned line;
		bool interim;
		bool fits;
	} cases[] = { { 1, 60000, false, true },  { 1, 70000, false, false },    { 60, 1000, false, true },
		      { 70, 1000, false, false }, { 1, 200000, false, false },   { 1, 3000000, false, false },
		      { 70, 1000, true, false },  { 100000, 100, false, false }, { 100000, 100, true, false } };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	char url[64];

	(void)state;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(listener, 4), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(a.sin_port));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };
		pid_t pid = fork();
		if (pid == 0) {
			int fd = accept(listener, NULL, NULL);
			FILE *f = fdopen(fd, "r+");
			signal(SIGPIPE, SIG_DFL);
			char line[512];
			while (fgets(line, sizeof(line), f) && line[0] != '\r')
				;
			fflush(f);
			fprintf(f, "HTTP/1.1 %s\r\n", cases[i].interim ? "103 Early" : "200 OK");
			for (unsigned n = 0; n < cases[i].lines; n++) {
				fprintf(f, "X: ");
				for (unsigned k = 0; k < cases[i].line; k++)
					putc('a', f);
				fprintf(f, "\r\n%s", cases[i].interim ? "\r\nHTTP/1.1 103 Early\r\n" : "");
			}
			fprintf(f, "Content-Length: 0\r\n\r\n");
			fflush(f);
			_exit(0);
		}
		struct http_reply *r = http_send(client, &(struct http_request){ .url = url }, &e);
		if ((r != NULL) != cases[i].fits)
			fail_msg("%u x %u: %s", cases[i].lines, cases[i].line, e.text);
		if (!cases[i].fits) {
			assert_int_equal(e.kind, ERR_NETWORK);
			if (!strstr(e.text, "larger than 65536 bytes") && !strstr(e.text, "too long"))
				fail_msg("%s", e.text);
		}
		http_reply_free(r);
		http_client_free(client); /* its kept connection would hold the child's */
		client = http_client_new(http, &e);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
	close(listener);
}

static void *cancel_soon(void *arg)
{
	(void)arg;
	usleep(300000);
	cancel_request(SIGINT);
	return NULL;
}

static void cancel_ends_a_stall(void **state)
{
	static const char *const scripts[] = { "raw=&stall=5", "length=10&body=5&stall=5" };
	struct err e = { 0 };
	struct http *patient = http_new(&(struct http_options){ .stall_seconds = 60 }, &e);
	struct http_client *c = http_client_new(patient, &e);

	(void)state;
	assert_non_null(c);
	for (size_t i = 0; i < 2; i++) {
		pthread_t thread;
		uint64_t total = 0;
		cancel_request(0);
		pthread_create(&thread, NULL, cancel_soon, NULL);
		double begun = seconds_now();
		struct http_reply *r = send_script(c, &server, HTTP_GET, scripts[i], &e);
		if (r)
			assert_int_equal(read_all(r, &total, &e), -1);
		assert_true((r != NULL) == (i == 1));
		assert_int_equal(e.kind, ERR_CANCELLED);
		assert_int_equal(e.sys, SIGINT);
		assert_true(seconds_now() - begun < 1.0);
		pthread_join(thread, NULL);
		http_reply_free(r);
	}
	http_client_free(c);
	http_free(patient);
}

/* Nobody accepts and the queue is full: SYNs are dropped. */
static void connecting_stalls(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	struct err e = { 0 };
	char url[64];
	int fill[8];

	(void)state;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(listener, 0), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	for (size_t i = 0; i < 8; i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(fill[i], (struct sockaddr *)&a, len);
	}
	struct http *hasty = http_new(&(struct http_options){ .connect_seconds = 1, .stall_seconds = 10 }, &e);
	struct http_client *c = http_client_new(hasty, &e);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(a.sin_port));
	double begun = seconds_now();
	assert_null(http_send(c, &(struct http_request){ .url = url }, &e));
	assert_int_equal(e.kind, ERR_NETWORK);
	assert_contains(e.text, "no connection within 1 seconds");
	assert_true(seconds_now() - begun < 2.0);
	/* The stall limit holds in this phase, too. */
	assert_null(http_send(client, &(struct http_request){ .url = url }, &e));
	assert_contains(e.text, "no byte for 1 seconds while connecting");
	/* And in the TLS handshake: the kernel accepts, nobody answers. */
	for (size_t i = 0; i < 8; i++)
		close(fill[i]);
	close(listener);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	a.sin_port = 0;
	assert_int_equal(bind(listener, (struct sockaddr *)&a, len), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", ntohs(a.sin_port));
	assert_null(http_send(client, &(struct http_request){ .url = url }, &e));
	assert_contains(e.text, "no byte for 1 seconds in the TLS handshake");
	assert_null(http_send(c, &(struct http_request){ .url = url }, &e));
	assert_contains(e.text, "no connection within 1 seconds (it hung in the TLS handshake)");
	http_client_free(c);
	http_free(hasty);
	close(listener);
}

static void no_connection(void **state)
{
	struct err e = { 0 };
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	char url[64];

	(void)state;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* bound, not listening: refused */
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/secret?token=hidden", ntohs(a.sin_port));
	assert_null(http_send(client, &(struct http_request){ .url = url }, &e));
	assert_int_equal(e.kind, ERR_NETWORK);
	assert_int_equal(e.sys, 0);
	assert_contains(e.text, "Connection refused");
	assert_lacks(e.text, "hidden");
	close(fd);
	assert_null(http_send(client, &(struct http_request){ .url = "http://no-such-host.invalid/" }, &e));
	assert_int_equal(e.kind, ERR_NETWORK);
	assert_contains(e.text, "no-such-host.invalid: ");
}

static void requests_that_make_no_sense(void **state)
{
	static const char *const urls[] = { "ftp://127.0.0.1/",
					    "file:///etc/passwd",
					    "127.0.0.1",
					    "",
					    "http://",
					    "http://user:hidden@127.0.0.1/",
					    "http://127.0.0.1:99999/",
					    "http://127.0.0.1/a b?hidden",
					    "gopher://127.0.0.1/" };
	static const char *const headers[] = { "X: a\r\nY: hidden", "X: a\nY: hidden",
					       "X: hidden\r",       "NoColon",
					       ": hidden",          "",
					       "X Y: hidden",       "X\r\nY: hidden",
					       "Content-Length: 5", "transfer-encoding: chunked" };
	char long_name[400] = "http://";

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct err e = { 0 };
		assert_null(http_send(client, &(struct http_request){ .url = urls[i] }, &e));
		assert_int_equal(e.kind, ERR_USAGE);
		assert_lacks(e.text, "hidden");
	}
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct err e = { 0 };
		const char *const list[] = { "Accept: a/b", headers[i], NULL };
		assert_null(http_send(client, &(struct http_request){ .url = server.base, .headers = list }, &e));
		assert_int_equal(e.kind, ERR_USAGE);
		assert_lacks(e.text, "hidden");
	}
	struct err e = { 0 };
	memset(long_name + 7, 'a', 256);
	assert_null(http_send(client, &(struct http_request){ .url = long_name }, &e));
	assert_int_equal(e.kind, ERR_USAGE);
}

static void request_headers(void **state)
{
	struct err e = { 0 };
	char url[128];
	const char *const headers[] = { "Accept: a/b", "Accept: c/d", "Authorization: Bearer canary",
					"X-Empty:", NULL };
	const char *const encoded[] = { "accept-encoding: zstd", NULL };

	(void)state;
	char *diary = server_diary(&server, client, NULL);
	free(diary);
	snprintf(url, sizeof(url), "%s/_diary", server.base);
	http_reply_free(http_send(client, &(struct http_request){ .method = HTTP_DELETE, .url = url }, &e));
	snprintf(url, sizeof(url), "%s/one?status=200", server.base);
	http_reply_free(http_send(client, &(struct http_request){ .url = url, .headers = headers }, &e));
	snprintf(url, sizeof(url), "%s/two?status=200", server.base);
	http_reply_free(http_send(client, &(struct http_request){ .url = url, .headers = encoded }, &e));
	diary = server_diary(&server, client, NULL);
	char *two = strstr(diary, "GET /two");
	assert_non_null(two);
	assert_lacks(two, "canary"); /* nothing is left from the request before */
	assert_contains(two, "accept-encoding: zstd\n");
	assert_lacks(two, "identity");
	*two = '\0';
	assert_contains(diary, "Accept: a/b\nAccept: c/d\nAuthorization: Bearer canary\nX-Empty:\n");
	assert_contains(diary, "Accept-Encoding: identity\n");
	assert_contains(diary, "User-Agent: imgpack/");
	assert_lacks(diary, "*/*");
	assert_lacks(diary, "Expect");
	free(diary);
}

/* Answers that were read, and short ones that were not, keep the connection; a cut one loses it. */
static void connections_are_kept(void **state)
{
	struct err e = { 0 };
	uint64_t total;
	char url[128];

	(void)state;
	snprintf(url, sizeof(url), "%s/_diary", server.base);
	http_reply_free(http_send(client, &(struct http_request){ .method = HTTP_DELETE, .url = url }, &e));
	for (int i = 0; i < 3; i++) {
		struct http_reply *r = send_script(client, &server, HTTP_GET, "body=100000", &e);
		assert_non_null(r);
		assert_int_equal(read_all(r, &total, &e), 0);
		http_reply_free(r);
		/* Read to its end, since a body that is still on its way costs the connection. */
		r = send_script(client, &server, HTTP_GET, "status=401&body=7", &e);
		assert_non_null(r);
		assert_int_equal(read_all(r, &total, &e), 0);
		http_reply_free(r);
	}
	char *diary = server_diary(&server, client, NULL);
	assert_contains(diary, " n=6 GET");
	free(diary);
	http_reply_free(send_script(client, &server, HTTP_GET, "body=50000000", &e));
	struct http_reply *r = send_script(client, &server, HTTP_GET, "status=200", &e);
	http_reply_free(r);
	diary = server_diary(&server, client, NULL);
	assert_contains(diary, " n=7 GET");
	assert_lacks(diary, " n=8 GET");
	free(diary);
}

/* A server that closes kept connections silently costs nothing but a new connection. */
static void silently_closed_connection(void **state)
{
	struct err e = { 0 };
	struct server once;
	const char *const args[] = { "--keep", "1", NULL };

	(void)state;
	server_start(&once, "http", args);
	for (int i = 0; i < 4; i++) {
		struct http_reply *r = send_script(client, &once, HTTP_GET, "text=abc", &e);
		if (!r)
			fail_msg("%s", e.text);
		http_reply_free(r);
		usleep(i < 2 ? 50000 : 0);
	}
	http_client_free(client);
	client = http_client_new(http, &e);
	server_stop(&once);
}

static void one_reply_at_a_time(void **state)
{
	struct err e = { 0 };

	(void)state;
	struct http_reply *r = send_script(client, &server, HTTP_GET, "body=10", &e);
	assert_non_null(r);
	assert_null(send_script(client, &server, HTTP_GET, "body=10", &e));
	assert_int_equal(e.kind, ERR_USAGE);
	http_reply_free(r);
	r = send_script(client, &server, HTTP_GET, "body=10", &e);
	assert_non_null(r);
	http_reply_free(r);
}

static void body_as_source(void **state)
{
	struct err e = { 0 };
	AUTO_BUF bytes = { 0 };

	(void)state;
	AUTO(source) s = http_body(send_script(client, &server, HTTP_GET, "chunked&body=3000&text=&end", &e), &e);
	assert_non_null(s);
	/* text= is an empty chunk, which is the end; "end" then is surplus. */
	assert_int_equal(source_slurp(s, 10000, &bytes, &e), 0);
	assert_int_equal(bytes.len, 3000);
	assert_pattern(bytes.data, bytes.len, 0);
	assert_null(http_body(NULL, &e));
}

static void unix_socket(void **state)
{
	struct err e = { 0 };
	char dir[] = "/tmp/imgpack-http-XXXXXX";
	char path[64];
	struct server local;
	uint64_t total;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	struct http_request q = { .url = "http://docker/v1/x?body=100000", .unix_socket = path };
	assert_null(http_send(client, &q, &e));
	assert_int_equal(e.kind, ERR_NETWORK);
	assert_contains(e.text, path);
	assert_contains(e.text, "no such socket");

	const char *const args[] = { "--unix", path, NULL };
	server_start(&local, "http", args);
	struct http_reply *r = http_send(client, &q, &e);
	if (!r)
		fail_msg("%s", e.text);
	assert_int_equal(read_all(r, &total, &e), 0);
	assert_int_equal(total, 100000);
	http_reply_free(r);
	snprintf(local.base, sizeof(local.base), "http://docker");
	char *diary = server_diary(&local, client, path);
	assert_contains(diary, "Host: docker\n");
	free(diary);

	/* A TCP request afterwards does not go there. */
	r = send_script(client, &server, HTTP_GET, "status=202", &e);
	assert_int_equal(http_status(r), 202);
	http_reply_free(r);

	/* Silence is noticed here, too. */
	q.url = "http://docker/x?raw=&stall=5";
	assert_null(http_send(client, &q, &e));
	assert_contains(e.text, "no byte for 1 seconds");

	server_stop(&local);
	assert_null(http_send(client, &q, &e));
	assert_contains(e.text, "nobody listens");
	unlink(path);
	rmdir(dir);
	char long_path[200];
	memset(long_path, 'a', sizeof(long_path));
	long_path[199] = '\0';
	q.unix_socket = long_path;
	assert_null(http_send(client, &q, &e));
	assert_int_equal(e.kind, ERR_USAGE);
}

/* A client each, one http: DNS and TLS caches are shared under locks. */
static void *many(void *arg)
{
	struct http_client *c = http_client_new(http, NULL);
	int *good = arg;

	for (int i = 0; c && i < 30; i++) {
		char url[128];
		char piece[4096];
		ssize_t n = -1;
		snprintf(url, sizeof(url), "http://localhost:%u/x?body=30000", server.port);
		struct http_reply *r = http_send(c, &(struct http_request){ .url = url }, NULL);
		while (r && (n = http_read(r, piece, sizeof(piece), NULL)) > 0)
			;
		*good += n == 0;
		http_reply_free(r);
	}
	http_client_free(c);
	return NULL;
}

static void threads(void **state)
{
	pthread_t thread[6];
	int good[6] = { 0 };

	(void)state;
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, many, &good[i]), 0);
	for (size_t i = 0; i < 6; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(good[i], 30);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
		T(plain_answer),
		T(statuses_are_answers),
		T(head_has_a_length_and_no_body),
		T(interim_answers_are_skipped),
		T(folded_header),
		T(encoded_body_comes_as_it_is),
		T(body_until_close),
		T(misbehaviours),
		T(surplus_bytes_are_not_body),
		T(dripping_is_no_stall),
		T(a_slow_reader_is_no_stall),
		T(max_body),
		T(header_block_is_bounded),
		T(cancel_ends_a_stall),
		T(connecting_stalls),
		T(no_connection),
		T(requests_that_make_no_sense),
		T(request_headers),
		T(connections_are_kept),
		T(silently_closed_connection),
		T(one_reply_at_a_time),
		T(body_as_source),
		T(unix_socket),
		T(threads),
	};

	unsetenv("HTTP_PROXY");
	unsetenv("http_proxy");
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, group_start, group_end);
}
