/* SPDX-License-Identifier: Apache-2.0 */
#include "serve/give.h"

#include "oci/json.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What one reading takes from a file, where the kernel cannot copy by itself: so much memory an answer. */
#define PIECE (64u << 10)

const char *visit_header(const struct visit *v, const char *name)
{
	return MHD_lookup_connection_value(v->connection, MHD_HEADER_KIND, name);
}

const char *visit_argument(const struct visit *v, const char *name)
{
	return MHD_lookup_connection_value(v->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct MHD_Response *give_header(struct MHD_Response *r, const char *name, const char *value)
{
	if (r && MHD_add_response_header(r, name, value) != MHD_YES) {
		MHD_destroy_response(r);
		return NULL;
	}
	return r;
}

/* What every answer says. */
static struct MHD_Response *common(struct visit *v, unsigned status, uint64_t bytes, const char *type,
				   struct MHD_Response *r)
{
	v->status = status;
	v->bytes = bytes;
	r = give_header(r, "X-Content-Type-Options", "nosniff");
	if (v->ask.kind >= ASK_BASE && v->ask.kind <= ASK_REFERRERS)
		r = give_header(r, "Docker-Distribution-Api-Version", "registry/2.0");
	return type ? give_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type) : r;
}

struct MHD_Response *give_bytes(struct visit *v, unsigned status, const char *type, struct buf *body)
{
	const size_t len = body->len;
	char *bytes = buf_take(body);

	if (!bytes)
		return common(v, status, 0, type,
			      MHD_create_response_from_buffer(0, (char[1]){ 0 }, MHD_RESPMEM_MUST_COPY));
	struct MHD_Response *r = MHD_create_response_from_buffer(len, bytes, MHD_RESPMEM_MUST_FREE);
	if (!r)
		free(bytes);
	return common(v, status, len, type, r);
}

struct MHD_Response *give_empty(struct visit *v, unsigned status)
{
	struct buf none = { 0 };

	return give_bytes(v, status, NULL, &none);
}

struct MHD_Response *give_line(struct visit *v, unsigned status, const char *line)
{
	AUTO_BUF body = { 0 };

	return buf_printf(&body, NULL, "%s\n", line) ? NULL : give_bytes(v, status, "text/plain; charset=utf-8", &body);
}

struct MHD_Response *give_error(struct visit *v, unsigned status, const char *code, const char *message)
{
	AUTO_BUF body = { 0 };
	struct jout j = jout_begin(&body);

	jout_object(&j);
	jout_key(&j, "errors");
	jout_array(&j);
	jout_object(&j);
	jout_key(&j, "code");
	jout_text(&j, code);
	jout_key(&j, "message");
	jout_text(&j, message);
	jout_end(&j);
	jout_end(&j);
	jout_end(&j);
	if (jout_finish(&j, NULL) || buf_puts(&body, "\n", NULL))
		return NULL;
	return give_bytes(v, status, "application/json", &body);
}

/* ---- blobs */

struct piece {
	struct space *space;
	uint64_t from;
};

static ssize_t read_piece(void *ctx, uint64_t at, char *buf, size_t max)
{
	const struct piece *p = ctx;

	/* libmicrohttpd asks for no more than is left. */
	return space_pread(p->space, buf, max, p->from + at, NULL) ? MHD_CONTENT_READER_END_WITH_ERROR : (ssize_t)max;
}

static struct MHD_Response *from_pieces(struct space *space, uint64_t from, uint64_t len)
{
	struct piece *p = malloc(sizeof(*p));

	if (!p)
		return NULL;
	*p = (struct piece){ space, from };
	struct MHD_Response *r = MHD_create_response_from_callback(len, PIECE, read_piece, p, free);
	if (!r)
		free(p);
	return r;
}

static struct MHD_Response *from_file(int file, uint64_t at, uint64_t len)
{
	int fd = fcntl(file, F_DUPFD_CLOEXEC, 3); /* the response closes it */

	if (fd < 0)
		return NULL;
	struct MHD_Response *r = MHD_create_response_from_fd_at_offset64(len, fd, at);
	if (!r)
		(void)close(fd);
	return r;
}

static struct MHD_Response *from_held(const struct visit *v, const struct held *held, uint64_t from, uint64_t len)
{
	const struct pack_blob *b = held->blob;
	int fd = -1;
	uint64_t at = 0;

	if (b->bytes || !len)
		return MHD_create_response_from_buffer(len, b->bytes ? b->bytes + from : (char[1]){ 0 },
						       b->bytes ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
	struct space *space = held->file->space;
	if (!v->tls && space_file_range(space, b->offset + from, len, &fd, &at))
		return from_file(fd, at, len);
	return from_pieces(space, b->offset + from, len);
}

static struct MHD_Response *unsatisfiable(struct visit *v, uint64_t size)
{
	char range[48];

	(void)snprintf(range, sizeof(range), "bytes */%" PRIu64, size);
	return give_header(
		give_error(v, MHD_HTTP_RANGE_NOT_SATISFIABLE, "RANGE_INVALID", "the blob ends before the range begins"),
		MHD_HTTP_HEADER_CONTENT_RANGE, range);
}

/* If-Range lets a client that has another version ask for all; there is only this one. */
static bool range_counts(const struct visit *v, const char *digest)
{
	const char *only = visit_header(v, MHD_HTTP_HEADER_IF_RANGE);

	return !only || etag_matches(only, digest);
}

struct MHD_Response *give_blob(struct visit *v, const struct held *held, const char *type)
{
	const uint64_t size = held->blob->promise.size;
	char digest[DIGEST_TEXT_SIZE];
	char etag[DIGEST_TEXT_SIZE + 2];
	char range[80];
	uint64_t from = 0;
	uint64_t len = size;
	enum range_kind kind = RANGE_ALL;

	digest_text(&held->blob->promise.digest, digest);
	(void)snprintf(etag, sizeof(etag), "\"%s\"", digest);
	if (etag_matches(visit_header(v, MHD_HTTP_HEADER_IF_NONE_MATCH), digest))
		return give_header(give_header(give_empty(v, MHD_HTTP_NOT_MODIFIED), MHD_HTTP_HEADER_ETAG, etag),
				   "Docker-Content-Digest", digest);
	if (range_counts(v, digest))
		kind = range_parse(visit_header(v, MHD_HTTP_HEADER_RANGE), size, &from, &len);
	if (kind == RANGE_BAD)
		return unsatisfiable(v, size);
	struct MHD_Response *r = common(v, kind == RANGE_PART ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, len, type,
					from_held(v, held, from, len));
	r = give_header(r, "Docker-Content-Digest", digest);
	r = give_header(r, MHD_HTTP_HEADER_ETAG, etag);
	r = give_header(r, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	if (kind != RANGE_PART)
		return r;
	(void)snprintf(range, sizeof(range), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from, from + len - 1, size);
	return give_header(r, MHD_HTTP_HEADER_CONTENT_RANGE, range);
}
