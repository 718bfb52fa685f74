/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry.h"

#include "base/text.h"
#include "registry/question.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Getting and asking for blobs. */

/* A blob on its way: what its errors need to know beside what the verifier says. */
struct blob {
	struct source base;
	struct source *verified;
	char host[64];
	char coding[CODING_TEXT_SIZE]; /* "" unless it is encoded */
	bool web_page;
};

static void explain(const struct blob *b, struct err *e)
{
	if (!e || e->kind != ERR_CORRUPT)
		return;
	err_at(e, "from %s", b->host);
	if (b->coding[0])
		err_hint(e, "it came with Content-Encoding %s although it was asked to come without", b->coding);
	else if (b->web_page)
		err_hint(e, "what came is a web page (text/html): is there a login page or a filter in between?");
}

static ssize_t blob_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct blob *b = (struct blob *)s;
	ssize_t n = source_read(b->verified, buf, cap, e);

	if (n < 0)
		explain(b, e);
	return n;
}

static void blob_free(struct source *s)
{
	struct blob *b = (struct blob *)s;

	source_free(b->verified);
	free(b);
}

static struct blob *blob_new(const struct registry *r, const struct http_reply *reply, struct err *e)
{
	static const struct source_ops ops = { blob_read, blob_free };
	struct blob *b = calloc(1, sizeof(*b));
	char type[128];

	if (!b) {
		err_memory(e);
		return NULL;
	}
	b->base.ops = &ops;
	text_escape_str(b->host, sizeof(b->host), r->host);
	(void)answer_is_encoded(reply, b->coding);
	answer_content_type(reply, type);
	b->web_page = text_starts(type, "text/html");
	return b;
}

struct source *registry_open_blob(struct registry_conn *c, const char *repository, const struct promise *blob,
				  struct err *e)
{
	AUTO_QUESTION q = { 0 };
	AUTO_EXCHANGE x = { 0 };
	char name[DIGEST_TEXT_SIZE];

	if (question_make(c->registry, repository, "blobs", digest_text(&blob->digest, name), &q, e))
		return NULL;
	const struct call call = { .method = HTTP_GET, .url = q.url.data, .scope = q.scope.data };
	if (session_get(c, &call, &x, e)) {
		err_at(e, "%s", q.what);
		return NULL;
	}
	if (http_status(x.reply) != 200) {
		exchange_fail(&x, q.what, e);
		return NULL;
	}
	struct blob *b = blob_new(c->registry, x.reply, e);
	if (!b)
		return NULL;
	/* A length that contradicts the promise is refused before the bytes come. */
	uint64_t length = http_content_length(x.reply);
	if (!b->coding[0] && length != UINT64_MAX && length != blob->size) {
		err_set(e, ERR_CORRUPT, "%" PRIu64 " bytes are announced, %" PRIu64 " are promised", length,
			blob->size);
		explain(b, e);
		blob_free(&b->base);
		return NULL;
	}
	b->verified = source_verify(http_body(TAKE(x.reply), e), blob, e);
	if (!b->verified) {
		blob_free(&b->base);
		return NULL;
	}
	return &b->base;
}

int registry_has_blob(struct registry_conn *c, const char *repository, const struct promise *blob, struct err *e)
{
	AUTO_QUESTION q = { 0 };
	AUTO_EXCHANGE x = { 0 };
	char name[DIGEST_TEXT_SIZE];

	if (question_make(c->registry, repository, "blobs", digest_text(&blob->digest, name), &q, e))
		return -1;
	const struct call call = { .method = HTTP_HEAD, .url = q.url.data, .scope = q.scope.data };
	if (session_get(c, &call, &x, e))
		return err_at(e, "%s", q.what);
	int status = http_status(x.reply);
	uint64_t length = http_content_length(x.reply);
	if (status == 200)
		return length == UINT64_MAX || length == blob->size;
	/*
	 * "Not there" is the safe reading of a refusal that may mean the method (403, 405) or a URL signed for GET
	 * alone (400, 403 of another host): the blob is sent, and that answer is plain.
	 */
	if (status == 404 || status == 403 || status == 405 || (x.context.foreign && status >= 400 && status < 500))
		return 0;
	return exchange_fail(&x, q.what, e);
}
