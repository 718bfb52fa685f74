/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/distribution.h"

#include "base/text.h"
#include "http/http.h"
#include "oci/json.h"

#include <stdio.h>
#include <string.h>

#define JSON "application/json"

static struct MHD_Response *unknown(struct visit *v, const char *code, const char *message)
{
	return give_error(v, MHD_HTTP_NOT_FOUND, code, message);
}

/* ---- lists in pages */

struct page {
	bool limited;
	uint64_t n;
	const char *last; /* or NULL */
	uint64_t put;
	bool more;
};

/* False: `n` is no number. */
static bool page_read(struct page *p, const struct visit *v)
{
	const char *n = visit_argument(v, "n");

	*p = (struct page){ .limited = n != NULL, .last = visit_argument(v, "last") };
	return !n || text_parse_u64(n, strlen(n), UINT64_MAX, &p->n);
}

/* Items come sorted. False: it is not on this page. */
static bool page_takes(struct page *p, const char *item)
{
	if (p->last && strcmp(item, p->last) <= 0)
		return false;
	if (p->limited && p->put >= p->n) {
		p->more = p->n > 0;
		return false;
	}
	p->put++;
	return true;
}

/* Link: <PATH?n=N&last=ITEM>; rel="next" */
static struct MHD_Response *page_link(const struct page *p, const struct visit *v, const char *path, const char *last,
				      struct MHD_Response *r)
{
	AUTO_BUF link = { 0 };
	int failed = 0;

	if (!p->more || !r)
		return r;
	failed |= buf_printf(&link, NULL, "<%s?n=%llu&last=", path, (unsigned long long)p->n);
	failed |= http_escape(last, &link, NULL);
	if (v->ns) {
		failed |= buf_puts(&link, "&ns=", NULL);
		failed |= http_escape(v->ns, &link, NULL);
	}
	failed |= buf_puts(&link, ">; rel=\"next\"", NULL);
	if (!failed)
		return give_header(r, MHD_HTTP_HEADER_LINK, link.data);
	MHD_destroy_response(r);
	return NULL;
}

static struct MHD_Response *bad_page(struct visit *v)
{
	return give_error(v, MHD_HTTP_BAD_REQUEST, "PAGINATION_NUMBER_INVALID", "n is not a number");
}

/* ---- what can be asked */

static struct MHD_Response *base(struct visit *v)
{
	AUTO_BUF body = { 0 };

	return buf_puts(&body, "{}\n", NULL) ? NULL : give_bytes(v, MHD_HTTP_OK, JSON, &body);
}

static struct MHD_Response *repositories(struct visit *v)
{
	AUTO_BUF body = { 0 };
	struct jout j = jout_begin(&body);
	struct page page;
	const char *last = "";

	if (!page_read(&page, v))
		return bad_page(v);
	jout_object(&j);
	jout_key(&j, "repositories");
	jout_array(&j);
	for (size_t i = 0; i < catalog_count(v->catalog); i++) {
		const char *name = catalog_at(v->catalog, i)->name;
		if (!page_takes(&page, name))
			continue;
		jout_text(&j, name);
		last = name;
	}
	jout_end(&j);
	jout_end(&j);
	if (jout_finish(&j, NULL))
		return NULL;
	return page_link(&page, v, "/v2/_catalog", last, give_bytes(v, MHD_HTTP_OK, JSON, &body));
}

static struct MHD_Response *tags(struct visit *v)
{
	AUTO_BUF body = { 0 };
	struct jout j = jout_begin(&body);
	struct page page;
	struct err why = { 0 };
	const char *last = "";
	char path[sizeof(v->ask.name) + 32];
	const struct catalog_repository *r = catalog_find(v->catalog, v->ns, v->ask.name, &why);

	if (!r)
		return unknown(v, "NAME_UNKNOWN", why.text);
	if (!page_read(&page, v))
		return bad_page(v);
	jout_object(&j);
	jout_key(&j, "name");
	jout_text(&j, v->ask.name);
	jout_key(&j, "tags");
	jout_array(&j);
	for (size_t i = 0; i < r->tag_count; i++) {
		if (!*r->tags[i].tag || !page_takes(&page, r->tags[i].tag))
			continue;
		jout_text(&j, r->tags[i].tag);
		last = r->tags[i].tag;
	}
	jout_end(&j);
	jout_end(&j);
	if (jout_finish(&j, NULL))
		return NULL;
	(void)snprintf(path, sizeof(path), "/v2/%s/tags/list", v->ask.name);
	return page_link(&page, v, path, last, give_bytes(v, MHD_HTTP_OK, JSON, &body));
}

static const struct catalog_paper *find_paper(const struct visit *v, const char **code, struct err *why)
{
	const struct digest *d = &v->ask.digest;
	const struct catalog_repository *r = NULL;

	*code = "NAME_UNKNOWN";
	if (v->ask.by_digest) {
		if (!catalog_knows(v->catalog, v->ns, v->ask.name)) {
			(void)catalog_find(v->catalog, v->ns, v->ask.name, why);
			return NULL;
		}
	} else if (!(r = catalog_find(v->catalog, v->ns, v->ask.name, why))) {
		return NULL;
	}
	*code = "MANIFEST_UNKNOWN";
	err_set(why, ERR_ABSENT, "no such %s of %s in the archives that are served here",
		v->ask.by_digest ? "manifest" : "tag", v->ask.name);
	if (r) {
		const struct catalog_tag *t = *v->ask.tag ? catalog_tag(r, v->ask.tag) : NULL;
		if (!t)
			return NULL;
		d = &t->root.blob->promise.digest;
	}
	return catalog_paper(v->catalog, d);
}

static struct MHD_Response *manifest(struct visit *v)
{
	const char *code;
	struct err why = { 0 };
	const struct catalog_paper *p = find_paper(v, &code, &why);

	return p ? give_blob(v, &p->held, p->media_type) : unknown(v, code, why.text);
}

static struct MHD_Response *blob(struct visit *v)
{
	struct held held;
	struct err why = { 0 };

	if (!catalog_knows(v->catalog, v->ns, v->ask.name)) {
		(void)catalog_find(v->catalog, v->ns, v->ask.name, &why);
		return unknown(v, "NAME_UNKNOWN", why.text);
	}
	if (!catalog_blob(v->catalog, &v->ask.digest, &held))
		return unknown(v, "BLOB_UNKNOWN", "no archive that is served here holds this blob");
	struct MHD_Response *r = give_blob(v, &held, "application/octet-stream");
	/* Its bytes never change: whoever has them need not ask again. */
	return v->status < MHD_HTTP_BAD_REQUEST
		       ? give_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "max-age=31536000, immutable")
		       : r;
}

static void put_annotations(struct jout *j, const struct jval *annotations)
{
	const struct jval *value;

	if (!jval_is_object(annotations))
		return;
	jout_key(j, "annotations");
	jout_object(j);
	for (size_t i = 0; i < jval_count(annotations); i++) {
		const char *key = jval_key_at(annotations, i, &value);
		if (!jval_is_string(value))
			continue;
		jout_key(j, key);
		jout_text(j, jval_text(value));
	}
	jout_end(j);
}

static void put_referrer(struct jout *j, const struct catalog_paper *p)
{
	descriptor_begin(j, p->media_type, &p->held.blob->promise);
	if (*p->artifact_type) {
		jout_key(j, "artifactType");
		jout_text(j, p->artifact_type);
	}
	put_annotations(j, jval_get(jdoc_root(p->referrer), "annotations"));
	jout_end(j);
}

/* "Listing Referrers": an index of descriptors; empty where there is none, also of a repository that nobody knows. */
static struct MHD_Response *referrers(struct visit *v)
{
	AUTO_BUF body = { 0 };
	struct jout j = jout_begin(&body);
	const char *wanted = visit_argument(v, "artifactType");
	const bool known = catalog_knows(v->catalog, v->ns, v->ask.name);
	const struct catalog_paper *p;
	size_t at = 0;

	index_begin(&j);
	while (known && (p = catalog_referrer(v->catalog, &v->ask.digest, &at)))
		if (!wanted || !strcmp(wanted, p->artifact_type))
			put_referrer(&j, p);
	index_end(&j);
	if (jout_finish(&j, NULL))
		return NULL;
	struct MHD_Response *r = give_bytes(v, MHD_HTTP_OK, MEDIA_OCI_INDEX, &body);
	return wanted ? give_header(r, "OCI-Filters-Applied", "artifactType") : r;
}

struct MHD_Response *distribution_answer(struct visit *v)
{
	if (v->ask.fault == ASK_BAD_NAME)
		return unknown(v, "NAME_INVALID", "no repository can have this name");
	if (v->ask.fault == ASK_BAD_DIGEST)
		return give_error(v, MHD_HTTP_BAD_REQUEST, "DIGEST_INVALID",
				  "expected sha256: and 64 small hexadecimal digits");
	switch (v->ask.kind) {
	case ASK_BASE:
		return base(v);
	case ASK_CATALOG:
		return repositories(v);
	case ASK_TAGS:
		return tags(v);
	case ASK_MANIFEST:
		return manifest(v);
	case ASK_BLOB:
		return blob(v);
	case ASK_REFERRERS:
		return referrers(v);
	default:
		return unknown(v, "UNSUPPORTED", "there is nothing here");
	}
}
