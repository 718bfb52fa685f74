/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/list.h"

#include "base/cancel.h"
#include "base/limits.h"
#include "base/text.h"
#include "oci/json.h"
#include "registry/origin.h"
#include "registry/session.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/*
 * The most that ECR and docker's registry give at once; ECR answers a larger number with an error, and others a number
 * that is over their own maximum: they are asked again without one.
 */
#define PAGE_NAMES "1000"

struct listing {
	struct registry_conn *conn;
	const char *scope;
	const char *what; /* "the list of repositories" */
	const char *key;  /* of the array */
	bool (*valid)(const char *name);
	registry_list_fn *fn;
	void *ctx;
	size_t *pages;
	size_t names;
	size_t strange; /* left out */
};

/* One parameter of a link, from behind its ';': is it rel=next? *rel may be a list of words in quotes. */
static bool is_next(const char *at, size_t len)
{
	while (len && strchr(" \t", *at)) {
		at++;
		len--;
	}
	if (len < 4 || strncasecmp(at, "rel", 3) != 0)
		return false;
	at += 3;
	len -= 3;
	while (len && strchr(" \t=\"", *at)) {
		at++;
		len--;
	}
	while (len >= 4) {
		size_t n = strcspn(at, " \t\";,");
		if (n > len)
			n = len;
		if (n == 4 && !strncasecmp(at, "next", 4))
			return true;
		if (n == len)
			return false;
		at += n + 1;
		len -= n + 1;
	}
	return false;
}

int list_next(const char *header, struct buf *out, struct err *e)
{
	for (const char *open = strchr(header, '<'); open; open = strchr(open, '<')) {
		const char *close = strchr(open, '>');
		if (!close)
			return 0;
		const char *at = close + 1;
		for (; *at && *at != ','; at += strcspn(at, ";,")) {
			if (*at == ';' && is_next(at + 1, strcspn(at + 1, ";,")))
				return buf_add(out, open + 1, (size_t)(close - open - 1), e) ? -1 : 1;
			at += *at == ';';
		}
		open = at;
	}
	return 0;
}

static int broken(const struct listing *l, struct err *e)
{
	if (e)
		e->lasting = true;
	return err_at(e, "%s: %s", l->conn->registry->host, l->what);
}

/* The names of one page. A missing array, and null, which docker's registry gives for a repository without tags, is
 * none.
 */
static int read_names(struct listing *l, const struct buf *body, struct err *e)
{
	struct err why = { 0 };
	AUTO(jdoc) doc = jdoc_parse(body->len ? body->data : "", body->len, &why);

	if (!doc) {
		if (why.kind != ERR_CORRUPT)
			return e ? (*e = why, -1) : -1;
		err_set(e, ERR_NETWORK, "the answer is no list: %s", why.text);
		return broken(l, e);
	}
	const struct jval *names = jval_get(jdoc_root(doc), l->key);
	for (size_t i = 0; i < jval_count(names); i++) {
		const char *name = jval_text(jval_at(names, i));
		if (!name || !l->valid(name)) {
			l->strange++;
			continue;
		}
		if (++l->names > LIMIT_LISTED)
			return err_set(e, ERR_NETWORK, "%s: %s has more than %d names", l->conn->registry->host,
				       l->what, LIMIT_LISTED);
		if (l->fn(l->ctx, name, e))
			return -1;
	}
	return 0;
}

int list_turn(const struct registry *r, const struct http_reply *reply, struct buf *url, struct err *e)
{
	const char *header = http_header(reply, "Link");
	AUTO_BUF link = { 0 };
	AUTO_BUF next = { 0 };
	char where[ORIGIN_TEXT_SIZE];
	const int found = header ? list_next(header, &link, e) : 0;

	if (found <= 0)
		return found;
	if (http_resolve_url(url->data, link.data ? link.data : "", &next, e))
		return -1;
	if (!http_same_origin(next.data, r->url))
		return err_set(e, ERR_NETWORK,
			       "the next page is said to be at %s, which is not asked: it is another server",
			       origin_text(next.data, where));
	if (!strcmp(next.data, url->data))
		return err_set(e, ERR_NETWORK, "its pages have no end");
	buf_clear(url);
	return buf_add(url, next.data, next.len, e) ? -1 : 1;
}

/* Where the next page is, into *url: 1; 0: this was the last one. */
static int turn_page(const struct listing *l, const struct exchange *x, struct buf *url, struct err *e)
{
	const int more = list_turn(l->conn->registry, x->reply, url, e);

	if (more < 0)
		return broken(l, e);
	if (more && *l->pages > LIMIT_LIST_PAGES) {
		err_set(e, ERR_NETWORK, "its pages have no end");
		return broken(l, e);
	}
	return more;
}

/* One page: 1: *url is the next one, 0: it was the last, -1. */
static int read_page(struct listing *l, struct buf *url, int *status, struct err *e)
{
	AUTO_EXCHANGE x = { 0 };
	AUTO_BUF body = { 0 };
	const struct call call = {
		.method = HTTP_GET,
		.url = url->data,
		.scope = l->scope,
		.accept = "application/json",
		.max_body = LIMIT_LIST_PAGE,
	};

	if (cancel_check(e))
		return -1;
	if (session_send(l->conn, &call, &x, e))
		return err_at(e, "%s", l->what);
	++*l->pages;
	*status = http_status(x.reply);
	if (*status != 200)
		return exchange_fail(&x, l->what, e);
	const int more = turn_page(l, &x, url, e);
	if (more < 0)
		return -1;
	AUTO(source) bytes = http_body(TAKE(x.reply), e);
	if (!bytes || source_slurp(bytes, LIMIT_LIST_PAGE, &body, e))
		return err_at(e, "%s", l->what);
	return read_names(l, &body, e) ? -1 : more;
}

/* `path` is behind the API's root, without a query. */
static int list(struct listing *l, const char *path, struct err *e)
{
	const struct registry *r = l->conn->registry;
	AUTO_BUF url = { 0 };
	struct err why = { 0 };
	int status = 0;
	int more;

	if (buf_printf(&url, e, "%s/%s?n=" PAGE_NAMES, r->api, path))
		return -1;
	more = read_page(l, &url, &status, &why);
	if (more < 0 && status == 400) {
		why = (struct err){ 0 };
		buf_clear(&url);
		if (buf_printf(&url, e, "%s/%s", r->api, path))
			return -1;
		more = read_page(l, &url, &status, &why);
	}
	while (more > 0)
		more = read_page(l, &url, &status, &why);
	if (l->strange)
		event_text(r->events, EVENT_WARNING, "%s: %s has %zu that cannot be names; they are left out", r->host,
			   l->what, l->strange);
	if (more < 0 && e)
		*e = why;
	return more;
}

int registry_list_repositories(struct registry_conn *c, registry_list_fn *fn, void *ctx, size_t *pages, struct err *e)
{
	struct listing l = {
		.conn = c,
		.scope = "registry:catalog:*",
		.what = "the list of repositories",
		.key = "repositories",
		.valid = reference_repository_valid,
		.fn = fn,
		.ctx = ctx,
		.pages = pages,
	};

	return list(&l, "_catalog", e);
}

int registry_list_tags(struct registry_conn *c, const char *repository, registry_list_fn *fn, void *ctx, size_t *pages,
		       struct err *e)
{
	AUTO_BUF path = { 0 };
	AUTO_BUF scope = { 0 };
	char shown[160];
	char what[LIMIT_REPOSITORY + 32];
	struct listing l = {
		.conn = c,
		.what = what,
		.key = "tags",
		.valid = reference_tag_valid,
		.fn = fn,
		.ctx = ctx,
		.pages = pages,
	};

	if (!reference_repository_valid(repository))
		return err_set(e, ERR_USAGE, "\"%s\" is not the name of a repository",
			       text_escape_str(shown, sizeof(shown), repository));
	if (buf_printf(&path, e, "%s/tags/list", repository) || session_scope(c->registry, repository, NULL, &scope, e))
		return -1;
	l.scope = scope.data;
	(void)snprintf(what, sizeof(what), "the tags of %s", repository);
	return list(&l, path.data, e);
}
