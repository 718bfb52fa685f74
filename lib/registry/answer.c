/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/answer.h"

#include "base/limits.h"
#include "base/text.h"
#include "oci/json.h"
#include "registry/redact.h"
#include "registry/secret.h"

#include <string.h>

/* What could be read of the body; a body that breaks off has said something all the same. */
static void read_body(struct http_reply *r, struct buf *out)
{
	char piece[4096];

	while (out->len < LIMIT_ERROR_BODY) {
		ssize_t n = http_read(r, piece, sizeof(piece), NULL);
		if (n <= 0 || buf_add(out, piece, (size_t)n, NULL))
			return;
	}
}

void answer_drop(struct http_reply *r)
{
	char piece[4096];
	size_t left = LIMIT_ERROR_BODY;

	while (r && left) {
		ssize_t n = http_read(r, piece, sizeof(piece), NULL);
		if (n <= 0)
			break;
		left -= (size_t)n < left ? (size_t)n : left;
	}
	http_reply_free(r);
}

bool answer_is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* errors[].code and message, as in the distribution specification; also {"error":...} and {"message":...}. */
static int gather_json(const struct jval *root, struct buf *out)
{
	static const char *const single[] = { "message", "error_description", "error", "details" };
	const struct jval *errors = jval_get(root, "errors");

	for (size_t i = 0; i < jval_count(errors) && i < 8; i++) {
		const char *code = jval_text(jval_get(jval_at(errors, i), "code"));
		const char *message = jval_text(jval_get(jval_at(errors, i), "message"));
		if (!code && !message)
			continue;
		if (buf_printf(out, NULL, "%s%s%s%s", out->len ? "; " : "", code ? code : "",
			       code && message ? ": " : "", message ? message : ""))
			return -1;
	}
	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]) && !out->len; i++) {
		const char *text = jval_text(jval_get(root, single[i]));
		if (text && buf_puts(out, text, NULL))
			return -1;
	}
	return 0;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Of a web page its title; anything else is shown as it comes, lines joined. */
static int gather_text(const char *body, size_t len, struct buf *out)
{
	while (len && is_space(body[0])) {
		body++;
		len--;
	}
	if (len && body[0] == '<') {
		const char *title = memmem(body, len, "<title>", 7);
		const char *end = title ? memmem(title, len - (size_t)(title - body), "</title>", 8) : NULL;
		if (!end)
			return 0;
		body = title + 7;
		len = (size_t)(end - body);
	}
	if (buf_add(out, body, len, NULL))
		return -1;
	while (out->len && is_space(out->data[out->len - 1]))
		out->len--;
	for (size_t i = 0; i < out->len; i++)
		if (out->data[i] == '\t' || out->data[i] == '\r' || out->data[i] == '\n')
			out->data[i] = ' ';
	return 0;
}

const char *answer_words(const char *body, size_t len, const char *secret, char *out, size_t cap)
{
	AUTO_SECRET words = { 0 };
	AUTO(jdoc) doc = len ? jdoc_parse(body, len, NULL) : NULL;

	out[0] = '\0';
	if (!len || (doc ? gather_json(jdoc_root(doc), &words) : gather_text(body, len, &words)) || !words.len)
		return out;
	redact(&words, secret);
	return text_escape(out, cap, words.data, words.len);
}

const char *answer_header(const struct http_reply *r, const char *name, const char *secret, char *out, size_t cap)
{
	const char *value = http_header(r, name);
	AUTO_BUF words = { 0 };

	out[0] = '\0';
	if (!value || buf_puts(&words, value, NULL))
		return out;
	redact(&words, secret);
	return text_escape(out, cap, words.data, words.len);
}

/* The kind of error that a status stands for, and the words that go with it. */
static enum err_kind judge(int status, bool push, const char **means)
{
	*means = "";
	if (status == 401 || status == 403) {
		*means = status == 401 ? " (not logged in, or not with these credentials)" : " (not allowed)";
		return ERR_DENIED;
	}
	if (status == 404) {
		*means = " (not there)";
		return push ? ERR_TARGET : ERR_ABSENT;
	}
	if (status == 429) {
		*means = " (too many requests)";
		return ERR_NETWORK;
	}
	if (status == 413)
		*means = " (too large for it, or for a proxy in front of it)";
	if (answer_is_redirect(status))
		*means = " (a redirect that cannot be followed)";
	return push && status >= 400 && status < 500 ? ERR_TARGET : ERR_NETWORK;
}

/* What the words say that the status does not. *status is what it is treated as. */
static enum err_kind judge_words(enum err_kind kind, int *status, const char *words)
{
	if (*status != 400)
		return kind;
	/* nginx's words, of a page that its registry never sees. */
	if (strstr(words, "SSL certificate"))
		return ERR_DENIED;
	if (!strstr(words, "Throttling") && !strstr(words, "TOOMANYREQUESTS"))
		return kind;
	*status = 429;
	return ERR_NETWORK;
}

/* The answer to the same question will be the same. (400 is what stores say when they are out of sorts.) */
static bool lasts(int status)
{
	return (status > 400 && status < 500 && status != 408 && status != 416 && status != 425 && status != 429 &&
		status != 499) ||
	       status == 501 || status == 505;
}

static void hint(const struct answer_context *ctx, enum err_kind kind, int status, struct err *e)
{
	if (ctx->foreign) {
		if (status >= 400 && status < 500 && status != 401 && status != 429)
			err_hint(e,
				 "another host answered behind a redirect, whose signed address may have expired, or "
				 "hold for another way out (a proxy) only");
		return;
	}
	if (ctx->frank)
		return;
	if (kind == ERR_DENIED && status == 400)
		err_hint(e, "it wants a client certificate that it knows (--cert FILE --key FILE)");
	else if (kind == ERR_DENIED && ctx->anonymous)
		err_hint(e,
			 "no credentials for it were found (imgpack login); a repository that does not exist is often "
			 "answered like this");
	else if (kind == ERR_DENIED)
		err_hint(e, "a repository that does not exist is often answered like this");
}

int answer_fail(struct http_reply *r, const struct answer_context *ctx, const char *what, struct err *e)
{
	char words[LIMIT_ERROR_SHOWN] = "";
	char after[64];
	AUTO_SECRET body = { 0 };
	const char *means;
	const int status = http_status(r);
	int treated = status;
	enum err_kind kind = judge(status, ctx->push, &means);
	const int64_t wait_ms = http_retry_after(r);

	answer_header(r, "Retry-After", ctx->secret, after, sizeof(after));
	read_body(r, &body);
	http_reply_free(r);
	if (!ctx->foreign && body.len)
		answer_words(body.data, body.len, ctx->secret, words, sizeof(words));
	kind = judge_words(kind, &treated, words);
	/* Behind a redirect stands a store: what it refuses is the signed address, and the next one may do. */
	if (ctx->foreign && status != 401)
		kind = ERR_NETWORK;
	err_set(e, kind, "%s answers %d%s for %s%s%s", ctx->who, status, means, what, words[0] ? ": " : "", words);
	if (after[0] && (status == 429 || status == 503))
		err_hint(e, "it asks to wait (Retry-After: %s)", after);
	hint(ctx, kind, status, e);
	if (e) {
		e->sys = treated;
		e->wait_ms = wait_ms;
		e->lasting = kind == ERR_NETWORK && !ctx->foreign && lasts(treated);
	}
	return -1;
}
