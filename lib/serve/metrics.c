/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/metrics.h"

#include <inttypes.h>

void metrics_count(struct metrics *m, enum ask_kind kind, unsigned status)
{
	const unsigned class = status / 100;

	atomic_fetch_add(&m->requests[kind][class < 6 ? class : 0], 1);
}

static int one(struct buf *out, const char *name, const char *type, const char *help, uint64_t value, struct err *e)
{
	return buf_printf(out, e,
			  "# HELP imgpack_serve_%s %s\n# TYPE imgpack_serve_%s %s\nimgpack_serve_%s %" PRIu64 "\n",
			  name, help, name, type, name, value);
}

static int requests(const struct metrics *m, struct buf *out, struct err *e)
{
	if (buf_puts(out,
		     "# HELP imgpack_serve_requests_total Requests that were answered, by what they asked for.\n"
		     "# TYPE imgpack_serve_requests_total counter\n",
		     e))
		return -1;
	for (size_t kind = 0; kind < ASK_KINDS; kind++) {
		for (unsigned class = 0; class < 6; class ++) {
			const uint64_t n = atomic_load(&m->requests[kind][class]);
			if (n &&
			    buf_printf(out, e, "imgpack_serve_requests_total{kind=\"%s\",status=\"%s\"} %" PRIu64 "\n",
				       ask_word((enum ask_kind)kind),
				       (const char *const[]){ "none", "1xx", "2xx", "3xx", "4xx", "5xx" }[class], n))
				return -1;
		}
	}
	return 0;
}

int metrics_text(const struct metrics *m, uint64_t connections, uint64_t images, uint64_t repositories, struct buf *out,
		 struct err *e)
{
	return requests(m, out, e) ||
			       one(out, "sent_bytes_total", "counter", "Bytes of answers that were read to their end.",
				   atomic_load(&m->bytes), e) ||
			       one(out, "broken_answers_total", "counter",
				   "Answers that the client did not read to the end.", atomic_load(&m->broken), e) ||
			       one(out, "refused_credentials_total", "counter",
				   "Requests with missing or wrong credentials.", atomic_load(&m->refused), e) ||
			       one(out, "running_requests", "gauge", "Requests that are being answered.",
				   atomic_load(&m->running), e) ||
			       one(out, "connections", "gauge", "Open connections.", connections, e) ||
			       one(out, "images", "gauge", "Images that are served.", images, e) ||
			       one(out, "repositories", "gauge", "Repositories that are served.", repositories, e)
		       ? -1
		       : 0;
}
