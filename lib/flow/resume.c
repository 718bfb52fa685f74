/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/resume.h"

#include "base/cancel.h"
#include "base/parallel.h"
#include "base/text.h"
#include "codec/crc32c.h"
#include "pack/open.h"
#include "stream/sink.h"

#include <string.h>

#define PIECE (256u << 10)

/* One journal being gone through. */
struct claim {
	struct fill *fill;
	const struct journal_read *old;
	struct space *from; /* where the bytes are */
	bool copy;          /* into the fill's space */
};

/* The journal's blob that is this one, or NULL. */
static const struct journal_blob *find(const struct journal_read *old, const struct fill_blob *b, size_t *number)
{
	for (size_t i = 0; i < old->blob_count; i++) {
		const struct journal_blob *j = &old->blobs[i];
		if (j->named && j->promise.size == b->member->promise.size &&
		    digest_equal(&j->promise.digest, &b->member->promise.digest)) {
			*number = i;
			return j;
		}
	}
	return NULL;
}

/* 1: the stretch's bytes have its CRC (and are copied), 0: not, -1: this machine's trouble. */
static int check(const struct claim *c, const struct journal_blob *j, const struct fill_blob *b,
		 const struct stretch *s, char *buf, struct err *e)
{
	uint32_t crc = 0;

	for (uint64_t done = 0; done < s->len;) {
		size_t n = s->len - done < PIECE ? (size_t)(s->len - done) : PIECE;
		struct err failure = { 0 };
		if (cancel_check(e))
			return -1;
		/* A file that ends too early, and a sector that cannot be read, are bytes that are not there. */
		if (space_pread(c->from, buf, n, j->place + s->from + done, &failure))
			return 0;
		crc = crc32c(crc, buf, n);
		if (c->copy && space_pwrite(c->fill->space, buf, n, b->member->data + s->from + done, e))
			return -1;
		done += n;
	}
	return crc == s->crc;
}

static int claim_blob(void *ctx, size_t item, size_t worker, struct err *e)
{
	const struct claim *c = ctx;
	struct fill *f = c->fill;
	struct fill_blob *b = &f->blobs[item];
	size_t number;
	const struct journal_blob *j = find(c->old, b, &number);
	AUTO_MEM char *buf = j ? malloc(PIECE) : NULL;

	(void)worker;
	if (!j)
		return 0;
	if (!buf)
		return err_memory(e);
	for (size_t i = 0; i < c->old->count; i++) {
		const struct stretch *s = &c->old->stretches[i];
		if (s->blob != number)
			continue;
		int good = check(c, j, b, s, buf, e);
		if (good < 0)
			return -1;
		if (!good)
			continue;
		if (c->copy && journal_note(f->journal, b->number, s->from, s->len, s->crc, e))
			return -1;
		if (pieces_have(f->pieces, item, s->from, s->from + s->len, e))
			return -1;
		b->from.disk = true;
	}
	return 0;
}

/* Blobs are independent of each other; the numbers that are shared are counted before and behind. */
static int claim_all(struct claim *c, struct err *e)
{
	struct fill *f = c->fill;
	uint64_t before = pieces_missing(f->pieces, SIZE_MAX);
	int rc = parallel_for(f->count, parallel_cpus(), claim_blob, c, e);

	f->reused += before - pieces_missing(f->pieces, SIZE_MAX);
	return rc;
}

int fill_resume(struct fill *f, const struct journal_read *old, struct err *e)
{
	struct claim c = { f, old, f->space, false };

	return claim_all(&c, e);
}

int fill_import(struct fill *f, const struct journal_read *old, struct space *from, struct err *e)
{
	struct claim c = { f, old, from, true };

	return claim_all(&c, e);
}

/* Another archive. */

static int add_crc(void *ctx, const void *bytes, size_t len, struct err *e)
{
	uint32_t *crc = ctx;

	(void)e;
	*crc = crc32c(*crc, bytes, len);
	return 0;
}

/* 1: it is there now; 0: the archive's bytes are not it; -1. */
static int copy_blob(struct fill *f, struct fill_blob *b, struct pack_file *from, const struct pack_blob *blob,
		     struct err *e)
{
	const uint64_t size = b->member->promise.size;
	uint32_t crc = 0;
	AUTO(source) s = source_tap(pack_file_blob(from, blob, e), add_crc, &crc, e);
	AUTO(sink) place = sink_space(f->space, b->member->data, size, e);
	struct err failure = { 0 };

	if (!s || !place)
		return -1;
	if (!pump(s, place, &failure))
		return size && journal_note(f->journal, b->number, 0, size, crc, e) ? -1 : 1;
	if (failure.kind == ERR_CORRUPT)
		return 0;
	if (e)
		*e = failure;
	return -1;
}

int fill_take(struct fill *f, const char *archive, struct err *e)
{
	char shown[160];
	uint64_t before = pieces_missing(f->pieces, SIZE_MAX);

	text_escape_str(shown, sizeof(shown), archive);
	AUTO(pack_file) from = pack_file_open(archive, f->events, e);
	if (!from)
		return err_at(e, "--have-archive %s", shown);
	for (size_t i = 0; i < f->count; i++) {
		struct fill_blob *b = &f->blobs[i];
		ptrdiff_t there = pack_find_blob(from->pack, &b->member->promise.digest);
		if (there < 0 || from->pack->blobs[there].absent || !pieces_missing(f->pieces, i) ||
		    from->pack->blobs[there].promise.size != b->member->promise.size)
			continue;
		int good = copy_blob(f, b, from, &from->pack->blobs[there], e);
		if (good < 0)
			return err_at(e, "--have-archive %s", shown);
		if (good && pieces_have(f->pieces, i, 0, b->member->promise.size, e))
			return -1;
		b->from.disk = b->from.disk || good;
		if (!good)
			event_text(f->events, EVENT_WARNING, "%s: a %s is damaged there; it is fetched", shown,
				   blob_role_text(b->blob->role));
	}
	f->reused += before - pieces_missing(f->pieces, SIZE_MAX);
	return 0;
}
