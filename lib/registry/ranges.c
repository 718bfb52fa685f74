/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry.h"

#include "base/text.h"
#include "registry/question.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * A part of a blob. Ranges are closed ("bytes=0-99"): some servers refuse the open form. Accept-Ranges is not looked
 * at: most registries honour ranges and do not say so. What came is told by the answer alone: the status, and
 * Content-Range (RFC 9110 14.4), which libcurl would not compare with what was asked.
 */

/* "bytes 0-99/1000", "bytes 0-99/" and a star. False: no such thing. */
static bool read_content_range(const char *text, uint64_t *first, uint64_t *last, uint64_t *total)
{
	static const char word[] = "bytes ";
	const char *dash;
	const char *slash;

	*total = UINT64_MAX;
	if (!text || strncmp(text, word, sizeof(word) - 1) != 0)
		return false;
	text += sizeof(word) - 1;
	dash = strchr(text, '-');
	slash = dash ? strchr(dash, '/') : NULL;
	if (!slash || !text_parse_u64(text, (size_t)(dash - text), INT64_MAX, first) ||
	    !text_parse_u64(dash + 1, (size_t)(slash - dash - 1), INT64_MAX, last))
		return false;
	return !strcmp(slash + 1, "*") || text_parse_u64(slash + 1, strlen(slash + 1), INT64_MAX, total);
}

static int not_the_range(const struct registry_conn *c, const struct exchange *x, const char *what, struct err *e)
{
	const char *said = http_header(x->reply, "Content-Range");
	char shown[80];

	err_set(e, ERR_NETWORK, "%s answers with other bytes of %s than were asked for (Content-Range: %s)",
		c->registry->host, what, said ? text_escape_str(shown, sizeof(shown), said) : "none");
	if (e)
		e->sys = 206;
	return -1;
}

/* A 206: the start must be ours, the end may come earlier, and the whole must be as long as was promised. */
static int judge_part(const struct registry_conn *c, const struct exchange *x, const char *what, uint64_t size,
		      struct blob_range *got, struct err *e)
{
	uint64_t first;
	uint64_t last;
	uint64_t total;

	if (!read_content_range(http_header(x->reply, "Content-Range"), &first, &last, &total) || first != got->from ||
	    last < first || last >= got->to || (total != UINT64_MAX && total != size))
		return not_the_range(c, x, what, e);
	got->to = last + 1;
	return 0;
}

/* A 200: all of it, whatever was asked. A length that contradicts the promise is refused before the bytes come. */
static int judge_whole(const struct registry_conn *c, const struct exchange *x, const char *what, uint64_t size,
		       struct blob_range *got, struct err *e)
{
	uint64_t length = http_content_length(x->reply);
	const bool part = got->from || got->to != size;
	const bool other = !got->encoded && length != UINT64_MAX && length != size;

	/* A part that is called the whole. */
	if (part && other && !got->web_page)
		return not_the_range(c, x, what, e);
	got->from = 0;
	got->to = size;
	if (!other)
		return 0;
	err_set(e, ERR_CORRUPT, "%" PRIu64 " bytes are announced, %" PRIu64 " are promised", length, size);
	return blob_explain(c->registry, got, e);
}

/* The body of a range: as many bytes as were told, then its end. */
struct part {
	struct source base;
	struct source *body;
	uint64_t left;
	char host[64];
};

static ssize_t part_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct part *p = (struct part *)s;
	ssize_t n = source_read(p->body, buf, cap, e);

	if (n < 0)
		return -1;
	if (n == 0 && p->left)
		return err_set(e, ERR_NETWORK, "%s: the answer ended %" PRIu64 " bytes early", p->host, p->left);
	if ((uint64_t)n > p->left)
		return err_set(e, ERR_NETWORK, "%s: the answer is longer than it should be", p->host);
	p->left -= (uint64_t)n;
	return n;
}

static void part_free(struct source *s)
{
	source_free(((struct part *)s)->body);
	free(s);
}

static struct source *part_new(struct source *body /* taken */, const struct registry *r, uint64_t length,
			       struct err *e)
{
	static const struct source_ops ops = { part_read, part_free };
	struct part *p;

	if (!body)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p) {
		source_free(body);
		err_memory(e);
		return NULL;
	}
	p->base.ops = &ops;
	p->body = body;
	p->left = length;
	text_escape_str(p->host, sizeof(p->host), r->host);
	return &p->base;
}

struct source *blob_request(struct registry_conn *c, const char *repository, const struct promise *blob, uint64_t from,
			    uint64_t to, struct blob_range *got, struct err *e)
{
	AUTO_QUESTION q = { 0 };
	AUTO_EXCHANGE x = { 0 };
	char name[DIGEST_TEXT_SIZE];
	char range[80];
	char type[128];
	const bool all = !from && to == blob->size;

	if (question_make(c->registry, repository, "blobs", digest_text(&blob->digest, name), &q, e))
		return NULL;
	(void)snprintf(range, sizeof(range), "Range: bytes=%" PRIu64 "-%" PRIu64, from, to - 1);
	const struct call call = {
		.method = HTTP_GET, .url = q.url.data, .scope = q.scope.data, .range = all ? NULL : range
	};
	if (session_get(c, &call, &x, e)) {
		err_at(e, "%s", q.what);
		return NULL;
	}
	int status = http_status(x.reply);
	/* A part that nobody asked for is no answer. */
	if (status != 200 && (status != 206 || all)) {
		exchange_fail(&x, q.what, e);
		return NULL;
	}
	*got = (struct blob_range){ .from = from, .to = to };
	got->encoded = answer_is_encoded(x.reply, got->coding);
	answer_content_type(x.reply, type);
	got->web_page = text_starts(type, "text/html");
	if (status == 206 ? judge_part(c, &x, q.what, blob->size, got, e)
			  : judge_whole(c, &x, q.what, blob->size, got, e))
		return NULL;
	return http_body(TAKE(x.reply), e);
}

struct source *registry_open_range(struct registry_conn *c, const char *repository, const struct promise *blob,
				   uint64_t from, uint64_t to, struct blob_range *got, struct err *e)
{
	struct source *body = blob_request(c, repository, blob, from, to, got, e);

	/* How long an encoded body is, nobody knows. */
	return body && got->encoded ? body : part_new(body, c->registry, got->to - got->from, e);
}
