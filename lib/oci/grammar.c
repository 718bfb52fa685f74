/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of the parts of a reference (distribution specification; docker's "reference" package). ASCII only. */
#include "base/text.h"
#include "oci/reference.h"

#include <arpa/inet.h>
#include <string.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z');
}

static bool is_alnum(char c)
{
	return is_lower_alnum(c) || (c >= 'A' && c <= 'Z');
}

bool reference_tag_valid(const char *tag)
{
	size_t len = strlen(tag);

	if (!len || len > LIMIT_TAG || tag[0] == '.' || tag[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_alnum(tag[i]) && tag[i] != '_' && tag[i] != '.' && tag[i] != '-')
			return false;
	return true;
}

/* One separator inside a component: ".", "_", "__" or any number of "-". Its length; 0 if there is none. */
static size_t separator(const char *s)
{
	if (s[0] == '.')
		return 1;
	if (s[0] == '_')
		return s[1] == '_' ? 2 : 1;
	return strspn(s, "-");
}

/* Runs of lower-case letters and digits, one separator between two: the length of the longest such start. */
static size_t component(const char *s)
{
	size_t at = 0;

	for (;;) {
		size_t from = at;

		while (is_lower_alnum(s[at]))
			at++;
		if (at == from)
			return 0;
		size_t n = separator(s + at);
		if (!n)
			return at;
		at += n;
	}
}

bool reference_repository_valid(const char *path)
{
	if (strlen(path) > LIMIT_REPOSITORY)
		return false;
	for (;;) {
		size_t n = component(path);

		if (!n || (path[n] && path[n] != '/'))
			return false;
		if (!path[n])
			return true;
		path += n + 1;
	}
}

/* Labels of letters, digits and inner dashes, with dots between them; also an IPv4 address. */
static bool host_valid(const char *host, size_t len)
{
	if (!len)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool first = i == 0 || host[i - 1] == '.';
		bool last = i + 1 == len || host[i + 1] == '.';

		if (is_alnum(host[i]))
			continue;
		if (first || last || (host[i] != '-' && host[i] != '.'))
			return false;
	}
	return true;
}

/* "[...]": an IPv6 address without a zone. */
static bool address_valid(const char *host, size_t len)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (len < 2 || host[len - 1] != ']' || len - 2 >= sizeof(text))
		return false;
	memcpy(text, host + 1, len - 2);
	text[len - 2] = '\0';
	/* dots would be an IPv4 address inside, which docker refuses */
	return !strchr(text, '.') && inet_pton(AF_INET6, text, &address) == 1;
}

/* The length of the host in "host" or "host:port"; the port, if there is one, must make sense. 0 otherwise. */
static size_t split_port(const char *registry)
{
	size_t len = strlen(registry);
	const char *colon = registry[0] == '[' ? strstr(registry, "]:") : strchr(registry, ':');
	uint64_t port;

	if (!colon)
		return len;
	if (*colon == ']')
		colon++;
	if (!text_parse_u64(colon + 1, strlen(colon + 1), UINT16_MAX, &port) || !port)
		return 0;
	return (size_t)(colon - registry);
}

bool reference_registry_valid(const char *registry)
{
	size_t host = split_port(registry);

	if (strlen(registry) > LIMIT_REPOSITORY)
		return false;
	return registry[0] == '[' ? address_valid(registry, host) : host_valid(registry, host);
}

bool reference_registry_is_local(const char *registry)
{
	size_t len = split_port(registry);
	char host[INET_ADDRSTRLEN];
	struct in_addr address;

	if (!len || len >= sizeof(host))
		return false;
	memcpy(host, registry, len);
	host[len] = '\0';
	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
		return true;
	return inet_pton(AF_INET, host, &address) == 1 && text_starts(host, "127.");
}
