/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/referrers.h"

#include "base/cancel.h"
#include "base/limits.h"
#include "registry/list.h"
#include "registry/question.h"

#include <stdio.h>

struct listing {
	struct registry_conn *conn;
	const struct question *question;
	registry_referrer_fn *fn;
	void *ctx;
	size_t count;
};

enum page { PAGE_FAILED = -1, PAGE_LAST, PAGE_MORE, PAGE_NONE };

/* Too busy, or broken for now: what is asked again. Every other refusal says that it does not know the question. */
static bool may_pass(int status)
{
	return status == 408 || status == 429 || (status >= 500 && status != 501);
}

static int broken(const struct listing *l, struct err *e)
{
	if (e)
		e->lasting = true;
	return err_at(e, "%s: %s", l->conn->registry->host, l->question->what);
}

static enum page give(struct listing *l, const struct buf *body, struct err *e)
{
	struct err why = { 0 };
	AUTO(index) x = index_parse(body->len ? body->data : "", body->len, &why);

	if (!x && why.kind == ERR_CORRUPT)
		return PAGE_NONE;
	if (!x) {
		if (e)
			*e = why;
		return PAGE_FAILED;
	}
	for (size_t i = 0; i < x->count; i++) {
		if (++l->count > LIMIT_REFERRERS) {
			err_set(e, ERR_NETWORK, "there are more than %d", LIMIT_REFERRERS);
			return (enum page)broken(l, e);
		}
		if (l->fn(l->ctx, &x->entries[i], e))
			return PAGE_FAILED;
	}
	return PAGE_LAST;
}

/* PAGE_MORE: *url is the next one. */
static enum page read_page(struct listing *l, struct buf *url, struct err *e)
{
	AUTO_EXCHANGE x = { 0 };
	AUTO_BUF body = { 0 };
	const struct call call = {
		.method = HTTP_GET,
		.url = url->data,
		.scope = l->question->scope.data,
		.accept = MEDIA_OCI_INDEX,
		.max_body = LIMIT_MANIFEST,
	};

	if (cancel_check(e) || session_send(l->conn, &call, &x, e))
		return (enum page)err_at(e, "%s", l->question->what);
	const int status = http_status(x.reply);
	if (may_pass(status))
		return (enum page)exchange_fail(&x, l->question->what, e);
	if (status != 200) {
		answer_drop(TAKE(x.reply));
		return PAGE_NONE;
	}
	const int more = list_turn(l->conn->registry, x.reply, url, e);
	if (more < 0)
		return (enum page)broken(l, e);
	AUTO(source) bytes = http_body(TAKE(x.reply), e);
	if (!bytes || source_slurp(bytes, LIMIT_MANIFEST, &body, e))
		return (enum page)err_at(e, "%s", l->question->what);
	const enum page page = give(l, &body, e);
	return page == PAGE_LAST && more ? PAGE_MORE : page;
}

int registry_list_referrers(struct registry_conn *c, const char *repository, const struct digest *subject,
			    registry_referrer_fn *fn, void *ctx, struct err *e)
{
	AUTO_QUESTION q = { 0 };
	char text[DIGEST_TEXT_SIZE];
	struct listing l = { .conn = c, .question = &q, .fn = fn, .ctx = ctx };

	if (question_make(c->registry, repository, "referrers", digest_text(subject, text), &q, e))
		return -1;
	(void)snprintf(q.what, sizeof(q.what), "the referrers of %s in %s", text, repository);
	for (size_t pages = 0;; pages++) {
		const enum page page = pages > LIMIT_REFERRERS ? PAGE_NONE : read_page(&l, &q.url, e);
		if (page == PAGE_FAILED)
			return -1;
		if (page == PAGE_LAST)
			return 1;
		if (page == PAGE_NONE && !pages)
			return 0;
		if (page == PAGE_NONE) {
			err_set(e, ERR_NETWORK, "its page %zu is no list of referrers", pages + 1);
			return broken(&l, e);
		}
	}
}
