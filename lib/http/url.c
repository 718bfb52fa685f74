/* SPDX-License-Identifier: Apache-2.0 */
#include "http/url.h"

#include "base/text.h"
#include "http/http.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

static inline void curl_freep(char **p)
{
	curl_free(*p);
}
#define AUTO_CURL __attribute__((cleanup(curl_freep))) char

static inline void curlu_freep(CURLU **p)
{
	curl_url_cleanup(*p);
}
#define AUTO_CURLU __attribute__((cleanup(curlu_freep))) CURLU

/* What may be shown of a URL that could not be parsed: nothing of a query, and nothing at all if it has userinfo. */
static const char *shown(char *out, size_t cap, const char *text)
{
	size_t len = strcspn(text, "?#");

	if (memchr(text, '@', len))
		return "(a URL with credentials, not shown)";
	return text_escape(out, cap, text, len);
}

static int bad_url(enum err_kind kind, const char *text, const char *why, struct err *e)
{
	char name[200];

	return err_set(e, kind, "%s is not a usable URL: %s", shown(name, sizeof(name), text), why);
}

/* strdup(), lower case for ASCII. */
static char *lower(const char *s)
{
	char *copy = strdup(s);

	for (char *p = copy; p && *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return copy;
}

/* Fills the parts of *u from a parsed URL. 0, or a curl code, or -1 out of memory. */
static int take_parts(struct url *u, CURLU *parsed)
{
	AUTO_CURL *scheme = NULL;
	AUTO_CURL *host = NULL;
	AUTO_CURL *port = NULL;
	AUTO_CURL *user = NULL;
	AUTO_CURL *password = NULL;
	uint64_t number;
	CURLUcode rc = curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0);

	if (rc == CURLUE_OK)
		rc = curl_url_get(parsed, CURLUPART_HOST, &host, 0);
	if (rc == CURLUE_OK)
		rc = curl_url_get(parsed, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
	if (rc != CURLUE_OK)
		return (int)rc;
	if (!text_parse_u64(port, strlen(port), 65535, &number))
		return CURLUE_BAD_PORT_NUMBER;
	u->port = (uint16_t)number;
	u->scheme = lower(scheme);
	/* Brackets are spelling, not name. A zone ("%eth0") stays in curl's hands. */
	size_t len = strlen(host);
	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		u->host = lower(host + 1);
	} else {
		u->host = lower(host);
	}
	if (!u->scheme || !u->host)
		return -1;
	u->has_userinfo = curl_url_get(parsed, CURLUPART_USER, &user, 0) == CURLUE_OK ||
			  curl_url_get(parsed, CURLUPART_PASSWORD, &password, 0) == CURLUE_OK;
	return 0;
}

struct url *url_parse(const char *text, struct err *e)
{
	AUTO(url) u = calloc(1, sizeof(*u));
	AUTO_CURLU *parsed = curl_url();
	AUTO_CURL *scheme = NULL;

	if (!u || !parsed) {
		err_memory(e);
		return NULL;
	}
	/* Browsers read a backslash as a slash, curl does not: "https://a\\@b/" has two hosts, so it has none here. */
	if (memchr(text, '\\', strcspn(text, "?#"))) {
		bad_url(ERR_USAGE, text, "there is a backslash in it", e);
		return NULL;
	}
	CURLUcode rc = curl_url_set(parsed, CURLUPART_URL, text, CURLU_NON_SUPPORT_SCHEME);
	if (rc == CURLUE_OK && curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
	    strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0) {
		bad_url(ERR_USAGE, text, "only http and https are spoken", e);
		return NULL;
	}
	int failed = rc == CURLUE_OK ? take_parts(u, parsed) : (int)rc;
	if (failed < 0 || failed == CURLUE_OUT_OF_MEMORY) {
		err_memory(e);
		return NULL;
	}
	if (failed || !*u->host) {
		bad_url(ERR_USAGE, text, failed ? curl_url_strerror((CURLUcode)failed) : "it has no host", e);
		return NULL;
	}
	u->default_port = u->port == (strcmp(u->scheme, "https") == 0 ? 443 : 80);
	return TAKE(u);
}

void url_free(struct url *u)
{
	if (!u)
		return;
	free(u->scheme);
	free(u->host);
	free(u);
}

int url_host_port(const struct url *u, struct buf *out, struct err *e)
{
	char name[300];
	bool v6 = strchr(u->host, ':') != NULL;

	text_escape_str(name, sizeof(name), u->host);
	if (buf_printf(out, e, v6 ? "[%s]" : "%s", name))
		return -1;
	return u->default_port ? 0 : buf_printf(out, e, ":%u", (unsigned)u->port);
}

int http_origin(const char *url, struct buf *out, struct err *e)
{
	AUTO(url) u = url_parse(url, e);
	AUTO_BUF text = { 0 };

	if (!u || buf_printf(&text, e, "%s://", u->scheme) || url_host_port(u, &text, e))
		return -1;
	return buf_add(out, text.data, text.len, e);
}

bool http_same_origin(const char *url_a, const char *url_b)
{
	AUTO(url) a = url_parse(url_a, NULL);
	AUTO(url) b = url_parse(url_b, NULL);

	return a && b && a->port == b->port && strcmp(a->scheme, b->scheme) == 0 && strcmp(a->host, b->host) == 0;
}

int http_resolve_url(const char *base, const char *location, struct buf *out, struct err *e)
{
	AUTO_CURLU *parsed = curl_url();
	AUTO_CURL *text = NULL;

	if (!parsed)
		return err_memory(e);
	CURLUcode rc = curl_url_set(parsed, CURLUPART_URL, base, CURLU_NON_SUPPORT_SCHEME);
	if (rc != CURLUE_OK)
		return bad_url(ERR_USAGE, base, curl_url_strerror(rc), e);
	/* URLENCODE: redirects with spaces or raw UTF-8 in them are common; what is already encoded stays as it is. */
	rc = curl_url_set(parsed, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE);
	/* Credentials that somebody else put into a URL are never ours to use; a fragment is not for the wire. */
	if (rc == CURLUE_OK)
		rc = curl_url_set(parsed, CURLUPART_USER, NULL, 0);
	if (rc == CURLUE_OK)
		rc = curl_url_set(parsed, CURLUPART_PASSWORD, NULL, 0);
	if (rc == CURLUE_OK)
		rc = curl_url_set(parsed, CURLUPART_OPTIONS, NULL, 0);
	if (rc == CURLUE_OK)
		rc = curl_url_set(parsed, CURLUPART_FRAGMENT, NULL, 0);
	if (rc == CURLUE_OK)
		rc = curl_url_get(parsed, CURLUPART_URL, &text, 0);
	if (rc == CURLUE_OUT_OF_MEMORY)
		return err_memory(e);
	if (rc != CURLUE_OK)
		return bad_url(ERR_NETWORK, location, curl_url_strerror(rc), e);
	AUTO(url) check = url_parse(text, e);
	if (!check) {
		if (e && e->kind == ERR_USAGE)
			e->kind = ERR_NETWORK; /* the other side wrote it, not the caller */
		return -1;
	}
	return buf_puts(out, text, e);
}

int http_escape(const char *text, struct buf *out, struct err *e)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	AUTO_BUF escaped = { 0 };

	if (buf_reserve(&escaped, 0, e))
		return -1;
	for (const char *p = text; *p;) {
		size_t n = strspn(p, plain);
		if (n ? buf_add(&escaped, p, n, e) : buf_printf(&escaped, e, "%%%02X", (unsigned)(unsigned char)*p))
			return -1;
		p += n ? n : 1;
	}
	return buf_add(out, escaped.data, escaped.len, e);
}
