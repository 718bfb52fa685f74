/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/registry.h"

#include "base/limits.h"
#include "base/text.h"
#include "oci/manifest.h"
#include "registry/question.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Getting and asking for manifests. */

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

	if (read_selector(selector, &s, e) || question_make(c->registry, repository, "manifests", s.text, &q, e))
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
	answer_content_type(x.reply, content_type);
	*digest = have;
	return 0;
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

	if (read_selector(selector, &s, e) || question_make(c->registry, repository, "manifests", s.text, &q, e))
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
