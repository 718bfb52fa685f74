/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry.h"

#include "base/text.h"
#include "registry/question.h"

#include <stdlib.h>

/* Getting and asking for blobs. */

int blob_explain(const struct registry *r, const struct blob_range *got, struct err *e)
{
	char host[64];

	err_at(e, "from %s", text_escape_str(host, sizeof(host), r->host));
	if (got->encoded)
		return err_hint(e, "it came with Content-Encoding %s although it was asked to come without",
				got->coding);
	if (got->web_page)
		return err_hint(e,
				"what came is a web page (text/html): is there a login page or a filter in between?");
	return -1;
}

/* A blob on its way: what its errors need to know beside what the verifier says. */
struct blob {
	struct source base;
	struct source *verified;
	const struct registry *registry;
	struct blob_range got;
};

static ssize_t blob_read(struct source *s, void *buf, size_t cap, struct err *e)
{
	struct blob *b = (struct blob *)s;
	ssize_t n = source_read(b->verified, buf, cap, e);

	return n < 0 && e && e->kind == ERR_CORRUPT ? blob_explain(b->registry, &b->got, e) : n;
}

static void blob_free(struct source *s)
{
	struct blob *b = (struct blob *)s;

	source_free(b->verified);
	free(b);
}

struct source *registry_open_blob(struct registry_conn *c, const char *repository, const struct promise *blob,
				  struct err *e)
{
	static const struct source_ops ops = { blob_read, blob_free };
	struct blob *b = calloc(1, sizeof(*b));

	if (!b) {
		err_memory(e);
		return NULL;
	}
	b->base.ops = &ops;
	b->registry = c->registry;
	b->verified = source_verify(blob_request(c, repository, blob, 0, blob->size, &b->got, e), blob, e);
	if (!b->verified) {
		free(b);
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
