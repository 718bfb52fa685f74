/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/origin.h"

#include "base/buf.h"
#include "base/text.h"
#include "http/http.h"
#include "oci/reference.h"

#include <string.h>
#include <strings.h>

bool origin_is_https(const char *url)
{
	return !strncasecmp(url, "https://", 8);
}

const char *origin_text(const char *url, char out[ORIGIN_TEXT_SIZE])
{
	AUTO_BUF text = { 0 };

	if (http_origin(url, &text, NULL))
		return text_escape_str(out, ORIGIN_TEXT_SIZE, "?");
	return text_escape(out, ORIGIN_TEXT_SIZE, text.data, text.len);
}

/* "host[:port]" of a URL. */
static int host_port(const char *url, struct buf *out, struct err *e)
{
	AUTO_BUF origin = { 0 };

	if (http_origin(url, &origin, e))
		return -1;
	return buf_puts(out, strstr(origin.data, "://") + 3, e);
}

/* The length of the host in "host[:port]". */
static size_t host_len(const char *text)
{
	return text[0] == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":");
}

static bool same_host(const char *a, const char *b)
{
	size_t len = host_len(a);

	return len == host_len(b) && !strncasecmp(a, b, len);
}

/* "localhost" and what is under it: names that lead to this machine whatever DNS says. */
static bool names_this_machine(const char *host)
{
	static const char local[] = "localhost";
	const size_t n = sizeof(local) - 1;
	size_t len = host_len(host);

	if (len && host[len - 1] == '.')
		len--;
	if (len < n || strncasecmp(host + len - n, local, n) != 0)
		return false;
	return len == n || host[len - n - 1] == '.';
}

static bool is_private(const char *url, const char *host)
{
	return http_host_is_private_literal(url) || reference_registry_is_local(host) || names_this_machine(host);
}

/* Userinfo, spaces, backslashes and non-ASCII bytes are where two URL parsers disagree about the host. */
static bool has_strange_bytes(const char *url)
{
	const char *authority = strstr(url, "://");

	for (const char *p = url; *p; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f || *p == '\\')
			return true;
	return authority && memchr(authority + 3, '@', strcspn(authority + 3, "/?#"));
}

int origin_check_realm(const char *home, const char *realm, struct err *e)
{
	char shown[ORIGIN_TEXT_SIZE];
	AUTO_BUF own = { 0 };
	AUTO_BUF other = { 0 };

	if (has_strange_bytes(realm) || strchr(realm, '#') || host_port(realm, &other, NULL))
		return err_set(e, ERR_DENIED,
			       "the registry names a token service whose address is not a plain URL; nothing "
			       "was sent there");
	if (host_port(home, &own, e))
		return -1;
	if (origin_is_https(home) && !origin_is_https(realm))
		return err_set(e, ERR_DENIED,
			       "the registry names the token service %s, which is not https; nothing was sent "
			       "there",
			       origin_text(realm, shown));
	if (!is_private(realm, other.data) || !strcasecmp(own.data, other.data))
		return 0;
	if (reference_registry_is_local(own.data) &&
	    (same_host(own.data, other.data) || reference_registry_is_local(other.data)))
		return 0;
	return err_set(e, ERR_DENIED,
		       "the registry names the token service %s, a private address that is not its own; "
		       "nothing was sent there",
		       origin_text(realm, shown));
}

int origin_check_redirect(const char *home, const char *from, const char *to, struct err *e)
{
	char shown[ORIGIN_TEXT_SIZE];
	AUTO_BUF own = { 0 };
	AUTO_BUF target = { 0 };

	if (host_port(home, &own, e) || host_port(to, &target, e))
		return -1;
	if (origin_is_https(from) && !origin_is_https(to))
		return err_set(e, ERR_NETWORK, "redirected from https to %s, which is refused", origin_text(to, shown));
	if (http_same_origin(home, to) || !is_private(to, target.data) || is_private(home, own.data))
		return 0;
	return err_set(e, ERR_NETWORK, "redirected to the private address %s, which is refused",
		       origin_text(to, shown));
}
