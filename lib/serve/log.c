/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/log.h"

#include "base/text.h"

#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define SHOWN 1024 /* of one field */

/* A quote would end the field. */
static int put(struct buf *out, const char *text, struct err *e)
{
	char shown[SHOWN];

	text_escape_str(shown, sizeof(shown), text);
	for (const char *c = shown; *c; c++)
		if (*c == '"' ? buf_puts(out, "\\x22", e) : buf_add(out, c, 1, e))
			return -1;
	return 0;
}

static const char *client(const struct sockaddr *a, char out[NI_MAXHOST])
{
	const socklen_t len = a && a->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	if (!a || getnameinfo(a, len, out, NI_MAXHOST, NULL, 0, NI_NUMERICHOST))
		(void)snprintf(out, NI_MAXHOST, "-");
	return text_starts(out, "::ffff:") ? out + strlen("::ffff:") : out;
}

int log_line(const struct log_entry *l, struct buf *out, struct err *e)
{
	char host[NI_MAXHOST];
	char when[40] = "-";
	struct tm tm;

	if (gmtime_r(&l->when, &tm))
		(void)strftime(when, sizeof(when), "%d/%b/%Y:%H:%M:%S +0000", &tm);
	if (buf_printf(out, e, "%s - ", client(l->client, host)) || put(out, l->user ? l->user : "-", e) ||
	    buf_printf(out, e, " [%s] \"", when) || put(out, l->method ? l->method : "-", e) || buf_puts(out, " ", e) ||
	    put(out, l->target ? l->target : "-", e) || buf_puts(out, " HTTP/1.1\" ", e))
		return -1;
	return buf_printf(out, e, "%u %" PRIu64 " \"-\" \"", l->status, l->bytes) ||
			       put(out, l->agent ? l->agent : "-", e) ||
			       buf_printf(out, e, "\" %" PRId64 ".%03d%s", l->ns / 1000000000,
					  (int)(l->ns / 1000000 % 1000), l->whole ? "" : " cut")
		       ? -1
		       : 0;
}
