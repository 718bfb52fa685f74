/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry.h"

#include "base/limits.h"
#include "base/text.h"
#include "oci/manifest.h"
#include "registry/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Getting and asking for manifests and blobs. */

#define WHAT_SIZE (LIMIT_REPOSITORY + LIMIT_TAG + DIGEST_TEXT_SIZE + 32)

/* What a manifest is asked by: a digest, or a tag. */
struct selector {
	bool by_digest;
	struct digest digest;
	char text[LIMIT_TAG + DIGEST_TEXT_SIZE];
};

static int read_selector(const char *text, struct selector *out, struct err *e)
{
	char shown[160];

	out->by_digest = !digest_parse(&out->digest, text, strlen(text), NULL);
	if (out->by_digest) {
		digest_text(&out->digest, out->text);
		return 0;
	}
	if (!reference_tag_valid(text))
		return err_set(e, ERR_USAGE, "\"%s\" is neither a tag nor a digest",
			       text_escape_str(shown, sizeof(shown), text));
	(void)snprintf(out->text, sizeof(out->text), "%s", text);
	return 0;
}

/* A request about one thing of a repository: its URL, its scope, and its name for messages. */
struct question {
	struct buf url;
	struct buf scope;
	char what[WHAT_SIZE];
};

static void question_release(struct question *q)
{
	buf_release(&q->url);
	buf_release(&q->scope);
}
#define AUTO_QUESTION __attribute__((cleanup(question_release))) struct question

static int make_question(const struct registry *r, const char *repository, const char *kind, const char *reference,
			 struct question *q, struct err *e)
{
	(void)snprintf(q->what, sizeof(q->what), "%.*s %s of %s", (int)strlen(kind) - 1, kind, reference, repository);
	return session_url(r, repository, kind, reference, &q->url, e) ||
			       session_scope(r, repository, NULL, &q->scope, e)
		       ? -1
		       : 0;
}

/* Content-Type without parameters; "" if it is absent or no media type could look like that. */
static void read_content_type(const struct http_reply *reply, char out[128])
{
	const char *type = http_header(reply, "Content-Type");
	size_t len = type ? strcspn(type, "; \t") : 0;

	out[0] = '\0';
	if (!len || len >= 128)
		return;
	for (size_t i = 0; i < len; i++)
		if (type[i] <= 0x20 || type[i] >= 0x7f)
			return;
	memcpy(out, type, len);
	out[len] = '\0';
}

/* What the registry calls it; false if it does not say or says nonsense. */
static bool read_digest_header(const struct http_reply *reply, struct digest *out)
{
	const char *text = http_header(reply, "Docker-Content-Digest");

	return text && !digest_parse(out, text, strlen(text), NULL);
}

/*
 * The digest that counts is the one computed from the bytes. The registry's own word about a tag is compared, and a
 * difference is worth a warning and no more: too many send a wrong one (schema 1 is named by another digest by design).
 */
static int judge_manifest(struct registry_conn *c, const struct question *q, const struct selector *s,
			  const struct exchange *x, const struct digest *have, struct err *e)
{
	char want_text[DIGEST_TEXT_SIZE];
	char have_text[DIGEST_TEXT_SIZE];
	char coding[CODING_TEXT_SIZE];
	bool encoded = answer_is_encoded(x->reply, coding);
	struct digest said;
	bool says = read_digest_header(x->reply, &said);

	if (s->by_digest && !digest_equal(have, &s->digest))
		err_set(e, ERR_CORRUPT, "%s: %s has digest %s, expected %s", c->registry->host, q->what,
			digest_text(have, have_text), digest_text(&s->digest, want_text));
	else if (!s->by_digest && encoded && !(says && digest_equal(have, &said)))
		err_set(e, ERR_CORRUPT, "%s: %s cannot be read", c->registry->host, q->what);
	else {
		if (!s->by_digest && says && !digest_equal(have, &said))
			event_text(c->registry->events, EVENT_WARNING,
				   "%s calls %s %s, but its bytes have digest %s; the bytes count", c->registry->host,
				   q->what, digest_text(&said, want_text), digest_text(have, have_text));
		return 0;
	}
	if (encoded)
		err_hint(e, "it came with Content-Encoding %s although it was asked to come without", coding);
	return -1;
}

static int read_manifest(struct registry_conn *c, const struct question *q, struct exchange *x, struct buf *out,
			 struct err *e)
{
	uint64_t length = http_content_length(x->reply);

	if (length != UINT64_MAX && length > LIMIT_MANIFEST)
		return err_set(e, ERR_CORRUPT, "%s: %s has %" PRIu64 " bytes, more than the limit of %u",
			       c->registry->host, q->what, length, LIMIT_MANIFEST);
	for (;;) {
		char piece[16384];
		ssize_t n = http_read(x->reply, piece, sizeof(piece), e);
		if (n < 0)
			return err_at(e, "%s", q->what);
		if (n == 0)
			return buf_reserve(out, 0, e);
		if (out->len + (size_t)n > LIMIT_MANIFEST)
			return err_set(e, ERR_CORRUPT, "%s: %s is longer than the limit of %u bytes", c->registry->host,
				       q->what, LIMIT_MANIFEST);
		if (buf_add(out, piece, (size_t)n, e))
			return -1;
	}
}

int registry_get_manifest(struct registry_conn *c, const char *repository, const char *selector, struct buf *out,
			  struct digest *digest, char content_type[128], struct err *e)
{
	AUTO_QUESTION q = { 0 };
	AUTO_EXCHANGE x = { 0 };
	AUTO_BUF bytes = { 0 };
	struct selector s;
	struct digest have;

	if (read_selector(selector, &s, e) || make_question(c->registry, repository, "manifests", s.text, &q, e))
		return -1;
	const struct call call = {
		.method = HTTP_GET,
		.url = q.url.data,
		.scope = q.scope.data,
		.accept = MEDIA_ACCEPT_MANIFESTS,
	};
	if (session_get(c, &call, &x, e))
		return err_at(e, "%s", q.what);
	if (http_status(x.reply) != 200)
		return exchange_fail(&x, q.what, e);
	if (read_manifest(c, &q, &x, &bytes, e) || digest_of(&have, bytes.data, bytes.len, e) ||
	    judge_manifest(c, &q, &s, &x, &have, e) || buf_add(out, bytes.data, bytes.len, e))
		return -1;
	read_content_type(x.reply, content_type);
	*digest = have;
	return 0;
}

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
	read_content_type(reply, type);
	b->web_page = text_starts(type, "text/html");
	return b;
}

struct source *registry_open_blob(struct registry_conn *c, const char *repository, const struct promise *blob,
				  struct err *e)
{
	AUTO_QUESTION q = { 0 };
	AUTO_EXCHANGE x = { 0 };
	char name[DIGEST_TEXT_SIZE];

	if (make_question(c->registry, repository, "blobs", digest_text(&blob->digest, name), &q, e))
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

	if (make_question(c->registry, repository, "blobs", digest_text(&blob->digest, name), &q, e))
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

/* HEAD does not tell: get it, and see. */
static int get_to_see(struct registry_conn *c, const char *repository, const char *selector, struct digest *digest,
		      struct err *e)
{
	AUTO_BUF bytes = { 0 };
	char type[128];
	struct err failure = { 0 };

	if (!registry_get_manifest(c, repository, selector, &bytes, digest, type, &failure))
		return 1;
	if (failure.kind == ERR_ABSENT)
		return 0;
	if (e)
		*e = failure;
	return -1;
}

int registry_has_manifest(struct registry_conn *c, const char *repository, const char *selector, struct digest *digest,
			  struct err *e)
{
	AUTO_QUESTION q = { 0 };
	AUTO_EXCHANGE x = { 0 };
	struct selector s;
	struct digest said;

	if (read_selector(selector, &s, e) || make_question(c->registry, repository, "manifests", s.text, &q, e))
		return -1;
	const struct call call = {
		.method = HTTP_HEAD,
		.url = q.url.data,
		.scope = q.scope.data,
		.accept = MEDIA_ACCEPT_MANIFESTS,
	};
	if (session_get(c, &call, &x, e))
		return err_at(e, "%s", q.what);
	int status = http_status(x.reply);
	if (status == 404)
		return 0;
	if (status != 200 && status != 400 && status != 403 && status != 405)
		return exchange_fail(&x, q.what, e);
	bool says = status == 200 && read_digest_header(x.reply, &said);
	exchange_release(&x);
	if (!says || (s.by_digest && !digest_equal(&said, &s.digest)))
		return get_to_see(c, repository, selector, digest, e);
	*digest = said;
	return 1;
}
