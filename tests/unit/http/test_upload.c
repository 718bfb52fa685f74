/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goal: a request's body arrives exactly or is seen to be broken; the source's own error comes back; an answer that
 * comes before the whole body was sent is delivered; a slow source or a slow line is no stall, a dead one is.
 */
#include "unit/http/server.h"

#include "base/cancel.h"
#include "base/digest.h"

#include <pthread.h>
#include <signal.h>

static struct server server;
static struct http *http;
static struct http_client *client;

static int group_start(void **state)
{
	struct err e = { 0 };

	(void)state;
	server_start(&server, "http", NULL);
	http = http_new(&(struct http_options){ .stall_seconds = 1 }, &e);
	client = http_client_new(http, &e);
	assert_non_null(client);
	return 0;
}

static int group_end(void **state)
{
	(void)state;
	http_client_free(client);
	http_free(http);
	server_stop(&server);
	return 0;
}

/* A source that gives the pattern and then does what is asked. */
struct script {
	struct source base;
	uint64_t given;
	uint64_t size;
	uint64_t fail_at; /* 0: never */
	bool fail_at_end; /* the verdict */
	useconds_t nap;   /* before each read */
	size_t piece;     /* at most; 0: whatever is asked */
};

static ssize_t script_read(struct source *base, void *buf, size_t cap, struct err *e)
{
	struct script *s = (struct script *)base;
	uint64_t n = s->size - s->given;

	if (s->nap)
		usleep(s->nap);
	if ((s->fail_at && s->given >= s->fail_at) || (n == 0 && s->fail_at_end))
		return err_set(e, ERR_CORRUPT, "the disk ate it");
	if (n > cap)
		n = cap;
	if (s->piece && n > s->piece)
		n = s->piece;
	for (uint64_t i = 0; i < n; i++)
		((unsigned char *)buf)[i] = (unsigned char)((s->given + i) % 251);
	s->given += n;
	return (ssize_t)n;
}

static void script_free(struct source *s)
{
	(void)s;
}

static const struct source_ops script_ops = { script_read, script_free };

static void forget(void)
{
	char url[128];

	snprintf(url, sizeof(url), "%s/_diary", server.base);
	http_reply_free(http_send(client, &(struct http_request){ .method = HTTP_DELETE, .url = url }, NULL));
}

/* The digest of `n` bytes of the pattern, as the diary writes it. */
static const char *pattern_digest(uint64_t n, char out[DIGEST_HEX_SIZE])
{
	unsigned char *bytes = malloc(n + 1);
	struct digest d;

	assert_non_null(bytes);
	for (uint64_t i = 0; i < n; i++)
		bytes[i] = (unsigned char)(i % 251);
	assert_int_equal(digest_of(&d, bytes, n, NULL), 0);
	free(bytes);
	return digest_hex(&d, out);
}

static struct http_reply *put(const char *query, struct script *s, bool sized, uint64_t size, struct err *e)
{
	char url[256];

	s->base.ops = &script_ops;
	snprintf(url, sizeof(url), "%s/x?%s", server.base, query);
	return http_send(
		client,
		&(struct http_request){
			.method = HTTP_PUT, .url = url, .body = &s->base, .body_sized = sized, .body_size = size },
		e);
}

static void arrives_whole(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 16383, 65536, 262144, 262145, 5000000 };
	static const size_t pieces[] = { 0, 1000 };
	char hex[DIGEST_HEX_SIZE];
	char line[160];

	(void)state;
	for (size_t i = 0; i < 7 * 2 * 2; i++) {
		uint64_t size = sizes[i % 7];
		bool sized = i / 7 % 2;
		struct script s = { .size = size, .piece = pieces[i / 14] };
		struct err e = { 0 };
		forget();
		struct http_reply *r = put("status=201", &s, sized, size, &e);
		if (!r)
			fail_msg("%" PRIu64 ": %s", size, e.text);
		assert_int_equal(http_status(r), 201);
		http_reply_free(r);
		char *diary = server_diary(&server, client, NULL);
		snprintf(line, sizeof(line), "BODY bytes=%" PRIu64 " complete=1 sha256=%s\n", size,
			 pattern_digest(size, hex));
		assert_contains(diary, line);
		snprintf(line, sizeof(line), "\nContent-Length: %" PRIu64 "\n", size);
		assert_int_equal(count_of(diary, sized ? line : "\nTransfer-Encoding: chunked\n"), 1);
		assert_int_equal(count_of(diary, sized ? "Transfer-Encoding" : "Content-Length"), 0);
		assert_lacks(diary, "Expect");
		free(diary);
	}
}

static void methods(void **state)
{
	static const struct {
		enum http_method method;
		const char *name;
		bool length; /* says Content-Length: 0 without a body */
	} all[] = { { HTTP_GET, "GET", false }, { HTTP_HEAD, "HEAD", false },  { HTTP_POST, "POST", true },
		    { HTTP_PUT, "PUT", true },  { HTTP_PATCH, "PATCH", true }, { HTTP_DELETE, "DELETE", false } };
	char line[64];

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		for (int with_body = 0; with_body < 2; with_body++) {
			struct err e = { 0 };
			AUTO(source) body = source_memory("hello", 5, &e);
			char url[128];
			snprintf(url, sizeof(url), "%s/x?status=202", server.base);
			forget();
			struct http_reply *r = http_send(client,
							 &(struct http_request){ .method = all[i].method,
										 .url = url,
										 .body = with_body ? body : NULL,
										 .body_sized = true,
										 .body_size = 5 },
							 &e);
			if (with_body && all[i].method == HTTP_HEAD) {
				assert_null(r);
				assert_int_equal(e.kind, ERR_USAGE);
				continue;
			}
			if (!r)
				fail_msg("%s: %s", all[i].name, e.text);
			assert_int_equal(http_status(r), 202);
			http_reply_free(r);
			char *diary = server_diary(&server, client, NULL);
			snprintf(line, sizeof(line), " %s /x?status=202\n", all[i].name);
			assert_contains(diary, line);
			assert_contains(diary, with_body ? "BODY bytes=5 complete=1" : "BODY bytes=0 complete=1");
			assert_int_equal(count_of(diary, "Content-Length: 0"), !with_body && all[i].length);
			assert_lacks(diary, "Content-Type");
			free(diary);
		}
	}
}

static void broken_source(void **state)
{
	static const struct {
		struct script s;
		uint64_t size;
		bool sized;
		const char *words;
	} cases[] = {
		{ { .size = 5000000, .fail_at = 1 }, 5000000, true, "the disk ate it" },
		{ { .size = 5000000, .fail_at = 3000000 }, 5000000, true, "the disk ate it" },
		{ { .size = 5000000, .fail_at = 3000000 }, 0, false, "the disk ate it" },
		{ { .size = 5000000, .fail_at_end = true }, 5000000, true, "the disk ate it" },
		{ { .size = 5000000, .fail_at_end = true }, 0, false, "the disk ate it" },
		{ { .size = 100, .fail_at_end = true }, 100, true, "the disk ate it" },
		{ { .size = 0, .fail_at_end = true }, 0, true, "the disk ate it" },
		{ { .size = 0, .fail_at_end = true }, 0, false, "the disk ate it" },
		{ { .size = 1000 }, 1001, true, "ended at 1000 of 1001 bytes" },
		{ { .size = 0 }, 5, true, "ended at 0 of 5 bytes" },
		{ { .size = 1001 }, 1000, true, "longer than its 1000 bytes" },
		{ { .size = 1 }, 0, true, "longer than its 0 bytes" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };
		struct script s = cases[i].s;
		forget();
		struct http_reply *r = put("status=201", &s, cases[i].sized, cases[i].size, &e);
		if (r)
			fail_msg("case %zu gave an answer", i);
		assert_int_equal(e.kind, cases[i].words[0] == 't' ? ERR_CORRUPT : ERR_LOCAL);
		assert_contains(e.text, cases[i].words);
		usleep(20000);
		char *diary = server_diary(&server, client, NULL);
		assert_lacks(diary, "complete=1");
		free(diary);
	}
}

/*
 * The server refuses and closes with most of the body unread, which makes its kernel send RST behind the answer.
 * Between our last look and curl's send() are microseconds in which both can arrive; a loopback and a source of tiny
 * pieces hit them now and then (1 of 100), anything else hardly ever.
 */
static void early_answer(void **state)
{
	static const char *const queries[] = { "early&status=401&header=WWW-Authenticate:Basic&text=who",
					       "read=100000&status=413&text=who", "read=3000000&status=500&text=who",
					       "early&status=403&text=who&close",
					       "early&status=307&header=Location:/y&text=who" };
	int lost[2] = { 0 };

	(void)state;
	for (size_t i = 0; i < 40; i++) {
		const char *query = queries[i % 5];
		struct script s = { .size = 200000000, .piece = i % 2 ? 1000 : 0 };
		struct err e = { 0 };
		double begun = seconds_now();
		struct http_reply *r = put(query, &s, i / 5 % 2, s.size, &e);
		if (!r) {
			assert_contains(e.text, "reset while the request's body was sent");
			lost[i % 2]++;
			continue;
		}
		assert_int_equal(http_status(r), strtol(strstr(query, "status=") + 7, NULL, 10));
		assert_true(s.given < 20000000);
		http_reply_free(r);
		assert_true(seconds_now() - begun < 2.0);
	}
	assert_in_range(lost[0], 0, 1);
	assert_in_range(lost[1], 0, 4);
}

/* Answer and RST are there before the source gives its next piece: sending that one would lose the answer. */
static void answer_while_the_source_is_slow(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		struct script s = { .size = 200000000, .nap = 30000 };
		struct err e = { 0 };
		struct http_reply *r = put("read=1000&status=413&text=who", &s, i % 2, s.size, &e);
		if (!r)
			fail_msg("%s", e.text);
		assert_int_equal(http_status(r), 413);
		http_reply_free(r);
	}
}

/* docker's way: it answers 200 at once and reports while it still reads. */
static void both_ways_at_once(void **state)
{
	struct err e = { 0 };
	struct script s = { .size = 30000000 };
	char piece[1000];
	uint64_t total = 0;
	ssize_t n;

	(void)state;
	forget();
	struct http_reply *r = put("early&chunked&body=10&drain&body=10&end", &s, false, 0, &e);
	if (!r)
		fail_msg("%s", e.text);
	assert_int_equal(http_status(r), 200);
	while ((n = http_read(r, piece, sizeof(piece), &e)) > 0)
		total += (uint64_t)n;
	if (n)
		fail_msg("%s", e.text);
	assert_int_equal(total, 20);
	assert_int_equal(s.given, s.size);
	http_reply_free(r);
	char *diary = server_diary(&server, client, NULL);
	assert_contains(diary, "BODY bytes=30000000 complete=1");
	free(diary);

	/* A source that fails then is told by http_read(). */
	s = (struct script){ .size = 30000000, .fail_at_end = true };
	r = put("early&chunked&body=10&drain&body=10&end", &s, false, 0, &e);
	if (r) {
		while ((n = http_read(r, piece, sizeof(piece), &e)) > 0)
			;
		assert_int_equal(n, -1);
		http_reply_free(r);
	}
	assert_string_equal(e.text, "the disk ate it");
}

static void slow_source_is_no_stall(void **state)
{
	struct err e = { 0 };
	struct script s = { .size = 300, .piece = 100, .nap = 1300000 };

	(void)state;
	struct http_reply *r = put("status=201", &s, true, 300, &e);
	if (!r)
		fail_msg("%s", e.text);
	http_reply_free(r);
}

/* The whole body fits into the sender's socket buffer and trickles out of it for seconds. */
static void slow_line_is_no_stall(void **state)
{
	struct server narrow;
	const char *const args[] = { "--rcvbuf", "4096", NULL };
	struct err e = { 0 };
	struct script s = { .base = { &script_ops }, .size = 300000 };
	char url[128];

	(void)state;
	server_start(&narrow, "http", args);
	snprintf(url, sizeof(url), "%s/x?early&sip=40000,0.4&status=201", narrow.base);
	double begun = seconds_now();
	struct http_reply *r = http_send(
		client,
		&(struct http_request){
			.method = HTTP_PUT, .url = url, .body = &s.base, .body_sized = true, .body_size = s.size },
		&e);
	if (!r)
		fail_msg("%s", e.text);
	assert_int_equal(http_status(r), 201);
	assert_true(seconds_now() - begun > 2.0);
	http_reply_free(r);
	server_stop(&narrow);
}

static void stalled_server(void **state)
{
	struct err e = { 0 };
	struct script s = { .size = 200000000 };

	(void)state;
	/* It stops to read. */
	assert_null(put("read=100000&raw=&stall=5", &s, true, s.size, &e));
	assert_int_equal(e.kind, ERR_NETWORK);
	assert_contains(e.text, "no byte for 1 seconds while the request's body was sent, at ");
	assert_contains(e.text, " of 200000000 bytes");
	/* It has everything and does not answer. */
	s = (struct script){ .size = 1000 };
	assert_null(put("raw=&stall=5", &s, true, s.size, &e));
	assert_contains(e.text, "while waiting for the answer");
	/* It goes away without a word. */
	s = (struct script){ .size = 200000000 };
	assert_null(put("read=100000&raw=&close", &s, true, s.size, &e));
	assert_int_equal(e.kind, ERR_NETWORK);
	assert_contains(e.text, "while the request's body was sent");
}

static void *cancel_soon(void *arg)
{
	(void)arg;
	usleep(300000);
	cancel_request(SIGTERM);
	return NULL;
}

static void cancelled(void **state)
{
	struct err e = { 0 };
	struct script s = { .size = 200000000 };
	struct http *patient = http_new(NULL, &e);
	struct http_client *c = http_client_new(patient, &e);
	struct http_client *old = client;
	pthread_t thread;

	(void)state;
	client = c;
	pthread_create(&thread, NULL, cancel_soon, NULL);
	double begun = seconds_now();
	assert_null(put("read=100000&raw=&stall=5", &s, true, s.size, &e));
	assert_true(seconds_now() - begun < 1.0);
	assert_int_equal(e.kind, ERR_CANCELLED);
	pthread_join(thread, NULL);
	cancel_request(0);
	client = old;
	http_client_free(c);
	http_free(patient);
}

/* A kept connection that died before the first byte of a body was sent is replaced silently. */
static void dead_kept_connection(void **state)
{
	struct server once;
	const char *const args[] = { "--keep", "1", NULL };
	struct server usual = server;

	(void)state;
	server_start(&once, "http", args);
	server = once;
	for (int i = 0; i < 5; i++) {
		struct err e = { 0 };
		struct script s = { .size = 1000 };
		usleep(20000);
		struct http_reply *r = put("status=201", &s, true, 1000, &e);
		if (!r)
			fail_msg("%s", e.text);
		http_reply_free(r);
	}
	server_stop(&once);
	server = usual;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrives_whole),
		cmocka_unit_test(methods),
		cmocka_unit_test(broken_source),
		cmocka_unit_test(early_answer),
		cmocka_unit_test(answer_while_the_source_is_slow),
		cmocka_unit_test(both_ways_at_once),
		cmocka_unit_test(slow_source_is_no_stall),
		cmocka_unit_test(slow_line_is_no_stall),
		cmocka_unit_test(stalled_server),
		cmocka_unit_test(cancelled),
		cmocka_unit_test(dead_kept_connection),
	};

	unsetenv("HTTP_PROXY");
	unsetenv("http_proxy");
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, group_start, group_end);
}
