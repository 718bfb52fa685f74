/* SPDX-License-Identifier: Apache-2.0 */
#include "http/wire.h"

#include "base/limits.h"
#include "base/text.h"

#include <string.h>
#include <strings.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* "HTTP/1.1 200 OK": a new block begins, what an interim answer said is forgotten. */
static int status_line(struct headers *h, const char *line, size_t len, struct err *e)
{
	const char *p = memchr(line, ' ', len);
	uint64_t status;
	char shown[80];

	buf_clear(&h->text);
	h->count = 0;
	h->chunked = false;
	h->content_length = UINT64_MAX;
	while (p && p < line + len && *p == ' ')
		p++;
	size_t left = p ? (size_t)(line + len - p) : 0;
	if (left < 3 || !text_parse_u64(p, 3, 999, &status) || status < 100 || (left > 3 && !is_space(p[3])))
		return err_set(e, ERR_NETWORK, "the answer's first line makes no sense: \"%s\"",
			       text_escape(shown, sizeof(shown), line, len));
	h->status = (int)status;
	return 0;
}

/* Two lengths that differ are two bodies: a proxy on the way may have seen the other one. */
static int content_length(struct headers *h, const char *value, struct err *e)
{
	uint64_t length;
	char shown[48];

	if (!text_parse_u64(value, strlen(value), INT64_MAX, &length))
		return err_set(e, ERR_NETWORK, "the answer's Content-Length makes no sense: \"%s\"",
			       text_escape_str(shown, sizeof(shown), value));
	if (h->content_length != UINT64_MAX && h->content_length != length)
		return err_set(e, ERR_NETWORK, "the answer has two Content-Lengths that differ");
	h->content_length = length;
	return 0;
}

static int add(struct headers *h, const char *name, size_t name_len, const char *value, size_t value_len, struct err *e)
{
	struct header_at at = { .name = h->text.len, .value = h->text.len + name_len + 1 };

	if (memchr(name, '\0', name_len) || memchr(value, '\0', value_len))
		return err_set(e, ERR_NETWORK, "a NUL byte in the answer's headers");
	if (GROW(h->at, h->capacity, h->count, e) || buf_add(&h->text, name, name_len, e) ||
	    buf_add(&h->text, "", 1, e) || buf_add(&h->text, value, value_len, e) || buf_add(&h->text, "", 1, e))
		return -1;
	h->at[h->count++] = at;
	return 0;
}

/* RFC 9112 5.2: a line that begins with space continues the one before; the fold counts as one space. */
static int unfold(struct headers *h, const char *more, size_t len, struct err *e)
{
	if (!h->count)
		return 0;
	h->text.len--; /* the NUL behind the value, which is the last text */
	if (memchr(more, '\0', len))
		return err_set(e, ERR_NETWORK, "a NUL byte in the answer's headers");
	return buf_add(&h->text, " ", 1, e) || buf_add(&h->text, more, len, e) || buf_add(&h->text, "", 1, e) ? -1 : 0;
}

static int end_of_block(struct headers *h, struct err *e)
{
	const char *value;

	if (h->status < 200)
		return 0;
	for (size_t n = 0; (value = headers_find(h, "Transfer-Encoding", n)); n++)
		h->chunked = true;
	/* RFC 9112 6.3: with a Transfer-Encoding a Content-Length says nothing. */
	for (size_t n = 0; !h->chunked && (value = headers_find(h, "Content-Length", n)); n++)
		if (content_length(h, value, e))
			return -1;
	h->complete = true;
	return 0;
}

int headers_line(struct headers *h, const char *line, size_t len, struct err *e)
{
	const char *end = line + len;

	h->seen += len;
	if (h->seen > LIMIT_HEADER_BLOCK)
		return err_set(e, ERR_NETWORK, "the answer's headers are larger than %u bytes", LIMIT_HEADER_BLOCK);
	if (h->complete)
		return 0; /* trailers of a chunked body: counted, not used */
	bool folded = len && (*line == ' ' || *line == '\t');
	while (end > line && is_space(end[-1]))
		end--;
	while (line < end && is_space(*line))
		line++;
	len = (size_t)(end - line);
	if (len >= 5 && !folded && memcmp(line, "HTTP/", 5) == 0)
		return status_line(h, line, len, e);
	if (!len)
		return end_of_block(h, e);
	if (folded)
		return unfold(h, line, len, e);
	const char *colon = memchr(line, ':', len);
	if (!colon)
		return 0;
	const char *value = colon + 1;
	while (value < end && is_space(*value))
		value++;
	return add(h, line, (size_t)(colon - line), value, (size_t)(end - value), e);
}

const char *headers_find(const struct headers *h, const char *name, size_t n)
{
	for (size_t i = 0; i < h->count; i++)
		if (strcasecmp(h->text.data + h->at[i].name, name) == 0 && n-- == 0)
			return h->text.data + h->at[i].value;
	return NULL;
}

void headers_release(struct headers *h)
{
	buf_release(&h->text);
	free(h->at);
	h->at = NULL;
	h->count = h->capacity = 0;
}

size_t wire_on_header(char *line, size_t size, size_t count, void *ctx)
{
	struct http_reply *r = ctx;

	if (r->discard || headers_line(&r->headers, line, size * count, &r->failure) == 0)
		return size * count;
	(void)err_at(&r->failure, "%s", r->where);
	return size * count == 0; /* anything but the length stops curl */
}
