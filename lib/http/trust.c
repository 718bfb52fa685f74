/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wire.h"

#include "base/limits.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>

/* "host" stands for the scheme's own port, as in a URL. */
static bool is_host(const char *told, const char *host_port, const struct url *u)
{
	size_t len = strlen(host_port);

	if (strncasecmp(told, host_port, len) != 0)
		return false;
	return !told[len] || (u->default_port && strcmp(told + len, u->port == 443 ? ":443" : ":80") == 0);
}

static const struct trust *find(const struct http *h, const char *host_port, const struct url *u)
{
	for (size_t i = 0; i < h->trust_count; i++)
		if (is_host(h->trusts[i].host_port, host_port, u))
			return &h->trusts[i];
	return NULL;
}

static bool is_insecure(const struct http *h, const struct trust *t, const char *host_port, const struct url *u)
{
	for (char **p = h->insecure; p && *p; p++)
		if (is_host(*p, host_port, u))
			return true;
	return t && t->insecure;
}

/*
 * A host's own authorities come as one blob with everybody's: curl lets a blob stand for the file that it would read
 * otherwise. Its folder of authorities stays beside either, unless --cacert took it away.
 */
static CURLcode set_authorities(const struct http *h, CURL *easy, const struct trust *t)
{
	CURLcode rc = CURLE_OK;

	if (h->cacert) {
		SET(rc, easy, CURLOPT_CAINFO, h->cacert);
		SET(rc, easy, CURLOPT_CAPATH, NULL);
		SET(rc, easy, CURLOPT_PROXY_CAINFO, h->cacert);
		SET(rc, easy, CURLOPT_PROXY_CAPATH, NULL);
	}
	if (t && t->authorities.len) {
		struct curl_blob blob = { t->authorities.data, t->authorities.len, CURL_BLOB_NOCOPY };
		SET(rc, easy, CURLOPT_CAINFO_BLOB, &blob);
	}
	return rc;
}

CURLcode trust_apply(struct http_reply *r, const char *host_port)
{
	const struct http *h = r->client->http;
	const struct trust *t = find(h, host_port, r->url);
	bool insecure = is_insecure(h, t, host_port, r->url);
	const char *cert = t && t->cert ? t->cert : h->cert;
	const char *key = t && t->cert ? t->key : h->key;
	CURL *easy = r->client->easy;
	CURLcode rc = set_authorities(h, easy, t);

	r->has_cert = cert != NULL;
	SET(rc, easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(rc, easy, CURLOPT_SSL_VERIFYPEER, insecure ? 0L : 1L);
	SET(rc, easy, CURLOPT_SSL_VERIFYHOST, insecure ? 0L : 2L);
	SET(rc, easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
	SET(rc, easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
	if (cert) {
		SET(rc, easy, CURLOPT_SSLCERT, cert);
		SET(rc, easy, CURLOPT_SSLKEY, key ? key : cert);
		/* Without one, OpenSSL would ask the terminal for the password of an encrypted key. */
		SET(rc, easy, CURLOPT_KEYPASSWD, "");
	}
	return rc;
}

void trust_release(struct http *h)
{
	for (size_t i = 0; i < h->trust_count; i++) {
		struct trust *t = &h->trusts[i];
		free(t->host_port);
		buf_release(&t->own);
		buf_release(&t->authorities);
		free(t->cert);
		free(t->key);
	}
	free(h->trusts);
}

static int add_file(const char *path, struct buf *out, struct err *e)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return err_sys(e, ERR_LOCAL, errno, "cannot open");
	return buf_read(out, fd, LIMIT_CERTIFICATES, e) || buf_add(out, "\n", 1, e) ? -1 : 0;
}

static int at_file(const char *path, const char *whose, struct err *e)
{
	char shown[256];

	err_at(e, "%s", text_escape_str(shown, sizeof(shown), path));
	return err_at(e, "%s", whose);
}

/* Only the marks of PEM are looked at; what is between them is for OpenSSL. */
static bool has(const struct buf *text, const char *mark)
{
	return text->len && memmem(text->data, text->len, mark, strlen(mark));
}

int trust_check_file(const char *path, const char *whose, struct err *e)
{
	AUTO_BUF text = { 0 };
	int failed = add_file(path, &text, e);

	if (!failed && (has(&text, "BEGIN ENCRYPTED PRIVATE KEY") || has(&text, "Proc-Type: 4,ENCRYPTED")))
		failed = err_set(
			e, ERR_LOCAL,
			"the key is protected by a password, which is not asked for; openssl pkey -in FILE -out "
			"NEW writes one without");
	if (text.data)
		explicit_bzero(text.data, text.len);
	return failed ? at_file(path, whose, e) : 0;
}

static int add_authorities(struct trust *t, const char *path, struct err *e)
{
	AUTO_BUF text = { 0 };
	int failed = add_file(path, &text, e);

	if (!failed && !has(&text, "-----BEGIN "))
		failed = err_set(e, ERR_LOCAL, "has no certificate in it (PEM: -----BEGIN CERTIFICATE-----)");
	if (failed)
		return at_file(path, t->host_port, e);
	return buf_add(&t->own, text.data, text.len, e);
}

/* The file that counts for all hosts: --cacert, or the one that libcurl was built with. */
static int add_common(const struct http *h, struct buf *out, struct err *e)
{
	AUTO_BUF text = { 0 };
	char *built_in = NULL;
	CURL *easy = h->cacert ? NULL : curl_easy_init();

	if (!h->cacert && (!easy || curl_easy_getinfo(easy, CURLINFO_CAINFO, &built_in) != CURLE_OK))
		built_in = NULL;
	const char *path = h->cacert ? h->cacert : built_in;
	struct err inner = { 0 };
	int failed = path ? add_file(path, &text, &inner) : 0;
	/* A machine without a store of its own has this host's authorities all the same. */
	if (failed && !h->cacert && inner.sys == ENOENT)
		failed = 0;
	else if (failed && e)
		*e = inner;
	if (failed)
		(void)at_file(path, "the system's authorities", e);
	if (easy)
		curl_easy_cleanup(easy);
	return failed || !text.len ? failed : buf_add(out, text.data, text.len, e);
}

/* The entry of this host, new if it has none. NULL: out of memory. */
static struct trust *entry(struct http *h, const char *host_port, struct err *e)
{
	size_t len = strlen(host_port);

	if (len > 4 && strcmp(host_port + len - 4, ":443") == 0)
		len -= 4;
	for (size_t i = 0; i < h->trust_count; i++)
		if (strncasecmp(h->trusts[i].host_port, host_port, len) == 0 && !h->trusts[i].host_port[len])
			return &h->trusts[i];
	if (GROW(h->trusts, h->trust_capacity, h->trust_count, e))
		return NULL;
	struct trust *t = &h->trusts[h->trust_count];
	*t = (struct trust){ .host_port = strndup(host_port, len) };
	if (!t->host_port) {
		err_memory(e);
		return NULL;
	}
	h->trust_count++;
	return t;
}

static int set_client(struct trust *t, const struct http_trust *told, struct err *e)
{
	if (!told->cert || t->cert)
		return 0;
	if (trust_check_file(told->cert, t->host_port, e) ||
	    (told->key && trust_check_file(told->key, t->host_port, e)))
		return -1;
	t->cert = strdup(told->cert);
	t->key = told->key ? strdup(told->key) : NULL;
	return !t->cert || (told->key && !t->key) ? err_memory(e) : 0;
}

int http_trust(struct http *h, const struct http_trust *told, struct err *e)
{
	struct trust *t = entry(h, told->host_port, e);
	size_t before = t ? t->own.len : 0;

	if (!t || set_client(t, told, e))
		return -1;
	for (const char *const *path = told->cacerts; path && *path; path++)
		if (add_authorities(t, *path, e))
			return -1;
	if (t->own.len && (t->own.len != before || !t->authorities.len)) {
		buf_clear(&t->authorities);
		if (add_common(h, &t->authorities, e) || buf_add(&t->authorities, t->own.data, t->own.len, e))
			return -1;
	}
	t->insecure = t->insecure || told->insecure;
	return 0;
}
