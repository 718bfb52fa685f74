/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wire.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

/* The units of Go's time.Duration, in ms; "µ" is written with either of Unicode's two letters. */
static const struct {
	const char *name;
	double ms;
} units[] = { { "ns", 1e-6 }, { "us", 1e-3 }, { "\xc2\xb5s", 1e-3 }, { "\xce\xbcs", 1e-3 },
	      { "ms", 1 },    { "h", 3.6e6 }, { "m", 6e4 },          { "s", 1e3 } };

/* Far beyond what anybody waits, and far below what overflows. */
#define LONGEST_MS 1e15

/* "12", "12.5": where it ends, or NULL. strtod() would take hex, "inf" and the locale's comma. */
static const char *number(const char *p, double *out)
{
	double value = 0;
	double place = 1;
	const char *start = p;

	for (; isdigit((unsigned char)*p); p++)
		value = value * 10 + (*p - '0');
	if (p == start)
		return NULL;
	if (*p == '.')
		for (p++; isdigit((unsigned char)*p); p++)
			value += (*p - '0') * (place /= 10);
	*out = value;
	return p;
}

/* Behind a number: its factor in ms, *p moved on; 0: no unit that is known. */
static double unit(const char **p)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t len = strlen(units[i].name);
		if (strncmp(*p, units[i].name, len) != 0)
			continue;
		*p += len;
		return units[i].ms;
	}
	return 0;
}

/* "90", "1.5", "1m30s": ms, or -1. */
static double span(const char *p)
{
	double total = 0;
	bool first = true;

	while (*p) {
		double value;
		p = number(p, &value);
		if (!p)
			return -1;
		double factor = !*p && first ? 1000 : unit(&p);
		if (factor <= 0)
			return -1;
		total += value * factor;
		first = false;
	}
	return first ? -1 : total;
}

int64_t http_parse_retry_after(const char *text, int64_t now)
{
	bool negative = text[0] == '-';
	double ms = span(text + (negative ? 1 : 0));

	if (ms >= 0)
		return negative || ms < 1 ? 1 : (int64_t)(ms < LONGEST_MS ? ms + 0.999 : LONGEST_MS);
	/* A date has a letter and a space in it; curl_getdate() would take less for one. */
	time_t when = strchr(text, ' ') ? curl_getdate(text, NULL) : -1;
	if (when == -1)
		return 0;
	return when <= now ? 1 : ((int64_t)when - now) * 1000;
}

int64_t http_retry_after(const struct http_reply *r)
{
	const char *text = http_header(r, "Retry-After");

	return text && *text ? http_parse_retry_after(text, (int64_t)time(NULL)) : 0;
}
