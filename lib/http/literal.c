/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http.h"
#include "http/url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* Hosts that are written as addresses. */

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

bool ip_parse(const char *host, uint8_t out[16])
{
	uint8_t v4[4];

	if (inet_pton(AF_INET, host, v4) == 1) {
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + sizeof(mapped), v4, sizeof(v4));
		return true;
	}
	return inet_pton(AF_INET6, host, out) == 1;
}

bool ip_is_v4(const uint8_t ip[16])
{
	return memcmp(ip, mapped, sizeof(mapped)) == 0;
}

bool ip_is_loopback(const uint8_t ip[16])
{
	static const uint8_t one[16] = { [15] = 1 };

	return ip_is_v4(ip) ? ip[12] == 127 : memcmp(ip, one, sizeof(one)) == 0;
}

struct range {
	uint8_t prefix[16];
	unsigned bits;
};

static bool in_range(const uint8_t ip[16], const struct range *r)
{
	unsigned whole = r->bits / 8;
	unsigned rest = r->bits % 8;

	if (memcmp(ip, r->prefix, whole) != 0)
		return false;
	return !rest || (ip[whole] ^ r->prefix[whole]) >> (8 - rest) == 0;
}

static bool private_v4(const uint8_t v4[4])
{
	static const struct range ranges[] = {
		{ { 0 }, 8 },         { { 10 }, 8 },       { { 100, 64 }, 10 },  { { 127 }, 8 },
		{ { 169, 254 }, 16 }, { { 172, 16 }, 12 }, { { 192, 168 }, 16 },
	};
	uint8_t ip[16] = { 0 };

	memcpy(ip, v4, 4);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (in_range(ip, &ranges[i]))
			return true;
	return false;
}

static bool private_v6(const uint8_t ip[16])
{
	static const struct range ranges[] = {
		{ { 0xfc }, 7 },
		{ { 0xfe, 0x80 }, 10 },
	};
	/* IPv4 inside IPv6: mapped, compatible (also :: and ::1, as 0.0.0.0/8), and NAT64, which leads to the same
	 * host. */
	static const struct range embeds[] = {
		{ { [10] = 0xff, [11] = 0xff }, 96 },
		{ { 0 }, 96 },
		{ { 0x00, 0x64, 0xff, 0x9b }, 96 },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (in_range(ip, &ranges[i]))
			return true;
	for (size_t i = 0; i < sizeof(embeds) / sizeof(embeds[0]); i++)
		if (in_range(ip, &embeds[i]))
			return private_v4(ip + 12);
	return false;
}

bool http_host_is_private_literal(const char *url)
{
	AUTO(url) u = url_parse(url, NULL);
	struct in_addr v4;
	uint8_t v6[16];

	if (!u)
		return false;
	/* The mapping of international names turns full-width digits into plain ones: such a name may be an address. */
	for (const char *p = u->host; *p; p++)
		if ((unsigned char)*p >= 0x80)
			return true;
	char *end = strpbrk(u->host, "%");
	if (end)
		*end = '\0';
	size_t len = strlen(u->host);
	if (len && u->host[len - 1] == '.')
		u->host[len - 1] = '\0';
	/* inet_aton() reads every spelling the resolver takes for an address: 127.1, 0x7f.1, 017700000001, 2130706433.
	 */
	if (inet_aton(u->host, &v4))
		return private_v4((const uint8_t *)&v4.s_addr);
	return inet_pton(AF_INET6, u->host, v6) == 1 && private_v6(v6);
}
