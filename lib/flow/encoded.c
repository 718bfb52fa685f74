/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/fill.h"

#include "codec/codec.h"
#include "stream/sink.h"

/*
 * Some servers, and proxies, compress what they were asked not to compress, and say so in Content-Encoding; others say
 * so of a layer that is a gzip file by itself. Which of the two it is, the digest tells: the bytes are taken as they
 * come, and if they are not the blob, they are decoded once.
 */

/* The whole blob from one answer, proved. */
static int take(struct ask *a, struct errand *x, struct source *body /* taken */, uint64_t *came, struct err *e)
{
	AUTO(source) s = source_verify(body, &x->blob->member->promise, e);
	AUTO_MEM char *buf = malloc(PUMP_PIECE);
	ssize_t n;

	if (!s)
		return -1;
	if (!buf)
		return err_memory(e);
	while ((n = source_read(s, buf, PUMP_PIECE, e)) > 0) {
		*came += (uint64_t)n;
		if (fill_write(x, a->worker, buf, x->at, (size_t)n, e))
			return -1;
		x->at += (uint64_t)n;
	}
	return (int)n;
}

/* Once more, from the beginning: what was written meanwhile was something else. */
static int begin_anew(struct errand *x, struct ask *a, struct err *e)
{
	x->at = 0;
	pieces_rewind(x->fill->pieces, a->worker);
	return follow_restart(&x->blob->follow, e);
}

static struct source *open_all(struct errand *x, struct registry_conn *conn, const char *repository,
			       struct blob_range *got, struct err *e)
{
	const struct promise *blob = &x->blob->member->promise;

	return registry_open_range(conn, repository, blob, 0, blob->size, got, e);
}

int receive_encoded(struct ask *a, struct registry_conn *conn, const char *repository, struct err *e)
{
	struct errand *x = a->ctx;
	struct blob_range got;
	struct err as_it_came = { 0 };
	uint64_t came = 0;

	if (begin_anew(x, a, e))
		return -1;
	struct source *body = open_all(x, conn, repository, &got, e);
	if (!body)
		return -1;
	int rc = take(a, x, body, &came, &as_it_came);
	if (rc && as_it_came.kind == ERR_CORRUPT && got.encoded) {
		enum coding coding = coding_of_http(got.coding);
		if (coding == CODING_NONE) {
			if (e)
				*e = as_it_came;
			return err_hint(e, "it came with Content-Encoding %s, which imgpack does not undo", got.coding);
		}
		if (begin_anew(x, a, e))
			return -1;
		body = open_all(x, conn, repository, &got, e);
		rc = take(a, x, source_decode(body, coding, x->blob->member->promise.size, e), &came, e);
		if (rc)
			err_hint(e, "it came with Content-Encoding %s although it was asked to come without",
				 got.coding);
	} else if (rc && e) {
		*e = as_it_came;
	}
	atomic_fetch_add(&x->fill->received, came);
	if (rc)
		return -1;
	pthread_mutex_lock(&x->fill->lock);
	x->blob->from.gave |= UINT32_C(1) << a->endpoint;
	pthread_mutex_unlock(&x->fill->lock);
	return 0;
}
