/* SPDX-License-Identifier: Apache-2.0 */
#include "http/noproxy.h"

#include "base/own.h"
#include "base/text.h"
#include "http/url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

/* An entry of NO_PROXY, in lower case and without surrounding space. */

static bool match_cidr(const char *entry, const uint8_t ip[16], bool *is_cidr)
{
	const char *slash = strchr(entry, '/');
	uint8_t net[16];
	uint64_t bits;
	char text[64];

	*is_cidr = false;
	if (!slash || (size_t)(slash - entry) >= sizeof(text))
		return false;
	memcpy(text, entry, (size_t)(slash - entry));
	text[slash - entry] = '\0';
	if (!ip_parse(text, net))
		return false;
	bool v4 = !strchr(text, ':');
	if (!text_parse_u64(slash + 1, strlen(slash + 1), v4 ? 32 : 128, &bits))
		return false;
	*is_cidr = true;
	if (!ip)
		return false;
	if (v4)
		bits += 96;
	/* An IPv6 range that reaches beyond the mapped addresses holds no IPv4 host. */
	if (ip_is_v4(ip) && (bits < 96 || !ip_is_v4(net)))
		return false;
	size_t whole = (size_t)bits / 8;
	unsigned rest = bits % 8;
	return memcmp(ip, net, whole) == 0 && (!rest || (ip[whole] ^ net[whole]) >> (8 - rest) == 0);
}

/* "name", "name:port", "[v6]:port" apart, in place. An entry that is none of these is a name as it stands. */
static void split_port(char *entry, char **name, const char **port)
{
	char *colon = strrchr(entry, ':');
	char *end = strchr(entry, ']');

	*name = entry;
	*port = "";
	if (!colon)
		return;
	if (entry[0] == '[') {
		if (!end || end + 1 != colon)
			return;
		*end = '\0';
		*name = entry + 1;
	} else if (strchr(entry, ':') != colon) {
		return; /* several colons: a bare IPv6 address */
	} else {
		*colon = '\0';
	}
	*port = colon + 1;
}

/*
 * A name with letters outside of ASCII as the DNS knows it ("xn--..."), as Go does it too; *owned keeps it. A name that
 * cannot be written so, a libcurl that cannot do it (before 7.88, or without IDN) or a locale without UTF-8 leaves it
 * as it stands.
 */
static const char *ascii_name(const char *name, char **owned)
{
#ifdef CURLU_PUNYCODE
	CURLU *u = NULL;
	bool foreign = false;

	for (const char *p = name; *p; p++)
		foreign = foreign || (unsigned char)*p >= 0x80;
	if (foreign)
		u = curl_url();
	/* Of "http://HOST/" nothing but HOST may be understood: the entry could hold a slash. */
	if (u && !strpbrk(name, "/?#@:\\") && curl_url_set(u, CURLUPART_SCHEME, "http", 0) == CURLUE_OK &&
	    curl_url_set(u, CURLUPART_HOST, name, 0) == CURLUE_OK)
		(void)curl_url_get(u, CURLUPART_HOST, owned, CURLU_PUNYCODE);
	curl_url_cleanup(u);
#endif
	return *owned ? *owned : name;
}

static bool match_name(const char *name, const char *host)
{
	size_t host_len = strlen(host);
	char *owned = NULL;
	bool matches;

	if (name[0] == '*' && name[1] == '.')
		name++;
	bool only_below = name[0] == '.';
	name = ascii_name(only_below ? name + 1 : name, &owned);
	size_t len = strlen(name);
	if (host_len > len)
		matches = host[host_len - len - 1] == '.' && strcmp(host + host_len - len, name) == 0;
	else
		matches = !only_below && host_len == len && strcmp(host, name) == 0;
	curl_free(owned);
	return matches;
}

static bool match_entry(char *entry, const char *host, const uint8_t *ip, uint16_t port)
{
	uint8_t entry_ip[16];
	const char *entry_port;
	bool is_cidr;
	char *name;
	char port_text[8];

	bool inside = match_cidr(entry, ip, &is_cidr);
	if (is_cidr)
		return inside;
	split_port(entry, &name, &entry_port);
	if (!*name)
		return false;
	(void)snprintf(port_text, sizeof(port_text), "%u", (unsigned)port);
	if (*entry_port && strcmp(entry_port, port_text) != 0)
		return false;
	if (ip_parse(name, entry_ip))
		return ip && memcmp(entry_ip, ip, sizeof(entry_ip)) == 0;
	/* Go's habit: a name that is no address matches an address's end, too (".2.3" holds for 10.1.2.3). */
	return match_name(name, host);
}

static char *trim(char *s)
{
	static const char space[] = " \t\r\n\v\f";
	char *start = s + strspn(s, space);
	size_t len = strlen(start);

	while (len && strchr(space, start[len - 1]))
		start[--len] = '\0';
	return start;
}

int noproxy_lists(const char *no_proxy, const char *host, const uint8_t *ip, uint16_t port, struct err *e)
{
	AUTO_MEM char *copy = strdup(no_proxy);
	char *rest = copy;
	char *entry;

	if (!copy)
		return err_memory(e);
	for (char *p = copy; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	while ((entry = strsep(&rest, ","))) {
		entry = trim(entry);
		if (strcmp(entry, "*") == 0 || (*entry && match_entry(entry, host, ip, port)))
			return 1;
	}
	return 0;
}
